"""Refusals of the uploads area."""

from collections.abc import Mapping
from typing import Final

from cardstock.errors import Refusal, conflict, forbidden, invalid

UPLOAD_PURPOSE_REFUSED: Final = forbidden(
    "UPLOAD_PURPOSE_REFUSED",
    zh="您不能为该用途上传文件。",
    en="You may not upload files for this purpose.",
    about=("purpose",),
)
UPLOAD_TYPE_REFUSED: Final = invalid(
    "UPLOAD_TYPE_REFUSED",
    zh="该用途只接受以下类型：{types}。",
    en="This purpose takes these types only: {types}.",
    about=("content_type",),
)
UPLOAD_TOO_LARGE: Final = invalid(
    "UPLOAD_TOO_LARGE",
    zh="文件超过 {most} 字节。",
    en="The file has more than {most} bytes.",
    about=("size",),
)
UPLOAD_UNKNOWN: Final = invalid(
    "UPLOAD_UNKNOWN",
    zh="没有该上传文件，或其上传者、用途与此处不符。",
    en="There is no such upload for this purpose by the product's supplier or by staff.",
)
UPLOAD_NOT_READY: Final = conflict(
    "UPLOAD_NOT_READY",
    zh="上传的文件尚未处理完成，或已被拒绝。",
    en="The uploaded file is not ready yet, or was refused.",
)

NOT_A_PICTURE: Final = invalid(
    "NOT_A_PICTURE",
    zh="文件内容不是 JPEG、PNG、WebP 或 GIF 图片。",
    en="The content is no JPEG, PNG, WebP or GIF picture.",
)
PICTURE_IS_HEIC: Final = invalid(
    "PICTURE_IS_HEIC",
    zh="不支持 HEIC 图片，请先转换为 JPEG。",
    en="HEIC pictures are not taken; turn it into a JPEG first.",
    about=("content_type",),
)
TOO_MANY_PIXELS: Final = invalid(
    "TOO_MANY_PIXELS",
    zh="图片超过五千万像素，请缩小后再上传。",
    en="The picture has more than 50 million pixels; make it smaller.",
)
PICTURE_UNREADABLE: Final = invalid(
    "PICTURE_UNREADABLE", zh="图片已损坏或不完整。", en="The picture is broken or incomplete."
)
PICTURE_TOO_HARD: Final = invalid(
    "PICTURE_TOO_HARD",
    zh="图片无法在限定的时间和内存内处理。",
    en="The picture cannot be read within the time and memory for one.",
)
NOT_A_PDF: Final = invalid("NOT_A_PDF", zh="文件内容不是完整的 PDF。", en="The content is no complete PDF.")
NOT_A_TABLE: Final = invalid(
    "NOT_A_TABLE",
    zh="文件内容不是 CSV（UTF-8 或 GB18030）或 XLSX 表格。",
    en="The content is no CSV (UTF-8 or GB18030) and no XLSX table.",
)
UPLOAD_REPLACED: Final = invalid(
    "UPLOAD_REPLACED",
    zh="文件在处理前被另一个文件覆盖，请重新上传。",
    en="Another file was sent in its place before it was read; upload it anew.",
)

CONTENT: Final[Mapping[str, Refusal]] = {
    each.code: each
    for each in (
        NOT_A_PICTURE,
        PICTURE_IS_HEIC,
        TOO_MANY_PIXELS,
        PICTURE_UNREADABLE,
        PICTURE_TOO_HARD,
        NOT_A_PDF,
        NOT_A_TABLE,
        UPLOAD_REPLACED,
    )
}
"""Why a file that arrived was refused, by code."""
