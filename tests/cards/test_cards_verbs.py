"""What members and visitors do with cards, in memory."""

import pytest
from msgspec.structs import replace

from cardstock.cards.editing import create_card, find_own_card, update_card
from cardstock.cards.model import Card, Face, OpenedCard, Radar, View
from cardstock.cards.radar import radar_of_own_card
from cardstock.cards.sharing import owner_of_key, share_card
from cardstock.cards.viewing import open_card, report_view
from cardstock.errors import ConflictError, InvalidError, NotFoundError
from cardstock.ids import RequestKey
from tests.people.clock import START, TestClock
from tests.people.memory_cards import MemoryCards, MemoryRadars, MemoryViews, MemoryVisitors

OWNER, VISITOR = "mem_owner", "mem_visitor"
FACES = {"default": Face("Lin"), "vip": Face("Lin for VIPs")}


def asked(name: str) -> RequestKey:
    return RequestKey(f"req_{name}", "f")


def view(visitor: str = "") -> View:
    return View("view000001", "k7m2p9xw4tab", "", visitor, "", None, START)


@pytest.fixture
def cards(clock: TestClock) -> MemoryCards:
    return MemoryCards()


@pytest.fixture
def card(cards: MemoryCards) -> Card:
    made, _ = create_card(OWNER, FACES, asked("card"), cards=cards)
    return made


def test_a_repeated_request_answers_with_the_first_card(cards: MemoryCards, card: Card) -> None:
    assert create_card(OWNER, FACES, asked("card"), cards=cards) == (card, True)
    assert (card.revision, card.created_at, card.updated_at) == (1, START, START)


@pytest.mark.parametrize(
    "faces", [{}, {"vip": Face("Lin")}, {name: Face("Lin") for name in ("default", "a", "b", "c", "d", "e")}]
)
def test_a_card_needs_a_default_face_and_has_five_at_most(cards: MemoryCards, faces: dict[str, Face]) -> None:
    with pytest.raises(InvalidError, match="BODY_INVALID"):
        create_card(OWNER, faces, asked("card"), cards=cards)

    assert cards.cards == {}


def test_an_update_counts_the_revision_and_equal_faces_change_nothing(
    cards: MemoryCards, card: Card, clock: TestClock
) -> None:
    clock.move(hours=1)
    same = update_card(card.key, OWNER, FACES, None, cards=cards)
    changed = update_card(card.key, OWNER, {"default": Face("Lin Xiaoyu")}, 1, cards=cards)

    assert same == card
    assert (changed.revision, changed.updated_at) == (2, clock.now())
    assert find_own_card(card.key, OWNER, cards=cards) == changed


def test_a_card_that_changed_since_it_was_read_or_at_the_same_moment_is_not_replaced(
    cards: MemoryCards, card: Card
) -> None:
    class Overtaken(MemoryCards):
        def replace_card(self, card: Card, revision: int) -> bool:
            return False

    overtaken = Overtaken()
    overtaken.cards = cards.cards
    with pytest.raises(ConflictError, match="CARD_CHANGED"):
        update_card(card.key, OWNER, {"default": Face("Mine")}, 7, cards=cards)
    with pytest.raises(ConflictError, match="CARD_CHANGED"):
        update_card(card.key, OWNER, {"default": Face("Mine")}, None, cards=overtaken)

    assert cards.cards[card.key] == card


def test_a_key_opens_the_face_of_its_audience_while_there_is_one(cards: MemoryCards, card: Card) -> None:
    share, replayed = share_card(card.key, OWNER, "vip", "door", asked("share"), cards=cards)
    by_share = open_card(share.key, cards=cards)
    update_card(card.key, OWNER, {"default": Face("Lin")}, None, cards=cards)
    later = open_card(share.key, cards=cards)

    assert (replayed, by_share) == (False, OpenedCard(card, "vip", share.key))
    assert (later.audience, later.share) == ("default", share.key)
    assert open_card(card.key, cards=cards).share == ""
    assert owner_of_key(share.key, cards=cards) == owner_of_key(card.key, cards=cards) == OWNER


def test_a_key_that_leads_nowhere_opens_nothing(cards: MemoryCards, card: Card) -> None:
    share, _ = share_card(card.key, OWNER, "vip", "", asked("share"), cards=cards)
    cards.cards.clear()
    for key in (share.key, card.key, "x7k2m9pq4t", "../x", ""):
        with pytest.raises(NotFoundError):
            open_card(key, cards=cards)


def test_an_audience_without_face_cannot_be_shared(cards: MemoryCards, card: Card) -> None:
    with pytest.raises(InvalidError, match="AUDIENCE_UNKNOWN"):
        share_card(card.key, OWNER, "press", "", asked("share"), cards=cards)

    assert cards.shares == {}


def test_every_view_but_the_owner_s_is_reported() -> None:
    views = MemoryViews()
    for visitor in (OWNER, VISITOR, ""):
        report_view(view(visitor), OWNER, views=views)

    assert [one.visitor for one in views.reported] == [VISITOR, ""]


def test_the_owner_sees_the_visitors_and_their_nicknames(cards: MemoryCards, card: Card) -> None:
    radars = MemoryRadars()
    radar = replace(Radar(card.key).with_view(view(VISITOR)), revision=1)
    radars.store_radar(radar)
    visitors = MemoryVisitors(mem_visitor="Anna", mem_other="Ben")
    seen = radar_of_own_card(card.key, OWNER, cards=cards, radars=radars, visitors=visitors)
    with pytest.raises(NotFoundError):
        radar_of_own_card(card.key, VISITOR, cards=cards, radars=radars, visitors=visitors)

    assert seen == (radar, {VISITOR: "Anna"})
