"""Alipay, single transfers to Alipay accounts (单笔转账, RSA2, public-key mode).

| Call | Here |
|---|---|
| `alipay.fund.trans.uni.transfer` | submit; repeating an `out_biz_no` does not pay twice |
| `alipay.fund.trans.common.query` | read the status |

Only an answer that Alipay signed, about the number that was asked for, is used. A refusal (`40004` with any `sub_code`:
`SYSTEM_ERROR`, `PAYER_BALANCE_NOT_ENOUGH`, `ORDER_NOT_EXIST` ...) does not mean that the transfer failed: Alipay may
have accepted it. The query decides, and a transfer that Alipay does not know is submitted again under the same number.

| Status in the query | Meaning |
|---|---|
| `SUCCESS` | paid |
| `FAIL` | failed for `error_code`; `REFUND` too: the money came back |
| `CLOSED` | expired |
| `DEALING`, `INIT`, `WAIT_PAY`, `UNKNOWN`, any unknown status | no answer yet |

Every transfer is reported under the scene 佣金报酬, with its one info, without which recent merchants are refused.

Source: opendocs.alipay.com: alipay.fund.trans.uni.transfer, alipay.fund.trans.common.query, open/0iaxid (scenes), the
guide to signatures.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import httpx
import msgspec
from msgspec import Meta

from cardstock import clock
from cardstock.files import Document
from cardstock.payouts.channels import MINIMUM_FEN
from cardstock.payouts.channels.calls import Report, each
from cardstock.payouts.lines import Line, Result
from cardstock.payouts.model import Batch
from cardstock.payouts.payees import DropReason
from cardstock.payouts.transfer_answers import Answer
from cardstock.platforms.alipay_gateway import CHARSET, URL, AppKeys, Gateway, fen_of, name_kind, yuan
from cardstock.platforms.connections import client, trouble
from cardstock.platforms.keys import PrivateKey, PublicKey

NAME: Final = "alipay"
SCENE: Final = "佣金报酬"
_TRANSFER: Final = "alipay.fund.trans.uni.transfer"
_QUERY: Final = "alipay.fund.trans.common.query"
_PRODUCT: Final = {"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
_RESULTS: Final[dict[str, Result]] = {"SUCCESS": "paid", "FAIL": "failed", "REFUND": "failed", "CLOSED": "expired"}

_Key = Annotated[str, Meta(min_length=1)]


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The merchant's app, from the secret. Keys are PEM or bare base64."""

    app_id: _Key
    private_key: _Key
    public_key: _Key
    """Alipay's public key, not the app's."""
    pay_note: Annotated[str, Meta(min_length=1, max_length=32)]
    """佣金报酬说明: what the payees are paid for."""
    title: Annotated[str, Meta(min_length=1, max_length=100)] = "佣金"
    """What the payee reads in the bill; the period follows it."""
    maximum_fen: Annotated[int, Meta(ge=0)] = 0
    """Largest transfer agreed with Alipay; 0 if Alipay alone decides."""
    gateway: str = f"{URL}?charset={CHARSET}"


class _Transfer(msgspec.Struct, frozen=True):
    """The fields used of both calls' answers."""

    out_biz_no: str | None = None
    status: str = ""
    error_code: str | None = None
    trans_amount: str | None = None


class AlipayTransfers:
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
        self._app = AppKeys(
            self._account.app_id, PrivateKey(self._account.private_key), PublicKey(self._account.public_key)
        )
        self._report = report
        self._gateway = Gateway(self._account.gateway, client("", transport))

    def refusal(self, account: str, name: str, net: int) -> DropReason | None:
        platform, _, rest = account.partition(":")
        app, _, identity = rest.partition(":")
        # An open id belongs to one app: other apps cannot pay to it.
        if platform != "alipay" or not identity or not (name_kind(identity) == "user" or app == self._account.app_id):
            return "account_unsuitable"
        if net < MINIMUM_FEN["alipay"]:
            return "under_channel_minimum"
        if self._account.maximum_fen and net > self._account.maximum_fen:
            return "over_channel_maximum"
        return None if name else "unverified"

    def transfer(self, lines: Sequence[Line]) -> Sequence[Answer]:
        return each(lines, self._transfer)

    def ask(self, lines: Sequence[Line]) -> Sequence[Answer]:
        return each(lines, self._ask)

    def cancel(self, lines: Sequence[Line]) -> Sequence[Answer]:
        """Nothing: Alipay cannot cancel a transfer, and none of its transfers waits for the payee."""
        return self.ask(lines)

    def document(self, batch: Batch, lines: Sequence[Line]) -> Document | None:  # noqa: ARG002 - the port's signature
        return None

    def _transfer(self, line: Line) -> Answer | None:
        identity = line.account.split(":", 2)[2]
        wanted = {
            "out_biz_no": line.number,
            "trans_amount": yuan(line.net),
            **_PRODUCT,
            "order_title": f"{self._account.title}{line.period}",
            "transfer_scene_name": SCENE,
            "transfer_scene_report_infos": [{"info_type": "佣金报酬说明", "info_content": self._account.pay_note}],
            "payee_info": {
                "identity": identity,
                "identity_type": f"ALIPAY_{name_kind(identity).upper()}_ID",
                "name": line.name,
            },
        }
        said = self._call(_TRANSFER, wanted, line)
        # Only success is final here. For any other answer the query knows the reason.
        return self._answer(line, said) if said is not None and said.status == "SUCCESS" else self._ask(line)

    def _ask(self, line: Line) -> Answer | None:
        said = self._call(_QUERY, {"out_biz_no": line.number, **_PRODUCT}, line)
        return None if said is None else self._answer(line, said)

    def _call(self, method: str, content: dict[str, Any], line: Line) -> _Transfer | None:
        """Alipay's answer about the line; None unless its signature is valid."""
        try:
            answer = self._gateway.call(self._app, method, content)
        except httpx.HTTPError as error:
            self._report(line.number, trouble(error))
            return None
        said = answer.decoded(_Transfer)
        if said is None:
            self._report(line.number, answer.cause)
        elif said.out_biz_no != line.number:
            self._report(line.number, "another_transfer")
            return None
        return said

    def _answer(self, line: Line, said: _Transfer) -> Answer | None:
        result = _RESULTS.get(said.status)
        if result is None:
            return None
        return Answer(
            number=line.number,
            result=result,
            received_at=clock.now(),
            source=NAME,
            reason=(said.error_code or said.status)[:64] if result in ("failed", "expired") else None,
            amount=fen_of(said.trans_amount) if result == "paid" else None,
        )
