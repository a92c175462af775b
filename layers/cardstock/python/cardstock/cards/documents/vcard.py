"""A card as a vCard 3.0 (RFC 2426), the version that telephones import."""

import re
from collections.abc import Iterator
from typing import Final

from cardstock.cards.documents.names import name_parts
from cardstock.cards.model import OpenedCard
from cardstock.texts import lines_of, one_line

_FOLD_AT: Final = 75
_MOBILE: Final = r"(?:\+86|0086)?1[3-9][0-9]{9}"


def vcard_of(opened: OpenedCard, url: str) -> str:
    """The vCard of an opened card; `url` is its public page. Text is escaped, lines are folded at 75 octets."""
    face = opened.face
    number, extension = dialled(face.phone)
    notes = lines_of(face.intro)
    # No telephone dials an extension that stands in the number, and none shows a property of ours.
    notes += [f"{number} 转 {extension}"] if extension else []
    notes += [f"微信 WeChat: {one_line(face.wechat)}"] if face.wechat else []
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{';'.join(_text(part) for part in name_parts(face.name))};;;",
        f"FN:{_text(face.name)}",
    ]
    for name, value in (("ORG", face.company), ("TITLE", face.title), ("X-WECHAT", face.wechat)):
        if clean := _text(value):
            lines.append(f"{name}:{clean}")
    if number:
        lines.append(f"TEL;TYPE={'CELL' if re.fullmatch(_MOBILE, number) else 'WORK'}:{number}")
    if face.email:
        lines.append(f"EMAIL;TYPE=INTERNET:{_text(face.email)}")
    if address := _text(face.address):
        # Of the seven parts of an address the third is the street; people write theirs in one piece.
        lines.append(f"ADR;TYPE=WORK:;;{address};;;;")
    if face.website:
        lines.append(f"URL:{one_line(face.website)}")
    if notes:
        lines.append("NOTE:" + "\\n".join(_text(note) for note in notes))
    if face.tags:
        lines.append("CATEGORIES:" + ",".join(_text(tag) for tag in face.tags))
    lines += [
        f"SOURCE:{url}",
        f"UID:urn:cardstock:{opened.card.key}",
        f"REV:{opened.card.updated_at.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        "END:VCARD",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def dialled(phone: str) -> tuple[str, str]:
    """The digits of a number as it is dialled, with a leading `+` if it has one, and its extension or `""`."""
    number, _, extension = one_line(phone).partition("转")
    return re.sub("[^0-9+]", "", number), extension


def _text(value: str) -> str:
    return one_line(value).replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, every one but the first led by a space; no character is cut."""
    piece = ""
    for letter in line:
        if len((piece + letter).encode()) > _FOLD_AT:
            yield piece
            piece = " "
        piece += letter
    yield piece
