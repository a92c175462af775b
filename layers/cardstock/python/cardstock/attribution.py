"""Attribution: the card view that an order is credited to, as a signed token.

The cards area signs one for each reported view; the orders area opens it when a quote is asked for.
"""

from datetime import timedelta
from typing import Final

import msgspec

from cardstock.signing import Signer

LIFETIME: Final = timedelta(days=30)
_PURPOSE: Final = "attribution"


class Attribution(msgspec.Struct, frozen=True, array_like=True):
    """The view of a card. `share` is the share key that opened it, `""` if there was none; `guide` the card owner's
    member id. Stored as an array: do not move its fields."""

    card: str
    share: str
    view: str
    guide: str


def sign_attribution(signer: Signer, attribution: Attribution) -> str:
    """The token of `attribution`, valid for thirty days."""
    return signer.sign(_PURPOSE, msgspec.structs.asdict(attribution), lifetime=LIFETIME)


def open_attribution(signer: Signer, token: str) -> Attribution:
    """The inverse of `sign_attribution`. Raises `UnauthorizedError` (TOKEN_INVALID, TOKEN_EXPIRED)."""
    return Attribution(**signer.open(_PURPOSE, token))
