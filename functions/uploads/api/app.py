"""HTTP: members, staff and suppliers ask for uploads, and see what became of them."""

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.edge.callers import STAFF
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring, uploading
from cardstock.members.wiring import members
from cardstock.uploads import schemas
from cardstock.uploads.asking import Asker
from cardstock.uploads.reading import Reader
from cardstock.uploads.wiring import files_host, upload_files, uploads

api = Api("uploads", callers=callers_wiring.callers, staff=callers_wiring.staff_record, answers=DynamoAnswers)


@api.post(
    "/v1/uploads", body=schemas.AskUpload, answer=schemas.UploadForm, status=201, auth="any", scope="catalog:write",
    concerns=nobody, idempotent=True, first_answer="stored", codes=schemas.ASKING_CODES,
)  # fmt: skip
def ask_for_upload(request: Request[schemas.AskUpload, Nothing]) -> Answer:
    """Ask for a form that takes one file.

    The file is posted to the store of files, not to this API, within ten minutes. Members upload 60 files a day, staff
    together and each supplier 5,000 (`TOO_MANY`). Pictures are made anew in three sizes, upright and without place,
    camera or other data that was beside the pixels.
    """
    caller = request.caller
    asker = Asker(caller.owner, caller.actor, caller.kind == "member")
    asked = uploading.ask_upload(
        asker, request.body.wanted(), request.key, members=members(), uploads=uploads(), files=upload_files()
    )
    return Answer(schemas.UploadForm.of(asked.made), replayed=asked.replayed)


@api.get("/v1/uploads/{upload_id}", answer=schemas.UploadView, auth="any", scope="catalog:write",
         codes=schemas.READING_CODES)  # fmt: skip
def get_upload(request: Request[Nothing, Nothing]) -> schemas.UploadView:
    """Read what became of an upload, with links to its files.

    Its owner; staff also those of suppliers."""
    return _standing(request)


@api.get("/v1/headquarters/uploads/{upload_id}", answer=schemas.UploadView, auth="key", scope="orders:refund",
         codes=(NOT_FOUND,))  # fmt: skip
def get_members_upload(request: Request[Nothing, Nothing]) -> schemas.UploadView:
    """Read a picture that a member has sent for an after-sale or in a chat."""
    return _standing(request)


def _standing(request: Request[Nothing, Nothing]) -> schemas.UploadView:
    caller = request.caller
    reader = Reader(caller.owner, caller.scopes, caller.kind == "member", caller.owner == STAFF)
    found = uploading.find_upload(
        reader, request.path["upload_id"], members=members(), uploads=uploads(), files=upload_files(),
        host=files_host(),
    )  # fmt: skip
    return schemas.UploadView.of(found, request.language)


handler = api.handler
connect()
