"""Proof that the books are right: compares everything stored with everything else, and names each wrong item.

Checked, each in both directions: postings of a transaction add up to zero and its id is that of its cause; every
balance is the sum of its postings; the rewards row of an order follows from its transactions; every paid order has
exactly the accrual of its plan, every paid refund its claw-back, every transfer its claim and its end; every correction
of a transfer's end the decision of two persons, and every such decision its correction; and nothing else is booked.
Every seal is recomputed: its root, its link to the seal before, and the leaf of each of its transactions as the ledger
has it now. It reads everything: run it while no step is in progress, on a restored copy, or use `confirmed`, which
keeps only findings that repeated audits agree on.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec.structs import replace

from cardstock.clock import rfc3339
from cardstock.ledger import merkle
from cardstock.ledger.audit_model import (
    Check,
    ClearingTruth,
    CorrectionTruth,
    Finding,
    OrderTruth,
    Report,
    SealTruth,
    SingleTruth,
    TransferTruth,
)
from cardstock.ledger.model import (
    BRAND_ACCOUNTS,
    ID_PREFIX,
    POCKETS,
    Balance,
    Kind,
    LedgerTransaction,
    OrderClawBack,
    OrderRewards,
    Pocket,
    RewardKind,
    changes,
    pocket_of,
    transaction_id,
)
from cardstock.ledger.offsets import parties_of
from cardstock.ledger.sealing import leaf_of, recomputed_root
from cardstock.money import Fen

SEALED_WITHIN: Final = timedelta(days=2)
"""A transaction this much older than the newest seal must be in a seal."""


class Part(NamedTuple):
    """What an amount of a transaction belongs to: a member, a pocket, and a reward if any."""

    member_id: str
    pocket: Pocket
    reward: RewardKind | None


def audit(
    transactions: Iterable[LedgerTransaction],
    balances: Iterable[Balance],
    rewards: Iterable[OrderRewards],
    orders: Iterable[OrderTruth],
    transfers: Iterable[TransferTruth],
    *,
    clearings: Iterable[ClearingTruth] = (),
    singles: Iterable[SingleTruth] = (),
    seals: Iterable[SealTruth] = (),
    closed: Iterable[str] = (),
) -> Report:
    """Compare everything stored. Findings come in the order of the checks above. `closed`: the members whose accounts
    were closed."""
    return _Audit(
        {transaction.id: transaction for transaction in transactions},
        {balance.member_id: balance for balance in balances},
        {row.order_id: row for row in rewards},
        {order.order_id: order for order in orders},
        {transfer.number: transfer for transfer in transfers},
        clearings={clearing.item: clearing for clearing in clearings},
        singles=list(singles),
        seals=list(seals),
        closed=frozenset(closed),
    ).report()


def confirmed(look: Callable[[], Report], pause: Callable[[], None], looks: int = 3) -> Report:
    """The findings that all of `looks` audits have in common, with a pause between them.

    A step in progress looks like a mistake for a moment: an order paid but not credited yet, a balance that changed
    between two scans. A real mistake stays.
    """
    report = look()
    for _ in range(looks - 1):
        if report.verified:
            break
        pause()
        named = {(finding.item, finding.check) for finding in report.findings}
        again = look()
        report = replace(again, findings=tuple(f for f in again.findings if (f.item, f.check) in named))
    return report


class _Audit:
    def __init__(
        self,
        booked: dict[str, LedgerTransaction],
        balances: dict[str, Balance],
        rows: dict[str, OrderRewards],
        orders: dict[str, OrderTruth],
        transfers: dict[str, TransferTruth],
        *,
        clearings: dict[str, ClearingTruth],
        singles: list[SingleTruth],
        seals: list[SealTruth],
        closed: frozenset[str],
    ) -> None:
        self.booked = booked
        self.balances = balances
        self.rows = rows
        self.orders = orders
        self.transfers = transfers
        self.clearings = clearings
        self.singles = singles
        self.seals = seals
        self.closed = closed
        self.findings: list[Finding] = []
        self.explained: set[str] = set()
        self.unreadable: set[str] = set()

    def report(self) -> Report:
        for transaction in self.booked.values():
            self._transaction(transaction)
        for order in self.orders.values():
            self._order(order)
        for transfer in self.transfers.values():
            self._transfer(transfer)
            for correction in transfer.corrections:
                self._correction(transfer, correction)
        self._clearings()
        for single in self.singles:
            self._single(single)
        self._offsets()
        for transaction_id_ in sorted(self.booked.keys() - self.explained - self.unreadable):
            transaction = self.booked[transaction_id_]
            self._find(f"ledger/{transaction.id}", "unexplained", f"a cause {transaction.cause}", "no such cause")
        self._rows()
        folded = self._fold()
        self._balances(folded)
        self._sealed()
        return Report(
            transactions=len(self.booked),
            balances=len(self.balances),
            orders=len(self.orders),
            transfers=len(self.transfers),
            seals=len(self.seals),
            totals=self._totals(folded),
            findings=tuple(self.findings),
        )

    def _single(self, single: SingleTruth) -> None:
        booked = self._take(single.kind, single.cause)
        if booked is not None:
            self._compare(booked, {Part(single.member_id, "available", None): single.amount}, _amounts(booked))
            self._compare(booked, single.approved_by, booked.approved_by)

    def _offsets(self) -> None:
        """Each offset must repay a closed account with the money of the one other member that its cause names."""
        for transaction in self.booked.values():
            if transaction.kind != "offset" or transaction.id in self.unreadable:
                continue
            try:
                closed_id, member_id = parties_of(transaction.cause)
            except ValueError:
                continue  # unexplained
            if closed_id not in self.closed or closed_id == member_id:
                continue
            self.explained.add(transaction.id)
            found = _amounts(transaction)
            repaid = max(found.get(Part(closed_id, "available", None), 0), 1)
            expected = {Part(closed_id, "available", None): repaid, Part(member_id, "available", None): -repaid}
            self._compare(transaction, expected, found)

    def _find(self, item: str, check: Check, expected: object, found: object) -> None:
        self.findings.append(Finding(item, check, str(expected), str(found)))

    def _transaction(self, transaction: LedgerTransaction) -> None:
        item = f"ledger/{transaction.id}"
        try:
            for posting in transaction.postings:
                if pocket_of(posting.account) is None and posting.account not in BRAND_ACCOUNTS:
                    raise ValueError(f"{posting.account!r} is no account")
        except ValueError as error:
            self._find(item, "wrong_account", "accounts of members or the brand", error)
            self.unreadable.add(transaction.id)
            return
        if transaction.total:
            self._find(item, "unbalanced", 0, transaction.total)
        if transaction.kind not in ID_PREFIX or transaction_id(transaction.kind, transaction.cause) != transaction.id:
            self._find(item, "wrong_id", transaction.id, f"{transaction.kind} {transaction.cause}")
            self.unreadable.add(transaction.id)

    def _take(self, kind: Kind, cause: str) -> LedgerTransaction | None:
        """The transaction of a step that should be booked; a finding if it is missing."""
        expected = transaction_id(kind, cause)
        transaction = self.booked.get(expected)
        if transaction is None:
            self._find(f"ledger/{expected}", "missing", f"{kind} {cause}", "nothing")
            return None
        self.explained.add(expected)
        return None if expected in self.unreadable else transaction

    def _compare(self, transaction: LedgerTransaction, expected: object, found: object) -> None:
        if expected != found:
            self._find(f"ledger/{transaction.id}", "wrong_amounts", expected, found)

    def _order(self, order: OrderTruth) -> None:
        if not order.paid or not order.accrual.credits:
            return
        accrued = self._take("accrued", order.order_id)
        if accrued is not None:
            due = {Part(c.member_id, "frozen", c.reward): c.amount for c in order.accrual.credits if c.amount}
            self._compare(accrued, due, _amounts(accrued))
            self._compare(accrued, (order.accrual.plan, order.accrual.credits), (accrued.plan, accrued.credits))
        owners = {credit.reward: credit.member_id for credit in order.accrual.credits}
        frozen = dict.fromkeys(owners, 0) if accrued is None else _frozen(accrued)
        for refund_id, taken in order.taken.items():
            clawed = self._take("clawed", refund_id)
            if clawed is not None:
                due_back = {(owners[reward], reward): -amount for reward, amount in taken.items() if amount}
                self._compare(clawed, due_back, _amounts_in_any_pocket(clawed))
                frozen = {reward: amount + _frozen(clawed).get(reward, 0) for reward, amount in frozen.items()}
        self._release(order, frozen)

    def _release(self, order: OrderTruth, frozen: Mapping[RewardKind, Fen]) -> None:
        """The frozen rest of each reward after its claw-backs must have been released, or still be frozen."""
        if transaction_id("released", order.order_id) not in self.booked:
            return
        released = self._take("released", order.order_id)
        if released is not None and order.received:
            left = {reward: amount for reward, amount in frozen.items() if amount}
            self._compare(released, left, {r: -amount for r, amount in _frozen(released).items() if amount})
            moved: dict[RewardKind | None, Fen] = {}
            for part, amount in _amounts(released).items():
                moved[part.reward] = moved.get(part.reward, 0) + amount
            self._compare(released, {}, {reward: amount for reward, amount in moved.items() if amount})
        elif released is not None:
            self._find(f"ledger/{released.id}", "unexplained", "an order that was received", "one that was not")

    def _transfer(self, transfer: TransferTruth) -> None:
        if not transfer.claimed:
            return
        member_id, gross = transfer.member_id, transfer.gross
        steps: list[tuple[Kind, dict[Pocket, Fen]]] = [("claimed", {"available": -gross, "paying": gross})]
        if transfer.ended == "paid":
            steps.append(("paid", {"paying": -gross, "paid": transfer.net, "withheld": transfer.tax}))
        elif transfer.ended == "returned":
            steps.append(("returned", {"paying": -gross, "available": gross}))
        for kind, moved in steps:
            transaction = self._take(kind, transfer.number)
            if transaction is not None:
                expected = {Part(member_id, pocket, None): amount for pocket, amount in moved.items() if amount}
                self._compare(transaction, expected, _amounts(transaction))

    def _correction(self, transfer: TransferTruth, correction: CorrectionTruth) -> None:
        """A correction must be booked, and be what two persons have decided."""
        clearing = self.clearings.get(correction.item)
        if clearing is None or not clearing.corrects or clearing.number != transfer.number:
            self._find(f"lines/{transfer.number}", "unexplained", f"a clearing {correction.item} that corrects", "none")
        booked = self._take("corrected", correction.cause)
        if booked is None:
            return
        sign = 1 if correction.arrived else -1
        moved: dict[Pocket, Fen] = {
            "available": -sign * transfer.gross, "paid": sign * transfer.net, "withheld": sign * transfer.tax,
        }  # fmt: skip
        expected = {Part(transfer.member_id, pocket, None): amount for pocket, amount in moved.items() if amount}
        self._compare(booked, expected, _amounts(booked))
        if clearing is not None:
            self._compare(booked, (clearing.arrived, clearing.persons), (correction.arrived, booked.approved_by))

    def _clearings(self) -> None:
        """Each decision of two persons that the books were wrong must have corrected them."""
        made = {correction.item for transfer in self.transfers.values() for correction in transfer.corrections}
        for clearing in self.clearings.values():
            if clearing.corrects and clearing.item not in made:
                self._find(f"open-items/{clearing.item}", "missing", f"a correction of {clearing.number}", "none")

    def _rows(self) -> None:
        """Rewards rows: each must agree with its transactions, and each accrual must have one."""
        for row in self.rows.values():
            self._row(row)
            for claw in row.claws:
                self._claw(row, claw)
        for transaction in self.booked.values():
            self._row_of(transaction)

    def _row(self, row: OrderRewards) -> None:
        item = f"rewards/{row.order_id}"
        accrued = self.booked.get(transaction_id("accrued", row.order_id))
        if accrued is None or (accrued.plan, accrued.credits) != (row.plan, row.credits):
            self._find(item, "wrong_row", "the credits of its accrual", "others, or no accrual")
        state = "available" if transaction_id("released", row.order_id) in self.booked else "frozen"
        if row.state != state:
            self._find(item, "wrong_row", state, row.state)

    def _claw(self, row: OrderRewards, claw: OrderClawBack) -> None:
        clawed = self.booked.get(transaction_id("clawed", claw.refund_id))
        found = {} if clawed is None else {part.reward: -amount for part, amount in _amounts(clawed).items()}
        expected = {reward: amount for reward, amount in claw.taken if amount}
        if clawed is None or clawed.order_id != row.order_id or found != expected:
            self._find(f"rewards/{row.order_id}", "wrong_row", f"{claw.refund_id} took {found}", expected)

    def _row_of(self, transaction: LedgerTransaction) -> None:
        item, row = f"rewards/{transaction.order_id}", self.rows.get(transaction.order_id)
        if transaction.kind == "accrued" and row is None:
            self._find(item, "missing", "a row for its accrual", "nothing")
        elif transaction.kind == "clawed" and row and transaction.cause not in {c.refund_id for c in row.claws}:
            self._find(item, "wrong_row", f"a claw of {transaction.cause}", "none")

    def _fold(self) -> dict[str, dict[Pocket, Fen]]:
        folded: dict[str, dict[Pocket, Fen]] = {}
        for transaction in self.booked.values():
            try:
                changed = changes(transaction.postings)
            except ValueError:
                continue  # already a finding
            for member_id, pockets in changed.items():
                held = folded.setdefault(member_id, {})
                for pocket, amount in pockets.items():
                    held[pocket] = held.get(pocket, 0) + amount
        return folded

    def _balances(self, folded: Mapping[str, Mapping[Pocket, Fen]]) -> None:
        for member_id in sorted(folded.keys() | self.balances.keys()):
            stored = _pockets(self.balances.get(member_id, Balance(member_id)))
            expected = {pocket: folded.get(member_id, {}).get(pocket, 0) for pocket in POCKETS}
            if stored != expected:
                wrong = [pocket for pocket in POCKETS if stored[pocket] != expected[pocket]]
                self._find(
                    f"balances/{member_id}",
                    "wrong_balance",
                    ", ".join(f"{pocket} {expected[pocket]}" for pocket in wrong),
                    ", ".join(f"{pocket} {stored[pocket]}" for pocket in wrong),
                )

    def _sealed(self) -> None:
        """Seals: each must have its number, its link and its root, and agree with the ledger."""
        previous = merkle.GENESIS
        sealed: dict[str, int] = {}
        for number, truth in enumerate(self.seals, 1):
            listed, item = truth.listed, f"seals/{truth.listed.number}"
            if (listed.number, listed.previous) != (number, previous):
                self._find(item, "wrong_seal", f"seal {number} after {previous}", f"after {listed.previous}")
            previous = listed.root
            if truth.kept is None:
                self._find(item, "missing", f"a seal with root {listed.root}", "nothing that can be read")
                continue
            root = recomputed_root(truth.kept)
            if (truth.kept.seal, root) != (listed, listed.root):
                self._find(item, "wrong_seal", f"root {listed.root}", f"root {root} of what is kept")
            for leaf in truth.kept.leaves:
                if leaf.transaction_id in sealed:
                    self._find(f"ledger/{leaf.transaction_id}", "wrong_seal", sealed[leaf.transaction_id], number)
                sealed[leaf.transaction_id] = number
                self._leaf(leaf.transaction_id, leaf.hash, f"sealed in {item}")
        if self.seals:
            due = rfc3339(datetime.fromisoformat(self.seals[-1].listed.made_at) - SEALED_WITHIN)
            for transaction in self.booked.values():
                if transaction.id not in sealed and rfc3339(transaction.at) < due:
                    self._find(f"ledger/{transaction.id}", "unsealed", "a seal", "none")

    def _leaf(self, transaction_id_: str, sealed: str, where: str) -> None:
        transaction = self.booked.get(transaction_id_)
        found = None if transaction is None else leaf_of(transaction).hash
        if found is None:
            self._find(f"ledger/{transaction_id_}", "missing", f"{sealed}, {where}", "nothing")
        elif found != sealed:
            self._find(f"ledger/{transaction_id_}", "changed", f"{sealed}, {where}", found)

    def _totals(self, folded: Mapping[str, Mapping[Pocket, Fen]]) -> dict[str, Fen]:
        totals = dict.fromkeys(("accrued", "clawed", "released", "frozen", "available", "debt"), 0)
        totals |= dict.fromkeys(("paying", "paid", "withheld", "written_off", "given_up", "set_aside"), 0)
        for transaction in self.booked.values():
            if transaction.id not in self.unreadable:
                self._add_to(totals, transaction)
        for pockets in folded.values():
            free = pockets.get("available", 0)
            totals["available"] += max(free, 0)
            totals["debt"] += max(-free, 0)
            for pocket in ("frozen", "paying", "paid", "withheld"):
                totals[pocket] += pockets.get(pocket, 0)
        return totals

    def _add_to(self, totals: dict[str, Fen], transaction: LedgerTransaction) -> None:
        amounts = _amounts(transaction)
        if transaction.kind in ("accrued", "written_off"):
            totals[transaction.kind] += sum(amounts.values())
        elif transaction.kind in ("given_up", "set_aside"):
            totals[transaction.kind] -= sum(amounts.values())
        elif transaction.kind == "clawed":
            totals["clawed"] -= sum(amounts.values())
        elif transaction.kind == "released":
            totals["released"] += sum(amount for part, amount in amounts.items() if part.pocket == "available")


def _amounts(transaction: LedgerTransaction) -> dict[Part, Fen]:
    """The members' postings; the brand's follow from them, because the sum is zero."""
    amounts: dict[Part, Fen] = {}
    for posting in transaction.postings:
        found = pocket_of(posting.account)
        if found is not None:
            member_id, pocket = found
            part = Part(member_id, pocket, posting.reward)
            amounts[part] = amounts.get(part, 0) + posting.amount
    return amounts


def _amounts_in_any_pocket(clawed: LedgerTransaction) -> dict[tuple[str, RewardKind | None], Fen]:
    """A claw-back's amounts by member and reward: each reward is taken from one pocket, frozen or available."""
    return {(part.member_id, part.reward): amount for part, amount in _amounts(clawed).items()}


def _frozen(transaction: LedgerTransaction) -> dict[RewardKind, Fen]:
    """Its change of each reward's frozen money."""
    return {
        part.reward: amount
        for part, amount in _amounts(transaction).items()
        if part.pocket == "frozen" and part.reward is not None
    }


def _pockets(balance: Balance) -> dict[Pocket, Fen]:
    return {
        "frozen": balance.frozen,
        "available": balance.free,
        "paying": balance.paying,
        "paid": balance.paid,
        "withheld": balance.withheld,
    }
