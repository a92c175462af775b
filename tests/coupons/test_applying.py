"""What chosen coupons take off, as the rules say: by examples, and by properties over any order and choice."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock.coupons.applying import apply_coupons, apply_freight_coupon
from cardstock.coupons.errors import COUPON_LEAST_SPEND
from cardstock.coupons.model import ChosenCoupon, CouponGroup, CouponKind, CouponTerms, PricedLine, Scope, TakenOff
from cardstock.errors import RefusedError
from cardstock.money import Fen, share, split

TEA, CUPS = "tea", "cups"
ANYTHING = Scope()


def line(fen: Fen, *categories: str, product: str = "p", supplier: str = "sup_a", activity: bool = False) -> PricedLine:
    return PricedLine(product, supplier, frozenset(categories), fen, activity)


def coupon(
    kind: CouponKind,
    group: CouponGroup,
    value: int,
    *,
    scope: Scope = ANYTHING,
    least: Fen = 0,
    cap: Fen = 0,
    with_activities: bool = False,
) -> ChosenCoupon:
    return ChosenCoupon(f"{kind}-{group}", CouponTerms(kind, group, value, scope, least, cap, with_activities))


def amounts(taken: tuple[TakenOff, ...]) -> list[tuple[Fen, ...]]:
    return [off.parts for off in taken]


def refusal(lines: list[PricedLine], *chosen: ChosenCoupon) -> tuple[str, dict[str, object]]:
    with pytest.raises(RefusedError) as refused:
        apply_coupons(lines, chosen)
    return refused.value.code, refused.value.facts


def test_a_percent_coupon_with_a_cap_comes_before_an_amount() -> None:
    lines = [line(10_000, TEA), line(5_000, TEA), line(1, CUPS)]
    tea = coupon("percent", "category", 1_000, scope=Scope(categories=(TEA,)), cap=1_200)
    all_goods = coupon("amount", "shop", 1_000)

    taken = apply_coupons(lines, [all_goods, tea])

    assert [off.coupon_id for off in taken] == ["percent-category", "amount-shop"]
    assert amounts(taken) == [(800, 400, 0), (667, 333, 0)]
    assert [each.fen - sum(off.parts[at] for off in taken) for at, each in enumerate(lines)] == [8_533, 4_267, 1]


def test_within_a_kind_the_group_decides_which_comes_first() -> None:
    lines = [line(10_000, TEA)]
    chosen = [coupon("percent", group, 1_000) for group in ("personal", "shop", "category")]

    taken = apply_coupons(lines, chosen)

    assert [off.group for off in taken] == ["category", "shop", "personal"]
    assert amounts(taken) == [(1_000,), (900,), (810,)]


def test_a_percent_is_rounded_once_over_all_lines() -> None:
    taken = apply_coupons([line(5), line(5), line(5)], [coupon("percent", "shop", 1_000)])

    assert amounts(taken) == [(1, 1, 0)]  # 1.5 is 2; rounded by lines it would be 3


def test_the_least_spend_is_measured_when_the_turn_comes() -> None:
    lines = [line(10_000, TEA), line(5_000, CUPS)]
    tenth = coupon("percent", "shop", 1_000)
    on_tea = coupon("amount", "category", 500, scope=Scope(categories=(TEA,)), least=9_000)

    assert amounts(apply_coupons(lines, [on_tea, tenth]))[1] == (500, 0)

    more = coupon("amount", "category", 500, scope=Scope(categories=(TEA,)), least=9_001)
    assert refusal(lines, more, tenth) == ("COUPON_LEAST_SPEND", {"coupon": "amount-category", "missing_fen": 1})


def test_two_coupons_of_a_group_are_refused_also_of_two_kinds() -> None:
    chosen = [coupon("percent", "shop", 1_000), coupon("amount", "shop", 100)]

    assert refusal([line(1_000)], *chosen) == ("COUPONS_OF_ONE_GROUP", {"groups": ["shop"]})
    freight = [coupon("amount", "freight", 100), coupon("percent", "freight", 100)]
    assert refusal([line(1_000)], *freight) == ("COUPONS_OF_ONE_GROUP", {"groups": ["freight"]})


@pytest.mark.parametrize(
    "scope",
    [Scope(categories=(CUPS,)), Scope(products=("other",)), Scope(suppliers=("sup_b",))],
)
def test_a_coupon_for_other_goods_is_refused(scope: Scope) -> None:
    assert refusal([line(1_000, TEA)], coupon("amount", "shop", 100, scope=scope))[0] == "COUPON_NOT_FITTING"


def test_a_scope_of_categories_and_products_takes_what_is_in_either() -> None:
    scope = Scope(categories=(CUPS,), products=("p2",), suppliers=("sup_a",))
    lines = [
        line(100, TEA), line(100, CUPS), line(100, TEA, product="p2"), line(100, CUPS, supplier="sup_b"),
    ]  # fmt: skip

    assert amounts(apply_coupons(lines, [coupon("percent", "shop", 5_000, scope=scope)])) == [(0, 50, 50, 0)]


def test_lines_at_an_activity_price_are_for_coupons_that_say_so() -> None:
    lines = [line(1_000, activity=True), line(500)]

    assert amounts(apply_coupons(lines, [coupon("amount", "shop", 600)])) == [(0, 500)]
    assert amounts(apply_coupons(lines, [coupon("amount", "shop", 600, with_activities=True)])) == [(400, 200)]


def test_a_coupon_that_finds_nothing_left_is_refused_and_not_used_up() -> None:
    whole = coupon("percent", "category", 10_000)

    assert refusal([line(1_000)], whole, coupon("amount", "shop", 1))[0] == "COUPON_NOT_FITTING"
    assert refusal([line(4)], coupon("percent", "shop", 1_000))[0] == "COUPON_NOT_FITTING"


def test_a_freight_coupon_comes_off_the_freight_after_the_others() -> None:
    lines = [line(10_000), line(5_000, supplier="sup_b")]
    taken = apply_coupons(lines, [coupon("amount", "shop", 3_000)])

    assert apply_freight_coupon(lines, taken, [800, 400], coupon("amount", "freight", 600)).parts == (400, 200)
    assert apply_freight_coupon(lines, taken, [800, 400], coupon("amount", "freight", 9_000)).parts == (800, 400)
    enough = coupon("amount", "freight", 600, least=12_000)
    assert apply_freight_coupon(lines, taken, [800, 400], enough).fen == 600
    with pytest.raises(RefusedError) as least:
        apply_freight_coupon(lines, taken, [800, 400], coupon("amount", "freight", 600, least=12_001))
    assert (least.value.code, least.value.facts["missing_fen"]) == ("COUPON_LEAST_SPEND", 1)
    with pytest.raises(RefusedError) as free:
        apply_freight_coupon(lines, taken, [0, 0], coupon("amount", "freight", 600))
    assert free.value.code == "COUPON_NOT_FITTING"
    with pytest.raises(RefusedError) as other:
        apply_freight_coupon(lines, taken, [800], coupon("amount", "freight", 600, scope=Scope(suppliers=("sup_c",))))
    assert other.value.code == "COUPON_NOT_FITTING"


@pytest.mark.parametrize(("language", "text"), [("zh", "还差 ¥1,234.05"), ("en", "needs ¥1,234.05 more")])
def test_what_is_missing_is_said_in_yuan(language: str, text: str) -> None:
    error = COUPON_LEAST_SPEND(coupon="c", missing_fen=123_405)

    assert text in error.refusal.text(error.facts, language)


@pytest.mark.parametrize(("kind", "value"), [("percent", 10_001), ("percent", 0), ("amount", 0), ("amount", -1)])
def test_terms_that_would_take_nothing_or_more_than_all_cannot_be_made(kind: CouponKind, value: int) -> None:
    with pytest.raises(ValueError, match="takes off"):
        CouponTerms(kind, "shop", value)


CATEGORIES = ("a", "b", "c")
LINES = st.lists(
    st.builds(
        PricedLine,
        product_id=st.sampled_from(["p1", "p2", "p3"]),
        supplier_id=st.sampled_from(["sup_a", "sup_b"]),
        categories=st.frozensets(st.sampled_from(CATEGORIES)),
        fen=st.integers(0, 10**7),
        activity=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
SCOPES = st.builds(
    Scope,
    categories=st.lists(st.sampled_from(CATEGORIES), max_size=2).map(tuple),
    products=st.lists(st.sampled_from(["p1", "p2"]), max_size=1).map(tuple),
    suppliers=st.lists(st.just("sup_a"), max_size=1).map(tuple),
)


@st.composite
def coupons(draw: st.DrawFn) -> list[ChosenCoupon]:
    groups: list[CouponGroup] = draw(st.lists(st.sampled_from(["category", "shop", "personal"]), unique=True))
    made = []
    for group in groups:
        kind: CouponKind = draw(st.sampled_from(["percent", "amount"]))
        value = draw(st.integers(1, 10_000 if kind == "percent" else 10**7))
        least, cap = draw(st.integers(0, 10**6)), draw(st.sampled_from([0, 1, 500, 10**6]))
        made.append(
            coupon(kind, group, value, scope=draw(SCOPES), least=least, cap=cap, with_activities=draw(st.booleans()))
        )
    return made


def by_the_rules(lines: list[PricedLine], chosen: list[ChosenCoupon]) -> list[tuple[Fen, ...]] | str:
    """The same by hand, line by line in fractions of a sentence of the rules; or the code of the refusal."""
    sequence = [(kind, group) for kind in ("percent", "amount") for group in ("category", "shop", "personal")]
    left = {at: each.fen for at, each in enumerate(lines)}
    result: list[tuple[Fen, ...]] = []
    for each in sorted(chosen, key=lambda one: sequence.index((one.terms.kind, one.terms.group))):
        terms, scope = each.terms, each.terms.scope
        mine = {}
        for at, one in enumerate(lines):
            named = one.product_id in scope.products or bool(set(scope.categories) & one.categories)
            anything = not (scope.products or scope.categories)
            fits = (named or anything) and (not scope.suppliers or one.supplier_id in scope.suppliers)
            if fits and (terms.with_activities or not one.activity):
                mine[at] = left[at]
        spent = sum(mine.values())
        if spent == 0:
            return "COUPON_NOT_FITTING"
        if spent < terms.least:
            return "COUPON_LEAST_SPEND"
        off = share(spent, terms.value) if terms.kind == "percent" else terms.value
        off = min([off, spent] + ([terms.cap] if terms.cap else []))
        if off == 0:
            return "COUPON_NOT_FITTING"
        parts = dict(zip(mine, split(off, list(mine.values())), strict=True))
        left = {at: rest - parts.get(at, 0) for at, rest in left.items()}
        result.append(tuple(parts.get(at, 0) for at in left))
    return result


@given(lines=LINES, chosen=coupons())
def test_any_choice_takes_off_what_the_rules_say(lines: list[PricedLine], chosen: list[ChosenCoupon]) -> None:
    expected = by_the_rules(lines, chosen)

    if isinstance(expected, str):
        with pytest.raises(RefusedError) as refused:
            apply_coupons(lines, chosen)
        assert refused.value.code == expected
    else:
        assert amounts(apply_coupons(lines, chosen)) == expected


@given(lines=LINES, chosen=coupons())
def test_no_line_ever_costs_less_than_nothing_and_the_sequence_of_the_choice_changes_nothing(
    lines: list[PricedLine], chosen: list[ChosenCoupon]
) -> None:
    try:
        taken = apply_coupons(lines, chosen)
    except RefusedError:
        return

    for at, each in enumerate(lines):
        assert 0 <= sum(off.parts[at] for off in taken) <= each.fen
    assert all(apply_coupons(lines, order) == taken for order in itertools.permutations(chosen))
