"""Shipping information of WeChat's mini-programs, for orders that were paid by WeChat Pay."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from cardstock.errors import CHANNEL_UNAVAILABLE
from cardstock.orders import errors
from cardstock.orders.channels import Report
from cardstock.orders.channels.wechat import WechatChannel
from cardstock.orders.model import Order
from cardstock.orders.supplier_model import Parcel
from cardstock.platforms.calls import MisconfiguredError, NotGrantedError, PlatformError
from cardstock.platforms.wechat import App, Wechat
from cardstock.platforms.wechat_shipping import SentParcel, Shipping, ShippingRefusedError


class WechatShippingReports:
    """`orders.ports.ShippingReports`. `apps` are the mini-programs with their secrets, as the log-in has them.

    The payer's account is not stored with an order, nor for some the app: WeChat Pay is asked for them.
    """

    def __init__(self, apps: Any, *, pay: Callable[[], WechatChannel], client: Wechat, report: Report) -> None:
        self._apps: Mapping[str, App] = msgspec.convert(apps, dict[str, App])
        self._pay = pay
        self._client = client
        self._report = report

    def report(self, order: Order, parcels: Sequence[Parcel], at: datetime) -> bool:
        payment = self._pay().payment_of(order)
        _, app_id, openid = payment.payer.split(":", 2) if payment.payer else ("", "", "")
        if app_id not in self._apps:
            raise errors.CHANNEL_MISCONFIGURED() from ValueError(f"wechat: no app {app_id}")
        shipping = Shipping(
            transaction_no=order.transaction_no or "",
            openid=openid,
            parcels=tuple(SentParcel(parcel.carrier, parcel.tracking_no) for parcel in parcels),
            goods="、".join(line.name for line in order.lines),
            phone=order.receiver.phone,
            at=at,
        )
        try:
            return self._client.report_shipping(app_id, self._apps[app_id], shipping)
        except ShippingRefusedError as error:
            raise errors.SHIPPING_REFUSED(reason=error.cause) from error
        except (MisconfiguredError, NotGrantedError) as error:
            raise errors.CHANNEL_MISCONFIGURED() from ValueError(f"wechat {app_id} {error.cause}")
        except PlatformError as error:
            self._report(order.order_id, error.cause)
            raise CHANNEL_UNAVAILABLE() from error
