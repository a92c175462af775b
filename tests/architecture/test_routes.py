"""The routes that API Gateway forwards are the routes that the functions serve, each on its callers' API."""

import importlib
import inspect
import re

import pytest

from cardstock.edge.http import Api, nobody
from infra.demo.deployment import PUBLIC, STAFF
from tests.house.cloud import template
from tests.house.stacks import resources, stack

MOST_ROUTES = 12
FORWARDED = {"ANY": "GET"}
"""What a path takes by `ANY` is answered as GET; only so HEAD reaches the function without a route of its own."""
HTTP = sorted(function.module for function in template().functions if function.routes)


def api_of(module: str) -> Api:
    """The one `Api` of a function."""
    found = [value for value in vars(importlib.import_module(module)).values() if isinstance(value, Api)]
    assert len(found) == 1, f"{module} has {len(found)} Api objects"
    return found[0]


@pytest.mark.parametrize("module", HTTP)
def test_the_template_forwards_what_the_function_serves(module: str) -> None:
    function = next(function for function in template().functions if function.module == module)
    forwarded = {(FORWARDED.get(route.method, route.method), route.path) for route in function.routes}
    served = {(route.method, route.path) for route in api_of(module).routes}

    assert forwarded == served
    assert {route.method for route in function.routes} <= {"ANY", "POST", "PUT", "DELETE"}  # a GET alone has no HEAD


APIS = {"member": {PUBLIC}, None: {PUBLIC}, "key": {STAFF}, "session": {STAFF}, "any": {PUBLIC, STAFF}}
"""Members, agents, payment notices and inboxes call the public API; those who have keys call the other one."""
LOG_IN = {("POST", "/v1/staff-logins"), ("POST", "/v1/staff-sessions")}
"""Open routes of the staff API: the console's page has no credential before it is logged in."""


@pytest.mark.parametrize("module", HTTP)
def test_a_route_is_on_the_api_of_those_who_call_it(module: str) -> None:
    function = next(function for function in template().functions if function.module == module)
    found: dict[tuple[str, str], set[str]] = {}
    for route in function.routes:
        found.setdefault((FORWARDED.get(route.method, route.method), route.path), set()).add(route.api)

    assert found == {
        (route.method, route.path): {STAFF} if (route.method, route.path) in LOG_IN else APIS[route.auth]
        for route in api_of(module).routes
    }


@pytest.mark.parametrize("module", HTTP)
def test_a_function_has_about_ten_routes(module: str) -> None:
    """One family of resources: divide a function that grows beyond it."""
    assert 0 < len(api_of(module).routes) <= MOST_ROUTES


def test_each_api_stays_below_the_quota_of_routes() -> None:
    """API Gateway takes 300 routes; beyond 250 an API is to be divided in time."""
    assert template().apis == (PUBLIC, STAFF)
    for api in template().apis:
        assert 0 < sum(route.api == api for function in template().functions for route in function.routes) < 250


@pytest.mark.parametrize("path", ["template.yaml", "infra/staff_api.yaml"])
def test_an_api_has_one_permission_for_each_function_that_it_calls(path: str) -> None:
    [(_, api)] = resources("AWS::Serverless::HttpApi", path)
    document = api["Properties"]["DefinitionBody"]
    called = set(document["components"]["x-amazon-apigateway-integrations"])
    named = {
        operation["x-amazon-apigateway-integration"]["$ref"].rsplit("/", 1)[1]
        for item in document["paths"].values()
        for verb, operation in item.items()
        if verb != "parameters"
    }
    permissions = dict(resources("AWS::Lambda::Permission", path))

    assert called == named == {name.removesuffix("Permission") for name in permissions}
    for name, permission in permissions.items():
        properties = permission["Properties"]
        assert properties["SourceArn"] == {
            "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"
        }, name
        assert (properties["Principal"], properties["Action"]) == ("apigateway.amazonaws.com", "lambda:InvokeFunction")


def test_what_starts_from_a_snapshot_is_invoked_by_its_alias() -> None:
    template_file = stack("template.yaml")["Resources"]
    integrations = template_file["Api"]["Properties"]["DefinitionBody"]["components"][
        "x-amazon-apigateway-integrations"
    ]
    with_alias = {
        name for name, body in resources("AWS::Serverless::Function") if "AutoPublishAlias" in body["Properties"]
    }

    assert with_alias == {"OrdersApi", "OrdersPaymentInbox"}
    for name in with_alias:
        assert f"${{{name}.Alias}}" in integrations[name]["uri"]["Fn::Sub"]
        assert template_file[f"{name}Permission"]["Properties"]["FunctionName"] == {"Ref": f"{name}.Alias"}
    assert template_file["StaffApi"]["Properties"]["Parameters"]["OrdersApiArn"] == {"Ref": "OrdersApi.Alias"}


