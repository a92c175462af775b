"""Cards and radars in DynamoDB: what is stored comes back, races lose, and a view costs a fifth of a unit at most."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from cardstock.cards.model import MAX_SECONDS, RING, SCENES, VISITORS, Card, Face, Radar, Share, View
from cardstock.cards.service import count_views, owner_of, show_card
from cardstock.cards.store import DynamoCards, DynamoRadars
from cardstock.errors import RefusedError
from cardstock.ids import RequestKey, new_id, short_key
from infra.local.costs import shape_of, size_of, write_units
from tests.house import faults
from tests.house.cloud import Cloud, template

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
OWNER = new_id("mem", NOW)


def card(key: str = "k7m2p9xw4tab", **faces: Face) -> Card:
    return Card(key, OWNER, {"default": Face("Lin", tags=("a",), shelf=("1", "2")), **faces}, 1, NOW, NOW)


def request(name: str, fingerprint: str = "f") -> RequestKey:
    return RequestKey(f"req_{name}", fingerprint)


def busy_radar(key: str, revision: int = 1) -> Radar:
    """A radar that is as full as one can get."""
    radar = Radar(key, revision, views=10**9, by_members=10**9, seconds=10**12)
    for number in range(RING + 5):
        at = NOW + timedelta(seconds=number)
        radar = radar.seen(View(short_key(), key, "", new_id("mem", at), f"scene_{number:010}"[:16], MAX_SECONDS, at))
    return radar


def test_a_card_comes_back_as_it_was_stored(cloud: Cloud) -> None:
    made = card(vip=Face("Lin", intro="a\nb", website="https://example.com"))
    cards = DynamoCards()

    assert cards.add(made, request("1")) is None
    assert cards.find(made.key) == made
    assert cards.find("unknown") is None


def test_the_same_request_makes_one_card_and_another_body_is_refused(cloud: Cloud) -> None:
    cards = DynamoCards()
    cards.add(card(), request("1"))

    assert cards.add(card("k7m2p9xw4tac"), request("1")) == "k7m2p9xw4tab"
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        cards.add(card("k7m2p9xw4tac"), request("1", "other"))
    assert cards.find("k7m2p9xw4tac") is None


def test_a_card_is_replaced_only_at_the_revision_that_was_read(cloud: Cloud) -> None:
    cards = DynamoCards()
    cards.add(card(), request("1"))
    second = replace(card(), revision=2, faces={"default": Face("Second")})

    assert cards.replace(second, 1) is True
    assert cards.replace(replace(second, faces={"default": Face("Rival")}), 1) is False
    assert cards.find("k7m2p9xw4tab") == second


def test_a_share_key_shows_its_audience_and_leads_to_the_owner(cloud: Cloud) -> None:
    cards = DynamoCards()
    cards.add(card(vip=Face("For VIPs")), request("1"))
    cards.add_share(Share("k7m2p9xw4t", "k7m2p9xw4tab", OWNER, "vip", "door", NOW), request("2"))
    shown = show_card("k7m2p9xw4t", cards=cards)

    assert (shown.face.name, shown.share) == ("For VIPs", "k7m2p9xw4t")
    assert owner_of("k7m2p9xw4t", cards=cards) == owner_of("k7m2p9xw4tab", cards=cards) == OWNER
    assert owner_of("unknown234", cards=cards) is None


def test_only_cards_are_in_the_list_of_cards(cloud: Cloud) -> None:
    cards = DynamoCards()
    cards.add(card(), request("1"))
    cards.add_share(Share("k7m2p9xw4t", "k7m2p9xw4tab", OWNER, "default", "", NOW), request("2"))
    DynamoRadars().store(busy_radar("k7m2p9xw4tab"))

    assert cards.owned_by(OWNER, 20, None) == ([card()], None)


@pytest.mark.parametrize(
    "radar", [Radar("k7m2p9xw4tab", 1).seen(View("v", "", "", "", "", None, NOW)), busy_radar("k7m2p9xw4tab")]
)
def test_a_radar_comes_back_as_it_was_stored(cloud: Cloud, radar: Radar) -> None:
    radars = DynamoRadars()

    assert radars.store(radar) is True
    assert radars.of([radar.card, "unknown"]) == {radar.card: radar, "unknown": Radar("unknown")}


def test_a_radar_is_stored_only_on_the_revision_that_was_read(cloud: Cloud) -> None:
    radars = DynamoRadars()
    first = Radar("k7m2p9xw4tab", 1, last_at=NOW)

    assert radars.store(first) is True
    assert radars.store(first) is False
    assert radars.store(replace(first, revision=3)) is False
    assert radars.store(replace(first, revision=2)) is True


def test_the_fullest_radar_is_one_write_unit(cloud: Cloud) -> None:
    radar = busy_radar("k7m2p9xw4tab", revision=10**9)
    # Stored on top of a revision that a test cannot write its way up to.
    cloud.dynamodb.put_item(
        TableName="cards",
        Item={"pk": {"S": radar.card}, "sk": {"S": "views"}, "r": {"N": str(radar.revision - 1)}},
    )
    DynamoRadars().store(radar)
    (item,) = cloud.items("cards")

    assert (len(radar.ring), len(radar.visitors), len(radar.scenes)) == (RING, VISITORS, SCENES + 1)
    assert size_of(item) <= 1024


def test_a_hundred_views_of_ten_busy_cards_cost_a_fifth_of_a_unit_each_at_most(cloud: Cloud) -> None:
    keys = [short_key(12) for _ in range(10)]
    for key in keys:
        DynamoRadars().store(busy_radar(key))
    before = {item["pk"]["S"]: item for item in cloud.items("cards")}
    views = [
        View(short_key(), keys[n % 10], "", new_id("mem", NOW), "group", n, NOW + timedelta(hours=1))
        for n in range(100)
    ]
    with faults.watch() as calls:
        unwritten = count_views(views, radars=DynamoRadars())
    after = {item["pk"]["S"]: item for item in cloud.items("cards")}
    (shape,) = [shape_of(table.definition) for table in template().tables if table.name.endswith("Cards")]
    cost = sum(write_units(before[key], after[key], shape) for key in keys)

    assert unwritten == set()
    assert sorted(calls) == ["dynamodb.BatchGetItem", *["dynamodb.PutItem"] * 10]
    assert cost / len(views) <= 0.1
