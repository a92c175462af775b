"""Pushes as they come."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated

import msgspec
from msgspec import Meta

from cardstock.edge.http import OPTIONAL_LINE, Model

_Text = Annotated[str, Meta(max_length=128, pattern=OPTIONAL_LINE)]


class PushParameters(Model, forbid_unknown_fields=False):
    """What WeChat adds to the address. It may add more, which is not read."""

    signature: Annotated[
        _Text, Meta(description="SHA-1 of token, timestamp and nonce, sorted.", examples=["f464b24fc"])
    ] = ""
    timestamp: Annotated[_Text, Meta(description="When it was signed, Unix seconds.", examples=["1714036504"])] = ""
    nonce: Annotated[_Text, Meta(description="Random text.", examples=["1514711492"])] = ""
    msg_signature: Annotated[
        _Text, Meta(description="The same with the encrypted message, in safe mode.", examples=["046e02f8"])
    ] = ""
    echostr: Annotated[
        _Text, Meta(description="What the answer to a check must be.", examples=["4375120948345356249"])
    ] = ""

    def given(self) -> dict[str, str]:
        """The parameters."""
        return msgspec.structs.asdict(self)
