"""From what happened to a figure, its limits and its details; every word that lowers a grade."""

import socket

import pytest

from netready.failure import Failed, Failure
from probes.throughput.limited import full, limited_by, queue, retransmitted
from probes.throughput.netready_report import burst, describe, latency, rate
from probes.throughput.nic import Card, Kind
from probes.throughput.outcome import Outcome
from probes.throughput.responsiveness import FEWEST
from probes.throughput.settings import Direction
from probes.throughput.steady import Steady
from probes.throughput.surroundings import Counters, Moment
from probes.throughput.throughput1 import Counters as Told
from probes.throughput.throughput1 import Machine

RATE = 80e6
STEADY = Steady(start=0.5, end=1.2, rate=RATE, low=0.98 * RATE, high=1.02 * RATE, samples=70)
ETHERNET = Card(interface="eth0", kind=Kind.ETHERNET, speed=1e9, full_duplex=True)
SENDER = {"BytesSent": 10_000_000, "BytesRetrans": 0, "BusyTime": 1_000_000, "RWndLimited": 0, "SndBufLimited": 0, "Options": 1}


def samples(rate_at, seconds=1.2):
    count, found = 0.0, []
    for index in range(round(100 * seconds) + 1):
        found.append((index / 100, count))
        count += rate_at(index / 100) / 800
    return found


def outcome(**changed) -> Outcome:
    """A download that filled the line until its rate was known."""
    usual = {
        "direction": Direction.DOWN,
        "tls": False,
        "wanted": 0.02,
        "seconds": 1.3,
        "family": socket.AF_INET,
        "card": ETHERNET,
        "tcp_before": [{"BytesReceived": 1000, "BytesSent": 500}],
        "tcp_after": [{"BytesReceived": 10_001_000, "BytesSent": 2500, "Options": 1}],
        "loaded": [True],
        "told": [Told(BytesSent=10_000_000, BytesRetrans=0, BusyTime=1_000_000, RWndLimited=0, SndBufLimited=0)],
        "samples": samples(lambda _at: RATE),
        "steady": STEADY,
        "idle_rtt": 0.01,
        "full": True,
        "mss": 1448,
        "ended": "known",
    }
    return Outcome(**(usual | changed))


def up(**sender) -> Outcome:
    return outcome(direction=Direction.UP, full=False, tcp_before=[{}], tcp_after=[SENDER | sender])


def told(**sender) -> Outcome:
    return outcome(full=False, told=[Told(**({"BytesSent": 10**7, "BusyTime": 10**6} | sender))])


# What limited it.

WORDS = {
    "its own queue stood": (outcome(), ["link"]),
    "nothing was seen": (outcome(full=False), ["unknown"]),
    "over loopback": (outcome(loopback=True, ended="data-budget"), ["loopback"]),
    "the server's process was busy": (outcome(hosts=[Machine(Process=0.9), Machine()]), ["server"]),
    "the server's machine was busy": (outcome(hosts=[Machine(All=0.96)]), ["server"]),
    "the card is no faster": (
        outcome(card=Card(interface="eth0", kind=Kind.ETHERNET, speed=80e6, full_duplex=True)),
        ["interface"],
    ),
    "the card is half-duplex": (
        outcome(card=Card(interface="eth0", kind=Kind.ETHERNET, speed=1e9, full_duplex=False)),
        ["half-duplex"],
    ),
    "over the air": (outcome(card=Card(interface="wlan0", kind=Kind.WIFI)), ["wifi"]),
    "through a tunnel": (outcome(card=Card(interface="wg0", kind=Kind.TUNNEL)), ["tunnel"]),
    "the budget was spent": (outcome(ended="data-budget"), ["data-budget"]),
    "it did not settle": (outcome(ended="unsettled"), ["unsettled"]),
    "the server ended it": (outcome(ended="server"), ["server"]),
    "our window was full": (told(RWndLimited=300_000), ["receive-window"]),
    "the server's buffer was full": (told(SndBufLimited=300_000), ["send-buffer"]),
    "the server's window was full": (up(RWndLimited=300_000), ["receive-window"]),
    "our buffer was full": (up(SndBufLimited=300_000), ["send-buffer"]),
    "packets were lost": (told(BytesRetrans=100_000), ["loss"]),
    "packets of ours were lost": (up(BytesRetrans=100_000), ["loss"]),
    "segments were not full": (outcome(full=False, fill=0.5), ["sender"]),
    "several things": (
        outcome(full=False, hosts=[Machine(All=1.0)], card=Card(interface="wlan0", kind=Kind.WIFI), ended="unsettled"),
        ["server", "wifi", "unsettled"],
    ),
}


