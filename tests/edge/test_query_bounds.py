"""A refused parameter or header says which bound it broke, as a refused field of a body does."""

from datetime import date
from typing import Any

import msgspec
import pytest

from cardstock import errors
from cardstock.edge.bodies import decode_query
from cardstock.edge.fields import day_in_query
from cardstock.edge.http import Nothing
from cardstock.edge.problems import problem_of
from cardstock.orders.staff_schemas import SalesDaysQuery
from infra.contract.routes import apis

WRONG = ("0", "-1", "101", "1" * 25, "-" + "1" * 25, "1.5", "1e400", "x", "", " ", "x" * 2000, "2026-13-01", "true")
BOUNDS = {"min", "max", "min_length", "limit", "pattern", "expected", "allowed"}
QUERIES = {route.query: route.method for _, api in apis() for route in api.routes if route.query is not Nothing}


def refusal(kind: type, method: str, name: str, value: str) -> list[dict[str, Any]]:
    try:
        decode_query(kind, {"httpMethod": method, "queryStringParameters": {name: value}})
    except errors.CardstockError as error:
        found: list[dict[str, Any]] = problem_of(error, language="en", trace_id="t")["errors"]
        return found
    return []


@pytest.mark.parametrize("kind", QUERIES, ids=lambda kind: kind.__name__)
def test_every_refused_parameter_names_its_bound(kind: type) -> None:
    found = [
        one
        for name in (field.encode_name for field in msgspec.structs.fields(kind))
        for value in WRONG
        for one in refusal(kind, QUERIES[kind], name, value)
        if one["code"] in ("OUT_OF_RANGE", "WRONG_TYPE")
    ]

    assert [one for one in found if not BOUNDS & set(one) or not one["detail"].startswith("Must be")] == []


def test_a_number_beyond_every_number_is_told_the_bounds_of_the_parameter() -> None:
    [kind] = [kind for kind in QUERIES if kind.__name__ == "PageQuery"]

    assert refusal(kind, "GET", "limit", "1e400") == [
        {
            "pointer": "#query/limit", "code": "OUT_OF_RANGE", "min": 1, "max": 100, "expected": "an integer",
            "detail": "Must be an integer, at least 1, at most 100.",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("since", ["2026-10-31", "2026-12-02"])
def test_too_many_days_are_refused_with_the_days_that_are_allowed(since: str) -> None:
    with pytest.raises(errors.InvalidError) as refused:
        SalesDaysQuery(since=since, until="2026-12-01").days(date(2026, 12, 1))
    problem = problem_of(refused.value, language="en", trace_id="t")

    assert problem["detail"].endswith("since: Must be at least 2026-11-01, at most 2026-12-01.")
    assert (problem["errors"][0]["min"], problem["errors"][0]["max"]) == ("2026-11-01", "2026-12-01")
    assert SalesDaysQuery(since="2026-11-01", until="2026-12-01").days(date(2026, 12, 1))


@pytest.mark.parametrize(("language", "said"), [("en", "until: There is no such day."), ("zh", "until：没有这一天。")])
def test_a_day_of_no_calendar_is_named(language: str, said: str) -> None:
    with pytest.raises(errors.InvalidError) as refused:
        day_in_query("2026-02-30", "until")

    assert problem_of(refused.value, language=language, trace_id="t")["detail"].endswith(said)
