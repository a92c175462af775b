"""Factories of the orders area, each lazy: a function loads only what it uses."""

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from cardstock import clock, environment

if TYPE_CHECKING:
    import httpx

    from cardstock.orders.agreement_model import Bounds
    from cardstock.orders.agreements import AgreementNeeds, ChargeNeeds
    from cardstock.orders.change_model import OrderChange, RefundChange, SupplierOrderChange
    from cardstock.orders.channels.douyin import DouyinChannel
    from cardstock.orders.channels.sandbox import SandboxChannel
    from cardstock.orders.channels.wechat import WechatChannel
    from cardstock.orders.model import Freight
    from cardstock.orders.ports import (
        Agreements,
        AskedRefunds,
        CouponUses,
        ErasedDays,
        InstalmentPayments,
        OrderDays,
        Orders,
        PaidOrders,
        PaymentAgreements,
        PaymentChannel,
        Pushes,
        Sales,
        ShippingReports,
    )
    from cardstock.orders.shipped_queue import ShippedQueue


def order_change(record: dict[str, Any]) -> "OrderChange | RefundChange | SupplierOrderChange | None":
    """The change in a record of the streams of orders and supplier orders. Raises on anything else."""
    from cardstock.orders.store import change_of

    return change_of(record)


@cache
def freight() -> "Freight":
    """The brand's freight setting."""
    from cardstock.orders.model import Freight

    return Freight(environment.number("FREIGHT_FEN"), environment.number("FREIGHT_FREE_FROM_FEN"))


def goodwill_bound() -> int:
    """What one person may give of each line as goodwill, in basis points."""
    return environment.number("GOODWILL_BPS")


@cache
def orders() -> "Orders":
    """Orders, refunds and supplier orders in DynamoDB."""
    from cardstock.edge.wiring import marker
    from cardstock.orders.store import DynamoOrders

    return DynamoOrders(marker())


@cache
def order_days() -> "OrderDays":
    """Orders and refunds by day in DynamoDB."""
    from cardstock.orders.days_store import DynamoOrderDays

    return DynamoOrderDays()


@cache
def stored_sales() -> "Sales":
    """Stored sales of days in DynamoDB."""
    from cardstock.orders.days_store import DynamoSales

    return DynamoSales()


@cache
def erased_days() -> "ErasedDays":
    """How far old orders are erased."""
    from cardstock.orders.days_store import DynamoErasedDays

    return DynamoErasedDays()


@cache
def paid_orders() -> "PaidOrders":
    """The history of paid orders in DynamoDB."""
    from cardstock.orders.history_store import DynamoPaidOrders

    return DynamoPaidOrders()


@cache
def coupon_uses() -> "CouponUses":
    """The uses of coupons in DynamoDB."""
    from cardstock.orders.coupon_store import DynamoCouponUses

    return DynamoCouponUses()


SANDBOX: Final = "sandbox"
_PLATFORMS: Final = ("wechat", "alipay", "douyin")
"""The channels of platforms, each with a secret of its own."""
_transports: "Mapping[str, httpx.BaseTransport]" = {}


def set_payment_transports(new: "Mapping[str, httpx.BaseTransport]") -> None:
    """Replace the HTTP transports of payment channels, by their names; for tests."""
    global _transports  # noqa: PLW0603 - tests replace the transports here
    _transports = new
    _sandbox.cache_clear()
    _channel.cache_clear()
    _wechat_shipping.cache_clear()
    _wechat_pushes.cache_clear()


class _Channels(Mapping[str, "PaymentChannel"]):
    """The payment channels by name, each made when it is used, and anew when its secret has changed."""

    def __getitem__(self, name: str) -> "PaymentChannel":
        if name not in _open_channels():
            raise KeyError(name)
        if name == SANDBOX:
            return _sandbox()
        from cardstock.edge.secrets import secret

        return _channel(name, json.dumps(secret(_secret_id(name)), sort_keys=True))

    def __iter__(self) -> Iterator[str]:
        return iter(_open_channels())

    def __len__(self) -> int:
        return len(_open_channels())


