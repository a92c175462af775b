"""What the API document says of CSV, vCard, SVG and HTML is what the code reads and writes."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import pytest
import vobject

from cardstock.payouts.channels.layouts import LAYOUTS
from cardstock.payouts.channels.results_file import COLUMNS, RESULTS, read_results
from infra.contract.openapi import DOCUMENT
from infra.local.examples import operations
from infra.local.schema_tables import body_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
RESULTS_ROUTE = "/v1/payouts/{payout_id}/results"


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(DOCUMENT.read_text("utf-8"))


@pytest.fixture(scope="module")
def results(document: Any) -> Any:
    return document["paths"][RESULTS_ROUTE]["post"]["requestBody"]["content"]


def test_every_content_that_is_no_json_is_described_with_an_example(document: Any) -> None:
    found = [
        (path, kind, media)
        for path, _, operation in operations(document)
        for holder in (operation.get("requestBody"), *operation["responses"].values())
        for kind, media in ((holder or {}).get("content") or {}).items()
        if "json" not in kind
    ]

    assert len(found) >= 5
    assert [(path, kind) for path, kind, media in found if not media["schema"].get("description")] == []
    assert [(path, kind) for path, kind, media in found if not media.get("example")] == []


def test_the_example_of_the_banks_file_is_read_as_it_stands(results: Any) -> None:
    for kind in ("text/csv", "application/octet-stream"):
        for encoding in ("utf-8-sig", "gb18030"):
            read = read_results(results[kind]["example"].encode(encoding), "key_1", NOW)

            assert [(line.answer.result, line.answer.amount, line.answer.reason) for line in read.results] == [
                ("paid", 18_360, None), ("failed", 120_400, "账户已销户"),
            ]  # fmt: skip


def test_every_column_and_word_of_the_banks_file_is_named(results: Any) -> None:
    about = results["text/csv"]["schema"]["description"]
    optional = {line.partition(":")[0] for line in about.splitlines() if line.endswith("; may be missing")}

    assert [name for names in COLUMNS.values() for name in names if f"`{name}`" not in about] == []
    assert [word for word in RESULTS if f"`{word}`" not in about] == []
    assert len(optional) == 2
    assert all("账号" in line or "失败原因" in line for line in optional)


def test_the_columns_of_the_files_of_a_report_are_named(document: Any) -> None:
    about = document["paths"]["/v1/payouts/{payout_id}/report"]["get"]["description"]
    headers = {header for layout in LAYOUTS.values() for header, _ in layout.columns}

    assert [header for header in headers if f"`{header}`" not in about] == []
    assert "`到账(元) paid`" in about


def test_the_examples_of_documents_are_what_their_type_says(document: Any) -> None:
    def shown(path: str, kind: str) -> str:
        example: str = document["paths"][path]["get"]["responses"]["200"]["content"][kind]["example"]
        return example

    card = vobject.readOne(shown("/v1/cards/{key}/vcf", "text/vcard"))

    assert card.fn.value == "林晓雨"
    assert ET.fromstring(shown("/v1/cards/{key}/qr", "image/svg+xml")).tag.endswith("svg")
    assert shown("/c/{key}", "text/html").startswith("<!doctype html>")


def test_the_reference_shows_every_kind_of_body(document: Any) -> None:
    body = document["paths"][RESULTS_ROUTE]["post"]["requestBody"]
    html = body_of(document, "Body", body, shown=False, opened=True)

    assert html.count("<details") == len(body["content"]) == 3
    assert html.count("<pre>") == 2
    assert "转账单号,收款人户名" in html
