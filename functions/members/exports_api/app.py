"""HTTP: a member asks for all that is stored of the own person, as one file."""

from cardstock.aws.tables import connect
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.members import export_schemas as schemas
from cardstock.members.exports import ask_export, find_export, list_exports
from cardstock.members.wiring import export_files, export_queue, exports, members, merges
from cardstock.partners.wiring import callers

api = Api("exports", callers=callers)


@api.post(
    "/v1/me/exports", answer=schemas.AskedExport, status=202, auth="member", idempotent=True,
    codes=schemas.ASKING_CODES,
)  # fmt: skip
def ask_for_export(request: Request[Nothing, Nothing]) -> Answer:
    """Ask for a file with everything that is stored of the member, and of the accounts merged with this one.

    It is JSON, in the language of the request, has what was stored at `as_of`, and is ready within minutes.
    Five new ones a day (`TOO_MANY`); a repeat of a request is none.
    """
    made = ask_export(request.caller.id, request.language, request.key, exports=exports(), queue=export_queue())
    return Answer(schemas.AskedExport.of(made.made), replayed=made.replayed)


@api.get("/v1/me/exports/{export_id}", answer=schemas.ExportWithLink, auth="member", codes=schemas.READING_CODES)
def get_export(request: Request[Nothing, Nothing]) -> schemas.ExportWithLink:
    """Read how an export stands, and get a link to its file, which is good for a quarter of an hour."""
    member_id, export_id = request.caller.id, request.path["export_id"]
    found = find_export(
        member_id, export_id, members=members(), merges=merges(), exports=exports(), files=export_files()
    )
    return schemas.ExportWithLink.with_link(found)


@api.get("/v1/me/exports", answer=schemas.ExportList, auth="member", codes=schemas.LISTING_CODES)
def list_own_exports(request: Request[Nothing, Nothing]) -> schemas.ExportList:
    """List the member's exports of the last thirty days, newest first."""
    return schemas.ExportList.of(list_exports(request.caller.id, members=members(), merges=merges(), exports=exports()))


handler = api.handler
connect()
