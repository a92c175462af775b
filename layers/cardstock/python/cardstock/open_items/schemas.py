"""Open items as JSON."""

from __future__ import annotations  # evaluated only for decoded types: keeps the import cheap

from typing import Annotated, Final

from msgspec import Meta

from cardstock.clock import rfc3339
from cardstock.edge.cursors import PageQuery
from cardstock.edge.fields import Currency, Fen, MemberId, Moment, NextCursor
from cardstock.edge.http import LINE, Model
from cardstock.errors import NOT_FOUND, REASON_MISSING, SECOND_PERSON_NEEDED
from cardstock.open_items import errors
from cardstock.open_items.model import TWO_PERSONS, Decision, Kind, OpenItem, Outcome, PaidTo, State

CLEARING_CODES: Final = (
    NOT_FOUND,
    REASON_MISSING,
    SECOND_PERSON_NEEDED,
    errors.OUTCOME_UNKNOWN,
    errors.OUTCOME_DIFFERS,
    errors.ITEM_CHANGED,
    errors.ACCOUNT_NEEDED,
    errors.ACCOUNT_NOT_NEEDED,
    errors.ACCOUNT_DIFFERS,
    errors.PAYEE_UNVERIFIED,
)

# kind -> (zh-CN, en)
_TO_DO: Final = {
    "payment_unknown": (
        "收到一笔已验签的付款，但没有对应的订单。请在支付渠道后台查明来源，原路退回或说明去向。",
        "A verified payment names an order that does not exist. Find out at the channel whose it is; give it back, or "
        "say where it belongs.",
    ),
    "payment_mismatch": (
        "付款金额或币种与订单不符，且渠道无法整笔退回。请人工退款或说明去向。",
        "A verified payment has another amount or currency than its order, and could not be given back whole. Give it "
        "back by hand, or say where it belongs.",
    ),
    "payment_undecided": (
        "订单早已超过支付期限，但支付渠道既未确认关闭，也未报告付款；库存仍被占用，系统会继续询问，每周另开一项。请在渠道后台查明原因并排除；订单付款、取消或过期后，系统在一小时内自动了结本项。",
        "The time to pay an order is long over, and its channel has neither closed it nor named a payment. Its stock "
        "is held, and the channel is asked on. Find out at the channel why, and remove the cause; another item opens "
        "each week. Within an hour after the order is paid, cancelled or expired, its items are cleared by themselves.",
    ),
    "refund_refused": (
        "支付渠道最终拒绝了这笔退款。请付到付款会员本人实名的银行账户并登记，或登记放弃，由两人确认；放弃后，其商品和金额可重新申请退款；未发货的商品不再发出，另开一项提醒，直到退款为止。",
        "The channel refuses a refund for good. Pay it to an account in the paying member's own verified name, or give "
        "it up; two persons say so here. What is given up can be refunded anew; its unsent units are not sent, and "
        "another item reminds of them.",
    ),
    "refund_waits": (
        "支付渠道要等商户处理后才能退款（如补足余额，或在渠道后台指定收款账户）；系统会继续以同一退款单号申请。处理后，退款完成或被拒绝时，本项在一小时内自动了结。",
        "The channel refunds once the merchant has acted: add funds, or name another account on the channel's pages. "
        "The refund is asked for on under the same number. Within an hour after it has succeeded or was refused, the "
        "item is cleared by itself.",
    ),
    "refund_mismatch": (
        "支付渠道报告了一笔退款，但本系统未申请，或其结果、金额与本系统记录不同（例如在渠道后台手工退款，或已另行付给买家后渠道又退款成功）。账目未变。请查明原因并说明，必要时向买家追回重复款项。",
        "The channel reports a refund that was not asked for here, or one with another end or amount than stands here "
        "(made by hand on the channel's pages, or made after the buyer was paid another way). The books have not "
        "changed. Find out why, and say so; the buyer may have been paid twice.",
    ),
    "refund_asked": (
        "买家或平台客服在平台上申请了退款，但商品已发货，或金额与未发货部分不符。"
        "请在 decide_by 之前决定，逾期平台自动同意并退款。同意：该订单剩余商品全部退款并入账；"
        "拒绝：不退款，理由会显示给买家。needs_audit 为 false 的由平台自行退款：能对上的登记同意，"
        "否则查明后说明。",
        "A buyer, or the platform's own service, asks for a refund on the platform, of units that were sent, or of "
        "another amount than the unsent ones bring. Agree or deny before decide_by: later the platform agrees by "
        "itself. Agreed: all that is left of the order is refunded and booked. Denied: nothing is refunded, and the "
        "buyer reads the reason. Where needs_audit is false the platform refunds without a word: agree if the amount "
        "fits the order, else find out and explain.",
    ),
    "units_set_aside": (
        "退款已登记放弃，但买家付过款的商品既未发货也未退款，库存仍被占用。请与买家商定后重新申请退款（可再由两人登记以其他方式付给）；全部退款后系统在一小时内自动了结本项。登记为已说明的，若仍未退款，一周后再次提醒。",
        "A refund was given up, and the units that the buyer has paid for are neither sent nor refunded; their stock "
        "is held. Agree with the buyer, and refund them anew (if the channel refuses again, two persons can say that "
        "it was paid another way). Within an hour after none is left the item is cleared by itself. If it is cleared "
        "as explained and units are left, another one opens after a week.",
    ),
    "shipping_refused": (
        "支付平台拒绝了该订单的发货信息（如快递公司名称无法识别，或已在平台后台录入）。不录入可能影响资金结算和小程序的支付能力。请在平台后台补录，并登记说明。",
        "The platform of the payment refuses what was sent for this order (it does not know the carrier's name, or has "
        "the report from its own pages). Without it the platform may hold the money, and take the mini-program's "
        "payments away. Report it on the platform's pages, and say so.",
    ),
    "shipping_reminded": (
        "微信提醒：该订单付款超过 48 小时仍未上传发货信息。order_status 为 paid 时请催促供应商发货，或为买家退款；"
        "订单全部发出后，系统在一小时内自动了结本项。若订单已发出，请在微信后台查明发货信息为何没有录入，并登记说明。",
        "WeChat still waits for the report of what was sent, 48 hours after the payment. Where order_status is paid, "
        "have the supplier send it, or refund the buyer; within an hour after all of it has left the item is cleared "
        "by itself. If it had left before, find out on WeChat's pages why the report is missing, and say so.",
    ),
    "funds_mismatch": (
        "支付平台通知某笔付款的资金已可结算，但该订单在本系统中未付款，或由另一笔付款支付。账目未变。请在渠道后台查明这笔付款，并登记说明。",
        "The platform frees the money of a payment, but its order is not paid here, or was paid by another payment. "
        "The books have not changed. Find out at the channel what was paid, and say so.",
    ),
    "agreement_not_ended": (
        "会员注销账号时仍有一份支付协议，但其支付渠道已停用，系统无法解约。本系统不会再据此扣款。"
        "请在渠道后台解除该协议（编号见 subject 与 contract_no），并登记说明。",
        "A member closed the account with a payment agreement at a channel that is not set up here any more, so that "
        "it could not be ended there. Nothing is charged under it from here. End it on the channel's pages (subject "
        "and contract_no are its numbers), and say so.",
    ),
    "debt_after_closing": (
        "会员注销账号后，因退款等原因其账号产生欠款，且本人目前没有其他账号。请联系当事人追偿，或由两人核销欠款。"
        "本人重新注册后，其新账号的可提现余额会先用于抵扣；欠款结清后，系统在当晚自动了结本项。",
        "A closed account owes, by a refund after its rewards were paid, and the person has no other account. Claim it "
        "from the person, or have two persons write it off. If the person registers again, money of the new account "
        "repays it first; the night after nothing is owed any more the item is cleared by itself.",
    ),
    "goodwill_asked": (
        "一名员工申请的补偿退款超出其一人可批准的上限。请由另一人核对订单和理由后同意或拒绝；同意后立即退款。",
        "A person of the staff asks for a goodwill refund above what one person may give. Another person checks the "
        "order and the reason, and grants or declines it; once granted it is refunded at once.",
    ),
    "payout_contradiction": (
        "同一转账先后有两种结果。请向渠道查证收款人是否到账，由两人确认；确认前该会员不再发放。若与账上不同，确认时同步更正账目。",
        "A transfer has two contradicting results. Ask the channel whether the payee has the money; two persons say "
        "so. Until then the member is not paid. If the books have the other result, clearing corrects them.",
    ),
    "identity_disputed": (
        "一名员工提出：该会员并非其实名认证的本人。请由另一人核对证据后决定：撤下（taken_away）后，该账户没有实名身份，"
        "不再发放，也不能再以此身份认证；已发放的和已申报的不变。否则登记保留（kept）。",
        "A person of the staff says that a member is not the person as whom it was verified. Another person looks at "
        "the evidence. Taken away: the account has no verified identity, is paid nothing, and cannot be verified as "
        "this person again; what was paid and declared stays. Else it is kept.",
    ),
    "tax_misfiled": (
        "已撤下实名身份的账户此前的付款，其个人所得税是以该身份申报的。账目和已写出的税务文件不变。"
        "请与会计向税务机关更正申报，并登记说明。facts 列出月份、金额和税款。",
        "An identity was taken from an account that had been paid: the tax was declared for a person who did not get "
        "the money. Books and written tax files stay as they are. Have the accountant correct the declaration with the "
        "tax authority, and say so. The facts have the months, sums and tax.",
    ),
}


