"""The calls that the API reference prints work on what `make serve` seeds."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.contract.openapi import DOCUMENT
from infra.demo.demo import PARAMETERS
from infra.demo.deployment import PUBLIC, STAFF, start
from infra.demo.seeding import seed
from infra.demo.summary import export_lines
from infra.local.examples import curl, operations
from infra.local.suite import Suite
from tests.people.consents import login_body

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the printed calls use curl"),
]
CONTRACT = DOCUMENT.with_name("README.md")
SEEDED = {"sku", "product_id", "supplier_id", "source", "purpose"}
"""Names in paths whose examples are seeded. Those of other names are made by a call: an order, a card, a key."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    state = tmp_path_factory.mktemp("serve")
    with start(state_dir=state, background=True, platforms_port=0, parameters=PARAMETERS) as suite:
        seed(suite)
        yield suite


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(DOCUMENT.read_text("utf-8"))


@pytest.fixture(scope="module")
def notes(served: Suite) -> Any:
    return json.loads((served.state_dir / "seed.json").read_text("utf-8"))


def run(script: str, **variables: str) -> str:
    """What a shell prints. Fails if a command of the script does."""
    path = {"PATH": str(Path(shutil.which("curl") or "").parent) + ":/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=path | variables,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_first_calls_lead_to_a_paid_order(served: Suite, document: Any) -> None:
    lines = [call["lines"] for call in document["info"]["x-first-calls"]]
    script = "\n".join(lines).replace("{server}", served.urls[PUBLIC])
    printed = run(f"{script}\necho $ORDER $TOKEN").splitlines()
    pay_url, (order_id, token) = printed[-2], printed[-1].split()

    httpx.post(pay_url, data=dict(httpx.URL(pay_url).params), timeout=30).raise_for_status()
    deadline = time.monotonic() + 30
    status = ""
    while status != "paid" and time.monotonic() < deadline:
        headers = {"authorization": f"Bearer {token}"}
        status = httpx.get(f"{served.urls[PUBLIC]}/v1/orders/{order_id}", headers=headers, timeout=30).json()["status"]
        time.sleep(0.05)

    assert status == "paid"


def test_the_blocks_for_mini_programs_run_one_after_the_other_as_often_as_one_likes(served: Suite) -> None:
    """As a reader runs them: on what `make serve` has seeded, in one interpreter, with nothing in between."""
    assert served.platforms is not None
    ports = {8700: served.urls[PUBLIC], 8701: served.sandbox.url, 8703: served.platforms.url}
    text = CONTRACT.read_text("utf-8")
    for port, url in ports.items():
        text = text.replace(f'"http://127.0.0.1:{port}"', f'"{url}", timeout=30')
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    orders = []
    for _ in range(2):
        names: dict[str, Any] = {"print": lambda _: None}
        for number, block in enumerate(blocks, 1):
            exec(compile(block, f"block {number} of {CONTRACT.name}", "exec"), names)
        orders.append(names["order"]["order_id"])
        for client in ("api", "sandbox", "platforms"):
            names[client].close()

        assert len(names["offered"]["instalments"]) == 3  # so the block has paid in parts
    assert len(set(orders)) == 2


NEEDS_AN_ANSWER = {
    "placeOrder": "the token of a quote",
    "draftProduct": "an article that staff have not published",
    "getProductDraft": "a draft",
    "acceptDraft": "a draft",
    "refreshSession": "the refresh token of a session",
    "reportCardView": "the ticket of a card",
    "createKey": "the id of a person",
    "askWriteOff": "a member in debt",
    "openPayout": "a month that has ended, and a key with the scope",
    "reportSandboxPayment": "an order, and the signature of the channel",
    "reportWechatPayment": "an order, and the signature of WeChat Pay",
    "checkWechatAddress": "the signature of WeChat",
    "pushWechatEvent": "the signature of WeChat",
    "reportAlipayPayment": "an order, and the signature of Alipay",
    "reportDouyinPayment": "an order, and the signature of Douyin",
    "sendSupplierReport": "an order, and the inbox secret of seed.json",
    "bindInviter": "a newcomer",
    "changePhone": "a log-in code of the session's own account",
    "closeAccount": "an account that nobody needs any more",
    "mergeAccounts": "a code of the member's other account",
    "acceptInvitation": "an invitation of the staff",
    "listConfirmations": "a member who is linked with a person of the staff: `persons` in seed.json",
    "askStaffLogin": "a page of the console's own host",
    "collectStaffSession": "the cookie of a log-in",
    "getStaffSession": "a session of the console",
    "endStaffSession": "a session of the console",
    "endAllStaffSessions": "a session of the console",
    "putBankAccount": "a member whose identity was verified, under the holder's name",
    "listBankAccountChanges": "a key with the scope",
    "publishPlan": "approvals of every check that the plan fails",
}
"""Operations whose example cannot work without the answer of an earlier call."""


def test_the_printed_calls_that_need_no_earlier_answer_succeed(served: Suite, document: Any, notes: Any) -> None:
    log_in = login_body("copied-calls", app_id="wxdemo", phone_code="dev:+8613800138001")
    session = httpx.post(f"{served.urls[PUBLIC]}/v1/auth/sessions", json=log_in, timeout=30).raise_for_status().json()
    keys = {**notes["staff_keys"], "supplier": notes["supplier_keys"]["sup_lights"]}
    ran, failed = 0, []
    # What ends the session comes last: other calls ask whether it goes on.
    last = sorted(operations(document), key=lambda each: each[1] == "delete" and "sessions" in each[0])
    for path, method, operation in last:
        if set(re.findall(r"{(\w+)}", path)) - SEEDED or operation["operationId"] in NEEDS_AN_ANSWER:
            continue
        callers = [name for entry in operation["security"] for name in entry]
        server = served.urls[STAFF if callers == ["key", "session"] else PUBLIC]
        line = curl(document, server, method, path, operation).replace("curl ", "curl -s -w '\\n%{http_code}' ", 1)
        answers = []
        for key in keys.values() if "$KEY" in line else [""]:
            answers.append(run(line, TOKEN=session["access_token"], KEY=key))
            if re.search(r"^2\d\d\Z", answers[-1], re.M):
                break
        else:
            failed.append((operation["operationId"], answers))
        ran += 1

    assert {name: answers[-1][-400:] for name, answers in failed} == {}
    assert ran > 20


def test_seeded_products_are_found_with_typing_errors(served: Suite) -> None:
    """Through the stream, the pipe, the queue and the index."""
    deadline = time.monotonic() + 30
    found: dict[str, Any] = {}
    while not found.get("items") and time.monotonic() < deadline:
        query = {"q": "white hagning heart tlight"}
        found = httpx.get(f"{served.urls[PUBLIC]}/v1/search", params=query, timeout=30).raise_for_status().json()
        time.sleep(0.1)

    assert found["items"][0]["product_id"].startswith("85123A")
    assert found["items"][0]["in_stock"] is True


def test_two_seeded_persons_can_try_what_takes_two(served: Suite, notes: Any) -> None:
    needed = {"open_items:clear", "payouts:open", "bank_accounts:confirm", "bank_accounts:reveal"}
    able = [
        person["name"]
        for person in notes["persons"]
        if needed <= {scope for key in person["keys"] for scope in key["scopes"]}
    ]
    seen = [
        httpx.get(f"{served.urls[STAFF]}/v1/open-items", headers={"Authorization": f"Bearer {key}"}, timeout=30)
        for key in (notes["staff_keys"]["finance"], notes["staff_keys"]["compliance"])
    ]

    assert sorted(able) == ["Li Na", "Zhao Min"]
    assert [answer.status_code for answer in seen] == [200, 200]


def test_a_seeded_owner_logs_in_by_a_phone_of_the_development_platform(served: Suite, notes: Any) -> None:
    """Without the root key: a page, a member's token, and then the page again."""
    person = next(each for each in notes["persons"] if each["name"] == "Zhao Min")
    log_in = login_body(person["login"].removeprefix("dev:"), app_id="wxdemo")
    token = httpx.post(f"{served.urls[PUBLIC]}/v1/auth/sessions", json=log_in, timeout=30).json()["access_token"]
    phone = {"Authorization": f"Bearer {token}"}
    headers = {"Origin": served.urls[STAFF]}

    def page(method: str, path: str, body: Any = None) -> httpx.Response:
        return httpx.request(method, f"{served.urls[STAFF]}{path}", json=body, headers=headers, timeout=30)

    asked = page("POST", "/v1/staff-logins", {"person_id": person["person_id"]})
    headers["Cookie"] = asked.headers["set-cookie"].partition(";")[0]
    (shown,) = httpx.get(f"{served.urls[PUBLIC]}/v1/me/staff-logins", headers=phone, timeout=30).json()["items"]
    early = page("POST", "/v1/staff-sessions", {})
    httpx.put(
        f"{served.urls[PUBLIC]}/v1/me/staff-logins/{shown['login_id']}", headers=phone, timeout=30,
        json={"digits": asked.json()["digits"]},
    ).raise_for_status()  # fmt: skip
    collected = page("POST", "/v1/staff-sessions", {})
    session, over, known = collected.headers.get_list("set-cookie")
    headers["Cookie"] = session.partition(";")[0]
    who, staff = page("GET", "/v1/staff-sessions/current").json(), page("GET", "/v1/staff").json()["items"]
    public = httpx.get(f"{served.urls[PUBLIC]}/v1/tax/quarters", headers={"Cookie": headers["Cookie"]}, timeout=30)
    record = page("GET", "/v1/staff-actions?limit=100").json()["items"]

    assert (early.json(), collected.json()) == ({"state": "waiting"}, {"state": "logged_in"})
    assert session.startswith("__Host-staff=")
    assert over.startswith("__Host-staff-login=;")
    assert known.startswith("__Host-staff-browser=")
    assert (who["name"], {each["name"] for each in staff}) == ("Zhao Min", {"Li Na", "Wang Fang", "Zhao Min"})
    assert {each["name"]: each["roles"] for each in staff}["Wang Fang"] == ["operator", "service"]
    assert "Not Found" in public.text or public.status_code == 401
    assert {"PUT /v1/staff/{person_id}/roles", "POST /v1/partners/keys"} <= {each["call"] for each in record}


def test_the_printed_export_lines_let_a_command_act_as_a_person(served: Suite) -> None:
    exports = [line[15:] for line in export_lines(served.urls[STAFF], served.state_dir)]
    preview = ".venv/bin/python -m infra.commands.cli payout preview --json"

    assert len(exports) == 2
    assert json.loads(run("\n".join([*exports, preview])))["listed"] >= 0


def test_what_is_seeded_is_listed_with_its_persons_and_scopes(notes: Any) -> None:
    scopes = {scope for person in notes["persons"] for key in person["keys"] for scope in key["scopes"]}

    assert all(re.fullmatch(r"stf_[0-9a-z]{26}", person["person_id"]) for person in notes["persons"])
    assert {"catalog:write", "payouts:approve"} <= scopes
    assert "85123A" in notes["skus"]
    assert "sup_lights" in notes["supplier_inbox_secrets"]


def test_a_route_of_the_other_api_is_named_with_its_address(served: Suite) -> None:
    answer = httpx.get(f"{served.urls[PUBLIC]}/v1/payouts", timeout=30)
    unknown = httpx.get(f"{served.urls[PUBLIC]}/v1/nothing", timeout=30)

    assert answer.status_code == unknown.status_code == 404
    assert answer.json() == {"message": "Not Found", "hint": f"GET /v1/payouts is served at {served.urls[STAFF]}"}
    assert unknown.json() == {"message": "Not Found"}


def test_the_page_of_what_runs_names_functions_by_area_and_groups_what_is_left_out(served: Suite) -> None:
    page = httpx.get(f"{served.urls[PUBLIC]}/", timeout=30).text
    alarms = {entry.reason for entry in served.template.skipped if entry.type == "AWS::CloudWatch::Alarm"}

    assert "<code>orders/api</code>" in page
    assert '<td data-head="函数"><code>orders/api</code>' in page
    assert '<td data-head="函数"><code>api</code>' not in page
    assert page.count("<code>AWS::CloudWatch::Alarm</code>") == len(alarms) > 0
