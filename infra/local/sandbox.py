"""The sandbox payment channel: an outside party with its own address, its own records and a pay button.

It signs its calls and answers, and checks signatures, by Standard Webhooks 1.0 with the shared key, on the clock of the
suite. Its records are stored in a file of JSON lines, so that they survive a restart.

It knows orders, payers and refunds, as every payment channel does, and nothing of the shop that is paid. It takes one
payment for an order, and none for an order that the shop has closed.

| Endpoint | What it does |
|---|---|
| `GET /pay/{order_no}?amount_fen=&expires_at=&instalments=` | the page with the button; posting it pays until
  `expires_at`, in one or in 3, 6 or 12 parts |
| `POST /v1/pay {order_no, amount_fen, payer?, device?, instalments?, notify?}` | pays, and tells the API unless
  `notify` is false |
| `POST /v1/payment-status {status}` | the result of payments from now on: `succeeded`, `processing` or `failed` |
| `POST /v1/closings {order_no}` | signed; the payment, or `closed` from now on, or `processing` and nothing changes |
| `POST /v1/refunds {refund_no, transaction_no, amount_fen}` | signed; one of the results below, once each |
| `GET /v1/refunds/{refund_no}` | the state of a refund |
| `POST /v1/refund-queries {refund_no}` | signed; the same, `unknown` if there is none |
| `POST /v1/refund-status {status}` | the result of refunds from now on: one of those below |
| `POST /v1/agreements {agreement_no, charge_fen, day_fen, ends_at}` | signed; the agreement, with its `sign_url` |
| `POST /v1/agreement-queries {agreement_no}` | signed; the agreement: `unsigned`, `signed` or `ended` |
| `POST /v1/agreement-ends {agreement_no}` | signed; `ended` for good, whether it was signed or not |
| `POST /v1/charges {order_no, agreement_no, contract_no, amount_fen}` | signed; the payment, `processing`, `refused` |
| `GET /agreements/{agreement_no}` | the page with the button that signs it |
| `POST /v1/agreement-signatures {agreement_no, notify?}` | the payer signs, as on the page |
| `POST /v1/agreement-terminations {agreement_no, notify?}` | the payer ends it here |
| `POST /v1/agreement-notices {agreement_no, event}` | sends the notice `agreement.signed` or `agreement.ended` again |
| `POST /v1/answers {given}` | false: signed calls are carried out from now on, and their answers are lost |

Whoever pays 10,000 fen or more can pay the sandbox in 3, 6 or 12 parts. The shop has the whole at once.

A refund has `succeeded`, is `processing`, has `failed` for good with a `reason`, or is `unfunded`: the merchant's
account has not enough, nothing has happened, and the same number may be asked again.

An agreement is kept to its own limits here too, and ends on its last day. A charge ends as payments do: `processing`
until the order is paid once more; `failed` refuses it, BALANCE_SHORT. An order is charged once for its number.
"""

import hashlib
import hmac
import http.client
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from standardwebhooks import Webhook

from infra.local.pay_page import pay_page
from infra.local.server import HttpAnswer
from infra.local.small_server import NoAnswerError, SmallServer
from infra.local.texts import language_of, text

NOTIFY_PATH = "/v1/payments/sandbox/notify"
STATUSES = {
    "payment-status": ("succeeded", "processing", "failed"),
    "refund-status": ("succeeded", "processing", "failed", "unfunded"),
}
_NOTICE_FIELDS = ("order_no", "transaction_no", "amount_fen", "currency", "paid_at", "payer", "device", "instalments")
INSTALMENTS = (1, 3, 6, 12)
LEAST_IN_PARTS = 10_000
AGREEMENT_EVENTS = {"agreement.signed": "signed_at", "agreement.ended": "ended_at"}
_AGREEMENT_CONTROLS = ("agreement-signatures", "agreement-terminations", "agreement-notices")
_CHINA = timezone(timedelta(hours=8))
_TOLERANCE = timedelta(minutes=5)


