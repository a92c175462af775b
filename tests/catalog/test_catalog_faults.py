"""Publishing and accepting, killed or left without an answer at every call: repeated, they end as without a fault."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from cardstock.catalog import drafting
from cardstock.catalog import wiring as catalog_wiring
from cardstock.catalog.drafting import Acceptance
from cardstock.catalog.product_model import Publication, VariantTerms
from cardstock.errors import ConflictError
from cardstock.ids import RequestKey
from tests.catalog.test_products_contract import AT, LAMP, STOCK
from tests.house import faults
from tests.house.cloud import Cloud
from tests.house.interleave import every_way
from tests.people.clock import TestClock
from tests.people.goods import Goods, draft_of

CUP = Goods("cup", "CUP", "sup_b", 100, False, True, True, 5).publication()
CHANGED = replace(LAMP, brand="x", variants=(LAMP.variants[1], VariantTerms("lamp-g", 700, (0,))))
DRAFT = draft_of("bag", "Bag", "sup_a", AT, 7)


def publish() -> Any:
    return catalog_wiring.products().publish([Publication(LAMP, STOCK), CUP], AT)


def change() -> Any:
    return catalog_wiring.products().publish([Publication(CHANGED, {"lamp-g": 3}), CUP], AT)


def accept() -> Any:
    terms = (VariantTerms("bag", 500),)
    acceptance = Acceptance("bag", "sup_a", DRAFT.sha256, terms, "on_sale", None)
    return drafting.accept_draft(acceptance, RequestKey("req_1", "f"), prepare=len, products=catalog_wiring.products())


STEPS: dict[str, tuple[Callable[[], Any], int]] = {
    "publish": (publish, 3),
    "change": (change, 3),
    "accept": (accept, 6),
}
"""What is done, and its calls."""


@pytest.fixture
def before(cloud: Cloud, clock: TestClock, request: pytest.FixtureRequest) -> Cloud:
    clock.set(AT)
    catalog_wiring.products().store_draft(DRAFT)
    if "change" in request.node.name:
        publish()
    return cloud


@pytest.mark.parametrize("mode", faults.MODES)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_was_cut_off_is_repeated_and_ends_the_same(before: Cloud, name: str, mode: faults.Mode) -> None:
    step, number = STEPS[name]
    start = before.snapshot()
    with faults.watch() as calls:
        step()
    wanted = before.state()

    assert len(calls) == number
    for _ in faults.hit_each(calls, mode, start.restore, step):
        reached = before.state()

        assert {table: reached[table] for table in ("products", "product-pages")} in [
            {table: state[table] for table in ("products", "product-pages")}
            for state in (start_state(before, start), wanted)
        ]
        step()
        assert before.state() == wanted


def start_state(cloud: Cloud, start: Any) -> Any:
    """The state at the beginning, without touching what is there now."""
    now = cloud.snapshot()
    start.restore()
    state = cloud.state()
    now.restore()
    return state


@pytest.mark.parametrize(("step", "outcomes"), [(publish, ["made", "made"]), (change, ["changed", "same"])])
def test_a_lost_answer_is_told_from_a_repeat(cloud: Cloud, step: Callable[[], Any], outcomes: list[str]) -> None:
    if step is change:
        publish()
    with faults.at(2, "lose_answer") as calls:
        found = step()

    assert (list(found), calls.count("dynamodb.TransactWriteItems")) == (outcomes, 2)


def test_of_two_who_publish_at_once_both_are_kept_one_after_the_other(cloud: Cloud) -> None:
    publish()
    before = cloud.snapshot()
    ends = set()
    for run in every_way(lambda: [change, lambda: list(catalog_wiring.products().publish([CUP], AT))], before.restore):
        ends.add(repr(run.ends))
        page = catalog_wiring.products().find_page("lamp")

        assert page is not None
        assert (page.product, page.revision) == (CHANGED, 2)
    assert ends == {"(['changed', 'same'], ['same'])"}


def test_a_draft_that_is_changed_while_it_is_accepted_is_published_as_it_was_read_or_not_at_all(cloud: Cloud) -> None:
    catalog_wiring.products().store_draft(DRAFT)
    other = draft_of("bag", "Sack", "sup_a", AT, 9)
    before, ways = cloud.snapshot(), set()
    for run in every_way(lambda: [accept, lambda: catalog_wiring.products().store_draft(other)], before.restore):
        page = catalog_wiring.products().find_page("bag")
        found = catalog_wiring.products().find_draft("bag", "sup_a")
        assert found is not None
        if isinstance(run.ends[0], ConflictError):
            assert (run.ends[0].code, page) == ("DRAFT_CHANGED", None)
        else:
            assert page is not None
            assert (page.product.title.zh, found.accepted_sha256) == ("Bag", DRAFT.sha256)
        assert found.sha256 == other.sha256
        assert [each.sha256 for each in catalog_wiring.products().open_drafts("sup_a", 9, None)[0]] == [other.sha256]
        ways.add(page is None)

    assert ways == {True, False}
