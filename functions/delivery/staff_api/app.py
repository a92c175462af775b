"""HTTP for staff: freight templates."""

from cardstock.aws.tables import connect
from cardstock.catalog.errors import TERMS_FOR_STAFF
from cardstock.catalog.publishing import require_staff
from cardstock.delivery import errors, schemas
from cardstock.delivery import wiring as delivery_wiring
from cardstock.delivery.editing import replace_templates
from cardstock.edge.http import Api, Nothing, Request, nobody
from cardstock.flows import callers_wiring

api = Api("delivery", callers=callers_wiring.callers, staff=callers_wiring.staff_record)


@api.get("/v1/freight-templates", answer=schemas.FreightTemplates, auth="key", scope="catalog:write",
         codes=(TERMS_FOR_STAFF,))  # fmt: skip
def get_templates(request: Request[Nothing, Nothing]) -> schemas.FreightTemplates:
    """Get all freight templates, with their version. Staff only."""
    require_staff(request.caller.owner)
    return schemas.FreightTemplates.of(delivery_wiring.freight_templates().read())


@api.put("/v1/freight-templates", body=schemas.FreightTemplates, answer=schemas.FreightTemplates, auth="key",
         concerns=nobody, scope="catalog:write",
         codes=(TERMS_FOR_STAFF, errors.TEMPLATES_INVALID, errors.TEMPLATES_CHANGED))  # fmt: skip
def put_templates(request: Request[schemas.FreightTemplates, Nothing]) -> schemas.FreightTemplates:
    """Replace all freight templates.

    Staff only. Send the version that was read: another one is refused, except for a repeat. Quotes follow within a
    minute; quotes that were made before keep their freight.
    """
    require_staff(request.caller.owner)
    wanted = request.body.replacement()
    return schemas.FreightTemplates.of(replace_templates(wanted, store=delivery_wiring.freight_templates()))


handler = api.handler
connect()
