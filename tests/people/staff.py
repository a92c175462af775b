"""Persons of the staff and suppliers with their API keys, as tests need them: stored, whoever would have made them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from cardstock import clock
from cardstock.ids import RequestKey, derived_id, new_id
from cardstock.partners.keys import create_key
from cardstock.partners.model import KeyOwner
from cardstock.partners.store import DynamoKeys
from cardstock.staff.model import ROOT, Person
from cardstock.staff.store import DynamoPersons

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)
"""Old enough for everybody to be everybody else's second person."""


def person(name: str, *, created_by: str = ROOT, created_at: datetime = LONG_AGO) -> str:
    """The id of the person of this name, who is stored if there is none yet."""
    person_id = derived_id("stf", name)
    made = Person(person_id, name, created_by, created_at)
    DynamoPersons().add_person(made, RequestKey(derived_id("req", "person", name), "f"), None)
    return person_id


def staff_key(name: str, *scopes: str, request: str | None = None) -> str:
    """The credential of a new key of the person of this name. The same `request` gives the key the same id."""
    return _key(KeyOwner(person(name), name), scopes, request)


def supplier_key(supplier_id: str, *scopes: str, request: str | None = None) -> str:
    """The credential of a new key of a supplier, which need not be stored."""
    return _key(KeyOwner(supplier_id, "宁波织物"), scopes, request)


def _key(owner: KeyOwner, scopes: Iterable[str], request: str | None) -> str:
    asked = RequestKey(new_id("req", clock.now()) if request is None else derived_id("req", request), "f")
    _, credential = create_key("test", owner, frozenset(scopes), asked, keys=DynamoKeys())
    assert credential is not None
    return credential
