"""Cards in DynamoDB.

Table `cards`, partition key `pk`, sort key `sk`. Indexes, keys only: `by_owner` (owner_id, pk) holds cards alone,
`by_guide` (guide, pk) shares alone.

| Access pattern | Key | Cost |
|---|---|---|
| card by its key | key / `card` | 1 read |
| share key | key / `share` | 1 read |
| open a card by a share key | the share, then its card | 2 reads |
| radars of n cards | n x key / `views` | 1 call, n reads |
| count the views of a card | key / `views` | 1 WCU: the item stays below 1 KB |
| a member's cards | `by_owner`, then the cards | 2 reads |
| a member's shares | `by_guide`, then the shares | 2 reads |
"""

import struct
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from cardstock.aws.items import StructAttribute, fields_of, record_of
from cardstock.aws.pages import read_page
from cardstock.aws.requests import remember, result_of
from cardstock.aws.tables import (
    ConditionFailedError,
    EpochAttribute,
    IntegerAttribute,
    JsonAttribute,
    Table,
    Transaction,
)
from cardstock.cards.model import SHARE_KEY_LETTERS, Card, Face, Radar, Share, Visitor
from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.errors import STORE_BUSY
from cardstock.ids import RequestKey

# Of a visitor: 130 bits of member id, seconds since 1970, views, seconds spent.
_VISITOR = struct.Struct(">17sIHH")
_MEMBER = "mem_"
_TO_BASE_32 = str.maketrans("0123456789abcdefghjkmnpqrstvwxyz", "0123456789abcdefghijklmnopqrstuv")
_FROM_BASE_32 = "0123456789abcdefghjkmnpqrstvwxyz"


class ByOwner(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB leaves its hook untyped
    """A member's cards."""

    class Meta:
        index_name = "by_owner"
        projection = KeysOnlyProjection()

    owner_id = UnicodeAttribute(hash_key=True)
    key = UnicodeAttribute(range_key=True, attr_name="pk")


class ByGuide(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]  # PynamoDB leaves its hook untyped
    """A member's shares."""

    class Meta:
        index_name = "by_guide"
        projection = KeysOnlyProjection()

    owner_id = UnicodeAttribute(hash_key=True, attr_name="guide")
    key = UnicodeAttribute(range_key=True, attr_name="pk")


class CardItem(Table):
    """A card with all its versions."""

    class Meta:
        variable = "CARDS_TABLE"

    key = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default="card")
    owner_id = UnicodeAttribute()
    faces = StructAttribute(dict[str, Face])
    revision = IntegerAttribute()
    created_at = EpochAttribute()
    updated_at = EpochAttribute()
    by_owner = ByOwner()
    by_guide = ByGuide()


class ShareItem(Table):
    """A share key."""

    class Meta:
        variable = "CARDS_TABLE"

    key = UnicodeAttribute(hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default="share")
    card = UnicodeAttribute()
    # Stored under another name than a card's: the index of cards would else hold share keys.
    owner_id = UnicodeAttribute(attr_name="guide")
    audience = UnicodeAttribute()
    label = UnicodeAttribute()
    created_at = EpochAttribute()


class RadarItem(Table):
    """A card's views added up, packed: names of one letter, visitors and marks in binary."""

    class Meta:
        variable = "CARDS_TABLE"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="views")
    revision = IntegerAttribute(attr_name="r")
    views = IntegerAttribute(attr_name="n")
    by_members = IntegerAttribute(attr_name="m")
    seconds = IntegerAttribute(attr_name="s")
    last_at = EpochAttribute(attr_name="t")
    scenes = JsonAttribute(attr_name="c")
    visitors = BinaryAttribute(attr_name="v", legacy_encoding=False)
    ring = BinaryAttribute(attr_name="i", legacy_encoding=False)


