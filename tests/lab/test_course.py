"""Lines whose rate changes: what they truly carry, moment by moment."""

import math
import random
import statistics
import time

import msgspec
import pytest

from lab import Step, Wan, Wobble
from lab.course import Factor, mean_rate, rate_at
from lab.link import ENTRIES, GRAIN, SECOND, Turn, carried, strained

PACKET = 1500  # bytes at the IP layer of a datagram of 1472
TURNS = (Turn(at=1.0, rate=4e6), Turn(at=3.0, rate=2e6))


def received(seen, begin, end):
    """Bit/s of IP packets that came between two moments, ns."""
    return sum(begin <= at < end for _, _, at in seen) * PACKET * 8 / (end - begin) * 1e9


def test_a_rate_holds_from_its_moment_to_the_next():
    assert rate_at(8e6, TURNS, 0.0, 0.0) == (8e6, 1.0)
    assert rate_at(8e6, TURNS, 0.0, 1.0) == (4e6, 2.0)
    assert rate_at(8e6, TURNS, 0.0, 99.0) == (2e6, math.inf)
    assert rate_at(8e6, (), 0.0, 5.0) == (8e6, math.inf)


def test_a_period_begins_anew_with_the_first_rate():
    assert rate_at(8e6, TURNS, 4.0, 3.5) == (2e6, 0.5)
    assert rate_at(8e6, TURNS, 4.0, 4.5) == (8e6, 0.5)


def test_the_mean_rate_is_that_of_the_area():
    assert mean_rate(8e6, TURNS, 0.0, 0.0, 4.0) == pytest.approx((8e6 + 2 * 4e6 + 2e6) / 4)
    assert mean_rate(8e6, TURNS, 4.0, 0.0, 400.0) == pytest.approx((8e6 + 2 * 4e6 + 2e6) / 4)
    assert mean_rate(8e6, TURNS, 4.0, -1.0, 1.0) == pytest.approx(8e6)
    with pytest.raises(ValueError, match="no length"):
        mean_rate(8e6, TURNS, 4.0, 1.0, 1.0)


def test_the_wobbles_mean_is_one_and_its_deviation_and_time_are_as_asked():
    factor = Factor(Wobble(deviation=0.3, time=0.2), random.Random(3))
    seen = [factor.at(moment * 20_000_000)[0] for moment in range(100_000)]  # 10,000 times its time
    assert statistics.mean(seen) == pytest.approx(1, abs=4 * 0.3 * math.sqrt(2 * 0.2 / 2000))
    assert statistics.stdev(seen) == pytest.approx(0.3, rel=0.05)
    logs = [math.log(value) for value in seen]
    assert statistics.correlation(logs[:-10], logs[10:]) == pytest.approx(math.exp(-1), abs=0.04)


def test_a_wobble_that_nobody_watched_has_the_same_law():
    factor = Factor(Wobble(deviation=0.3, time=0.2), random.Random(4))
    seen = [factor.at(moment * 3600 * SECOND)[0] for moment in range(1, 20_000)]
    assert statistics.mean(seen) == pytest.approx(1, abs=0.01)
    assert statistics.stdev(seen) == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize(
    ("wan", "sentence"),
    [
        ({"steps": [{"at": 2, "down": 1e6}, {"at": 1, "down": 2e6}]}, "the steps must be in the order of their moments"),
        ({"steps": [{"at": 2, "down": 1e6}], "period": 2}, "the last step, at 2 s, is not within the period of 2 s"),
        ({"steps": [{"at": 2, "down": 9e9}]}, "Expected `float` <= 1000000000.0"),
        ({"wobble": {"deviation": 3, "time": 1}}, "Expected `float` <= 1.0"),
        ({"buffer": 2, "down": 1e6, "steps": [{"at": 2, "down": 1e9}]}, "the emulator holds 32,768"),
    ],
)
def test_a_course_that_cannot_be_is_refused(wan, sentence):
    with pytest.raises(msgspec.ValidationError, match=sentence):
        msgspec.convert(wan, Wan)


def test_the_history_answers_for_any_window_it_holds():
    grain = GRAIN / SECOND
    entries = [(100, 0), (101, 1000), (150, 3000), (2**62, 3500)]  # bytes before each grain, and in the end
    assert carried(entries, 100 * grain, 101 * grain) == pytest.approx(1000 * 8 / grain)
    assert carried(entries, 100.5 * grain, 101.5 * grain) == pytest.approx((500 + 1000) * 8 / grain)
    assert carried(entries, 110 * grain, 140 * grain) == 0
    assert carried(entries, 99 * grain, 200 * grain) == pytest.approx(3500 * 8 / (101 * grain))
    with pytest.raises(ValueError, match="remembers 82 s"):
        carried([(100 + ENTRIES, 0), (2**62, 5)], 100 * grain, 200 * grain)


def test_a_machine_that_lost_or_delayed_packets_is_said_to_be_strained():
    names = ("ring_drops", "oversized", "send_errors", "outlet_drops", "late", "latest", "out_packets")
    quiet = dict.fromkeys(names, 0) | dict.fromkeys(("packets", "bytes", "queue_drops", "losses"), 0)
    quiet |= dict.fromkeys(("out_bytes", "out_at", "origin"), 0)
    assert strained(quiet, quiet | {"out_packets": 1000, "late": 40, "latest": 3_000_000, "queue_drops": 7}) == ""
    told = strained(quiet, quiet | {"out_packets": 1000, "late": 60, "latest": 31_000_000, "ring_drops": 2})
    assert told == "ring_drops 2, late 60 of 1000, worst 31 ms"
    assert strained(quiet, quiet | {"out_packets": 1000, "late": 60}, late=0.1) == ""


