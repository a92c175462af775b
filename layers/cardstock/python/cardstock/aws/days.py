"""Lists of a day, by an index on `day_key` and `pk`: a day of the brand and one of four parts, then the item's id.

Parts, so that no key takes more than a quarter of what a day brings (DynamoDB: 1,000 writes a second for each key). The
index holds keys only, so that no later change of an item writes it again. It may miss the changes of the last second.
"""

import heapq
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Final

from cardstock.clock import brand_day

PARTS: Final = 4


def day_key(moment: datetime, item_id: str) -> str:
    """`2026-11-30.2`: the brand's day of `moment`, and the part that `item_id` belongs to."""
    return f"{brand_day(moment).isoformat()}.{ord(item_id[-1]) % PARTS}"


def keys_of_day(day: date) -> Iterator[str]:
    """Every `day_key` of a day."""
    return (f"{day.isoformat()}.{part}" for part in range(PARTS))


def newest_ids(
    read: Callable[[str, str | None, int], Iterator[str]], day: date, limit: int, after: str | None
) -> tuple[list[str], str | None]:
    """Up to `limit` ids of a day below the id `after`, newest first, and the last of them if others follow.

    `read` gives the ids under one key, newest first, below an id, at most so many: one query for each part.
    """
    parts = (read(key, after, limit + 1) for key in keys_of_day(day))
    ids = list(islice(heapq.merge(*parts, reverse=True), limit + 1))
    return ids[:limit], ids[limit - 1] if len(ids) > limit else None
