"""The two recommendation functions, from their events to the tables and back."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from cardstock.edge import wiring as edge_wiring
from cardstock.ids import new_id
from cardstock.members.model import Account, Member
from cardstock.members.store import DynamoMembers
from cardstock.orders.model import Order, OrderLine, Receiver
from cardstock.orders.store import order_item
from cardstock.recommendations import wiring as recommendations_wiring
from cardstock.signing import ACCESS
from functions.recommendations.api import app as api
from functions.recommendations.nightly_learning import app as learning
from tests.house.cloud import ROOT, ROOT_KEY, Cloud, Context, http_event
from tests.people.arrivals import register
from tests.people.clock import TestClock
from tests.people.model_server import ModelServer

NOW = datetime(2026, 12, 1, 18, tzinfo=UTC)
EVENTS = ROOT / "events"


@pytest.fixture(autouse=True)
def six_o_clock(clock: TestClock) -> None:
    clock.move(hours=10)


def order(member_id: str, days_ago: int, *skus: str) -> None:
    at = NOW - timedelta(days=days_ago)
    lines = tuple(
        OrderLine(number, sku, f"Title {sku}", 1, 100, 100, "sup_1", False, True) for number, sku in enumerate(skus, 1)
    )
    placed = Order(
        order_id=new_id("ord", at),
        member_id=member_id,
        status="paid",
        lines=lines,
        amount_fen=100 * len(lines),
        receiver=Receiver("n", "p", "a"),
        attribution=None,
        snapshot={},
        placed_at=at,
        paid_at=at,
        channel="sandbox",
        transaction_no="t",
    )
    order_item(placed).save()


def agree(*members: str) -> None:
    for name in members:
        account = Account("dev", "wx1", name)
        register(DynamoMembers(), Member(name, account.name, NOW), account)


@pytest.fixture
def learnt(cloud: Cloud) -> Cloud:
    """A shop with a little history of members who agree, learnt by the schedule."""
    agree("mem_1", "mem_2", "mem_3", "mem_4")
    order("mem_1", 5, "22423", "tent")
    order("mem_1", 3, "22423")
    for number, member in enumerate(("mem_2", "mem_3", "mem_4")):
        order(member, 10 + number, "22423", "stand")
        order(member, 20 + number, "85123A", "candle")
    learning.handler(event("recommendations/nightly_learning/tick"), Context())
    return cloud


def event(name: str) -> dict[str, Any]:
    """A file of `events/`; its placeholder for a credential becomes a member's token."""
    token = edge_wiring.signer().sign(ACCESS, {"sub": "mem_1"}, lifetime=timedelta(hours=2))
    text = (EVENTS / f"{name}.json").read_text("utf-8").replace("ACCESS_TOKEN", token)
    return dict(json.loads(text))


def ask(query: dict[str, str] | None = None, member: str = "mem_1", **headers: str) -> tuple[int, Any]:
    token = edge_wiring.signer().sign(ACCESS, {"sub": member}, lifetime=timedelta(hours=2))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return answered(http_event("GET", "/v1/recommendations", query=query, token=token, headers=sent))


def answered(sent: dict[str, Any]) -> tuple[int, Any]:
    answer = api.handler(sent, Context())
    return answer["statusCode"], json.loads(answer["body"])


def test_a_member_is_answered_from_history_neighbours_and_popularity(learnt: Cloud) -> None:
    status, body = ask()

    assert status == 200
    assert [(item["sku"], item["reason"], item["because"]) for item in body["items"]] == [
        ("22423", "OWN_HISTORY", None),
        ("tent", "OWN_HISTORY", None),
        ("stand", "POPULAR", None),
        ("85123A", "POPULAR", None),
        ("candle", "POPULAR", None),
    ]
    assert body["ranked_by"] == "rules"
    assert body["learned_at"] == "2026-11-28T18:00:00.000Z"
    assert body["id"].startswith("rec_")


def test_texts_follow_the_language_of_the_request(learnt: Cloud) -> None:
    shown = {"for": "22423"}

    chinese, english = ask(shown)[1]["items"][0], ask(shown, Accept_Language="en-GB")[1]["items"][0]

    assert (chinese["sku"], chinese["text"]) == ("stand", "常与“Title 22423”一起购买")
    assert english["text"] == "Often bought together with “Title 22423”"


def test_a_newcomer_gets_what_is_popular(learnt: Cloud) -> None:
    status, body = ask(member="mem_new")

    assert status == 200
    assert {item["reason"] for item in body["items"]} == {"POPULAR"}


def test_before_the_first_learning_the_answer_is_empty(cloud: Cloud) -> None:
    status, body = ask()

    assert (status, body["items"], body["learned_at"]) == (200, [], None)


def test_a_full_basket_may_be_shown_and_none_of_it_is_recommended(learnt: Cloud) -> None:
    basket = ["22423", *(f"s{number}" for number in range(48)), "tent"]

    status, body = ask({"for": ",".join(basket)})

    assert status == 200
    assert not {item["sku"] for item in body["items"]} & set(basket)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "51"},
        {"limit": "ten"},
        {"limit": "1" * 5_000},
        {"limit": "1.5"},
        {"for": ",".join("s" for _ in range(51))},
        {"for": "a,,b"},
        {"for": ","},
        {"for": "x" * 65},
        {"scene": "casino"},
        {"for": "a\x00b"},
    ],
    ids=str,
)
def test_a_wrong_query_is_refused(learnt: Cloud, query: dict[str, str]) -> None:
    status, body = ask(query)

    assert (status, body["status"]) == (400, 400)


