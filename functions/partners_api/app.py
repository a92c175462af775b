"""HTTP: API keys, suppliers, and the suppliers' view of their orders."""

from typing import Annotated

from msgspec import Meta

from cardstock import bootstrap
from cardstock.clock import rfc3339
from cardstock.edge.http import Answer, Api, Model, Nothing, Request
from cardstock.partners import service

api = Api("partners", callers=bootstrap.callers)

Name = Annotated[str, Meta(min_length=1, max_length=64)]


class CreateKey(Model):
    """Who gets a key, and what it may do."""

    name: Annotated[str, Meta(min_length=1, max_length=64, examples=["Li Na, finance"])]
    owner: Annotated[str, Meta(description="`staff` or a supplier id", examples=["staff"])]
    scopes: Annotated[list[str], Meta(min_length=1, max_length=16, examples=[["payouts:read", "payouts:approve"]])]


class CreatedKey(Model):
    """The key. `key` is the bearer credential; it is shown once and null when the request is repeated."""

    key_id: str
    key: str | None
    name: str
    owner: str
    scopes: list[str]
    created_at: str


class PutSupplier(Model):
    """A supplier's name; `rotate` asks for a new inbox secret."""

    name: Name
    rotate: bool = False


class StoredSupplier(Model):
    """The supplier. `inbox_secret` signs its webhooks to us; shown when it is made, otherwise null."""

    supplier_id: str
    name: str
    inbox_secret: str | None
    inbox_url: str
    created_at: str


@api.post(
    "/v1/partners/keys",
    body=CreateKey,
    answer=CreatedKey,
    status=201,
    auth="key",
    scope="keys:write",
    idempotent=True,
    codes=("SCOPE_UNKNOWN", "OWNER_UNKNOWN", "SCOPE_FOR_STAFF"),
)
def create_key(request: Request[CreateKey, Nothing]) -> Answer:
    """Create an API key.

    Only the root key, or a key with `keys:write`, can. The credential cannot be read again: lost means a new key.
    """
    body = request.body
    key, credential = service.create_key(
        body.name,
        body.owner,
        frozenset(body.scopes),
        request.key,
        keys=bootstrap.partner_keys(),
        clock=bootstrap.clock(),
    )
    created = CreatedKey(key.key_id, credential, key.name, key.owner, sorted(key.scopes), rfc3339(key.created_at))
    return Answer(created, replayed=credential is None)


@api.delete("/v1/partners/keys/{key_id}", status=204, auth="key", scope="keys:write")
def revoke_key(request: Request[Nothing, Nothing]) -> Answer:
    """Revoke an API key at once and for good."""
    service.revoke_key(request.path["key_id"], keys=bootstrap.partner_keys())
    return Answer("", status=204)


@api.put(
    "/v1/suppliers/{supplier_id}",
    body=PutSupplier,
    answer=StoredSupplier,
    auth="key",
    scope="suppliers:write",
    codes=("SUPPLIER_ID_INVALID",),
)
def put_supplier(request: Request[PutSupplier, Nothing]) -> StoredSupplier:
    """Create or rename a supplier, or rotate its inbox secret.

    The two newest secrets are valid, so that a supplier can change over without losing a message.
    """
    supplier, secret = service.put_supplier(
        request.path["supplier_id"],
        request.body.name,
        request.body.rotate,
        suppliers=bootstrap.suppliers(),
        clock=bootstrap.clock(),
    )
    return StoredSupplier(
        supplier.supplier_id, supplier.name, secret, f"/v1/inbox/{supplier.supplier_id}", rfc3339(supplier.created_at)
    )


handler = api.handler
bootstrap.warm()