@pytest.mark.parametrize("what", WORDS)
def test_the_figure_is_limited_when(what):
    happened, words = WORDS[what]
    assert limited_by(happened, RATE, 0.1, 0.2) == words


@pytest.mark.parametrize(("process", "host"), [(0.9, 0.2), (0.9, None), (0.1, 0.97)])
def test_the_figure_is_limited_by_this_computer_when_it_is_busy(process, host):
    assert limited_by(outcome(), RATE, process, host) == ["cpu"]


def test_no_word_is_said_twice():
    words = limited_by(outcome(ended="server", hosts=[Machine(Process=2.0)]), RATE, 0.1, 0.2)
    assert words == ["server"]


def test_losses_behind_a_full_queue_are_the_line_s_own():
    happened = outcome(told=[Told(BytesSent=10**7, BytesRetrans=10**6, BusyTime=10**6)])
    assert limited_by(happened, RATE, 0.1, 0.2) == ["link"]
    assert retransmitted(happened) == pytest.approx(0.1)


@pytest.mark.parametrize(("sent", "again"), [(0, 0), (0, 5), (10, 11), (None, 5)])
def test_counts_of_retransmissions_that_cannot_be_are_none(sent, again):
    assert retransmitted(outcome(told=[Told(BytesSent=sent, BytesRetrans=again)])) is None


@pytest.mark.parametrize(
    ("waited", "answer"),
    [
        ([0.004] * 19 + [0.0], True),
        ([0.004] * 18 + [0.0] * 2, False),  # the line may have been idle for a tenth of the time
        ([0.0029] * 20, False),
        ([0.004] * 4, False),  # too few to tell
        ([], False),
    ],
)
def test_a_line_is_full_when_nearly_every_ping_had_to_wait(waited, answer):
    pings = [(1.0 + index / 100, 0.1 + queue) for index, queue in enumerate(waited)]
    assert full([(0.5, 0.1), *pings, (2.5, 0.1)], 1.0, 2.0, 0.1) is answer


# The figure.


def test_the_figure_is_that_of_the_steady_phase():
    assert rate(outcome()) == RATE


def test_a_test_without_a_steady_phase_gives_the_mean_of_its_last_part_and_says_so():
    happened = outcome(steady=None, ended="time", samples=samples(lambda at: RATE * (0.5 + at / 2.4)))
    value = rate(happened)
    assert 0.8 * RATE < value < 0.95 * RATE
    assert (happened.ended, happened.full) == ("unsettled", False)
    assert "did not settle" in happened.reason
    details = describe(happened, value)
    assert details["interval"][0] <= value <= details["interval"][1]
    assert "unsettled" in limited_by(happened, value, 0.1, 0.2)


@pytest.mark.parametrize(
    ("ended", "failure"),
    [("time", Failure.INCONCLUSIVE), ("data-budget", Failure.INCONCLUSIVE), ("server", Failure.CLOSED_EARLY)],
)
@pytest.mark.parametrize("seen", [[], samples(lambda _at: RATE, 0.2), samples(lambda _at: 0.0)])
def test_too_little_is_no_figure(seen, ended, failure):
    with pytest.raises(Failed) as failed:
        rate(outcome(steady=None, samples=seen, ended=ended))
    assert failed.value.failure is failure
    assert failed.value.reason


def test_the_server_s_own_reason_is_kept():
    with pytest.raises(Failed, match="going home"):
        rate(outcome(steady=None, samples=[], ended="server", reason="going home"))


def test_segments_that_were_not_full_count_for_what_they_carried():
    happened = outcome(fill=0.5)
    assert rate(happened) == 0.5 * RATE
    assert happened.steady.low <= 0.5 * RATE <= happened.steady.high
    assert not happened.full


