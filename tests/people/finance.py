"""Finance of the shop: members with money, the monthly payout, and the queue of its steps that tests drain."""

import base64
import csv
import io
import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cardstock import environment
from cardstock.aws import files as s3
from cardstock.aws import queues as sqs
from cardstock.aws.tables import Transaction
from cardstock.bank_accounts import wiring as bank_accounts_wiring
from cardstock.bank_accounts.model import BankAccount, Holding, mask
from cardstock.bank_accounts.setting import context
from cardstock.clock import rfc3339
from cardstock.errors import ConflictError
from cardstock.flows import paying_out_wiring
from cardstock.ids import RequestKey, derived_id
from cardstock.ledger.model import BRAND_COMMISSION, LedgerTransaction, Posting, account, transaction_id
from cardstock.ledger.statements import project
from cardstock.ledger.statements_store import DynamoStatements
from cardstock.ledger.store import BalanceItem, LedgerItem, post
from cardstock.members.item_store import MemberItem, member_item
from cardstock.members.model import Member, Person
from cardstock.payouts import steps as payout_steps
from cardstock.payouts import wiring as payouts_wiring
from cardstock.payouts.approval import Approval, approve_batch
from cardstock.payouts.model import LeftOut
from cardstock.payouts.opening import Opener, open_batch
from cardstock.payouts.periods import Period
from cardstock.payouts.ports import Ledger, Payees, PayoutMap, Payouts
from cardstock.payouts.reading import existing_batch
from cardstock.staff.model import ROOT
from cardstock.staff.model import Person as StaffPerson
from cardstock.staff.store import DynamoPersons
from tests.house.cloud import Cloud, Context, http_event, queue_event, serve
from tests.people.clock import TestClock
from tests.people.consents import EVERY
from tests.people.staff import LONG_AGO, serve_confirmed, staff_key, unasked

FIRST = datetime(2026, 11, 30, 19, tzinfo=UTC)
"""03:00 on the first of December in Shanghai."""
PAYOUT = "pay_202611"
CARD = "6222021234567894"
"""Number of the bank account that members have."""
STATEMENTS = DynamoStatements()
TABLES = ("payouts", "ledger", "balances", "statements")
"""Everything that payouts write."""


def member_id(index: int) -> str:
    """The same members in every test."""
    return derived_id("mem", str(index))


def books(cloud: Cloud) -> Any:
    """Money and payouts, whatever the number of writes of a batch's head; and every file."""
    state = {table: sorted(cloud.items(table), key=str) for table in TABLES}
    for item in state["payouts"]:
        item.pop("version", None)
        if "data" in item:
            item["data"] = {key: value for key, value in json.loads(item["data"]["S"]).items() if key != "version"}
    found = cloud.s3.list_objects_v2(Bucket="reports").get("Contents", [])
    return state, [(entry["Key"], entry["ETag"]) for entry in found]


