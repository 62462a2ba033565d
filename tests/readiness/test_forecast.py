"""Demand in bands, the year a contract is used up, and growth from the school's own history."""

import math
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.forecast import (
    FEWEST_MONTHS,
    HEADROOM,
    NO_HISTORY,
    ORDERABLE,
    Band,
    Growth,
    Programme,
    forecast,
    history,
    orderable,
    student,
)

FLAT = Growth(low=0.0, middle=0.0, high=0.0, how="test")


def months(count, growth, *, noise=0.0, chance=None, start=100e6):
    rows = []
    for index in range(count):
        day = date(2024 + (8 + index) // 12, (8 + index) % 12 + 1, 1)
        years = (day - date(2024, 9, 1)).days / 365.25
        rows.append((day, start * math.exp(math.log1p(growth) * years + (chance.gauss(0, noise) if chance else 0))))
    return rows


def test_the_need_of_each_year_is_users_times_peak_times_growth_with_headroom():
    found = forecast(peak=104e6, users=[520, 530, 540], year=2026, growth=NO_HISTORY, contracted=500e6)
    assert found.per_user == pytest.approx(200e3)
    assert [year.year for year in found.years] == [2026, 2027, 2028]
    assert found.years[0].need == {band: pytest.approx(104e6 * 1.35) for band in Band}
    assert found.years[2].need[Band.MIDDLE] == pytest.approx(540 * 200e3 * 1.25**2 * (1 + HEADROOM))
    assert found.years[2].need[Band.LOW] < found.years[2].need[Band.MIDDLE] < found.years[2].need[Band.HIGH]


def test_a_programme_adds_from_its_year_on_and_is_not_grown():
    tablets = Programme(name="one tablet each", year=2027, users=200, rate=1e6, concurrency=0.25)
    found = forecast(peak=100e6, users=[500] * 3, year=2026, growth=FLAT, contracted=None, programmes=[tablets], headroom=0)
    assert [year.need[Band.LOW] for year in found.years] == [100e6, 150e6, 150e6]


def test_the_first_year_above_the_contract_is_named_for_each_band():
    growth = Growth(low=0.0, middle=0.25, high=1.0, how="test")
    found = forecast(peak=100e6, users=[500] * 4, year=2026, growth=growth, contracted=200e6, headroom=0.0)
    assert found.exhausted == {Band.LOW: None, Band.MIDDLE: None, Band.HIGH: 2028}
    exactly = forecast(peak=100e6, users=[500] * 2, year=2026, growth=FLAT, contracted=100e6, headroom=0.0)
    assert exactly.exhausted[Band.LOW] is None
    unknown = forecast(peak=100e6, users=[500] * 2, year=2026, growth=FLAT, contracted=None)
    assert unknown.exhausted == dict.fromkeys(Band)


def test_the_next_size_carries_the_last_year_and_the_standards():
    standards = {"100 Mbps": 100e3, "1 Gbps": 1e6}
    found = forecast(peak=50e6, users=[500, 600], year=2026, growth=FLAT, contracted=500e6, standards=standards, headroom=0.0)
    assert found.order == dict.fromkeys(Band, 1e9)
    assert found.below == {"100 Mbps": None, "1 Gbps": 2027}
    alone = forecast(peak=50e6, users=[500, 600], year=2026, growth=FLAT, contracted=500e6, headroom=0.0)
    assert alone.order == dict.fromkeys(Band, 100e6)


@pytest.mark.parametrize(
    ("rate", "size"), [(0, 10e6), (10e6, 10e6), (10e6 + 1, 25e6), (999e6, 1e9), (4e11, 4e11), (4.1e11, None)]
)
def test_sizes_that_lines_are_sold_in(rate, size):
    assert orderable(rate) == size


@pytest.mark.parametrize("bad", [{"peak": 0.0}, {"users": []}, {"users": [0, 5]}])
def test_nothing_to_divide_by_is_refused(bad):
    given_ = {"peak": 1e6, "users": [5], "year": 2026, "growth": FLAT, "contracted": None} | bad
    with pytest.raises(ValueError, match="needs today's users and a peak rate above 0"):
        forecast(**given_)


def test_less_than_a_year_is_no_history():
    assert history(months(FEWEST_MONTHS - 1, 0.3)) is NO_HISTORY
    assert history([(date(2026, 1, 1 + index), 1e8) for index in range(12)]) is NO_HISTORY
    assert history([]) is NO_HISTORY


def test_a_clear_trend_is_found_with_its_interval():
    found = history(months(18, 0.3))
    assert found.months == 18
    assert found.middle == pytest.approx(0.3, abs=1e-9)
    assert found.low == pytest.approx(0.3, abs=1e-6)
    assert "18 months" in found.how
    assert "Sep 2024 to Feb 2026" in found.how


def test_the_interval_holds_the_growth_nine_times_in_ten():
    chance = random.Random(7)
    held = 0
    for _ in range(500):
        found = history(months(24, 0.2, noise=0.08, chance=chance))
        held += found.low <= 0.2 <= found.high
    assert 430 <= held <= 470


def test_a_history_without_a_trend_says_so_and_falls_back_to_published_rates():
    chance = random.Random(3)
    found = history(months(12, 0.2, noise=0.9, chance=chance))
    assert (found.low, found.middle, found.high) == (0.12, 0.25, 0.50)
    assert "no clear trend" in found.how
    assert found.months == 0


@pytest.mark.parametrize(("freedom", "quantile"), [(8, 1.8595), (10, 1.8125), (20, 1.7247), (30, 1.6973)])
def test_students_quantiles_are_those_of_the_tables(freedom, quantile):
    assert student(0.90, freedom) == pytest.approx(quantile, rel=2e-3)


@given(
    peak=st.floats(1e6, 1e10),
    users=st.lists(st.integers(1, 100_000), min_size=1, max_size=8),
    grown=st.tuples(*[st.floats(-0.3, 1.0)] * 3).map(sorted),
    contracted=st.floats(1e6, 1e11),
)
def test_bands_are_in_order_and_a_larger_contract_never_ends_sooner(peak, users, grown, contracted):
    growth = Growth(low=grown[0], middle=grown[1], high=grown[2], how="test")
    found = forecast(peak=peak, users=users, year=2026, growth=growth, contracted=contracted)
    larger = forecast(peak=peak, users=users, year=2026, growth=growth, contracted=2 * contracted)
    for year in found.years:
        low, middle, high = (year.need[band] for band in Band)
        assert low <= middle <= high
    for band in Band:
        assert (larger.exhausted[band] or 9999) >= (found.exhausted[band] or 9999)
        order = found.order[band]
        assert order is None or order in ORDERABLE
