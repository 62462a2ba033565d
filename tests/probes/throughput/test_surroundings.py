import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.throughput.surroundings import (
    Moment,
    Own,
    cpu_share,
    interface_of,
    interface_rate,
    other_traffic,
    parse_counters,
    parse_cpu,
    read_moment,
)

NET_DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  113012    1212    0    0    0     0          0         0   113013    1213    0    0    0     0       0          0
  eth0:29000000   21000    0    0    0     0          0         0  1000000   12000    0    0    0     0       0          0
"""


def test_counters_are_those_of_the_named_interface():
    found = parse_counters(NET_DEV, "eth0")
    assert (found.received, found.received_packets, found.sent, found.sent_packets) == (29_000_000, 21_000, 1_000_000, 12_000)
    assert parse_counters(NET_DEV, "eth1") is None
    assert parse_counters("eth0: 1 2", "eth0") is None


@given(st.text())
def test_rubbish_is_no_counter(text):
    assert parse_counters(text, "eth0") is None
    parse_cpu(text)


def test_traffic_on_loopback_shows_in_its_counters():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        interface = interface_of(near)
        assert interface == "lo"
        assert interface_rate(interface) is None
        before = read_moment(0.0, interface)
        near.sendall(bytes(100_000))
        far, _ = listener.accept()
        far.close()
        after = read_moment(1.0, interface)
    assert after.counters.received - before.counters.received >= 65_000


def test_other_traffic_is_what_our_own_segments_do_not_explain():
    own = Own(payload=1_448_000, segments=1000, header=66)
    assert other_traffic(1_514_000, 1000, own, 1.0) == 0
    assert other_traffic(1_514_000 + 125_000, 1100, own, 1.0) == 1_000_000
    # A driver that hands over 23 packets for our 1,000 segments counted 23 headers.
    assert other_traffic(1_448_000 + 23 * 66, 23, own, 1.0) == 0
    assert other_traffic(0, 0, own, 1.0) == 0


def test_cpu_is_a_share_of_one_processor_and_of_all():
    def moment(at, process, busy, total):
        return Moment(at=at, counters=None, process=process, host_busy=busy, host_total=total)

    assert cpu_share(moment(0, 1.0, 10, 100), moment(10, 10.0, 25, 120)) == (0.9, 0.75)
    assert cpu_share(moment(0, 1.0, None, None), moment(10, 2.0, None, None)) == (0.1, None)
    assert parse_cpu("cpu  10 0 10 70 10 0 0 0 0 0\n") == pytest.approx((0.2, 1.0))
    assert parse_cpu("not it") is None