class Finance:
    """The people who pay members out. `token` is Li Na's key with every right on payouts; `clerk` is Wang Fang's, who
    brings results."""

    def __init__(self, cloud: Cloud, clock: TestClock) -> None:
        # Clients of an account that is gone would find its queues and its bucket gone, too.
        sqs.forget_client()
        s3.forget_client()
        self.cloud = cloud
        self.clock = clock
        self.orders = 0
        self.token = self.key("Li Na", "payouts:read", "payouts:approve", "payouts:settle")
        self.clerk = self.key("Wang Fang", "payouts:read", "payouts:settle")

    def key(self, name: str, *scopes: str) -> str:
        """The credential of a new key of the person of this name."""
        return staff_key(name, *scopes)

    def member(
        self,
        index: int,
        fen: int = 0,
        *,
        name: str = "张伟",
        verified: bool = True,
        born: date = date(1990, 5, 5),
        account: str = "dev:app:",
        bank: bool = True,
    ) -> str:
        """A member with `fen` available; the member's index is appended to `account`. `bank`: whether the member has a
        bank account in force."""
        made = member_id(index)
        person = Person(name, "1***2", f"00${index:02d}", born, "dev", FIRST) if verified else None
        member_item(
            Member(
                made,
                f"{account}{index}",
                FIRST - timedelta(days=90),
                "nick",
                person=person,
                state="verified" if verified else "registered",
                consents=EVERY,
            )
        ).save()
        if bank:
            self.give_account(made, name, CARD)
        if fen:
            self.earn(made, fen)
        return made

    def give_account(self, member: str, holder: str, number: str) -> None:
        """A bank account that has been in force for long."""
        key_id, sealed = bank_accounts_wiring.vault().seal(number, context(member, "bac_1"))
        at = FIRST - timedelta(days=80)
        account = BankAccount("bac_1", holder, mask(number), "中国工商银行", "杭州西湖支行", sealed, key_id, at)
        with suppress(ConflictError):
            bank_accounts_wiring.accounts().replace(Holding(member, current=account))

    def earn(self, member: str, fen: int, *, days_ago: int = 5) -> None:
        """Credit and release `fen` through the ledger; below zero it is taken back from what is available."""
        self.orders += 1
        at = self.clock.now() - timedelta(days=days_ago)
        cause = f"ord_{self.orders:026d}"
        brand = Posting(BRAND_COMMISSION, -fen)
        if fen < 0:
            self._book("clawed", cause, at, Posting(account(member, "available"), fen), brand)
            return
        self._book("accrued", cause, at - timedelta(days=9), Posting(account(member, "frozen"), fen), brand)
        frozen = Posting(account(member, "frozen"), -fen)
        self._book("released", cause, at, frozen, Posting(account(member, "available"), fen))

    def _book(self, kind: Any, cause: str, at: datetime, *postings: Posting) -> None:
        transaction = LedgerTransaction(transaction_id(kind, cause), kind, cause, at, postings)
        with Transaction() as write:
            post(write, transaction)
        project(transaction, statements=STATEMENTS)

    def fill(self, payees: int, *, entries: int) -> None:
        """So many members with money at once, and so many entries on each one's statement."""
        person = Person("张伟", "1***2", "00$00", date(1990, 5, 5), "dev", FIRST)
        with MemberItem.batch_write() as members, BalanceItem.batch_write() as balances:
            for index in range(payees):
                made = member_id(index)
                joined = FIRST - timedelta(days=90)
                members.save(
                    member_item(
                        Member(made, f"dev:app:{index}", joined, "nick", None, "", "", person, state="verified")
                    ),
                )
                balances.save(BalanceItem(pk=made, available=50_000 + index))
                self.give_account(made, "张伟", CARD)
        for index in range(payees):
            for number in range(entries):
                cause, at = f"ord_{index:020d}{number:06d}", FIRST - timedelta(days=20 - number)
                ends = Posting(account(member_id(index), "available"), 10_000), Posting(BRAND_COMMISSION, -10_000)
                project(LedgerTransaction(f"released.{cause}", "released", cause, at, ends), statements=STATEMENTS)

    def erase(self, member: str) -> None:
        MemberItem(id=member).update([MemberItem.erased_at.set(self.clock.now()), MemberItem.state.set("erased")])

    def bank_rows(self, payout: str = PAYOUT) -> list[dict[str, str]]:
        """The rows of the bank file by header."""
        content = self.cloud.s3.get_object(Bucket="reports", Key=f"payouts/{payout}/transfers.csv")["Body"].read()
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))

    def left_out(self, payout: str = PAYOUT) -> list[LeftOut]:
        """Who is not listed."""
        return list(payouts_wiring.payouts().left_out_of_batch(payout))

    def tick(self, at: datetime | None = None) -> dict[str, Any]:
        """The schedule fires."""
        from functions.payouts.monthly_open import app as monthly

        return monthly.handler({"scheduled_at": rfc3339(at or self.clock.now())}, Context())

    def open(self, channel: str) -> None:
        """Open November's batch for a channel, as the schedule would where the brand had chosen it."""
        rules = replace(paying_out_wiring.payout_rules(Period("2026-11")), channel=channel)
        open_batch(Period("2026-11"), Opener("schedule"), rules, payouts_wiring.payouts())
        payouts_wiring.request_step(PAYOUT)

    def sent_through(self, channel: str) -> None:
        """A batch of November, opened for a channel, approved and handed over."""
        self.open(channel)
        assert not self.drain()
        assert self.approve()[0] == 200
        assert not self.drain()

    def poll(self, *, hours: float = 0) -> int:
        """So many hours later the channels are polled; how many payouts were asked about."""
        from functions.payouts.poll_transfers import app as polls

        self.clock.move(hours=hours)
        steps = polls.handler({"scheduled_at": rfc3339(self.clock.now())}, Context())["steps"]
        assert not self.drain()
        return int(steps)

    def retry(
        self, number: str, *, key: str = "retry-1", payout: str = PAYOUT, token: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        return self.call("POST", f"/v1/payouts/{payout}/lines/{number}/retries", key=key, token=token)

    def payout(self, payout: str = PAYOUT) -> dict[str, Any]:
        return self.call("GET", f"/v1/payouts/{payout}")[1]

    def drain(self) -> list[str]:
        """Handle messages of the steps queue until there are none; answers the ids that failed."""
        from functions.payouts.on_step import app as steps

        failed: list[str] = []
        while bodies := self.cloud.messages(environment.text("PAYOUT_STEPS_QUEUE_URL")):
            for body in bodies:
                result = steps.handler(queue_event("payout-steps", body), Context())
                failed += [json.dumps(body) for _ in result["batchItemFailures"]]
        return failed

    def run_steps(self) -> int:
        """Handle messages of the steps queue until there are none: how many there were. None may fail."""
        from functions.payouts.on_step import app as steps

        handled = 0
        while bodies := self.cloud.messages(environment.text("PAYOUT_STEPS_QUEUE_URL")):
            for body in bodies:
                assert not steps.handler(queue_event("payout-steps", body), Context())["batchItemFailures"]
                handled += 1
        return handled

    def advance(
        self,
        payout: str = PAYOUT,
        *,
        chunks: int = 99,
        only_csv: bool = False,
        payees: Payees | None = None,
        ledger: Ledger | None = None,
        payouts: Payouts | None = None,
        payout_map: PayoutMap | None = None,
    ) -> bool:
        """One step that has time for so many chunks. `only_csv` leaves the slow writers of the report out."""
        left = iter(range(chunks))
        needs = paying_out_wiring.payout_step(lambda: next(left, None) is not None)
        needs = replace(
            needs,
            payouts=payouts or needs.payouts,
            ledger=ledger or needs.ledger,
            payees=payees or needs.payees,
            writers=lambda: payouts_wiring.report_writers()[1:2] if only_csv else payouts_wiring.report_writers(),
            payout_map=payout_map or needs.payout_map,
        )
        return payout_steps.advance(needs, payout)

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, key: str | None = None,
        query: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:  # fmt: skip
        """An HTTP request of finance, or of whoever holds `token`; the phone confirms what it must."""
        answer = serve_confirmed(http_event(method, path, body, token=token or self.token, key=key, query=query))
        return answer["statusCode"], json.loads(answer["body"])

    def approve(self, payout: str = PAYOUT, *, key: str = "approval-1") -> tuple[int, dict[str, Any]]:
        seen = self.payout(payout)
        body = {"lines": seen.get("listed", 0), "listed_fen": seen.get("listed_fen", 0), "note": "checked"}
        return self.call("POST", f"/v1/payouts/{payout}/approvals", body, key=key)

    def approve_as(self, actor: str, payout: str) -> None:
        """An approval by the person of this id, who has seen what there is."""
        DynamoPersons().add_person(StaffPerson(actor, "Li", ROOT, LONG_AGO), RequestKey(f"req_{actor}", "x"), None)
        seen = existing_batch(payout, payouts_wiring.payouts())
        approval = Approval(actor, "Li", None, seen.listed, seen.listed_amount, actor.__ne__, unasked)
        approve_batch(payout, approval, RequestKey(f"req_{payout}", "x"), payouts_wiring.payouts())

    def results(
        self, *results: dict[str, Any], others: bool = False, payout: str = PAYOUT
    ) -> tuple[int, dict[str, Any]]:
        body: dict[str, Any] = {"results": results, "all_others_paid": others}
        if others:
            body |= dict(zip(("lines", "net_fen"), self.sent_sums(payout), strict=True))
        return self.call("POST", f"/v1/payouts/{payout}/results", body, token=self.clerk)

    def bring_file(
        self,
        content: bytes,
        *,
        payout: str = PAYOUT,
        part: bool = False,
        media: str = "text/csv",
        language: str = "zh",
    ) -> tuple[int, dict[str, Any]]:
        """A bank's file, as the gateway passes on what is not UTF-8."""
        headers = {"Content-Type": media, "Accept-Language": language}
        event = http_event("POST", f"/v1/payouts/{payout}/results", token=self.clerk, headers=headers)
        event |= {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
        if part:
            event["queryStringParameters"] = {"part": "true"}
        answer = serve(event)
        return answer["statusCode"], json.loads(answer["body"])

    def sent_sums(self, payout: str = PAYOUT) -> tuple[int, int]:
        """Count and sum of the transfers that were sent."""
        sent = [line.net for line in payouts_wiring.payouts().lines_of_batch(payout) if line.gross]
        return len(sent), sum(sent)

    def sent(self) -> None:
        """A batch of November, opened, approved and sent."""
        self.tick()
        assert not self.drain()
        assert self.approve()[0] == 200
        assert not self.drain()

    def lines(self, payout: str = PAYOUT) -> dict[str, dict[str, Any]]:
        """The lines by member; of several attempts the one with the greatest number."""
        _, body = self.call("GET", f"/v1/payouts/{payout}/lines", query={"limit": "100"})
        return {line["member_id"]: line for line in body["items"]}

    def balance(self, member: str) -> dict[str, int]:
        """The pockets that are not empty."""
        item = BalanceItem.get(member, consistent_read=True)
        names = ("frozen", "available", "paying", "paid", "withheld")
        return {name: getattr(item, name) for name in names if getattr(item, name)}

    def check_ledger(self) -> None:
        """Every balance is the fold of the postings, and every transaction adds up to zero."""
        folded: dict[str, int] = {}
        for item in LedgerItem.scan(consistent_read=True):
            assert sum(posting.amount for posting in item.postings) == 0, item.id
            for posting in item.postings:
                folded[posting.account] = folded.get(posting.account, 0) + posting.amount
        for found in BalanceItem.scan(consistent_read=True):
            for pocket in ("frozen", "available", "paying", "paid", "withheld"):
                stored = getattr(found, pocket)
                assert stored == folded.get(f"member:{found.pk}:{pocket}", 0), (found.pk, pocket)
