"""API keys and their owners: created for existing persons and suppliers, revoked when their person is deactivated.

Checking a key reads the key alone. So deactivation first makes the person inactive, then revokes the keys that exist by
then. A key created concurrently is revoked by its creator, which reads the person again after storing the key and
before showing the credential.
"""

import msgspec

from cardstock.errors import Pointer
from cardstock.ids import RequestKey
from cardstock.partners import errors
from cardstock.partners import keys as partner_keys
from cardstock.partners.endpoints import disable_endpoints_of_person
from cardstock.partners.model import SCOPES, KeyOwner, is_supplier_id
from cardstock.partners.ports import Endpoints, Keys, Suppliers
from cardstock.partners.suppliers import find_supplier
from cardstock.staff import persons as staff
from cardstock.staff.ports import Persons


class KeyMaker(msgspec.Struct, frozen=True):
    """Who creates a key: the person of the calling key and its scopes, or the root key."""

    person_id: str | None
    scopes: frozenset[str]
    is_root: bool = False


class KeyNeeds(msgspec.Struct, frozen=True):
    """The ports of creating a key."""

    keys: Keys
    persons: Persons
    suppliers: Suppliers


def create_key(
    name: str, owner_id: str, scopes: frozenset[str], request: RequestKey, maker: KeyMaker, *, needs: KeyNeeds
) -> partner_keys.NewKey:
    """A new key of an active person (`stf_...`) or of a supplier (`sup_...`), and its credential.

    Whoever creates a key sees its credential. So a person creates keys of that person, with no scope that the calling
    key lacks, and keys of suppliers; the root key creates those of persons. Otherwise one person could act as two.

    Raises like `partners.keys.create_key`, `InvalidError` OWNER_UNKNOWN, and `ForbiddenError` KEY_OF_ANOTHER,
    SCOPE_NOT_HELD or SCOPE_NOT_IN_ROLES. Costs two more reads for a person, one for a supplier.
    """
    _require_right(maker, owner_id, scopes)
    owner = _owner(owner_id, scopes, needs)
    created = partner_keys.create_key(name, owner, scopes, request, keys=needs.keys)
    if owner_id.startswith("stf_") and not _is_active(owner_id, needs):
        needs.keys.revoke(created.key.key_id)
        raise _unknown()
    return created


def deactivate_person(
    person_id: str, actor_id: str | None, *, persons: Persons, keys: Keys, endpoints: Endpoints
) -> None:
    """Make a person inactive for good, revoke the person's keys, and disable the brand's endpoints with a URL for which
    the person answers. Safe to repeat; repeat a failed call.

    Raises like `staff.persons.deactivate_person`.
    """
    staff.deactivate_person(person_id, actor_id, persons=persons)
    partner_keys.revoke_keys_of_owner(person_id, keys=keys)
    disable_endpoints_of_person(person_id, endpoints=endpoints)


def _require_right(maker: KeyMaker, owner_id: str, scopes: frozenset[str]) -> None:
    if maker.is_root or is_supplier_id(owner_id):
        return
    if owner_id.startswith("stf_") and owner_id != maker.person_id:
        raise errors.KEY_OF_ANOTHER()
    if missing := scopes - maker.scopes:
        raise errors.SCOPE_NOT_HELD(scopes=", ".join(sorted(missing)))


def _owner(owner_id: str, scopes: frozenset[str], needs: KeyNeeds) -> KeyOwner:
    if owner_id.startswith("stf_"):
        person = needs.persons.find_person(owner_id)
        if person is not None and person.state == "active":
            if more := (scopes & SCOPES) - person.key_scopes(scopes):
                raise errors.SCOPE_NOT_IN_ROLES(scopes=", ".join(sorted(more)))
            return KeyOwner(owner_id, person.name)
    else:
        supplier = find_supplier(owner_id, suppliers=needs.suppliers)
        if supplier is not None:
            return KeyOwner(owner_id, supplier.name)
    raise _unknown()


def _is_active(person_id: str, needs: KeyNeeds) -> bool:
    person = needs.persons.find_person(person_id)
    return person is not None and person.state == "active"


def _unknown() -> Exception:
    return errors.OWNER_UNKNOWN(pointers=(Pointer("/owner", "OUT_OF_RANGE"),))
