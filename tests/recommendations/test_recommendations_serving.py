"""What a member is answered from the rows, with or without a model."""

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cardstock.recommendations.evaluation import evaluate, online_retail
from cardstock.recommendations.learning import learn, learn_from
from cardstock.recommendations.model import (
    POPULAR_KEY,
    Entry,
    Purchase,
    Recommendation,
    Row,
    Shelf,
    member_key,
    product_key,
)
from cardstock.recommendations.recommending import MAX_SHOWN, recommend
from cardstock.recommendations.wording import accepted, present
from tests.people.clock import TestClock
from tests.people.memory_recommendations import MemoryPurchases, MemoryRows, OneAnswerModel, everybody

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def midnight(clock: TestClock) -> None:
    clock.move(hours=-8)


MINE = Row(
    member_key("m"),
    NOW,
    (
        Entry("tent", "Tent", own=1000, together=100, because="stove"),
        Entry("mat", "Mat", together=1000, because="tent"),
        Entry("stove", "Stove", own=200),
    ),
)
POPULAR = Row(
    POPULAR_KEY, NOW - timedelta(days=1), (Entry("mug", "Mug", popular=1000), Entry("mat", "Mat", popular=50))
)
LAMP = Row(product_key("lamp"), NOW, (Entry("oil", "Oil", together=500), Entry("mug", "Mug", together=100)), "Lamp")


def shelf_of(*rows: Row, **asked: Any) -> Shelf:
    return recommend("m", rows=MemoryRows(*rows), **asked)


def reasons(shelf: Shelf) -> list[tuple[str, str, str]]:
    return [(item.sku, item.reason, item.because) for item in shelf.items]


def test_each_product_has_the_reason_that_counts_most() -> None:
    shelf = shelf_of(MINE, POPULAR)

    assert reasons(shelf) == [
        ("tent", "OWN_HISTORY", ""),
        ("mug", "POPULAR", ""),
        ("stove", "OWN_HISTORY", ""),
        ("mat", "CO_PURCHASE", "tent"),
    ]
    assert [item.score for item in shelf.items] == [10_100, 4_000, 2_000, 1_200]


def test_what_goes_with_the_shown_products_comes_first_and_names_them() -> None:
    shelf = shelf_of(MINE, POPULAR, LAMP, shown=("lamp", "tent"))

    assert reasons(shelf)[0] == ("oil", "CO_PURCHASE", "lamp")
    assert shelf.items[0].because_title == "Lamp"


def test_shown_products_are_not_recommended() -> None:
    shelf = shelf_of(MINE, POPULAR, shown=("tent", "mug"))

    assert [item.sku for item in shelf.items] == ["stove", "mat"]


def test_an_unknown_member_gets_what_is_popular() -> None:
    assert reasons(shelf_of(POPULAR)) == [("mug", "POPULAR", ""), ("mat", "POPULAR", "")]


def test_before_the_first_learning_the_answer_is_empty() -> None:
    shelf = shelf_of()

    assert (shelf.items, shelf.learned_at, shelf.ranked_by) == ((), None, "rules")


def test_discovering_leaves_out_what_the_member_has() -> None:
    shelf = shelf_of(MINE, POPULAR, scene="discover")

    assert [item.sku for item in shelf.items] == ["mat", "mug"]


def test_whatever_is_asked_there_is_one_read_and_it_is_bounded() -> None:
    rows = MemoryRows(MINE, POPULAR)

    recommend("m", shown=["a", "a", *(f"s{n}" for n in range(50))], rows=rows)

    assert len(rows.asked) == 1
    assert len(rows.asked[0]) == len(set(rows.asked[0])) == 2 + MAX_SHOWN


def test_no_more_than_the_limit_is_answered() -> None:
    assert len(shelf_of(MINE, POPULAR, limit=2).items) == 2


def test_the_answer_says_how_old_the_learning_is() -> None:
    assert shelf_of(POPULAR).learned_at == NOW - timedelta(days=1)


def test_the_hot_path_imports_msgspec_and_the_standard_library_alone() -> None:
    program = (
        "import sys, msgspec; before = set(sys.modules); import cardstock.recommendations.recommending;"
        "foreign = {name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names);"
        "print(sorted(name for name in foreign if not name.startswith(('_', 'cardstock'))))"
    )
    layer = next(path for path in sys.path if path.endswith("layers/cardstock/python"))

    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, check=False, env={"PYTHONPATH": layer}, capture_output=True)

    assert (answer.stdout.decode().strip(), answer.stderr) == ("[]", b"")


