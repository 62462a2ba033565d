import socket

import pytest

from netready.failure import Failed
from probes.throughput.ndt7_report import Outcome, describe, limited_by, rate
from probes.throughput.ndt7_spec import TcpCounters
from probes.throughput.nic import Card, Kind
from probes.throughput.settings import Direction
from probes.throughput.surroundings import Counters, Moment

SAMPLES = [(float(second), 12_500_000.0 * second) for second in range(1, 11)]  # 100 Mbit/s

THIN = {"RcvMSS": 1448, "AdvMSS": 1448, "Options": 7, "DataSegsIn": 100_000}


def wired(speed):
    return Card(interface="eth0", kind=Kind.ETHERNET, speed=speed)


def outcome(**changed):
    fields = {
        "direction": Direction.DOWN,
        "tls": False,
        "wanted": 10.0,
        "family": socket.AF_INET,
        "samples": SAMPLES,
        "told": TcpCounters(BusyTime=9_900_000, RWndLimited=0, SndBufLimited=0, MinRTT=12_000, BytesSent=1000, BytesRetrans=10),
        "tcp_after": {"RcvMSS": 1448, "SndMSS": 1448, "Options": 7},
        "ended": "close",
    }
    return Outcome(**(fields | changed))


def test_a_download_is_what_arrived_by_the_time_it_took():
    assert rate(outcome()) == 100e6
    details = describe(outcome(), 100e6)
    assert details["interval"] == pytest.approx([100e6, 100e6])
    assert details["ip_rate"] == pytest.approx(100e6 * 1500 / 1448)
    assert (details["min_rtt"], details["retransmitted"], details["streams"]) == (0.012, 0.01, 1)
    assert details["layer"] == "TCP payload"
    assert describe(outcome(tls=True), 100e6)["layer"] == "TLS payload"


def test_an_upload_is_what_the_server_counted_and_says_so():
    told = outcome(direction=Direction.UP, told_samples=[(1.0, 1000.0), (2.0, 4000.0)])
    assert rate(told) == 16_000
    assert describe(told, 16_000)["counted_by"] == "server"


def test_an_upload_without_the_server_s_count_is_our_own_and_says_so():
    silent = outcome(direction=Direction.UP)
    assert rate(silent) == 100e6
    assert describe(silent, 100e6)["counted_by"] == "this side (bytes acknowledged)"


def test_nothing_moved_is_no_figure():
    with pytest.raises(Failed, match="no load"):
        rate(outcome(samples=[]))


@pytest.mark.parametrize(
    ("changed", "process", "host", "words"),
    [
        ({}, 0.3, 0.5, "link"),
        ({}, 0.9, 0.5, "cpu"),
        ({}, 0.3, 0.99, "cpu"),
        ({}, 0.3, None, "link"),
        ({"loopback": True}, 0.3, 0.5, "loopback"),
        ({"card": wired(100e6)}, 0.3, 0.5, "interface"),
        ({"card": wired(1e9)}, 0.3, 0.5, "link"),
        ({"card": Card(interface="wlan0", kind=Kind.WIFI)}, 0.9, 0.5, "cpu wifi"),
        ({"told": TcpCounters(BusyTime=9_900_000, RWndLimited=3_000_000)}, 0.3, 0.5, "receive-window"),
        ({"told": TcpCounters(BusyTime=9_900_000, SndBufLimited=3_000_000)}, 0.3, 0.5, "send-buffer"),
        ({"told": TcpCounters(BusyTime=4_000_000)}, 0.3, 0.5, "sender"),
        ({"told": TcpCounters(BusyTime=9_900_000), "streams": 2}, 0.3, 0.5, "sender"),
        ({"told": TcpCounters()}, 0.3, 0.5, ""),
        ({"told": None}, 0.3, 0.5, ""),
        ({"told": None, "short": True}, 0.3, 0.5, "sender"),
        ({"told": None, "tcp_after": THIN | {"BytesReceived": 30_000_000}}, 0.3, 0.5, "sender"),
        ({"told": None, "tcp_after": THIN | {"BytesReceived": 144_000_000}}, 0.3, 0.5, ""),
        ({"ended": "data-budget"}, 0.3, 0.5, "data-budget"),
        ({"ended": "data-budget", "loopback": True}, 0.3, 0.5, "data-budget loopback"),
    ],
)
def test_what_limited_a_test_is_only_said_when_it_shows(changed, process, host, words):
    assert limited_by(outcome(**changed), 100e6, process, host) == words.split()


def test_one_limit_is_a_word_and_several_are_a_list():
    now = Moment(at=10.0, counters=None, process=9.5, host_busy=None, host_total=None)
    start = Moment(at=0.0, counters=None, process=0.0, host_busy=None, host_total=None)
    assert describe(outcome(before=start, after=now), 100e6)["limited_by"] == "cpu"
    assert describe(outcome(before=start, after=now, ended="data-budget"), 100e6)["limited_by"] == ["data-budget", "cpu"]


def test_other_traffic_is_told_apart_from_our_own():
    def moment(at, received, packets):
        counters = Counters(received=received, received_packets=packets, sent=0, sent_packets=0)
        return Moment(at=at, counters=counters, process=0.0, host_busy=None, host_total=None)

    own = {"BytesReceived": 125_000_000, "SegsIn": 90_000, "Options": 7, "RcvMSS": 1448}
    seen = outcome(
        before=moment(0.0, 0, 0),
        after=moment(10.0, 125_000_000 + 90_000 * 66 + 12_500_000, 99_000),
        tcp_after=own,
        interface="eth0",
    )
    assert describe(seen, 100e6)["load_during"] == pytest.approx(10e6, rel=0.01)
    assert describe(seen, 100e6)["interface"] == "eth0"
    assert "load_during" not in describe(outcome(loopback=True, before=seen.before, after=seen.after), 100e6)
