"""The documents: what they show is executed, what they name exists, and both languages say the same."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml

from cardstock.network.plan_check import PYRAMID_WORDS
from cardstock.payouts.channels.sandbox import drawn
from infra.demo.deployment import STAFF, configure_platforms, start
from infra.local import sandbox
from infra.local.platforms.alipay import Alipay
from infra.local.platforms.baidu import Baidu
from infra.local.platforms.douyin import Douyin
from infra.local.platforms.notices import fetch
from infra.local.platforms.wechat import Wechat
from infra.local.platforms.wechat_push import EVENTS, WAYS
from infra.local.sandbox import STATUSES
from infra.local.suite import Suite
from infra.local.template import ROOT
from tests.people.goods import terms_of

ENGLISH = ROOT / "README.md"
CONTRACT = ROOT / "infra" / "contract" / "README.md"
TWICE = [ENGLISH, CONTRACT]
"""Documents in two languages: the Chinese one stands beside the English one."""
SERVED, SANDBOX, PLATFORMS = "http://127.0.0.1:8700", "http://127.0.0.1:8701", "http://127.0.0.1:8703"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    """All documents but those of hidden folders (installed packages, local state); `.github` is ours."""
    found = [path for path in ROOT.rglob("*.md") if not path.relative_to(ROOT).parts[0].startswith(".")]
    return sorted([*found, *(ROOT / ".github").glob("*.md")])


DOCUMENTS = documents()


def blocks(path: Path) -> list[tuple[str, str]]:
    """Language and text of each fenced block."""
    return _FENCE.findall(path.read_text("utf-8"))


def prose(path: Path) -> str:
    return _FENCE.sub("", path.read_text("utf-8"))


def commands(text: str) -> set[str]:
    """The make targets of a listing: lines that begin with `make <target>`."""
    return set(re.findall(r"^make (\w+)", text, re.M))


def title_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def chinese_of(path: Path) -> Path:
    return path.with_name("README.zh-CN.md")


# The example for developers of mini-programs


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    with start(workers=1, platforms_port=0) as running:
        yield running


def staff_sends(
    suite: Suite, method: str, path: str, body: dict[str, Any], credential: str, *, key: str = ""
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {credential}", "Idempotency-Key": key or path}
    answer = httpx.request(method, suite.urls[STAFF] + path, json=body, headers=headers, timeout=30).raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def stock_the_shelf(suite: Suite) -> None:
    stored = suite.clients.secrets.get_secret_value(SecretId=suite.environment["ADMIN_SECRET_ID"])["SecretString"]
    root = f"csk_root_{json.loads(stored)['key']}"
    person, owner = (
        staff_sends(suite, "POST", "/v1/staff", {"name": name}, root, key=name.split()[0])["person_id"]
        for name in ("Wang Fang", "Zhao Min")
    )
    hiring = {"name": "Hiring", "owner": owner, "scopes": ["staff:write"]}
    key = staff_sends(suite, "POST", "/v1/partners/keys", hiring, root, key="hiring")["key"]
    operator = {"roles": ["operator"], "reason": "runs the shop"}
    staff_sends(suite, "PUT", f"/v1/staff/{person}/roles", operator, key)
    wanted = {"name": "Shop console", "owner": person, "scopes": ["suppliers:write", "catalog:write"]}
    staff = staff_sends(suite, "POST", "/v1/partners/keys", wanted, root)["key"]
    staff_sends(suite, "PUT", "/v1/suppliers/sup_lights", {"name": "Lights"}, staff)
    lamp = terms_of("Camping lamp", "sup_lights", 9_900, 100)
    staff_sends(suite, "PUT", "/v1/products/LAMP", lamp, staff)


@pytest.mark.engine
def test_the_example_buys_something_and_may_be_run_again(suite: Suite) -> None:
    stock_the_shelf(suite)
    example, trouble, parts, agreed, platforms, *paying = (
        text for language, text in blocks(CONTRACT) if language == "python"
    )
    trouble = trouble.replace(SANDBOX, suite.sandbox.url).replace('8701")', '8701", timeout=30)')
    example = example.replace(SERVED, suite.url).replace('headers={"Accept', 'timeout=30, headers={"Accept')
    assert suite.platforms is not None
    platforms = platforms.replace(PLATFORMS, suite.platforms.url)
    # Here nothing runs in the background: while the example waits, queues are drained.
    paying[0] = paying[0].replace("time.sleep(0.1)", "time.sleep(0.1), drain()")
    assert suite.url in example
    said: list[str] = []
    for _ in range(2):
        names: dict[str, Any] = {"print": said.append, "drain": suite.drain}
        exec(compile(example, title_of(CONTRACT), "exec"), names)
        paid = httpx.post(said[-1], data={"amount_fen": names["pay"]["amount_fen"]}, timeout=30)
        suite.drain()
        order = names["api"].get(f"/v1/orders/{names['order']['order_id']}", headers=names["as_buyer"]).json()
        visitors = names["api"].get(f"/v1/cards/{names['card']['card']}/visitors", headers=names["as_guide"]).json()
        exec(compile(trouble, title_of(CONTRACT), "exec"), names)
        suite.drain()
        suite.tick(until=suite.clock.now() + timedelta(minutes=40))
        _, names["as_buyer"] = names["log_in"]("readme-buyer")  # the token has expired
        late = names["status_of"](names["silent"])
        refund = httpx.get(f"{suite.sandbox.url}/v1/refunds/{names['refund']['refund_id']}", timeout=30).json()
        names["control"]("refund-status", status="succeeded")
        exec(compile(parts, title_of(CONTRACT), "exec"), names)
        exec(compile(agreed, title_of(CONTRACT), "exec"), names)
        exec(compile(platforms, title_of(CONTRACT), "exec"), names)
        for block in paying:
            exec(compile(block, title_of(CONTRACT), "exec"), names)
        names["platforms"].close()
        names["sandbox"].close()
        names["api"].close()

        assert late == "paid"
        assert (refund["status"], refund["reason"]) == ("failed", "REFUSED")
        assert paid.status_code == 200
        assert order["status"] == "paid"
        assert order["amount_fen"] == 2 * 9_900
        assert visitors["views"] == 1
    assert len(set(said)) == 2
    assert suite.dead_letters() == {}


def test_every_control_of_the_sandbox_is_described() -> None:
    controls = {
        f'`POST /v1/{name} {{"status": "{status}"}}`' for name, statuses in STATUSES.items() for status in statuses
    }
    drawn_ways = {drawn("local")(SimpleNamespace(number=f"{number:032}")) for number in range(500)}  # type: ignore[arg-type]
    described = CONTRACT.read_text("utf-8")
    endpoints = set(re.findall(r"^\| `(?:GET|POST) (/v1/[a-z-]+)[^|]*\| (?!signed)", str(sandbox.__doc__), re.M))

    assert controls
    assert [control for control in sorted(controls) if control not in described] == []
    assert endpoints == {
        "/v1/pay", "/v1/payment-status", "/v1/refunds", "/v1/refund-status", "/v1/answers",
        "/v1/agreement-signatures", "/v1/agreement-terminations", "/v1/agreement-notices",
    }  # fmt: skip
    assert [endpoint for endpoint in sorted(endpoints) if endpoint not in described] == []
    ways = described.partition("| Drawn |")[2].partition("##")[0]
    assert set(re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \|", ways, re.M)) == {
        ("paid", "failed"), ("slow", ""), ("confirm", ""), ("lapse", ""),
    }  # fmt: skip
    assert drawn_ways == {"paid", "failed", "slow", "confirm", "lapse"}


def test_every_mode_of_the_login_platforms_is_described() -> None:
    described = CONTRACT.read_text("utf-8").partition("## Logging in on WeChat")[2].partition("## Rules")[0]
    missing = [
        mode for each in (Wechat, Alipay, Douyin, Baidu) for mode in each.modes_known if f"`{mode}`" not in described
    ]
    missing += [way for way in WAYS if way != "fine" and f"`{way}`" not in described]

    assert missing == []


@pytest.mark.engine
@pytest.mark.parametrize("form", ["json", "xml"])
def test_wechat_checks_the_address_of_its_pushes_and_sends_them(suite: Suite, form: str) -> None:
    assert suite.platforms is not None
    configure_platforms(suite)
    desk = suite.platforms.pushes
    (app_id, other), wrong = desk.apps, f"{suite.url}/v1/payments/wechat/pushes/wxother"
    desk.apps[app_id]["push"].update(format=form)
    url = desk.urls[app_id]
    desk.send(app_id, desk.event(EVENTS[-1], msg="请接入"))
    desk.send(app_id, desk.event(EVENTS[-1], msg="请接入"), "forged_message")
    desk.settle()

    assert (desk.check(app_id, url, fetch), desk.check(other, url, fetch), desk.check(app_id, wrong, fetch)) == (
        True, False, False,
    )  # fmt: skip
    said = [each for each in desk.notices.log[-2:] if each is not None]
    assert [(each.status, each.body == b"success") for each in said] == [(200, True), (401, False)]
    desk.notices.wait_for([])


# Both languages


@pytest.mark.parametrize("path", TWICE, ids=title_of)
def test_both_languages_show_the_same_code(path: Path) -> None:
    english, chinese = blocks(path), blocks(chinese_of(path))

    assert [language for language, _ in chinese] == [language for language, _ in english]
    for (_, ours), (_, theirs) in zip(english, chinese, strict=True):
        if commands(ours) and len(commands(ours)) > 1:  # lists of commands: explanations are translated
            assert re.findall(r"^make \w+", theirs, re.M) == re.findall(r"^make \w+", ours, re.M)
        else:
            assert theirs == ours


@pytest.mark.parametrize("path", TWICE, ids=title_of)
def test_both_languages_have_the_same_sections_tables_lists_and_links(path: Path) -> None:
    def structure(path: Path) -> list[str]:
        """Each heading's level, table row, list entry and emphasis, in order."""
        return re.findall(r"^(#+ |\|(?=[^-])|\|-|- |\*\*)", prose(path), re.M)

    def links(path: Path) -> list[str]:
        languages = {ENGLISH.name, chinese_of(ENGLISH).name}
        return sorted(link for link in _LINK.findall(prose(path)) if link not in languages)

    assert structure(chinese_of(path)) == structure(path)
    assert links(chinese_of(path)) == links(path)


