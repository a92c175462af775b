"""Refusals of coupons."""

from typing import Final

from cardstock.errors import refused

COUPONS_OF_ONE_GROUP: Final = refused(
    "COUPONS_OF_ONE_GROUP",
    zh="同一组的优惠券每单只能用一张。",
    en="An order takes one coupon of each group.",
)
COUPON_NOT_FITTING: Final = refused(
    "COUPON_NOT_FITTING",
    zh="这张优惠券不适用于所选商品。",
    en="The coupon is not for anything that is left to pay in this order.",
)
COUPON_LEAST_SPEND: Final = refused(
    "COUPON_LEAST_SPEND",
    zh="未达到优惠券的使用门槛，还差 {missing_fen}。",
    en="The coupon needs {missing_fen} more of goods that it is for.",
)
