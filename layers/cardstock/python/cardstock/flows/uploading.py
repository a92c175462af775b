"""Uploads of members: nobody uploads for, or reads by, an account that is closed."""

from collections.abc import Callable

from cardstock.ids import RequestKey, RequestResult
from cardstock.members.ports import Members
from cardstock.members.profile import find_caller
from cardstock.uploads.asking import AskedUpload, Asker, WantedUpload
from cardstock.uploads.asking import ask_upload as ask
from cardstock.uploads.model import Upload
from cardstock.uploads.ports import UploadFiles, Uploads
from cardstock.uploads.reading import Reader, UploadStanding
from cardstock.uploads.reading import find_upload as find


def ask_upload(
    asker: Asker, wanted: WantedUpload, request: RequestKey, *, members: Members, uploads: Uploads, files: UploadFiles
) -> RequestResult[AskedUpload]:
    """`uploads.asking.ask_upload`. Raises `UnauthorizedError` (MEMBER_ERASED) for a closed account."""
    if asker.is_member:
        find_caller(asker.owner, members=members)
    return ask(asker, wanted, request, uploads=uploads, files=files)


def find_upload(
    reader: Reader, upload_id: str, *, members: Members, uploads: Uploads, files: UploadFiles, host: str
) -> UploadStanding:
    """`uploads.reading.find_upload`. Raises `UnauthorizedError` (MEMBER_ERASED) for a closed account: it gets no new
    links. A link that it got before ends within a quarter of an hour, or when the files are erased."""
    if reader.is_member:
        find_caller(reader.owner, members=members)
    return find(reader, upload_id, uploads=uploads, files=files, host=host)


def owner_is_there(members: Members) -> Callable[[Upload], bool]:
    """Whether the owner of an upload still is: a member whose account is not closed, staff or a supplier always."""

    def is_there(upload: Upload) -> bool:
        if not upload.terms.of_members:
            return True
        member = members.find_member(upload.owner)
        return member is not None and member.state != "erased"

    return is_there
