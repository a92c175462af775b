"""The referral network: plans, positions of members, the rewards of an order, team dividends, and the simulation.

Words: a *plan* says who earns what; its *version* never changes once published. A *position* is one member's place: the
*referrer* who brought the member, the *team owner*, and the *peer*, whose team a partner has left. An order keeps a
*snapshot* of plan and positions; its *rewards* (direct, team, peer) depend on nothing else. An order *holds* while it
makes its buyer a distributor, and *counts* while it counts for the buyer's referrer. A plan without cash grants a
*coupon* (stored fields and the API call it `benefit`).

Standing of a member, which determines the role (`Position.standing`):

    member --count order--> distributor --count order--> partner
    member --count order--> partner
    distributor --count order--> member
    partner --count order--> distributor
    partner --count order--> member
    member --appoint partner--> appointed_partner
    distributor --appoint partner--> appointed_partner
    partner --appoint partner--> appointed_partner

Edge to the team owner (`Position.owner_edge`): provisional until the qualifying purchase, and again when no qualifying
order is left:

    provisional --count order--> fixed --count order--> provisional

Membership in the owner's team (`Position.membership`): a new partner leaves the team, unless the plan's `leave_mode`
is `none`, and returns to it when demoted:

    in_team --count order--> left --count order--> in_team
    in_team --appoint partner--> left

Coupon of a plan without cash (`Position.coupon`); one call that counts a grant and its end leads to revoked at once:

    none --count order--> granted --count order--> revoked --count order--> granted
    none --count verified--> granted
    none --count order--> revoked

Whether an order holds its buyer's standing (`CountedOrder.holding`); an order that is first counted after its payment
and its refund takes two steps at once:

    not_yet --count order--> holds --count order--> released --count order--> holds
    not_yet --count order--> released

Whether an order counts for its referrer (`CountedOrder.counting`); an order that is first counted after it settled and
was refunded takes two steps at once:

    not_yet --count order--> counts --count order--> ended
    not_yet --count order--> ended

Where to look: `plan.py`, `presets.py`, `plan_check.py`, `publishing.py` (plans); `binding.py`, `ordering.py`,
`counting.py`, `promotion.py`, `coupons.py` (positions: pure rules and the verbs that read and write by
`deciding.py`); `rewards.py` (arithmetic); `dividends.py`; `simulation/`.
"""
