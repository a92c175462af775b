"""Refusals of the orders area."""

from typing import Final

from msgspec.structs import replace

from cardstock.errors import (
    CHANNEL_UNAVAILABLE,
    MEMBER_CLOSING,
    NOT_FOUND,
    REFUND_EXCEEDS_PAID,
    REGION_UNKNOWN,
    SIGNATURE_INVALID,
    SIGNATURE_MISSING,
    SIGNATURE_STALE,
    STOCK_SHORT,
    conflict,
    invalid,
    refused,
    timed,
    unavailable,
)

COUPON_UNKNOWN: Final = refused(
    "COUPON_UNKNOWN", zh="没有可用的优惠券。", en="The coupon is unknown or cannot be used."
)
COUPON_USED: Final = conflict(
    "COUPON_USED", zh="优惠券已使用或已失效。", en="The coupon has been used, or is no longer valid.", about=("quote",)
)
NOT_FOR_SALE: Final = refused(
    "NOT_FOR_SALE", zh="部分商品已下架或不存在。", en="Some of the products are not for sale."
)
PRICE_CHANGED: Final = conflict(
    "PRICE_CHANGED",
    zh="部分商品价格已变动，请重新确认。",
    en="The price of some products has changed; ask again.",
    about=("quote",),
)
REGION_DIFFERS: Final = conflict(
    "REGION_DIFFERS",
    zh="收货地址不在报价的地区内，请按新报价下单。",
    en="The address is not in the region of the quote; place the order with the new one.",
    about=("quote",),
)
AMOUNT_TOO_LARGE: Final = refused(
    "AMOUNT_TOO_LARGE", zh="订单金额过大。", en="The amount is too large for one order.", about=("lines",)
)
ATTRIBUTION_INVALID: Final = invalid("ATTRIBUTION_INVALID", zh="名片来源标记无效。", en="The attribution is not valid.")
QUOTE_INVALID: Final = invalid(
    "QUOTE_INVALID", zh="报价无效，请重新获取。", en="The quote is not valid; ask for a new one."
)
QUOTE_EXPIRED: Final = timed(
    conflict(
        "QUOTE_EXPIRED", zh="报价已过期，请重新获取。", en="The quote has expired; ask for a new one.", about=("quote",)
    )
)
QUOTE_USED: Final = conflict(
    "QUOTE_USED",
    zh="该报价已用于另一订单，请重新获取报价。",
    en="This quote has been used for another order; ask for a new one.",
    about=("quote",),
)
CHANNEL_UNKNOWN: Final = invalid(
    "CHANNEL_UNKNOWN", zh="不支持该支付方式。", en="This payment channel is not available."
)
PAYMENT_NOT_OFFERED: Final = conflict(
    "PAYMENT_NOT_OFFERED",
    zh="百度没有支付方式：在百度小程序下的订单，请改在微信、支付宝或抖音小程序中下单；其他订单请选用下单平台的支付方式。",
    en="Baidu has no payment: place an order of its app anew on WeChat, Alipay or Douyin; pay another order by a "
    "channel of the app in which it was placed.",
    about=("channel",),
)
ORDER_PAID: Final = conflict("ORDER_PAID", zh="订单已支付。", en="The order has been paid.")
ORDER_NOT_PAID: Final = conflict("ORDER_NOT_PAID", zh="订单尚未支付。", en="The order has not been paid.")
ORDER_CANCELLED: Final = conflict("ORDER_CANCELLED", zh="订单已取消。", en="The order has been cancelled.")
ORDER_EXPIRED: Final = timed(conflict("ORDER_EXPIRED", zh="订单已超时关闭。", en="The order has expired."))
CHANNEL_MISCONFIGURED: Final = replace(
    unavailable(
        "CHANNEL_MISCONFIGURED",
        zh="该支付方式暂时不可用，请稍后重试。",
        en="This payment channel is unavailable; try again later.",
    ),
    alarm="ChannelMisconfigured",
)
APP_DIFFERS: Final = conflict(
    "APP_DIFFERS",
    zh="请登录下单时所用的小程序后支付。",
    en="An order is paid in the app in which it was placed; log in there.",
    about=("channel",),
)
PAYMENT_CLOSED: Final = conflict(
    "PAYMENT_CLOSED",
    zh="支付渠道已关闭该订单的支付，请重新下单。",
    en="The payment channel takes no payment for this order any more; place a new one.",
)
PAYMENT_STARTED: Final = conflict(
    "PAYMENT_STARTED",
    zh="该订单正在支付，或已由另一账号发起支付；请稍后重试，或取消后重新下单。",
    en="The order is being paid, or another account has started its payment: try again later, or place it anew.",
)
PAYMENT_PENDING: Final = unavailable(
    "PAYMENT_PENDING",
    zh="支付渠道尚未确认该订单不会再收款，请稍后重试。",
    en="The payment channel may still take a payment for this order; try again.",
)
INSTALMENTS_NOT_OFFERED: Final = refused(
    "INSTALMENTS_NOT_OFFERED",
    zh="该支付方式不支持所选分期数。",
    en="This payment channel does not offer this number of instalments.",
    about=("instalments",),
)
INSTALMENTS_BELOW_LEAST: Final = refused(
    "INSTALMENTS_BELOW_LEAST",
    zh="订单金额未达到分期的最低金额 {least_fen}。",
    en="Instalments need an order of at least {least_fen}.",
    about=("instalments",),
)
AGREEMENTS_NOT_OFFERED: Final = refused(
    "AGREEMENTS_NOT_OFFERED",
    zh="该支付方式不支持免密支付。",
    en="This payment channel offers no payment agreements.",
    about=("channel",),
)
AGREEMENT_BOUNDS: Final = refused(
    "AGREEMENT_BOUNDS",
    zh="单笔上限不得超过 {charge_fen} 和每日上限，每日上限不得超过 {day_fen}。",
    en="One charge may be at most {charge_fen} and at most what is chosen for a day, a day at most {day_fen}.",
    about=("charge_fen", "day_fen"),
)
AGREEMENTS_TOO_MANY: Final = refused(
    "AGREEMENTS_TOO_MANY",
    zh="未结束的免密支付协议已达 {limit} 个，请先解约。",
    en="A member has at most {limit} payment agreements that have not ended; end one first.",
    about=("channel",),
)
AGREEMENT_UNKNOWN: Final = invalid(
    "AGREEMENT_UNKNOWN", zh="没有这个免密支付协议。", en="There is no such payment agreement."
)
AGREEMENT_UNSIGNED: Final = conflict(
    "AGREEMENT_UNSIGNED",
    zh="该免密支付协议尚未签约。",
    en="The payment agreement has not been signed.",
    about=("agreement_id",),
)
AGREEMENT_ENDED: Final = timed(
    conflict(
        "AGREEMENT_ENDED",
        zh="该免密支付协议已结束。",
        en="The payment agreement has ended.",
        about=("agreement_id",),
    )
)
CHARGE_OVER_LIMIT: Final = refused(
    "CHARGE_OVER_LIMIT",
    zh="订单金额超过免密支付协议的单笔上限 {limit_fen}。",
    en="The order costs more than the agreement's most for one charge, {limit_fen}.",
    about=("agreement_id",),
)
CHARGE_OVER_DAY: Final = timed(
    refused(
        "CHARGE_OVER_DAY",
        zh="超过免密支付协议的每日上限 {limit_fen} 或每日次数。",
        en="This is more than the agreement allows for a day: {limit_fen}, or too many charges.",
        about=("agreement_id",),
    )
)
BALANCE_SHORT: Final = refused(
    "BALANCE_SHORT",
    zh="支付账户余额不足，扣款未成功；请换一种方式支付。",
    en="The payer's account has not enough money: nothing was taken, pay in another way.",
    about=("agreement_id",),
)
CHARGES_TOO_MANY: Final = refused(
    "CHARGES_TOO_MANY",
    zh="该订单多次扣款未成功；请换一种方式支付。",
    en="Charges for this order were refused too often: pay in another way.",
    about=("agreement_id",),
)
REFUND_TOO_MUCH: Final = refused(
    "REFUND_TOO_MUCH", zh="退款数量超过可退数量。", en="This is more than can be refunded.", about=("lines",)
)
REFUND_WAITS: Final = conflict(
    "REFUND_WAITS",
    zh="这些商品之前的退款被支付渠道拒绝，正等待客服处理，请勿重复申请。",
    en="An earlier refund of these units was refused by its channel and waits for the shop's staff; do not ask again.",
    about=("lines",),
)
REFUND_TOO_LATE: Final = timed(
    refused("REFUND_TOO_LATE", zh="已超过退款期限。", en="The time to refund this payment is over.")
)
REFUND_REFUSED: Final = refused("REFUND_REFUSED", zh="支付渠道拒绝退款。", en="The payment channel refuses the refund.")
MERCHANT_MUST_ACT: Final = unavailable(
    "MERCHANT_MUST_ACT",
    zh="支付渠道暂不能退款：商户须先处理，例如补足余额。",
    en="The payment channel cannot refund now: the merchant must act first, for instance add funds.",
)
REFUND_PENDING: Final = unavailable("REFUND_PENDING", zh="退款正在处理中。", en="The refund is being processed.")
REFUND_SUCCEEDED: Final = conflict(
    "REFUND_SUCCEEDED",
    zh="支付渠道已完成该退款，无需另行处理。",
    en="The channel has made this refund after all; nothing is left to do.",
)
REFUND_DIFFERS: Final = conflict(
    "REFUND_DIFFERS",
    zh="买家在平台申请的金额不等于该订单剩余可退金额；请在平台拒绝后，由客服另行退款。",
    en="The buyer asks for another amount than is left of the order: deny it, and refund what is owed from here.",
)
SHIPPING_REFUSED: Final = refused(
    "SHIPPING_REFUSED", zh="支付平台拒绝该发货信息。", en="The platform of the payment refuses what was sent."
)
NOT_SHIPPED: Final = conflict("NOT_SHIPPED", zh="订单尚未全部发货。", en="Not everything has been shipped.")
SUPPLIER_ORDER_CANCELLED: Final = conflict(
    "SUPPLIER_ORDER_CANCELLED", zh="该供应商订单已取消。", en="This supplier order has been cancelled."
)
TOO_MANY_PARCELS: Final = refused(
    "TOO_MANY_PARCELS", zh="包裹数量超过上限 {limit}。", en="An order has at most {limit} parcels per supplier."
)
UNITS_SENT: Final = conflict(
    "UNITS_SENT",
    zh="部分商品已发货，不能自助退款；请联系客服办理退货。",
    en="Some of these units have been sent. The shop's staff refund them: contact the shop to return them.",
    about=("lines",),
)
GOODWILL_LIMIT: Final = refused(
    "GOODWILL_LIMIT",
    zh="超出一人可批准的补偿金额，上限为 {limit_fen}；请由第二人确认。",
    en="One person may give at most {limit_fen}; ask for a second person.",
    about=("amount_fen",),
)
CHANNEL_MISSING: Final = refused(
    "CHANNEL_MISSING", zh="该支付渠道未启用。", en="The payment channel of this order is not set up here."
)