class SandboxError(Exception):
    """A refusal of the channel; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def sign(key: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks for `body`."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(key).sign(message_id, at.astimezone(UTC), body.decode()),
    }


def is_genuine(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether `body` was signed with `key` within five minutes of `now`. `headers` has lower-case names."""
    try:
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        expected = Webhook(key).sign(headers["webhook-id"], at, body.decode()).encode()
    except (KeyError, ValueError, OverflowError, OSError):
        return False
    given = [candidate.encode() for candidate in headers.get("webhook-signature", "").split(" ")]
    return abs(at - now) <= _TOLERANCE and any(hmac.compare_digest(expected, candidate) for candidate in given)


NoticeSender = Callable[[bytes, Mapping[str, str]], int | None]
"""Delivers a notice: content and headers to the status of the answer; None without an answer."""


def post_to(api_url: str) -> NoticeSender:
    """Delivers notices to the API at `api_url`."""
    address = urlsplit(api_url)

    def tell(body: bytes, headers: Mapping[str, str]) -> int | None:
        connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=30)
        try:
            connection.request("POST", NOTIFY_PATH, body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except OSError:
            return None
        finally:
            connection.close()

    return tell


class Sandbox:
    """The channel. `refund_status` is the result of a new refund, and of one that is not final when it is asked again.

    `payment_status` is the result of a new payment; a `processing` one ends when it is made again. `answers` False: it
    does as it is asked, but no answer to a signed call arrives.
    """

    def __init__(
        self, *, tell: NoticeSender, key: Callable[[], str], now: Callable[[], datetime], book: Path | None = None
    ) -> None:
        self.url = ""
        self.refund_status = "succeeded"
        self.payment_status = "succeeded"
        self.answers = True
        self.payments: dict[str, dict[str, Any]] = {}
        """The record of an order by its number: `succeeded`, `processing`, `failed` or `closed`."""
        self.refunds: dict[str, dict[str, Any]] = {}
        self.agreements: dict[str, dict[str, Any]] = {}
        self._tell = tell
        self._key = key
        self._now = now
        self._book = book
        self._lock = threading.Lock()
        self._signed_calls: dict[str, tuple[set[str], Callable[..., dict[str, Any]]]] = {
            "closings": ({"order_no"}, self.close),
            "refunds": ({"refund_no", "transaction_no", "amount_fen"}, self.refund),
            "refund-queries": ({"refund_no"}, self.refund_state),
            "agreements": ({"agreement_no", "charge_fen", "day_fen", "ends_at"}, self.prepare),
            "agreement-queries": ({"agreement_no"}, self.agreement_state),
            "agreement-ends": ({"agreement_no"}, self.end_agreement),
            "charges": ({"order_no", "agreement_no", "contract_no", "amount_fen"}, self.charge),
        }
        self._server = SmallServer(lambda *request: HttpAnswer(*self.answer(*request)), name="sandbox")
        if book is not None and book.exists():
            for line in book.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self._keep(entry)

    def _keep(self, entry: dict[str, Any]) -> None:
        if "refund_no" in entry:
            self.refunds[entry["refund_no"]] = entry
        elif "order_no" in entry:
            self.payments[entry["order_no"]] = entry
        else:
            self.agreements[entry["agreement_no"]] = entry

    def _write(self, entry: dict[str, Any]) -> None:
        self._keep(entry)
        if self._book is not None:
            with self._book.open("a", encoding="utf-8") as book:
                book.write(json.dumps(entry) + "\n")

    def pay(
        self,
        order_no: str,
        amount_fen: int,
        *,
        payer: str = "",
        device: str = "",
        instalments: int = 1,
        notify: bool = True,
    ) -> dict[str, Any]:
        """Pay an order, in one or in more parts. A repeat is the same transaction, and notifies the API again.

        Returns the payment with `notified`, the HTTP status of the API's answer (None: not notified, or not reachable).
        SandboxError 400 for parts that are not offered for the amount, 409 if the order was closed, or paid with
        another amount.
        """
        if not order_no or type(amount_fen) is not int or amount_fen <= 0:
            raise SandboxError(400, "order_no and a positive integer amount_fen are needed")
        if type(instalments) is not int or instalments not in INSTALMENTS:
            raise SandboxError(400, "instalments are 1, 3, 6 or 12")
        if instalments > 1 and amount_fen < LEAST_IN_PARTS:
            raise SandboxError(400, f"instalments need {LEAST_IN_PARTS} fen or more")
        with self._lock:
            payment = self.payments.get(order_no)
            if payment is not None and payment["status"] == "closed":
                raise SandboxError(409, f"{order_no} is closed")
            if payment is not None and payment["amount_fen"] != amount_fen and payment["status"] != "failed":
                raise SandboxError(409, f"{order_no} was paid with {payment['amount_fen']} fen")
            if payment is None or payment["status"] != "succeeded":
                agreed = {} if payment is None else {"agreement_no": payment.get("agreement_no", "")}
                more = {"payer": payer, "device": device, "instalments": instalments if instalments > 1 else 0} | agreed
                payment = self._take(order_no, amount_fen, {name: value for name, value in more.items() if value})
        notify = notify and payment["status"] == "succeeded"
        return {**payment, "notified": self.notify(order_no) if notify else None}

    def _take(self, order_no: str, amount_fen: int, more: dict[str, Any]) -> dict[str, Any]:
        digest = hashlib.sha256(f"sandbox {order_no}".encode()).hexdigest()[:24]
        payment = {
            "order_no": order_no,
            "transaction_no": f"sbx_{digest}",
            "amount_fen": amount_fen,
            "currency": "CNY",
            "status": self.payment_status,
            "paid_at": _rfc3339(self._now()),
            **more,
        }
        self._write(payment)
        return payment

    def prepare(self, agreement_no: str, charge_fen: int, day_fen: int, ends_at: str) -> dict[str, Any]:
        """Know an agreement that a payer may sign. SandboxError 409 if the number belongs to another one."""
        if type(charge_fen) is not int or type(day_fen) is not int or not 0 < charge_fen <= day_fen:
            raise SandboxError(400, "charge_fen and day_fen are positive integers")
        asked = {"agreement_no": agreement_no, "charge_fen": charge_fen, "day_fen": day_fen, "ends_at": ends_at}
        with self._lock:
            known = self.agreements.get(agreement_no)
            if known is None:
                known = asked | {"status": "unsigned"}
                self._write(known)
            elif known.get("charge_fen") and any(known[name] != value for name, value in asked.items()):
                raise SandboxError(409, f"{agreement_no} is another agreement")
        return self.agreement_state(agreement_no) | {"sign_url": f"{self.url}/agreements/{agreement_no}"}

    def agreement_state(self, agreement_no: str) -> dict[str, Any]:
        """How an agreement stands; `unsigned` if there is none."""
        known = self.agreements.get(agreement_no, {"agreement_no": agreement_no, "status": "unsigned"})
        if (
            known["status"] != "ended"
            and "ends_at" in known
            and self._now() >= datetime.fromisoformat(known["ends_at"])
        ):
            known = known | {"status": "ended"}
        return {name: known[name] for name in ("agreement_no", "status", "contract_no") if name in known}

    def sign_agreement(self, agreement_no: str, *, notify: bool = True) -> dict[str, Any]:
        """The payer signs. SandboxError 404 for an unknown one, 409 for one that has ended. A repeat notifies again."""
        with self._lock:
            known = self.agreements.get(agreement_no)
            if known is None:
                raise SandboxError(404, f"{agreement_no} is not known")
            if self.agreement_state(agreement_no)["status"] == "ended":
                raise SandboxError(409, f"{agreement_no} has ended")
            if known["status"] == "unsigned":
                digest = hashlib.sha256(f"sandbox {agreement_no}".encode()).hexdigest()[:20]
                signed = {"status": "signed", "contract_no": f"sbc_{digest}", "signed_at": _rfc3339(self._now())}
                self._write(known | signed)
        notified = self.notify_agreement(agreement_no, "agreement.signed") if notify else None
        return self.agreement_state(agreement_no) | {"notified": notified}

    def end_agreement(self, agreement_no: str) -> dict[str, Any]:
        """End an agreement for good; one that is not known can never be signed."""
        with self._lock:
            known = self.agreements.get(agreement_no, {"agreement_no": agreement_no, "status": "unsigned"})
            if known["status"] != "ended":
                self._write(known | {"status": "ended", "ended_at": _rfc3339(self._now())})
        return self.agreement_state(agreement_no)

    def terminate_agreement(self, agreement_no: str, *, notify: bool = True) -> dict[str, Any]:
        """The payer ends an agreement here; the API is notified. SandboxError 404 for an unknown one."""
        if agreement_no not in self.agreements:
            raise SandboxError(404, f"{agreement_no} is not known")
        ended = self.end_agreement(agreement_no)
        return ended | {"notified": self.notify_agreement(agreement_no, "agreement.ended") if notify else None}

    def notify_agreement(self, agreement_no: str, event: str) -> int | None:
        """Notify the API of what has happened to an agreement: the status of its answer, None without one."""
        known = self.agreements.get(agreement_no, {})
        if event not in AGREEMENT_EVENTS or AGREEMENT_EVENTS[event] not in known:
            raise SandboxError(409, f"{agreement_no} has no {event}")
        notice = {"channel": "sandbox", "event": event, "agreement_no": agreement_no}
        body = json.dumps(notice | {"contract_no": known.get("contract_no", "")}).encode()
        message_id = f"msg_{event.partition('.')[2]}_{agreement_no}"
        return self._tell(body, sign(self._key(), message_id, self._now(), body))

    def charge(self, order_no: str, agreement_no: str, contract_no: str, amount_fen: int) -> dict[str, Any]:
        """Charge an order under an agreement; a repeat of the number takes nothing more. No notice is sent."""
        if not order_no or type(amount_fen) is not int or amount_fen <= 0:
            raise SandboxError(400, "order_no and a positive integer amount_fen are needed")
        with self._lock:
            known = self.payments.get(order_no, {"status": "failed"})
            if known["status"] == "succeeded":
                return known
            if known["status"] == "processing":
                return {"order_no": order_no, "status": "processing"}
            reason = self._refusal(known, agreement_no, contract_no, amount_fen)
            if reason is not None:
                return {"order_no": order_no, "status": "refused", "reason": reason}
            payment = self._take(order_no, amount_fen, {"agreement_no": agreement_no})
        if payment["status"] == "failed":
            return {"order_no": order_no, "status": "refused", "reason": "BALANCE_SHORT"}
        return payment if payment["status"] == "succeeded" else {"order_no": order_no, "status": "processing"}

    def _refusal(self, known: Mapping[str, Any], agreement_no: str, contract_no: str, amount_fen: int) -> str | None:
        """Why an order is not charged."""
        agreement = self.agreements.get(agreement_no, {})
        state = self.agreement_state(agreement_no)
        if known["status"] == "closed":
            return "ORDER_CLOSED"
        if state["status"] != "signed" or state["contract_no"] != contract_no:
            return "AGREEMENT_ENDED"
        if amount_fen > agreement["charge_fen"]:
            return "OVER_LIMIT"
        today = self._now().astimezone(_CHINA).date()
        charged = sum(
            payment["amount_fen"]
            for payment in self.payments.values()
            if payment.get("agreement_no") == agreement_no
            and payment["status"] in ("succeeded", "processing")
            and datetime.fromisoformat(payment["paid_at"]).astimezone(_CHINA).date() == today
        )
        return "OVER_DAY" if charged + amount_fen > agreement["day_fen"] else None

    def close(self, order_no: str) -> dict[str, Any]:
        """Take no payment for an order from now on. Returns the payment instead if it was paid; while somebody is
        paying, nothing changes."""
        if not order_no:
            raise SandboxError(400, "order_no is needed")
        with self._lock:
            known = self.payments.get(order_no)
            if known is None or known["status"] == "failed":
                known = {"order_no": order_no, "status": "closed"}
                self._write(known)
        return known if known["status"] != "processing" else {"order_no": order_no, "status": "processing"}

    def notify(self, order_no: str) -> int | None:
        """Notify the API of a payment: the status of its answer, None if it cannot be reached."""
        payment = self.payments[order_no]
        notice = {name: payment[name] for name in _NOTICE_FIELDS if name in payment}
        body = json.dumps({"channel": "sandbox", "event": "payment.succeeded", **notice}, ensure_ascii=False).encode()
        return self._tell(body, sign(self._key(), f"msg_{payment['transaction_no']}", self._now(), body))

    def refund(self, refund_no: str, transaction_no: str, amount_fen: int) -> dict[str, Any]:
        """Refund money: `{refund_no, status, reason?}`. A repeat of the number gets the same answer.

        A refund of an unknown payment, or of more than is left of it, fails. SandboxError 409 if the number belongs to
        another refund.
        """
        if not refund_no or not transaction_no or type(amount_fen) is not int or amount_fen <= 0:
            raise SandboxError(400, "refund_no, transaction_no and a positive integer amount_fen are needed")
        asked = {"refund_no": refund_no, "transaction_no": transaction_no, "amount_fen": amount_fen}
        with self._lock:
            known = self.refunds.get(refund_no)
            if known is not None and any(known.get(name) != value for name, value in asked.items()):
                raise SandboxError(409, f"{refund_no} is another refund")
            if known is None or known["status"] in ("processing", "unfunded"):
                known = {**asked, **self._decide(transaction_no, amount_fen, apart_from=refund_no)}
                self._write(known)
        return known

    def refund_state(self, refund_no: str) -> dict[str, Any]:
        """How a refund stands; `unknown` if there is none."""
        return self.refunds.get(refund_no, {"refund_no": refund_no, "status": "unknown"})

    def _decide(self, transaction_no: str, amount_fen: int, *, apart_from: str) -> dict[str, str]:
        made = (each for each in self.payments.values() if each.get("transaction_no") == transaction_no)
        payment = next((each for each in made if each["status"] == "succeeded"), None)
        if payment is None:
            return {"status": "failed", "reason": "PAYMENT_UNKNOWN"}
        given_back = sum(
            refund["amount_fen"]
            for refund in self.refunds.values()
            if refund["transaction_no"] == transaction_no
            and refund["status"] in ("succeeded", "processing")
            and refund["refund_no"] != apart_from
        )
        if given_back + amount_fen > payment["amount_fen"]:
            return {"status": "failed", "reason": "AMOUNT_EXCEEDED"}
        return {"status": self.refund_status, **({"reason": "REFUSED"} if self.refund_status == "failed" else {})}

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content for a request; `headers` has lower-case names. JSON is signed.

        Raises `NoAnswerError` if the answer is lost.
        """
        path, _, query = target.partition("?")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        try:
            if len(parts) == 2 and parts[0] == "agreements":
                return self._signing_page(method, parts[1], headers)
            if len(parts) == 2 and parts[0] == "pay":
                return self._page(
                    method, parts[1], query if method == "GET" else body.decode("utf-8", "replace"), headers
                )
            status, found = 200, self._api_answer(method, parts, headers, body)
        except SandboxError as error:
            status, found = error.status, {"message": str(error)}
        content = json.dumps(found, ensure_ascii=False).encode()
        signed = sign(self._key(), f"ans_{uuid.uuid4().hex}", self._now(), content)
        return status, {"content-type": "application/json", **signed}, content

    def _signed(
        self, headers: Mapping[str, str], body: bytes, needed: set[str], act: Callable[..., dict[str, Any]]
    ) -> dict[str, Any]:
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise SandboxError(415, "signed calls are JSON")
        if not is_genuine(self._key(), headers, body, self._now()):
            raise SandboxError(401, "the signature does not hold")
        done = act(**_object(body, needed, set()))
        if not self.answers:
            raise NoAnswerError
        return done

    def _api_answer(self, method: str, parts: list[str], headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        match (method, *parts):
            case ("GET", "v1", "refunds", refund_no) if refund_no in self.refunds:
                return self.refunds[refund_no]
            case ("POST", "v1", "pay"):
                wanted = _object(body, {"order_no", "amount_fen"}, {"notify", "payer", "device", "instalments"})
                return self.pay(
                    wanted["order_no"],
                    wanted["amount_fen"],
                    payer=str(wanted.get("payer", "")),
                    device=str(wanted.get("device", "")),
                    instalments=wanted.get("instalments", 1),
                    notify=wanted.get("notify", True) is True,
                )
            case ("POST", "v1", name) if name in self._signed_calls:
                return self._signed(headers, body, *self._signed_calls[name])
            case ("POST", "v1", "payment-status" | "refund-status" as name):
                wanted = _object(body, {"status"}, set())
                if wanted["status"] not in STATUSES[name]:
                    raise SandboxError(400, f"status is one of {', '.join(STATUSES[name])}")
                setattr(self, name.replace("-", "_"), wanted["status"])
                return wanted
            case ("POST", "v1", name) if name in _AGREEMENT_CONTROLS:
                return self._agreement_control(name, body)
            case ("POST", "v1", "answers"):
                wanted = _object(body, {"given"}, set())
                self.answers = wanted["given"] is True
                return wanted
        raise SandboxError(404, "no such thing here")

    def _agreement_control(self, name: str, body: bytes) -> dict[str, Any]:
        if name == "agreement-notices":
            wanted = _object(body, {"agreement_no", "event"}, set())
            return wanted | {"notified": self.notify_agreement(wanted["agreement_no"], str(wanted["event"]))}
        wanted = _object(body, {"agreement_no"}, {"notify"})
        act = self.sign_agreement if name == "agreement-signatures" else self.terminate_agreement
        return act(wanted["agreement_no"], notify=wanted.get("notify", True) is True)

    def _page(
        self, method: str, order_no: str, form: str, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        values = {name: entries[-1] for name, entries in parse_qs(form).items()}
        amount = values.get("amount_fen", "")
        language = language_of(headers.get("accept-language", ""))
        if not (amount.isascii() and amount.isdigit()) or int(amount[:12]) == 0:
            raise SandboxError(400, "amount_fen is needed")
        fen = int(amount[:12])
        expires_at = values.get("expires_at", "")
        parts = values.get("instalments", "1")
        if not (parts.isascii() and parts.isdigit()):
            raise SandboxError(400, "instalments is a number")
        over = expires_at.isascii() and expires_at.isdigit() and self._now().timestamp() >= int(expires_at[:12])
        status = self._status(order_no)
        paid: dict[str, Any] = {"notified": 200}
        if method == "POST" and status != "closed" and not (over and status == "unpaid"):
            paid = self.pay(order_no, fen, instalments=int(parts[:2]))
            status = self._status(order_no)
        message, button = "", None
        if status in ("closed", "processing", "failed") or (over and status == "unpaid"):
            message = text("pay", "expired" if status == "unpaid" else status, language)
        if status == "succeeded":
            done = paid["notified"] == 200
            name = "untold" if not done else "paid" if method == "GET" else "done"
            message = text("pay", name, language, status=paid["notified"])
            button = None if done and method == "POST" else "again"
        elif status == "processing" or (status != "closed" and not over):
            button = "pay"
        if button is not None and status == "unpaid" and int(parts[:2]) > 1:
            message = text("pay", "instalments", language, number=int(parts[:2]))
        hidden = {"amount_fen": str(fen), "expires_at": expires_at, "instalments": parts}
        page = pay_page(order_no, fen, hidden=hidden, message=message, button=button, language=language)
        return 200, {"content-type": "text/html; charset=utf-8"}, page.encode()

    def _signing_page(
        self, method: str, agreement_no: str, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        language = language_of(headers.get("accept-language", ""))
        known = self.agreements.get(agreement_no)
        if known is None or "charge_fen" not in known:
            raise SandboxError(404, f"{agreement_no} is not known")
        if method == "POST" and self.agreement_state(agreement_no)["status"] == "unsigned":
            self.sign_agreement(agreement_no)
        status = self.agreement_state(agreement_no)["status"]
        message = text("pay", status, language, day=_yuan(known["day_fen"]))
        button = "sign" if status == "unsigned" else None
        page = pay_page(
            agreement_no, known["charge_fen"], hidden={}, message=message, button=button, language=language,
            action="/agreements/",
        )  # fmt: skip
        return 200, {"content-type": "text/html; charset=utf-8"}, page.encode()

    def _status(self, order_no: str) -> str:
        return str(self.payments.get(order_no, {"status": "unpaid"})["status"])

    def start(self, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve on `port` (0: any free one) in a background thread. Returns the URL."""
        self.url = self._server.start(host=host, port=port)
        return self.url

    def stop(self) -> None:
        """Stop serving; the records stay."""
        self._server.stop()


def _object(body: bytes, needed: set[str], optional: set[str]) -> dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8"))  # of bytes alone, UTF-16 would be read too
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not needed <= set(value) <= needed | optional:
        raise SandboxError(400, f"a JSON object with {', '.join(sorted(needed))} is needed")
    if not all(isinstance(value[name], str) for name in needed if name.endswith("_no")):
        raise SandboxError(400, "numbers of orders and refunds are text")
    return value


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02d}"
