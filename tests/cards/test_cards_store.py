"""Cards and radars in DynamoDB: what leads to a card, and what a view costs."""

from datetime import UTC, datetime, timedelta

from cardstock.cards.model import MAX_SECONDS, RING, SCENES, VISITORS, Card, Face, Radar, Share, View
from cardstock.cards.radar import count_views
from cardstock.cards.sharing import owner_of_key
from cardstock.cards.store import DynamoCards, DynamoRadars
from cardstock.cards.viewing import open_card
from cardstock.ids import RequestKey, new_id, short_key
from infra.local.costs import shape_of, size_of, write_units
from tests.house import faults
from tests.house.cloud import Cloud, template
from tests.people.memory_cards import MemoryVisitors

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
        scene = f"scene_{number:010}"[:16]
        radar = radar.with_view(View(short_key(), key, "", new_id("mem", at), scene, MAX_SECONDS, at))
    return radar


def test_a_share_key_shows_its_audience_and_leads_to_the_owner(cloud: Cloud) -> None:
    cards = DynamoCards()
    cards.add_card(card(vip=Face("For VIPs")), request("1"))
    cards.add_share(Share("k7m2p9xw4t", "k7m2p9xw4tab", OWNER, "vip", "door", NOW), request("2"))
    opened = open_card("k7m2p9xw4t", cards=cards)

    assert (opened.face.name, opened.share) == ("For VIPs", "k7m2p9xw4t")
    assert owner_of_key("k7m2p9xw4t", cards=cards) == owner_of_key("k7m2p9xw4tab", cards=cards) == OWNER
    assert owner_of_key("unknown234", cards=cards) is None


def test_only_cards_are_in_the_list_of_cards(cloud: Cloud) -> None:
    cards = DynamoCards()
    cards.add_card(card(), request("1"))
    cards.add_share(Share("k7m2p9xw4t", "k7m2p9xw4tab", OWNER, "default", "", NOW), request("2"))
    DynamoRadars().store_radar(busy_radar("k7m2p9xw4tab"))

    assert cards.cards_of_member(OWNER, 20, None) == ([card()], None)


def test_the_fullest_radar_is_one_write_unit(cloud: Cloud) -> None:
    radar = busy_radar("k7m2p9xw4tab", revision=10**9)
    # Stored on top of a revision that a test cannot write its way up to.
    cloud.dynamodb.put_item(
        TableName="cards",
        Item={"pk": {"S": radar.card}, "sk": {"S": "views"}, "r": {"N": str(radar.revision - 1)}},
    )
    DynamoRadars().store_radar(radar)
    (item,) = cloud.items("cards")

    assert (len(radar.ring), len(radar.visitors), len(radar.scenes)) == (RING, VISITORS, SCENES + 1)
    assert size_of(item) <= 1024


def test_a_hundred_views_of_ten_busy_cards_cost_a_fifth_of_a_unit_each_at_most(cloud: Cloud) -> None:
    keys = [short_key(12) for _ in range(10)]
    for key in keys:
        DynamoRadars().store_radar(busy_radar(key))
    before = {item["pk"]["S"]: item for item in cloud.items("cards")}
    views = [
        View(short_key(), keys[n % 10], "", new_id("mem", NOW), "group", n, NOW + timedelta(hours=1))
        for n in range(100)
    ]
    with faults.watch() as calls:
        unwritten = count_views(views, radars=DynamoRadars(), visitors=MemoryVisitors(everybody=True))
    after = {item["pk"]["S"]: item for item in cloud.items("cards")}
    (shape,) = [shape_of(table.definition) for table in template().tables if table.name.endswith("-cards")]
    cost = sum(write_units(before[key], after[key], shape) for key in keys)

    assert unwritten == set()
    assert sorted(calls) == ["dynamodb.BatchGetItem", *["dynamodb.PutItem"] * 10]
    assert cost / len(views) <= 0.1
