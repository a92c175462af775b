"""Every route that needs a caller, of every function, met by strangers: each gets the documented refusal from a
function that has just started, and nothing is changed or sent."""

from typing import Any

import pytest

from cardstock.edge.callers import ROOT_SCOPES
from cardstock.edge.http import Route
from cardstock.edge.secrets import forget_provider
from infra.contract.routes import PATH_VALUES, apis
from tests.house.cloud import ROOT_KEY, Cloud, Context, http_event
from tests.people.replies import reply

CLOSED = [(folder, api, route) for folder, api in apis() for route in api.routes if route.auth]
NOT_FOR_ROOT = [entry for entry in CLOSED if entry[2].scope not in ROOT_SCOPES]
FORGED = "eyJzdWIiOiJtZW1fMSJ9.Zb8kTq3mX1n5r7u9w2y4A6C8E0g"
STRANGERS = [
    (None, 401, "CREDENTIALS_MISSING"),
    (FORGED, 401, "TOKEN_INVALID"),
    ("csk_01kbdxdh50fcazdjhcnqh2rzv5_Zb8kTq3mX1n5r7u9w2y4", 401, "KEY_INVALID"),
    (f"{ROOT_KEY}x", 401, "KEY_INVALID"),
]


def name(value: Any) -> str:
    return f"{value.method} {value.path}" if isinstance(value, Route) else ""


def called(api: Any, route: Route, token: str | None) -> tuple[int, str]:
    event = http_event(
        route.method,
        route.path.format_map(PATH_VALUES),
        "{}",
        resource=route.path,
        token=token,
        key="stranger",
    )
    found = reply(api.handler(event, Context()))
    return found.status, found.body["code"]


@pytest.mark.parametrize(("folder", "api", "route"), CLOSED, ids=name)
def test_a_stranger_is_refused_and_changes_nothing(folder: str, api: Any, route: Route, cloud: Cloud) -> None:
    before = cloud.state()
    forget_provider()

    for token, status, code in STRANGERS:
        assert called(api, route, token) == (status, code)
    assert cloud.state() == before


@pytest.mark.parametrize(("folder", "api", "route"), NOT_FOR_ROOT, ids=name)
def test_the_root_key_is_good_for_making_keys_only(folder: str, api: Any, route: Route, cloud: Cloud) -> None:
    before = cloud.state()

    status, code = called(api, route, ROOT_KEY)

    refused = {"member": "NOT_A_MEMBER", "session": "NOT_IN_CONSOLE"}.get(str(route.auth), "SCOPE_MISSING")
    assert (status, code) == (403, refused)
    assert cloud.state() == before
