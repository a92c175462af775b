"""Standard Webhooks 1.0 signatures: made for what we send, checked on the raw bytes of what we receive.

The library's own `verify` reads the machine's clock, and raises three other exceptions for malformed headers. Here the
caller passes the time, and every defect is a refusal.
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

from cardstock.clock import rfc3339
from cardstock.errors import SIGNATURE_INVALID, SIGNATURE_MISSING, SIGNATURE_STALE

REFUSALS: Final = (SIGNATURE_MISSING, SIGNATURE_INVALID, SIGNATURE_STALE)
"""What `verify` raises."""
TOLERANCE: Final = timedelta(minutes=5)
_MESSAGE_ID: Final = re.compile(r"[\x21-\x7e]{1,128}\Z")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,20}\Z")
_SIGNATURES: Final = re.compile(r".+\Z", re.DOTALL)


def sign(secrets: str | Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of the message `message_id` with `body`, sent at `at`: a signature per secret
    (`whsec_<base64>`)."""
    text = body.decode()
    keys = [secrets] if isinstance(secrets, str) else secrets
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, at.astimezone(UTC), text) for key in keys),
    }


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message id of a genuine message: signed with one of `secrets`, at most five minutes from `now`.

    `headers` have lower-case names. Raises `UnauthorizedError`: SIGNATURE_MISSING for a header that is missing or
    malformed, SIGNATURE_INVALID for a wrong signature, and SIGNATURE_STALE, with both times, for a right one at another
    time. The signature is checked before the time, so whoever has no secret learns nothing about either: every forgery
    is SIGNATURE_INVALID, and a recorded message tells its thief only that it is old.
    """
    message_id = _header(headers, "webhook-id", _MESSAGE_ID)
    timestamp = _header(headers, "webhook-timestamp", _TIMESTAMP)
    given = _header(headers, "webhook-signature", _SIGNATURES).split(" ")
    try:
        at = datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SIGNATURE_INVALID() from error
    if not any(_signed(secret, message_id, at, body, given) for secret in secrets):
        raise SIGNATURE_INVALID()
    if abs(at - now) > TOLERANCE:
        raise SIGNATURE_STALE(sent_at=rfc3339(at), shop_time=rfc3339(now))
    return message_id


def _header(headers: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not shape.match(value):
        raise SIGNATURE_MISSING(header=name)
    return value


def _signed(secret: str, message_id: str, at: datetime, body: bytes, given: Sequence[str]) -> bool:
    # Not by the library, which signs texts: bytes that are no UTF-8 are judged by their reader, not as a forgery.
    key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    mac = hmac.digest(key, f"{message_id}.{int(at.timestamp())}.".encode() + body, "sha256")
    expected = b"v1," + base64.b64encode(mac)
    return any(hmac.compare_digest(expected, candidate.encode("utf-8", "replace")) for candidate in given)
