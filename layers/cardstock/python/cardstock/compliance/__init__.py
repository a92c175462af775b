"""Compliance: related-party purchases, stocking up, subtrees that reach the law's size, and sales to non-promoters.

Words: a *purchase* is a paid order in compliance. A *shared mark* is the hash of a payer or a device. A *hold* keeps
the rewards of one order frozen. An *alarm* stops the payouts of one *subtree*: a member with everybody below. A
*non-promoter* has no role and has brought nobody. Who lifted a hold or an alarm, when and why, is stored for good.

A hold:

    open --lift_hold--> lifted

An alarm: two different people lift it, and a subtree that has doubled since gets a new one.

    open --lift_alarm--> lift_requested
    lift_requested --lift_alarm--> lifted

Where to look: `purchases.py` (an order is paid, or its rewards are about to be released), `alarms.py` (every night),
`subtrees.py` (finding subtrees), `sales.py` (sales to non-promoters). The network area checks a plan when it is
published.
"""
