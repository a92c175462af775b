"""Suppliers: creating and renaming them, and the secrets that sign their reports."""

import base64
import secrets

from msgspec.structs import replace

from cardstock import clock
from cardstock.errors import NOT_FOUND, STORE_BUSY, Pointer
from cardstock.ids import RequestKey
from cardstock.partners import errors
from cardstock.partners.model import Supplier, is_supplier_id
from cardstock.partners.ports import Suppliers

_ATTEMPTS = 4


def put_supplier(supplier_id: str, name: str, *, suppliers: Suppliers) -> tuple[Supplier, str | None]:
    """Create or rename a supplier. Returns it, and the inbox secret if this call created it."""
    if not is_supplier_id(supplier_id):
        raise errors.SUPPLIER_ID_INVALID(pointers=(Pointer("#path/supplier_id", "OUT_OF_RANGE"),))
    secret = new_secret()
    stored = suppliers.add(Supplier(supplier_id, name, (secret,), clock.now()))
    if stored.name != name:
        suppliers.rename(supplier_id, name)
        stored = replace(stored, name=name)
    return stored, secret if stored.inbox_secrets == (secret,) else None


def rotate_inbox_secret(supplier_id: str, request: RequestKey, *, suppliers: Suppliers) -> Supplier:
    """The supplier with a new inbox secret before the previous one: both are valid until the next rotation.

    A repeat of `request` changes nothing, so a lost answer does not replace the secret in use. Two rotations end a
    leaked secret. Raises `NotFoundError`, and `UnavailableError` on a concurrent rotation.
    """
    for _ in range(_ATTEMPTS):
        supplier = suppliers.find(supplier_id)
        if supplier is None:
            raise NOT_FOUND()
        if suppliers.rotate(supplier, (new_secret(), *supplier.inbox_secrets)[:2], request, clock.now()):
            return suppliers.find(supplier_id) or supplier
    raise STORE_BUSY()


def find_supplier(supplier_id: str, *, suppliers: Suppliers) -> Supplier | None:
    """The supplier of any text as id; None if there is none."""
    return suppliers.find(supplier_id) if is_supplier_id(supplier_id) else None


def new_secret() -> str:
    """A signing secret in the form of Standard Webhooks: 256 random bits."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
