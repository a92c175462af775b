"""What a file is, by its content: the media type that was asked for and the name decide nothing."""

import io
import zipfile
from typing import Final

_PDF: Final = b"%PDF-"
_PDF_ENDS_WITHIN: Final = 1024
_ZIP: Final = b"PK\x03\x04"
_SHEET: Final = frozenset({"[Content_Types].xml", "xl/workbook.xml"})
_MOST_UNPACKED: Final = 200 << 20
_MOST_PARTS: Final = 2_000


def is_pdf(content: bytes) -> bool:
    """Whether it begins as a PDF at its first byte and has a PDF's end."""
    return content.startswith(_PDF) and b"%%EOF" in content[-_PDF_ENDS_WITHIN:]


def table_type(content: bytes) -> str:
    """`csv`, `xlsx`, or empty for what is neither. It reads no part of a workbook; the sizes that the parts declare
    are bounded, and whoever unpacks them holds to those."""
    if content.startswith(_ZIP):
        return "xlsx" if _is_workbook(content) else ""
    return "csv" if _is_text(content) else ""


def _is_workbook(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False
    names = {part.filename for part in parts}
    encrypted = any(part.flag_bits & 1 for part in parts)
    small = len(parts) <= _MOST_PARTS and sum(part.file_size for part in parts) <= _MOST_UNPACKED
    return names >= _SHEET and len(names) == len(parts) and small and not encrypted


def _is_text(content: bytes) -> bool:
    if b"\x00" in content or content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b""):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return not any(letter < " " and letter not in "\t\r\n" for letter in text)
    return False
