"""The HTML reference of an OpenAPI document."""

import base64
import hashlib
import json
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from html import escape, unescape
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from cardstock.edge.signatures import verify
from cardstock.errors import BODY_INVALID, STOCK_SHORT, STORE_BUSY
from infra.contract.openapi import DOCUMENT as COMMITTED
from infra.contract.openapi import build
from infra.contract.routes import FAMILIES, prepare
from infra.local.examples import curl, example, operations
from infra.local.pages import pages
from infra.local.reference import SCRIPT, render

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1", "description": "Sells `things` & more."},
    "paths": {
        "/v1/orders/{order_id}/refunds": {
            "post": {
                "tags": ["orders"],
                "summary": "Refund <some> lines",
                "security": [{"bearer": []}],
                "parameters": [
                    {"name": "order_id", "in": "path", "required": True, "schema": {"const": "ord_1"}},
                    {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}},
                "responses": {"202": {"description": "Taken", "content": {"application/json": {"schema": {}}}}},
            }
        }
    },
    "webhooks": {"order.paid": {"post": {"summary": "An order was paid", "requestBody": {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}}}}},
    "components": {
        "schemas": {
            "Refund": {
                "type": "object",
                "required": ["reason", "lines"],
                "properties": {
                    "reason": {"type": "string", "maxLength": 200, "examples": ["it's torn"]},
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                    "parent": {"anyOf": [{"$ref": "#/components/schemas/Refund"}, {"type": "null"}]},
                },
            },
            "Line": {
                "type": "object",
                "required": ["sku", "units"],
                "properties": {
                    "sku": {"type": "string", "description": "Which article", "examples": ["22139"]},
                    "units": {"type": "integer", "minimum": 1, "maximum": 999},
                },
            },
        }
    },
}  # fmt: skip


def test_the_page_shows_fields_limits_answers_and_webhooks() -> None:
    page = render(DOCUMENT, "http://api.test")

    assert "POST /v1/orders/{order_id}/refunds" in page
    assert "Refund &lt;some&gt; lines" in page
    assert "<code>lines[].sku</code>" in page
    assert "Which article" in page
    assert "integer, ≥ 1, ≤ 999" in page
    assert "202 Taken" in page
    assert "order.paid" in page
    assert "Sells <code>things</code> &amp; more." in page


def test_the_curl_command_is_complete_and_safe_to_paste() -> None:
    path, method, operation = next(operations(DOCUMENT))
    words = shlex.split(curl(DOCUMENT, "http://api.test", method, path, operation).replace("\\\n", ""))

    assert words[:4] == ["curl", "-X", "POST", "http://api.test/v1/orders/ord_1/refunds"]
    assert "authorization: Bearer $TOKEN" in words
    assert "idempotency-key: text" in words
    assert "content-type: application/json" in words
    assert words[-1] == '{"reason": "it\'s torn", "lines": [{"sku": "22139", "units": 1}]}'


def test_the_page_says_what_things_are_in_lists_in_maps_in_choices_and_left_out() -> None:
    one = {"title": "Sent", "description": "A parcel.", "properties": {"type": {"const": "sent"}}, "required": ["type"]}
    two = {"title": "Gone", "description": "No parcel.", "properties": {"why": {"type": "string", "minLength": 1}}}
    schema = {
        "properties": {
            "rows": {"type": "array", "items": {"description": "A row."}},
            "by": {
                "type": "object",
                "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer"}}},
            },
            "note": {"anyOf": [{"type": "string", "description": "A word."}, {"type": "null"}]},
            "limit": {"type": "integer", "default": 20},
            "report": {"anyOf": [one, two]},
        }
    }
    answer = {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}}
    page = render({"paths": {"/v1/x": {"get": {"responses": answer}}}}, "http://api.test")

    for shown in ("A row.", "A word.", "A parcel.", "No parcel.", "<code>by.*.n</code>", "object of object"):
        assert shown in page
    assert "&quot;sent&quot;" in page
    assert "string, not empty" in page
    assert "integer, 20 if left out" in page


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the script signs with openssl")
def test_the_script_of_a_signed_call_makes_a_signature_that_holds() -> None:
    prepare()
    document = build()
    path = "/v1/inbox/{source}"
    script = curl(document, "http://api.test", "post", path, document["paths"][path]["post"])
    said = subprocess.run(
        ["sh", "-c", 'curl() { printf "%s\\0" "$@"; }\n' + script], capture_output=True, check=True, timeout=20
    ).stdout.decode().split("\0")  # fmt: skip
    headers = dict(word.split(": ", 1) for word in said if word.startswith("webhook-"))

    verify(["whsec_Zb8kTq3mX1n5r7u9w2y4A6C8E0gJ2kL4"], headers, said[said.index("-d") + 1].encode(), datetime.now(UTC))


def test_a_schema_that_contains_itself_has_an_example() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Loop"}}}
    document = {"components": {"schemas": {"Loop": schema}}}

    assert isinstance(example(document, schema), dict)


# The whole page, as `make serve` shows it

NOW = datetime(2026, 12, 1, 8, 26, tzinfo=UTC)


