"""Regions: every code, what is in what, and the region of an address that another platform wrote."""

import subprocess
import sys
from collections import Counter
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardstock import regions
from tests.house.cloud import ROOT

FILE: Final = ROOT / "layers/cardstock/python/cardstock/regions/codes.txt"
CODES: Final = [line[:6] for line in FILE.read_text("utf-8").splitlines()]
PROVINCES: Final = [code for code in CODES if code.endswith("0000")]
NAMES: Final = {line[:6]: line[7:] for line in FILE.read_text("utf-8").splitlines()}


def test_the_file_has_each_code_once_in_their_order() -> None:
    assert len(CODES) == len(set(CODES)) == 3662
    assert sorted(CODES) == CODES
    assert all(code.isascii() and code.isdigit() and len(code) == 6 for code in CODES)
    assert all(name and name == name.strip() and not name.isascii() for name in NAMES.values())
    assert len(PROVINCES) == 34


@pytest.mark.parametrize("province", PROVINCES)
def test_a_region_is_in_all_that_its_path_names_and_nothing_else(province: str) -> None:
    for code in (each for each in CODES if each[:2] == province[:2]):
        path = regions.path_of(code)
        found = regions.find_region(code)

        assert (path[0], path[-1]) == (province, code)
        assert found is not None
        assert found.name == NAMES[code] == regions.names_of(code)[-1]
        assert all(regions.contains(each, code) for each in path)
        for outer, inner in pairwise(path):
            assert regions.contains(outer, inner)
            assert not regions.contains(inner, outer)
            assert inner in [child.code for child in regions.children_of(outer)]
        assert not any(regions.contains(other, code) for other in PROVINCES if other != province)


@pytest.mark.parametrize("province", PROVINCES)
def test_the_names_of_a_region_lead_back_to_its_code(province: str) -> None:
    for code in (each for each in CODES if each[:2] == province[:2]):
        names = regions.names_of(code)

        assert regions.region_of("", names) == regions.FoundRegion(code, "names", regions.is_precise(code))
        assert regions.region_of(code, []) == regions.FoundRegion(code, "code", True)
        assert regions.region_of(code, names) == regions.FoundRegion(code, "code", True)


def test_every_region_is_reached_from_the_provinces_once() -> None:
    reached: list[str] = []
    waiting = [""]
    while waiting:
        children = [child.code for child in regions.children_of(waiting.pop())]
        reached += children
        waiting += [code for code in children if regions.has_children(code)]

    assert sorted(reached) == CODES


def test_no_two_regions_beside_each_other_have_one_name() -> None:
    counted = Counter((regions.parent_of(code), NAMES[code]) for code in CODES)

    assert [each for each, count in counted.items() if count > 1] == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("110101", ("北京市", "东城区")),  # a municipality has no city
        ("500229", ("重庆市", "城口县")),
        ("429004", ("湖北省", "仙桃市")),  # directly below the province
        ("469001", ("海南省", "五指山市")),
        ("659001", ("新疆维吾尔自治区", "石河子市")),
        ("441900", ("广东省", "东莞市")),  # cities without districts
        ("442000", ("广东省", "中山市")),
        ("330106", ("浙江省", "杭州市", "西湖区")),
        ("810101", ("香港特别行政区", "香港岛", "中西区")),
        ("820102", ("澳门特别行政区", "澳门半岛", "花地玛堂区")),
        ("710101", ("台湾省", "台北市", "中正区")),
    ],
)
def test_a_region_has_the_names_of_what_it_is_in(code: str, names: tuple[str, ...]) -> None:
    assert regions.names_of(code) == names
    assert not regions.has_children(code)
    assert regions.is_precise(code)


@pytest.mark.parametrize("code", ["", "999999", "110100", "429000", "441901", "320611", "11", "١١٠١٠١", "110101\n"])
def test_what_is_no_region_in_force_has_no_code(code: str) -> None:
    assert not regions.is_valid(code)
    assert regions.find_region(code) is None
    assert not regions.contains(code, code)
    assert not regions.is_precise(code)


