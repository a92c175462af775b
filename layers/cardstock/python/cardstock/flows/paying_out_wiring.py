"""Factories of the flows that pay members, each lazy: a function loads only what it uses."""

from functools import cache
from typing import TYPE_CHECKING

from cardstock import clock, environment
from cardstock.flows import wiring
from cardstock.network import wiring as network_wiring
from cardstock.payouts import wiring as payouts_wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardstock.flows.bank_accounts import BankAccountNeeds
    from cardstock.members.model import Member
    from cardstock.payouts import ports as payouts_ports
    from cardstock.payouts.contradictions import Contradiction
    from cardstock.payouts.model import Batch, Rules
    from cardstock.payouts.needs import StepNeeds
    from cardstock.payouts.payees import BankTarget
    from cardstock.payouts.periods import Period
    from cardstock.payouts.previewing import PreviewNeeds


@cache
def payout_ledger() -> "payouts_ports.Ledger":
    """The ledger for payouts."""
    from cardstock.flows.paying_out import LedgerReads, PayoutLedger
    from cardstock.ledger import payout_store

    return PayoutLedger(
        LedgerReads(
            payout_store.open_balances,
            payout_store.balance_page,
            payout_store.paid_before,
            payout_store.available_of,
            payout_store.postings_of_transfers,
            payout_store.changes_of_members,
        )
    )


def payees() -> "payouts_ports.Payees":
    """Members as payees."""
    from cardstock.compliance.store import members_and_stopped
    from cardstock.flows.paying_out import MembersAsPayees
    from cardstock.members.wiring import can_verify

    return MembersAsPayees(members_and_stopped, owing, can_verify=can_verify())


def owing(members: "Sequence[Member]") -> frozenset[str]:
    """Those of the members of whom a closed account owes."""
    from cardstock.flows.closed_debts import owing_formerly
    from cardstock.ledger import wiring as ledger_wiring
    from cardstock.members.item_store import members_of

    return owing_formerly(members, ledger_wiring.debts().available_of, members_of)


def bank_accounts() -> "BankAccountNeeds":
    """The ports of setting and deciding about bank accounts."""
    from cardstock.bank_accounts import wiring as bank_accounts_wiring
    from cardstock.flows.bank_accounts import BankAccountNeeds
    from cardstock.members import wiring as members_wiring

    return BankAccountNeeds(
        members_wiring.members(),
        members_wiring.consent_versions(),
        bank_accounts_wiring.accounts(),
        bank_accounts_wiring.vault(),
        wiring.announcements,
    )


@cache
def bank_targets() -> "payouts_ports.BankTargets":
    """The bank accounts in force."""
    from cardstock.bank_accounts import wiring as bank_accounts_wiring
    from cardstock.flows.bank_accounts import BankTargets

    return BankTargets(bank_accounts_wiring.accounts())


@cache
def open_changes() -> "payouts_ports.OpenChanges":
    """Changes of bank accounts that are not in force."""
    from cardstock.bank_accounts import wiring as bank_accounts_wiring
    from cardstock.flows.bank_accounts import OpenChanges

    return OpenChanges(bank_accounts_wiring.accounts())


def contradictions() -> "Sequence[Contradiction]":
    """The transfers with contradicting results that nobody has cleared."""
    from cardstock.flows.paying_out import contradictions_of
    from cardstock.open_items.store import open_items_of_kind

    return contradictions_of(open_items_of_kind("payout_contradiction"))


def open_number(member: str, target: "BankTarget") -> str:
    """The whole number of an account, for the bank file."""
    from cardstock.bank_accounts import wiring as bank_accounts_wiring
    from cardstock.flows.bank_accounts import opened_number

    return opened_number(member, target, bank_accounts_wiring.vault())


@cache
def persons() -> "payouts_ports.Payees":
    """Members as persons, for tax."""
    from cardstock.flows.paying_out import MembersAsPersons
    from cardstock.members.item_store import members_of

    return MembersAsPersons(members_of)


def payout_rules(period: "Period") -> "Rules":
    """The rules of a period's batch, as the brand is configured now."""
    from cardstock.flows import paying_out
    from cardstock.network.presets import DEFAULT_PLAN
    from cardstock.payouts.channels import MINIMUM_FEN

    channel = environment.text("TRANSFER_CHANNEL")
    settings = paying_out.PayoutSettings(
        channel=channel,
        channel_minimum=MINIMUM_FEN[channel],
        tax_method=environment.text("TAX_METHOD"),
        carry_over_gap=environment.text("TAX_GAP") == "carry_over",
        tax_month=environment.text("TAX_MONTH"),
        bank_layout=environment.text("BANK_FILE_LAYOUT"),
    )
    plan = network_wiring.network().read_positions((), plan=True).plan or DEFAULT_PLAN
    return paying_out.payout_rules(period, plan, settings, clock.now())


def announce_payout(kind: str, batch: "Batch") -> None:
    """Announce a batch's event to partners."""
    from cardstock.flows import paying_out

    paying_out.announce_payout(wiring.announcements(), kind, batch)


def transfer_channel(name: str) -> "payouts_ports.Channel":
    """The channel of a batch. Raises ValueError for an unknown one."""
    if name != "bank_file":
        return payouts_wiring.transfer_channel(name)
    from cardstock.payouts.channels.bank_file import BankFile

    return BankFile(open_number)


def preview() -> "PreviewNeeds":
    """The ports of a preview."""
    from cardstock.payouts.previewing import PreviewNeeds

    return PreviewNeeds(payouts_wiring.payouts(), payout_ledger(), payees(), bank_targets())


def payout_step(enough_time: "Callable[[], bool]", *, in_parts: bool = True) -> "StepNeeds":
    """The ports of a batch's step. `in_parts`: whether it may give the parts of a big batch to the payout map."""
    from cardstock.payouts.needs import StepNeeds

    return StepNeeds(
        brand=payouts_wiring.brand(),
        payouts=payouts_wiring.payouts(),
        ledger=payout_ledger(),
        payees=payees(),
        bank_targets=bank_targets(),
        channel=transfer_channel,
        files=payouts_wiring.report_files(),
        writers=payouts_wiring.report_writers,
        draft_writers=payouts_wiring.draft_writers,
        open_changes=open_changes(),
        contradictions=contradictions,
        announce=announce_payout,
        payout_map=payouts_wiring.payout_map() if in_parts else None,
        enough_time=enough_time,
    )