class OpenItemQuery(PageQuery):
    """Which part of the list."""

    status: Annotated[State, Meta(description="State of the items.", examples=["open"])] = "open"
    kind: Annotated[
        Kind | None, Meta(description="Kind of the items; absent: every kind.", examples=["refund_refused"])
    ] = None


class PayeeAccount(Model):
    """The account that the money goes to."""

    holder: Annotated[
        str,
        Meta(
            min_length=1, max_length=64, pattern=LINE, examples=["张伟"],
            description="Holder of the account: the paying member's verified name.",
        ),
    ]  # fmt: skip
    number: Annotated[
        str,
        Meta(
            min_length=8, max_length=64, pattern=LINE, examples=["6222 0212 3456 7894"],
            description="Number of the account; groups, hyphens and full-width digits are understood. Its last four "
            "digits are kept.",
        ),
    ]  # fmt: skip
    bank: Annotated[
        str, Meta(min_length=2, max_length=64, pattern=LINE, description="Name of the bank.", examples=["中国工商银行"])
    ]


class PaidToView(Model):
    """The account that the money goes to, masked."""

    holder: Annotated[str, Meta(description="Holder, masked.", examples=["张*"])]
    number: Annotated[str, Meta(description="Number, masked: its last four digits.", examples=["**** 7894"])]
    bank: Annotated[str, Meta(description="Name of the bank.", examples=["中国工商银行"])]

    @classmethod
    def of(cls, paid_to: PaidTo | None) -> PaidToView | None:
        """The account; None if there is none."""
        return None if paid_to is None else cls(paid_to.holder, paid_to.number, paid_to.bank)


