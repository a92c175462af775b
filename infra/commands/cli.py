"""Commands for operators: `cardstock ledger verify`, `cardstock ledger explain ord_...`.

They work on a deployed stack with `--stack NAME` before the command's name, in the account and region of the current
AWS credentials; on the deployment of `make serve` with `--state .local/serve`, on what `make demo` left with `--state
.local/demo`; otherwise on the tables that the
environment names (the same variables as the functions'). `ledger verify-proof` needs only its file, `plan check` and
`plan simulate` need no table. All but `plan publish`, `payout results`, `payout close` and `reindex` only read.

Exit status 0: all is correct; 1: something is wrong, and is named; 2: unknown, for a reason in one line on standard
error.
"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from msgspec.structs import asdict
from rich.table import Column, Table
from typer.core import TyperGroup

# In Lambda the layer's folder is on the path; here it is added.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "cardstock" / "python"))

from infra.commands import ledger_texts, members, operators, payouts, simulate, terminal
from infra.commands import reindex as lists
from infra.commands import trace as traces
from infra.commands.language import say, use


class _Commands(TyperGroup):
    """Reports in one line what AWS refused or did not answer."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.Exit:
            raise
        except Exception as error:  # errors of AWS or its SDK are reported, others are raised
            said = operators.trouble(error)
            if said is None:
                raise
            terminal.write(said, err=True)
            raise typer.Exit(operators.UNKNOWN) from None
        finally:
            operators.end()
            use(None)


