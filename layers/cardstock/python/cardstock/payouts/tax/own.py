"""The tax of payments from these payments alone: what a member may read of it.

Tax is a person's, and counts all accounts of the person. The figures that were used would show what the others were
paid. So they are computed again from the payments of the member, which show nothing else; where they give another tax
than was withheld, other payments have counted, and there are no figures to show.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from cardstock.money import Fen
from cardstock.payouts.lines import Line
from cardstock.payouts.tax.model import PersonMonth
from cardstock.payouts.tax.tables import TABLES, Method, TaxToDate, assess, withhold
from cardstock.payouts.tax.to_date import COUNTS

_TABLES: Final = {table.id: table for table in TABLES}
_NEVER: Final = datetime.fromtimestamp(0, UTC)


def own_months(lines: Iterable[Line], carrying: Collection[str]) -> list[tuple[PersonMonth, bool]]:
    """The months in which these lines were paid, oldest first, each with whether its tax follows from the lines alone.

    `lines` are those of a year. `carrying` are the batches whose brand carries figures over a gap. The figures of a
    month are made from these lines, whatever else has counted.
    """
    figures: dict[Method, TaxToDate] = {}
    broken: set[Method] = set()
    months: list[tuple[PersonMonth, bool]] = []
    sent = sorted((line for line in lines if line.status in COUNTS), key=_sequence)
    for _, found in groupby(sent, key=lambda line: (line.taxed_in, _TABLES[line.tax_table].method)):
        own = list(found)
        table = _TABLES[own[0].tax_table]
        if table.method == "labour":
            broken.discard("labour")
        for line in own:
            month, carries = line.taxed_in.month, line.batch in carrying
            tax, after = withhold(table, month, line.gross, figures.get(table.method), carry_over_gap=carries)
            figures[table.method] = after
            if tax != line.tax:
                broken.add(table.method)
        paid = [line for line in own if line.status == "paid"]
        if paid:
            months.append((_month(paid, figures[table.method]), table.method not in broken))
    return months


def _month(paid: list[Line], figures: TaxToDate) -> PersonMonth:
    last, table = paid[-1], _TABLES[paid[-1].tax_table]
    return PersonMonth(
        person=last.person or last.member,
        name=last.name,
        id_number=last.id_number,
        period=last.taxed_in.key,
        members=tuple(sorted({line.member for line in paid})),
        transfers=tuple(sorted(line.number for line in paid)),
        income=_sum(line.gross for line in paid),
        tax=_sum(line.tax for line in paid),
        net=_sum(line.net for line in paid),
        table=table,
        figures=figures,
        assessment=assess(table, figures),
    )


def _sequence(line: Line) -> tuple[object, ...]:
    # As `to_date` sizes them: lines of one person that are sent at one moment by attempt and member.
    method, sent_at = _TABLES[line.tax_table].method, line.sent_at or _NEVER
    return line.taxed_in.key, method, sent_at, line.attempt, line.member


def _sum(amounts: Iterable[Fen]) -> Fen:
    return sum(amounts)
