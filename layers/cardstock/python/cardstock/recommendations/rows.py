"""How a serving row is stored: as little JSON as possible, so that reading it costs half a unit."""

import json

from msgspec.structs import replace

from cardstock.clock import from_epoch_ms, to_epoch_ms
from cardstock.recommendations.model import Entry, Row


def encode(row: Row) -> str:
    """The row without its key as compact JSON: learned_at in epoch ms, title, and an array per entry, in which
    `because` is the place of its entry in the row."""
    place = {entry.sku: index for index, entry in enumerate(row.entries)}
    entries = [
        [entry.sku, entry.title, entry.own, entry.together, entry.popular]
        + ([place[entry.because]] if entry.because in place else [])
        for entry in row.entries
    ]
    return json.dumps([to_epoch_ms(row.learned_at), row.title, entries], ensure_ascii=False, separators=(",", ":"))


def decode(key: str, text: str) -> Row:
    """The inverse of `encode`."""
    learned_at, title, entries = json.loads(text)
    return Row(
        key,
        from_epoch_ms(learned_at),
        tuple(
            Entry(sku, name, own, together, popular, entries[because[0]][0] if because else "")
            for sku, name, own, together, popular, *because in entries
        ),
        title,
    )


def fitted(row: Row, max_bytes: int) -> Row:
    """The row without as many of its last entries as it takes for `encode` to be at most `max_bytes` bytes of UTF-8."""
    size = len(encode(replace(row, entries=())).encode())
    kept = 0
    for entry in row.entries:
        size += len(json.dumps([entry.sku, entry.title], ensure_ascii=False).encode())
        size += len(f",{entry.own},{entry.together},{entry.popular},00,")
        if size > max_bytes:
            break
        kept += 1
    entries = row.entries[:kept]
    skus = {entry.sku for entry in entries}
    return replace(
        row, entries=tuple(entry if entry.because in skus else replace(entry, because="") for entry in entries)
    )