@pytest.mark.parametrize(
    ("code", "names", "found"),
    [
        # WeChat names a county below the province so.
        ("", ["湖北省", "省直辖县级行政区划", "仙桃市"], ("429004", "names", True)),
        ("", ["湖北省", "仙桃市", "仙桃市"], ("429004", "names", True)),
        # A city without districts: the third name is a town, which no code has.
        ("", ["广东省", "东莞市", "中堂镇"], ("441900", "names", True)),
        ("441901", ["广东省", "东莞市", "中堂镇"], ("441900", "names", True)),
        # Municipalities repeat their name as the city.
        ("", ["北京市", "北京市", "东城区"], ("110101", "names", True)),
        ("", ["重庆市", "县", "城口县"], ("500229", "names", True)),
        # Names without their kind, and of a county that became a district.
        ("", ["上海", "上海", "静安"], ("310106", "names", True)),
        ("110228", ["北京市", "县", "密云县"], ("110118", "names", True)),
        ("", ["内蒙古", "呼和浩特", "新城"], ("150102", "names", True)),
        # An old code, and a district that is no more: the city is known.
        ("320611", ["江苏省", "南通市", "港闸区"], ("320600", "names", False)),
        ("320590", ["江苏省", "苏州市", "工业园区"], ("320500", "names", False)),
        # A known code holds, and names only make it more exact.
        ("330106", ["上海市", "上海市", "静安区"], ("330106", "code", True)),
        ("330100", ["浙江省", "杭州市", "西湖区"], ("330106", "code", True)),
        ("810000", ["香港特别行政区", "香港特别行政区", "中西区"], ("810101", "code", True)),
        ("", ["辽宁省", "朝阳", "双塔"], ("211302", "names", True)),  # a city before the counties of all cities
        # A district that several cities of the province have, without its city.
        ("", ["江苏省", "", "鼓楼区"], ("320000", "names", False)),
        ("", ["江苏省", "鼓楼"], ("320000", "names", False)),
        ("", ["江苏省", "徐州市", "鼓楼区"], ("320302", "names", True)),
        ("", ["四川省", "攀枝花市", "东县"], ("510400", "names", False)),  # one letter is no name
        # No district: the city is all that was written.
        ("", ["浙江省", "杭州市", ""], ("330100", "names", True)),
        ("", ["浙江省", "杭州市", "杭州市"], ("330100", "names", True)),
        # The province alone is not enough, and names no precise region.
        ("", ["浙江省"], ("330000", "names", False)),
        ("", ["浙江省", "月亮市", "环形区"], ("330000", "names", False)),
        ("", ["吉林省", "吉林市", "朝阳区"], ("220200", "names", False)),  # 朝阳区 is in 长春市
    ],
)
def test_the_region_of_an_address_by_code_and_names(code: str, names: list[str], found: tuple[str, str, bool]) -> None:
    region = regions.region_of(code, names)

    assert region is not None
    assert (region.code, region.by, region.whole) == found


@pytest.mark.parametrize("names", [[], [""], ["Zhejiang"], ["火星"], ["", "杭州市", "西湖区"]])
def test_an_address_without_a_known_province_has_no_region(names: list[str]) -> None:
    assert regions.region_of("000000", names) is None


@given(code=st.sampled_from(CODES), noise=st.lists(st.text(max_size=4), max_size=3))
def test_a_known_code_is_never_replaced_by_a_region_outside_it(code: str, noise: list[str]) -> None:
    found = regions.region_of(code, noise)

    assert found is not None
    assert regions.contains(code, found.code)


@given(names=st.lists(st.text(max_size=5) | st.sampled_from(sorted(set(NAMES.values()))), max_size=4))
def test_any_names_give_a_region_in_the_province_they_begin_with_or_none(names: list[str]) -> None:
    found = regions.region_of("", names)

    assert found is None or regions.is_valid(found.code)
    assert found is None or found.by == "names"


def test_an_import_reads_no_file() -> None:
    """Every function that imports an area of addresses would pay for it otherwise."""
    code = (
        "import sys; opened = []; sys.addaudithook(lambda e, a: opened.append(str(a[0])) if e == 'open' else None);"
        "from cardstock import regions; before = any('codes.txt' in each for each in opened);"
        "regions.is_valid('110000'); print(before, any('codes.txt' in each for each in opened))"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.split() == ["False", "True"]
