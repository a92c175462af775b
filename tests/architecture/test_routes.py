"""The routes that API Gateway forwards are the routes that the functions serve."""

import importlib

import pytest

from cardstock.edge.http import Api
from tests.house.cloud import template

HTTP = sorted(function.module for function in template().functions if function.routes)


def api_of(module: str) -> Api:
    """The one `Api` of a function."""
    found = [value for value in vars(importlib.import_module(module)).values() if isinstance(value, Api)]
    assert len(found) == 1, f"{module} has {len(found)} Api objects"
    return found[0]


@pytest.mark.parametrize("module", HTTP)
def test_the_template_forwards_what_the_function_serves(module: str) -> None:
    function = next(function for function in template().functions if function.module == module)
    forwarded = {(route.method, route.path) for route in function.routes}
    served = {(route.method, route.path) for route in api_of(module).routes}

    assert forwarded == served


@pytest.mark.parametrize("module", HTTP)
def test_a_route_says_what_it_does_and_who_may_call_it(module: str) -> None:
    for route in api_of(module).routes:
        assert route.summary.endswith("."), f"{route.method} {route.path}: the summary is a sentence"
        assert route.auth in ("member", "key", "any", None)
        assert route.scope is None or route.auth in ("key", "any"), f"{route.path}: only keys have scopes"


def test_everything_that_needs_a_right_asks_for_it() -> None:
    """A route without a caller is one of those that are meant to be open; adding one is a decision."""
    open_routes = {(route.method, route.path) for module in HTTP for route in api_of(module).routes if not route.auth}

    assert open_routes == OPEN


OPEN = {
    ("POST", "/v1/auth/sessions"),
    ("POST", "/v1/auth/refreshes"),
    ("GET", "/v1/products"),
    ("GET", "/v1/products/{sku}"),
    ("GET", "/v1/cards/{key}"),
    ("GET", "/v1/cards/{key}/vcf"),
    ("GET", "/v1/cards/{key}/qr"),
    ("GET", "/c/{key}"),
    ("POST", "/v1/card-views"),
    ("GET", "/v1/ledger/seals"),
    ("POST", "/v1/payments/sandbox/notify"),
    ("POST", "/v1/inbox/{source}"),
}
