import time

import pytest

from probes.throughput.nic import Card, Kind
from probes.throughput.surroundings import Counters, Moment
from probes.throughput.way_out import Look, Way, describe, limited, look, parse_resent, said, ways, wire_rate

WIRE = Way(address="192.0.2.10", card=Card(interface="eth0", kind=Kind.ETHERNET, speed=100e6, mtu=1500))
PACKETS, PAYLOAD = 10_000, 1448


def at(seconds, *, received=0, sent=0, packets=0, resent=0, busy=0.0):
    counters = Counters(received=received, received_packets=packets, sent=sent, sent_packets=packets)
    moment = Moment(at=seconds, counters=counters, process=0.0, host_busy=busy, host_total=2 * seconds)
    return Look(moment=moment, resent=resent)


def test_loopback_is_known_and_nothing_is_sent_to_find_out():
    (way,) = ways("127.0.0.1", 9)
    assert (way.address, way.card.interface, way.loopback) == ("127.0.0.1", "lo", True)
    assert way.mss == way.card.mtu - 52
    first = look(way, time.monotonic)
    assert first.moment.counters is not None
    assert limited(way, first, look(way, time.monotonic), 1e9) == ["loopback"]


def test_a_line_that_carried_only_the_test_has_no_other_load():
    payload, wire = PACKETS * PAYLOAD, PACKETS * 1514
    before, after = at(0.0), at(10.0, received=wire, packets=PACKETS)
    assert describe(WIRE, before, after, down=True, payload=payload)["load_during"] == pytest.approx(0, abs=100)
    after = at(10.0, received=wire + 1_250_000, packets=PACKETS + 900)
    assert describe(WIRE, before, after, down=True, payload=payload)["load_during"] == pytest.approx(1e6, rel=0.001)


def test_what_this_machine_sent_again_is_not_other_load():
    payload, wire = PACKETS * PAYLOAD, (PACKETS + 500) * 1514
    before, after = at(0.0, resent=7), at(10.0, sent=wire, packets=PACKETS + 500, resent=507)
    assert describe(WIRE, before, after, down=False, payload=payload)["load_during"] == pytest.approx(0, abs=100)


def test_load_is_not_told_when_nobody_knows_what_the_test_moved():
    assert "load_during" not in describe(WIRE, at(0.0), at(10.0, received=5_000_000), down=True, payload=None)


def test_a_rate_near_the_card_s_speed_and_a_busy_machine_are_named():
    assert limited(WIRE, at(0.0), at(10.0), 50e6) == []
    assert limited(WIRE, at(0.0), at(10.0), 90e6) == ["interface"]
    assert limited(WIRE, at(0.0), at(10.0, busy=19.9), 90e6) == ["cpu", "interface"]
    assert wire_rate(WIRE, 1448.0) == 1500.0


def test_one_word_stands_alone_and_each_stands_once():
    assert said(["method"]) == "method"
    assert said(["cpu", "method", "cpu"]) == ["cpu", "method"]


def test_segments_that_were_sent_again_are_read_from_the_kernel_s_table():
    text = "Ip: Forwarding\nIp: 1\nTcp: RtoAlgorithm RetransSegs InErrs\nTcp: 1 1234 0\nUdp: InDatagrams\nUdp: 5\n"
    assert parse_resent(text) == 1234
    for broken in ("", "Tcp: A B\n", "Tcp: RetransSegs\nTcp: x\n", "Tcp: A\nTcp: 1\n"):
        assert parse_resent(broken) == 0
