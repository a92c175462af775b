"""WeChat Pay, merchant transfers (商家转账, API v3, public-key mode).

| Call | Here |
|---|---|
| `POST /v3/fund-app/mch-transfer/transfer-bills` | submit; repeating a number does not pay twice |
| `GET .../transfer-bills/out-bill-no/{number}` | read the status |
| `POST .../transfer-bills/out-bill-no/{number}/cancel` | cancel what the payee has not accepted; takes effect later |

Only a 200 is used that the platform signed within five minutes, about the number that was asked for. Any other answer
leaves the result open: the number is asked for again, or submitted again with the same parameters. A number that WeChat
does not know (`NOT_FOUND`) has not failed either, with one exception: WeChat has refused to take it on because its time
for retries is over (`INVALID_REQUEST`, 对应单号已超出重试期), and then does not know it. With both answers signed,
such a number was never paid and never will be: it failed with `RETRY_PERIOD_OVER`. Not within a day after it was
sent, and not after 30 days, when WeChat no longer shows bills that it has paid.

| State | Meaning |
|---|---|
| `ACCEPTED`, `PROCESSING`, `CANCELING`, any unknown state | no answer yet |
| `WAIT_USER_CONFIRM` | the payee must accept it, with `package_info`, which only the first call returns |
| `TRANSFERING` | the payee has accepted, the money is moving |
| `SUCCESS` | paid |
| `FAIL` | failed for `fail_reason`; expired if it was closed because the payee did not accept |
| `CANCELLED` | expired |

Source: pay.weixin.qq.com/doc/v3/merchant 4012716434 (transfer), 4012716437 (query), 4012716458 (cancel),
4012365342 (signatures), 4013053257 (sensitive fields). Scene 1005 (佣金报酬) is reported with exactly two infos.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import httpx
import msgspec
from msgspec import Meta

from cardstock import clock
from cardstock.files import Document
from cardstock.payouts.channels import MINIMUM_FEN
from cardstock.payouts.channels.calls import Report, each
from cardstock.payouts.lines import Confirmation, Line, Result
from cardstock.payouts.model import Batch
from cardstock.payouts.payees import DropReason
from cardstock.payouts.transfer_answers import Answer
from cardstock.platforms.connections import client, trouble
from cardstock.platforms.wechat_pay import URL, WechatPay
from cardstock.platforms.wechat_pay import Answer as Refusal

NAME: Final = "wechat"
SCENE: Final = "1005"
NAMED_FROM_FEN: Final = 200_000
"""From 2 000 yuan WeChat requires the payee's real name, encrypted."""
_BILLS: Final = "/v3/fund-app/mch-transfer/transfer-bills"
_RETRIES_OVER: Final = "超出重试期"
"""In the message of a refusal whose number can no longer be submitted; its code alone says many other things."""
RETRY_PERIOD: Final = timedelta(days=1)
SHOWN_FOR: Final = timedelta(days=30)
_LAPSED: Final = frozenset({"OVERDUE_CLOSE"})

_Key = Annotated[str, Meta(min_length=1)]
_Text = Annotated[str, Meta(max_length=1024)]


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The merchant's account, from the secret. Keys are PEM or bare base64."""

    mch_id: _Key
    app_id: _Key
    serial_no: _Key
    """Serial number of the merchant's API certificate."""
    private_key: _Key
    public_key_id: Annotated[str, Meta(pattern="^PUB_KEY_ID_")]
    public_key: _Key
    job: Annotated[str, Meta(min_length=1, max_length=32)]
    """岗位类型: what the payees do for the brand."""
    pay_note: Annotated[str, Meta(min_length=1, max_length=32)]
    """报酬说明: what they are paid for."""
    remark: Annotated[str, Meta(min_length=1, max_length=25)] = "佣金"
    """What the payee reads; the period is appended."""
    maximum_fen: Annotated[int, Meta(ge=0)] = 0
    """Largest transfer agreed with WeChat; 0 if WeChat alone decides."""
    base_url: str = URL


class _Bill(msgspec.Struct, frozen=True):
    """The fields used of all three calls' answers."""

    out_bill_no: str
    state: str
    package_info: _Text | None = None
    fail_reason: str | None = None
    transfer_amount: int | None = None
    mch_id: str | None = None
    appid: str | None = None


