"""A card as a vCard 4.0 (RFC 6350)."""

from collections.abc import Iterator

from cardstock.cards.model import OpenedCard

_FOLD_AT = 75


def vcard_of(opened: OpenedCard, url: str) -> str:
    """The vCard of an opened card; `url` is its public page. Text is escaped, lines are folded at 75 octets."""
    face = opened.face
    lines = ["BEGIN:VCARD", "VERSION:4.0", f"FN:{_text(face.name)}"]
    for name, value in (
        ("ORG", face.company),
        ("TITLE", face.title),
        ("NOTE", face.intro),
        ("EMAIL", face.email),
        ("X-WECHAT", face.wechat),
    ):
        if value:
            lines.append(f"{name}:{_text(value)}")
    if face.phone:
        lines.append(f"TEL;VALUE=uri;TYPE=cell:tel:{face.phone.replace(' ', '-')}")
    if face.address:
        # Of the seven parts of an address the third is the street; people write theirs in one piece.
        lines.append(f"ADR:;;{_text(face.address)};;;;")
    if face.website:
        lines.append(f"URL:{face.website}")
    if face.tags:
        lines.append("CATEGORIES:" + ",".join(_text(tag) for tag in face.tags))
    lines += [
        f"SOURCE:{url}",
        f"UID:urn:cardstock:{opened.card.key}",
        f"REV:{opened.card.updated_at.strftime('%Y%m%dT%H%M%SZ')}",
        "END:VCARD",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, every one but the first led by a space; no character is cut."""
    piece = ""
    for letter in line:
        if len((piece + letter).encode()) > _FOLD_AT:
            yield piece
            piece = " "
        piece += letter
    yield piece
