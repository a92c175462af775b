"""Reading what a client sends: bodies and queries, typed, or refused with the field that is wrong.

Everything that reads a client's bytes is here, so that nothing a client sends gives a 5xx.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from cardstock import errors
from cardstock.edge import errors as edge_errors

MAX_BODY_BYTES: Final = 256 * 1024

# NUL, lone surrogates, and the bidirectional controls that make a text read differently from what it is.
_FORBIDDEN_TEXT: Final = re.compile("[\x00\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_POINTER: Final = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")


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


def decode(decoder: Any, content: bytes) -> Any:
    """`content` decoded by a msgspec decoder. Raises `InvalidError` with the field that is wrong."""
    try:
        text = content.decode()
        # Escapes hide characters from a check of the raw text. This path is slow and rare.
        if "\\u" in text or text_fault(text) is not None:
            for pointer, string in _strings(msgspec.json.decode(content), ""):
                fault = text_fault(string)
                if fault is not None:
                    raise errors.BODY_INVALID(pointers=(errors.Pointer(pointer, f"TEXT_{fault}"),))
        return decoder.decode(content)
    except UnicodeError as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "ENCODING"),)) from error
    except msgspec.ValidationError as error:
        raise errors.BODY_INVALID(pointers=(_pointer(str(error)),)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.BODY_INVALID(pointers=(errors.Pointer("", "JSON"),)) from error


def _strings(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Every string with its pointer (RFC 6901); a field's name has the pointer of its object."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield pointer, name
            yield from _strings(item, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")


def text_fault(text: str) -> str | None:
    """Why a text cannot be stored and compared: it has control characters, or is not NFC. None if it can."""
    if _FORBIDDEN_TEXT.search(text):
        return "CONTROL_CHARACTER"
    return None if unicodedata.is_normalized("NFC", text) else "NOT_NFC"


def _pointer(message: str) -> errors.Pointer:
    found = _POINTER.search(message)
    path = found["path"] if found else ""
    pointer = re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", path.replace(".", "/")).replace("/.../", "/").replace("///", "/")
    if "unknown field" in message:
        code = "UNKNOWN_FIELD"
    elif "missing required field" in message:
        code = "MISSING"
    elif message.startswith("Expected `") and ", got " in message:
        code = "WRONG_TYPE"
    else:
        code = "OUT_OF_RANGE"
    name = re.search(r"field `([^`]*)`", message)
    if name and code in ("UNKNOWN_FIELD", "MISSING"):
        pointer = f"{pointer}/{name[1]}"
    return errors.Pointer(pointer, code)


def decode_query(kind: type, event: dict[str, Any]) -> Any:
    """The query parameters as a `kind`. Raises `InvalidError` with the parameter that is wrong."""
    values = event.get("queryStringParameters") or {}
    for name, value in values.items():
        fault = text_fault(value)
        if fault is not None:
            raise errors.QUERY_INVALID(pointers=(errors.Pointer(f"#query/{name}", f"TEXT_{fault}"),))
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        found = _pointer(str(error))
        raise errors.QUERY_INVALID(pointers=(errors.Pointer("#query" + found.pointer, found.code),)) from error