# Refusals by route.
QUOTING: Final = (
    NOT_FOR_SALE, STOCK_SHORT, ATTRIBUTION_INVALID, AMOUNT_TOO_LARGE, COUPON_UNKNOWN, REGION_UNKNOWN, MEMBER_CLOSING
)  # fmt: skip
OFFER_CHANGED: Final = (PRICE_CHANGED, STOCK_SHORT, COUPON_USED, REGION_DIFFERS)
"""What a quote promised and placing finds otherwise: the answer encloses a fresh quote."""
PLACING: Final = (QUOTE_INVALID, QUOTE_EXPIRED, QUOTE_USED, *OFFER_CHANGED, REGION_UNKNOWN, MEMBER_CLOSING)
READING: Final = (NOT_FOUND,)
CANCELLING: Final = (NOT_FOUND, ORDER_PAID, ORDER_EXPIRED, PAYMENT_PENDING)
PAYING: Final = (
    NOT_FOUND,
    CHANNEL_UNKNOWN,
    CHANNEL_UNAVAILABLE,
    CHANNEL_MISCONFIGURED,
    PAYMENT_NOT_OFFERED,
    APP_DIFFERS,
    INSTALMENTS_NOT_OFFERED,
    INSTALMENTS_BELOW_LEAST,
    PAYMENT_CLOSED,
    PAYMENT_STARTED,
    ORDER_PAID,
    ORDER_CANCELLED,
    ORDER_EXPIRED,
)
CHARGING: Final = (
    CHARGES_TOO_MANY,
    NOT_FOUND,
    CHANNEL_UNAVAILABLE,
    CHANNEL_MISCONFIGURED,
    CHANNEL_MISSING,
    APP_DIFFERS,
    PAYMENT_CLOSED,
    PAYMENT_STARTED,
    PAYMENT_PENDING,
    AGREEMENT_UNKNOWN,
    AGREEMENT_UNSIGNED,
    AGREEMENT_ENDED,
    CHARGE_OVER_LIMIT,
    CHARGE_OVER_DAY,
    BALANCE_SHORT,
    ORDER_PAID,
    ORDER_CANCELLED,
    ORDER_EXPIRED,
)
ASKING_AGREEMENT: Final = (
    CHANNEL_UNKNOWN,
    AGREEMENTS_NOT_OFFERED,
    CHANNEL_UNAVAILABLE,
    CHANNEL_MISCONFIGURED,
    APP_DIFFERS,
    AGREEMENT_BOUNDS,
    AGREEMENTS_TOO_MANY,
)
CHECKING_AGREEMENT: Final = (NOT_FOUND, CHANNEL_UNAVAILABLE, CHANNEL_MISCONFIGURED, CHANNEL_MISSING)
NOTIFYING: Final = (SIGNATURE_MISSING, SIGNATURE_INVALID, SIGNATURE_STALE, CHANNEL_MISCONFIGURED, NOT_FOUND)
REFUNDING: Final = (NOT_FOUND, ORDER_NOT_PAID, REFUND_TOO_MUCH, REFUND_WAITS, REFUND_TOO_LATE, UNITS_SENT)
RETURNING: Final = (NOT_FOUND, ORDER_NOT_PAID, REFUND_TOO_MUCH, REFUND_WAITS, REFUND_TOO_LATE)
GRANTING: Final = (NOT_FOUND, ORDER_NOT_PAID, REFUND_EXCEEDS_PAID, GOODWILL_LIMIT, REFUND_TOO_LATE)
CLOSING: Final = (CHANNEL_MISSING, CHANNEL_MISCONFIGURED, CHANNEL_UNAVAILABLE, REFUND_PENDING, REFUND_SUCCEEDED)
GRANTING_ASKED: Final = (REFUND_EXCEEDS_PAID, REFUND_TOO_LATE)
AGREEING: Final = (REFUND_DIFFERS,)
RECEIVING: Final = (NOT_FOUND, NOT_SHIPPED)
