"""Two HTTP APIs of one template, routes of an OpenAPI document, and variables of one function at a time."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.gateway import Gateway
from infra.local.invoke import OwnVariables
from infra.local.loading import load
from infra.local.template import ROOT, Place, Route, Template, TemplateError
from infra.packaging.bundles import bundles_in

CODE = "tests/e2e/local_stack/ticks"
INTEGRATION = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${F.Arn}/invocations"
FUNCTION = """
  F:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: %s, Handler: app.handler}
"""


def write(folder: Path, document: str) -> Path:
    path = folder / "template.yaml"
    code = Path(*[".."] * (len(folder.resolve().parts) - 1)) / (ROOT / CODE).relative_to("/")
    path.write_text(
        f"Resources:{FUNCTION % code}"
        f"  Api:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n      DefinitionBody: {document}\n",
        encoding="utf-8",
    )
    return path


def body(operation: str, **integration: str) -> str:
    fields = {"type": "aws_proxy", "payloadFormatVersion": '"1.0"', "uri": f'!Sub "{INTEGRATION}"', **integration}
    inner = ", ".join(f"{name}: {value}" for name, value in fields.items())
    return (
        f"{{paths: {{/v1/x: {{parameters: [], {operation}}}}}, "
        f"components: {{x-amazon-apigateway-integrations: {{F: {{{inner}}}}}}}}}"
    )


NAMED = 'get: {x-amazon-apigateway-integration: {$ref: "#/components/x-amazon-apigateway-integrations/F"}}'


def test_the_routes_of_an_api_s_document_are_its_functions_routes(tmp_path: Path) -> None:
    [function] = load(write(tmp_path, body(NAMED))).functions

    assert function.routes == (Route("GET", "/v1/x", "api"),)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (body(NAMED.replace("/F", "/G")), "there is no #/components/x-amazon-apigateway-integrations/G"),
        (body(NAMED, payloadFormatVersion='"2.0"'), 'PayloadFormatVersion must be "1.0"'),
        (body(NAMED, type="http_proxy"), "only a function can be integrated"),
        (body(NAMED, uri="https://example.com"), "only a function can be integrated"),
        (body(NAMED, uri=INTEGRATION.replace("${F.Arn}", "arn:aws:lambda:us-east-1:0:function:g")), "no function arn"),
        (body(NAMED.replace("get", "fetch")), "fetch of /v1/x is no method"),
        (body(NAMED).replace("/v1/x", '"/v1/{rest+}"'), "without a greedy parameter"),
    ],
)
def test_a_document_that_cannot_run_here_stops_with_its_route(tmp_path: Path, document: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message.replace("{", "[{]").replace("+", "[+]")):
        load(write(tmp_path, document))


class Names:
    """Answers with the function's name."""

    def invoke(self, function: Any, event: Any, *, request_id: str | None = None) -> Any:
        del event, request_id
        return {"statusCode": 200, "headers": {}, "body": function.folder}

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="module")
def deployed() -> Template:
    return load(ROOT / "template.yaml")


def test_an_api_answers_its_own_routes_alone(deployed: Template) -> None:
    public, staff = (Gateway(deployed, Names(), api=api, report=lambda _: None) for api in deployed.apis)

    assert public.request("GET", "/v1/me").body == b"functions/members/api"
    assert staff.request("GET", "/v1/me").status == 404
    assert staff.request("GET", "/v1/payouts").body == b"functions/payouts/api"
    assert public.request("GET", "/v1/payouts").status == 404
    assert public.request("GET", "/v1/orders/o/refunds").body == staff.request("GET", "/v1/orders/o/refunds").body


def test_two_functions_on_one_route_of_one_api_are_refused(tmp_path: Path) -> None:
    text = write(tmp_path, body(NAMED)).read_text("utf-8")
    event = "{Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /v1/x, PayloadFormatVersion: '1.0'}}"
    [folder] = [line for line in text.splitlines() if "CodeUri" in line]
    second = f"  G:\n    Type: AWS::Serverless::Function\n{folder[:-1]}, Events: {{E: {event}}}}}\n"
    (tmp_path / "template.yaml").write_text(text + second, encoding="utf-8")

    with pytest.raises(TemplateError, match="GET /v1/x is served by F and G"):
        load(tmp_path / "template.yaml")


def test_the_addresses_of_apis_and_queues_are_those_of_the_place(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        """
Resources:
  Api: {Type: AWS::Serverless::HttpApi}
Outputs:
  Url: {Value: !GetAtt Api.ApiEndpoint}
  Same: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com"}
  Queue: {Value: !Sub "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/${AWS::StackName}-q"}
""",
        encoding="utf-8",
    )
    place = Place(endpoint="http://aws.test", api_urls={"api": "http://api.test"})

    assert load(path, place=place).outputs == {
        "Url": "http://api.test",
        "Same": "http://api.test",
        "Queue": "http://aws.test/000000000000/cardstock-q",
    }


def test_a_process_has_the_variables_of_one_function_at_a_time(deployed: Template) -> None:
    environment = {"PATH": "/bin"}
    own = OwnVariables(environment)
    first, second = deployed.function("cards/on_view"), deployed.function("ledger/on_entry")
    own.change_to(first.environment)
    as_first = dict(environment)
    own.change_to(second.environment)

    assert as_first == {"PATH": "/bin", **first.environment}
    assert environment == {"PATH": "/bin", **second.environment}
    own.change_to(replace(second, environment={}).environment)
    assert environment == {"PATH": "/bin"}


def test_bundles_of_nested_stacks_are_looked_at_too(tmp_path: Path) -> None:
    for name in ("OrdersApi", "Orders/OrdersSweep", "CodeLayer/python"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "Orders" / "template.yaml").touch()

    assert [path.name for path in bundles_in(tmp_path)] == ["CodeLayer", "OrdersSweep", "OrdersApi"]