@pytest.mark.parametrize("path", TWICE, ids=title_of)
def test_both_languages_name_the_same_settings_and_files(path: Path) -> None:
    def named(path: Path) -> set[str]:
        return set(re.findall(r"`([^`\n]+)`", prose(path)))

    assert named(chinese_of(path)) == named(path)


def test_the_posts_of_members_that_need_a_key_are_those_of_the_document() -> None:
    paths = json.loads((ROOT / "infra/contract/openapi.json").read_text("utf-8"))["paths"]
    needing = {
        path
        for path, methods in paths.items()
        if "IdempotencyKey" in json.dumps(methods.get("post", {}).get("parameters", []))
        and {"member": []} in methods["post"]["security"]
    }
    [sentence] = re.findall(r"^- Six POSTs.*?\. A repeat", prose(CONTRACT), re.M | re.S)

    assert set(re.findall(r"`(/v1/[^`]+)`", sentence)) == needing


# What they name


@pytest.mark.parametrize("path", DOCUMENTS, ids=title_of)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = [link.split("#")[0] for link in _LINK.findall(prose(path)) if not re.match(r"\w+:|#", link)]
    missing = [link for link in links if not (path.parent / link).exists()]

    assert missing == []


def test_the_readme_and_the_makefile_know_the_same_commands() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    [phony] = re.findall(r"^\.PHONY: (.+)$", makefile, re.M)
    listing = next(text for _, text in blocks(ENGLISH) if len(commands(text)) > 3)
    mentioned = set(re.findall(r"`make (\w+)", prose(ENGLISH)))

    assert commands(listing) == set(phony.split())
    assert set(re.findall(r"^#   make (\w+)", makefile, re.M)) == set(phony.split())
    assert mentioned <= set(phony.split())


