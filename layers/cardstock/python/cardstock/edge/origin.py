"""The address under which a client reached us, for links that people keep: QR codes and vCards."""

import re
from collections.abc import Mapping
from typing import Final

from cardstock.edge import errors

_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?")
_LOOPBACK: Final = ("127.0.0.1", "localhost")


def origin_of(headers: Mapping[str, str]) -> str:
    """`https://cards.example.com`, from the Host header (lower-case names); plain http on this machine alone.

    Raises `InvalidError` (HEADER_INVALID) when the header is missing or not a host.
    """
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise errors.HEADER_INVALID(header="Host")
    return f"{'http' if host.partition(':')[0] in _LOOPBACK else 'https'}://{host}"
