import math
import random
import socket
import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.authority import Refused
from netready.failure import Failure
from probes import latency, wire_icmp


def may_open_raw():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


raw = pytest.mark.skipif(not may_open_raw(), reason="raw ICMP needs CAP_NET_RAW; run as root")
FAST = {"count": 8, "interval": 0.01, "timeout": 0.3}


def read(context, **settings):
    found = list(latency.read(latency.Settings(**FAST | settings), context))
    return {each.metric: each for each in found}


def may_echo():
    try:
        latency._echo_socket(socket.AF_INET).close()
    except latency.Failed:
        return False
    return True


echo = pytest.mark.skipif(not may_echo(), reason="ICMP echo is not allowed to this user (net.ipv4.ping_group_range)")


@echo
@pytest.mark.parametrize("target", ["127.0.0.1", "::1", "localhost"])
def test_echo_on_loopback_gives_all_four_metrics(context, target):
    found = read(context, targets=(target,))
    assert {name: each.failure for name, each in found.items()} == dict.fromkeys(latency.METRICS)
    rtt = found["latency_rtt"]
    assert 0 < rtt.value < 0.1
    assert rtt.details["transport"] == "icmp"
    assert rtt.details["samples"] == 8
    assert rtt.details["min"] <= rtt.interval[0] <= rtt.value <= rtt.interval[1] <= rtt.details["max"]
    assert found["latency_rtt_p95"].value == rtt.details["max"]
    assert found["packet_loss"].value == 0


@raw
def test_raw_sockets_see_everybodys_packets_and_still_count_only_our_own_replies(context, monkeypatch):
    kinds = []
    real = socket.socket

    def only_raw(family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0, fileno=None):
        if kind == socket.SOCK_DGRAM and protocol in {socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6}:
            raise PermissionError
        kinds.append(kind)
        return real(family, kind, protocol, fileno)

    monkeypatch.setattr(socket, "socket", only_raw)
    for target in ("127.0.0.1", "::1"):
        found = read(context, targets=(target,))
        assert found["packet_loss"].value == 0
        assert found["latency_rtt"].details["samples"] == 8
    assert socket.SOCK_RAW in kinds


def test_connections_are_timed_when_the_target_has_a_port(context, tcp_server):
    port = tcp_server(lambda _connection: None)
    found = read(context, targets=(f"127.0.0.1:{port}",))
    assert found["latency_rtt"].details["transport"] == "tcp"
    assert 0 < found["latency_rtt"].value < 0.1
    assert found["packet_loss"].value == 0


def test_connections_over_ipv6(context, tcp_server):
    port = tcp_server(lambda _connection: None, socket.AF_INET6)
    found = read(context, targets=(f"[::1]:{port}",))
    assert found["latency_rtt"].details["address"] == "::1"


def test_a_closed_port_is_refused_and_is_not_called_loss(context):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        found = read(context, targets=(f"127.0.0.1:{sock.getsockname()[1]}",))
    assert {each.failure for each in found.values()} == {Failure.REFUSED}


def test_when_every_probe_is_lost_the_loss_is_a_value_and_the_times_are_failures(context):
    with socket.socket() as full:  # a listener whose queue is full lets connections time out
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.settimeout(0)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        time.sleep(0.05)
        found = read(context, targets=(f"127.0.0.1:{port}",), count=2, timeout=0.1)
        for filler in fillers:
            filler.close()
    assert found["packet_loss"].value == 1.0
    assert found["latency_rtt"].failure is Failure.TIMEOUT
    assert found["latency_rtt_p95"].failure is Failure.TIMEOUT
    assert found["latency_jitter"].failure is Failure.TIMEOUT


def test_one_answer_has_no_jitter(context, tcp_server):
    port = tcp_server(lambda _connection: None)
    found = read(context, targets=(f"127.0.0.1:{port}",), count=1)
    assert found["latency_rtt"].value is not None
    assert found["latency_jitter"].failure is Failure.NO_ANSWER


def test_without_the_right_to_echo_the_reason_names_the_way_out(context, monkeypatch):
    def refuse(*_args):
        raise PermissionError

    monkeypatch.setattr(socket, "socket", refuse)
    found = read(context, targets=("127.0.0.1",))
    assert found["latency_rtt"].failure is Failure.NOT_PERMITTED
    assert found["packet_loss"].failure is Failure.NOT_PERMITTED
    assert "a target with a port" in found["latency_rtt"].details["reason"]


def test_a_stranger_is_refused_before_the_first_packet_of_anybody(context):
    reading = latency.read(latency.Settings(targets=("127.0.0.1", "192.0.2.1")), context)
    with pytest.raises(Refused):
        next(reading)


def test_traffic_is_told_once_so_that_it_can_be_added_up(context, tcp_server):
    port = tcp_server(lambda _connection: None)
    found = latency.read(latency.Settings(**FAST, targets=(f"127.0.0.1:{port}",)), context)
    assert sum("bytes_sent" in each.details for each in found) == 1


def test_a_bad_target_is_refused_when_the_settings_are_read():
    with pytest.raises(ValueError, match="a port is a number"):
        latency.Settings(targets=("host:99999",))


def test_nothing_configured_says_so():
    assert latency.INSTRUMENT.missing(latency.Settings()) == "no host is named in latency.targets"


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60))
def test_statistics_agree_with_the_standard_library_and_with_each_other(values):
    assert latency.median(values) == pytest.approx(statistics.median(values))
    p95 = latency.nearest_rank(values, 0.95)
    assert p95 in values
    assert sum(value <= p95 for value in values) >= 0.95 * len(values)
    interval = latency.median_interval(values)
    assert (interval is None) == (len(values) < 6)
    if interval:
        assert interval[0] <= latency.median(values) <= interval[1]


def test_the_interval_holds_the_true_median_at_least_95_times_in_100():
    chance = random.Random(5)
    held = 0
    for _ in range(2000):
        low, high = latency.median_interval([chance.expovariate(1) for _ in range(20)])
        held += low <= math.log(2) <= high
    assert held / 2000 >= 0.95


def test_jitter_is_the_mean_step():
    assert latency.jitter([1.0, 3.0, 2.0]) == pytest.approx(1.5)


def test_requests_are_what_scapy_reads_as_echo_requests():
    from scapy.layers.inet import ICMP

    packet = ICMP(wire_icmp.request(4, 0x1234, 5, b"t" * 16))
    assert (packet.type, packet.id, packet.seq) == (8, 0x1234, 5)
    assert wire_icmp.checksum(bytes(packet)) == 0


def test_replies_that_scapy_makes_are_recognised_by_their_token_alone():
    from scapy.layers.inet import ICMP, IP

    token = b"0123456789abcdef"
    reply = bytes(ICMP(type=0, id=9, seq=77) / token)
    assert wire_icmp.answered(reply, 4, token) == 77
    assert wire_icmp.answered(bytes(IP(src="192.0.2.1", dst="192.0.2.2") / ICMP(type=0, seq=3) / token), 4, token) == 3
    assert wire_icmp.answered(reply, 4, b"another token 16") is None
    assert wire_icmp.answered(bytes(ICMP(type=8, seq=77) / token), 4, token) is None


@given(st.binary(max_size=120), st.sampled_from([4, 6]))
def test_rubbish_answers_nothing(packet, version):
    assert wire_icmp.answered(packet, version, b"0123456789abcdef") is None