class DynamoCards:
    """`cards.ports.Cards`."""

    def add_card(self, card: Card, request: RequestKey) -> str | None:
        item = CardItem(**fields_of(card, CardItem))
        return _once(item, CardItem.key.does_not_exist(), request, card.key, card.created_at)

    def add_share(self, share: Share, request: RequestKey) -> str | None:
        item = ShareItem(**fields_of(share, ShareItem))
        return _once(item, ShareItem.key.does_not_exist(), request, share.key, share.created_at)

    def find_card(self, key: str) -> Card | None:
        item = CardItem.find(key, "card")
        return None if item is None else record_of(Card, item)

    def find_share(self, key: str) -> Share | None:
        item = ShareItem.find(key, "share")
        return None if item is None else record_of(Share, item)

    def replace_card(self, card: Card, revision: int) -> bool:
        return CardItem(**fields_of(card, CardItem)).put_if(CardItem.revision == revision)

    def cards_of_member(self, owner_id: str, limit: int, after: str | None) -> tuple[Sequence[Card], str | None]:
        start = None if after is None else {"owner_id": owner_id, "pk": after, "sk": "card"}
        items, last = read_page(CardItem.by_owner.query, owner_id, limit=limit, start=start)
        keys = [item.key for item in items]
        cards = [record_of(Card, item) for item in CardItem.batch_get([(key, "card") for key in keys])] if keys else []
        return sorted(cards, key=lambda card: card.key), last.key if last else None

    def shares_of_member(self, owner_id: str, limit: int, after: str | None) -> tuple[Sequence[Share], str | None]:
        start = None if after is None else {"guide": owner_id, "pk": after, "sk": "share"}
        items, last = read_page(CardItem.by_guide.query, owner_id, limit=limit, start=start)
        keys = [(item.key, "share") for item in items]
        shares = [record_of(Share, item) for item in ShareItem.batch_get(keys)] if keys else []
        return sorted(shares, key=lambda share: share.key), last.key if last else None


def remove_cards_of(owner_id: str) -> None:
    """Remove every card and every share of the member. Safe to repeat and to interrupt."""
    for item in CardItem.by_owner.query(owner_id):
        CardItem(item.key, "card").delete()
    for share in CardItem.by_guide.query(owner_id):
        ShareItem(share.key, "share").delete()


class DynamoRadars:
    """`cards.ports.Radars`."""

    def radars_of(self, cards: Collection[str]) -> Mapping[str, Radar]:
        radars = {key: Radar(key) for key in cards}
        for item in RadarItem.batch_get([(key, "views") for key in cards], consistent_read=True):
            radars[item.pk] = _radar(item)
        return radars

    def store_radar(self, radar: Radar) -> bool:
        before = radar.revision - 1
        condition = RadarItem.revision == before if before else RadarItem.pk.does_not_exist()
        return _radar_item(radar).put_if(condition)


def owner_key(key: str) -> tuple[type[Table], tuple[str, str]]:
    """The shape and the key of the item that says whose `key` is, a share key or the card's own; for the read of
    another area's store."""
    return (ShareItem, (key, "share")) if len(key) == SHARE_KEY_LETTERS else (CardItem, (key, "card"))


def owner_in(item: Table) -> str | None:
    """The member whose card or share key an item is; None for other items."""
    return str(item.owner_id) if isinstance(item, CardItem | ShareItem) else None


def _once(item: Table, absent: Condition, request: RequestKey, result: str, at: datetime) -> str | None:
    """Put `item` with the record that `request` made `result`; what an earlier run made instead, if it did."""
    try:
        with Transaction() as transaction:
            remember(transaction, request, result, at)
            transaction.save(item, condition=absent)
    except ConditionFailedError as error:
        if 0 not in error.failed:
            raise STORE_BUSY() from error  # a random key that was taken: once in 10**14 cards
        earlier = result_of(error.failed[0], request)
        return None if earlier == result else earlier
    return None


def _radar_item(radar: Radar) -> RadarItem:
    return RadarItem(
        pk=radar.card,
        revision=radar.revision,
        views=radar.views,
        by_members=radar.by_members,
        seconds=radar.seconds,
        last_at=radar.last_at,
        scenes=dict(radar.scenes),
        visitors=b"".join(
            _VISITOR.pack(
                _packed_id(one.member_id),
                to_epoch_ms(one.last_at) // 1000,
                min(one.views, 0xFFFF),
                min(one.seconds, 0xFFFF),
            )
            for one in radar.visitors
        ),
        ring=struct.pack(f">{len(radar.ring)}I", *radar.ring),
    )


def _radar(item: RadarItem) -> Radar:
    return Radar(
        card=item.pk,
        revision=item.revision,
        views=item.views,
        by_members=item.by_members,
        seconds=item.seconds,
        last_at=item.last_at,
        scenes=item.scenes,
        visitors=tuple(
            Visitor(_unpacked_id(member), from_epoch_ms(at * 1000), views, seconds)
            for member, at, views, seconds in _VISITOR.iter_unpack(item.visitors)
        ),
        ring=struct.unpack(f">{len(item.ring) // 4}I", item.ring),
    )


def _packed_id(member_id: str) -> bytes:
    return int(member_id.removeprefix(_MEMBER).translate(_TO_BASE_32), 32).to_bytes(17, "big")


def _unpacked_id(packed: bytes) -> str:
    value = int.from_bytes(packed, "big")
    return _MEMBER + "".join(_FROM_BASE_32[value >> shift & 31] for shift in range(125, -1, -5))
