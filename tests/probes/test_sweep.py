"""What the sweeps share: which faults spoil a count and which are our own, and how long a flood may be listened to."""

import errno
import socket
from types import SimpleNamespace

import pytest

from netready.failure import Failed, Failure
from probes.sweep import asking, counted, listen, uncounted
from probes.tries import LATE

NETWORK_DOWN, OUR_BUG = OSError(errno.ENETDOWN, "Network is down"), OSError(errno.EINVAL, "Invalid argument")


def sweep():
    return SimpleNamespace(seconds=0.0, fault=None)


def test_a_fault_on_the_way_is_kept_beside_the_time_that_was_asked(hand_clock):
    spoiled = sweep()
    with asking(spoiled, hand_clock):
        hand_clock.advance(2.5)
        raise NETWORK_DOWN
    assert (spoiled.fault.failure, spoiled.seconds) == (Failure.UNREACHABLE, 2.5)


def test_a_failure_with_its_reason_is_kept_as_it_is(hand_clock):
    spoiled, fault = sweep(), Failed(Failure.UNREACHABLE, "interface eth0 has lost its link")
    with asking(spoiled, hand_clock):
        raise fault
    assert spoiled.fault is fault


def test_an_error_that_is_no_networks_doing_goes_through(hand_clock):
    with pytest.raises(OSError, match="Invalid argument"), asking(sweep(), hand_clock):
        raise OUR_BUG
    with pytest.raises(OSError, match="Invalid argument"):
        uncounted("arp_hosts", "10.66.0.0/24", hand_clock.now(), OUR_BUG, "arp_sweep/2")


def test_a_count_that_a_fault_cut_short_is_none_and_says_what_was_found(hand_clock):
    fault = Failed(Failure.UNREACHABLE, "interface eth0 is down")
    told = counted("arp_hosts", "10.66.0.0/24", hand_clock.now(), 7, "arp_sweep/2", fault=fault, addresses=256)
    assert (told.value, told.failure) == (None, Failure.UNREACHABLE)
    assert told.details == {"addresses": 256, "found": 7, "reason": "interface eth0 is down"}
    whole = counted("arp_hosts", "10.66.0.0/24", hand_clock.now(), 7, "arp_sweep/2", fault=None, addresses=256)
    assert (whole.value, whole.failure, whole.details) == (7.0, None, {"addresses": 256})


def test_a_flood_does_not_hold_up_the_next_question(hand_clock):
    heard = []
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        there.send(b"and again")  # it stays there, so there is always something to hear
        listen(here, hand_clock, hand_clock.monotonic(), lambda: heard.append(here.recv(16, socket.MSG_PEEK)))
    assert len(heard) == LATE
