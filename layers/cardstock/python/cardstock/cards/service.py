"""Making, showing and sharing cards, and counting who looked at them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from cardstock.cards import errors
from cardstock.cards.model import (
    CARD_KEY_LETTERS,
    DEFAULT,
    KEY,
    SHARE_KEY_LETTERS,
    Card,
    Face,
    Radar,
    Share,
    Shown,
    View,
    Visitor,
)
from cardstock.cards.ports import Cards, Names, Radars, Views
from cardstock.clock import Clock
from cardstock.errors import (
    BODY_INVALID,
    NOT_FOUND,
    STORE_UNAVAILABLE,
    Pointer,
)
from cardstock.ids import RequestKey, short_key

MAX_AUDIENCES: Final = 5
_STORE_ATTEMPTS: Final = 5
HOT: Final = 60
"""From this heat on a visitor is worth a call today."""


def create_card(
    owner_id: str, faces: Mapping[str, Face], request: RequestKey, *, cards: Cards, clock: Clock
) -> tuple[Card, bool]:
    """A new card of `owner_id`, and whether an earlier run of `request` had made it.

    Raises `InvalidError` when there is no version for the default audience, or too many versions.
    """
    _check(faces)
    now = clock.now()
    card = Card(short_key(CARD_KEY_LETTERS), owner_id, dict(faces), 1, now, now)
    earlier = cards.add(card, request)
    if earlier is None:
        return card, False
    return own_card(earlier, owner_id, cards=cards), True


def own_card(key: str, owner_id: str, *, cards: Cards) -> Card:
    """The member's own card. Raises `NotFoundError` for an unknown key and for somebody else's card alike."""
    card = cards.find(key) if KEY.fullmatch(key) else None
    if card is None or card.owner_id != owner_id:
        raise NOT_FOUND()
    return card


def update_card(
    key: str, owner_id: str, faces: Mapping[str, Face], expected: int | None, *, cards: Cards, clock: Clock
) -> Card:
    """The card with all its versions replaced by `faces`.

    `expected` is the revision that the caller saw, if he minds; a card changed since raises `ConflictError`
    (CARD_CHANGED), and so does one that changes at the same moment. Storing what is there already changes nothing. An
    audience that share keys point at falls back to the default version when it is gone.
    """
    _check(faces)
    card = own_card(key, owner_id, cards=cards)
    if card.faces == faces:
        return card
    if expected is not None and expected != card.revision:
        raise errors.CARD_CHANGED()
    changed = replace(card, faces=dict(faces), revision=card.revision + 1, updated_at=clock.now())
    if cards.replace(changed, card.revision):
        return changed
    # The store may have answered "not at that revision" to the repeat of our own write.
    stored = own_card(key, owner_id, cards=cards)
    if stored == changed:
        return changed
    raise errors.CARD_CHANGED()


def show_card(key: str, *, cards: Cards) -> Shown:
    """What somebody sees who holds `key`, a card's own or a share key: the version for the share's audience while there
    is one. One read, two by a share key. Raises `NotFoundError`."""
    if not KEY.fullmatch(key):
        raise NOT_FOUND()
    share = None
    if len(key) == SHARE_KEY_LETTERS:
        share = cards.find_share(key)
        if share is None:
            raise NOT_FOUND()
    card = cards.find(share.card if share else key)
    if card is None:
        raise NOT_FOUND()
    audience = share.audience if share and share.audience in card.faces else DEFAULT
    return Shown(card, audience, share.key if share else "")


def owner_of(key: str, *, cards: Cards) -> str | None:
    """The member who gave `key` away, a share key or his card's own; one read."""
    held = cards.find_share(key) if len(key) == SHARE_KEY_LETTERS else cards.find(key)
    return held.owner_id if held else None


def share_card(
    key: str, owner_id: str, audience: str, label: str, request: RequestKey, *, cards: Cards, clock: Clock
) -> tuple[Share, bool]:
    """A new key for the member's own card, and whether an earlier run of `request` had made it.

    Raises `InvalidError` when the card has no version for `audience`.
    """
    card = own_card(key, owner_id, cards=cards)
    if audience not in card.faces:
        raise errors.AUDIENCE_UNKNOWN(pointers=(Pointer("/audience", "UNKNOWN"),))
    share = Share(short_key(SHARE_KEY_LETTERS), key, owner_id, audience, label, clock.now())
    earlier = cards.add_share(share, request)
    if earlier is None:
        return share, False
    stored = cards.find_share(earlier)
    if stored is None:
        raise STORE_UNAVAILABLE()
    return stored, True


def report_view(view: View, owner_id: str, *, views: Views) -> None:
    """Have `view` counted soon; the owner's own looks are not. Raises `UnavailableError`: report it again then."""
    if view.visitor != owner_id:
        views.report(view)


def count_views(views: Sequence[View], *, radars: Radars) -> set[str]:
    """Add `views` up, each at most once however often it is reported; the cards that could not be written.

    One read for all cards and one write per card. A card that others write at the same moment is read again; after
    five times its views are left for the next delivery.
    """
    by_card: dict[str, list[View]] = defaultdict(list)
    for view in views:
        by_card[view.card].append(view)
    waiting = set(by_card)
    for _ in range(_STORE_ATTEMPTS):
        if not waiting:
            break
        for key, radar in radars.of(waiting).items():
            counted = radar
            for view in by_card[key]:
                counted = counted.seen(view)
            if counted is radar or radars.store(replace(counted, revision=radar.revision + 1)):
                waiting.discard(key)
    return waiting


def visitors_of(
    key: str, owner_id: str, *, cards: Cards, radars: Radars, names: Names
) -> tuple[Radar, Mapping[str, str]]:
    """The radar of the member's own card, and what its visitors are called. Raises `NotFoundError`."""
    own_card(key, owner_id, cards=cards)
    radar = radars.of([key])[key]
    return radar, names([one.member_id for one in radar.visitors]) if radar.visitors else {}


def heat(visitor: Visitor, now: datetime) -> int:
    """How warm a visitor is, 0 to 100: ten for each view, one for each six seconds, halved every three days."""
    warm = min(100, 10 * visitor.views + visitor.seconds // 6)
    return int(warm) >> max(0, (now - visitor.last_at) // timedelta(days=3))


def _check(faces: Mapping[str, Face]) -> None:
    if DEFAULT not in faces:
        raise BODY_INVALID(pointers=(Pointer(f"/versions/{DEFAULT}", "MISSING"),))
    if len(faces) > MAX_AUDIENCES:
        raise BODY_INVALID(pointers=(Pointer("/versions", "OUT_OF_RANGE"),))
