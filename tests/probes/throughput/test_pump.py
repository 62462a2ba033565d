"""One thread moves many channels: what is due, what is lost, and what is left alone."""

import socket
import time

import pytest

from netready.failure import Failed, Failure
from probes.throughput.channel import Channel
from probes.throughput.pump import Pump, Rider
from probes.throughput.websocket import Opcode, encode

KEY = b"abcd"


class End:
    """A channel on the pump, and the other end of its connection."""

    def __init__(self, pump, **rider) -> None:
        ours, self.far = socket.socketpair()
        self.far.settimeout(2)
        self.channel = Channel(ours, time.monotonic)
        self.channel.become_websocket(masked=True)
        self.heard, self.lost = [], []
        self.rider = Rider(self.channel, **({"hear": self.heard.append, "lost": self.lost.append} | rider))
        pump.add(self.rider)

    def ping(self, text=b"x") -> None:
        self.far.sendall(encode(Opcode.PING, text, key=KEY))

    def close(self) -> None:
        self.channel.connection.close()
        self.far.close()


@pytest.fixture
def pump():
    made = Pump(time.monotonic)
    yield made
    made.close()


@pytest.fixture
def ends(pump):
    """Put channels on the pump; all are closed afterwards."""
    made = []

    def start(**rider):
        made.append(End(pump, **rider))
        return made[-1]

    yield start
    for end in made:
        end.close()


def turn(pump, until, seconds=3.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        pump.turn(time.monotonic() + 0.02)


def test_a_turn_without_traffic_ends_in_time(pump, ends):
    ends()
    began = time.monotonic()
    pump.turn(began + 0.05)
    pump.turn(began - 7)  # a moment that has passed is no wait
    assert 0.03 < time.monotonic() - began < 1


def test_messages_reach_their_own_listener_and_answers_their_own_peer(pump, ends):
    one, other = ends(), ends()
    one.ping(b"one")
    other.ping(b"other")
    turn(pump, lambda: one.heard and other.heard)
    assert [message.payload for message in one.heard + other.heard] == [b"one", b"other"]
    one.channel.queue(encode(Opcode.PONG, b"one"))
    pump.wake(one.rider)
    turn(pump, lambda: one.channel.idle)
    assert one.far.recv(100) == encode(Opcode.PONG, b"one")


def test_a_peer_that_goes_is_told_once_and_leaves_the_others_alone(pump, ends):
    gone, here = ends(), ends()
    gone.far.close()
    turn(pump, lambda: gone.lost)
    here.ping()
    turn(pump, lambda: here.heard)
    assert len(pump) == 1
    (error,) = gone.lost
    assert isinstance(error, Failed)
    assert error.failure is Failure.CLOSED_EARLY
    assert here.lost == []


def test_what_was_said_before_going_is_heard(pump, ends):
    end = ends()
    end.ping(b"last words")
    end.far.close()
    turn(pump, lambda: end.lost)
    assert [message.payload for message in end.heard] == [b"last words"]


def test_a_frame_that_breaks_the_rules_is_the_end_of_its_channel(pump, ends):
    end = ends()
    end.far.sendall(b"\xff" * 20)
    turn(pump, lambda: end.lost)
    assert end.lost[0].failure is Failure.MALFORMED
    assert len(pump) == 0


def test_ticks_come_when_they_are_due_and_not_before(pump, ends):
    ticks = []

    def tick(now):
        ticks.append(now)
        end.rider.due = now + 0.05

    begin = time.monotonic()
    end = ends(tick=tick, due=begin + 0.05)
    turn(pump, lambda: len(ticks) == 3)
    assert all(now - begin >= 0.05 * count for count, now in enumerate(ticks, start=1))


def test_a_rider_that_was_removed_hears_nothing_more_and_may_be_removed_again(pump, ends):
    end = ends()
    pump.remove(end.rider)
    pump.remove(end.rider)
    end.ping()
    pump.turn(time.monotonic() + 0.02)
    pump.wake(end.rider)
    assert end.heard == []
    assert len(pump) == 0


def test_a_descriptor_s_next_owner_is_not_taken_for_the_last(pump, ends):
    old = ends()
    pump.remove(old.rider)
    number = old.rider.descriptor
    old.channel.connection.close()
    old.far.close()
    new = ends()
    assert new.rider.descriptor == number
    pump.remove(old.rider)
    pump.wake(old.rider)
    new.ping(b"new")
    turn(pump, lambda: new.heard)
    assert old.heard == []


def test_a_rider_may_leave_while_it_is_heard(pump, ends):
    one, other = ends(), ends()
    one.rider.hear = lambda _message: (pump.remove(one.rider), pump.remove(other.rider))
    one.ping()
    turn(pump, lambda: len(pump) == 0)
    assert one.lost == other.lost == []


def test_an_error_is_told_to_its_owner_who_may_raise_it(pump, ends):
    def fail(_what):
        raise ZeroDivisionError

    def lost(error):
        raise error

    ends(hear=fail, lost=lost).ping()
    with pytest.raises(ZeroDivisionError):
        turn(pump, lambda: False)
    assert len(pump) == 0
