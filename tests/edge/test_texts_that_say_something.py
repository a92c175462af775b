"""Names, addresses and reasons that are blank are refused where they come in, with the field's name."""

import json
from typing import Any

import msgspec
import pytest

from cardstock import errors
from cardstock.catalog import schemas as catalog
from cardstock.edge.bodies import decode
from cardstock.members import schemas as members
from cardstock.orders import schemas as orders
from cardstock.orders.refund_schemas import AskRefund
from cardstock.partners import inbox_schemas as inbox
from cardstock.partners import schemas as partners

RECEIVER = {"name": "王小明", "phone": "13800138000", "address": "南京西路 1266 号\n3 楼"}
TITLE = {"zh": "Lantern"}
REFUND = {"reason": "broken", "lines": [{"sku": "A", "units": 1}]}
PARCEL = {"type": "shipment.created", "order_id": f"ord_{'0' * 26}", "carrier": "SF", "tracking_no": "SF1"}
KEY = {"name": "Li Na", "owner": "stf_1", "scopes": ["payouts:read"]}
CASES: list[tuple[Any, dict[str, Any], str, str]] = [
    (orders.ReceiverData, RECEIVER, "name", " "),
    (orders.ReceiverData, RECEIVER, "name", "a\nb"),
    (orders.ReceiverData, RECEIVER, "address", "\n\t"),
    (AskRefund, REFUND, "reason", "  "),
    (catalog.Title, TITLE, "zh", "\u3000"),
    (members.PutProfile, {"nickname": "小林"}, "nickname", " "),
    (partners.CreateKey, KEY, "name", " "),
    (partners.PutSupplier, {"name": "North"}, "name", "\t"),
    (inbox.Report, PARCEL, "tracking_no", " "),
]


@pytest.mark.parametrize(("kind", "good", "field", "blank"), CASES)
def test_a_blank_text_is_refused_by_its_field(kind: Any, good: dict[str, Any], field: str, blank: str) -> None:
    decoder = msgspec.json.Decoder(kind, strict=True)
    decode(decoder, json.dumps(good).encode())

    with pytest.raises(errors.InvalidError) as refused:
        decode(decoder, json.dumps(good | {field: blank}).encode())

    assert [(one.pointer, one.code) for one in refused.value.pointers] == [(f"/{field}", "OUT_OF_RANGE")]
