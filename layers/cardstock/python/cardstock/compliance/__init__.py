"""Compliance: related-party purchases and stocking up, subtrees that the law looks at, sales to people who promote
nothing.

Words: a *purchase* is a paid order as compliance sees it. A *shared mark* is the hash of a payer or a device. A *hold*
keeps the rewards of one order frozen. An *alarm* stops the payouts of one *subtree*: a member with everybody below. Who
lifted what, when and why is kept for good.

A hold:

    open --lift_hold--> lifted

An alarm; two different people lift it, and a subtree that has doubled since gets a new one:

    open --lift_alarm--> lift_requested
    lift_requested --lift_alarm--> lifted

Where to look: `purchases.py` (an order is paid, or its rewards are about to be released), `alarms.py` (every night),
`subtrees.py` (which subtrees), `sales.py` (whose purchases). What a plan may not contain is checked at publishing, in
the network area.
"""