class _Page(HTMLParser):
    """Start tags with their attributes, and the contents of `script` and `style`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.held: dict[str, list[str]] = {}
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in in ("script", "style"):
            self.held.setdefault(self._in, []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def committed() -> Any:
    return json.loads(COMMITTED.read_text("utf-8"))


@pytest.fixture(scope="module")
def html() -> str:
    suite: Any = SimpleNamespace(urls={"api": "http://api.test"}, clock=SimpleNamespace(now=lambda: NOW))
    kind, content = pages(suite, COMMITTED)["/docs"]({}, "zh")
    assert kind.startswith("text/html")
    return content.decode()


@pytest.fixture(scope="module")
def page(html: str) -> _Page:
    return _Page(html)


def test_the_page_needs_nothing_from_elsewhere(page: _Page) -> None:
    loaded = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "srcset")]
    links = [attributes["href"] for attributes in page.all("a") + page.all("link")]

    assert loaded == []
    assert [link for link in links if not link.startswith(("#", "data:"))] == []


def test_the_policy_allows_the_pages_own_script_and_style_and_no_others(page: _Page) -> None:
    [policy] = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        [text] = page.held[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)] == []
    assert [attributes for _, attributes in page.tags if "style" in attributes] == []


def test_every_operation_has_a_form_with_its_parameters(page: _Page, committed: Any) -> None:
    forms = {(form["data-method"], unescape(form["data-path"])) for form in page.all("form")}
    wanted = {(method.upper(), path) for path, method, _ in operations(committed)}

    assert forms == wanted


def test_a_form_asks_for_path_query_token_secret_and_body_where_the_call_has_them(committed: Any) -> None:
    def fields(path: str, method: str) -> list[tuple[str, str]]:
        alone = {**committed, "paths": {path: {method: committed["paths"][path][method]}}, "webhooks": {}}
        shown = _Page(render(alone, "http://api.test", now=NOW))
        inputs = [(field["data-in"], field.get("name", "")) for field in shown.all("input") if "data-in" in field]
        return inputs + [("body", "") for _ in shown.all("textarea")]

    assert fields("/v1/orders/{order_id}", "get") == [("path", "order_id"), ("token", "")]
    assert fields("/v1/products", "get") == [("query", name) for name in ("cursor", "limit", "supplier_id", "ids")]
    assert fields("/v1/orders", "post") == [("token", ""), ("body", "")]
    assert fields("/v1/inbox/{source}", "post") == [("path", "source"), ("secret", ""), ("body", "")]


def test_a_page_without_an_api_beside_it_has_no_forms(committed: Any) -> None:
    assert _Page(render(committed, "http://api.test")).all("form") == []


def test_the_page_says_titles_and_problems_in_both_languages(html: str) -> None:
    for family in FAMILIES.values():
        assert f'<span lang="en">{family.title}</span><span lang="zh">{family.title_zh}</span>' in html
    for refusal in (STOCK_SHORT, BODY_INVALID, STORE_BUSY):
        texts = f'<span lang="en">{refusal.en}</span><span lang="zh">{refusal.zh}</span>'
        assert f"<code>{refusal.code}</code> {texts}" in html


def test_the_contents_and_the_headings_show_the_short_titles_in_both_languages(html: str, committed: Any) -> None:
    for path, method, operation in operations(committed):
        title = operation["x-title"]
        both = f'<span lang="en">{escape(title["en"])}</span><span lang="zh">{escape(title["zh"])}</span>'
        place = method + re.sub(r"\W", "-", path.replace("_", "-"))
        assert f"<h3>{both}</h3>" in html
        assert re.search(rf'<a href="#{place}"[^>]*>{re.escape(both)}</a>', html), place


def test_the_first_calls_stand_before_the_introduction_with_the_address_of_the_page(html: str) -> None:
    assert html.index("API=http://api.test") < html.index('<div lang="zh"><p>')
    assert "{server}" not in html


def test_every_text_of_the_interface_is_there_in_both_languages(html: str) -> None:
    english, chinese = re.findall(r'<span lang="en">', html), re.findall(r'<span lang="zh">', html)
    fields = re.findall(r"data-en=.*?data-zh=", html)

    assert len(english) == len(chinese) > 0
    assert len(fields) == html.count("data-en=") == html.count("data-zh=")


@pytest.mark.parametrize(
    "word", ["/v1/orders", "placeorder", "place", "stock_short", "receiver", "idempotency-key", "订单"]
)
def test_an_operation_is_found_by_path_id_summary_code_field_and_family(page: _Page, word: str) -> None:
    found = [section["id"] for section in page.all("section") if word in section["data-find"].split()]

    assert "post-v1-orders" in found
    assert len(found) < len(page.all("section"))


def test_every_link_of_the_page_leads_to_a_place_on_it(page: _Page) -> None:
    places = [attributes["id"] for _, attributes in page.tags if "id" in attributes]

    assert len(places) == len(set(places))
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= set(places)


def test_the_script_looks_only_for_places_that_the_page_has(html: str) -> None:
    wanted = re.findall(r'getElementById\("(\w+)"\)', SCRIPT)
    classes = re.findall(r'querySelector(?:All)?\("\.([\w-]+)"\)', SCRIPT)

    assert wanted
    assert [place for place in wanted if f"id={place} " not in html and f"id={place}>" not in html] == []
    assert [name for name in classes if not re.search(rf'class="?{name}\b', html)] == []