@cache
def shipments() -> "ShippedQueue":
    """Sends shipped orders to the queue of those whose platform must know."""
    from cardstock.aws.queues import Queue
    from cardstock.orders.shipped_queue import ShippedQueue

    return ShippedQueue(lambda: Queue(environment.text("ORDERS_SHIPPED_QUEUE_URL")))


class _ShippingReports(Mapping[str, "ShippingReports"]):
    """The platforms that must know what was sent, each made when it is used and anew when its secret has changed."""

    def __getitem__(self, name: str) -> "ShippingReports":
        if name not in self._known():
            raise KeyError(name)
        if name == "douyin":
            return _douyin_channel()
        from cardstock.edge.secrets import secret

        apps = secret(environment.text("PLATFORMS_SECRET_ID")).get(name, {}).get("apps", {})
        return _wechat_shipping(json.dumps(apps, sort_keys=True))

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    @staticmethod
    def _known() -> list[str]:
        on = environment.text("PAYMENT_CHANNELS").split()
        return [name for name in ("wechat", "douyin") if name in on]


@cache
def shipping_reports() -> "Mapping[str, ShippingReports]":
    """The platforms that must know what was sent for their payments, by channel.

    Getting one raises `UnavailableError` CHANNEL_MISCONFIGURED if a secret cannot work.
    """
    return _ShippingReports()


@cache
def _wechat_shipping(apps: str) -> "ShippingReports":
    from cardstock.orders import errors
    from cardstock.orders.channels.wechat_shipping import WechatShippingReports
    from cardstock.platforms.wechat import Wechat

    client = Wechat(environment.text("WECHAT_URL"), transport=_transports.get("wechat-login"))
    try:
        return WechatShippingReports(
            json.loads(apps), pay=_wechat_channel, client=client, report=partial(_report, "wechat shipping")
        )
    except ValueError as error:
        raise errors.CHANNEL_MISCONFIGURED() from ValueError(f"wechat apps: {error}")


def _wechat_channel() -> "WechatChannel":
    channel: WechatChannel = payment_channels()["wechat"]  # type: ignore[assignment]  # by its name
    return channel


def _douyin_channel() -> "DouyinChannel":
    channel: DouyinChannel = payment_channels()["douyin"]  # type: ignore[assignment]  # by its name
    return channel


class _AskedRefunds(Mapping[str, "AskedRefunds"]):
    """The channels that buyers can ask for refunds."""

    def __getitem__(self, name: str) -> "AskedRefunds":
        if name not in self._known():
            raise KeyError(name)
        return _douyin_channel()

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    @staticmethod
    def _known() -> list[str]:
        return [name for name in ("douyin",) if name in _open_channels()]


@cache
def asked_refunds() -> "Mapping[str, AskedRefunds]":
    """The channels that buyers can ask for refunds, by name. Getting one raises as `payment_channels` does."""
    return _AskedRefunds()


def _secret_id(name: str) -> str:
    """Of the channel's account: each has a secret of its own."""
    return {
        "wechat": lambda: environment.text("WECHAT_PAY_SECRET_ID"),
        "alipay": lambda: environment.text("ALIPAY_PAY_SECRET_ID"),
        "douyin": lambda: environment.text("DOUYIN_PAY_SECRET_ID"),
    }[name]()


def _open_channels() -> list[str]:
    on = environment.text("PAYMENT_CHANNELS").split()
    sandbox = [SANDBOX] if environment.text("PAYMENT_SANDBOX_URL") else []
    return [*sandbox, *(name for name in _PLATFORMS if name in on)]


@cache
def payment_channels() -> "Mapping[str, PaymentChannel]":
    """The payment channels by name: the sandbox if it has an address, and those that the deployment names.

    Getting one raises `UnavailableError` CHANNEL_MISCONFIGURED if its secret cannot work.
    """
    return _Channels()