class ClearItem(Model):
    """How the item ends, and why."""

    outcome: Annotated[Outcome, Meta(description="How it ends; each kind has its own.", examples=["returned"])]
    reason: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            description="Reason; it stays on record.",
            examples=["given back at the channel's console on 2026-11-20, number 4200001"],
        ),
    ]
    account: Annotated[
        PayeeAccount | None,
        Meta(
            description="Where the money goes: needed of the first person for `paid_another_way`, for nothing else. A "
            "second person who names it names the same."
        ),
    ] = None


class DecisionView(Model):
    """Who decided, when, how and why."""

    by: Annotated[
        str,
        Meta(
            description="Id of the person who decided; `cardstock` if what the item was about has ended by itself.",
            examples=["stf_01kbdx9q7r5t3v1w8y6z4a2c0e"],
        ),
    ]
    at: Annotated[Moment, Meta(description="When it was decided.")]
    outcome: Annotated[Outcome, Meta(description="How it ends.", examples=["returned"])]
    reason: Annotated[
        str, Meta(description="Why it ends like this.", examples=["given back at the channel's console on 2026-11-20"])
    ]

    @classmethod
    def of(cls, decision: Decision | None) -> DecisionView | None:
        """A decision; None if there is none."""
        return None if decision is None else cls(decision.by, rfc3339(decision.at), decision.outcome, decision.reason)


