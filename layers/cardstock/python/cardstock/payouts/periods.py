"""The month that a batch pays out, and the batch's id, which follows from it."""

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

from cardstock.clock import BRAND_ZONE
from cardstock.payouts import errors

_PERIOD = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


class Period(msgspec.Struct, frozen=True, order=True):
    """One calendar month of the brand, written `2026-11`."""

    key: str

    def __post_init__(self) -> None:
        if _PERIOD.fullmatch(self.key) is None:
            raise errors.PERIOD_INVALID(period=self.key)

    @property
    def month(self) -> date:
        """The first day of the month."""
        return date(int(self.key[:4]), int(self.key[5:]), 1)

    @property
    def starts(self) -> datetime:
        """The first moment of the month, in UTC."""
        return datetime(self.month.year, self.month.month, 1, tzinfo=BRAND_ZONE).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after the month, in UTC."""
        later = self.month.replace(day=28) + timedelta(days=4)
        return datetime(later.year, later.month, 1, tzinfo=BRAND_ZONE).astimezone(UTC)

    @classmethod
    def of(cls, moment: datetime) -> "Period":
        """The month of a moment."""
        return cls(moment.astimezone(BRAND_ZONE).strftime("%Y-%m"))

    @classmethod
    def before(cls, moment: datetime) -> "Period":
        """The last month that was over at `moment`."""
        return cls((moment.astimezone(BRAND_ZONE).replace(day=1) - timedelta(days=1)).strftime("%Y-%m"))


def batch_id(period: Period) -> str:
    """The id of a period's batch: every opening of the period finds the same batch."""
    return f"pay_{period.key.replace('-', '')}"


def period_of(batch: str) -> Period:
    """The period in a batch id. Raises InvalidError `PERIOD_INVALID` for anything else."""
    digits = batch.removeprefix("pay_")
    return Period(f"{digits[:4]}-{digits[4:]}")
