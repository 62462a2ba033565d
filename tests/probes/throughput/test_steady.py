"""The stop rule: what counts as a rate that stands still."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.throughput.spread import FLOOR
from probes.throughput.steady import FAST, LEAST_SECONDS, LEAST_SECONDS_FAST, Steady, least_phase, steady

EVERY = 0.01


def readings(rate_at, seconds, *, begin=0.0, noise=0.0, seed=1):
    """(seconds, bytes) about every 10 ms of a line whose rate (bit/s) is a function of the time since `begin`."""
    chance = random.Random(seed)
    at, count, found = 0.0, 0.0, []
    while at <= seconds:
        found.append((begin + at, count))
        step = EVERY * chance.uniform(0.8, 1.2)
        count += max(0.0, rate_at(at + step / 2) * step / 8 * (1 + noise * chance.gauss(0, 1)))
        at += step
    return found


@given(rate=st.floats(1e5, 1e10), seconds=st.floats(2, 4), rtt=st.floats(0, 0.09))
@settings(max_examples=60, derandomize=True)
def test_a_constant_rate_is_that_rate_and_known_to_the_floor(rate, seconds, rtt):
    found = steady(readings(lambda _at: rate, seconds), rtt=rtt)
    assert found.rate == pytest.approx(rate, rel=1e-6)
    assert found.low < rate < found.high
    assert found.precision == pytest.approx(FLOOR, rel=0.01)
    assert found.end - found.start >= least_phase(rtt, rate) - 1e-6


@given(rate=st.floats(1e6, 1e9), ramp=st.floats(0.1, 1.0), level=st.floats(1.5, 3.0), seed=st.integers(0, 99))
@settings(max_examples=60, derandomize=True)
def test_a_ramp_is_left_out(rate, ramp, level, seed):
    def at(moment):
        return rate * min(1.0, math.exp(5 * (moment / ramp - 1)))

    found = steady(readings(at, ramp + level, noise=0.02, seed=seed), rtt=0.01)
    assert found is not None
    assert found.start > 0.7 * ramp
    assert found.rate == pytest.approx(rate, rel=0.03)
    assert found.low < rate * 1.01
    assert found.high > rate * 0.99


@given(growth=st.floats(0.06, 20), seconds=st.floats(0.4, 3), rtt=st.floats(0, 0.02))
@settings(max_examples=80, derandomize=True)
def test_a_rate_that_only_grows_is_never_known(growth, seconds, rtt):
    found = steady(readings(lambda at: 1e6 * math.exp(growth * at), seconds), rtt=rtt)
    assert found is None or found.precision > 0.02


@given(growth=st.floats(0.0, 0.06))
@settings(max_examples=30, derandomize=True)
def test_a_rate_that_hardly_grows_is_its_mean(growth):
    found = steady(readings(lambda at: 1e6 * math.exp(growth * at), 1.5), rtt=0.0)
    if found is not None:
        mean = 1e6 * (math.exp(growth * 1.5) - 1) / growth / 1.5 if growth > 1e-9 else 1e6
        assert found.low < mean * 1.02
        assert found.high > mean * 0.98


def test_a_step_down_is_forgotten_once_there_is_enough_of_the_new_rate():
    """As when a policer's burst credit is used up in the middle."""

    def at(moment):
        return 22e6 if moment < 1.2 else 20e6

    for seconds in (1.3, 1.6, 2.0, 2.4):
        found = steady(readings(at, seconds, noise=0.01), rtt=0.01)
        assert found is None or found.precision > 0.02 or found.low < 20.5e6
    found = steady(readings(lambda moment: 30e6 if moment < 1.2 else 20e6, 3.2, noise=0.01), rtt=0.01)
    assert found.rate == pytest.approx(20e6, rel=0.02)
    assert found.start == pytest.approx(1.2, abs=0.1)
    assert found.before is None or found.before == pytest.approx(30e6, rel=0.1)


def test_a_rough_beginning_that_the_interval_would_excuse_is_left_out():
    """As when a sender finds the line's rate late: all is level within an interval that wide, its last part far better."""

    def at(moment):
        return 60e6 + 25e6 * math.sin(25 * moment) if moment < 1.5 else 70e6

    rough = readings(at, 3.4, noise=0.01)
    whole = steady(rough, rtt=0.01, precision=math.inf)
    assert whole.start < 1.0
    assert whole.precision > 0.02
    found = steady(rough, rtt=0.01, precision=0.02)
    assert found.start == pytest.approx(1.5, abs=0.15)
    assert found.rate == pytest.approx(70e6, rel=0.01)
    assert found.precision <= 0.02


@given(rate=st.floats(1e6, 1e9), noise=st.floats(0, 0.3), shift=st.sampled_from([1.0, 256.0, 4096.0]), seed=st.integers(0, 99))
@settings(max_examples=25, derandomize=True)
def test_when_the_clock_began_does_not_matter(rate, noise, shift, seed):
    one = steady(readings(lambda _at: rate, 1.5, noise=noise, seed=seed), rtt=0.01)
    other = steady(readings(lambda _at: rate, 1.5, begin=shift, noise=noise, seed=seed), rtt=0.01)
    assert (one is None) == (other is None)
    if one is not None:
        assert other.rate == pytest.approx(one.rate, rel=1e-3)
        if noise > 0.01:  # without noise every beginning is as good as any other
            assert other.start - shift == pytest.approx(one.start, abs=0.03)
            assert other.precision == pytest.approx(one.precision, rel=0.1)


def test_what_is_too_short_too_empty_or_silent_is_not_steady():
    whole = readings(lambda _at: 1e6, 1.5)
    assert steady([], rtt=0.0) is None
    assert steady(whole[:1], rtt=0.0) is None
    assert steady(whole[: int(LEAST_SECONDS / EVERY) - 2], rtt=0.0) is None
    assert steady(whole, rtt=0.4) is None  # four round trips take longer
    assert steady(readings(lambda _at: 0.0, 2.0), rtt=0.0) is None
    fallen = steady(readings(lambda at: 1e6 if at < 1 else 0.0, 2.0), rtt=0.0)
    assert fallen is None or fallen.precision > 0.5


def test_a_hole_in_the_readings_is_no_steady_phase():
    whole = readings(lambda _at: 1e6, 1.5)
    assert steady(whole, rtt=0.0) is not None
    assert steady([each for each in whole if not 0.5 < each[0] < 1.0], rtt=0.0) is None


def test_a_fast_line_needs_a_shorter_phase_and_a_long_path_a_longer_one():
    assert least_phase(0.01, FAST / 2) == LEAST_SECONDS
    assert least_phase(0.01, FAST * 2) == LEAST_SECONDS_FAST
    assert least_phase(0.5, FAST * 2) == 2.0


TIMES = st.lists(st.floats(0, 1), max_size=150).map(sorted)


@given(times=TIMES, counts=st.lists(st.floats(-1e12, 1e12), min_size=150, max_size=150), rtt=st.floats(0, 3))
@settings(max_examples=80, derandomize=True)
def test_any_counts_on_a_clock_that_does_not_go_back_are_steady_or_not(times, counts, rtt):
    found = steady(list(zip(times, counts, strict=False)), rtt=rtt)
    assert found is None or 0 <= found.low <= found.rate <= found.high < math.inf


def test_precision_is_half_the_interval_in_parts_of_the_rate():
    assert Steady(start=0, end=1, rate=100, low=95, high=105, samples=50).precision == pytest.approx(0.05)
