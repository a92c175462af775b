"""What every GET route has in common: HEAD is answered like it, and parameters that it does not know change nothing."""

from typing import Any

import pytest

from cardstock.edge.http import Route
from cardstock.partners.model import SCOPES
from infra.contract.routes import PATH_VALUES, apis
from tests.house.cloud import http_event, serve
from tests.people.buyers import BUYER
from tests.people.shop import Shop
from tests.people.suppliers import LIGHTS

GETS = [route for _, api in apis() for route in api.routes if route.method == "GET"]
SHARED = {"from": "timeline", "isappinstalled": "0", "utm_source": "\u202e", "limit[]": "x"}
"""What messengers add to a link that is shared, and worse."""
MOST_OF_A_TICKET = 4
"""Characters by which two tickets of one card differ in length."""
NEEDED = {"/v1/partners/keys": {"owner": LIGHTS}, "/v1/payment-channels": {"amount_fen": "25500"}}
"""Queries without which a route has no answer."""


@pytest.fixture
def things(shop: Shop) -> dict[str, str]:
    """Values of the names in paths, of things that the buyer has where there are some."""
    shop.supplier.register()
    card = shop.buyer.send("POST", "/v1/cards", {"versions": {"default": {"name": "林晓雨"}}}, key="card").body["card"]
    return {
        **PATH_VALUES,
        "order_id": shop.buyer.paid_order(),
        "sku": "71053",
        "product_id": "71053",
        "key": card,
        "year": "2026",
    }


def answer(shop: Shop, route: Route, things: dict[str, str], method: str, query: dict[str, str]) -> dict[str, Any]:
    token = shop.staff.key(*SCOPES) if route.auth in ("key", "any") else shop.buyer.token(BUYER)
    event = http_event(
        method, route.path.format_map(things), resource=route.path, token=token if route.auth else None,
        query={**NEEDED.get(route.path, {}), **query} or None,
    )  # fmt: skip
    return serve(event)


def test_parameters_that_a_route_does_not_know_change_nothing(shop: Shop, things: dict[str, str]) -> None:
    answered = 0
    for route in GETS:
        plain, shared = (answer(shop, route, things, "GET", query) for query in ({}, SHARED))
        answered += plain["statusCode"] < 300

        assert (route.path, shared["statusCode"]) == (route.path, plain["statusCode"])
        assert (route.path, shared["statusCode"] == 400) == (route.path, False)
        assert abs(len(shared["body"]) - len(plain["body"])) <= MOST_OF_A_TICKET, route.path
    assert answered > len(GETS) / 2


def test_head_is_answered_like_get(shop: Shop, things: dict[str, str]) -> None:
    for route in GETS:
        get, head = (answer(shop, route, things, method, {}) for method in ("GET", "HEAD"))

        assert (route.path, head["statusCode"]) == (route.path, get["statusCode"])
        assert (route.path, sorted(head["headers"])) == (route.path, sorted(get["headers"]))
        assert abs(len(head["body"]) - len(get["body"])) <= MOST_OF_A_TICKET, route.path


@pytest.mark.parametrize("path", ["/v1/products", "/v1/products/71053"])
def test_a_parameter_that_is_known_is_still_checked(shop: Shop, things: dict[str, str], path: str) -> None:
    event = http_event("GET", path, query={"limit": "no number", "from": "timeline"})

    assert serve(event)["statusCode"] == (400 if path == "/v1/products" else 200)


def test_every_operation_that_can_answer_400_documents_it() -> None:
    from infra.contract.openapi import build

    for path, item in build()["paths"].items():
        for method, operation in item.items():
            takes = operation.get("requestBody") or operation.get("parameters")

            assert (path, method, "400" in operation["responses"]) == (path, method, True) or not takes
