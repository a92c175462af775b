"""A card as documents for people: its public page, its vCard, its QR code."""

from collections.abc import Callable, Mapping
from typing import Final

from cardstock.cards.model import Shown
from cardstock.cards.page import POLICY, Links, missing_page, page_of
from cardstock.cards.vcard import vcard_of
from cardstock.edge.http import Answer
from cardstock.edge.origin import origin_of

_HTML: Final = "text/html; charset=utf-8"
# A page holds the ticket of one visit, so nobody may keep it for the next.
_SEALED: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page(
    shown: Shown, key: str, headers: Mapping[str, str], *, ticket: str, language: str, qr_code: Callable[[str], str]
) -> Answer:
    """The public page behind `key`."""
    links = Links(f"/v1/cards/{key}/vcf", qr_code(_address(key, headers)), ticket)
    return Answer(page_of(shown.face, links, language), content_type=_HTML, headers=_SEALED)


def missing(language: str) -> Answer:
    """The page of a key that leads nowhere: people opened it, so it is no problem document."""
    return Answer(missing_page(language), status=404, content_type=_HTML, headers=_SEALED)


def vcard(shown: Shown, key: str, headers: Mapping[str, str]) -> Answer:
    """The vCard behind `key`, as a download."""
    return Answer(
        vcard_of(shown, _address(key, headers)),
        content_type="text/vcard; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{shown.card.key}.vcf"'},
    )


def qr(key: str, headers: Mapping[str, str], qr_code: Callable[[str], str]) -> Answer:
    """The QR code of the public page behind `key`."""
    return Answer(qr_code(_address(key, headers)), content_type="image/svg+xml")


def _address(key: str, headers: Mapping[str, str]) -> str:
    return f"{origin_of(headers)}/c/{key}"
