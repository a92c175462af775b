"""A card as documents for people: its public page, its vCard, its QR code.

What makes them is imported when one is asked for: most calls of the function want JSON.
"""

from collections.abc import Callable, Mapping

from cardstock.cards.model import Shown
from cardstock.edge.http import Answer
from cardstock.edge.origin import origin_of


def page(
    shown: Shown, key: str, headers: Mapping[str, str], *, ticket: str, language: str, qr_code: Callable[[str], str]
) -> Answer:
    """The public page behind `key`."""
    from cardstock.cards.page import Links, page_of

    links = Links(f"/v1/cards/{key}/vcf", qr_code(_address(key, headers)), ticket)
    return _html(page_of(shown.face, links, language))


def missing(language: str) -> Answer:
    """The page of a key that leads nowhere: people opened it, so it is no problem document."""
    from cardstock.cards.page import missing_page

    return _html(missing_page(language), status=404)


def vcard(shown: Shown, key: str, headers: Mapping[str, str]) -> Answer:
    """The vCard behind `key`, as a download."""
    from cardstock.cards.vcard import vcard_of

    return Answer(
        vcard_of(shown, _address(key, headers)),
        content_type="text/vcard; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{shown.card.key}.vcf"'},
    )


def qr(key: str, headers: Mapping[str, str], qr_code: Callable[[str], str]) -> Answer:
    """The QR code of the public page behind `key`."""
    return Answer(qr_code(_address(key, headers)), content_type="image/svg+xml")


def _html(text: str, status: int = 200) -> Answer:
    from cardstock.cards.page import POLICY

    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        # A page holds the ticket of one visit, so nobody may keep it for the next.
        "Cache-Control": "no-store",
    }
    return Answer(text, status=status, content_type="text/html; charset=utf-8", headers=headers)


def _address(key: str, headers: Mapping[str, str]) -> str:
    return f"{origin_of(headers)}/c/{key}"
