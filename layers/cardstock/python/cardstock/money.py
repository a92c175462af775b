"""Integer arithmetic for amounts in fen (1/100 yuan, CNY) and rates in basis points. No float ever enters.

`Fen` and `Bps` are plain integers with a name: they say which unit a parameter has and cost nothing.
"""

from collections.abc import Sequence
from typing import TypeAlias

Fen: TypeAlias = int
Bps: TypeAlias = int

CURRENCY = "CNY"
BPS_ONE = 10_000
MAX_FEN = 10**13
"""Bound of any amount that enters the system: far above an order, far below 2**53, where JSON readers lose integers."""


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded half away from zero. `denominator` must be positive."""
    if denominator <= 0:
        raise ValueError("denominator must be positive")
    quotient, rest = divmod(abs(numerator), denominator)
    rounded = quotient + (2 * rest >= denominator)
    return rounded if numerator >= 0 else -rounded


def share(amount: Fen, rate: Bps) -> Fen:
    """`rate` basis points of `amount`, rounded half-up once."""
    return half_up(amount * rate, BPS_ONE)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights` so that the parts add up to it exactly.

    Largest remainder; ties go to the earlier part. With all weights zero every part is zero unless `total` is not,
    which is a ValueError: nothing can carry it. `total` and the weights must not be negative.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("split takes amounts and weights of zero or more")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("no weight can carry the amount")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    for index in sorted(range(len(weights)), key=lambda i: -remainders[i])[: total - sum(parts)]:
        parts[index] += 1
    return parts
