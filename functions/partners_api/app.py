"""HTTP: API keys, suppliers, and the suppliers' view of their orders."""

from cardstock import bootstrap
from cardstock.clock import rfc3339
from cardstock.edge.cursors import cursor_to, position_of
from cardstock.edge.http import Answer, Api, Nothing, Request
from cardstock.edge.models.partners import (
    CreatedKey,
    CreateKey,
    PutSupplier,
    StoredSupplier,
    SupplierOrderList,
    SupplierOrderPage,
    shown,
)
from cardstock.orders import service as orders
from cardstock.partners import service

api = Api("partners", callers=bootstrap.callers)


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


@api.get("/v1/supplier-orders", query=SupplierOrderPage, answer=SupplierOrderList, auth="key", scope="orders:fulfil")
def list_supplier_orders(request: Request[Nothing, SupplierOrderPage]) -> SupplierOrderList:
    """List the supplier's own orders, oldest first: what to send, and where.

    The pull twin of `fulfilment.requested`.
    """
    of = f"supplier-orders:{request.caller.owner}"
    after = position_of(bootstrap.signer(), of, request.query.cursor)
    page = orders.supplier_orders_of(request.caller.owner, request.query.limit, after, orders=bootstrap.orders())
    last = page.items[-1].order_id if page.items else after
    return SupplierOrderList([shown(part) for part in page.items], cursor_to(bootstrap.signer(), of, last))


handler = api.handler
bootstrap.warm()
