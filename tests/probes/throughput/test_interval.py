import random

import pytest

from probes.throughput.interval import bytes_at, rate_interval


def steady(seconds, rate, every=0.1):
    return [(index * every, rate / 8 * index * every) for index in range(1, round(seconds / every) + 1)]


def test_a_steady_line_has_a_narrow_interval_round_its_rate():
    low, high = rate_interval(steady(10, 8e6))
    assert low == pytest.approx(8e6)
    assert high == pytest.approx(8e6)


def test_the_interval_lies_round_the_mean_rate_of_the_whole_test():
    chance = random.Random(1)
    count, samples = 0.0, []
    for index in range(1, 101):
        count += chance.uniform(50_000, 150_000)
        samples.append((index / 10, count))
    low, high = rate_interval(samples)
    assert (low + high) / 2 == pytest.approx(8 * count / 10)
    assert low < 8 * count / 10 < high


def test_95_of_100_intervals_hold_the_true_rate():
    chance = random.Random(2)
    held = 0
    for _ in range(1000):
        count, samples = 0.0, []
        for second in range(1, 11):
            count += chance.gauss(1000, 100)
            samples.append((float(second), count))
        low, high = rate_interval(samples)
        held += low <= 8000 <= high
    assert 930 <= held <= 970


def test_student_t_of_a_worked_example():
    # Ten batches of 1..10 kB: mean 5.5, standard deviation 3.0277, t(9) = 2.262, half width 2.1657 kB/s.
    samples = [(float(second), 1000.0 * second * (second + 1) / 2) for second in range(1, 11)]
    low, high = rate_interval(samples)
    assert low / 8 == pytest.approx(5500 - 2165.7, abs=1)
    assert high / 8 == pytest.approx(5500 + 2165.7, abs=1)


def test_a_test_too_short_or_with_too_few_readings_has_none():
    assert rate_interval([]) is None
    assert rate_interval(steady(2, 8e6)) is None
    assert rate_interval([(5.0, 1000.0), (10.0, 2000.0)]) is None


def test_the_interval_never_reaches_below_zero():
    samples = [(second / 10, 0.0 if second < 95 else 1e6) for second in range(1, 101)]
    low, _ = rate_interval(samples)
    assert low == 0.0


def test_counts_between_samples_lie_on_straight_lines():
    assert bytes_at([(1.0, 100.0), (2.0, 300.0)], 1.5) == 200
    assert bytes_at([(1.0, 100.0)], 0.5) == 50
    assert bytes_at([(1.0, 100.0)], 9.0) == 100
