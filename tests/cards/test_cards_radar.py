"""What views of a card add up to, whatever is repeated and in whatever order it comes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cardstock import cards
from cardstock.cards.model import RING, SCENES, TRANSITIONS, VISITORS, Radar, View, Visitor
from cardstock.cards.radar import count_views
from tests.house.charts import steps_in, steps_of
from tests.people.memory_cards import MemoryRadars, MemoryVisitors

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
CARD = "k7m2p9xw4tab"


def view(number: int = 0, **change: object) -> View:
    made = View(f"view{number:06}", CARD, "", "", "", None, NOW)
    return replace(made, **change)


def counted(*views: View) -> Radar:
    radar = Radar(CARD)
    for one in views:
        radar = radar.with_view(one)
    return radar


reports = st.builds(
    lambda number, visitor, seconds, minutes: view(
        number,
        visitor="" if visitor == 0 else f"mem_{visitor}",
        seconds=seconds,
        at=NOW + timedelta(minutes=minutes),
    ),
    st.integers(0, 20),
    st.integers(0, 3),
    st.one_of(st.none(), st.just(7)),
    st.integers(0, 60),
)


@given(st.lists(reports, max_size=30))
def test_a_repeated_delivery_changes_nothing(views: list[View]) -> None:
    radar = counted(*views)

    assert counted(*views, *views) == radar
    assert all(radar.with_view(one) is radar for one in views)


@given(st.lists(reports, max_size=30))
def test_each_ticket_is_one_view_and_its_seconds_count_once(views: list[View]) -> None:
    radar = counted(*views)

    assert radar.views == len({one.id for one in views})
    assert radar.seconds == 7 * len({one.id for one in views if one.seconds is not None})


REPORTS = (view(1), view(1, seconds=3))
BEFORE = {"unseen": counted(), "opened": counted(view(1)), "timed": counted(view(1, seconds=7))}


def test_the_chart_of_a_view_is_what_reports_do() -> None:
    done = {
        (before, "count_views", radar.with_view(report).state_of(report.id))
        for before, radar in BEFORE.items()
        for report in REPORTS
        if radar.with_view(report) is not radar
    }

    assert steps_in(cards.__doc__) == done
    assert steps_of(TRANSITIONS) == {(before, after) for before, _, after in done}


def test_opening_and_leaving_are_one_view_in_either_order() -> None:
    opened, left = view(scene="group"), view(scene="group", seconds=42)

    assert counted(opened, left).views == counted(left, opened).views == 1
    assert counted(opened, left).seconds == counted(left, opened).seconds == 42


def test_a_whole_batch_is_known_when_it_comes_again() -> None:
    batch = [view(number, seconds=1) for number in range(RING)]
    radar = counted(*batch)

    assert counted(*batch, *batch) == radar
    assert radar.views == RING


def test_an_endless_view_counts_an_hour() -> None:
    assert counted(view(seconds=86_400)).seconds == 3600


def test_only_so_many_scenes_have_names() -> None:
    radar = counted(*(view(number, scene=f"s{number}") for number in range(SCENES + 3)), view(99, scene="s0"))

    assert radar.scenes["s0"] == 2
    assert radar.scenes["other"] == 3
    assert len(radar.scenes) == SCENES + 1


def test_the_latest_visitors_are_remembered_the_last_one_first() -> None:
    views = [view(n, visitor=f"mem_{n}", at=NOW + timedelta(minutes=n)) for n in range(VISITORS + 4)]
    radar = counted(*views, view(900, visitor="mem_10", at=NOW + timedelta(hours=1)))

    assert len(radar.visitors) == VISITORS
    assert radar.visitors[0] == Visitor("mem_10", NOW + timedelta(hours=1), 2, 0)
    assert "mem_0" not in {one.member_id for one in radar.visitors}


def test_a_late_report_does_not_turn_time_back() -> None:
    radar = counted(view(1, visitor="mem_1"), view(2, visitor="mem_1", at=NOW - timedelta(days=1)))

    assert radar.last_at == NOW
    assert radar.visitors[0].last_at == NOW


@pytest.mark.parametrize(
    ("views", "seconds", "days", "warmth"),
    [(1, 0, 0, 10), (3, 60, 0, 40), (50, 5000, 0, 100), (50, 5000, 3, 50), (50, 5000, 400, 0), (1, 0, -1, 10)],
)
def test_warmth_grows_with_views_and_seconds_and_fades(views: int, seconds: int, days: int, warmth: int) -> None:
    assert Visitor("mem_1", NOW, views, seconds).heat(NOW + timedelta(days=days)) == warmth


def test_a_hundred_views_of_ten_cards_cost_one_read_and_ten_writes() -> None:
    radars = MemoryRadars()
    unwritten = count_views(
        [view(n, card=f"card{n % 10}") for n in range(100)], radars=radars, visitors=MemoryVisitors(everybody=True)
    )

    assert unwritten == set()
    assert (radars.reads, radars.writes) == (1, 10)
    assert {radar.views for radar in radars.radars.values()} == {10}


def test_who_loses_a_race_counts_on_top_of_the_winner() -> None:
    radars = MemoryRadars(rivals=2)
    unwritten = count_views([view(1), view(2)], radars=radars, visitors=MemoryVisitors(everybody=True))

    assert unwritten == set()
    assert radars.radars[CARD].views == 4


def test_a_card_that_never_holds_still_is_left_for_later() -> None:
    radars = MemoryRadars(rivals=1000)

    assert count_views([view(1)], radars=radars, visitors=MemoryVisitors(everybody=True)) == {CARD}
    assert radars.writes == 5


def test_a_repeated_batch_writes_nothing() -> None:
    radars = MemoryRadars()
    views = [view(n, card=f"card{n % 10}") for n in range(100)]
    count_views(views, radars=radars, visitors=MemoryVisitors(everybody=True))
    radars.writes = 0
    count_views(views, radars=radars, visitors=MemoryVisitors(everybody=True))

    assert radars.writes == 0
