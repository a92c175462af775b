"""Events of API Gateway, payload format 1.0, complete; and which route of the template takes a request."""

import base64
import contextlib
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from chalice.local import (
    LambdaEventConverter,
    RouteMatcher,
)

from infra.local.template import Function, Place, Route, Template

_TEXT = re.compile(r"(text/.*|application/(json|javascript|xml|.*\+json|.*\+xml))\Z")
_TEMPLATE_PART = re.compile(r"\{([^}]+)\}\Z")


def routes_of(function: Function, api: str | None) -> list[Route]:
    """The function's routes of one API; None for all of them."""
    return [route for route in function.routes if api in (None, route.api)]


class Routes(RouteMatcher):
    """Finds the route by method and path, the most literal one first, as an HTTP API does."""

    def __init__(self, template: Template, api: str | None) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[str, list[str]]]] = {}
        for function in template.functions:
            for route in routes_of(function, api):
                parts = route.path.split("/")
                self._by_shape.setdefault((route.method, len(parts)), []).append((route.path, parts))
        for candidates in self._by_shape.values():
            candidates.sort(key=lambda entry: [part.startswith("{") for part in entry[1]])

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The route's path and the values of its parameters, still percent-encoded."""
        parts = path.split("/")
        for key in (method, "ANY"):
            for route, pattern in self._by_shape.get((key, len(parts)), []):
                captured: dict[str, str] = {}
                for part, wanted in zip(parts, pattern, strict=True):
                    if match := _TEMPLATE_PART.match(wanted):
                        if not part:
                            break
                        captured[match[1]] = part
                    elif part != wanted:
                        break
                else:
                    return route, captured
        return None


class Events(LambdaEventConverter):
    """Makes the event of payload format 1.0, complete."""

    def __init__(self, routes: Routes, place: Place, api: str) -> None:
        self._routes = routes
        self._api = api
        self._place = place

    def create_lambda_event(
        self,
        method: str,
        path: str,
        headers: Mapping[str, Any],
        body: bytes | None = None,
    ) -> dict[str, Any]:
        """The event for a request; `headers` maps lower-case names to lists of values. ValueError: no such route."""
        raw_path, _, query = path.partition("?")
        found = self._routes.find(method, raw_path)
        if found is None:
            raise ValueError(f"no route for {method} {raw_path}")
        route, captured = found
        parameters: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
            parameters.setdefault(name, []).append(value)
        decoded = unquote(raw_path, errors="replace")
        text, encoded = _body_text(body, headers.get("content-type", [""])[-1])
        now = datetime.now(UTC)
        host = headers.get("host", ["127.0.0.1"])[-1]
        return {
            "version": "1.0",
            "resource": route,
            "path": decoded,
            "httpMethod": method,
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": dict(headers),
            "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
            "multiValueQueryStringParameters": parameters or None,
            "requestContext": {
                "accountId": self._place.account,
                "apiId": self._api,
                "domainName": host,
                "domainPrefix": host.split(".", 1)[0],
                "extendedRequestId": str(uuid.uuid4()),
                "httpMethod": method,
                "identity": {
                    "accessKey": None,
                    "accountId": None,
                    "caller": None,
                    "cognitoIdentityId": None,
                    "principalOrgId": None,
                    "sourceIp": "127.0.0.1",
                    "user": None,
                    "userAgent": headers.get("user-agent", [""])[-1],
                    "userArn": None,
                },
                "path": decoded,
                "protocol": "HTTP/1.1",
                "requestId": str(uuid.uuid4()),
                "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "requestTimeEpoch": int(now.timestamp() * 1000),
                "resourceId": f"{method} {route}",
                "resourcePath": route,
                "stage": "$default",
            },
            "pathParameters": {name: unquote(value, errors="replace") for name, value in captured.items()} or None,
            "stageVariables": None,
            "body": text,
            "isBase64Encoded": encoded,
        }


def _body_text(body: bytes | None, content_type: str) -> tuple[str | None, bool]:
    """The event's body, and whether it is base64: everything but text is, and so is text that is not UTF-8."""
    if not body:
        return None, False
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if not kind or _TEXT.match(kind):
        with contextlib.suppress(UnicodeDecodeError):
            return body.decode(), False
    return base64.b64encode(body).decode(), True
