import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.throughput.warmup import BURST, KEPT, ramp_end, steady_start

READ = 0.01


def counts(rate_at, seconds, *, begin=0.0):
    """Readings every 10 ms of a transfer whose rate in bit/s at a moment is rate_at(moment)."""
    samples = [(begin, 0.0)]
    for index in range(round(seconds / READ)):
        when, count = samples[-1]
        samples.append((when + READ, count + rate_at(index * READ) / 8 * READ))
    return samples


def slow_start(rtt, rate=1e8, first=2e6):
    return lambda moment: min(rate, first * 2 ** int(moment / rtt + 1e-9))


@pytest.mark.parametrize("rtt", [0.002, 0.02, 0.06, 0.12])
def test_slow_start_is_left_out(rtt):
    samples = counts(slow_start(rtt), 2.0)
    begin = steady_start(samples, rtt=rtt)
    ramp = 6 * rtt
    assert ramp - rtt <= samples[begin][0] <= max(ramp + 2 * rtt, 0.2)
    end, start = samples[-1], samples[begin]
    assert 8 * (end[1] - start[1]) / (end[0] - start[0]) == pytest.approx(1e8, rel=1e-6)


def test_while_the_rate_rises_there_is_none():
    samples = counts(slow_start(0.12), 2.0)
    assert [steady_start(samples[:count], rtt=0.12) for count in (0, 1, 2, 10, 40, 70)] == [None] * 6


def test_nothing_that_arrives_never_begins():
    assert steady_start([(index * READ, 0.0) for index in range(200)], rtt=0.02) is None


def test_the_time_before_the_first_byte_does_not_count():
    silent = [(index * READ, 0.0) for index in range(50)]
    late = silent + [(0.5 + when, count) for when, count in counts(slow_start(0.02), 1.0)]
    early = counts(slow_start(0.02), 1.0)
    assert late[steady_start(late, rtt=0.02)][0] - 0.5 == pytest.approx(early[steady_start(early, rtt=0.02)][0], abs=0.05)


def test_the_dip_after_start_up_is_left_out():
    def rate(moment):
        return slow_start(0.1)(moment) if moment < 0.8 else 6e7 if moment < 0.9 else 1e8

    samples = counts(rate, 2.5)
    assert samples[steady_start(samples, rtt=0.1)][0] >= 0.89


def test_burst_credit_is_left_out():
    samples = counts(lambda moment: 4e8 if moment < 0.3 else 1e8, 1.5)
    assert samples[steady_start(samples, rtt=0.01)][0] == pytest.approx(0.3, abs=0.03)


def test_what_could_be_other_traffic_is_not_left_out():
    # Quiet only in the last half: a rule that looks for the quietest part would keep just that.
    chance = random.Random(5)
    samples = counts(lambda moment: 1e8 if moment > 0.8 else chance.choice([8e7, 1e8]), 1.6)
    assert samples[steady_start(samples, rtt=0.01)][0] <= 0.2


def test_most_of_the_time_since_the_ramp_is_kept():
    chance = random.Random(6)
    for _ in range(50):
        level = [chance.choice([1e8, 1e8 * 2 * BURST]) for _ in range(40)]
        samples = counts(lambda moment, level=level: level[int(moment / 0.05)], 2.0)
        ramp, begin = ramp_end(samples, rtt=0.01), steady_start(samples, rtt=0.01)
        if ramp is not None:
            assert samples[-1][0] - samples[begin][0] >= KEPT * (samples[-1][0] - samples[ramp][0]) - 0.04


@given(st.floats(0, 1e5), st.lists(st.floats(1e6, 1e9), min_size=40, max_size=80))
def test_the_clocks_zero_does_not_matter(shift, rates):
    samples = counts(lambda moment: rates[int(moment / 0.05) % len(rates)], 2.0)
    later = [(when + shift, count) for when, count in samples]
    one, other = steady_start(samples, rtt=0.02), steady_start(later, rtt=0.02)
    assert (one is None) == (other is None)


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=60), st.floats(allow_nan=False))
def test_rubbish_never_crashes(samples, rtt):
    found = steady_start(samples, rtt=rtt)
    assert found is None or 0 <= found < len(samples)


def test_a_clock_that_runs_back_ends_in_bounded_time():
    samples = counts(slow_start(0.02), 1.0)
    jumbled = samples[50:] + samples[:50]
    found = steady_start(jumbled, rtt=0.02)
    assert found is None or 0 <= found < len(jumbled)
    assert steady_start([(math.inf, 0.0), (math.inf, 1.0)], rtt=0.02) is None
