"""Orders: from the quote to the last refund.

A *quote* offers today's prices to one member and reserves nothing. An *order* is placed at the prices of a quote and
reserves its stock in the same step. When it is paid, each supplier gets its *supplier order*. A *refund* is a record of
its own: a `return` of units, a `goodwill` refund of an amount without units, or a `stray` payment for an order that was
not waiting for one. A *coupon* takes an amount off one order; its *use* is the record of that.
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

An order fully paid by its coupon is placed and paid in one step. Every step is one transaction on records whose
versions were read before it. A step that finds a record changed reads and decides again; a repeated step changes
nothing.

Where to look: `placement` (quote, place, cancel), `payment` (pay, expire), `refunds` (request, grant, execute),
`refund_amounts` (amounts of refunds), `fulfilment` (ship, deliver, receive), `coupons` (revoke a coupon),
`settling` (when an order settles). `packing` is the short form of lines in quote tokens and stored orders.
"""
