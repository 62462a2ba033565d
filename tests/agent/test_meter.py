import pytest

from agent import meter
from agent.load import FRAMING, Sample, annotate, span
from netready.failure import Failed, Failure
from netready.measurement import Measurement


class Scripted:
    """A line on the hand-moved clock: others at a steady rate, a test while it runs, counters refreshed every so often."""

    source = "router r wan0"

    def __init__(self, clock, *, others=0.0, refresh=0.0, offset=0.0) -> None:
        self.clock = clock
        self.began = clock.monotonic()
        self.others = others
        self.refresh = refresh
        self.offset = offset
        self.test = (0.0, 0.0, 0.0)  # rate, from, to

    def run(self, rate, seconds):
        now = self.clock.monotonic()
        self.test = (rate, now, now + seconds)
        self.clock.sleep(seconds)

    def _moved(self, at):
        rate, begin, end = self.test
        own = rate / 8 * max(0.0, min(at, end) - begin) if rate else 0.0
        return int(self.others / 8 * (at - self.began) + own), int(own)

    def sample(self):
        now = self.clock.monotonic()
        shown = now
        if self.refresh:
            shown = self.began + self.offset + (now - self.began - self.offset) // self.refresh * self.refresh
        total, _ = self._moved(max(shown, self.began))
        _, own = self._moved(now)
        self.clock.sleep(0.004)
        return Sample(at=now + 0.002, down=total, up=0, own_down=own, own_down_packets=own // 1500)


@pytest.mark.parametrize("refresh", [0.0, 1.0, 2.9, 3.5])
@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_a_look_finds_the_use_whatever_the_refresh(hand_clock, refresh, offset):
    line = Scripted(hand_clock, others=30e6, refresh=refresh, offset=offset)
    watched = meter.watch(line, hand_clock, 8.0)
    assert watched.use.down == pytest.approx(30e6, rel=0.15)
    assert watched.use.up == 0
    assert watched.use.seconds >= meter.LEAST
    assert hand_clock.monotonic() - line.began < 9


def test_an_idle_line_is_idle_and_the_look_ends(hand_clock):
    watched = meter.watch(Scripted(hand_clock), hand_clock, 8.0)
    assert (watched.use.down, watched.use.up) == (0.0, 0.0)
    assert watched.use.seconds == pytest.approx(8.0, abs=0.3)


@pytest.mark.parametrize("others", [0.0, 10e6, 40e6])
@pytest.mark.parametrize("refresh", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("seconds", [1.5, 6.0])
@pytest.mark.parametrize("offset", [0.1, 0.8])
def test_the_load_during_a_test_is_what_others_moved(hand_clock, others, refresh, seconds, offset):
    line = Scripted(hand_clock, others=others, refresh=refresh, offset=offset)
    watched = meter.watch(line, hand_clock, 8.0)
    began = hand_clock.monotonic()
    line.run(50e6, seconds)
    ended = hand_clock.monotonic()
    active = ended - began
    last = meter.settle(line, hand_clock, watched.last, "down", watched.use.down)
    found = span(watched.last, last, "down", ended=ended, active=active, before=watched.use.down, step=meter.POLL)
    reading = Measurement.of(
        "throughput_down", "t:1", hand_clock.now(), 48e6, "netready/1", bytes_received=int(48e6 / 8 * seconds)
    )
    details = annotate(reading, found, line.source).details
    assert details["load_during_from"] == "router r wan0", details
    miscounted = FRAMING * 50e6 + 2 * meter.POLL * others / active
    assert details["load_during"] == pytest.approx(others, abs=miscounted + 1)
    assert details["load_during"] - details["load_resolution"] <= others + 1
    if not refresh and seconds > 2:  # a counter that is always fresh leaves little doubt about a long test
        assert details["load_resolution"] < miscounted + 0.5 * others + 1


def test_a_counter_that_stands_still_after_a_test_it_has_not_shown_is_given_up(hand_clock):
    line = Scripted(hand_clock, refresh=60.0)
    watched = meter.watch(line, hand_clock, 8.0)
    line.run(50e6, 2.0)
    with pytest.raises(Failed) as failed:
        meter.settle(line, hand_clock, watched.last, "down", 0.0)
    assert failed.value.failure is Failure.INCONCLUSIVE
    assert "did not move within 6.5 s" in failed.value.reason


def test_loopback_is_no_line(hand_clock):
    assert meter.here("127.0.0.1", hand_clock) is None


def test_this_machines_counters_are_read(hand_clock):
    found = meter.Here("lo", hand_clock.monotonic).sample()
    assert found.down == found.own_down
    with pytest.raises(Failed, match="cannot be read"):
        meter.Here("nosuch0", hand_clock.monotonic).sample()


def test_a_counter_that_moves_once_and_by_much_says_when_it_is_too_slow(hand_clock):
    assert meter.watch(Scripted(hand_clock, others=30e6, refresh=10.0, offset=5.0), hand_clock, 8.0).slow
    assert not meter.watch(Scripted(hand_clock, others=1e4, refresh=10.0, offset=5.0), hand_clock, 8.0).slow
    assert not meter.watch(Scripted(hand_clock, others=30e6, refresh=3.0), hand_clock, 8.0).slow
