"""WeChat's message push to the server of a mini-program (消息推送): genuine messages, and what they say.

| What comes | Here |
|---|---|
| `GET ?signature&timestamp&nonce&echostr` | somebody saves the address in WeChat's console: answered with `echostr` |
| `POST ?signature&timestamp&nonce` | plain mode: the event in JSON or XML |
| `POST ...&encrypt_type=aes&msg_signature` | safe and mixed mode: `Encrypt` has the event, and the app it is for |

`signature` is the SHA-1 of token, timestamp and nonce, sorted; `msg_signature` covers `Encrypt` as well. The first says
nothing about the body: in plain mode whoever has one address with its signature can write any event for five minutes.
So a mini-program with an EncodingAESKey is in safe mode, and a body without `Encrypt` is a forgery; in mixed mode the
plain part beside it is not read.

Source: developers.weixin.qq.com: message-push (its example of a signature is a test here), encryption (消息加解密说明).
Not confirmed: that a repeat has the timestamp of its first attempt; both work within five minutes.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from xml.parsers import expat

import msgspec
from msgspec import Meta

from cardstock import clock
from cardstock.clock import rfc3339
from cardstock.errors import SIGNATURE_INVALID, SIGNATURE_MISSING, SIGNATURE_STALE

TOLERANCE: Final = timedelta(minutes=5)
_ROOT: Final = "xml"


class PushApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mini-program's Token and, in safe or mixed mode, its EncodingAESKey, from the console."""

    token: Annotated[str, Meta(min_length=3, max_length=32)]
    key: Annotated[str, Meta(pattern=r"^([A-Za-z0-9]{43})?\Z")] = ""


class PushQuery(msgspec.Struct, frozen=True):
    """The parameters of the address."""

    signature: str = ""
    timestamp: str = ""
    nonce: str = ""
    msg_signature: str = ""
    echostr: str = ""


def check_address(app: PushApp, query: PushQuery) -> str:
    """What WeChat wants to read from the address: `echostr`.

    Raises `UnauthorizedError` SIGNATURE_MISSING, SIGNATURE_INVALID or SIGNATURE_STALE.
    """
    _check(query, "signature", app.token)
    return query.echostr


def open_push(app_id: str, app: PushApp, query: PushQuery, raw: bytes) -> dict[str, Any]:
    """The fields of a genuine message: texts in XML, texts and numbers in JSON.

    Raises `UnauthorizedError` as `check_address` does, also for a message to another app, and ValueError for a genuine
    one that cannot be read: with another key, or of another form.
    """
    _check(query, "signature", app.token)
    if not app.key:
        return _fields(raw)
    # Until the second signature is checked, nobody vouches for the body: all that is wrong with it is a forgery.
    try:
        encrypted = _fields(raw).get("Encrypt")
    except ValueError:
        raise SIGNATURE_INVALID() from None
    if not isinstance(encrypted, str) or not encrypted:
        raise SIGNATURE_INVALID()
    _check(query, "msg_signature", app.token, encrypted)
    from cardstock.platforms.keys import EnvelopeKey  # plain mode, and forgeries, do without

    key = base64.b64decode(app.key + "=")
    message, receiver = EnvelopeKey(key).open(encrypted, key[:16])
    if receiver != app_id:
        raise SIGNATURE_INVALID()
    return _fields(message)


def _check(query: PushQuery, name: str, *signed: str) -> None:
    given = getattr(query, name)
    for needed in ("timestamp", "nonce", name):
        if not getattr(query, needed):
            raise SIGNATURE_MISSING(header=needed)
    text = "".join(sorted((query.timestamp, query.nonce, *signed)))
    # The algorithm is WeChat's choice.
    wanted = hashlib.sha1(text.encode(errors="replace")).hexdigest()  # noqa: S324
    stamp = query.timestamp
    known = stamp.isascii() and stamp.isdigit() and len(stamp) < 12
    if not known or not hmac.compare_digest(wanted.encode(), given.encode(errors="replace")):
        raise SIGNATURE_INVALID()
    at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(at - clock.now()) > TOLERANCE:
        raise SIGNATURE_STALE(sent_at=rfc3339(at), shop_time=rfc3339(clock.now()))


def _fields(raw: bytes) -> dict[str, Any]:
    """The members of a JSON object or of `<xml>`. Raises ValueError for anything else."""
    if raw.lstrip()[:1] == b"<":
        return _xml_fields(raw)
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError("no JSON") from error
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


def _xml_fields(raw: bytes) -> dict[str, Any]:
    """The texts of the elements in `<xml>`; of one with elements of its own, all of its text. Without a document type:
    its entities could grow without end."""
    found: dict[str, str] = {}
    path: list[str] = []

    def start(name: str, _attributes: object) -> None:
        path.append(name)
        if path[0] != _ROOT or len(path) > 16:
            raise ValueError("no message")
        if len(path) == 2:
            found[name] = ""

    def text(content: str) -> None:
        if len(path) > 1:
            found[path[1]] += content

    def refuse(*_declared: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: path.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise ValueError("no XML") from error
    return found
