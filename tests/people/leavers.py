"""Members who earn, and close their accounts by HTTP."""

from typing import Any

from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.model import Balance
from cardstock.ledger.store import BalanceItem
from cardstock.members.item_store import members_of
from tests.house.cloud import http_event, serve
from tests.people.clock import TestClock
from tests.people.consents import login_body
from tests.people.replies import Reply, reply
from tests.people.tokens import access_token
from tests.people.trade import Trade


class Person:
    """A member on the development platform. `clock`: the clock of the test."""

    clock: TestClock

    def __init__(self, name: str, **more: Any) -> None:
        answer = reply(serve(http_event("POST", "/v1/auth/sessions", login_body(name, **more))))
        assert answer.status == 200, answer
        self.id, self.refresh = answer.body["member"]["member_id"], answer.body["refresh_token"]

    def send(self, method: str, path: str, body: Any = None) -> Reply:
        return reply(serve(http_event(method, path, body, token=access_token(self.id))))

    def closing(self) -> Any:
        return self.send("GET", "/v1/me/closing").body

    def close(self, give_up: int | None = None) -> Reply:
        """Ask for the closing, and a minute later again if it waits."""
        asked = self.ask_to_close(give_up)
        if asked.body.get("state") != "waiting":
            return asked
        self.clock.move(minutes=1)
        return self.ask_to_close(give_up)

    def ask_to_close(self, give_up: int | None = None) -> Reply:
        body = {} if give_up is None else {"give_up": {"amount_fen": give_up, "words": "我放弃这笔余额"}}
        return self.send("PUT", "/v1/me/closing", body)

    def add(self, fen: int) -> None:
        """Change what is available, behind the ledger's back."""
        BalanceItem(self.id).update([BalanceItem.available.add(fen)])

    @property
    def state(self) -> str:
        return members_of([self.id])[self.id].state

    @property
    def balance(self) -> Balance:
        return ledger_wiring.books().balance_of(self.id)


def earned(trade: Trade, guide: Person, *, until: str = "available") -> str:
    """An order of a referral: the guide's reward for it is frozen or available."""
    friend = Person(f"friend-{trade.clock.now().timestamp()}", invite=guide.id)
    trade.appoint(guide.id)
    order_id = trade.buy(friend.id)
    trade.settle_down()
    if until == "available":
        trade.receive(order_id)
        trade.settle_down()
        trade.clock.move(days=20)
        trade.night()
    return order_id
