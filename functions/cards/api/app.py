"""HTTP: cards, their shares, their views, and the public page."""

from cardstock.attribution import sign_attribution
from cardstock.aws.tables import connect
from cardstock.cards import documents as card_documents
from cardstock.cards import schemas as models
from cardstock.cards import service, tickets
from cardstock.cards import wiring as cards_wiring
from cardstock.cards.model import View
from cardstock.clock import process_clock
from cardstock.edge import errors
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.errors import NOT_FOUND, NotFoundError
from cardstock.members import wiring as members_wiring
from cardstock.partners import wiring as partners_wiring

api = Api("cards", callers=partners_wiring.callers)


@api.post("/v1/cards", body=models.PostCard, answer=models.OwnCard, status=201, auth="member", idempotent=True)
def create_card(request: Request[models.PostCard, Nothing]) -> Answer:
    """Create a card: a version for everybody (`default`) and, if wanted, others for other audiences."""
    faces, clock = models.faces_of(request.body.versions), process_clock()
    card, replayed = service.create_card(request.caller.id, faces, request.key, cards=cards_wiring.cards(), clock=clock)
    return Answer(models.owned(card), replayed=replayed)


@api.get("/v1/me/cards", query=PageQuery, answer=models.OwnCards, auth="member")
def list_cards(request: Request[Nothing, PageQuery]) -> models.OwnCards:
    """List the own cards. A card just made may take a moment to appear."""
    of, member_id = f"cards:{request.caller.id}", request.caller.id
    found, following = read_page(edge_wiring.signer(), of, request.query, cards_wiring.cards().owned_by, member_id)
    return models.OwnCards([models.owned(card) for card in found], following)


@api.get("/v1/cards/{key}", answer=models.ShownCard, codes=(NOT_FOUND,))
def show_card(request: Request[Nothing, Nothing]) -> Answer:
    """Show a card, by its own key or a share key, which chooses the audience.

    With `If-None-Match` an unchanged card is answered 304; a fresh ticket is in the `View-Ticket` header all the same.
    """
    shown = service.show_card(request.path["key"], cards=cards_wiring.cards())
    ticket = tickets.ticket_for(edge_wiring.signer(), shown)
    headers = {"ETag": shown.etag, "Cache-Control": "private, no-cache", "View-Ticket": ticket}
    if request.headers.get("if-none-match") == shown.etag:
        return Answer("", status=304, headers=headers)
    return Answer(models.shown_as(shown, ticket), headers=headers)


@api.put("/v1/cards/{key}", body=models.PutCard, answer=models.OwnCard, auth="member", codes=models.UPDATE_CODES)
def update_card(request: Request[models.PutCard, Nothing]) -> models.OwnCard:
    """Replace all versions of an own card. With `revision`, only if nobody has changed it since."""
    key, body, clock = request.path["key"], request.body, process_clock()
    faces = models.faces_of(body.versions)
    card = service.update_card(key, request.caller.id, faces, body.revision, cards=cards_wiring.cards(), clock=clock)
    return models.owned(card)


@api.post(
    "/v1/cards/{key}/shares", body=models.PostShare, answer=models.ShareKey, status=201, auth="member",
    idempotent=True, codes=models.SHARE_CODES,
)  # fmt: skip
def share_card(request: Request[models.PostShare, Nothing]) -> Answer:
    """Make a key to give the own card away with; it says which version is shown and where visitors came from."""
    key, body, cards, clock = request.path["key"], request.body, cards_wiring.cards(), process_clock()
    share, replayed = service.share_card(
        key, request.caller.id, body.audience, body.label, request.key, cards=cards, clock=clock
    )
    return Answer(models.shared(share), replayed=replayed)


@api.post("/v1/card-views", body=models.PostView, answer=models.ViewTaken, status=202, codes=models.VIEW_CODES)
def report_view(request: Request[models.PostView, Nothing]) -> models.ViewTaken:
    """Report a look at a card; who is logged in is remembered as a visitor.

    Answered with the attribution that a quote takes. Reports of one ticket are one view, however often they are sent.
    """
    body, header, now = request.body, request.headers.get("authorization"), process_clock().now()
    viewed = tickets.open_ticket(edge_wiring.signer(), body.ticket)
    caller = partners_wiring.callers().identify(header) if header else None
    visitor = caller.id if caller and caller.kind == "member" else ""
    view = View(viewed.view, viewed.card, viewed.share, visitor, body.scene or "", body.seconds, now)
    service.report_view(view, viewed.guide, views=cards_wiring.views())
    return models.ViewTaken(sign_attribution(edge_wiring.signer(), viewed))


@api.get("/v1/cards/{key}/visitors", answer=models.Visitors, auth="member", codes=(NOT_FOUND,))
def list_visitors(request: Request[Nothing, Nothing]) -> models.Visitors:
    """See who looked at the own card: counters, a few seconds behind, and the members who came last."""
    key, cards, radars, names = (
        request.path["key"],
        cards_wiring.cards(),
        cards_wiring.radars(),
        members_wiring.nicknames(),
    )
    radar, called = service.visitors_of(key, request.caller.id, cards=cards, radars=radars, names=names)
    return models.radar_of(radar, called, process_clock().now())


@api.get("/v1/cards/{key}/vcf", answer=str, codes=(NOT_FOUND,))
def get_vcard(request: Request[Nothing, Nothing]) -> Answer:
    """Download a card as a vCard 4.0."""
    shown = service.show_card(request.path["key"], cards=cards_wiring.cards())
    return card_documents.vcard(shown, request.path["key"], request.headers)


@api.get("/v1/cards/{key}/qr", answer=str, codes=(NOT_FOUND, errors.HEADER_INVALID))
def get_qr(request: Request[Nothing, Nothing]) -> Answer:
    """Get the QR code (SVG) of a card's public page."""
    service.show_card(request.path["key"], cards=cards_wiring.cards())
    return card_documents.qr(request.path["key"], request.headers, cards_wiring.qr_code)


@api.get("/c/{key}", answer=str)
def show_page(request: Request[Nothing, Nothing]) -> Answer:
    """Open the public page of a card, by its own key or a share key."""
    key = request.path["key"]
    try:
        shown = service.show_card(key, cards=cards_wiring.cards())
    except NotFoundError:
        return card_documents.missing(request.language)
    ticket = tickets.ticket_for(edge_wiring.signer(), shown)
    return card_documents.page(
        shown, key, request.headers, ticket=ticket, language=request.language, qr_code=cards_wiring.qr_code
    )


handler = api.handler
connect()