def test_a_path_declares_its_parameters() -> None:
    for path in ("template.yaml", "infra/staff_api.yaml"):
        [(_, api)] = resources("AWS::Serverless::HttpApi", path)
        for route, item in api["Properties"]["DefinitionBody"]["paths"].items():
            named = [(entry["name"], entry["in"], entry["required"]) for entry in item.get("parameters", [])]

            assert named == [(name, "path", True) for name in re.findall(r"\{(\w+)\}", route)], route


@pytest.mark.parametrize("module", HTTP)
def test_a_route_says_what_it_does_and_who_may_call_it(module: str) -> None:
    for route in api_of(module).routes:
        assert route.summary.endswith("."), f"{route.method} {route.path}: the summary is a sentence"
        assert route.auth in ("member", "key", "session", "any", None)
        assert route.scope is None or route.auth in ("key", "any"), f"{route.path}: only keys have scopes"


def test_everything_that_needs_a_right_asks_for_it() -> None:
    """A route without a caller is one of those that are meant to be open; adding one is a decision."""
    open_routes = {(route.method, route.path) for module in HTTP for route in api_of(module).routes if not route.auth}

    assert open_routes == OPEN | LOG_IN


def test_a_limit_is_handed_to_the_verb_that_it_counts() -> None:
    """The verb counts what it does, so that refusals and repeats use up nothing."""
    limited = [route for module in HTTP for route in api_of(module).routes if route.limit]

    assert limited
    assert [route.path for route in limited if "request.count" not in inspect.getsource(route.handler)] == []


@pytest.mark.parametrize("module", HTTP)
def test_a_route_by_which_persons_act_says_whom_it_concerns(module: str) -> None:
    """`nobody`, or the function that finds out: staff never act on their own member. GET changes nothing."""
    api = api_of(module)
    acting = [route for route in api.routes if route.auth in ("key", "session", "any") and route.method != "GET"]
    of_members = [route for route in acting if route.auth == "any" and route.scope is None]

    assert [route.path for route in acting if route.concerns is None] == [route.path for route in of_members]
    for route in acting:
        names_one = "{member_id}" in route.path or "member_id" in getattr(route.body, "__struct_fields__", ())
        assert not (names_one and route.concerns is nobody), f"{route.path} names a member"


@pytest.mark.parametrize(("path", "api"), [("template.yaml", PUBLIC), ("infra/staff_api.yaml", STAFF)])
def test_a_route_that_needs_no_credentials_has_a_limit_of_its_own(path: str, api: str) -> None:
    """API Gateway refuses to deploy a limit for a route that does not exist."""
    [(_, declared)] = resources("AWS::Serverless::HttpApi", path)
    usual, own = declared["Properties"]["DefaultRouteSettings"], declared["Properties"]["RouteSettings"]
    routes = {
        f"{route.method} {route.path}" for each in template().functions for route in each.routes if route.api == api
    }
    named = {f"{'ANY' if method == 'GET' else method} {where}" for method, where in OPEN | LOG_IN} & routes
    expected = OPEN if api == PUBLIC else LOG_IN

    assert own.keys() <= routes
    assert named == {f"{'ANY' if method == 'GET' else method} {where}" for method, where in expected}
    assert named <= own.keys()
    for settings in own.values():
        assert 0 < settings["ThrottlingRateLimit"] < usual["ThrottlingRateLimit"]
        assert settings["ThrottlingRateLimit"] < settings["ThrottlingBurstLimit"] <= usual["ThrottlingBurstLimit"]
        assert settings["DetailedMetricsEnabled"] is True  # as without a limit of its own


OPEN = {
    ("POST", "/v1/auth/sessions"),
    ("POST", "/v1/auth/refreshes"),
    ("GET", "/v1/consent-purposes"),
    ("GET", "/v1/regions"),
    ("GET", "/v1/products"),
    ("GET", "/v1/products/{product_id}"),
    ("GET", "/v1/search"),
    ("GET", "/v1/search/suggestions"),
    ("GET", "/v1/cards/{key}"),
    ("GET", "/v1/cards/{key}/vcf"),
    ("GET", "/v1/cards/{key}/qr"),
    ("GET", "/c/{key}"),
    ("POST", "/v1/card-views"),
    ("GET", "/v1/ledger/seals"),
    ("POST", "/v1/payments/sandbox/notify"),
    ("POST", "/v1/payments/wechat/notify"),
    ("GET", "/v1/payments/wechat/pushes/{app_id}"),
    ("POST", "/v1/payments/wechat/pushes/{app_id}"),
    ("POST", "/v1/payments/alipay/notify"),
    ("POST", "/v1/payments/douyin/notify"),
    ("POST", "/v1/inbox/{source}"),
}
