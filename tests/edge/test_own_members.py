"""Staff never act on their own member: every route by which persons act says whether it names one, and this table has
a row for each that does."""

from collections.abc import Mapping
from typing import Any

import pytest

from cardstock.compliance import wiring as compliance_wiring
from cardstock.compliance.model import Alarm, Hold
from cardstock.edge.http import nobody
from cardstock.ids import RequestKey
from cardstock.ledger import wiring as ledger_wiring
from cardstock.ledger.model import WriteOff
from cardstock.members.item_store import MemberItem
from cardstock.members.model import Account, Member
from cardstock.members.store import DynamoMembers
from cardstock.open_items.clearing import new_item
from cardstock.open_items.store import DynamoOpenItems
from cardstock.payouts.lines import new_line
from cardstock.payouts.model import Batch, Rules
from cardstock.payouts.payees import Balance
from cardstock.payouts.periods import Period, batch_id
from cardstock.payouts.store import DynamoPayouts
from cardstock.staff.roles import EVERY_ROLE
from cardstock.staff.store import PERSON, PersonItem
from infra.contract.routes import PATH_VALUES, apis
from tests.house import faults
from tests.house.cloud import Context, http_event
from tests.people.arrivals import register
from tests.people.buyers import BUYER, STRANGER
from tests.people.replies import Reply, reply
from tests.people.shop import Shop
from tests.people.staff import Browser, person, session_of

REASON = {"reason": "asked for"}
CALLS: Mapping[str, Any] = {
    # The call: its body. The world has a thing of BUYER for each path.
    "POST /v1/orders/{order_id}/returns": {**REASON, "lines": [{"sku": "84406B", "units": 1}]},
    "POST /v1/orders/{order_id}/goodwill-refunds": {**REASON, "amount_fen": 1},
    "POST /v1/members/{member_id}/partner-appointments": REASON,
    "POST /v1/headquarters/members/{member_id}/identity-disputes": REASON,
    "POST /v1/bank-accounts/{member_id}/decisions": {**REASON, "account_id": "a", "decision": "refuse"},
    "POST /v1/bank-accounts/{member_id}/reveals": REASON,
    "POST /v1/open-items/{item_id}/clearings": {**REASON, "outcome": "explained"},
    "POST /v1/reward-holds/{order_id}/lifts": REASON,
    "POST /v1/compliance-alarms/{alarm_id}/lifts": REASON,
    "POST /v1/debt-write-offs": {**REASON, "member_id": BUYER, "amount_fen": 1},
    "POST /v1/debt-write-offs/{write_off_id}/approvals": {"note": "seen"},
    "POST /v1/payouts/{payout_id}/lines/{number}/retries": None,
}
"""Every route by which persons act on a member, or on a thing of one."""
ROUTES = {f"{route.method} {route.path}": (api, route) for _, api in apis() for route in api.routes}


class World:
    """A shop in which BUYER has one thing of each kind, and in which STRANGER is a member too."""

    def __init__(self, shop: Shop) -> None:
        self.shop, now = shop, shop.clock.now()
        for name, member_id in (("buyer", BUYER), ("stranger", STRANGER)):
            register(DynamoMembers(), Member(member_id, f"dev:wx1:{name}", now), Account("dev", "wx1", name))
        order_id = shop.buyer.paid_order()
        write_off = WriteOff("wof_" + "w" * 26, BUYER, 1, "stf_other", now, "asked for")
        ledger_wiring.write_offs().keep_write_off(write_off, RequestKey("req_w", "f"))
        item = new_item("refund_waits", "cause", "rfd_1", amount_fen=1, facts={"order_id": order_id})
        DynamoOpenItems().add_item(item)
        compliance_wiring.holds().save_new_hold(Hold(order_id, ("same_device",), (), now))
        compliance_wiring.alarms().save_alarm(Alarm("alm_" + "a" * 26, "mem_head", 30, 3, 3, now))
        compliance_wiring.alarms().stop_payouts("alm_" + "a" * 26, [BUYER])
        period = Period("2026-10")
        batch = Batch(
            batch_id(period), period, "listing", Rules(1, "sandbox", 10, "labour", "labour-2019"), "schedule", now
        )
        line = new_line(batch, Balance(BUYER, 5_000))
        DynamoPayouts().open_batch(batch)
        DynamoPayouts().add_lines(batch, [line])
        self.things = {
            **PATH_VALUES, "order_id": order_id, "member_id": BUYER, "item_id": item.id, "alarm_id": "alm_" + "a" * 26,
            "write_off_id": write_off.id, "payout_id": batch.id, "number": line.number,
        }  # fmt: skip

    def send(self, call: str, browser: Browser) -> Reply:
        api, route = ROUTES[call]
        headers = {"Origin": browser.origin}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        event = http_event(
            route.method, route.path.format_map(self.things), CALLS[call], resource=route.path, key="k",
            headers=headers,
        )  # fmt: skip
        return reply(api.handler(event, Context()))


