"""Asking for the form that takes a file."""

import msgspec
from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import IDEMPOTENCY_KEY_REUSED
from cardstock.ids import RequestKey, RequestResult, derived_id
from cardstock.uploads import errors
from cardstock.uploads.model import CONTENTS, HEIC, MAX_NAME, PURPOSES, Purpose, Upload, incoming_key
from cardstock.uploads.ports import Form, UploadFiles, Uploads


class Asker(msgspec.Struct, frozen=True):
    """Who asks: for whom (a member id, a supplier id or `staff`), and who acts."""

    owner: str
    actor: str
    is_member: bool


class WantedUpload(msgspec.Struct, frozen=True):
    """What shall be uploaded; `size` in bytes."""

    purpose: Purpose
    content_type: str
    size: int
    name: str = ""


class AskedUpload(msgspec.Struct, frozen=True):
    """An upload, and the form that takes its file."""

    upload: Upload
    form: Form


def ask_upload(
    asker: Asker, wanted: WantedUpload, request: RequestKey, *, uploads: Uploads, files: UploadFiles
) -> RequestResult[AskedUpload]:
    """Keep that a file will come, and sign the form that takes it. A repeat of the request is the same upload, whose
    form ends when it did.

    The name gets the ending of the media type, if it has another one.

    Raises `ForbiddenError` (UPLOAD_PURPOSE_REFUSED), `InvalidError` (UPLOAD_TYPE_REFUSED, PICTURE_IS_HEIC,
    UPLOAD_TOO_LARGE), IDEMPOTENCY_KEY_REUSED, `ThrottledError` (TOO_MANY).
    """
    terms = PURPOSES[wanted.purpose]
    if terms.of_members != asker.is_member:
        raise errors.UPLOAD_PURPOSE_REFUSED()
    types = CONTENTS[terms.content].types
    if wanted.content_type in HEIC and terms.content == "picture":
        raise errors.PICTURE_IS_HEIC()
    if wanted.content_type not in types:
        raise errors.UPLOAD_TYPE_REFUSED(types=", ".join(types))
    if wanted.size > terms.most_bytes:
        raise errors.UPLOAD_TOO_LARGE(most=terms.most_bytes)
    wanted = replace(wanted, name=_with_ending(wanted.name, types[wanted.content_type]))
    upload = Upload(
        derived_id("upl", request.id), asker.owner, asker.actor, wanted.purpose, wanted.content_type, wanted.size,
        clock.now(), wanted.name,
    )  # fmt: skip
    known = uploads.add(upload)
    if WantedUpload(known.purpose, known.content_type, known.size, known.name) != wanted:
        raise IDEMPOTENCY_KEY_REUSED()
    left = int((known.form_ends - clock.now()).total_seconds())
    form = files.form(incoming_key(known.purpose, known.id), known.content_type, known.size, max(1, left))
    return RequestResult(AskedUpload(known, form), replayed=known is not upload)


def _with_ending(name: str, ending: str) -> str:
    """The name with the ending of what the file is: whoever saves and opens it runs nothing."""
    right = f".{ending}"
    return name if not name or name.lower().endswith(right) else name[: MAX_NAME - len(right)] + right
