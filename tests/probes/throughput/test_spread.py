import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.throughput.spread import BATCHES, FLOOR, SHORTEST, STUDENT, probability_below, steady_interval, steady_mean

RATE = 1e8
SLOT = 0.02


def counts(rates, *, begin=0.0, already=0.0, slot=SLOT):
    """Readings of a phase from its rate in each slot, in bit/s."""
    samples = [(begin, already)]
    for rate in rates:
        when, count = samples[-1]
        samples.append((when + slot, count + rate / 8 * slot))
    return samples


def wobbling(chance, *, slots, spread, memory):
    """Rates that follow a first-order autoregression with the given correlation time in seconds."""
    keep = math.exp(-SLOT / memory)
    drift = chance.gauss(0, 1)
    rates = []
    for _ in range(slots):
        drift = keep * drift + math.sqrt(1 - keep * keep) * chance.gauss(0, 1)
        rates.append(RATE * (1 + spread * drift))
    return rates


def test_a_constant_rate_is_known_to_the_floor():
    mean, low, high = steady_interval(counts([RATE] * 50), rtt=0.02)
    assert mean == pytest.approx(RATE)
    assert high - mean == pytest.approx(FLOOR * RATE, rel=1e-3)
    assert mean - low == pytest.approx(FLOOR * RATE, rel=1e-3)


def test_the_mean_is_bytes_over_time():
    chance = random.Random(1)
    samples = counts([RATE * chance.uniform(0.5, 1.5) for _ in range(60)], begin=7.5, already=123456.0)
    mean, low, high = steady_interval(samples, rtt=0.02)
    assert mean == pytest.approx(8 * (samples[-1][1] - 123456.0) / (samples[-1][0] - 7.5))
    assert low < mean < high


@pytest.mark.parametrize(
    ("memory", "seconds", "fewest"),
    [
        (0.001, 0.5, 940),
        (0.001, 2.0, 940),
        (0.03, 0.5, 940),
        (0.03, 2.0, 940),
        (0.1, 0.5, 940),
        (0.1, 2.0, 940),
        (0.3, 2.0, 920),
    ],
)
def test_the_interval_holds_the_long_run_rate_of_noise_that_remembers(memory, seconds, fewest):
    chance = random.Random(f"{memory} {seconds}")
    held = 0
    for _ in range(1000):
        samples = counts(wobbling(chance, slots=round(seconds / SLOT), spread=0.05, memory=memory))
        _, low, high = steady_interval(samples, rtt=0.02)
        held += low <= RATE <= high
    assert held >= fewest


def test_an_interval_that_overlooks_memory_would_not_hold_it():
    # What the model is for: the textbook's interval from independent slots, on the same noise, holds 40 % instead of 95 %.
    chance = random.Random("0.1 0.5")
    held = 0
    for _ in range(400):
        rates = wobbling(chance, slots=25, spread=0.05, memory=0.1)
        mean = sum(rates) / 25
        reach = 2.064 * math.sqrt(sum((rate - mean) ** 2 for rate in rates) / 24 / 25)
        held += abs(mean - RATE) <= reach
    assert held < 240


def test_a_rate_that_still_rises_is_not_precisely_known():
    mean, low, high = steady_interval(counts([RATE * (0.8 + 0.4 * slot / 50) for slot in range(50)]), rtt=0.02)
    assert (high - low) / 2 > 0.1 * mean


def test_a_step_within_the_phase_is_not_precisely_known():
    mean, low, high = steady_interval(counts([RATE] * 25 + [RATE / 2] * 25), rtt=0.02)
    assert (high - low) / 2 > 0.15 * mean


def test_more_of_the_same_noise_narrows_the_interval():
    chance = random.Random(3)
    rates = wobbling(chance, slots=250, spread=0.05, memory=0.02)
    widths = [high - low for _, low, high in (steady_interval(counts(rates[:slots]), rtt=0.02) for slots in (25, 80, 250))]
    assert widths[0] > widths[1] > widths[2]


