"""Orders: from the quote to the last refund.

A *quote* offers today's prices to one member and reserves nothing. An *order* is placed at the prices of a quote and
reserves its stock in the same step. When it is paid, each supplier gets its *supplier order*. A *refund* is a record of
its own: a `return` of units, a `goodwill` refund of an amount without units, or a `stray` payment for an order that was
not waiting for one. A *coupon* takes an amount off one order; its *use* is the record of that.

An order:

    placed --record_payment--> paid --report_shipment--> shipped --confirm_receipt--> completed
    placed --cancel_order--> cancelled
    placed --expire_due--> expired
    placed --record_closed--> cancelled
    placed --record_closed--> expired

A supplier order:

    open --report_shipment--> shipped --report_delivery--> delivered
    open --request_refund--> cancelled

A refund:

    requested --complete_refund--> succeeded
    requested --execute_refund--> refused --close_refused--> succeeded
    refused --close_refused--> given_up

The use of a coupon:

    unused --place_order--> used --revoke_coupon--> owed
    used --close_step--> unused
    used --revoke_coupon--> revoked
    unused --revoke_coupon--> revoked

A payment agreement:

    asked --record_state--> active --end_agreement--> ending --end_agreement--> ended
    asked --end_agreement--> ending --record_state--> ended
    asked --record_state--> ended
    active --record_state--> ended

An order fully paid by its coupon is placed and paid in one step. Every step is one transaction on records whose
versions were read before it. A step that finds a record changed reads and decides again; a repeated step changes
nothing.

Where to look: `placement` (quote, place, cancel), `payment` (pay, expire), `refunds` (request, grant, execute),
`agreements` (payment agreements, and charges under them),
`asked_refunds` (what buyers ask a channel for), `refund_amounts` (amounts of refunds), `fulfilment` (ship, deliver,
receive), `coupons` (revoke a coupon), `settling` (when an order settles), `listing` and `sales` (what headquarters
reads).
`packing` is the short form of lines in quote tokens and stored orders. Types and JSON stand by phase: `model` and
`schemas` have quotes and orders, `refund_model` and `refund_schemas` refunds, and so on;
`change_model` has what a step stores.
"""
