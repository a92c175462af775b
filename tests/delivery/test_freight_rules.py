"""What sending costs: the situations that shops have failed in, and what holds for any goods."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock import regions
from cardstock.delivery.editing import check_templates
from cardstock.delivery.freight import freight_parts, rate_for
from cardstock.delivery.model import MAX_REGIONS, NO_TEMPLATES, Goods, Rate, Template, Templates, Zone
from cardstock.errors import InvalidError, RefusedError

HANGZHOU, XIHU, NINGBO, SHANGHAI = "330100", "330106", "330200", "310106"
PLAIN = Template("plain", "Plain", "unit", Rate(1, 1_200, 1, 600))
BY_REGION = Template(
    "plain", "Plain", "unit", Rate(1, 1_000, 1, 0),
    (Zone(("330000",), Rate(1, 800, 1, 0)), Zone((HANGZHOU,), Rate(1, 500, 1, 0)), Zone(("650000",), None)),
)  # fmt: skip


def only(*templates: Template) -> Templates:
    return Templates(templates, templates[0].template_id, 1)


def goods(sku: str, units: int, net_fen: int = 10_000, **terms: Any) -> Goods:
    return Goods(sku, terms.pop("supplier_id", "sup_a"), units, net_fen, **terms)


def test_two_articles_of_one_template_pay_the_first_step_once() -> None:
    assert freight_parts([goods("a", 2), goods("b", 1)], HANGZHOU, only(PLAIN)) == {"sup_a": 2_400}


@pytest.mark.parametrize(
    ("region", "fee"), [(NINGBO, 800), ("330000", 800), (HANGZHOU, 500), (XIHU, 500), (SHANGHAI, 1_000)]
)
def test_the_smallest_region_that_a_zone_names_decides(region: str, fee: int) -> None:
    assert freight_parts([goods("a", 1)], region, only(BY_REGION)) == {"sup_a": fee}


def test_a_district_comes_before_its_city_and_one_that_is_left_out_before_a_served_one() -> None:
    zones = (Zone((HANGZHOU, "659001"), Rate(1, 500, 1, 0)), Zone((XIHU, "650000"), None))
    template = replace(PLAIN, zones=zones)

    assert rate_for(template, "330102") == zones[0].rate
    assert rate_for(template, XIHU) is None
    assert rate_for(template, "659001") == zones[0].rate  # 石河子市 is in 新疆 and has no city
    assert rate_for(template, "650100") is None
    assert rate_for(template, SHANGHAI) == PLAIN.rate


def test_a_region_that_is_not_served_is_refused_with_articles_and_region_by_name() -> None:
    heavy = replace(PLAIN, template_id="heavy", zones=(Zone((XIHU,), None),))
    templates = Templates((PLAIN, heavy), "plain", 1)
    asked = [goods("b", 1, template="heavy"), goods("a", 1), goods("0", 1, template="heavy", supplier_id="sup_b")]

    with pytest.raises(RefusedError, match="REGION_NOT_SERVED") as refused:
        freight_parts(asked, XIHU, templates)
    with pytest.raises(RefusedError, match="REGION_NOT_SERVED"):
        freight_parts([goods("a", 1)], "659001", only(BY_REGION))

    error = refused.value
    assert (error.facts["skus"], error.facts["region"]) == (["0", "b"], XIHU)
    assert error.refusal.text(error.facts, "zh") == "以下商品不发往浙江省杭州市西湖区：0, b。"
    assert error.refusal.text(error.facts, "en") == "These articles are not sent to 浙江省杭州市西湖区: 0, b."
    assert freight_parts(asked, "330102", templates) == {"sup_a": 2_400, "sup_b": 1_200}


def test_templates_in_one_part_add_up_and_each_part_pays_its_own() -> None:
    heavy = Template("heavy", "Heavy", "gram", Rate(1_000, 900, 500, 200))
    templates = Templates((PLAIN, heavy), "plain", 1)
    asked = [
        goods("a", 2), goods("b", 3, template="heavy", weight_g=401),
        goods("c", 1, supplier_id="sup_b"), goods("d", 1, template="gone", supplier_id="sup_b"),
    ]  # fmt: skip

    # 1 200 + 600; 1 203 g are a first step and a part of one further. A template that is gone is the default one.
    assert freight_parts(asked, XIHU, templates) == {"sup_a": 1_800 + 1_100, "sup_b": 1_800}


@pytest.mark.parametrize(
    ("grams", "fee"), [(None, 900), (1, 900), (1_000, 900), (1_001, 1_100), (1_500, 1_100), (1_501, 1_300)]
)
def test_a_part_of_a_further_step_counts_as_a_whole(grams: int | None, fee: int) -> None:
    heavy = Template("heavy", "Heavy", "gram", Rate(1_000, 900, 500, 200))

    assert freight_parts([goods("a", 1, weight_g=grams)], XIHU, only(heavy)) == {"sup_a": fee}


def test_an_amount_from_which_sending_is_free_is_measured_over_all_parts_of_the_template_alone() -> None:
    free = replace(PLAIN, rate=replace(PLAIN.rate, free_from_fen=10_000))
    other = replace(PLAIN, template_id="other")
    templates = Templates((free, other), "plain", 1)
    halves = [goods("a", 1, 5_000), goods("b", 1, 5_000, supplier_id="sup_b")]
    short = [goods("a", 1, 5_000), goods("b", 1, 4_999, supplier_id="sup_b"), goods("c", 9, 99_000, template="other")]

    assert freight_parts(halves, XIHU, templates) == {"sup_a": 0, "sup_b": 0}
    assert freight_parts(short, XIHU, templates) == {"sup_a": 1_200 + 6_000, "sup_b": 1_200}


RATES = st.builds(
    Rate, st.integers(1, 5), st.integers(0, 2_000), st.integers(1, 5), st.integers(0, 900), st.sampled_from([0, 3_000])
)
TEMPLATES = st.lists(st.tuples(RATES, st.sampled_from(["unit", "gram"])), min_size=1, max_size=3).map(
    lambda made: Templates(
        tuple(Template(f"t{at}", "T", measure, rate) for at, (rate, measure) in enumerate(made)),  # type: ignore[arg-type]
        "t0",
        1,
    )
)
GOODS = st.lists(
    st.builds(
        Goods, st.text("abc", min_size=1, max_size=3), st.sampled_from(["sup_a", "sup_b", "sup_c"]), st.integers(1, 20),
        st.integers(0, 4_000), st.sampled_from(["", "t0", "t1", "t2", "gone"]), st.sampled_from([None, 1, 3]),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip


@given(GOODS, TEMPLATES, st.randoms())
def test_any_sequence_of_the_lines_costs_the_same_and_no_part_less_than_nothing(
    wanted: list[Goods], templates: Templates, chance: Any
) -> None:
    mixed = list(wanted)
    chance.shuffle(mixed)
    fees = freight_parts(wanted, XIHU, templates)

    assert freight_parts(mixed, XIHU, templates) == fees
    assert fees.keys() == {each.supplier_id for each in wanted}
    assert min(fees.values()) >= 0


@given(GOODS, TEMPLATES, st.integers(1, 9))
def test_a_line_in_two_halves_costs_what_the_whole_one_costs(
    wanted: list[Goods], templates: Templates, units: int
) -> None:
    first = wanted[0]
    whole = replace(first, units=first.units + units)

    assert freight_parts([whole, *wanted[1:]], XIHU, templates) == freight_parts(
        [replace(first, net_fen=0, units=units), *wanted], XIHU, templates
    )


@given(GOODS, TEMPLATES)
def test_more_units_never_cost_less_freight_at_the_same_price_of_the_goods(
    wanted: list[Goods], templates: Templates
) -> None:
    more = [replace(wanted[0], units=wanted[0].units + 1), *wanted[1:]]
    before, after = freight_parts(wanted, XIHU, templates), freight_parts(more, XIHU, templates)

    assert all(after[supplier_id] >= fee for supplier_id, fee in before.items())


@given(GOODS, TEMPLATES)
def test_a_part_costs_alone_what_it_costs_beside_others_unless_it_becomes_free(
    wanted: list[Goods], templates: Templates
) -> None:
    unfree = replace(
        templates,
        templates=tuple(replace(each, rate=replace(each.rate, free_from_fen=0)) for each in templates.templates),
    )
    fees, least = freight_parts(wanted, XIHU, unfree), freight_parts(wanted, XIHU, templates)

    for supplier_id, fee in fees.items():
        own = [each for each in wanted if each.supplier_id == supplier_id]
        assert freight_parts(own, XIHU, unfree) == {supplier_id: fee}
        assert least[supplier_id] <= fee


@given(st.sampled_from(sorted(each.code for code in ("", "330000", "420000") for each in regions.children_of(code))))
def test_every_region_has_a_rate_or_is_left_out(code: str) -> None:
    assert rate_for(BY_REGION, code) == (
        None if code.startswith("65") else Rate(1, 500, 1, 0) if code == HANGZHOU
        else Rate(1, 800, 1, 0) if code.startswith("33") else BY_REGION.rate
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "pointers"),
    [
        (only(BY_REGION), []),
        (NO_TEMPLATES, []),
        (Templates((PLAIN, PLAIN), "plain"), ["/templates/1/template_id"]),
        (Templates((PLAIN,), "other"), ["/default_template"]),
        (Templates((PLAIN,), ""), ["/default_template"]),
        (Templates((), "plain"), ["/default_template"]),
        (only(replace(PLAIN, zones=(Zone(("330000", "330001"), None),))), ["/templates/0/zones/0/regions/1"]),
        (
            only(replace(PLAIN, zones=(Zone((XIHU,), None), Zone((HANGZHOU, XIHU), PLAIN.rate)))),
            ["/templates/0/zones/1/regions/1"],
        ),
    ],
)
def test_templates_that_contradict_themselves_are_refused_where_they_do(wanted: Templates, pointers: list[str]) -> None:
    try:
        check_templates(wanted)
    except InvalidError as error:
        found = [each.pointer for each in error.pointers]
    else:
        found = []

    assert found == pointers


def test_all_zones_together_name_a_bounded_number_of_regions() -> None:
    codes = [each.code for province in regions.children_of("") for each in regions.children_of(province.code)]
    codes += [each.code for city in codes for each in regions.children_of(city)]
    zones = (Zone(tuple(codes[: MAX_REGIONS - 1]), None),)
    most = Templates((replace(PLAIN, zones=zones), replace(BY_REGION, template_id="b", zones=zones[:0])), "plain")

    check_templates(
        replace(most, templates=(most.templates[0], replace(PLAIN, template_id="b", zones=(Zone((XIHU,), None),))))
    )
    with pytest.raises(InvalidError, match="TEMPLATES_INVALID"):
        check_templates(
            replace(
                most,
                templates=(most.templates[0], replace(PLAIN, template_id="b", zones=(Zone((XIHU, NINGBO), None),))),
            )
        )
