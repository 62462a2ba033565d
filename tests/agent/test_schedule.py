"""The loop that surveys again and again: on time, one at a time, whatever goes wrong; and what the supervisor hears."""

import itertools
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import schedule
from agent.clock import SystemClock
from agent.schedule import HUNG_AFTER, JITTER, Supervisor, Tally, run

HOUR = 3600.0


class NoChance:
    """Every random number is the same."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def random(self) -> float:
        return self.value

    expovariate = getrandbits = shuffle = None


class Diary:
    """A survey that writes down when it was taken, lasts as long as it is told, and sets `stop` after the last."""

    def __init__(
        self, clock, stop: threading.Event, *, times: int, lasts: Callable[[int], float] = lambda _number: 60.0
    ) -> None:
        self.clock = clock
        self.stop = stop
        self.times = times
        self.lasts = lasts
        self.begun: list[float] = []
        self.published: list[int] = []
        self.complaints: list[str] = []
        self.failed = 0
        self.missed: list[int] = []
        self.running = 0

    def take(self) -> int:
        assert self.running == 0
        self.running += 1
        self.begun.append(self.clock.monotonic())
        number = len(self.begun)
        try:
            self.clock.advance(self.lasts(number))
        finally:
            self.running -= 1
        return number

    def publish(self, number: int) -> None:
        self.published.append(number)
        if number >= self.times:
            self.stop.set()

    def count_failed(self) -> None:
        self.failed += 1
        if len(self.begun) >= self.times:
            self.stop.set()

    def follow(self, *, interval: float = HOUR, chance=None, environ=None, take=None) -> Tally:
        return run(
            take or self.take,
            self.publish,
            interval=interval,
            clock=self.clock,
            chance=chance or NoChance(),
            stop=self.stop,
            failed=self.count_failed,
            missed=self.missed.append,
            complain=self.complaints.append,
            environ=environ or {},
        )


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    """A supervisor's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)  # noqa: FBT003
        yield ear


def heard(ear: socket.socket) -> list[str]:
    messages = []
    while True:
        try:
            messages.append(ear.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_first_survey_at_the_start_then_on_the_grid(hand_clock, stop):
    start = hand_clock.monotonic()
    diary = Diary(hand_clock, stop, times=4)
    assert diary.follow() == Tally(surveys=4)
    assert [begun - start for begun in diary.begun] == [0, HOUR, 2 * HOUR, 3 * HOUR]
    assert diary.published == [1, 2, 3, 4]


def test_first_survey_waits_for_a_small_random_splay(hand_clock, stop):
    start = hand_clock.monotonic()
    diary = Diary(hand_clock, stop, times=1)
    diary.follow(chance=NoChance(0.5))
    assert diary.begun[0] - start == schedule.FIRST_SPLAY / 2


def test_splay_is_never_longer_than_the_interval(hand_clock, stop):
    start = hand_clock.monotonic()
    diary = Diary(hand_clock, stop, times=1, lasts=lambda _number: 0.0)
    diary.follow(chance=NoChance(0.999), interval=2.0)
    assert diary.begun[0] - start < 2.0


def test_jitter_is_new_each_time_and_never_adds_up(hand_clock, stop):
    diary = Diary(hand_clock, stop, times=50)
    diary.follow(chance=random.Random(7))
    offsets = [begun - diary.begun[0] - number * HOUR for number, begun in enumerate(diary.begun)]
    assert all(0 <= offset < JITTER * HOUR for offset in offsets)
    assert len({round(offset) for offset in offsets[1:]}) > 30


def test_a_survey_that_raises_costs_one_line_and_the_next_one_runs(hand_clock, stop):
    diary = Diary(hand_clock, stop, times=3)

    def take() -> int:
        number = diary.take()
        if number == 2:
            raise RuntimeError("two\nlines")
        return number

    assert diary.follow(take=take) == Tally(surveys=2, failures=1)
    assert diary.published == [1, 3]
    assert diary.failed == 1
    assert diary.complaints == ["a survey failed: RuntimeError: two\nlines"]


def test_a_publish_that_raises_is_a_failed_survey(hand_clock, stop):
    diary = Diary(hand_clock, stop, times=2)

    def publish(_number: int) -> None:
        raise OSError("disk full")

    tally = run(
        diary.take,
        publish,
        interval=HOUR,
        clock=hand_clock,
        chance=NoChance(),
        stop=stop,
        failed=diary.count_failed,
        complain=diary.complaints.append,
        environ={},
    )
    assert tally == Tally(failures=2)
    assert diary.complaints == ["a survey failed: OSError: disk full"] * 2


def test_complaint_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]):
    schedule.complain("a survey failed: RuntimeError: two\nlines\x1b[31m" + "x" * 1000)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("netready: a survey failed: RuntimeError: two lines")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert len(err) < 600


def test_a_survey_that_overruns_costs_the_planned_ones_it_covers_and_the_grid_stays(hand_clock, stop):
    start = hand_clock.monotonic()
    diary = Diary(hand_clock, stop, times=3, lasts=lambda number: 2.5 * HOUR if number == 1 else 60.0)
    assert diary.follow() == Tally(surveys=3, missed=2)
    assert [begun - start for begun in diary.begun] == [0, 3 * HOUR, 4 * HOUR]
    assert diary.missed == [2]
    assert diary.complaints == ["a survey ran into the time of 2 planned after it, which are left out"]


def test_a_survey_that_ends_exactly_when_the_next_is_due_overran_nothing(hand_clock, stop):
    diary = Diary(hand_clock, stop, times=3, lasts=lambda _number: HOUR)
    assert diary.follow() == Tally(surveys=3)


