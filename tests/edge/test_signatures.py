"""Standard Webhooks signatures: what is genuine, and that a forger learns nothing from a refusal."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from cardstock.clock import rfc3339
from cardstock.edge.signatures import sign, verify
from cardstock.errors import UnauthorizedError

NOW = datetime(2026, 12, 1, 8, 0, 0, 600_000, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a" * 32).decode()
OLDER = "whsec_" + base64.b64encode(b"b" * 32).decode()
BODY = '{"type":"shipment.created","茶":1}'.encode()


def signed(**changed: str) -> dict[str, str]:
    return {**sign(SECRET, "msg_1", NOW, BODY), **{name.replace("_", "-"): value for name, value in changed.items()}}


def refused(
    headers: dict[str, str], body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), missing: str = ""
) -> None:
    with pytest.raises(UnauthorizedError) as error:
        verify(secrets, headers, body, NOW)
    assert error.value.code == ("SIGNATURE_MISSING" if missing else "SIGNATURE_INVALID")
    assert error.value.facts == ({"header": missing} if missing else {})


def test_what_was_signed_is_genuine_and_gives_its_id() -> None:
    assert verify([SECRET], signed(), BODY, NOW) == "msg_1"


def test_the_signature_is_the_one_that_the_specification_names() -> None:
    # Standard Webhooks 1.0, the reference library's own verification, on its own clock.
    headers = sign(SECRET, "msg_1", datetime.now(UTC), BODY)

    assert Webhook(SECRET).verify(BODY, headers) == {"type": "shipment.created", "茶": 1}


def test_any_of_two_secrets_is_enough_on_either_side() -> None:
    both = sign([SECRET, OLDER], "msg_1", NOW, BODY)

    assert len(both["webhook-signature"].split(" ")) == 2
    assert verify([SECRET], both, BODY, NOW) == verify([OLDER], both, BODY, NOW) == "msg_1"
    assert verify([SECRET, OLDER], sign(OLDER, "msg_1", NOW, BODY), BODY, NOW) == "msg_1"


def test_a_secret_that_is_no_longer_valid_proves_nothing() -> None:
    refused(sign(OLDER, "msg_1", NOW, BODY))
    refused(signed(), secrets=())


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299])
def test_five_minutes_either_way_are_tolerated(seconds: int) -> None:
    at = NOW.replace(microsecond=0) + timedelta(seconds=seconds)

    assert verify([SECRET], sign(SECRET, "m", at, BODY), BODY, NOW.replace(microsecond=0)) == "m"


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400 * 365])
def test_a_message_of_another_time_is_told_both_times_if_its_signature_is_right(seconds: int) -> None:
    at = NOW.replace(microsecond=0) + timedelta(seconds=seconds)
    headers = sign(SECRET, "m", at, BODY)
    with pytest.raises(UnauthorizedError) as error:
        verify((SECRET,), headers, BODY, NOW)

    assert error.value.code == "SIGNATURE_STALE"
    assert error.value.facts == {"sent_at": rfc3339(at), "shop_time": rfc3339(NOW)}
    refused(headers, secrets=(OLDER,))
    refused(headers, secrets=())
    refused(headers, BODY + b" ")
    refused({**headers, "webhook-timestamp": str(int(at.timestamp()) + 1)})


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY.replace(b"1", b"2"), b"\xff\xfe", b"\x00"])
def test_another_body_is_refused(body: bytes) -> None:
    refused(signed(), body)


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "latin-1"])
def test_the_raw_bytes_are_what_is_signed_whatever_their_encoding(encoding: str) -> None:
    body = '{"carrier":"é"}'.encode(encoding, "replace")
    text = f"msg_1.{int(NOW.timestamp())}.".encode() + body
    signature = base64.b64encode(hmac.digest(b"a" * 32, text, "sha256")).decode()
    headers = signed(webhook_signature=f"v1,{signature}")

    assert verify([SECRET], headers, body, NOW) == "msg_1"
    refused(headers, body + b" ")
    refused(headers, body, secrets=(OLDER,))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_is_needed(name: str) -> None:
    headers = signed()
    del headers[name]

    refused(headers, missing=name)
    refused({**headers, name: ""}, missing=name)
    refused({**headers, name: ""}, secrets=(), missing=name)


@pytest.mark.parametrize(
    "timestamp",
    [
        "soon", "-1", "+1796112000", "1796112000.5", "1e9", " 1796112000", "1796112000 ", "１７９６１１２０００", "²",
        "0", "0x10", "9" * 12, "9" * 30, "9" * 5_000, "1_796_112_000",
    ],
)  # fmt: skip
def test_a_timestamp_is_a_whole_number_of_seconds_near_now(timestamp: str) -> None:
    missing = "" if timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 20 else "webhook-timestamp"

    refused(signed(webhook_timestamp=timestamp), missing=missing)


@pytest.mark.parametrize(
    "signature",
    [
        "v1", "v1,", "v1,AAAA", "v1,***", ",", " ", "v1,\ud800", "v1,é", "v2," + "A" * 43 + "=", "v1a,AAAA", "\x00",
        "v1," + "A" * 100_000, " ".join(["v1,AAAA"] * 5_000),
    ],
)  # fmt: skip
def test_a_malformed_signature_is_a_refusal_not_a_crash(signature: str) -> None:
    refused(signed(webhook_signature=signature))


def test_a_signature_needs_its_version() -> None:
    given = signed()["webhook-signature"]

    refused(signed(webhook_signature=given.removeprefix("v1,")))
    refused(signed(webhook_signature=given.replace("v1,", "v2,")))
    assert verify([SECRET], signed(webhook_signature=f"v1a,AAAA v1,BBBB {given} v9,C"), BODY, NOW) == "msg_1"


@pytest.mark.parametrize("message_id", ["msg_2", "m" * 129, "msg 1", "msg_1\n", "消息", "\ud800", "\x00", "msg_1\x7f"])
def test_the_id_is_signed_and_is_short_plain_text(message_id: str) -> None:
    refused(signed(webhook_id=message_id), missing="" if message_id == "msg_2" else "webhook-id")


def test_the_header_of_another_message_does_not_sign_this_one() -> None:
    other = sign(SECRET, "msg_2", NOW, BODY)

    refused(signed(webhook_signature=other["webhook-signature"]))
