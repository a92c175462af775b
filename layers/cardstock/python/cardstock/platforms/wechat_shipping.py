"""Shipping information of WeChat's mini-programs (发货信息录入): the platform must know what was sent for each payment.

| Call | Here |
|---|---|
| `POST /wxa/sec/order/is_trade_managed` | whether the mini-program must report at all |
| `POST /cgi-bin/express/delivery/open_msg/get_delivery_list` | carriers, where their names are not known here |
| `POST /wxa/sec/order/upload_shipping_info` | the parcels of one payment, all at once |

WeChat takes one report of an order, and one correction. A payment that it does not know yet (10060001) is reported
again later; one that was reported before (10060002) is done.

Source: developers.weixin.qq.com: order-shipping, open_msg/get_delivery_list.
"""

import re
from datetime import datetime, timedelta, timezone
from typing import Final

import msgspec

from cardstock.platforms.calls import (
    BusyError,
    Calls,
    MisconfiguredError,
    NotGrantedError,
    PlatformError,
    TokenRefusedError,
    UnansweredError,
    deadline,
    decode,
    encode,
)

MOST_PARCELS: Final = 15
_MOST_DESCRIBED: Final = 120
_BEIJING: Final = timezone(timedelta(hours=8))
_DONE: Final = frozenset({0, 10060002})
_REFUSED: Final = frozenset({47001, 10060003, 10060004})
"""Malformed, the one correction is used up, or the order's state does not allow it."""
_ERRORS: Final[dict[int, type[PlatformError]]] = {
    -1: BusyError,
    40001: TokenRefusedError,
    40014: TokenRefusedError,
    42001: TokenRefusedError,
    40013: MisconfiguredError,
    40125: MisconfiguredError,
    40164: MisconfiguredError,
    48001: NotGrantedError,
}
_WORDS: Final = ("快递包裹", "快递", "速递", "速运", "物流", "快运", "express", "logistics")
_CARRIERS: Final = {
    "SF": ("sf", "顺丰", "shunfeng"), "ZTO": ("zto", "中通", "zhongtong"), "YTO": ("yto", "圆通", "yuantong"),
    "STO": ("sto", "申通", "shentong"), "YD": ("yd", "yunda", "韵达"), "JTSD": ("jtsd", "jt", "j&t", "极兔"),
    "EMS": ("ems", "中国邮政ems"), "YZPY": ("yzpy", "邮政", "中国邮政", "chinapost"), "JD": ("jd", "京东", "jingdong"),
    "DBL": ("dbl", "德邦", "debang", "deppon"), "UC": ("uc", "优速"), "ZJS": ("zjs", "宅急送"),
}  # fmt: skip
"""WeChat's delivery ids, and the names under which suppliers know them, without `_WORDS`."""


class ShippingRefusedError(PlatformError):
    """WeChat never takes this report."""


class SentParcel(msgspec.Struct, frozen=True):
    """A parcel: the carrier as the supplier names it, and its number."""

    carrier: str
    tracking_no: str


class Shipping(msgspec.Struct, frozen=True):
    """What was sent for one payment, and to whose account and telephone number."""

    transaction_no: str
    openid: str
    parcels: tuple[SentParcel, ...]
    goods: str
    phone: str
    at: datetime


class _Answer(msgspec.Struct, frozen=True):
    errcode: int = 0


class _Managed(_Answer, frozen=True):
    is_trade_managed: bool = False


class _Delivery(msgspec.Struct, frozen=True):
    delivery_id: str
    delivery_name: str


class _Deliveries(_Answer, frozen=True):
    delivery_list: tuple[_Delivery, ...] = ()


class WechatShipping:
    """The calls, each with the app's token. Raises `PlatformError`, and nothing else because of WeChat."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def is_needed(self, app_id: str, token: str) -> bool:
        """Whether the mini-program must report what it sends."""
        raw = self._ask("/wxa/sec/order/is_trade_managed", token, {"appid": app_id})
        return decode(raw, _Managed).is_trade_managed

    def report(self, shipping: Shipping, token: str) -> None:
        """Report the parcels of a payment; a repeat changes nothing.

        Raises `ShippingRefusedError` for a carrier that WeChat does not know, more than fifteen parcels, or a payment
        that is not waiting for this, and `UnansweredError` also for a payment that WeChat does not know yet.
        """
        if len(shipping.parcels) > MOST_PARCELS:
            raise ShippingRefusedError(f"parcels {len(shipping.parcels)}")
        several = len(shipping.parcels) > 1
        body: dict[str, object] = {
            "order_key": {"order_number_type": 2, "transaction_id": shipping.transaction_no},
            "logistics_type": 1,
            "delivery_mode": 2 if several else 1,
            **({"is_all_delivered": True} if several else {}),
            "shipping_list": [self._parcel(parcel, shipping, token) for parcel in shipping.parcels],
            "upload_time": shipping.at.astimezone(_BEIJING).isoformat(timespec="milliseconds"),
            "payer": {"openid": shipping.openid},
        }
        self._ask("/wxa/sec/order/upload_shipping_info", token, body)

    def _parcel(self, parcel: SentParcel, shipping: Shipping, token: str) -> dict[str, object]:
        company = delivery_id(parcel.carrier) or self._listed(parcel.carrier, token)
        # SF shows a parcel only to who knows the telephone number.
        contact = {"contact": {"receiver_contact": _masked(shipping.phone)}} if company == "SF" else {}
        return {
            "tracking_no": parcel.tracking_no,
            "express_company": company,
            "item_desc": shipping.goods[:_MOST_DESCRIBED],
            **contact,
        }

    def _listed(self, carrier: str, token: str) -> str:
        raw = self._ask("/cgi-bin/express/delivery/open_msg/get_delivery_list", token, {})
        named = {_stem(each.delivery_name): each.delivery_id for each in decode(raw, _Deliveries).delivery_list}
        if _stem(carrier) not in named:
            raise ShippingRefusedError(f"carrier {carrier}"[:80])
        return named[_stem(carrier)]

    def _ask(self, path: str, token: str, body: dict[str, object]) -> bytes:
        return self._calls.ask(
            "POST", path, _checked, late=deadline(), query={"access_token": token},
            headers={"Content-Type": "application/json"}, content=encode(body),
        )  # fmt: skip


def delivery_id(carrier: str) -> str | None:
    """WeChat's id of a carrier; None if its name is not known here."""
    stem = _stem(carrier)
    return next((known for known, names in _CARRIERS.items() if stem in names), None)


def _stem(carrier: str) -> str:
    stem = "".join(carrier.casefold().split())
    for word in _WORDS:
        if stem != word:
            stem = stem.removesuffix(word)
    return stem


def _masked(phone: str) -> str:
    """`138****8000` of a mainland mobile number, `****1234` of any other; without its extension."""
    digits = re.sub(r"[^0-9]", "", phone.partition("转")[0])
    mobile = re.fullmatch(r"(?:86)?(1[3-9][0-9])[0-9]{4}([0-9]{4})", digits)
    return f"{mobile[1]}****{mobile[2]}" if mobile else f"****{digits[-4:]}"


def _checked(raw: bytes) -> bytes:
    code = decode(raw, _Answer).errcode
    if code in _DONE:
        return raw
    cause = str(code)
    if code in _REFUSED:
        raise ShippingRefusedError(cause)
    raise _ERRORS.get(code, UnansweredError)(cause)
