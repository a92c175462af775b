"""The ledger's nights: sealing, proofs and the audit, through their handlers and commands, on a shop that sells."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities import parameters
from typer.testing import CliRunner

from cardstock.aws import files as s3
from cardstock.aws.tables import Transaction
from cardstock.edge import schedule
from cardstock.edge import wiring as edge_wiring
from cardstock.flows import wiring as flows_wiring
from cardstock.ledger import merkle
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.payout_steps import claimed
from cardstock.ledger.store import post
from cardstock.network import wiring as network_wiring
from cardstock.signing import ACCESS
from functions.ledger.nightly_audit import app as nightly_audit
from functions.ledger.nightly_seal import app as nightly_seal
from functions.ledger.on_entry import app as on_ledger_entry
from functions.ledger.proofs_api import app as proofs_api
from infra.commands.cli import app as cli
from tests.house.cloud import ROOT, ROOT_KEY, Context, http_event, queue_event
from tests.house.payloads import function_of
from tests.people.shop import Shop
from tests.people.staff import staff_key
from tests.people.trade import line


def tell(shop: Shop) -> list[dict[str, Any]]:
    """The ledger's stream reaches its consumer."""
    records = shop.trade.take("ledger")
    if records:
        answer = on_ledger_entry.handler(queue_event("ledger-events", *records), Context())
        assert answer["batchItemFailures"] == []
    return records


def night(shop: Shop, remaining_ms: int = 900_000) -> dict[str, Any]:
    """The next night comes, and its tick."""
    shop.clock.move(days=1)
    tick = {"scheduled_at": shop.clock.now().isoformat()}
    return nightly_seal.handler(tick, Context(remaining_ms=remaining_ms))


@pytest.fixture
def sold(shop: Shop) -> Iterator[Shop]:
    """R, a partner, and A, whom R brought, and B by A, bought; one of B's units came back. Two nights have sealed it;
    what A bought again since is not sealed."""
    s3.forget_client()
    shop.trade.appoint("mem_r")
    shop.trade.member("mem_a", "mem_r")
    shop.trade.member("mem_b", "mem_a")
    shop.orders["first"] = shop.trade.buy("mem_a")
    shop.trade.settle_down()
    tell(shop)
    assert night(shop) == {"seals": 1, "transactions": 1, "finished": True}
    shop.orders["second"] = shop.trade.buy("mem_b", line(1, units=2))
    shop.trade.settle_down()
    shop.trade.refund(shop.orders["second"], sku1=1)
    shop.trade.settle_down()
    tell(shop)
    assert night(shop) == {"seals": 1, "transactions": 2, "finished": True}
    shop.orders["new"] = shop.trade.buy("mem_a", line(1))
    shop.trade.settle_down()
    tell(shop)
    yield shop
    s3.forget_client()


def token(member_id: str) -> str:
    return edge_wiring.signer().sign(ACCESS, {"sub": member_id}, lifetime=timedelta(hours=2))


def call(path: str, **options: Any) -> tuple[int, Any]:
    answer = proofs_api.handler(http_event("GET", path, **options), Context())
    return answer["statusCode"], json.loads(answer["body"])


# Seals


def test_the_same_night_again_changes_nothing(sold: Shop) -> None:
    sold.clock.move(days=1)
    nightly_seal.handler({"scheduled_at": sold.clock.now().isoformat()}, Context(remaining_ms=900_000))
    before = sold.cloud.state(), objects(sold)

    for _ in range(2):
        again = nightly_seal.handler({"scheduled_at": sold.clock.now().isoformat()}, Context(remaining_ms=900_000))
        assert again == {"seals": 0, "transactions": 0, "finished": True}
    assert (sold.cloud.state(), objects(sold)) == before


def objects(shop: Shop) -> dict[str, bytes]:
    listed = shop.cloud.s3.list_objects_v2(Bucket="reports").get("Contents", [])
    return {item["Key"]: shop.cloud.s3.get_object(Bucket="reports", Key=item["Key"])["Body"].read() for item in listed}


def test_a_message_that_comes_again_after_its_seal_seals_nothing(sold: Shop) -> None:
    night(sold)
    sold.trade.retell("ledger")
    records = tell(sold)

    again = night(sold)

    assert len(records) == 4
    assert again == {"seals": 0, "transactions": 0, "finished": True}
    assert [item for item in sold.cloud.items("statements") if item["pk"]["S"].startswith("unsealed#")] == []


