"""Uploads as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Final

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.fields import Moment
from cardstock.edge.http import LINE, Model
from cardstock.errors import MEMBER_ERASED, NOT_FOUND, TOO_MANY
from cardstock.uploads import errors
from cardstock.uploads.asking import AskedUpload, WantedUpload
from cardstock.uploads.model import MAX_NAME, Purpose, UploadState
from cardstock.uploads.reading import UploadStanding

ASKING_CODES: Final = (
    MEMBER_ERASED,
    errors.UPLOAD_PURPOSE_REFUSED,
    errors.UPLOAD_TYPE_REFUSED,
    errors.PICTURE_IS_HEIC,
    errors.UPLOAD_TOO_LARGE,
    TOO_MANY,
)
READING_CODES: Final = (MEMBER_ERASED, NOT_FOUND)
_FORM_URL: Final = "https://s3.ap-east-1.amazonaws.com/cardstock-uploadfiles"

UploadId = Annotated[
    str, Meta(description="Opaque id of an upload; starts with `upl_`.", examples=["upl_01kbdxdh50fcazdjhcnqh2rzv5"])
]
UploadPurpose = Annotated[
    Purpose,
    Meta(
        description="Staff and suppliers: `product_image`, `product_file` (PDF), `import` (CSV or XLSX). Members: "
        "`after_sale`, `chat`, `card`."
    ),
]
ContentType = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+\Z",
        description="Media type of the file: pictures are `image/jpeg`, `image/png`, `image/webp` or `image/gif`.",
        examples=["image/jpeg"],
    ),
]


class AskUpload(Model):
    """What shall be uploaded."""

    purpose: UploadPurpose
    content_type: ContentType
    size: Annotated[
        int,
        Meta(ge=1, le=20_971_520, description="Bytes of the file; the form takes no more.", examples=[2_690_988]),
    ]
    name: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=MAX_NAME,
                pattern=LINE,
                description="Name under which a document is saved, with the ending of its type; pictures need none.",
                examples=["manual.pdf"],
            ),
        ]
        | None
    ) = None

    def wanted(self) -> WantedUpload:
        """What is wanted, for `ask_upload`."""
        return WantedUpload(self.purpose, self.content_type, self.size, (self.name or "").strip())


class UploadForm(Model):
    """The form that takes the file: a POST of `multipart/form-data` with these fields first, then the file in the
    field `file`. It is signed: another key, media type or more bytes are refused."""

    upload_id: UploadId
    url: Annotated[str, Meta(description="Where the form is posted.", examples=[_FORM_URL])]
    fields: Annotated[
        dict[str, str],
        Meta(
            description="Fields of the form, which go before the file. Give them to nobody.",
            examples=[{"key": "incoming/after_sale/upl_01kbdxdh50fcazdjhcnqh2rzv5", "Content-Type": "image/jpeg"}],
        ),
    ]
    expires_at: Annotated[Moment, Meta(description="Until when the form takes the file.")]

    @classmethod
    def of(cls, asked: AskedUpload) -> UploadForm:
        """The form of an upload."""
        return cls(asked.upload.id, asked.form.url, dict(asked.form.fields), rfc3339(asked.upload.form_ends))


class UploadRefusal(Model):
    """Why a file was refused."""

    code: Annotated[str, Meta(description="Stable code.", examples=["NOT_A_PICTURE"])]
    detail: Annotated[
        str,
        Meta(
            description="For people, in the language of the request.",
            examples=["The content is no JPEG, PNG, WebP or GIF picture."],
        ),
    ]


class UploadedFile(Model):
    """One file of an upload. A picture has three, by their longest sides."""

    link: Annotated[
        str,
        Meta(
            description="Where it can be read: for a quarter of an hour, by anybody who has the link; for good once "
            "its product is published.",
            examples=["https://example.com/files/upl_01kbdxdh50fcazdjhcnqh2rzv5/800.webp"],
        ),
    ]
    width: Annotated[int | None, Meta(description="Pixels; null for what is no picture.", examples=[800])]
    height: Annotated[int | None, Meta(description="Pixels; null for what is no picture.", examples=[600])]


class UploadView(Model):
    """An upload, and what became of it."""

    upload_id: UploadId
    purpose: UploadPurpose
    state: Annotated[
        UploadState,
        Meta(
            description="`asked`: the file has not come; `received`: it is being read, usually for seconds; `ready`; "
            "`refused`: ask for another upload."
        ),
    ]
    content_type: ContentType
    name: Annotated[str, Meta(description="Name that was given; empty without one.", examples=["manual.pdf"])]
    asked_at: Annotated[Moment, Meta(description="When it was asked for.")]
    refusal: Annotated[UploadRefusal | None, Meta(description="Why it was refused; null otherwise.")]
    files: Annotated[list[UploadedFile], Meta(description="Its files, the largest first; empty unless it is ready.")]

    @classmethod
    def of(cls, standing: UploadStanding, language: str) -> UploadView:
        """An upload as it stands."""
        upload = standing.upload
        refusal = errors.CONTENT.get(upload.refused)
        sizes: list[tuple[int | None, int | None]] = [(each.width, each.height) for each in upload.pictures]
        return cls(
            upload_id=upload.id,
            purpose=upload.purpose,
            state=upload.state,
            content_type=upload.content_type,
            name=upload.name,
            asked_at=rfc3339(upload.asked_at),
            refusal=UploadRefusal(refusal.code, refusal.en if language == "en" else refusal.zh) if refusal else None,
            files=[
                UploadedFile(link, *size)
                for link, size in zip(standing.links, sizes or [(None, None)], strict=bool(standing.links))
            ],
        )
