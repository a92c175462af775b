"""HTTP: API keys, and the suppliers' view of their orders."""

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import read_page
from cardstock.edge.http import Answer, Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring, joining_wiring, staff_keys
from cardstock.orders import wiring as orders_wiring
from cardstock.orders.supplier_schemas import StoredSupplierOrder, SupplierOrderList, SupplierOrderQuery
from cardstock.partners import errors, keys
from cardstock.partners import schemas as models
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.model import STAFF

api = Api(
    "partners",
    callers=callers_wiring.callers,
    staff=callers_wiring.staff_record,
    answers=DynamoAnswers,
    server_keys=edge_wiring.session_keys,
)


@api.post(
    "/v1/partners/keys",
    body=models.CreateKey,
    answer=models.CreatedKey,
    status=201,
    auth="key",
    concerns=nobody,
    scope="keys:write",
    idempotent=True,
    first_answer="sealed",
    codes=errors.CREATING_KEYS,
)
def create_key(request: Request[models.CreateKey, Nothing]) -> Answer:
    """Create an API key.

    It belongs to a person of the staff or to a supplier. The root key creates the keys of persons. A person's key with
    `keys:write` creates keys of suppliers, and further keys of that person with scopes that it has itself. The
    credential cannot be read again, except by a repeat with the same Idempotency-Key in seven days: if it is lost,
    create a new key.
    """
    body, caller = request.body, request.caller
    maker = staff_keys.KeyMaker(caller.person_id, caller.scopes, is_root=caller.is_root)
    created = staff_keys.create_key(
        body.name, body.owner, frozenset(body.scopes), request.key, maker, needs=joining_wiring.key_needs()
    )
    return Answer(models.CreatedKey.of(created.key, created.credential), replayed=created.replayed)


@api.get("/v1/partners/keys", query=models.KeyPage, answer=models.KeyList, auth="key", scope="keys:write")
def list_keys(request: Request[Nothing, models.KeyPage]) -> models.KeyList:
    """List an owner's API keys, revoked ones too."""
    owner, read = request.query.owner, partners_wiring.partner_keys().keys_of_owner
    found, following = read_page(edge_wiring.signer(), f"keys:{owner}", request.query, read, owner)
    return models.KeyList([models.StoredKey.of(key) for key in found], following)


@api.delete("/v1/partners/keys/{key_id}", status=204, auth="key", concerns=nobody, scope="keys:write")
def revoke_key(request: Request[Nothing, Nothing]) -> Answer:
    """Revoke an API key at once and for good."""
    keys.revoke_key(request.path["key_id"], keys=partners_wiring.partner_keys())
    return Answer("", status=204)


@api.get(
    "/v1/supplier-orders",
    query=SupplierOrderQuery,
    answer=SupplierOrderList,
    auth="key",
    scope="orders:fulfil",
    codes=(NOT_FOUND,),
)
def list_supplier_orders(request: Request[Nothing, SupplierOrderQuery]) -> SupplierOrderList:
    """List a supplier's orders, sorted by the time of placing: what to send, and where.

    A supplier gets its own. Persons of the warehouse name the supplier for whom they send (`supplier_id`). An order
    enters the list when it is paid. To learn of new ones without a server, create a webhook endpoint without a URL and
    fetch its deliveries.
    """
    owner, read = request.caller.owner, orders_wiring.orders().orders_of_supplier
    supplier_id = request.query.supplier_of(owner, is_staff=owner == STAFF)
    found, following = read_page(
        edge_wiring.signer(), f"supplier-orders:{supplier_id}", request.query, read, supplier_id
    )
    return SupplierOrderList([StoredSupplierOrder.of(part) for part in found], following)


handler = api.handler
connect()
