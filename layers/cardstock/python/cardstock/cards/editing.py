"""Creating and changing cards."""

from collections.abc import Mapping

from msgspec.structs import replace

from cardstock import clock
from cardstock.cards import errors
from cardstock.cards.model import CARD_KEY_LETTERS, DEFAULT, KEY, MAX_AUDIENCES, Card, Face
from cardstock.cards.ports import Cards
from cardstock.errors import BODY_INVALID, NOT_FOUND, Pointer
from cardstock.ids import RequestKey, RequestResult, short_key


def create_card(owner_id: str, faces: Mapping[str, Face], request: RequestKey, *, cards: Cards) -> RequestResult[Card]:
    """The member's new card.

    Raises `InvalidError` (BODY_INVALID) without a face for the default audience, or with too many faces.
    """
    _check_faces(faces)
    now = clock.now()
    card = Card(short_key(CARD_KEY_LETTERS), owner_id, dict(faces), revision=1, created_at=now, updated_at=now)
    earlier = cards.add_card(card, request)
    if earlier is None:
        return RequestResult(card, replayed=False)
    return RequestResult(find_own_card(earlier, owner_id, cards=cards), replayed=True)


def find_own_card(key: str, owner_id: str, *, cards: Cards) -> Card:
    """The member's card. Raises `NotFoundError` for an unknown key and for another member's card alike."""
    card = cards.find_card(key) if KEY.fullmatch(key) else None
    if card is None or card.owner_id != owner_id:
        raise NOT_FOUND()
    return card


def update_card(
    key: str, owner_id: str, faces: Mapping[str, Face], expected_revision: int | None, *, cards: Cards
) -> Card:
    """The member's card with all its faces replaced. Equal faces change nothing.

    Raises `ConflictError` (CARD_CHANGED) if the card is not at `expected_revision` (None: any), and on a concurrent
    change. A share of an audience without a face shows the default face.
    """
    _check_faces(faces)
    card = find_own_card(key, owner_id, cards=cards)
    if card.faces == faces:
        return card
    if expected_revision is not None and expected_revision != card.revision:
        raise errors.CARD_CHANGED()
    changed = replace(card, faces=dict(faces), revision=card.revision + 1, updated_at=clock.now())
    if cards.replace_card(changed, card.revision):
        return changed
    # The store may have refused the repeat of this very write.
    stored = find_own_card(key, owner_id, cards=cards)
    if stored == changed:
        return changed
    raise errors.CARD_CHANGED()


def _check_faces(faces: Mapping[str, Face]) -> None:
    if DEFAULT not in faces:
        raise BODY_INVALID(pointers=(Pointer("/versions", "MISSING", {"field": DEFAULT}),))
    if len(faces) > MAX_AUDIENCES:
        raise BODY_INVALID(pointers=(Pointer("/versions", "OUT_OF_RANGE", {"limit": MAX_AUDIENCES}),))
