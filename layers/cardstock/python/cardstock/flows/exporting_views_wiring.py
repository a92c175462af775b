"""How each record of an export is written as JSON: as the member sees it in the API, and what the API does not show.

Left out of it are secrets (the parameters by which a transfer is accepted, encrypted numbers) and who of the staff or
of the other members took part.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from cardstock.bank_accounts import schemas as bank_schemas
from cardstock.bank_accounts.model import Holding
from cardstock.cards.model import Share
from cardstock.cards.schemas import OwnCard, ShareKey
from cardstock.clock import rfc3339
from cardstock.compliance.model import Hold
from cardstock.flows.explaining import RewardsExplained
from cardstock.flows.exporting import (
    ExportedAccount,
    ExportedBalance,
    ExportedCard,
    ExportedCoupon,
    ExportedOrder,
    View,
)
from cardstock.ledger.model import StatementLine
from cardstock.ledger.schemas import BalanceView, StatementEntry
from cardstock.members.consent_model import ConsentRecord
from cardstock.members.consent_texts import TERMS
from cardstock.members.export_model import Export
from cardstock.members.export_schemas import AskedExport
from cardstock.members.merge_model import Merged
from cardstock.members.model import LostPhone, Member, Person
from cardstock.members.schemas import PhoneLost, SessionView
from cardstock.members.session_model import Session
from cardstock.network.model import Place
from cardstock.network.schemas import Distribution
from cardstock.orders.agreement_model import Agreement
from cardstock.orders.agreement_schemas import AgreementView
from cardstock.orders.refund_schemas import RefundView
from cardstock.orders.schemas import OrderView, moment_or_none
from cardstock.orders.shipment_schemas import ShipmentView
from cardstock.payouts.lines import Line
from cardstock.payouts.withdrawal_schemas import Withdrawal
from cardstock.recommendations.model import Row
from cardstock.uploads.model import Upload


def views(explanation: Callable[[RewardsExplained, str], Any]) -> View:
    """What an export's file has of a record, ready for JSON; `explanation` is that of rewards."""
    known = {**_VIEWS, "rewards": explanation}
    return lambda section, record, language: known[section](record, language)


def _profile(member: Member, _language: str) -> Any:
    return {
        "member_id": member.id,
        "state": member.state,
        "nickname": member.nickname,
        "birth_year": member.birth_year,
        "phone": member.phone,
        "phone_at": moment_or_none(member.phone_at),
        "phone_claimed": member.phone_claimed,
        "first_account": member.account,
        "scene": member.scene,
        "created_at": rfc3339(member.created_at),
        "joining_until": moment_or_none(member.joining_until),
        "staff_person": member.staff_link or None,
        "was_staff": member.was_staff,
        "closed_accounts": list(member.former),
    }


def _account(account: ExportedAccount, _language: str) -> Any:
    return account


def _session(session: Session, _language: str) -> Any:
    """Without `current`: nobody reads a file in one of them."""
    seen = msgspec.structs.asdict(SessionView.of(session, ""))
    return {name: value for name, value in seen.items() if name != "current"}


def _consent(record: ConsentRecord, language: str) -> Any:
    return {
        "purpose": record.purpose,
        "title": TERMS[record.purpose].notice(language).title,
        "version": record.said.version,
        "granted": record.said.granted,
        "at": rfc3339(record.said.at),
        "app": record.app,
    }


def _phone_move(lost: LostPhone, _language: str) -> Any:
    return PhoneLost.of(lost)


def _merge(merged: Merged, _language: str) -> Any:
    return {"member_id": merged.member_id, "merged_at": rfc3339(merged.at)}


def _identity(person: Person, _language: str) -> Any:
    return {
        "person_id": person.id,
        "name": person.name,
        "id_number": person.number_masked,
        "born": person.born,
        "method": person.method,
        "verified_at": rfc3339(person.verified_at),
    }


def _bank_accounts(holding: Holding, _language: str) -> Any:
    change = holding.change
    return {
        "current": bank_schemas.BankAccountView.of(holding.current) if holding.current else None,
        "change": change
        and {
            "account": bank_schemas.BankAccountView.of(change.account),
            "state": change.state,
            "effective_at": rfc3339(change.effective_at),
            "decided_at": moment_or_none(change.decided_at),
            "reason": change.reason,
        },
        "notices": [
            {"kind": one.kind, "at": rfc3339(one.at), "contact": one.contact, "number_masked": one.masked}
            for one in holding.notices
        ],
    }


