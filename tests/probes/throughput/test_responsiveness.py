"""Round trips under load: the arithmetic by hand, and the connection that only times its handshake."""

import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed
from probes.throughput.pump import Pump, Rider
from probes.throughput.responsiveness import FEWEST, Knock, quantile, responsiveness, trimmed_mean


def test_quantiles_lie_on_straight_lines_between_the_values():
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([1, 2], 0.5) == 1.5
    assert quantile([1, 2, 3, 4, 5], 0.95) == pytest.approx(4.8)
    assert (quantile([7], 0.95), quantile([1, 9], 0.0), quantile([1, 9], 1.0)) == (7, 1, 9)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_quantile_is_never_outside_the_values(values, share):
    assert min(values) <= quantile(values, share) <= max(values)


def test_the_trimmed_mean_leaves_out_the_slowest_twentieth():
    assert trimmed_mean([1.0] * 19 + [1000.0]) == 1.0
    assert trimmed_mean([2.0]) == 2.0
    assert trimmed_mean([1.0, 3.0]) == 2.0


def test_round_trips_a_minute_by_hand():
    found = responsiveness([0.05] * 20, [0.2] * 3, [0.03] * 5)
    # Foreign: the mean of 0.05 and 0.03 is 0.04, so 1500 a minute; own: 0.2, so 300; the mean of both is 900.
    assert found.rpm == pytest.approx(900)
    assert (found.p50, found.p95) == (0.05, 0.05)
    assert (found.pings, found.self_pings, found.knocks) == (20, 3, 5)


def test_too_few_pings_say_nothing_and_a_missing_half_no_rpm():
    assert responsiveness([0.05] * (FEWEST - 1), [0.1], [0.1]) is None
    assert responsiveness([], [], []) is None
    assert responsiveness([0.05] * FEWEST, [], [0.1]).rpm is None
    assert responsiveness([0.05] * FEWEST, [0.1], []).rpm is None


def test_round_trips_of_no_time_at_all_are_finite():
    assert 0 < responsiveness([0.0] * FEWEST, [0.0], [0.0]).rpm < 1e9


def _knock_at(address) -> Knock:
    knock = Knock(socket.AF_INET, address, time.monotonic)
    pump = Pump(time.monotonic)
    lost = []
    pump.add(Rider(knock, hear=lambda _message: None, lost=lost.append))
    end = time.monotonic() + 3
    while not lost and time.monotonic() < end:
        pump.turn(time.monotonic() + 0.1)
    pump.close()
    knock.connection.close()
    assert [type(error) for error in lost] == [Failed]
    return knock


def test_a_new_connection_is_timed_until_it_stands():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert 0 <= _knock_at(listener.getsockname()).seconds < 3


def test_a_connection_that_is_refused_has_no_time():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    assert _knock_at(address).seconds is None
