"""What the ledger's commands print for people: in Chinese or English, in yuan, with names beside ids."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.table import Column, Table

from infra.commands import terminal
from infra.commands.language import language, say, yuan

SHOWN: Final = 50
_TOTALS: Final = {
    "accrued": "计提", "clawed": "扣回", "released": "解冻", "frozen": "待结算", "available": "可提现",
    "debt": "待扣余额", "paying": "发放中", "paid": "已发放", "withheld": "代扣税", "written_off": "核销",
}  # fmt: skip
_ROWS: Final = {
    "member_id": "会员", "role": "身份", "rule": "规则", "rate": "标准", "base": "计算基数", "full": "按规则",
    "cap_cut": "上限扣减", "amount": "计入", "rest": "扣回后",
}  # fmt: skip
_FEN: Final = ("base", "full", "cap_cut", "amount", "rest")


def show_audit(report: Any) -> None:
    """Print the findings of an audit, its totals, and whether the books agree."""
    console = terminal.console()
    for finding in report.findings[:SHOWN]:
        console.print(f"[red]{finding.check}[/red] {finding.item}", highlight=False)
        console.print(
            f"  {say('应为', 'expected')} {finding.expected}\n  {say('实为', 'found   ')} {finding.found}",
            highlight=False, markup=False,
        )  # fmt: skip
    if len(report.findings) > SHOWN:
        more = len(report.findings) - SHOWN
        console.print(say(f"……另有 {more} 项", f"... and {more} more"))
    totals = Table(say("全部会员", "over all members"), Column(say("元", "yuan"), justify="right"))
    for name, amount in report.totals.items():
        totals.add_row(say(_TOTALS.get(name, name), name), yuan(amount))
    console.print(totals)
    count = len(report.findings)
    counted = say(
        f"{report.transactions} 笔分录、{report.balances} 个余额、{report.orders} 个订单、{report.transfers} 笔转账、"
        f"{report.seals} 次封存：",
        f"{report.transactions} transactions, {report.balances} balances, {report.orders} orders, "
        f"{report.transfers} transfers, {report.seals} seals: ",
    )
    good, bad = say("一致", "verified"), say(f"{count} 处不符", f"{count} findings")
    console.print(counted + (f"[green]{good}[/green]" if report.verified else f"[red]{bad}[/red]"))


def show_rewards(order_id: str, rewards: Any, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
    """Print the rewards of an order, one column each: ids and amounts fit on a narrow screen too."""
    from cardstock.flows.explaining_reasons import ALTERNATIVES, REWARDS, ROLES

    english = language() == "en"
    table = Table("", *(Column(REWARDS[row["reward"]][english], overflow="fold") for row in rows))
    for name, chinese in _ROWS.items():
        table.add_row(say(chinese, name), *(_cell(name, row, names) for row in rows))
    state = {"frozen": say("待结算", "frozen"), "available": say("可提现", "available")}[rewards.state]
    terminal.write(f"{order_id}, {rewards.plan}, {state}")
    terminal.console().print(table)
    for row in rows:
        for other in row["otherwise"]:
            what = ALTERNATIVES[other["what"]][english].format(ROLES.get(other["value"], ("", ""))[english])
            terminal.write(f"{REWARDS[row['reward']][english]}: {what}: {yuan(other['amount'])} {say('元', 'yuan')}")


def show_not_due(cases: Iterable[Any], names: Mapping[str, str]) -> None:
    """Print for each kind of reward that is not due why, and who would have had it."""
    from cardstock.flows.explaining_reasons import REASONS, REWARDS, ROLES

    english = language() == "en"
    for case in cases:
        reason = REASONS.get(case.outcome, ("没有对应的人", "there is nobody in this place"))[english]
        who = (
            ""
            if case.person is None
            else f"{case.person.id}{_name(case.person.id, names)}, {ROLES[case.person.role][english]}"
        )
        terminal.write(f"{say('没有', 'no ')}{REWARDS[case.kind][english]}{f' ({who})' if who else ''}: {reason}")


def _cell(name: str, row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if name == "member_id":
        return f"{row[name]}{_name(row[name], names)}"
    if name == "rate":
        unit = say("元/件", " yuan a unit") if row["unit"] == "fen" else "%"
        return f"{yuan(row[name])}{unit}"
    return yuan(row[name]) if name in _FEN else str(row[name])


def _name(member_id: str, names: Mapping[str, str]) -> str:
    return f" {names[member_id]}" if names.get(member_id) else ""
