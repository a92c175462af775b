"""The referral network: plans, positions of members, the rewards of an order, team dividends, and the simulation.

Words: a *plan* says who earns what; its *version* never changes once published. An *approval* is one person's consent
to one check that a plan fails, for exactly its rules. A *position* is one member's place: the *referrer* who brought
the member, the *team owner*, and the *peer*, whose team a partner has left. An order keeps a *snapshot* of plan and
positions; its *rewards* (direct, team, peer) depend on nothing else. An order *qualifies* its buyer while it makes the
buyer a distributor, and *counts* while it counts for the buyer's referrer. A plan without cash grants a *coupon*
(stored fields and the API call it `benefit`).

A member's standing: it determines the role (`Position.standing`).

    member --count_order--> distributor --count_order--> partner
    member --count_order--> partner
    distributor --count_order--> member
    partner --count_order--> distributor
    partner --count_order--> member
    member --appoint_partner--> appointed_partner
    distributor --appoint_partner--> appointed_partner
    partner --appoint_partner--> appointed_partner

The edge to the team owner: provisional until the qualifying purchase, and again when no qualifying order is left
(`Position.owner_edge`).

    provisional --count_order--> fixed --count_order--> provisional

Membership in the owner's team: a new partner leaves the team, unless the plan's `leave_mode` is `none`, and returns to
it when demoted (`Position.membership`).

    in_team --count_order--> left --count_order--> in_team
    in_team --appoint_partner--> left

A member's coupon: given by a plan without cash (`Position.coupon`). One call that counts a grant and its end leads to
revoked at once.

    none --count_order--> granted --count_order--> revoked --count_order--> granted
    none --count_verified--> granted
    none --count_order--> revoked

An order for its buyer's standing: it qualifies the buyer as distributor until most of it is refunded
(`CountedOrder.qualifying`). An order that is first counted after its payment and its refund takes two steps at once.

    not_yet --count_order--> qualifies --count_order--> ended --count_order--> qualifies
    not_yet --count_order--> ended

An order for its referrer: it counts until most of it is refunded (`CountedOrder.counting`). An order that is first
counted after it settled and was refunded takes two steps at once.

    not_yet --count_order--> counts --count_order--> ended
    not_yet --count_order--> ended

Where to look: `plan.py`, `presets.py`, `plan_check.py`, `publishing.py` (plans); `binding.py`, `ordering.py`,
`counting.py`, `persons.py`, `promotion.py`, `coupons.py` (positions: pure rules and the verbs that read and write by
`deciding.py`); `rewards.py` (arithmetic); `dividends.py`; `simulation/`.
"""
