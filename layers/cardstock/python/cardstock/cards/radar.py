"""Counting views, and showing a card's visitors to its owner."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from cardstock.cards.editing import find_own_card
from cardstock.cards.model import Radar, View
from cardstock.cards.ports import Cards, Radars, Visitors

_ATTEMPTS: Final = 5


def count_views(views: Iterable[View], *, radars: Radars, visitors: Visitors) -> set[str]:
    """Add `views` to the radars of their cards; returns the keys of cards whose radar could not be written.

    The visit of a member who does not agree to be seen, when it is counted, is anonymous: one more read.

    Each view is counted once, however often it is reported. One read for all cards and one write per card. After a
    conflict a radar is read again; after five conflicts its views are left to the next delivery of the messages.
    """
    by_card: dict[str, list[View]] = defaultdict(list)
    listed = list(views)
    named = {view.visitor for view in listed if view.visitor}
    seen = visitors.names_of(named) if named else {}
    for view in listed:
        by_card[view.card].append(view if view.visitor in seen else replace(view, visitor=""))
    waiting = set(by_card)
    for _ in range(_ATTEMPTS):
        if not waiting:
            break
        for card, stored in radars.radars_of(waiting).items():
            counted = stored
            for view in by_card[card]:
                counted = counted.with_view(view)
            if counted is stored or radars.store_radar(replace(counted, revision=stored.revision + 1)):
                waiting.discard(card)
    return waiting


def radar_of_own_card(
    key: str, owner_id: str, *, cards: Cards, radars: Radars, visitors: Visitors
) -> tuple[Radar, Mapping[str, str]]:
    """The radar of the member's card with the visitors who agree to be seen now, and their nicknames, possibly empty.
    Raises `NotFoundError`."""
    find_own_card(key, owner_id, cards=cards)
    radar = radars.radars_of([key])[key]
    names = visitors.names_of([one.member_id for one in radar.visitors]) if radar.visitors else {}
    return replace(radar, visitors=tuple(one for one in radar.visitors if one.member_id in names)), names
