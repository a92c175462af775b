"""Orders: from the quote to the last refund.

A *quote* offers today's prices to one member and reserves nothing. An *order* is placed at the prices of a quote and
reserves its stock in the same step. When it is paid, each supplier gets its *supplier order*. A *refund* is a record of
its own: a `return` of units, a `goodwill` amount without units, or a `stray` payment that no order was waiting for. A
*coupon* takes an amount off one order; its *use* says what became of it.

An order:

    placed --pay--> paid --ship--> shipped --receive--> completed
    placed --cancel--> cancelled
    placed --expire--> expired

A supplier order:

    open --ship--> shipped --deliver--> delivered
    open --refund--> cancelled

A refund:

    requested --complete--> succeeded

The use of a coupon:

    unused --place--> used --charge--> owed
    used --close--> unused
    used --withdraw--> revoked
    unused --revoke--> revoked

An order that its coupon pays is placed and paid in one step. Every step is one transaction on records whose versions
were read before it: a step that finds a record changed reads and decides again, and a step that was done before changes
nothing. So repeats, lost answers and kills at any point end in the same records.

Where to look: `placement` (quote, place, cancel), `payment` (pay, expire), `refunds` (ask, grant, send back),
`refund_amounts` (what a refund comes to), `fulfilment` (ship, deliver, receive), `coupons` (revoke a coupon),
`settling` (when an order settles). `packing` is the short form of lines that quotes sign and orders store.
"""