@pytest.mark.namespaces
def test_the_rate_steps_where_the_plan_says_so_after_the_load_has_begun(line, blast):
    lab = line(down=8e6, delay=0.002, buffer=0.05, steps=(Step(at=0.6, down=2e6), Step(at=1.2, down=5e6)))
    seen = blast(lab, 2400, seconds=2.4)  # 12 Mbit/s
    origin = lab.line()["down"]["origin"]
    assert lab.line()["up"]["origin"] == 0  # nothing has gone that way
    for begin, end in ((0.05, 0.55), (0.65, 1.15), (1.25, 1.75), (0.3, 1.5)):
        truth = lab.plan.wan.mean_rate("down", begin, end)
        assert received(seen, origin + begin * 1e9, origin + end * 1e9) == pytest.approx(truth, rel=0.03)
        assert lab.carried("down", origin / 1e9 + begin, origin / 1e9 + end) == pytest.approx(truth, rel=0.03)


@pytest.mark.namespaces
def test_steps_can_wait_for_the_word_and_come_again(line, blast):
    steps = (Step(at=0.3, down=2e6),)
    lab = line(down=6e6, delay=0.002, buffer=0.02, steps=steps, period=0.6, begin="go")
    blast(lab, 1000, seconds=0.6)
    assert lab.line()["down"]["origin"] == 0
    origin = lab.go()
    assert lab.line()["down"]["origin"] == pytest.approx(origin * 1e9, abs=1e3)
    blast(lab, 2400, seconds=2.4)
    times = [origin + 0.6 * math.ceil((lab.line()["down"]["out_at"] / 1e9 - 1.9 - origin) / 0.6)]
    assert lab.carried("down", times[0] + 0.05, times[0] + 0.28) == pytest.approx(6e6, rel=0.04)
    assert lab.carried("down", times[0] + 0.35, times[0] + 0.58) == pytest.approx(2e6, rel=0.04)
    assert lab.carried("down", times[0], times[0] + 0.6) == pytest.approx(4e6, rel=0.04)


@pytest.mark.namespaces
def test_a_policer_changes_its_rate_and_keeps_its_burst(line, blast):
    lab = line(down=8e6, delay=0.0, policer=20 * PACKET, steps=(Step(at=0.0, down=2e6),))
    seen = blast(lab, 1500, seconds=1.5)  # 12 Mbit/s
    assert [number for number, _, _ in seen[:20]] == list(range(20))
    origin = lab.line()["down"]["origin"]
    assert received(seen, origin + 0.1e9, origin + 1.1e9) == pytest.approx(2e6, rel=0.03)


@pytest.mark.namespaces
def test_a_wobbling_line_carries_its_mean_in_the_long_run_and_not_in_the_short(line, blast):
    lab = line(down=8e6, delay=0.0, buffer=0.05, wobble=Wobble(deviation=0.3, time=0.02), seed=5)
    seen = blast(lab, 6000, seconds=4.0)  # 18 Mbit/s
    first, last = seen[0][2] + 0.1e9, seen[-1][2] - 0.1e9
    strays = 0.3 * math.sqrt(2 * 0.02 / ((last - first) / 1e9))  # see Wan.wobble
    assert received(seen, first, last) == pytest.approx(8e6, rel=3.5 * strays)
    windows = [received(seen, first + n * 20e6, first + (n + 1) * 20e6) for n in range(int((last - first) / 20e6))]
    assert 0.15 < statistics.stdev(windows) / 8e6 < 0.35


@pytest.mark.namespaces
def test_what_a_line_carries_can_be_read_while_it_works(line, blast):
    lab = line(down=4e6, delay=0.01, buffer=0.05)
    before, began = lab.line(), time.time()
    seen = blast(lab, 700, seconds=1.0)
    after, ended = lab.line(), time.time()
    assert after["down"]["out_packets"] - before["down"]["out_packets"] == len(seen)
    assert after["down"]["out_bytes"] - before["down"]["out_bytes"] == len(seen) * PACKET
    assert after["down"]["out_at"] == pytest.approx(seen[-1][2], abs=20e6)
    assert lab.carried("down", began, ended) * (ended - began) / 8 == pytest.approx(len(seen) * PACKET)
    assert lab.strained(before, after, late=1.0) is None


@pytest.mark.namespaces
def test_a_line_that_was_kept_from_running_says_so(line, blast):
    lab = line(down=50e6, delay=0.0)
    halt = "for p in $(grep -l lab[.]emulate /proc/[0-9]*/cmdline | cut -d/ -f3); do kill -$1 $p; done"
    # Now the router knows the agent: for one that it must ask for, it keeps fewer packets than these.
    assert len(blast(lab, 1)) == 1
    before = lab.line()
    lab.run("agent", ["sh", "-c", halt, "-", "STOP"], check=True)
    sleeper = lab.popen("agent", ["sh", "-c", f"sleep 2.5; {halt}", "-", "CONT"])
    with sleeper:
        assert len(blast(lab, 100, seconds=0.1)) == 100
    after = lab.line()
    assert after["down"]["late"] - before["down"]["late"] >= 90
    assert after["down"]["latest"] > 100_000_000
    told = lab.strained(before, after)
    assert told.startswith("This machine was too busy to be that line (down: late ")
    assert told.endswith("): the figures do not count.")