app = typer.Typer(no_args_is_help=True, add_completion=False, cls=_Commands)
app.add_typer(simulate.app, name="plan")
app.add_typer(payouts.app, name="payout")
ledger = typer.Typer(no_args_is_help=True, help="Proof and explanation of the books.")
app.add_typer(ledger, name="ledger")

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.callback(help="\n\n".join(" ".join(part.split()) for part in __doc__.split("\n\n")))
def main(
    state: Annotated[
        Path | None, typer.Option(envvar="CARDSTOCK_STATE", help="State folder of what runs here, as .local/serve.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option(envvar="CARDSTOCK_STACK", help="Name of a deployed stack, as cardstock.")
    ] = None,
    language: Annotated[
        Literal["zh", "en"] | None, typer.Option(envvar="CARDSTOCK_LANGUAGE", help="Else that of LC_ALL or LANG.")
    ] = None,
) -> None:
    """Commands for operators."""
    use(language)
    operators.work_on(state=state, stack=stack)


@app.command()
def trace(trace_id: str) -> None:
    """Find the refusal of a TRACE_ID in the log of what runs here (--state, else .local/serve and .local/demo). With
    --stack: print the query for CloudWatch Logs Insights. Exit status 1 if no line has it."""
    if not traces.SHAPE.match(trace_id):
        operators.stop(f"{trace_id!r} is no trace id: take the trace_id of a refusal")
    state, stack = operators.chosen()
    if stack is not None:
        terminal.write(traces.insights_query(stack, trace_id))
        return
    logs = [folder / traces.LOG for folder in ((state,) if state else traces.DEFAULT_STATES)]
    if not any(log.exists() for log in logs):
        operators.stop(f"no log is here: {', '.join(str(log) for log in logs)}")
    found = [line for log in logs if log.exists() for line in traces.lines_of(trace_id, log)]
    for line in found:
        terminal.write("  ".join(f"{name}={line[name]}" for name in traces.FIELDS if line.get(name) is not None))
        for name in ("exception_name", "exception"):
            if line.get(name):
                terminal.write(f"  {line[name]}")
    if not found:
        terminal.write(f"{trace_id} is in none of {', '.join(str(log) for log in logs)}", err=True)
        raise typer.Exit(1)


@app.command()
def reindex(as_json: AsJson = False) -> None:
    """Put the orders, members and suppliers of release 0.2.0 into the lists and sales of headquarters. Writes; run it
    once after the update, and again if it is interrupted."""
    lists.show(lists.reindex(), as_json=as_json)


@ledger.command()
def verify(
    as_json: AsJson = False,
    apart: Annotated[
        float | None, typer.Option(help="Report what three looks agree on, so many seconds apart.", min=0)
    ] = None,
) -> None:
    """Check that every transaction balances, that every balance is the sum of its entries, that every order, refund and
    payout has its entries and every entry its cause, and that every seal agrees with the ledger. Exit status 1 names
    what is wrong.

    If the shop is selling meanwhile, use --apart 60, as the nightly audit does: steps in progress look wrong once."""
    operators.need_tables()
    from cardstock.flows import books_wiring
    from cardstock.flows.auditing import audit_books
    from cardstock.ledger.audit import confirmed

    needs = books_wiring.auditing()
    looks, seconds = (1, 0.0) if apart is None else (3, apart)
    report = confirmed(lambda: audit_books(needs), lambda: time.sleep(seconds), looks)
    if as_json:
        terminal.write_json(
            {
                "verified": report.verified,
                "transactions": report.transactions,
                "balances": report.balances,
                "orders": report.orders,
                "transfers": report.transfers,
                "seals": report.seals,
                "totals_fen": dict(report.totals),
                "findings": [asdict(finding) for finding in report.findings],
            }
        )
    else:
        ledger_texts.show_audit(report)
    raise typer.Exit(0 if report.verified else 1)


@ledger.command()
def explain(order_id: str, as_json: AsJson = False) -> None:
    """Show who was credited for an order, by which rule and at which rate, and what refunds took back. An order may
    credit nobody. Exit status 1 if there is no such order."""
    operators.need_tables()
    from cardstock.flows import wiring as flows_wiring
    from cardstock.ledger import wiring as ledger_wiring
    from cardstock.orders import wiring as orders_wiring

    rewards = ledger_wiring.books().find_rewards(order_id)
    order, rules = orders_wiring.orders().find_order(order_id), flows_wiring.rules()
    not_due = [] if order is None else [case for case, _ in rules.not_due(order)]
    persons = {case.person.id for case in not_due if case.person is not None}
    persons |= {credit.member_id for credit in rewards.credits} if rewards else set()
    names = {} if as_json else members.names_of(persons)
    if rewards is None:
        nobody, unknown = say("没有计入任何人", "credited nobody"), say("没有这个订单", "was not found")
        terminal.write(json.dumps(None) if as_json else f"{order_id} {nobody if order is not None else unknown}")
        if not as_json:
            ledger_texts.show_not_due(not_due, names)
        raise typer.Exit(0 if order is not None else 1)
    otherwise = {} if order is None else rules.what_if(order)
    rows = [
        {
            **asdict(credit),
            "cap_cut": credit.cap_cut,
            "taken_back": {
                claw.refund_id: amount for claw in rewards.claws for kind, amount in claw.taken if kind == credit.reward
            },
            "rest": rewards.rest(credit),
            "otherwise": [asdict(other) for other in otherwise.get(credit.reward, ())],
        }
        for credit in rewards.credits
    ]
    view = {"order_id": order_id, "plan": rewards.plan, "state": rewards.state, "rewards": rows}
    if as_json:
        terminal.write_json(view)
        return
    ledger_texts.show_rewards(order_id, rewards, rows, names)
    ledger_texts.show_not_due(not_due, names)


@ledger.command()
def proof(
    transaction_id: str,
    member: Annotated[str, typer.Option(help="Somebody with money in it.")],
    as_json: AsJson = True,  # noqa: ARG001 - a proof is always a JSON document
) -> None:
    """Print the proof that a transaction is in its seal, as its member can download it: always JSON."""
    operators.need_tables()
    from cardstock.errors import CardstockError, UnavailableError
    from cardstock.ledger import sealing
    from cardstock.ledger import wiring as ledger_wiring

    try:
        found = sealing.prove(
            transaction_id,
            member,
            books=ledger_wiring.books(),
            seals=ledger_wiring.seals(),
            archive=ledger_wiring.seal_archive(),
        )
    except UnavailableError:
        raise
    except CardstockError as error:
        terminal.write(f"{transaction_id} of {member}: {error.code}", err=True)
        raise typer.Exit(1) from error
    terminal.write_json(found)


@ledger.command()
def verify_proof(
    file: Path,
    root: Annotated[str | None, typer.Option(help="The published root of the seal, 64 hex digits.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a downloaded proof offline, by its file alone. Exit status 1 says what is wrong.

    Without --root it is only shown to be consistent: compare its root with the published one.
    """
    from cardstock.ledger import merkle

    found: dict[str, Any] = {}
    try:
        read = json.loads(file.read_bytes())
        wrong = merkle.check_proof(read, root)
        found = read if isinstance(read, dict) else {}
    except (OSError, ValueError, RecursionError) as error:
        wrong = [f"{file} cannot be read: {error}"]
    seal = found.get("seal")
    view = {
        "verified": not wrong,
        "wrong": wrong,
        "transaction_id": found.get("transaction_id"),
        "seal": seal.get("number") if isinstance(seal, dict) else None,
        "root": seal.get("root") if isinstance(seal, dict) else None,
        "root_compared": root is not None,
    }
    if as_json:
        terminal.write_json(view)
    elif wrong:
        terminal.write("\n".join(wrong))
    else:
        terminal.write(f"{view['transaction_id']} is in seal {view['seal']} under the root\n{view['root']}")
        if root is None:
            terminal.write(
                "This root is what the file says: compare it with the published one, or name that with --root."
            )
    raise typer.Exit(1 if wrong else 0)


@ledger.command()
def seals(as_json: AsJson = False) -> None:
    """List the seals, oldest first: number, root, transactions, when it was made."""
    operators.need_tables()
    from cardstock.ledger import sealing
    from cardstock.ledger import wiring as ledger_wiring

    found, after = ledger_wiring.seals().list_seals(after=None, limit=100)
    while after is not None:
        more, after = ledger_wiring.seals().list_seals(after=after, limit=100)
        found += more
    found.reverse()
    if as_json:
        terminal.write_json([sealing.seal_as_published(seal) for seal in found])
        return
    table = Table(
        say("封存", "seal"),
        Column(say("根", "root"), overflow="fold"),
        say("分录", "transactions"),
        say("时间", "made at"),
    )
    for seal in found:
        table.add_row(str(seal.number), seal.root, str(seal.count), seal.made_at)
    terminal.console().print(table)


if __name__ == "__main__":
    app(prog_name="cardstock")
