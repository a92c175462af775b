"""The queue of files that have arrived: S3's own notifications.

Source: Amazon S3 User Guide, "Event message structure". Keys are URL-encoded; S3 also sends one test message.
"""

import re
from collections.abc import Iterator
from typing import Final, get_args
from urllib.parse import unquote_plus

import msgspec

from cardstock.uploads.model import Purpose
from cardstock.uploads.receiving import Arrival

_KEY: Final = re.compile(r"incoming/(\w+)/(upl_[0-9a-z]{26})")


class _Stored(msgspec.Struct):
    key: str
    eTag: str


class _Place(msgspec.Struct):
    object: _Stored


class _Event(msgspec.Struct):
    s3: _Place


class ArrivalsMessage(msgspec.Struct):
    """What S3 sends: files that have arrived; none in its test message."""

    Records: tuple[_Event, ...] | None = None
    Event: str = ""


def arrivals_in(message: ArrivalsMessage) -> Iterator[Arrival]:
    """The files that have arrived. Raises ValueError for a key that no form was made for, and a message that is none
    of S3's."""
    if message.Records is None and message.Event != "s3:TestEvent":
        raise ValueError("no message of S3")
    for event in message.Records or ():
        key = unquote_plus(event.s3.object.key)
        found = _KEY.fullmatch(key)
        if found is None or found[1] not in get_args(Purpose):
            raise ValueError(f"no form was made for {key}")
        yield Arrival(msgspec.convert(found[1], Purpose), found[2], event.s3.object.eTag)
