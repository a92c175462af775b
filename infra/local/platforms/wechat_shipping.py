"""WeChat's shipping information on this machine: `is_trade_managed`, `get_delivery_list`, `upload_shipping_info`.

It knows the payments of WeChat Pay on this machine, and takes one report of each and one correction. Reported before
the payment is `visible_after` old, it is not known yet (10060001). A reading, not confirmed: 10060004 for a payment of
which everything went back, and 47001 for every field that is not as documented.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

MOST_PARCELS = 15
CARRIERS = {
    "SF": "顺丰速运", "ZTO": "中通快递", "YTO": "圆通速递", "STO": "申通快递", "YD": "韵达速递",
    "JTSD": "极兔速递", "EMS": "EMS", "YZPY": "邮政快递包裹", "JD": "京东物流", "DBL": "德邦快递", "KYE": "跨越速运",
}  # fmt: skip
_UPLOADED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d")
_MASKED = re.compile(r"(\d{3})?\*{4}\d{4}")
Refuse = Callable[[int, str], Exception]


class ShippingDesk:
    """What one app's shop has reported. `managed` are apps that must report; `refuse` makes a platform's refusal."""

    def __init__(self, now: Callable[[], datetime], refuse: Refuse) -> None:
        self.trades: Callable[[], Mapping[str, Any]] = dict
        """The payments of WeChat Pay."""
        self.managed: set[str] = set()
        self.reports: dict[str, list[dict[str, Any]]] = {}
        """By the payment's number: its report, and the correction."""
        self.visible_after = timedelta()
        self._now = now
        self._refuse = refuse

    def is_managed(self, app_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """`is_trade_managed`."""
        if given != {"appid": app_id}:
            raise self._refuse(47001, "data format error")
        return {"errcode": 0, "errmsg": "ok", "is_trade_managed": app_id in self.managed}

    def deliveries(self) -> dict[str, Any]:
        """`get_delivery_list`."""
        listed = [{"delivery_id": each, "delivery_name": name} for each, name in CARRIERS.items()]
        return {"errcode": 0, "delivery_list": listed, "count": len(listed)}

    def upload(self, app_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """`upload_shipping_info`."""
        self._check(given)
        number = given["order_key"]["transaction_id"]
        trade = next((each for each in self.trades().values() if each.get("transaction_id") == number), None)
        known = trade is not None and trade["appid"] == app_id and trade["openid"] == given["payer"]["openid"]
        if not known or trade is None or self._now() < self._visible_at(trade):
            raise self._refuse(10060001, "支付单不存在")
        if sum(each["fen"] for each in trade["refunds"].values() if each["status"] == "SUCCESS") >= trade["total"]:
            raise self._refuse(10060004, "支付单状态不允许发货")
        earlier = self.reports.setdefault(number, [])
        if earlier and earlier[-1]["shipping_list"] == given["shipping_list"]:
            raise self._refuse(10060002, "支付单已完成发货，无法继续发货")
        if len(earlier) > 1:
            raise self._refuse(10060003, "支付单已使用重新发货机会")
        earlier.append(dict(given))
        return {"errcode": 0, "errmsg": "ok"}

    def _visible_at(self, trade: Mapping[str, Any]) -> datetime:
        return datetime.fromisoformat(trade["success_time"]) + self.visible_after

    def _check(self, given: Mapping[str, Any]) -> None:
        parcels = given.get("shipping_list")
        needed = {"order_key", "logistics_type", "delivery_mode", "shipping_list", "upload_time", "payer"}
        good = needed <= set(given) <= needed | {"is_all_delivered"} and isinstance(parcels, list)
        good = good and given["logistics_type"] == 1 and given["delivery_mode"] in (1, 2)
        good = good and set(given["order_key"]) == {"order_number_type", "transaction_id"}
        good = good and given["order_key"]["order_number_type"] == 2 and set(given["payer"]) == {"openid"}
        good = good and _UPLOADED_AT.fullmatch(str(given["upload_time"])) is not None
        good = good and (given["delivery_mode"] == 2) == ("is_all_delivered" in given)
        good = good and 1 <= len(parcels or ()) <= (1 if given["delivery_mode"] == 1 else MOST_PARCELS)
        if not good or not all(self._fits(parcel) for parcel in parcels or ()):
            raise self._refuse(47001, "data format error")

    @staticmethod
    def _fits(parcel: object) -> bool:
        needed = {"tracking_no", "express_company", "item_desc"}
        if not isinstance(parcel, dict) or not needed <= set(parcel) <= needed | {"contact"}:
            return False
        contact = parcel.get("contact", {}).get("receiver_contact", "")
        shown = parcel["express_company"] != "SF" or _MASKED.fullmatch(contact) is not None
        return shown and parcel["express_company"] in CARRIERS and 1 <= len(parcel["item_desc"]) <= 120
