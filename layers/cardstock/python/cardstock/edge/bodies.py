"""Reading what a client sends: bodies and queries, their text normalised, typed, or refused with the field that is
wrong.

Everything that reads a client's bytes is here, so that nothing a client sends gives a 5xx. Why a body is refused is
worked out by `faults`, which is imported for refusals alone.
"""

import base64
import binascii
import re
import unicodedata
from functools import cache
from typing import Any, Final

import msgspec

from cardstock import errors
from cardstock.edge import errors as edge_errors
from cardstock.texts import CONTROLS, INVISIBLE, narrow, normalise

MAX_BODY_BYTES: Final = 256 * 1024
BYTE_ORDER_MARK: Final = "\ufeff"

CODES: Final = frozenset({
    "sku", "product_id", "ids", "shelf", "for", "coupon", "invite", "inviter", "key", "code", "carrier", "tracking_no",
    "wechat", "email", "freight_template",
})  # fmt: skip
"""Members of bodies, parameters of queries and parts of paths that hold a code, or several: full-width letters, digits
and signs in them are narrowed before anything else looks at them."""
_WIDE: Final = "\uff0d\uff0e\uff10-\uff19\uff20-\uff3a\uff3f\uff41-\uff5a"

_REFUSED_TEXT: Final = re.compile("[\x00\ud800-\udfff]")


def raw_body(event: dict[str, Any]) -> bytes:
    """The bytes that the client sent.

    Raises `TooLargeError` before anything is parsed, `InvalidError` on wrong base64.
    """
    body = event.get("body") or ""
    if len(body) > MAX_BODY_BYTES * (4 / 3 if event.get("isBase64Encoded") else 1) + 4:
        raise edge_errors.BODY_TOO_LARGE()
    try:
        content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, ValueError) as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "ENCODING"),)) from error
    if len(content) > MAX_BODY_BYTES:
        raise edge_errors.BODY_TOO_LARGE()
    return content


def clean_json(content: bytes) -> bytes:
    """JSON with every text normalised (`texts.normalise`) and no byte-order mark; names of members stay.

    A body without anything to change comes back as it is, and costs one pass of a pattern. Raises `InvalidError` for
    bytes that are no UTF-8, and for texts with NUL or half of a surrogate pair. Other JSON is not judged here.
    """
    try:
        text = content.decode().removeprefix(BYTE_ORDER_MARK)
    except UnicodeError as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "ENCODING"),)) from error
    if _clean_document().fullmatch(text) and (text.isascii() or unicodedata.is_normalized("NFC", text)):
        return content.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.encode(_cleaned(msgspec.json.decode(text), ""))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return text.encode()  # the typed decoder says what is wrong


def decode(decoder: Any, content: bytes) -> Any:
    """`content`, made clean, decoded by a msgspec decoder. Raises `InvalidError` with the fields that are wrong."""
    return decode_clean(decoder, clean_json(content))


def decode_clean(decoder: Any, content: bytes) -> Any:
    """What `clean_json` returned, decoded. Raises like `decode`."""
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        from cardstock.edge.faults import faults_in_body

        raise errors.BODY_INVALID(pointers=faults_in_body(decoder, content, str(error))) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "JSON"),)) from error


def meaning_of(body: msgspec.Struct) -> bytes:
    """A decoded body as JSON that is equal for equal bodies: without members that have their defaults, sorted.

    Left out rather than filled in: a member that a later release adds does not change what was stored before.
    """
    return msgspec.json.encode(_without_defaults(body), order="deterministic")


def _without_defaults(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        config = type(value).__struct_config__
        tag = {} if config.tag is None else {config.tag_field: config.tag}
        said = {field.encode_name: getattr(value, field.name) for field in _fields_of(type(value))}
        defaults = {field.encode_name: _default_of(field) for field in _fields_of(type(value))}
        return tag | {name: _without_defaults(one) for name, one in said.items() if one != defaults[name]}
    if isinstance(value, list | tuple):
        return [_without_defaults(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_defaults(one) for name, one in value.items()}
    return value


@cache
def _fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def decode_query(kind: type, event: dict[str, Any]) -> Any:
    """The query parameters as a `kind`, their text normalised. Raises `InvalidError` with the parameter that is wrong.

    A GET ignores parameters that `kind` does not declare: links are shared, and platforms add to them.
    """
    values = event.get("queryStringParameters") or {}
    if values and event["httpMethod"] == "GET":
        values = {name: values[name] for name in kind.__struct_encode_fields__ if name in values}  # type: ignore[attr-defined]
    try:
        return msgspec.convert({name: clean_text(value, name) for name, value in values.items()}, kind, strict=False)
    except ValueError as error:
        from cardstock.edge.faults import fault_in_query

        raise errors.QUERY_INVALID(pointers=(fault_in_query(kind, values, str(error)),)) from error


def pointers_about(refusal: errors.Refusal, event: dict[str, Any]) -> tuple[errors.Pointer, ...]:
    """A pointer at the first of the members that the refusal is about and that were sent; none if none was."""
    try:
        sent = msgspec.json.decode(raw_body(event).removeprefix(BYTE_ORDER_MARK.encode()))
    except (errors.CardstockError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return ()
    named = [name for name in refusal.about if isinstance(sent, dict) and name in sent]
    return tuple(errors.Pointer(f"/{errors.escape(name)}", refusal.code) for name in named[:1])


def clean_text(text: str, name: str = "") -> str:
    """`text` normalised, and narrowed if `name` is that of a code. Raises ValueError if it has a character that no text
    may have."""
    if _REFUSED_TEXT.search(text):
        raise ValueError("TEXT_CONTROL_CHARACTER")
    return narrow(normalise(text)) if name in CODES else normalise(text)


@cache
def _clean_document() -> "re.Pattern[str]":
    """Matches JSON whose texts begin and end with no blank, have no escape but of quotes, slashes and line ends, and
    nothing to remove, to replace or to narrow.

    Possessive, so that a text is looked at once.
    """
    unclean = f"{INVISIBLE}{CONTROLS}{_WIDE}"
    inner = rf'(?:[^"\\{unclean}]++|\\["\\/nr])*+'
    return re.compile(rf'(?:[^"{unclean}]++|"(?!\s|\\[nr]){inner}(?<!\s)(?<!\\[nr])")*+')


def _cleaned(value: Any, pointer: str, name: str = "") -> Any:
    if isinstance(value, str):
        try:
            return clean_text(value, name)
        except ValueError as error:
            raise errors.BODY_INVALID(pointers=(errors.Pointer(pointer, str(error)),)) from error
    if isinstance(value, list):
        return [_cleaned(item, f"{pointer}/{index}", name) for index, item in enumerate(value)]
    if isinstance(value, dict):
        for member in value:
            if _REFUSED_TEXT.search(member):
                raise errors.BODY_INVALID(pointers=(errors.Pointer(pointer, "TEXT_CONTROL_CHARACTER"),))
        return {each: _cleaned(item, f"{pointer}/{errors.escape(each)}", each) for each, item in value.items()}
    return value