def test_without_time_left_nothing_is_begun(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert night(sold, remaining_ms=59_000) == {"seals": 0, "transactions": 0, "finished": False}
    assert '"SealUnfinished":[1.0]' in capsys.readouterr().out
    assert night(sold)["transactions"] == 1


def test_seals_are_listed_for_everybody_by_pages_newest_first(sold: Shop) -> None:
    status, first = call("/v1/ledger/seals", query={"limit": "1"})
    _, second = call("/v1/ledger/seals", query={"limit": "1", "cursor": first["next_cursor"]})
    _, both = call("/v1/ledger/seals")
    _, after_the_end = call("/v1/ledger/seals", query={"limit": "2"})

    newest, oldest = first["items"][0], second["items"][0]
    assert status == 200
    assert both == {"items": [newest, oldest], "next_cursor": None}
    assert after_the_end["items"] == both["items"]
    assert (newest["number"], newest["count"], newest["tree_size"]) == (2, 2, 3)
    assert (oldest["number"], oldest["previous"], newest["previous"]) == (1, "0" * 64, oldest["root"])
    for seal in both["items"]:
        link = merkle.leaf_hash(merkle.link_content(seal))
        path = [bytes.fromhex(entry) for entry in seal["link_path"]]
        assert merkle.root_from(link, 0, seal["tree_size"], path).hex() == seal["root"]


# Proofs


def test_everybody_with_money_in_an_entry_gets_a_proof_that_holds_offline(sold: Shop) -> None:
    roots = {seal["number"]: seal["root"] for seal in call("/v1/ledger/seals")[1]["items"]}
    for member_id, entries in (("mem_r", 3), ("mem_a", 2)):
        lines, _ = ledger_wiring.statements().lines_of_member(member_id, since=None, until=None, after=None, limit=20)
        sealed = [entry for entry in lines if entry.order_id != sold.orders["new"]]
        assert len(sealed) == entries
        for entry in sealed:
            status, proof = call(f"/v1/ledger/proofs/{entry.transaction_id}", token=token(member_id))

            assert status == 200
            assert merkle.check_proof(proof, roots[proof["seal"]["number"]]) == []
            transaction = json.loads(proof["transaction"])
            own = {account: amount for account, amount, _ in transaction["postings"] if member_id in account}
            assert own == {f"member:{member_id}:{pocket}": amount for pocket, amount in entry.change.items()}


@pytest.mark.parametrize(
    ("name", "member_id", "expected"),
    [("first", "mem_a", 404), ("first", "mem_x", 404), ("none", "mem_r", 404), ("new", "mem_r", 409)],
)
def test_others_entries_are_not_found_and_new_ones_are_not_sealed(
    name: str, member_id: str, expected: int, sold: Shop
) -> None:
    entry = f"accrue.{sold.orders.get(name, 'ord_none')}"

    status, problem = call(f"/v1/ledger/proofs/{entry}", token=token(member_id))

    assert (status, problem["code"]) == (expected, {404: "NOT_FOUND", 409: "NOT_SEALED_YET"}[expected])


def test_a_key_is_no_member_whoever_holds_it(sold: Shop) -> None:
    key = staff_key("Li Na", "payouts:read")

    for caller in (key, ROOT_KEY):
        status, problem = call(f"/v1/ledger/proofs/accrue.{sold.orders['first']}", token=caller)
        assert (status, problem["code"]) == (403, "NOT_A_MEMBER")


def test_a_cold_function_fetches_its_secrets_itself(sold: Shop) -> None:
    path = f"/v1/ledger/proofs/accrue.{sold.orders['first']}"
    member = token("mem_r")
    statuses = []
    for caller in (member, ROOT_KEY):
        parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools leaves it so
        statuses.append(call(path, token=caller)[0])

    assert statuses == [200, 403]


def test_a_cursor_of_another_list_is_refused(sold: Shop) -> None:
    foreign = edge_wiring.signer().sign("cursor:plans", {"after": "2"})

    assert call("/v1/ledger/seals", query={"cursor": foreign})[0] == 400


# Commands


def run(*arguments: str, **options: Any) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["ledger", *arguments], **options)
    return done.exit_code, done.stdout


