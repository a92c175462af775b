"""Open items: verified facts that do not fit, kept until people have cleared them.

An *open item* is something that another side has said and signed, and that nothing here can book by itself: a payment
of another amount, a refund that its channel refuses, a transfer that its channel reports as paid after it reported it
as failed. Its id is derived from its cause, so a repeat of the cause changes nothing. Its facts are those of the other
side, unchanged. People clear it with an outcome and a reason, which stay on record; kinds that concern money already
booked take two persons (`model.TWO_PERSONS`).

An open item:

    open --clear_item--> cleared
    open --end_item--> cleared

What ends by itself is cleared by the hourly review: a payment that was not decided when its order is paid or closed,
units set aside when none is left. If a person cleared units that are still set aside, it reminds after a week.

A first person's request under the rule of two is a fact of an item that stays open.

Where to look: `model.py` for kinds and outcomes, `clearing.py` for the rule of two persons, `store.py` for the table
and for the steps that it lends to transactions of orders and payouts. What an outcome books is in
`flows/open_items.py`, and the review too.
"""
