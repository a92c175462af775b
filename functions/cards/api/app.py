"""HTTP: cards, their shares, their views, and the public page."""

from functools import partial

from cardstock import clock
from cardstock.attribution import sign_attribution
from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.cards import answers, editing, radar, schemas, sharing, tickets, viewing
from cardstock.cards.model import View
from cardstock.cards.wiring import cards, radars, views
from cardstock.edge import errors
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.wiring import signer
from cardstock.errors import MEMBER_ERASED, NOT_FOUND, NotFoundError
from cardstock.members.profile import require_not_closed
from cardstock.members.wiring import card_visitors, members
from cardstock.partners.wiring import callers

api = Api("cards", callers=callers, answers=DynamoAnswers)
create = partial(api.post, status=201, auth="member", idempotent=True, first_answer="stored")


@create("/v1/cards", body=schemas.PostCard, answer=schemas.OwnCard, codes=(MEMBER_ERASED,))
def create_card(request: Request[schemas.PostCard, Nothing]) -> Answer:
    """Create a card: a version for everybody (`default`) and, if given, versions for other audiences."""
    require_not_closed(request.caller.id, members=members())
    faces = schemas.faces_of(request.body.versions)
    created = editing.create_card(request.caller.id, faces, request.key, cards=cards())
    return Answer(schemas.OwnCard.of(created.made), replayed=created.replayed)


@api.get("/v1/me/cards", query=PageQuery, answer=schemas.OwnCards, auth="member")
def list_cards(request: Request[Nothing, PageQuery]) -> schemas.OwnCards:
    """List the caller's cards. A new card may take a moment to appear."""
    owner_id = request.caller.id
    found, cursor = read_page(signer(), f"cards:{owner_id}", request.query, cards().cards_of_member, owner_id)
    return schemas.OwnCards.of(found, cursor)


@api.get("/v1/cards/{key}", answer=schemas.ShownCard, codes=(NOT_FOUND,))
def show_card(request: Request[Nothing, Nothing]) -> Answer:
    """Show a card by its key or a share key, which chooses the audience.

    With `If-None-Match` an unchanged card is answered 304; the `View-Ticket` header still has a new ticket.
    """
    opened = viewing.open_card(request.path["key"], cards=cards())
    return answers.card_answer(opened, request.headers, ticket=tickets.sign_ticket(signer(), opened))


@api.put("/v1/cards/{key}", body=schemas.PutCard, answer=schemas.OwnCard, auth="member", codes=schemas.UPDATE_CODES)
def update_card(request: Request[schemas.PutCard, Nothing]) -> schemas.OwnCard:
    """Replace all versions of the caller's card. With `revision`, only if it has not changed since."""
    key, owner_id, faces = request.path["key"], request.caller.id, schemas.faces_of(request.body.versions)
    card = editing.update_card(key, owner_id, faces, request.body.revision, cards=cards())
    return schemas.OwnCard.of(card)


@create("/v1/cards/{key}/shares", body=schemas.PostShare, answer=schemas.ShareKey, codes=schemas.SHARE_CODES)
def share_card(request: Request[schemas.PostShare, Nothing]) -> Answer:
    """Make a key to share the caller's card; it chooses the version and tells where visitors came from."""
    key, owner_id, body = request.path["key"], request.caller.id, request.body
    shared = sharing.share_card(key, owner_id, body.audience, body.label, request.key, cards=cards())
    return Answer(schemas.ShareKey.of(shared.made), replayed=shared.replayed)


@api.post("/v1/card-views", body=schemas.PostView, answer=schemas.ViewTaken, status=202, codes=schemas.VIEW_CODES)
def report_view(request: Request[schemas.PostView, Nothing]) -> schemas.ViewTaken:
    """Report a view of a card; a logged-in viewer who agrees to `card_visits` is stored as a visitor.

    Answered with the attribution for a quote. Reports with one ticket are one view, however often they are sent.
    """
    body, authorization = request.body, request.headers.get("authorization")
    earned = tickets.open_ticket(signer(), body.ticket)
    caller = callers().identify(authorization) if authorization else None
    visitor = caller.id if caller and caller.kind == "member" else ""
    view = View(earned.view, earned.card, earned.share, visitor, body.scene or "", body.seconds, clock.now())
    viewing.report_view(view, earned.guide, views=views())
    return schemas.ViewTaken(sign_attribution(signer(), earned))


@api.get("/v1/cards/{key}/visitors", answer=schemas.Visitors, auth="member", codes=(NOT_FOUND,))
def list_visitors(request: Request[Nothing, Nothing]) -> schemas.Visitors:
    """List the visitors of the caller's card: counters, a few seconds late, and the last members.

    Only members who agree to `card_visits` now are listed.
    """
    key, owner_id = request.path["key"], request.caller.id
    found, nicknames = radar.radar_of_own_card(key, owner_id, cards=cards(), radars=radars(), visitors=card_visitors())
    return schemas.Visitors.of(found, nicknames, clock.now())


@api.get("/v1/cards/{key}/vcf", answer=str, codes=(NOT_FOUND,))
def get_vcard(request: Request[Nothing, Nothing]) -> Answer:
    """Download a card as a vCard 3.0."""
    opened = viewing.open_card(request.path["key"], cards=cards())
    return answers.vcard_answer(opened, request.path["key"], request.headers)


@api.get("/v1/cards/{key}/qr", answer=str, codes=(NOT_FOUND, errors.HEADER_INVALID))
def get_qr(request: Request[Nothing, Nothing]) -> Answer:
    """Get the QR code (SVG) of a card's public page."""
    viewing.open_card(request.path["key"], cards=cards())
    return answers.qr_answer(request.path["key"], request.headers)


@api.get("/c/{key}", answer=str)
def show_page(request: Request[Nothing, Nothing]) -> Answer:
    """Open the public page of a card, by its key or a share key."""
    try:
        opened = viewing.open_card(request.path["key"], cards=cards())
    except NotFoundError:
        return answers.missing_page_answer(request.language)
    ticket = tickets.sign_ticket(signer(), opened)
    return answers.page_answer(opened, request.path["key"], request.headers, ticket=ticket, language=request.language)


handler = api.handler
connect()