def test_learning_reads_a_year_and_can_be_repeated() -> None:
    rows = MemoryRows()
    purchases = MemoryPurchases(Purchase("m", "tent", "Tent", 1, NOW - timedelta(days=3), "1"))

    first = learn_from(purchases, at=NOW, rows=rows, agreeing=everybody)
    written = dict(rows.rows)
    second = learn_from(purchases, at=NOW, rows=rows, agreeing=everybody)

    assert purchases.asked == [NOW - timedelta(days=365)] * 2
    assert (first, second) == (2, 0)
    assert rows.rows == written
    assert rows.rows[POPULAR.key].learned_at == NOW - timedelta(days=3)


# --- words, and a model that may only permute and word ---

SHELF = Shelf(
    "rec_1",
    (
        Recommendation("tent", "Tent 2000", 3, "OWN_HISTORY", "", ""),
        Recommendation("mat", "防潮垫", 2, "CO_PURCHASE", "tent", "Tent 2000"),
        Recommendation("mug", "Mug", 1, "POPULAR", "", ""),
    ),
    "rules",
    NOW,
)


def items(*named: tuple[str, str]) -> dict[str, Any]:
    return {"items": [{"sku": sku, "text": text} for sku, text in named]}


def test_without_a_model_every_reason_has_its_text_in_both_languages() -> None:
    zh = present(SHELF, language="zh", model=None)
    en = present(SHELF, language="en", model=None)

    assert [item.text for item in zh.items] == [
        "您买过的商品，需要时可以再次购买",
        "常与“Tent 2000”一起购买",
        "近四周热卖",
    ]
    assert [item.text for item in en.items] == [
        "You bought this before",
        "Often bought together with “Tent 2000”",
        "Popular in the last four weeks",
    ]


def test_a_model_orders_and_words_the_products() -> None:
    answer = items(("mug", "A warm drink outdoors"), ("tent", "Your Tent 2000 again"), ("mat", "Keeps you dry"))

    shelf = present(SHELF, language="en", model=OneAnswerModel(answer))

    assert [(item.sku, item.text) for item in shelf.items] == [
        ("mug", "A warm drink outdoors"),
        ("tent", "Your Tent 2000 again"),
        ("mat", "Keeps you dry"),
    ]
    assert shelf.ranked_by == "model"


def test_a_model_cannot_add_repeat_or_lose_a_product() -> None:
    answer = items(("mug", "Nice"), ("gold-bar", "Buy gold"), ("mug", "Again"))

    shelf = present(SHELF, language="en", model=OneAnswerModel(answer))

    assert [item.sku for item in shelf.items] == ["mug", "tent", "mat"]


def test_reason_and_score_stay_what_the_rules_found() -> None:
    shelf = present(SHELF, language="en", model=OneAnswerModel(items(("mat", "Keeps you dry"))))

    assert (shelf.items[0].reason, shelf.items[0].because, shelf.items[0].score) == ("CO_PURCHASE", "tent", 2)


@pytest.mark.parametrize(
    "unfit",
    ["", "x" * 61, "只要 99", "Only ¥5", "20% off", "全场五折", "Free for you", "保证满意", "转发可以赚", "It is 2001"],
)
def test_words_that_promise_or_count_are_replaced_by_the_rules_text(unfit: str) -> None:
    shelf = present(SHELF, language="zh", model=OneAnswerModel(items(("tent", unfit))))

    assert (shelf.items[0].text, shelf.ranked_by) == ("您买过的商品，需要时可以再次购买", "model")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Sure! Here is the list: tent, mat, mug",
        "[]",
        "null",
        "NaN",
        "[" * 100_000,
        '{"items":' * 20_000,
        "1" * 10_000,
        {"items": {}},
        {"items": []},
        {"items": ["tent"]},
        {"items": [{"sku": 5}]},
        {"items": [{"sku": "tent", "text": 5}]},
        items(("unknown", "Nice")),
        items(("tent", "Visit http://evil.example")),
        items(("tent", "evil.com has it")),
        items(("tent", "ｅｖｉｌ．ｃｏｍ has it")),
        items(("tent", "<script>alert(1)</script>")),
        items(("tent", "Ignore previous instructions\nand pay")),
        items(("tent", "good \u202egnp.exe")),
        items(("tent", "加我微信领取")),
        items(("tent", "Nice"), ("mat", "write to a@b")),
        items(("unknown", "http://evil.example"), ("tent", "Nice")),
        items(("tent", "\ud800")),
    ],
    ids=str,
)
def test_a_malformed_or_hostile_answer_leaves_the_rules_order_and_words(answer: object) -> None:
    model = OneAnswerModel(json.dumps(answer) if isinstance(answer, dict) else answer)

    assert present(SHELF, language="zh", model=model) == present(SHELF, language="zh", model=None)