def test_every_top_folder_introduces_itself() -> None:
    folders = [ROOT / name for name in ("functions", "layers", "infra", "events", "tests")]

    assert [folder.name for folder in folders if not (folder / "README.md").exists()] == []


def test_the_readme_is_short() -> None:
    for path in (ENGLISH, chinese_of(ENGLISH)):
        assert len(path.read_text("utf-8").splitlines()) < 180


def test_what_a_reader_of_the_package_is_sent_to_exists() -> None:
    text = (ROOT / "layers" / "README.md").read_text("utf-8")
    table = text.partition("## Where to look")[2].partition("## ")[0]
    sent_to = [name for name in re.findall(r"`([\w/.]+)`", table) if "/" in name]

    assert sent_to
    assert [name for name in sent_to if not (ROOT / "layers/cardstock/python/cardstock" / name).exists()] == []


def test_the_glossary_has_at_most_forty_words_each_once() -> None:
    text = (ROOT / "layers" / "README.md").read_text("utf-8")
    words = re.findall(r"^\| ([a-z -]+) \|", text.partition("## Glossary")[2], re.M)

    assert 20 < len(words) <= 40
    assert len(set(words)) == len(words)


def test_the_newest_version_in_the_changelog_is_the_one_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    listed = re.findall(r"^## \[(\d[\d.]*)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)

    assert listed[0] == version


def test_every_decision_has_a_date_and_a_reason() -> None:
    decisions = (ROOT / "infra" / "DECISIONS.md").read_text("utf-8").split("**What**")[1:]

    assert len(decisions) > 40
    assert [text for text in decisions if not re.match(r" \(\d{4}-\d\d-\d\d\): .+\n", text)] == []
    assert [text for text in decisions if text.count("\n**Why:** ") != 1] == []


def test_hooks_download_nothing() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]

    assert [repository["repo"] for repository in hooks] == ["local"]
    for hook in hooks[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


# Words


def lines_for_people() -> Iterator[tuple[Path, str]]:
    """Every line with words that a user may read: of documents, code, templates and pages."""
    files = [*DOCUMENTS, ROOT / "template.yaml"]
    for folder in ("functions", "layers", "infra"):
        files += [path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".yaml", ".json"}]
    for path in files:
        for line in path.read_text("utf-8").splitlines():
            yield path, line


def test_no_text_uses_the_vocabulary_of_pyramid_selling() -> None:
    words = {"直推奖", "见点奖", "报单奖", "躺赚"}
    lists = set()
    found = []
    for path, line in lines_for_people():
        if all(word in line for word in words):  # what is refused where an operator, or a model, writes it
            lists.add(path.name)
        elif any(word in line for word in words):
            found.append((title_of(path), line))

    assert set(PYRAMID_WORDS) == words
    assert lists == {"plan_check.py", "wording.py"}
    assert found == []
