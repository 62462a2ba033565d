"""What the kernel's counts of several streams come to, without a network."""

import pytest

from probes.throughput.flows import Flow, Flows
from probes.throughput.settings import Direction, Throughput
from probes.throughput.tcp_info import Glance

MSS = 1000


def flow(history, *, mss=MSS, loaded=True) -> Flow:
    found = Flow(None, b"abcd", loaded=loaded)
    found.base = Glance(mss, mss, 0, 0, 0, 0, 0, 0)
    found.last = Glance(mss, mss, 20_000, 10_000, 0, 0, 0, 0)
    found.history = history
    return found


@pytest.fixture
def flows(context):
    found = Flows(Throughput(server="127.0.0.1:1"), context, Direction.DOWN)
    yield found
    found.flows.clear()
    found.close()


def even(octets, lag=0, every=0.01):
    """A hundred readings of a stream with ten segments each of so many bytes; `lag` bytes always wait out of order."""
    return [(index * every, 10 * index, max(0, 10 * index * octets - lag)) for index in range(101)]


def test_full_segments_are_full(flows):
    flows.flows = [flow(even(MSS)), flow(even(MSS))]
    assert flows.fill(0.0, 1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("octets", [1, 100, 900])
def test_small_segments_are_as_full_as_they_are(octets, flows):
    flows.flows = [flow(even(octets))]
    assert flows.fill(0.0, 1.0) == pytest.approx(octets / MSS)
    assert flows.fill(0.3, 0.8) == pytest.approx(octets / MSS)


def test_one_stream_of_small_segments_shows_among_full_ones(flows):
    flows.flows = [flow(even(MSS)), flow(even(MSS)), flow(even(10))]
    assert flows.fill(0.0, 1.0) == pytest.approx((2 * MSS + 10) / 3 / MSS)


def test_what_waits_out_of_order_all_the_time_is_not_held_against_it(flows):
    flows.flows = [flow(even(MSS, lag=20 * MSS))]
    assert flows.fill(0.2, 1.0) == pytest.approx(1.0)


def test_more_bytes_than_fit_into_the_segments_are_no_more_than_full(flows):
    flows.flows = [flow(even(2 * MSS))]
    assert flows.fill(0.0, 1.0) == 1.0


def test_without_readings_nothing_is_said_against_the_segments(flows):
    assert flows.fill(0.0, 1.0) == 1.0
    flows.flows = [flow([])]
    assert flows.fill(0.0, 1.0) == 1.0
    flows.flows = [flow(even(10))]
    assert flows.fill(5.0, 6.0) == 1.0


def test_segment_size_and_round_trip_are_those_of_the_load_and_of_the_best_stream(flows):
    idle = flow([], mss=9000, loaded=False)
    idle.last = idle.last._replace(min_rtt=2**32 - 1)
    flows.flows = [flow([]), flow([], mss=1448), idle]
    assert flows.mss == 1448
    assert flows.idle_rtt == 0.01
    flows.flows = [idle]
    assert (flows.mss, flows.idle_rtt) == (0, 0)
