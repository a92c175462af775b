"""What WeChat tells the mini-programs of a merchant about the trade that it manages (发货信息管理)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from cardstock.errors import NOT_FOUND
from cardstock.orders.channels.wechat import NAME, Account
from cardstock.orders.push_model import FundsPush, ManagedPush, OtherPush, Push, ShippingPush
from cardstock.platforms.wechat_push import PushApp, PushQuery, check_address, open_push

_Second = Annotated[int, Meta(ge=0, le=99_999_999_999)]


class _Kind(msgspec.Struct, frozen=True):
    MsgType: str = ""
    Event: str = ""


class _Payment(msgspec.Struct, frozen=True, kw_only=True):
    transaction_id: Annotated[str, Meta(min_length=1, max_length=64)]
    merchant_id: str
    sub_merchant_id: str = ""
    merchant_trade_no: Annotated[str, Meta(max_length=64)]


class _Settlement(_Payment, frozen=True, kw_only=True):
    """`confirm_receive_method` is left out: the two ways are reported the wrong way round."""

    estimated_settlement_time: _Second = 0
    settlement_time: _Second = 0


class _Reminder(_Payment, frozen=True, kw_only=True):
    msg: str = ""


class _Managed(msgspec.Struct, frozen=True):
    msg: str = ""


_EVENTS: Final = {
    "trade_manage_order_settlement": _Settlement,
    "trade_manage_remind_shipping": _Reminder,
    "trade_manage_remind_access_api": _Managed,
}


class WechatPushes:
    """`orders.ports.Pushes`. `account` is the one with WeChat Pay. Raises ValueError for one that cannot work."""

    def __init__(self, account: Any) -> None:
        self._account = msgspec.convert(account, Account)

    def check_address(self, app_id: str, query: dict[str, str]) -> str:
        return check_address(self._app(app_id), msgspec.convert(query, PushQuery))

    def read(self, app_id: str, query: dict[str, str], raw: bytes) -> Push:
        fields = open_push(app_id, self._app(app_id), msgspec.convert(query, PushQuery), raw)
        kind = msgspec.convert(fields, _Kind)
        shape = _EVENTS.get(kind.Event) if kind.MsgType == "event" else None
        if shape is None:
            return OtherPush(f"{kind.MsgType} {kind.Event}"[:80].strip())
        given = {name: value for name, value in fields.items() if value not in ("", None)}
        said: Any = msgspec.convert(given, shape, strict=False)  # XML has numbers as texts
        if isinstance(said, _Managed):
            return ManagedPush(app_id, said.msg[:500])
        if self._account.mch_id not in (said.merchant_id, said.sub_merchant_id):
            return OtherPush(f"{kind.Event} of another merchant")
        payment = NAME, said.merchant_trade_no, said.transaction_id
        if isinstance(said, _Reminder):
            return ShippingPush(*payment, said.msg[:500])
        return FundsPush(*payment, _moment(said.estimated_settlement_time), _moment(said.settlement_time))

    def _app(self, app_id: str) -> PushApp:
        found = self._account.pushes.get(app_id)
        if found is None:
            raise NOT_FOUND()
        return found


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