def _card(found: ExportedCard, _language: str) -> Any:
    radar = found.radar
    return {
        "card": OwnCard.of(found.card),
        "views": radar.views,
        "views_by_members": radar.by_members,
        "seconds": radar.seconds,
        "last_viewed_at": moment_or_none(radar.last_at),
        "scenes": dict(radar.scenes),
    }


def _share(share: Share, _language: str) -> Any:
    return ShareKey.of(share)


def _order(found: ExportedOrder, _language: str) -> Any:
    order = found.order
    return {
        "order": OrderView.of(order),
        "payment": {
            "channel": order.channel,
            "transaction_no": order.transaction_no,
            "app": order.app,
            "paid_by": order.paid_by,
            "payer_mark": order.payer,
            "device_mark": order.device,
            "returned_payments": list(order.returned_payments),
        },
        "coupon": order.coupon or None,
        "refunds": [RefundView.of(refund) for refund in found.refunds],
        "shipments": [ShipmentView.of(part) for part in found.parts],
    }


def _agreement(found: Agreement, _language: str) -> Any:
    """Without the channel's number of the contract, by which it charges."""
    charged = [{"order_id": charge.order_id, "fen": charge.fen} for charge in found.charges]
    return {"agreement": AgreementView.of(found, found.asked_at), "day": found.day or None, "charged_on_day": charged}


def _hold(hold: Hold, _language: str) -> Any:
    """Without the other members who share a mark, and without who lifted it."""
    return {
        "order_id": hold.order_id,
        "reasons": list(hold.reasons),
        "at": rfc3339(hold.at),
        "state": hold.state,
        "lifted_at": rfc3339(hold.lifted.at) if hold.lifted else None,
    }


def _network(place: Place, _language: str) -> Any:
    return Distribution.of(place)


def _coupon(found: ExportedCoupon, _language: str) -> Any:
    return {
        "coupon": found.granted.id,
        "granted_at": rfc3339(found.granted.at),
        "plan": found.granted.details.get("plan"),
        "state": found.use.state,
        "order_id": found.use.order_id or None,
        "charged_fen": found.use.fen,
    }


def _statement(line: StatementLine, language: str) -> Any:
    return StatementEntry.of(line, language)


def _balance(found: ExportedBalance, language: str) -> Any:
    return BalanceView.of(found.balance, found.debts, language)


def _payout(line: Line, language: str) -> Any:
    """Without `confirm`: with it somebody else could take the money."""
    seen, bank = Withdrawal.of(line, language), line.bank
    seen.confirm = None
    return {
        "payment": seen,
        "name": line.name,
        "id_number": line.id_number,
        "account": line.account,
        "bank": bank
        and {"holder": bank.holder, "number_masked": bank.masked, "bank": bank.bank, "branch": bank.branch},
        "tax_table": line.tax_table,
        "tax_month": line.taxed_in.key,
    }


def _recommendation(row: Row, _language: str) -> Any:
    return {"learned_at": rfc3339(row.learned_at), "products": row.entries}


def _closing(asked_at: datetime, _language: str) -> Any:
    return {"asked_at": rfc3339(asked_at)}


def _upload(upload: Upload, _language: str) -> Any:
    return {
        "upload_id": upload.id,
        "purpose": upload.purpose,
        "content_type": upload.content_type,
        "name": upload.name,
        "state": upload.state,
        "refused": upload.refused or None,
        "asked_at": rfc3339(upload.asked_at),
        "ended_at": moment_or_none(upload.ended_at),
        "sizes": [{"width": one.width, "height": one.height, "bytes": one.size} for one in upload.pictures],
    }


def _export(export: Export, _language: str) -> Any:
    """As it was asked for; what becomes of it is not part of the moment."""
    return AskedExport.of(export)


_VIEWS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "profile": _profile,
    "accounts": _account,
    "sessions": _session,
    "consents": _consent,
    "phone_moves": _phone_move,
    "merges": _merge,
    "identity": _identity,
    "bank_accounts": _bank_accounts,
    "cards": _card,
    "shares": _share,
    "orders": _order,
    "payment_agreements": _agreement,
    "holds": _hold,
    "network": _network,
    "coupons": _coupon,
    "statement": _statement,
    "balance": _balance,
    "payouts": _payout,
    "recommendations": _recommendation,
    "uploads": _upload,
    "exports": _export,
    "closing": _closing,
}
