"""Standard Webhooks 1.0 signatures: made for what we send, checked on the raw bytes of what we receive.

The library's own `verify` reads the machine's clock, and raises three other exceptions for malformed headers. Here the
caller passes the time, and every defect is one refusal.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

from cardstock.errors import SIGNATURE_INVALID

TOLERANCE: Final = timedelta(minutes=5)
_MESSAGE_ID: Final = re.compile(r"[\x21-\x7e]{1,128}\Z")


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

    `headers` have lower-case names. Raises `UnauthorizedError` (SIGNATURE_INVALID), whatever is wrong.
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")
    if not _MESSAGE_ID.match(message_id) or not timestamp.isascii() or not timestamp.isdigit():
        raise SIGNATURE_INVALID()
    try:
        at = datetime.fromtimestamp(int(timestamp), UTC)
        text = body.decode()
    except (ValueError, OverflowError, OSError) as error:
        raise SIGNATURE_INVALID() from error
    if abs(at - now) > TOLERANCE:
        raise SIGNATURE_INVALID()
    for secret in secrets:
        expected = Webhook(secret).sign(message_id, at, text).encode()
        if any(hmac.compare_digest(expected, candidate.encode("utf-8", "replace")) for candidate in given):
            return message_id
    raise SIGNATURE_INVALID()