def test_a_proof_is_written_and_verified_by_the_file_alone(sold: Shop, tmp_path: Path) -> None:
    status, text = run("proof", f"accrue.{sold.orders['second']}", "--member", "mem_a")
    _, listed = run("seals", "--json")
    root = json.loads(listed)[1]["root"]
    file = tmp_path / "proof.json"
    file.write_text(text, "utf-8")
    forged = tmp_path / "forged.json"
    forged.write_text(text.replace("20000", "90000"), "utf-8")
    nothing = dict.fromkeys(("LEDGER_TABLE", "STATEMENTS_TABLE", "REPORTS_BUCKET", "AWS_DEFAULT_REGION"))

    assert status == 0
    assert run("verify-proof", str(file), "--root", root, env=nothing)[0] == 0
    agreed, said = run("verify-proof", str(file), env=nothing)
    assert (agreed, "compare it with the published one" in said) == (0, True)
    other, told = run("verify-proof", str(file), "--root", "ab" * 32, "--json")
    assert (other, json.loads(told)["verified"], json.loads(told)["seal"]) == (1, False, 2)
    assert run("verify-proof", str(forged))[0] == 1
    assert run("verify-proof", str(tmp_path / "absent.json"))[0] == 1
    (tmp_path / "list.json").write_text("[]", "utf-8")
    assert run("verify-proof", str(tmp_path / "list.json"))[0] == 1


def test_a_proof_of_nobodys_entry_is_refused(sold: Shop) -> None:
    assert run("proof", "accrue.ord_none", "--member", "mem_a")[0] == 1


def test_people_can_read_the_seals(sold: Shop) -> None:
    status, text = run("seals", env={"COLUMNS": "160"})

    assert status == 0
    assert json.loads(run("seals", "--json")[1])[0]["root"] in text


# The audit


def verify() -> tuple[int, set[tuple[str, str]]]:
    status, text = run("verify", "--json")
    return status, {(finding["item"], finding["check"]) for finding in json.loads(text)["findings"]}


def edit(shop: Shop, transaction_id: str, change: Callable[[dict[str, Any]], object] | None) -> None:
    """What nobody has the right to do; `None` deletes."""
    key = {"pk": {"S": transaction_id}}
    item = shop.cloud.dynamodb.get_item(TableName="ledger", Key=key)["Item"]
    shop.cloud.dynamodb.delete_item(TableName="ledger", Key=key)
    if change is not None:
        change(item)
        shop.cloud.dynamodb.put_item(TableName="ledger", Item=item)


def test_a_sealed_shop_verifies(sold: Shop) -> None:
    status, text = run("verify", "--json")

    assert (status, json.loads(text)["seals"], json.loads(text)["findings"]) == (0, 2, [])


def test_a_changed_amount_is_named_by_its_seal(sold: Shop) -> None:
    entry = f"accrue.{sold.orders['second']}"
    edit(sold, entry, lambda item: item["postings"].update(S=item["postings"]["S"].replace("40000", "40001")))

    status, found = verify()

    assert status == 1
    assert (f"ledger/{entry}", "changed") in found
    assert {item for item, check in found if check == "changed"} == {f"ledger/{entry}"}


def test_what_no_sum_betrays_is_named_by_its_seal_alone(sold: Shop) -> None:
    entry = f"accrue.{sold.orders['first']}"
    edit(sold, entry, lambda item: item["at"].update(N=str(int(item["at"]["N"]) - 86_400_000)))

    assert verify() == (1, {(f"ledger/{entry}", "changed")})


def test_a_deleted_entry_is_named_by_its_seal_even_if_every_trace_of_its_cause_is_gone(sold: Shop) -> None:
    claim = claimed("n1", "mem_r", 5, sold.clock.now())
    with Transaction() as transaction:
        post(transaction, claim)
    tell(sold)
    night(sold)
    edit(sold, "claim.n1", None)
    sold.cloud.dynamodb.update_item(
        TableName="balances",
        Key={"pk": {"S": "mem_r"}},
        UpdateExpression="ADD available :back, paying :gone",
        ExpressionAttributeValues={":back": {"N": "5"}, ":gone": {"N": "-5"}},
    )

    assert verify() == (1, {("ledger/claim.n1", "missing")})


def test_two_swapped_entries_are_named_by_their_seals(sold: Shop) -> None:
    one, other = (f"accrue.{sold.orders[name]}" for name in ("first", "second"))
    items = {item["pk"]["S"]: item for item in sold.cloud.items("ledger")}
    for key, source in ((one, other), (other, one)):
        sold.cloud.dynamodb.put_item(TableName="ledger", Item={**items[source], "pk": {"S": key}})

    _, found = verify()

    assert {item for item, check in found if check == "changed"} == {f"ledger/{one}", f"ledger/{other}"}


def test_a_changed_seal_and_one_that_is_gone_are_named(sold: Shop) -> None:
    content = objects(sold)["seals/00000002.json"]
    sold.cloud.s3.put_object(
        Bucket="reports", Key="seals/00000002.json", Body=content.replace(b'"count":2', b'"count":3')
    )
    changed = verify()
    sold.cloud.s3.put_object(Bucket="reports", Key="seals/00000002.json", Body=b"[")
    unreadable = verify()
    sold.cloud.s3.delete_object(Bucket="reports", Key="seals/00000002.json")

    assert changed == (1, {("seals/2", "wrong_seal")})
    assert unreadable == (1, {("seals/2", "missing")})
    assert verify() == (1, {("seals/2", "missing")})