@pytest.fixture
def world(shop: Shop) -> World:
    return World(shop)


def test_every_route_that_names_a_member_has_its_row() -> None:
    concerned = {call for call, (_, route) in ROUTES.items() if route.concerns not in (None, nobody)}

    assert concerned == set(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_a_person_does_nothing_to_the_own_member(call: str, world: World) -> None:
    browser = session_of("Li Na", EVERY_ROLE, member_id=BUYER)
    before = world.shop.cloud.state()
    answer = world.send(call, browser)

    assert (answer.status, answer.body.get("code")) == (403, "OWN_MEMBER")
    assert world.shop.cloud.state() == before


@pytest.mark.parametrize("relation", ["siblings", "same_person"])
@pytest.mark.parametrize("call", CALLS)
def test_a_person_does_nothing_to_a_relative_of_the_own_member(call: str, relation: str, world: World) -> None:
    MemberItem(id=STRANGER).update([getattr(MemberItem, relation).set((BUYER,))])
    answer = world.send(call, session_of("Li Na", EVERY_ROLE, member_id=STRANGER))

    assert (answer.status, answer.body.get("code")) == (403, "OWN_MEMBER")


@pytest.mark.parametrize("call", CALLS)
def test_another_person_is_not_stopped_by_it(call: str, world: World) -> None:
    answer = world.send(call, session_of("Zhao Min", EVERY_ROLE, member_id=STRANGER))

    assert answer.body.get("code") != "OWN_MEMBER"
    assert answer.status != 500


def test_a_member_whose_link_was_released_stays_the_person_s_own(world: World) -> None:
    browser = session_of("Li Na", EVERY_ROLE, member_id=STRANGER)
    PersonItem(PERSON, person("Li Na")).update([PersonItem.former_members.set((BUYER,))])
    answer = world.send("POST /v1/orders/{order_id}/goodwill-refunds", browser)

    assert answer.body.get("code") == "OWN_MEMBER"


def test_who_earns_on_an_order_lifts_no_hold_of_it(world: World) -> None:
    compliance_wiring.holds().save_new_hold(Hold("ord_held", ("same_device",), (STRANGER,), world.shop.clock.now()))
    world.things["order_id"] = "ord_held"
    answer = world.send("POST /v1/reward-holds/{order_id}/lifts", session_of("Li Na", EVERY_ROLE, member_id=STRANGER))

    assert answer.body.get("code") == "OWN_MEMBER"


def test_comparing_costs_one_read_of_the_own_member_and_one_of_the_thing(world: World) -> None:
    browser = session_of("Zhao Min", EVERY_ROLE, member_id=STRANGER)
    call = "POST /v1/orders/{order_id}/goodwill-refunds"
    world.send(call, browser)
    with faults.watch() as calls:
        world.send(call, browser)

    assert calls[:4] == ["dynamodb.BatchGetItem", "dynamodb.BatchGetItem", "dynamodb.GetItem", "dynamodb.PutItem"]


def test_a_person_without_a_member_pays_nothing_for_it(world: World) -> None:
    key = world.shop.staff.key("orders:refund")
    world.shop.staff.grant(world.things["order_id"], 1, staff=key)
    with faults.watch() as calls:
        world.shop.staff.grant(world.things["order_id"], 1, staff=key)

    assert calls[:2] == ["dynamodb.BatchGetItem", "dynamodb.PutItem"]