def test_any_text_may_be_shown_as_a_sku(learnt: Cloud) -> None:
    status, _ = ask({"for": "#,member#mem_2,popular,../..,商品,' OR 1=1"})

    assert status == 200


def test_nobody_reads_another_members_row_through_a_shown_sku(learnt: Cloud) -> None:
    _, plain = ask({"limit": "50"})
    _, prying = ask({"limit": "50", "for": "member#mem_2"})

    assert [item["score"] for item in plain["items"]] == [item["score"] for item in prying["items"]]


def test_keys_are_not_for_members_routes(learnt: Cloud) -> None:
    root, unknown = (
        answered(http_event("GET", "/v1/recommendations", token=key)) for key in (ROOT_KEY, "csk_unknown_secret")
    )

    assert (root[0], root[1]["code"]) == (403, "NOT_A_MEMBER")
    assert (unknown[0], unknown[1]["code"]) == (401, "KEY_INVALID")


def test_an_expired_token_is_refused(learnt: Cloud) -> None:
    token = edge_wiring.signer().sign(ACCESS, {"sub": "mem_1"}, lifetime=timedelta(seconds=-1))

    status, body = answered(http_event("GET", "/v1/recommendations", token=token))

    assert (status, body["code"]) == (401, "TOKEN_EXPIRED")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("basket_shown", 200),
        ("discover_in_english", 200),
        ("bad_limit", 400),
        ("unknown_parameter", 200),
        ("bad_no_credentials", 401),
    ],
)
def test_the_example_requests_do_as_their_names_say(learnt: Cloud, name: str, status: int) -> None:
    assert answered(event(f"recommendations/api/{name}"))[0] == status


def test_every_example_is_executed() -> None:
    assert {path.stem for path in (EVENTS / "recommendations/api").iterdir()} == {
        "basket_shown",
        "discover_in_english",
        "bad_limit",
        "unknown_parameter",
        "bad_no_credentials",
    }
    assert {path.stem for path in (EVENTS / "recommendations/nightly_learning").iterdir()} == {
        "tick",
        "bad_without_time_zone",
        "bad_unknown_field",
    }


def test_learning_again_after_nothing_was_bought_writes_nothing(learnt: Cloud) -> None:
    before = learnt.state()

    result = learning.handler(event("recommendations/nightly_learning/tick"), Context())

    assert learnt.state() == before
    assert result == {"rows": 0}


def test_an_early_or_late_tick_learns_what_is_known_now(learnt: Cloud) -> None:
    before = learnt.state()

    for moment in ("2010-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
        learning.handler({"scheduled_at": moment}, Context())

    assert learnt.state() == before


@pytest.mark.parametrize(
    ("name", "error"),
    [("bad_without_time_zone", ValueError), ("bad_unknown_field", msgspec.ValidationError)],
)
def test_a_malformed_tick_fails_and_writes_nothing(learnt: Cloud, name: str, error: type[Exception]) -> None:
    before = learnt.state()

    with pytest.raises(error):
        learning.handler(event(f"recommendations/nightly_learning/{name}"), Context())

    assert learnt.state() == before


def test_without_a_model_server_no_http_client_is_imported() -> None:
    program = "import sys; from functions.recommendations.api import app; print('httpx' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/cardstock/python'}"}

    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, cwd=ROOT
    )  # fmt: skip

    assert answer.stdout.decode().strip() == "False"


# --- with a model server on this machine ---


@pytest.fixture
def model_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A chat completions server in the settings; call it with what the model shall say."""
    server = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            given = {name.lower(): value for name, value in self.headers.items()}
            status, headers, body = server.answer("POST", self.path, given, raw)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("INFERENCE_BASE_URL", f"http://127.0.0.1:{http.server_address[1]}/v1")
    recommendations_wiring.language_model.cache_clear()
    yield partial(setattr, server, "content")
    gateway = recommendations_wiring.language_model()
    assert gateway is not None
    gateway.close()
    monkeypatch.undo()
    recommendations_wiring.language_model.cache_clear()
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.mark.engine
def test_a_model_orders_and_words_the_answer(learnt: Cloud, model_server: Callable[[str], None]) -> None:
    model_server('{"items":[{"sku":"tent","text":"Camp again"},{"sku":"gold","text":"Buy"}]}')

    _, body = ask(Accept_Language="en")

    assert body["ranked_by"] == "model"
    assert [item["sku"] for item in body["items"]] == ["tent", "22423", "stand", "85123A", "candle"]
    assert body["items"][0]["text"] == "Camp again"


@pytest.mark.engine
@pytest.mark.parametrize(
    "content", ["Sure, here you go!", '{"items":[{"sku":"tent","text":"see https://evil.example"}]}']
)
def test_a_model_that_talks_or_was_talked_into_something_is_passed_over(
    learnt: Cloud, model_server: Callable[[str], None], content: str
) -> None:
    model_server(content)

    status, body = ask()

    assert (status, body["ranked_by"]) == (200, "rules")
    assert [item["sku"] for item in body["items"]] == ["22423", "tent", "stand", "85123A", "candle"]