def test_a_burst_before_the_steady_phase_is_told_apart():
    happened = samples(lambda at: 3 * RATE if at < 0.4 else RATE)
    peak, size = burst(happened, STEADY)
    assert peak == pytest.approx(3 * RATE, rel=0.01)
    assert size == pytest.approx(0.4 * 3 * RATE / 8, rel=0.3)


@pytest.mark.parametrize(
    "at",
    [
        lambda _at: RATE,
        lambda at: RATE * min(1.0, at / 0.3),
        lambda at: 1.2 * RATE if at < 0.4 else RATE,
        lambda at: 3 * RATE if at > 0.6 else RATE,  # in the steady phase, which is another matter
        lambda _at: 0.0,
    ],
)
def test_what_is_no_burst(at):
    assert burst(samples(at), STEADY) is None


def test_no_readings_are_no_burst():
    assert burst([], STEADY) is None
    assert burst([(0.0, 0.0)], STEADY) is None


# Latency.


def test_the_queue_is_the_median_of_the_phase_less_the_empty_line():
    pings = [(0.1, 9.0), *((0.5 + index / 10, 0.04 + index / 1000) for index in range(5))]
    assert queue(pings, 0.5, 1.0, 0.01) == pytest.approx(0.032)
    assert queue(pings[:5], 0.5, 1.0, 0.01) is None


def probed(**changed) -> Outcome:
    times = [0.2 + index / 50 for index in range(50)]
    own = {"pings": [(at, 0.05) for at in times], "own": [(at, 0.2) for at in times], "knocks": [(at, 0.03) for at in times]}
    return outcome(**(own | changed))


def test_latency_under_load_is_that_of_the_steady_phase():
    early = [(0.1, 5.0)] * 50
    usual = probed()
    (metric, p50, details), (other, rpm, counts) = latency(probed(pings=early + usual.pings))
    assert (metric, other) == ("latency_loaded_down", "responsiveness_down")
    assert (p50, details["p95"]) == (0.05, 0.05)
    assert rpm == pytest.approx(900)
    assert counts["self_pings"] == sum(at >= 0.5 for at, _ in usual.own)
    assert details["line_full"] is True


@pytest.mark.parametrize(
    "changed", [{"loopback": True}, {"steady": None}, {"pings": []}, {"pings": [(0.9, 0.05)] * (FEWEST - 1)}]
)
def test_no_latency_is_told_that_was_not_seen(changed):
    assert list(latency(probed(**changed))) == []


def test_without_new_connections_there_is_no_responsiveness():
    assert [metric for metric, _, _ in latency(probed(knocks=[], direction=Direction.UP))] == ["latency_loaded_up"]


# Details.


def moment(at, received=0, packets=0):
    counters = Counters(received=received, received_packets=packets, sent=0, sent_packets=0)
    return Moment(at=at, counters=counters, process=0.0, host_busy=0.0, host_total=at)


def test_details_of_a_figure():
    details = describe(outcome(before=moment(0.0), after=moment(1.0, 12_500_000, 10_000)), RATE)
    assert details["interval"] == [STEADY.low, STEADY.high]
    assert details["window"] == [0.5, 1.2]
    assert (details["bytes_received"], details["bytes_sent"]) == (10_000_000, 2000)
    assert details["ip_rate"] == pytest.approx(RATE * 1500 / 1448)
    assert (details["limited_by"], details["interface"], details["interface_rate"]) == ("link", "eth0", 1e9)
    assert 0 < details["load_during"] <= 8 * 2_500_000
    assert details["layer"] == "TCP payload"


def test_details_of_a_failure_hold_no_figure():
    details = describe(outcome(), None)
    assert details["bytes_received"] == 10_000_000
    assert not {"interval", "ip_rate", "limited_by", "burst_rate"} & details.keys()


def test_counters_that_fall_are_no_negative_bytes():
    details = describe(outcome(tcp_after=[{"BytesReceived": 10, "Options": 1}]), None)
    assert (details["bytes_received"], details["bytes_sent"]) == (0, 0)


def test_streams_that_joined_later_are_counted_from_zero():
    later = {"BytesReceived": 5_000_000, "Options": 1}
    happened = outcome()
    happened.tcp_after.append(later)
    happened.loaded.append(True)
    happened.told.append(None)
    details = describe(happened, RATE)
    assert (details["bytes_received"], details["streams"]) == (15_000_000, 2)
