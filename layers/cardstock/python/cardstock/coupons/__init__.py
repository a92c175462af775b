"""Coupons: what they take off an order, who has them, and what becomes of them.

Words: *terms* are what a coupon says: kind, group, value, scope, least spend, cap. A *campaign* is terms with a budget,
from which members claim coupons. A member's *wallet* holds the coupons that were claimed. A coupon *touches* the lines
off which it takes something.

Where to look: `applying.py` (what chosen coupons take off, pure).
"""
