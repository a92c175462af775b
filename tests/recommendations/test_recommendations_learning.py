"""What is learnt from purchases, and that it stays small and the same."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cardstock.recommendations.learning import (
    BASKET_CAP,
    MEMBER_ROW_BYTES,
    OWN_ENTRIES,
    PRODUCT_ROW_BYTES,
    learn,
)
from cardstock.recommendations.model import POPULAR_KEY, Entry, Purchase, Row, member_key, product_key
from cardstock.recommendations.rows import decode, encode, fitted

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def bought(member: str, basket: str, skus: str, days_ago: float = 1, units: int = 1) -> list[Purchase]:
    at = NOW - timedelta(days=days_ago)
    return [Purchase(member, sku, f"title of {sku}", units, at, basket) for sku in skus.split()]


def learnt(purchases: list[Purchase]) -> dict[str, Row]:
    return {row.key: row for row in learn(purchases, NOW)}


def test_what_a_member_buys_often_and_lately_comes_first() -> None:
    rows = learnt(
        bought("m", "1", "often once", 30) + bought("m", "2", "often", 20) + bought("m", "3", "late", 1)
    )  # fmt: skip

    own = {entry.sku: entry.own for entry in rows[member_key("m")].entries}

    assert own["often"] == 1000 > own["late"] > own["once"] > 0


def test_units_do_not_make_a_product_more_wanted_but_refunded_ones_make_it_vanish() -> None:
    rows = learnt(bought("m", "1", "a", units=999) + bought("m", "2", "b", units=1) + bought("m", "3", "c", units=0))

    assert {entry.sku: entry.own for entry in rows[member_key("m")].entries} == {"a": 1000, "b": 1000}


def test_neighbours_are_the_cosine_over_baskets() -> None:
    # a in 4 baskets, b in 2, both in 2: 2 / sqrt(4 * 2) = 0.707
    rows = learnt(bought("m", "1", "a b") + bought("n", "2", "a b") + bought("n", "3", "a") + bought("o", "4", "a"))

    assert [(entry.sku, entry.together) for entry in rows[product_key("a")].entries] == [("b", 707)]
    assert rows[product_key("b")].title == "title of b"


def test_one_basket_is_chance_and_makes_no_neighbours() -> None:
    rows = learnt(bought("m", "1", "a b"))

    assert product_key("a") not in rows


def test_the_same_basket_id_of_two_members_is_two_baskets() -> None:
    rows = learnt(bought("m", "1", "a b") + bought("n", "1", "a b"))

    assert rows[product_key("a")].entries[0].together == 1000


def test_a_candidate_names_the_own_product_behind_it() -> None:
    history = bought("x", "1", "tent mat") + bought("y", "2", "tent mat") + bought("m", "3", "tent")

    rows = learnt(history)

    mat = next(entry for entry in rows[member_key("m")].entries if entry.sku == "mat")
    assert (mat.own, mat.together, mat.because) == (0, 1000, "tent")


def test_popular_counts_members_of_the_last_four_weeks() -> None:
    history = bought("m", "1", "old", 31) + bought("n", "2", "old", 31) + bought("o", "3", "old", 40)
    history += bought("m", "4", "hot", 27) + bought("n", "5", "hot", 2) + bought("m", "6", "mild", 3)
    history += bought("m", "7", "mild", 2)

    rows = learnt(history)

    assert [(entry.sku, entry.popular) for entry in rows[POPULAR_KEY].entries] == [("hot", 1000), ("mild", 500)]


def test_a_quiet_month_empties_no_shelf() -> None:
    rows = learnt(bought("m", "1", "hot", 60) + bought("n", "2", "hot", 61))

    assert [entry.sku for entry in rows[POPULAR_KEY].entries] == ["hot"]
    assert {row.learned_at for row in rows.values()} == {NOW - timedelta(days=60)}


def test_what_was_bought_after_the_moment_is_not_known() -> None:
    rows = learnt(bought("m", "1", "later", days_ago=-1) + bought("m", "2", "a"))

    assert [entry.sku for entry in rows[member_key("m")].entries] == ["a"]


def test_nothing_bought_gives_an_empty_popular_row_alone() -> None:
    rows = learnt([])

    assert rows == {POPULAR_KEY: Row(POPULAR_KEY, NOW, ())}


def test_a_product_keeps_its_latest_title() -> None:
    old = Purchase("m", "a", "old name", 1, NOW - timedelta(days=9), "1")
    new = Purchase("m", "a", "new name", 1, NOW - timedelta(days=2), "2")

    assert learnt([new, old])[POPULAR_KEY].entries[0].title == "new name"


def test_a_very_long_basket_costs_no_more_than_the_cap() -> None:
    long = " ".join(f"sku{number:04}" for number in range(2_000))

    rows = learnt(bought("m", "1", long) + bought("n", "2", long))

    assert sum(key.startswith("product#") for key in rows) == BASKET_CAP


def generated(seed: int) -> list[Purchase]:
    chance = random.Random(seed)
    purchases = []
    for basket in range(300):
        skus = {f"sku{min(chance.randrange(80), chance.randrange(80)):03}" for _ in range(chance.randrange(1, 30))}
        member, days = f"m{chance.randrange(40)}", chance.randrange(1, 200)
        purchases += bought(member, f"b{basket}", " ".join(sorted(skus)), days)
    return purchases


def test_the_order_of_reading_changes_nothing() -> None:
    purchases = generated(7)
    shuffled = random.Random(1).sample(purchases, len(purchases))

    assert learnt(purchases) == learnt(shuffled)


def test_rows_stay_under_their_units_of_capacity() -> None:
    purchases = [
        Purchase(line.member_id, line.sku, "很长很长的商品名称" * 20, line.units, line.at, line.basket_id)
        for line in generated(3)
    ]

    rows = learnt(purchases)

    for key, row in rows.items():
        limit = PRODUCT_ROW_BYTES if key.startswith("product#") else MEMBER_ROW_BYTES
        assert len(encode(row).encode()) <= limit
    assert len(rows[POPULAR_KEY].entries) > 20
    assert max(len(row.entries) for key, row in rows.items() if key.startswith("product#")) > 10


def test_a_member_row_holds_at_most_the_bounded_history() -> None:
    rows = learnt(bought("m", "1", " ".join(f"s{n}" for n in range(500))))

    assert 0 < len(rows[member_key("m")].entries) <= OWN_ENTRIES


# No lone surrogates: the edge lets none in, and UTF-8 has no form for them.
TEXT = st.characters(exclude_categories=["Cs"])
ENTRIES = st.lists(
    st.builds(
        Entry,
        sku=st.text(TEXT, min_size=1, max_size=20),
        title=st.text(TEXT, max_size=40),
        own=st.integers(0, 1000),
        together=st.integers(0, 1000),
        popular=st.integers(0, 1000),
        because=st.text(TEXT, max_size=3),
    ),
    max_size=60,
    unique_by=lambda entry: entry.sku,
)


@given(ENTRIES, st.text(TEXT, max_size=40), st.integers(100, 4000))
def test_a_fitted_row_is_within_its_limit_and_survives_storage(entries: list[Entry], title: str, limit: int) -> None:
    row = fitted(Row("k", NOW, tuple(entries), title), limit + 400)

    assert len(encode(row).encode()) <= limit + 400
    assert decode("k", encode(row)) == row
