"""The ledger: what promoters have earned, have been paid and owe, in double entry.

A paid order *accrues* its rewards: they are *credited*, *frozen*. When the order settles, its rewards are *released*
and become *available*. A refund *claws back* its part of them, wherever the money is. A payout *claims* available
money, and *pays* it or *returns* it. Available money below zero is *debt*: later credits repay it, oldest step first,
and it blocks payouts until then. Two people may *write off* debt, and *correct* the end of a transfer whose channel
reported contradicting results. When a member closes the account, available money that cannot be paid is *set aside*
as unclaimed, or *given up* by the member.

Each step is one immutable *transaction* whose *postings* add up to zero, under an id made from its cause, and the
*balances* of its members change in the same write. New transactions become lines of members' *statements* and leaves
of *seals*, whose roots are published. An *audit* proves that all of this agrees.

Money: between the brand and a member's pockets, by these kinds of transactions (`model.MOVES`).

    brand --accrued--> frozen
    frozen --released--> available
    frozen --clawed--> brand
    available --clawed--> brand
    available --claimed--> paying
    paying --paid--> paid
    paying --paid--> withheld
    paying --returned--> available
    available --corrected--> paid
    available --corrected--> withheld
    paid --corrected--> available
    withheld --corrected--> available
    brand --shared--> available
    available --owed--> brand
    brand --owed--> available
    brand --written_off--> available
    available --given_up--> brand
    available --set_aside--> brand
    available --offset--> available

The rewards of an order: all of them are frozen, or all are released (`model.REWARD_TRANSITIONS`).

    frozen --release--> available

A write-off of debt: asked for by one person, approved by another (`model.WRITE_OFF_TRANSITIONS`).

    asked --approve_write_off--> booked

Where to look: `accrual`, `claw_back`, `release` (with the calendar of release days), `charges` (dividend shares and
revoked coupons), `payout_steps`, `write_offs`, `closings`, `offsets`, `standing` and `statements` (what members read),
`sealing` and `merkle`, `audit`. The callers of these steps are the flows `order_changes`, `settling`, `dividends`,
`closing`, `closed_debts`, `explaining`, `auditing`.
"""