# The nightly audit


def audit(shop: Shop, pause: Callable[[float], None] | None = None, remaining_ms: int = 900_000) -> dict[str, Any]:
    waits = pause or (lambda _: None)
    for factory in (network_wiring.plans, flows_wiring.rules):
        factory.cache_clear()  # a night starts cold
    handler = schedule.ticked(partial(nightly_audit.run, pause=waits))
    return handler({"scheduled_at": shop.clock.now().isoformat()}, Context(remaining_ms=remaining_ms))


def test_a_night_without_findings_says_so(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(sold) == {"transactions": 4, "seals": 2, "findings": 0}
    assert '"LedgerImbalance":[0.0]' in capsys.readouterr().out


def test_what_does_not_close_sounds_the_alarm(
    sold: Shop, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    entry = f"accrue.{sold.orders['first']}"
    edit(sold, entry, lambda item: item["postings"].update(S=item["postings"]["S"].replace("-30000", "-29999")))

    answer = audit(sold)

    assert answer["findings"] == 2
    assert '"LedgerImbalance":[2.0]' in capsys.readouterr().out
    named = {(vars(record)["item"], vars(record)["check"]) for record in caplog.records}
    assert named == {(f"ledger/{entry}", "unbalanced"), (f"ledger/{entry}", "changed")}


def test_a_step_on_its_way_is_no_finding(sold: Shop) -> None:
    order_id = sold.trade.buy("mem_a")
    waits: list[float] = []

    def message_arrives(seconds: float) -> None:
        waits.append(seconds)
        other = threading.Thread(target=sold.trade.settle_down)  # another function, with rights of its own
        other.start()
        other.join()

    answer = audit(sold, message_arrives)

    assert verify()[0] == 0
    assert (answer["findings"], waits) == (0, [60])
    assert ledger_wiring.books().find_transaction(f"accrue.{order_id}") is not None


def test_an_audit_without_time_is_an_error_and_no_all_clear(sold: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(schedule.UnfinishedError):
        audit(sold, remaining_ms=9_000)
    assert "LedgerImbalance" not in capsys.readouterr().out


# The payloads that are kept


REFUSED = {
    "bad_unknown_entry": (404, "NOT_FOUND"),
    "bad_entry_of_others": (404, "NOT_FOUND"),
    "bad_not_sealed_yet": (409, "NOT_SEALED_YET"),
    "bad_no_credentials": (401, "CREDENTIALS_MISSING"),
    "bad_cursor": (400, "CURSOR_INVALID"),
}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "events" / "ledger/proofs_api").glob("*.json")), ids=lambda path: path.stem
)
def test_a_kept_request_is_answered(path: Path, sold: Shop) -> None:
    text = path.read_text("utf-8").replace("ACCESS_TOKEN", token("mem_a"))
    for name, order in (("OTHER_ORDER_ID", "first"), ("NEW_ORDER_ID", "newer"), ("ORDER_ID", "second")):
        text = text.replace(name, sold.orders[order] if order in sold.orders else newer(sold))

    answer = proofs_api.handler(json.loads(text), Context())

    if path.stem.startswith("bad_"):
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == REFUSED[path.stem]
    else:
        assert answer["statusCode"] == 200


def newer(shop: Shop) -> str:
    """An order that A was credited for, and that no night has sealed."""
    order_id = shop.trade.buy("mem_b", line(1))
    shop.trade.settle_down()
    return order_id


TICKS = [
    pytest.param(app, path, id=f"{function_of(path)}/{path.stem}")
    for name, app in (("ledger/nightly_seal", nightly_seal), ("ledger/nightly_audit", nightly_audit))
    for path in sorted((ROOT / "events" / name).glob("*.json"))
]


@pytest.mark.parametrize(("app", "path"), TICKS)
def test_a_kept_tick_runs_or_is_refused(app: Any, path: Path, sold: Shop) -> None:
    event = json.loads(path.read_text("utf-8"))
    if path.stem.startswith("bad_"):
        with pytest.raises(ValueError, match=r".+"):
            app.handler(event, Context(remaining_ms=900_000))
    else:
        answer = app.handler(event, Context(remaining_ms=900_000))
        assert answer.get("finished", True)
        assert answer.get("findings", 0) == 0
