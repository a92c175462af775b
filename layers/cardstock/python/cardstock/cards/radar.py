"""Counting views, and showing a card's visitors to its owner."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from cardstock.cards.editing import find_own_card
from cardstock.cards.model import Radar, View
from cardstock.cards.ports import Cards, Nicknames, Radars

_ATTEMPTS: Final = 5


def count_views(views: Iterable[View], *, radars: Radars) -> set[str]:
    """Add `views` to the radars of their cards; returns the keys of cards whose radar could not be written.

    Each view is counted once, however often it is reported. One read for all cards and one write per card. After a
    conflict a radar is read again; after five conflicts its views are left to the next delivery of the messages.
    """
    by_card: dict[str, list[View]] = defaultdict(list)
    for view in views:
        by_card[view.card].append(view)
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
    key: str, owner_id: str, *, cards: Cards, radars: Radars, nicknames: Nicknames
) -> tuple[Radar, Mapping[str, str]]:
    """The radar of the member's card, and the nicknames of its visitors. Raises `NotFoundError`."""
    find_own_card(key, owner_id, cards=cards)
    radar = radars.radars_of([key])[key]
    visitors = [one.member_id for one in radar.visitors]
    return radar, nicknames.nicknames_of(visitors) if visitors else {}
