"""Alipay's gateway: how a call is signed, and which part of an answer Alipay signed. RSA2, public-key mode.

Source: opendocs.alipay.com: the guide to signatures.
"""

from datetime import timedelta, timezone
from typing import Final

import msgspec

from cardstock import clock
from cardstock.platforms.keys import PrivateKey, PublicKey

URL: Final = "https://openapi.alipay.com/gateway.do"
CHARSET: Final = "utf-8"
"""Belongs into the URL too: the gateway decodes by that, whatever the body says, and takes GBK without one."""
_BEIJING: Final = timezone(timedelta(hours=8))


def signed_form(app_id: str, key: PrivateKey, method: str, fields: dict[str, str]) -> dict[str, str]:
    """The form of a call, signed. `fields` are its own: `biz_content`, or what stands beside it; none is empty."""
    form = {
        "app_id": app_id,
        "method": method,
        "format": "JSON",
        "charset": CHARSET,
        "sign_type": "RSA2",
        "timestamp": clock.now().astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        "version": "1.0",
        **fields,
    }
    message = "&".join(f"{name}={form[name]}" for name in sorted(form))
    return {**form, "sign": key.sign(message.encode())}


def parts_of(raw: bytes) -> dict[str, msgspec.Raw]:
    """The members of an answer, each as its exact bytes; {} for anything but an object."""
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}


def genuine(raw: bytes, node: str, key: PublicKey) -> bytes | None:
    """The exact bytes of the answer's node if Alipay signed them; None otherwise, and for a gateway error, which has
    another node."""
    parts = parts_of(raw)
    try:
        signature = msgspec.json.decode(parts["sign"], type=str)
        content = bytes(parts[node])
    except (KeyError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return content if key.signed(content, signature) else None
