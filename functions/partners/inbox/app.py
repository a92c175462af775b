"""HTTP: signed reports of suppliers: parcels, deliveries, stock counts."""

from typing import Any

import msgspec

from cardstock import clock
from cardstock.aws.tables import connect
from cardstock.catalog import stock
from cardstock.catalog import wiring as catalog_wiring
from cardstock.edge import signatures
from cardstock.edge.bodies import decode
from cardstock.edge.http import Api, Nothing, Request
from cardstock.errors import NOT_FOUND, NotFoundError, Pointer
from cardstock.orders import errors as orders_errors
from cardstock.orders import fulfilment
from cardstock.orders import wiring as orders_wiring
from cardstock.partners import errors as partners_errors
from cardstock.partners import inbox, suppliers
from cardstock.partners import wiring as partners_wiring
from cardstock.partners.inbox_schemas import InventoryUpdated, MessageTaken, Report, ShipmentCreated, ShipmentDelivered

api = Api("partner-inbox", callers=partners_wiring.callers)

_REPORT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Report, strict=True)


@api.post(
    "/v1/inbox/{source}",
    body=Report,
    answer=MessageTaken,
    raw=True,
    codes=(
        *signatures.REFUSALS,
        partners_errors.MESSAGE_ID_REUSED,
        NOT_FOUND,
        orders_errors.SUPPLIER_ORDER_CANCELLED,
        orders_errors.TOO_MANY_PARCELS,
        orders_errors.NOT_SHIPPED,
    ),
)
def take_report(request: Request[Nothing, Nothing]) -> MessageTaken:
    """Report a shipment, a delivery or a stock count.

    `source` is the supplier id. Signed with the supplier's inbox secret; no other credential is needed. A `webhook-id`
    is applied once, in any order of arrival; the raw message is stored for 30 days.
    """
    source = request.path["source"]
    supplier = suppliers.find_supplier(source, suppliers=partners_wiring.suppliers())
    secrets = () if supplier is None else supplier.inbox_secrets  # without any: answered like a wrong signature
    message_id = signatures.verify(secrets, request.headers, request.raw, clock.now())
    report = decode(_REPORT, request.raw)

    taken: list[MessageTaken] = []
    inbox.take_message(
        source,
        message_id,
        request.raw,
        lambda: taken.append(apply_report(source, message_id, report)),
        inbox=partners_wiring.inbox(),
    )
    return taken[-1] if taken else MessageTaken(repeat=True)


def apply_report(source: str, message_id: str, report: Report) -> MessageTaken:
    """Apply a verified report. Safe to repeat. NOT_FOUND points at the order or article that is not the supplier's."""
    try:
        match report:
            case ShipmentCreated():
                part = fulfilment.report_shipment(
                    source, report.order_id, report.carrier, report.tracking_no, message_id,
                    orders=orders_wiring.orders(),
                )  # fmt: skip
                parcel = part.find_parcel(report.carrier, report.tracking_no)
                return MessageTaken.of_parcel(parcel.at if parcel and parcel.event_id != message_id else None)
            case ShipmentDelivered():
                new = fulfilment.report_delivery(source, report.order_id, orders=orders_wiring.orders())
                return MessageTaken(repeat=not new)
            case InventoryUpdated():
                variants = catalog_wiring.variants()
                if not stock.count_stock(source, report.sku, report.stock, report.version, variants=variants):
                    variant = stock.find_variant(report.sku, variants=variants)
                    return MessageTaken.of_count(report, variant.inventory_version, variant.counted)
    except NotFoundError as error:
        named = "/sku" if isinstance(report, InventoryUpdated) else "/order_id"
        raise NOT_FOUND(pointers=(Pointer(named, "UNKNOWN"),)) from error
    return MessageTaken(repeat=False)


handler = api.handler
connect()