class _OfTheSandbox(Mapping[str, "SandboxChannel"]):
    """The channels that can do what the sandbox alone does: the sandbox, if it is open."""

    def __getitem__(self, name: str) -> "SandboxChannel":
        if name not in self._known():
            raise KeyError(name)
        return _sandbox()

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    @staticmethod
    def _known() -> list[str]:
        return [name for name in (SANDBOX,) if name in _open_channels()]


def pushes() -> "Pushes | None":
    """What WeChat pushes; None where WeChat Pay is not open.

    Raises `UnavailableError` CHANNEL_MISCONFIGURED if its secret cannot work.
    """
    if "wechat" not in _open_channels():
        return None
    from cardstock.edge.secrets import secret

    return _wechat_pushes(json.dumps(secret(_secret_id("wechat")), sort_keys=True))


@cache
def _wechat_pushes(account: str) -> "Pushes":
    from cardstock.orders import errors
    from cardstock.orders.channels.wechat_push import WechatPushes

    try:
        return WechatPushes(json.loads(account))
    except ValueError as error:
        raise errors.CHANNEL_MISCONFIGURED() from ValueError(f"wechat: {error}")


@cache
def instalment_channels() -> "Mapping[str, InstalmentPayments]":
    """The channels that let buyers pay in instalments, by name. Getting one raises as `payment_channels` does."""
    return _OfTheSandbox()


@cache
def agreement_channels() -> "Mapping[str, PaymentAgreements]":
    """The channels that charge members under agreements, by name. Getting one raises as `payment_channels` does."""
    return _OfTheSandbox()


@cache
def agreements() -> "Agreements":
    """Payment agreements in DynamoDB."""
    from cardstock.orders.agreement_store import DynamoAgreements

    return DynamoAgreements()


@cache
def agreement_bounds() -> "Bounds":
    """The most that members may agree to."""
    from cardstock.orders.agreement_model import Bounds

    return Bounds(environment.number("AGREEMENT_CHARGE_FEN"), environment.number("AGREEMENT_DAY_FEN"))


@cache
def agreement_needs() -> "AgreementNeeds":
    """The ports of agreements."""
    from cardstock.orders.agreements import AgreementNeeds

    return AgreementNeeds(agreements(), agreement_channels(), agreement_bounds)


@cache
def charge_needs() -> "ChargeNeeds":
    """The ports of a charge."""
    from cardstock.orders.agreements import ChargeNeeds

    return ChargeNeeds(orders(), agreement_needs(), payment_channels())


@cache
def _sandbox() -> "SandboxChannel":
    from cardstock.edge.secrets import secret
    from cardstock.edge.signatures import sign, verify
    from cardstock.orders.channels.sandbox import SandboxChannel

    def key() -> str:
        return str(secret(environment.text("PAYMENT_SECRET_ID"))["sandbox_key"])

    return SandboxChannel(
        environment.text("PAYMENT_SANDBOX_URL"),
        verify=lambda headers, raw: verify([key()], headers, raw, clock.now()),
        sign=lambda message_id, body: sign(key(), message_id, clock.now(), body),
        transport=_transports.get(SANDBOX),
    )


@cache
def _channel(name: str, account: str) -> "PaymentChannel":
    from cardstock.orders import errors

    report, transport = partial(_report, name), _transports.get(name)
    try:
        if name == "wechat":
            from cardstock.orders.channels.wechat import WechatChannel

            return WechatChannel(json.loads(account), report=report, transport=transport)
        if name == "douyin":
            from cardstock.orders.channels.douyin import DouyinChannel

            return DouyinChannel(json.loads(account), report=report, transport=transport)
        from cardstock.orders.channels.alipay import AlipayChannel

        return AlipayChannel(json.loads(account), report=report, transport=transport)
    except ValueError as error:
        raise errors.CHANNEL_MISCONFIGURED() from ValueError(f"{name}: {error}")


def _report(channel: str, number: str, cause: str) -> None:
    from cardstock.edge.observability import count, logger

    logger.warning("payment channel unanswered", channel=channel, number=number, cause=cause)
    count("PaymentChannelRefusals")
