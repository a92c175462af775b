"""HTTP for staff: suppliers, listed, created, renamed, and their inbox secrets."""

from cardstock.aws.requests import DynamoAnswers
from cardstock.aws.tables import connect
from cardstock.edge import wiring as edge_wiring
from cardstock.edge.cursors import PageQuery, read_page
from cardstock.edge.http import Api, Nothing, Request, nobody
from cardstock.errors import NOT_FOUND
from cardstock.flows import callers_wiring
from cardstock.partners import errors, staff_schemas, suppliers
from cardstock.partners import schemas as models
from cardstock.partners import wiring as partners_wiring

api = Api(
    "suppliers",
    callers=callers_wiring.callers,
    staff=callers_wiring.staff_record,
    answers=DynamoAnswers,
    server_keys=edge_wiring.session_keys,
)


@api.get(
    "/v1/headquarters/suppliers",
    query=PageQuery,
    answer=staff_schemas.StaffSuppliers,
    auth="key",
    scope="suppliers:read",
)
def list_suppliers(request: Request[Nothing, PageQuery]) -> staff_schemas.StaffSuppliers:
    """List all suppliers, by id.

    Those of release 0.2.0 are in the list once `cardstock reindex` has run.
    """
    read = partners_wiring.suppliers().list_suppliers
    found, following = read_page(edge_wiring.signer(), "suppliers", request.query, read)
    return staff_schemas.StaffSuppliers([staff_schemas.StaffSupplier.of(each) for each in found], following)


@api.get(
    "/v1/headquarters/suppliers/{supplier_id}",
    answer=staff_schemas.StaffSupplier,
    auth="key",
    scope="suppliers:read",
    codes=(NOT_FOUND,),
)
def read_supplier(request: Request[Nothing, Nothing]) -> staff_schemas.StaffSupplier:
    """Get a supplier."""
    found = suppliers.find_supplier(request.path["supplier_id"], suppliers=partners_wiring.suppliers())
    if found is None:
        raise NOT_FOUND()
    return staff_schemas.StaffSupplier.of(found)


@api.put(
    "/v1/suppliers/{supplier_id}",
    body=models.PutSupplier,
    answer=models.StoredSupplier,
    auth="key",
    concerns=nobody,
    scope="suppliers:write",
    codes=(errors.SUPPLIER_ID_INVALID,),
)
def put_supplier(request: Request[models.PutSupplier, Nothing]) -> models.StoredSupplier:
    """Create or rename a supplier.

    The inbox secret is shown only if this call created the supplier.
    """
    supplier, secret = suppliers.put_supplier(
        request.path["supplier_id"], request.body.name, suppliers=partners_wiring.suppliers()
    )
    return models.StoredSupplier.of(supplier, secret)


@api.post(
    "/v1/suppliers/{supplier_id}/secrets", answer=models.StoredSupplier, status=201, auth="key", concerns=nobody,
    scope="suppliers:write", idempotent=True, first_answer="sealed", codes=(NOT_FOUND,),
)  # fmt: skip
def rotate_inbox_secret(request: Request[Nothing, Nothing]) -> models.StoredSupplier:
    """Create a new inbox secret for a supplier.

    The one before stays valid until the next rotation, so that the supplier can change over without losing a message.
    Two rotations end a leaked secret.
    """
    supplier = suppliers.rotate_inbox_secret(
        request.path["supplier_id"], request.key, suppliers=partners_wiring.suppliers()
    )
    return models.StoredSupplier.of(supplier, supplier.inbox_secrets[0])


handler = api.handler
connect()