class WechatTransfers:
    """`payouts.ports.Channel` of one merchant. `transport` replaces the network.

    Raises ValueError or `msgspec.ValidationError` for an account that cannot work, before anything is sent.
    """

    def __init__(
        self,
        account: dict[str, Any],
        *,
        report: Report,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._account = msgspec.convert(account, Account)
        self._report = report
        self._pay = WechatPay(
            mch_id=self._account.mch_id,
            serial_no=self._account.serial_no,
            private_key=self._account.private_key,
            public_keys={self._account.public_key_id: self._account.public_key},
            client=client(self._account.base_url, transport),
        )
        self._infos = report_infos(self._account.job, self._account.pay_note)

    def refusal(self, account: str, name: str, net: int) -> DropReason | None:
        platform, _, rest = account.partition(":")
        app, _, openid = rest.partition(":")
        # An openid belongs to one app: other apps cannot pay to it.
        if platform != "wechat" or app != self._account.app_id or not openid:
            return "account_unsuitable"
        if net < MINIMUM_FEN["wechat"]:
            return "under_channel_minimum"
        if self._account.maximum_fen and net > self._account.maximum_fen:
            return "over_channel_maximum"
        return "unverified" if net >= NAMED_FROM_FEN and not name else None

    def transfer(self, lines: Sequence[Line]) -> Sequence[Answer]:
        return each(lines, self._transfer)

    def ask(self, lines: Sequence[Line]) -> Sequence[Answer]:
        return each(lines, self._ask)

    def cancel(self, lines: Sequence[Line]) -> Sequence[Answer]:
        return each(lines, self._cancel)

    def document(self, batch: Batch, lines: Sequence[Line]) -> Document | None:  # noqa: ARG002 - the port's signature
        return None

    def _transfer(self, line: Line) -> Answer | None:
        bill = self._call("POST", _BILLS, line, self._body(line))
        if isinstance(bill, _Bill):
            return self._answer(line, bill)
        known = self._query(line)
        if isinstance(known, _Bill):
            return self._answer(line, known)
        age = clock.now() - (line.sent_at or clock.now())
        unknown = known is not None and known.genuine and known.code == "NOT_FOUND"
        if bill is not None and _is_final(bill) and unknown and RETRY_PERIOD <= age < SHOWN_FOR:
            return Answer(line.number, "failed", clock.now(), NAME, "RETRY_PERIOD_OVER")
        return None

    def _ask(self, line: Line) -> Answer | None:
        bill = self._query(line)
        return self._answer(line, bill) if isinstance(bill, _Bill) else None

    def _query(self, line: Line) -> _Bill | Refusal | None:
        return self._call("GET", f"{_BILLS}/out-bill-no/{line.number}", line)

    def _cancel(self, line: Line) -> Answer | None:
        bill = self._call("POST", f"{_BILLS}/out-bill-no/{line.number}/cancel", line)
        # Accepted meanwhile, or already final: only the query knows.
        return self._answer(line, bill) if isinstance(bill, _Bill) else self._ask(line)

    def _body(self, line: Line) -> bytes:
        body: dict[str, Any] = {
            "appid": self._account.app_id,
            "out_bill_no": line.number,
            "transfer_scene_id": SCENE,
            "openid": line.account.rpartition(":")[2],
            "transfer_amount": line.net,
            "transfer_remark": f"{self._account.remark}{line.period}",
            "transfer_scene_report_infos": self._infos,
        }
        if line.net >= NAMED_FROM_FEN:
            body["user_name"] = self._pay.encrypt(line.name)
        return json.dumps(body, ensure_ascii=False).encode()

    def _call(self, method: Literal["GET", "POST"], path: str, line: Line, body: bytes = b"") -> _Bill | Refusal | None:
        """WeChat's answer about the line, if its signature is valid; or its refusal; None without either."""
        try:
            answer = self._pay.call(method, path, body)
        except httpx.HTTPError as error:
            self._report(line.number, trouble(error))
            return None
        if answer.status != httpx.codes.OK:
            self._report(line.number, f"http_{answer.status} {answer.code}"[:80].strip())
            return answer
        if not answer.genuine:
            self._report(line.number, "signature")
            return None
        bill = answer.decoded(_Bill)
        if bill is None:
            self._report(line.number, "malformed")
            return None
        if (
            bill.out_bill_no != line.number
            or bill.mch_id not in (None, self._account.mch_id)
            or bill.appid not in (None, self._account.app_id)
        ):
            self._report(line.number, "another_bill")
            return None
        return bill

    def _answer(self, line: Line, bill: _Bill) -> Answer | None:
        result = _result(bill)
        if result is None:
            return None
        return Answer(
            number=line.number,
            result=result,
            received_at=clock.now(),
            source=NAME,
            reason=(bill.fail_reason or bill.state)[:64] if result in ("failed", "expired") else None,
            amount=bill.transfer_amount if result == "paid" else None,
            confirmation=Confirmation(self._account.mch_id, self._account.app_id, bill.package_info)
            if result == "waiting_user" and bill.package_info
            else None,
        )


def _is_final(refusal: Refusal) -> bool:
    """Whether the number can never be submitted again."""
    return refusal.genuine and refusal.code == "INVALID_REQUEST" and _RETRIES_OVER in refusal.message


def report_infos(job: str, pay_note: str) -> list[dict[str, str]]:
    """The two infos that scene 1005 requires. Raises ValueError where WeChat would refuse them."""
    infos = [{"info_type": "岗位类型", "info_content": job}, {"info_type": "报酬说明", "info_content": pay_note}]
    for info in infos:
        if not 1 <= len(info["info_type"]) <= 15 or not 1 <= len(info["info_content"].strip()) <= 32:
            raise ValueError(f"{info['info_type']} takes 1 to 32 characters")
    return infos


def _result(bill: _Bill) -> Result | None:
    if bill.state == "FAIL":
        return "expired" if bill.fail_reason in _LAPSED else "failed"
    known: dict[str, Result] = {
        "WAIT_USER_CONFIRM": "waiting_user",
        "TRANSFERING": "waiting_user",
        "SUCCESS": "paid",
        "CANCELLED": "expired",
    }
    return known.get(bill.state)
