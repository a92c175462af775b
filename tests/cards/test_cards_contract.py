"""What every store of cards and radars guarantees: the one in DynamoDB and the one in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import convert
from msgspec.structs import replace

from cardstock import environment
from cardstock.aws.queues import Queue, forget_client
from cardstock.cards.events import CardViewed
from cardstock.cards.model import RING, Card, Face, Radar, Share, View
from cardstock.cards.ports import Cards, Radars, Views, Visitors
from cardstock.cards.store import DynamoCards, DynamoRadars
from cardstock.cards.views_queue import ViewsQueue
from cardstock.errors import RefusedError
from cardstock.ids import RequestKey, new_id
from cardstock.members.consent_model import FIRST, Consent
from cardstock.members.consents import CardVisitors
from cardstock.members.item_store import member_item
from cardstock.members.model import Member
from cardstock.members.store import DynamoMembers
from tests.house.cloud import Cloud
from tests.people.memory_cards import MemoryCards, MemoryRadars, MemoryViews, MemoryVisitors

CONTRACT = {
    Cards: (MemoryCards, DynamoCards),
    Radars: (MemoryRadars, DynamoRadars),
    Views: (MemoryViews, ViewsQueue),
    Visitors: (MemoryVisitors, CardVisitors),
}

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
OWNER = new_id("mem", NOW)
KEY = "k7m2p9xw4tab"
STORES = ["memory", "dynamodb"]


def card(key: str = KEY, **faces: Face) -> Card:
    return Card(key, OWNER, {"default": Face("Lin", tags=("a",), shelf=("1", "2")), **faces}, 1, NOW, NOW)


def share(key: str = "k7m2p9xw4t", audience: str = "vip") -> Share:
    return Share(key, KEY, OWNER, audience, "door", NOW)


def asked(name: str, fingerprint: str = "f") -> RequestKey:
    return RequestKey(f"req_{name}", fingerprint)


@pytest.fixture(params=STORES)
def cards(request: pytest.FixtureRequest) -> Cards:
    if request.param == "memory":
        return MemoryCards()
    request.getfixturevalue("cloud")
    return DynamoCards()


@pytest.fixture(params=STORES)
def radars(request: pytest.FixtureRequest) -> Radars:
    if request.param == "memory":
        return MemoryRadars()
    request.getfixturevalue("cloud")
    return DynamoRadars()


def test_a_card_comes_back_as_it_was_stored(cards: Cards) -> None:
    made = card(vip=Face("Lin", intro="a\nb", website="https://example.com"))

    assert cards.add_card(made, asked("1")) is None
    assert cards.find_card(made.key) == made
    assert cards.find_card("unknown") is None


def test_a_share_comes_back_as_it_was_stored(cards: Cards) -> None:
    assert cards.add_share(share(), asked("1")) is None
    assert cards.find_share("k7m2p9xw4t") == share()
    assert cards.find_share("unknown234") is None


def test_the_same_request_makes_one_card_and_another_body_is_refused(cards: Cards) -> None:
    cards.add_card(card(), asked("1"))

    assert cards.add_card(card("k7m2p9xw4tac"), asked("1")) == KEY
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        cards.add_card(card("k7m2p9xw4tac"), asked("1", "other"))
    assert cards.find_card("k7m2p9xw4tac") is None


def test_the_same_request_makes_one_share_and_another_body_is_refused(cards: Cards) -> None:
    cards.add_share(share(), asked("1"))

    assert cards.add_share(share("k7m2p9xw5t"), asked("1")) == "k7m2p9xw4t"
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        cards.add_share(share("k7m2p9xw5t"), asked("1", "other"))
    assert cards.find_share("k7m2p9xw5t") is None


def test_the_repeat_of_a_write_whose_answer_was_lost_is_the_same_write(cards: Cards) -> None:
    assert [cards.add_card(card(), asked("1")) for _ in range(2)] == [None, None]
    assert [cards.add_share(share(), asked("2")) for _ in range(2)] == [None, None]


def test_a_card_is_replaced_only_at_the_revision_that_was_read(cards: Cards) -> None:
    cards.add_card(card(), asked("1"))
    second = replace(card(), revision=2, faces={"default": Face("Second")})

    assert cards.replace_card(second, 1) is True
    assert cards.replace_card(replace(second, faces={"default": Face("Rival")}), 1) is False
    assert cards.find_card(KEY) == second


def test_a_member_s_cards_come_in_pages(cards: Cards) -> None:
    keys = [f"k7m2p9xw4ta{letter}" for letter in "abcde"]
    for number, key in enumerate(keys):
        cards.add_card(card(key), asked(str(number)))
    first, after_first = cards.cards_of_member(OWNER, 2, None)
    second, after_second = cards.cards_of_member(OWNER, 2, after_first)
    third, end = cards.cards_of_member(OWNER, 2, after_second)

    assert [one.key for one in (*first, *second, *third)] == keys
    assert (len(first), len(second), end) == (2, 2, None)
    assert cards.cards_of_member("mem_other", 2, None) == ([], None)


def test_a_member_s_shares_come_in_pages_and_no_card_is_among_them(cards: Cards) -> None:
    cards.add_card(card(), asked("card"))
    keys = [f"m3n8r5t2w{letter}" for letter in "abcde"]
    for number, key in enumerate(keys):
        cards.add_share(replace(share(), key=key), asked(str(number)))
    first, after_first = cards.shares_of_member(OWNER, 2, None)
    second, after_second = cards.shares_of_member(OWNER, 2, after_first)
    third, end = cards.shares_of_member(OWNER, 2, after_second)

    assert [one.key for one in (*first, *second, *third)] == keys
    assert (len(first), len(second), end) == (2, 2, None)
    assert first[0] == replace(share(), key=keys[0])
    assert cards.shares_of_member("mem_other", 2, None) == ([], None)


def test_only_cards_are_in_the_list_of_cards(cards: Cards) -> None:
    cards.add_card(card(), asked("1"))
    cards.add_share(share(audience="default"), asked("2"))

    assert cards.cards_of_member(OWNER, 20, None) == ([card()], None)


def full_radar() -> Radar:
    radar = Radar(KEY, 1, views=10**9, by_members=10**9, seconds=10**12)
    for number in range(RING + 5):
        at = NOW + timedelta(seconds=number)
        radar = radar.with_view(View(f"v{number}", KEY, "", new_id("mem", at), f"scene_{number}", 3600, at))
    return radar


@pytest.mark.parametrize(
    "radar", [Radar(KEY, 1).with_view(View("v", "", "", "", "", None, NOW)), full_radar()], ids=["one view", "full"]
)
def test_a_radar_comes_back_as_it_was_stored(radars: Radars, radar: Radar) -> None:
    assert radars.store_radar(radar) is True
    assert radars.radars_of([radar.card, "unknown"]) == {radar.card: radar, "unknown": Radar("unknown")}


def test_a_radar_is_stored_only_on_the_revision_that_was_read(radars: Radars) -> None:
    first = Radar(KEY, 1, last_at=NOW)

    assert radars.store_radar(first) is True
    assert radars.store_radar(first) is False
    assert radars.store_radar(replace(first, revision=3)) is False
    assert radars.store_radar(replace(first, revision=2)) is True


@pytest.fixture(params=["memory", "queue"])
def views(request: pytest.FixtureRequest) -> tuple[Views, Callable[[], list[View]]]:
    """The port, and what is waiting to be counted."""
    if request.param == "memory":
        memory = MemoryViews()
        return memory, lambda: memory.reported
    cloud: Cloud = request.getfixturevalue("cloud")
    forget_client()
    url = environment.text("CARD_VIEWS_QUEUE_URL")
    return ViewsQueue(Queue(url)), lambda: [convert(body, CardViewed).to_view(NOW) for body in cloud.messages(url)]


def test_a_reported_view_waits_whole_to_be_counted(views: tuple[Views, Callable[[], list[View]]]) -> None:
    port, waiting = views
    whole = View("v7m2p9xw4tab", KEY, "k7m2p9xw4t", OWNER, "door", 12, NOW - timedelta(milliseconds=1))
    bare = View("v7m2p9xw4tac", KEY, "", "", "", None, NOW)
    for view in (whole, bare):
        port.report_view(view)

    assert sorted(waiting(), key=lambda view: view.id) == [whole, bare]


@pytest.fixture(params=STORES)
def visitors(request: pytest.FixtureRequest) -> Visitors:
    """Anna and Bert, who has no nickname, agree to be seen. Carla was erased, Dora withdrew, Emil said nothing, and
    Fritz agreed to an older text."""
    if request.param == "memory":
        return MemoryVisitors(mem_a="Anna", mem_b="")
    request.getfixturevalue("cloud")
    yes, no = Consent(2, granted=True, at=NOW), Consent(2, granted=False, at=NOW)
    said = {"mem_a": yes, "mem_b": yes, "mem_c": yes, "mem_d": no, "mem_e": None, "mem_f": replace(yes, version=1)}
    for name, nickname in zip(said, ("Anna", "", "Carla", "Dora", "Emil", "Fritz"), strict=True):
        consent = said[name]
        made = Member(name, f"dev:app:{name}", NOW, nickname=nickname)
        made = replace(made, consents={} if consent is None else {"card_visits": consent})
        member_item(replace(made, erased_at=NOW, state="erased") if name == "mem_c" else made).save()
    return CardVisitors(DynamoMembers(), {**FIRST, "card_visits": 2})


def test_only_members_who_agree_are_shown(visitors: Visitors) -> None:
    asked_for = [f"mem_{letter}" for letter in "abcdef"] + ["mem_nobody", "mem_a"]

    assert visitors.names_of(asked_for) == {"mem_a": "Anna", "mem_b": ""}
    assert visitors.names_of([]) == {}