def lumpy(chance, *, seconds, late):
    """Readings of a constant rate, each of which counts what had come up to `late` s before, at random."""
    times = (0.01 * number for number in range(1, round(100 * seconds)))
    return [(0.0, 0.0)] + [(when, RATE / 8 * max(0.0, when - chance.uniform(0, late))) for when in times]


def test_counts_that_come_in_lumps_are_known_better_than_a_rate_that_strays_as_much():
    chance = random.Random("lumps")
    held, ratios = 0, []
    for _ in range(300):
        samples = lumpy(chance, seconds=0.8, late=0.004)
        mean, low, high = steady_interval(samples, rtt=0.02)
        held += low <= RATE <= high
        length = (samples[-1][0] - samples[0][0]) / BATCHES
        spread = math.sqrt(2 / 12) * 0.004 / length * RATE  # of one batch; were batches independent, 1/4 of it would be left
        ratios.append((high - mean) / (STUDENT * spread / math.sqrt(BATCHES)))
    assert held >= 290
    assert sorted(ratios)[150] < 0.9


def test_a_short_phase_has_none():
    assert steady_interval([], rtt=0.02) is None
    assert steady_interval(counts([RATE] * round(SHORTEST / SLOT - 1)), rtt=0.02) is None
    assert steady_interval(counts([RATE] * BATCHES), rtt=0.02) is not None
    assert steady_interval(counts([RATE] * 20), rtt=0.2) is None


def test_nothing_that_arrived_is_no_rate():
    assert steady_interval(counts([0.0] * 50), rtt=0.02) is None


def test_a_hole_in_the_readings_hides_too_much():
    samples = counts([RATE] * 50)
    assert steady_interval(samples[:10] + samples[30:], rtt=0.02) is None
    assert steady_interval(samples[:10] + samples[13:], rtt=0.02) is not None


@pytest.mark.parametrize("place", [7, 50])
@pytest.mark.parametrize("bad", [(math.nan, 1e6), (0.1, math.nan), (math.inf, 1e6), (0.1, math.inf), (-1.0, 1e6), (0.1, -1.0)])
def test_readings_that_make_no_sense_have_none(place, bad):
    samples = counts([RATE] * 50, begin=0.2, already=100.0)
    samples[place] = bad
    assert steady_interval(samples, rtt=0.02) is None


@pytest.mark.parametrize("bad", [(math.nan, 0.0), (0.0, math.nan), (-math.inf, 0.0), (0.0, -math.inf)])
def test_a_phase_that_begins_nowhere_has_none(bad):
    assert steady_interval([bad, *counts([RATE] * 50)[1:]], rtt=0.02) is None


@given(
    rates=st.lists(st.floats(1e3, 1e10), min_size=20, max_size=80),
    begin=st.floats(0, 1e4),
    already=st.floats(0, 1e9),
    times=st.floats(0.5, 2),
)
def test_only_differences_and_ratios_matter(rates, begin, already, times):
    mean, error = steady_mean(counts(rates), rtt=0.02)
    shifted = steady_mean(counts(rates, begin=begin, already=already), rtt=0.02)
    assert shifted == pytest.approx((mean, error), rel=1e-3)
    scaled = steady_mean(counts([rate * times for rate in rates]), rtt=0.02)
    assert scaled == pytest.approx((mean * times, error * times), rel=1e-6)


@given(
    st.lists(st.tuples(st.floats(), st.floats()), max_size=60),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_rubbish_never_crashes(samples, rtt):
    found = steady_interval(samples, rtt=rtt)
    if found is not None:
        mean, low, high = found
        assert 0 <= low <= mean <= high


def test_students_distribution_agrees_with_the_tables():
    # NIST/SEMATECH e-Handbook 1.3.6.7.2, 15 degrees of freedom.
    for ratio, share in ((1.341, 0.90), (1.753, 0.95), (STUDENT, 0.975), (2.602, 0.99), (3.733, 0.999)):
        assert probability_below(ratio) == pytest.approx(share, abs=1e-4)
        assert probability_below(-ratio) == pytest.approx(1 - share, abs=1e-4)
    assert probability_below(0) == 0.5
    assert probability_below(math.inf) == pytest.approx(1)