def test_a_step_of_the_wall_clock_changes_nothing(hand_clock, stop):
    start = hand_clock.monotonic()

    def step(number: int) -> float:
        hand_clock._now = hand_clock._now.replace(year=2036 if number % 2 else 1970)
        return 60.0

    diary = Diary(hand_clock, stop, times=4, lasts=step)
    assert diary.follow() == Tally(surveys=4)
    assert [begun - start for begun in diary.begun] == [0, HOUR, 2 * HOUR, 3 * HOUR]


def test_stop_before_the_first_survey_takes_none(hand_clock, stop):
    stop.set()
    diary = Diary(hand_clock, stop, times=1)
    assert diary.follow() == Tally()
    assert diary.begun == []


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan")])
def test_an_interval_of_nothing_is_refused(hand_clock, stop, interval: float):
    with pytest.raises(ValueError, match="more than 0 s"):
        Diary(hand_clock, stop, times=1).follow(interval=interval)


def test_stop_ends_a_wait_within_a_second(stop):
    published = []
    loop = threading.Thread(
        target=run,
        args=(lambda: 1, published.append),
        kwargs={"interval": HOUR, "clock": SystemClock(), "chance": NoChance(), "stop": stop, "environ": {}},
    )
    loop.start()
    deadline = time.monotonic() + 5
    while not published and time.monotonic() < deadline:
        time.sleep(0.01)
    begun = time.monotonic()
    stop.set()
    loop.join(5)
    assert time.monotonic() - begun < 4
    assert published == [1]


def test_stop_during_a_survey_abandons_it_unpublished_within_a_second(stop):
    begun, let_go, published = threading.Event(), threading.Event(), []

    def take() -> int:
        begun.set()
        let_go.wait(10)
        return 1

    tallies = []

    def follow() -> None:
        tallies.append(
            run(take, published.append, interval=HOUR, clock=SystemClock(), chance=NoChance(), stop=stop, environ={})
        )

    loop = threading.Thread(target=follow)
    loop.start()
    assert begun.wait(5)
    asked = time.monotonic()
    stop.set()
    loop.join(5)
    taken = time.monotonic() - asked
    let_go.set()
    assert taken < 1
    assert tallies == [Tally()]
    assert published == []


# --- the supervisor -----------------------------------------------------------------------------------------------------


def test_supervisor_hears_ready_before_the_first_survey_and_stopping_at_the_end(hand_clock, stop, ear):
    diary = Diary(hand_clock, stop, times=2)
    first: list[list[str]] = []

    def take() -> int:
        if not first:
            first.append(heard(ear))
        return diary.take()

    diary.follow(take=take, environ={"NOTIFY_SOCKET": ear.getsockname()})
    assert first[0][0].splitlines()[0] == "READY=1"
    later = heard(ear)
    assert later[-1] == "STOPPING=1"
    assert "STATUS=1 surveys, 0 failed; waiting for the next." in later
    assert not any("WATCHDOG" in message for message in later)


def test_supervisor_hears_that_we_are_alive_twice_in_each_period(hand_clock, stop, ear):
    environ = {"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "180000000"}
    alive: list[float] = []
    diary = Diary(hand_clock, stop, times=2, lasts=lambda _number: 0.0)
    sleep = hand_clock.sleep

    def listening(seconds: float) -> None:
        sleep(seconds)
        alive.extend(hand_clock.monotonic() for message in heard(ear) if message == "WATCHDOG=1")

    hand_clock.sleep = listening
    diary.follow(environ=environ)
    gaps = [later - earlier for earlier, later in itertools.pairwise(alive)]
    assert len(alive) >= HOUR // 90 - 1
    assert max(gaps) < 180 / 2 + 1


def test_watchdog_of_another_process_is_not_ours_to_calm(hand_clock, stop, ear):
    environ = {"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid() + 1)}
    Diary(hand_clock, stop, times=2).follow(environ=environ)
    assert "WATCHDOG=1" not in heard(ear)


def test_a_survey_that_hangs_is_no_longer_called_alive(hand_clock, stop, ear, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule, "TICK", 0.01)
    let_go = threading.Event()
    environ = {"NOTIFY_SOCKET": ear.getsockname(), "WATCHDOG_USEC": "2000000"}
    loop = threading.Thread(
        target=run,
        args=(lambda: let_go.wait(20), lambda _taken: None),
        kwargs={"interval": HOUR, "clock": hand_clock, "chance": NoChance(), "stop": stop, "environ": environ},
    )
    loop.start()

    def alive_after(seconds: float) -> bool:
        heard(ear)
        hand_clock.advance(seconds)
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            if "WATCHDOG=1" in heard(ear):
                return True
            time.sleep(0.01)
        return False

    try:
        time.sleep(0.1)
        assert alive_after(60)
        assert alive_after(60)
        assert not alive_after(HUNG_AFTER)
        assert not alive_after(60)
    finally:
        stop.set()
        let_go.set()
        loop.join(5)


def test_abstract_sockets_are_spoken_to(hand_clock):
    name = f"netready-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name)
        ear.setblocking(False)  # noqa: FBT003
        Supervisor({"NOTIFY_SOCKET": "@" + name}, hand_clock).tell("READY=1")
        assert heard(ear) == ["READY=1"]


def test_a_supervisor_that_went_away_stops_nothing(hand_clock, stop, tmp_path: Path):
    diary = Diary(hand_clock, stop, times=2)
    assert diary.follow(environ={"NOTIFY_SOCKET": str(tmp_path / "nobody")}) == Tally(surveys=2)
