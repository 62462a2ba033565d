import pytest

from probes.throughput.iperf3_plan import scout, whole, within


def test_the_time_asked_for_is_the_whole_load_and_its_beginning_is_left_out():
    assert (whole(12.0, 4).seconds, whole(12.0, 4).omit) == (10, 2)
    assert (whole(5.9, 4).seconds, whole(5.9, 4).omit) == (4, 1)
    assert (whole(1.5, 4).seconds, whole(1.5, 4).omit) == (1, 0)
    assert whole(12.0, 4).arguments == ["-P", "4", "-t", "10", "-O", "2"]


def test_a_scout_is_paced_to_a_quarter_of_the_budget_in_its_second():
    run = scout(20_000_000, 4)
    assert run.arguments == ["-P", "4", "-t", "1", "-O", "0", "-b", "10000000", "-l", "62500"]
    assert scout(1_000_000, 4).arguments[-1] == "3125"


def test_a_line_as_fast_as_the_scout_is_counted_in_bytes():
    run = within(20_000_000, 40e6, 15_000_000, 12.0, 4)
    assert run.arguments == ["-P", "4", "-n", "14250000"]
    assert run.lasts == pytest.approx(3.0)


@pytest.mark.parametrize("rate", [0.1e6, 1e6, 5e6, 20e6, 31e6])
def test_a_slower_line_is_timed_and_cannot_use_more_than_the_budget_even_if_it_is_faster_than_it_seemed(rate):
    left = 15_000_000
    run = within(20_000_000, rate, left, 12.0, 4)
    assert run.count == 0
    assert 2 <= run.seconds + run.omit <= 12
    assert run.pace * (run.seconds + run.omit) / 8 <= 0.96 * left
    assert run.pace > 1.3 * rate


def test_a_slow_line_has_its_whole_time():
    run = within(200_000_000, 20e6, 199_000_000, 12.0, 4)
    assert (run.seconds, run.omit) == (10, 2)
