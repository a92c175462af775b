"""What is stored of a person has a class of retention, and the document says what the data says."""

from collections import Counter
from datetime import date, timedelta
from typing import get_args

from cardstock.retention import (
    BY_KEY,
    CLASSES,
    OF_NOBODY,
    TEN_YEARS,
    THREE_YEARS,
    RetentionKey,
    kept_after,
)
from infra.contract import retention
from tests.releases.item_classes import CLASSES as SHAPES


def stored_shapes() -> set[str]:
    """Every stored shape as `area.Name`. A private one reads what another shape of the same table stores."""
    return {f"{kind.__module__.split('.')[1]}.{kind.__name__}" for kind in SHAPES if not kind.__name__.startswith("_")}


def test_every_stored_shape_is_in_exactly_one_class() -> None:
    classed = Counter(shape for each in CLASSES for shape in each.shapes)
    classed.update(OF_NOBODY)

    assert sorted(stored_shapes() - classed.keys()) == [], "without a class in retention.py"
    assert sorted(classed.keys() - stored_shapes()) == [], "classed, but not stored"
    assert [shape for shape, number in classed.items() if number > 1] == []


def test_every_class_is_there_once() -> None:
    assert [each.key for each in CLASSES] == list(get_args(RetentionKey))
    assert set(BY_KEY) == set(get_args(RetentionKey))


def test_what_stays_has_a_term_or_no_name_and_what_does_not_stay_has_none() -> None:
    for each in CLASSES:
        assert (each.stays is None) == (each.after_closing == timedelta()), each.key


def test_every_text_is_in_both_languages() -> None:
    for each in CLASSES:
        for text in (each.holds, each.term, each.clause, *([each.stays] if each.stays else [])):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text.of("zh")), text
            assert text.of("en").isascii(), text


def test_terms_are_never_short_of_the_years_that_they_stand_for() -> None:
    for start in (date(2024, 2, 29), date(2026, 12, 1), date(2027, 3, 1)):
        assert start + THREE_YEARS >= start.replace(year=start.year + 3, day=min(start.day, 28))
        assert start + TEN_YEARS >= start.replace(year=start.year + 10, day=min(start.day, 28))


def test_a_name_is_kept_for_tax_only_where_something_was_paid() -> None:
    closed = date(2026, 12, 1)
    paid, unpaid = (
        {each.key: each.until for each in kept_after(closed, was_paid=was_paid)} for was_paid in (True, False)
    )

    assert paid.keys() - unpaid.keys() == {"identity", "payouts"}
    assert paid["identity"] == paid["payouts"] == closed + TEN_YEARS
    assert unpaid["consents"] == closed + THREE_YEARS
    assert unpaid["books"] is None
    assert unpaid.keys().isdisjoint({"account", "visits", "recommendations", "bank_accounts", "exports"})


def test_the_document_has_the_tables_of_the_data() -> None:
    document = retention.DOCUMENT.read_text("utf-8")

    assert "| `account` |" in document
    assert document == retention.text(document), "run python -m infra.contract.retention"
