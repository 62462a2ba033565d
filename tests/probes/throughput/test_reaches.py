"""The target test's verdict is about bytes, although segments are counted."""

import socket
import time

import pytest

from probes.throughput.channel import Channel
from probes.throughput.flows import Flow, Flows
from probes.throughput.outcome import Outcome
from probes.throughput.reaches import _decide, most_bytes, seconds
from probes.throughput.settings import Direction, Throughput
from probes.throughput.target import PACE, Answer
from probes.throughput.tcp_info import Glance

ASKED = 8e6
MSS = 100


@pytest.fixture
def flows(context):
    """One stream, without traffic, of a test that began 2 s ago."""
    ours, theirs = socket.socketpair()
    found = Flows(Throughput(server="127.0.0.1:1", at_least=ASKED), context, Direction.DOWN)
    found.flows = [Flow(Channel(ours, time.monotonic), b"abcd", loaded=True)]
    found.start = context.clock.monotonic() - 2.0
    yield found
    found.flows.clear()
    found.close()
    ours.close()
    theirs.close()


def verdict(flows, rate, octets, *, finished=False):
    """What is said when segments came at `rate` bit/s, had they been full, and each carried `octets`."""
    (flow,) = flows.flows
    flow.base = Glance(MSS, MSS, 0, 0, 0, 0, 0, 0)
    flow.last = Glance(MSS, MSS, 20_000, 10_000, 0, 0, 0, 0)
    each = rate / 8 / MSS / 100
    flow.history = [(index / 100, round(each * index), round(each * index) * octets) for index in range(201)]
    outcome = Outcome(direction=Direction.DOWN, tls=False, wanted=0.02, idle_rtt=0.01)
    outcome.samples = [(when, count * MSS) for when, count, _ in flow.history]
    return _decide(outcome, flows, ASKED, ASKED * PACE, finished=finished)


def test_full_segments_at_the_pace_are_a_yes_and_below_the_target_a_no(flows):
    assert verdict(flows, 1.06 * ASKED, MSS).answer is Answer.YES
    assert verdict(flows, 0.7 * ASKED, MSS).answer is Answer.NO


@pytest.mark.parametrize("octets", [1, 50, 90])
def test_segments_that_were_not_full_are_no_yes(octets, flows):
    going = verdict(flows, 1.06 * ASKED, octets)
    assert going.answer is Answer.GO_ON
    found = verdict(flows, 1.06 * ASKED, octets, finished=True)
    assert found.answer is Answer.CANNOT_SAY
    assert found.rate == pytest.approx(1.06 * ASKED * octets / MSS, rel=0.1)
    assert found.reason


def test_too_few_segments_are_a_no_however_little_they_carried(flows):
    assert verdict(flows, 0.7 * ASKED, 50).answer is Answer.NO


def test_many_small_segments_that_carry_enough_are_a_yes(flows):
    """A path that cuts every segment in two is no slower for it."""
    assert verdict(flows, 2.12 * ASKED, 50).answer is Answer.YES


def test_more_than_was_sent_is_no_answer(flows):
    assert verdict(flows, 2 * ASKED, MSS, finished=True).answer is Answer.CANNOT_SAY


def test_what_is_asked_bounds_time_and_data():
    usual = Throughput(server="192.0.2.1:1", at_least=ASKED)
    assert most_bytes(usual) <= 15e6
    assert most_bytes(Throughput(server="192.0.2.1:1", at_least=ASKED, most_bytes=1000)) == 1000
    assert seconds(Throughput(server="192.0.2.1:1", at_least=ASKED, seconds=2.5)) == 2.5