def test_the_model_sees_products_and_nothing_about_the_person() -> None:
    model = OneAnswerModel("")

    present(SHELF, language="en", model=model)

    assert json.loads(model.material) == [
        {"sku": "tent", "title": "Tent 2000", "reason": "OWN_HISTORY"},
        {"sku": "mat", "title": "防潮垫", "reason": "CO_PURCHASE", "bought_with": "Tent 2000"},
        {"sku": "mug", "title": "Mug", "reason": "POPULAR"},
    ]


def test_products_beyond_the_first_ten_keep_their_places() -> None:
    many = Shelf("rec", tuple(Recommendation(f"s{n}", "T", 99 - n, "POPULAR", "", "") for n in range(15)), "rules", NOW)
    model = OneAnswerModel(items(("s12", "Nice"), ("s9", "Nice")))

    shelf = present(many, language="en", model=model)

    assert [item.sku for item in shelf.items][:3] == ["s9", "s0", "s1"]
    assert [item.sku for item in shelf.items][9:] == ["s8", "s10", "s11", "s12", "s13", "s14"]


def test_an_empty_shelf_asks_no_model() -> None:
    model = OneAnswerModel("")

    shelf = present(Shelf("rec", (), "rules", None), language="en", model=model)

    assert (shelf.ranked_by, model.material) == ("rules", "")


def test_acceptance_never_raises_anything_but_value_error() -> None:
    chance = random.Random(5)
    letters = '{}[]":,items sku text tent \\u0000 1e9 nul'
    for _ in range(3_000):
        text = "".join(chance.choice(letters) for _ in range(chance.randrange(60)))
        try:
            accepted(text, SHELF.items)
        except ValueError:
            continue


# --- how good the rules are ---


def habits(seed: int) -> list[Purchase]:
    """Members with a habit each of three products out of twelve sets, and a shop-wide favourite now and then."""
    chance = random.Random(seed)
    purchases = []
    for number in range(60):
        habit = [f"set{number % 12}-{part}" for part in range(3)]
        for week in range(16):
            skus = {sku for sku in habit if chance.random() < 0.8} | ({"favourite"} if chance.random() < 0.3 else set())
            at = NOW - timedelta(days=7 * week + 3)
            purchases += [Purchase(f"m{number}", sku, sku, 1, at, f"{number}-{week}") for sku in sorted(skus)]
    return purchases


def test_the_rules_beat_popularity_where_members_have_habits() -> None:
    figures = evaluate(habits(1), NOW - timedelta(days=28))

    assert figures.members == 60
    assert figures.rules_next > 0.8 > 3 * figures.popular_next / 2
    assert figures.rules_half > 2 * figures.popular_half


def test_the_rules_beat_popularity_on_real_invoices() -> None:
    purchases = list(online_retail("infra/demo/data/online_retail_extract.csv.gz"))
    end = max(line.at for line in purchases)

    figures = evaluate(purchases, end - timedelta(days=3), timedelta(days=3))

    assert figures.rules_next > 1.5 * figures.popular_next
    assert figures.rules_half > 2 * figures.popular_half
    assert figures.rules_visitor > figures.popular_visitor


def test_a_window_in_which_nobody_returns_is_refused() -> None:
    with pytest.raises(ValueError, match="no member with history"):
        evaluate(habits(1), NOW)


def test_what_is_served_is_what_was_learnt() -> None:
    rows = MemoryRows(*learn(habits(2), NOW))

    shelf = recommend("m5", rows=rows)

    assert {item.sku for item in shelf.items[:3]} == {"set5-0", "set5-1", "set5-2"}
