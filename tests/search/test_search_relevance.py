"""How well hits agree with judgements that were written without sight of the search."""

from collections import defaultdict
from statistics import mean

import pytest

from cardstock.search.model import Query
from cardstock.search.searching import IndexSearch
from tests.search.judged import JudgedQuery, Name, index_of, ndcg, queries

BOUND = 0.85
SIMILAR = 0.6


def grams(text: str) -> set[str]:
    padded = f"  {text.casefold()}  "
    return {padded[place : place + 3] for place in range(len(padded) - 2)}


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of their sets of three characters."""
    return len(grams(one) & grams(other)) / len(grams(one) | grams(other))


def agreement(name: Name, asked: JudgedQuery) -> float:
    page = IndexSearch(index_of(name)).search(Query(asked.query, limit=10))
    return ndcg(page.product_ids, asked.judgements)


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", ["chinese", "real"])
def test_the_first_page_agrees_with_the_judges(name: Name, part: str) -> None:
    """The test part was looked at by nobody who wrote the search."""
    values = [agreement(name, asked) for asked in queries(name) if asked.part == part]

    assert len(values) == 50
    assert mean(values) >= BOUND


@pytest.mark.parametrize("name", ["chinese", "real"])
def test_each_kind_of_query_to_learn_from_finds_something(name: Name) -> None:
    kinds: defaultdict[str, list[float]] = defaultdict(list)
    for asked in queries(name):
        if asked.part == "train":
            kinds[asked.kind].append(agreement(name, asked))

    assert len(kinds) > 10
    assert {kind: values for kind, values in kinds.items() if mean(values) < 0.5} == {}


@pytest.mark.parametrize("name", ["chinese", "real"])
def test_no_query_to_learn_from_is_nearly_one_of_the_test(name: Name) -> None:
    parts = [[asked.query for asked in queries(name) if asked.part == part] for part in ("train", "test")]
    pairs = [(one, other) for one in parts[0] for other in parts[1] if similarity(one, other) > SIMILAR]

    assert len(pairs) == 0


@pytest.mark.parametrize("name", ["chinese", "real"])
def test_judgements_name_products_of_the_set(name: Name) -> None:
    known = {row.product_id for row in index_of(name).rows}
    judged = [asked.judgements for asked in queries(name)]

    assert {each for grades in judged for each in grades} <= known
    assert {grade for grades in judged for grade in grades.values()} == {1, 2, 3}
    assert all(1 <= len(grades) <= 40 for grades in judged)


def test_the_measure_knows_the_best_and_the_worst() -> None:
    grades = {"a": 3, "b": 1}

    assert ndcg(["a", "b"], grades) == 1
    assert ndcg(["x", "y"], grades) == 0
    assert 0.7 < ndcg(["b", "a"], grades) < 0.75
