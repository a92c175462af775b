"""A refusal that is about a member of the body says so: its answer points there."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cardstock import errors
from cardstock.edge.http import Nothing, Route
from infra.contract.routes import apis
from tests.house.cloud import ROOT

ROUTES = [route for _, api in apis() for route in api.routes if route.body is not Nothing]
SOURCE = "\n".join(path.read_text("utf-8") for path in (ROOT / "layers/cardstock/python").rglob("*.py"))
NO_MEMBER = {
    "AMOUNT_TOO_LARGE": "the sum of all lines",
    "IDEMPOTENCY_KEY_REUSED": "the header",
    "SECOND_PERSON_NEEDED": "the caller",
    "APPROVER_OPENED_IT": "the caller",
    "RESULTS_BY_APPROVER": "the caller",
    "PERSON_NEEDED_TO_CONFIRM": "the caller",
    "CREATOR_TOO_NEW": "the caller",
    "FIRST_PERSONS_EXIST": "the caller",
    "OWN_RIGHTS": "the caller",
    "MEMBER_IS_STAFF": "the caller",
    "LINKED_TO_STAFF": "the caller or who made the code: the code is good",
    "MERGED_WITH_OTHERS": "the caller",
    "ORDERS_OPEN": "what is stored",
    "REFUNDS_OPEN": "what is stored",
    "DEBT_OPEN": "what is stored",
    "IDENTITY_MISSING": "what is stored",
    "IDENTITIES_DIFFER": "the accounts together",
    "MERGED_TOO_MANY": "the accounts together",
    "PHONE_NEEDED": "the caller",
    "DEBT_SMALLER": "on approval, what is stored",
    "PLAN_REFUSED": "several parameters together: facts name the clauses",
    "SIMULATION_TOO_LARGE": "all of it",
    "SKU_INVALID": "the path",
    "SKU_TAKEN": "the path",
    "TOO_MANY_ENDPOINTS": "what is stored",
    "TOO_MANY_PARCELS": "what is stored",
    "MESSAGE_ID_REUSED": "the header",
    "REFUND_TOO_LATE": "the order",
    "CHANNEL_SPEAKS_ITSELF": "the payout",
    "CHANNEL_MISSING": "the deployment",
    "IDENTITY_FIXED": "what is stored",
    "CONSENT_NEEDED": "the path",
    "MEMBER_CLOSING": "the caller",
    "VERIFICATION_MISSING": "the deployment",
}
"""Refusals of a body that are about no member of it, and what they are about."""


def members(kind: Any) -> Iterator[str]:
    """The members of a body's type, or of each type of a union."""
    for each in getattr(kind, "__args__", (kind,)):
        yield from getattr(each, "__struct_fields__", ())


def pointed(refusal: errors.Refusal) -> bool:
    """Whether the code names the member where it raises the refusal."""
    return re.search(rf"\b{refusal.code}\(\s*pointers=", SOURCE) is not None


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_refusal_of_a_body_points_at_its_member(route: Route) -> None:
    own = [code for code in route.codes if code.kind in (errors.InvalidError, errors.RefusedError)]
    silent = [code.code for code in own if not set(code.about) & set(members(route.body)) and not pointed(code)]

    assert set(silent) <= set(NO_MEMBER)


def test_what_a_refusal_is_about_is_a_member_of_a_body_that_gets_it() -> None:
    refusals = {code for route in ROUTES for code in route.codes if code.about}
    found = {
        code.code
        for code in refusals
        for route in ROUTES
        if code in route.codes and set(code.about) & set(members(route.body))
    }

    assert found == {code.code for code in refusals}
    assert msgspec.structs.fields(errors.Refusal)[-1].name == "about"