class OpenItemView(Model):
    """Something verified that does not fit, until people have cleared it."""

    item_id: Annotated[
        str, Meta(description="For reading and clearing it.", examples=["oit_01kbdxdh50fcazdjhcnqh2rzv5"])
    ]
    kind: Annotated[Kind, Meta(description="What does not fit.", examples=["payment_mismatch"])]
    status: Annotated[State, Meta(description="Whether people have cleared it.", examples=["open"])]
    subject: Annotated[
        str,
        Meta(
            description="Order number, refund id or transfer number that it is about.",
            examples=["ord_01kbdxdh50fcazdjhcnqh2rzv5"],
        ),
    ]
    member_id: Annotated[MemberId | None, Meta(description="Member whose money it is; null if unknown.")]
    amount_fen: Annotated[Fen, Meta(description="Amount as the other side stated it, in its smallest unit.")]
    currency: Annotated[Currency, Meta(description="Currency as the other side stated it.")]
    facts: Annotated[
        dict[str, str],
        Meta(
            description="What the other side said, and what stands here.",
            examples=[{"channel": "sandbox", "transaction_no": "sbx_1", "order_amount_fen": "153000"}],
        ),
    ]
    to_do: Annotated[
        str,
        Meta(
            description="What is to be done, in the language of the request.",
            examples=["付款金额或币种与订单不符，且渠道无法整笔退回。请人工退款或说明去向。"],
        ),
    ]
    persons: Annotated[int, Meta(description="How many persons clear it.", examples=[1])]
    opened_at: Annotated[Moment, Meta(description="When it was opened.")]
    requested: Annotated[
        DecisionView | None, Meta(description="The first person's decision, where it takes two; null otherwise.")
    ]
    cleared: Annotated[DecisionView | None, Meta(description="The decision that cleared it; null while it is open.")]
    paid_to: Annotated[
        PaidToView | None, Meta(description="Account that the money of a refund goes to by hand; null if none does.")
    ]

    @classmethod
    def of(cls, item: OpenItem, language: str) -> OpenItemView:
        """An item, with what is to be done in the language of the request."""
        said = item.cleared or item.requested
        return cls(
            item_id=item.id,
            kind=item.kind,
            status=item.state,
            subject=item.subject,
            member_id=item.member_id or None,
            amount_fen=item.amount_fen,
            currency=item.currency,
            facts=item.facts,
            to_do=_TO_DO[item.kind][language == "en"],
            persons=2 if item.kind in TWO_PERSONS else 1,
            opened_at=rfc3339(item.opened_at),
            requested=DecisionView.of(item.requested),
            cleared=DecisionView.of(item.cleared),
            paid_to=PaidToView.of(None if said is None else said.paid_to),
        )


class OpenItemPage(Model):
    """Some open items, oldest first."""

    items: Annotated[list[OpenItemView], Meta(description="Items, oldest first.")]
    next_cursor: NextCursor
