"""The HTTP answers that show a card: as JSON, page, vCard or QR code.

The code of a document is imported only when one is requested: most calls want JSON.
"""

from collections.abc import Mapping

from cardstock.cards.model import OpenedCard
from cardstock.cards.schemas import ShownCard
from cardstock.edge.headers import attachment, names_tag
from cardstock.edge.http import Answer
from cardstock.edge.origin import origin_of


def card_answer(opened: OpenedCard, headers: Mapping[str, str], *, ticket: str) -> Answer:
    """The card as JSON; 304 without a body if `If-None-Match` names it. The ticket is in a header all the same."""
    answer_headers = {
        "ETag": opened.etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Accept",
        "View-Ticket": ticket,
    }
    if names_tag(headers.get("if-none-match", ""), opened.etag):
        return Answer("", status=304, headers=answer_headers)
    return Answer(ShownCard.of(opened, ticket), headers=answer_headers)


def page_answer(opened: OpenedCard, key: str, headers: Mapping[str, str], *, ticket: str, language: str) -> Answer:
    """The public page behind `key`."""
    from cardstock.cards.documents.page import Links, page_of
    from cardstock.cards.documents.qr import svg_of

    links = Links(vcard=f"/v1/cards/{key}/vcf", qr_svg=svg_of(_page_url(key, headers)), ticket=ticket)
    return _html(page_of(opened.face, links, language))


def missing_page_answer(language: str) -> Answer:
    """The page for an unknown key. People open it, so it is no problem document."""
    from cardstock.cards.documents.page import missing_page

    return _html(missing_page(language), status=404)


def vcard_answer(opened: OpenedCard, key: str, headers: Mapping[str, str]) -> Answer:
    """The vCard behind `key`, as a download."""
    from cardstock.cards.documents.vcard import vcard_of

    return Answer(
        vcard_of(opened, _page_url(key, headers)),
        content_type="text/vcard; charset=utf-8",
        headers=attachment(f"{opened.face.name}.vcf", f"{opened.card.key}.vcf"),
    )


def qr_answer(key: str, headers: Mapping[str, str]) -> Answer:
    """The QR code of the public page behind `key`."""
    from cardstock.cards.documents.qr import svg_of

    return Answer(svg_of(_page_url(key, headers)), content_type="image/svg+xml")


def _html(text: str, status: int = 200) -> Answer:
    from cardstock.cards.documents.page import POLICY

    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        # A page holds the ticket of one visit, so no cache may keep it for the next.
        "Cache-Control": "no-store",
    }
    return Answer(text, status=status, content_type="text/html; charset=utf-8", headers=headers)


def _page_url(key: str, headers: Mapping[str, str]) -> str:
    return f"{origin_of(headers)}/c/{key}"
