import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent import meter, survey
from agent.config import load
from agent.load import Sample
from agent.mlab import LOCATE
from agent.turn import Terms, Turn
from netready.authority import Authority
from netready.failure import Failed, Failure
from netready.instrument import Context, Instrument
from netready.measurement import Measurement
from probes.throughput.settings import Throughput
from store import open_store

SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
networks = ["10.20.0.0/24"]
[[site.circuits]]
name = "Fibre"
contracted_down = "100M"
contracted_up = "100M"
counter = "10.20.0.1 wan0"
"""
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def filling(name="ndt7", **more):
    """A method that would move 250 MB, and moves 40 of them unless it is told to stop at less."""

    def read(settings, context):
        for direction in settings.directions:
            moved = min(20_000_000, settings.most_bytes or 20_000_000)
            context.clock.sleep(2)
            yield Measurement.of(
                f"throughput_{direction.value}", settings.server, context.clock.now(), 80e6, f"{name}/1",
                **{f"bytes_{'received' if direction == 'down' else 'sent'}": moved, "load_during": 5.0, "locate_requests": 2},
            )  # fmt: skip

    given = {
        "name": name, "version": 1, "read": read, "settings": Throughput, "does": "fills", "alone": True,
        "metrics": ("throughput_down", "throughput_up"),
        "load": lambda s, rate: 2 * min(rate * 10 / 8, s.most_bytes or 1e18), "table": "throughput",
    }  # fmt: skip
    return Instrument(**given | more)


SETTINGS = Throughput(server="127.0.0.1:4433")


class Case:
    """One turn after the other on the hand-moved clock, with a real database."""

    def __init__(self, folder, clock, text="") -> None:
        path = folder / "netready.toml"
        path.write_text(SITE + text)
        self.config = load(path, (filling(),))
        self.clock = clock
        self.said = []
        self.store = open_store(folder / "a.sqlite")

    def turn(self, row=None, settings=SETTINGS, **terms):
        context = Context(clock=self.clock, chance=random.Random(1), authority=Authority(), say=self.said.append)
        given = {"config": self.config, "book": self.store} | terms
        return Turn(row=row or filling(), settings=settings, context=context, terms=Terms(**given))

    def take(self, *args, **terms):
        return list(self.turn(*args, **terms).readings())

    @property
    def moved(self):
        return self.store.bytes_moved(MONDAY, MONDAY + timedelta(days=40))


@pytest.fixture
def case(tmp_path, hand_clock):
    made = []

    def make(text=""):
        made.append(Case(tmp_path, hand_clock, text))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


def words(readings):
    return [(each.metric, each.failure) for each in readings]


BUSY = [("throughput_down", Failure.LINE_BUSY), ("throughput_up", Failure.LINE_BUSY)]
SPENT = [("throughput_down", Failure.DATA_BUDGET), ("throughput_up", Failure.DATA_BUDGET)]


# --- The data budget -----------------------------------------------------------------------------------------------------


def test_bytes_are_foretold_before_and_counted_after(case):
    one = case()
    readings = one.turn().readings()
    next(readings)
    assert one.moved == pytest.approx(250e6 * 1.05)  # while it runs
    list(readings)
    assert one.moved == pytest.approx(40e6 * 1.05)


def test_a_turn_that_breaks_leaves_what_was_foretold(case):
    def broken(_settings, _context):
        yield from ()
        raise ZeroDivisionError

    one = case()
    with pytest.raises(ZeroDivisionError):
        one.take(filling(read=broken))
    assert one.moved == pytest.approx(250e6 * 1.05)


def test_the_days_cap_is_kept_and_the_next_day_is_another(case, hand_clock):
    one = case('[budget]\nper_day = "100M"\n')
    moved = []
    for _ in range(6):
        readings = one.take()
        moved.append(sum(each.detail("bytes_received") or each.detail("bytes_sent") or 0 for each in readings))
    assert one.moved <= 100e6
    assert moved[:2] == [40e6, 40e6]
    assert words(readings) == SPENT
    assert "left: " in readings[0].details["reason"]
    hand_clock.advance(86400)
    assert words(one.take()) == [("throughput_down", None), ("throughput_up", None)]


def test_the_months_cap_is_kept(case, hand_clock):
    one = case('[budget]\nper_month = "200M"\n')
    for _ in range(30):
        one.take()
        hand_clock.advance(86400 * 0.9)
    assert one.moved <= 200e6
    assert words(one.take()) == SPENT
    hand_clock.advance(86400 * 4)  # April
    assert words(one.take())[0] == ("throughput_down", None)


def test_a_cap_that_nobody_can_count_for_stops_the_test(case):
    one = case('[budget]\nper_day = "1G"\n')
    assert words(one.take(book=None)) == SPENT
    one.store.close()
    assert words(one.take()) == SPENT


def test_what_fills_no_line_is_counted_without_asking(case):
    def small(_settings, context):
        yield Measurement.of("latency_rtt", "a", context.clock.now(), 0.01, "small/1", bytes_sent=600, bytes_received=400)

    one = case('[budget]\nper_day = "1k"\n[line]\nquiet = ["00:00-23:59"]\n')
    row = filling("small", read=small, metrics=("latency_rtt",), load=lambda _s, _r: 1000.0)
    assert words(one.take(row)) == words(one.take(row)) == [("latency_rtt", None)]
    assert one.moved == 2100


def test_a_survey_counts_and_says_what_is_left_out(tmp_path, case, hand_clock):
    one = case('[budget]\nper_day = "60M"\n[throughput]\nserver = "127.0.0.1:4433"\n')
    row = filling(wanted=lambda _s: True)

    def take():
        terms = Terms(config=one.config, book=one.store)
        return survey.take(one.config, (row,), clock=hand_clock, chance=random.Random(2), say=one.said.append, terms=terms)

    assert [m.failure for m in take().measurements] == [None, None]
    assert [m.failure for m in take().measurements] == [Failure.DATA_BUDGET] * 2
    assert one.moved <= 60e6


# --- Quiet hours -----------------------------------------------------------------------------------------------------------

QUIET = '[line]\nquiet = ["08:00-09:30"]\n'  # the clock says Monday, 09:00 UTC, and so does the site


def test_no_test_fills_the_line_in_quiet_hours(case):
    one = case(QUIET)
    readings = one.take()
    assert words(readings) == BUSY
    assert readings[0].details["reason"] == "quiet hours, 08:00-09:30 (line.quiet)"
    assert one.moved == 0


def test_a_target_test_may_run_in_quiet_hours(case):
    one = case(QUIET)
    paced = msgspec.structs.replace(SETTINGS, at_least=5e6)
    assert one.turn(filling("netready"), paced).refusal() is None
    assert one.turn(filling("ndt7"), paced).refusal() is not None


def test_a_person_may_insist_and_is_told(case):
    one = case(QUIET)
    assert words(one.take(even_if_busy=True)) == [("throughput_down", None), ("throughput_up", None)]
    assert any("tested all the same, as asked" in line for line in one.said)


def test_a_survey_in_quiet_hours_leaves_the_test_out_with_the_reason(case, hand_clock):
    one = case(QUIET + '[throughput]\nserver = "127.0.0.1:4433"\n')
    terms = Terms(config=one.config, book=one.store)
    rows = (filling(),)
    taken = survey.take(one.config, rows, clock=hand_clock, chance=random.Random(2), say=one.said.append, terms=terms)
    assert taken.runs[0].skipped == "quiet hours, 08:00-09:30 (line.quiet)"
    (step,) = survey.plan(one.config, rows, frozenset(), now=hand_clock.now())
    assert step.skipped == taken.runs[0].skipped


# --- A busy line -------------------------------------------------------------------------------------------------------------


class Line:
    """A router that carries `rate(seconds since it began)`, until it breaks."""

    source = "router 10.20.0.1 wan0"

    def __init__(self, clock, rate, *, breaks_at=None) -> None:
        self.clock = clock
        self.rate = rate
        self.breaks_at = breaks_at
        self.at = self.began = clock.monotonic()
        self.down = 0.0

    def sample(self):
        now = self.clock.monotonic()
        if self.breaks_at is not None and now - self.began >= self.breaks_at:
            raise Failed(Failure.NO_ANSWER, "no answer")
        self.down += self.rate(now - self.began) / 8 * (now - self.at)
        self.at = now
        return Sample(at=now, down=int(self.down), up=0)


@pytest.fixture
def watched(monkeypatch, hand_clock):
    def make(rate, **more):
        line = Line(hand_clock, rate, **more)
        monkeypatch.setattr(meter, "here", lambda _host, _clock: Line(hand_clock, lambda _at: 0.0))
        monkeypatch.setattr(meter, "routers", lambda _config, _context, _own: line)
        return line

    return make


def test_a_busy_line_puts_the_test_off_until_it_is_free(case, watched):
    line = watched(lambda at: 60e6 if at < 100 else 1e6)
    one = case()
    readings = one.take(tries=3)
    assert words(readings)[0] == ("throughput_down", None)
    put_off = [text for text in one.said if "put off for 60 s" in text]
    assert len(put_off) == 2
    assert "60 Mbps towards the school" in put_off[0]
    assert one.clock.monotonic() - line.began < 150


def test_a_line_that_stays_busy_gives_the_test_up_in_bounded_time(case, watched):
    line = watched(lambda _at: 60e6)
    one = case('[line]\ntries = 4\nwait = "30s"\nlook = "4s"\n')
    readings = one.take(tries=one.config.line.tries)
    assert words(readings) == BUSY
    assert "60% of the contract" in readings[0].details["reason"]
    assert readings[0].details["reason"].endswith("looked 4 times, 30 s apart")
    assert one.clock.monotonic() - line.began < 3 * 30 + 4 * 5
    assert one.moved == 0


def test_a_person_gets_one_look_and_may_insist(case, watched):
    own = [0.0]
    line = watched(lambda _at: 60e6 + own[0])
    assert words(case().take()) == BUSY
    assert line.clock.monotonic() - line.began < 10

    def loads(settings, context):
        line.sample()
        own[0] = 40e6
        context.clock.sleep(4)
        line.sample()
        own[0] = 0.0
        yield Measurement.of("throughput_down", settings.server, context.clock.now(), 40e6, "ndt7/1", bytes_received=20_000_000)

    one = case()
    readings = one.take(filling(read=loads), even_if_busy=True)
    assert words(readings)[0] == ("throughput_down", None)
    assert readings[0].details["load_during_from"] == "router 10.20.0.1 wan0"
    assert readings[0].details["load_during"] == pytest.approx(60e6, abs=3e6)
    assert any("the line is busy: 60 Mbps" in line for line in one.said)


def test_a_router_that_falls_silent_costs_only_its_own_figure(case, watched):
    watched(lambda _at: 1e6, breaks_at=4.0)
    one = case()
    down, up = one.take()
    assert down.value == up.value == 80e6
    for each in (down, up):
        assert each.details["load_during"] == 5.0
        assert each.details["load_during_from"] == "this machine's interface"
        assert each.details["load_during_note"] == "router 10.20.0.1 wan0: no answer"


def test_a_router_that_is_silent_from_the_start_leaves_this_machines_own_look(case, watched):
    watched(lambda _at: 60e6, breaks_at=0.0)
    one = case()
    assert words(one.take()) == [("throughput_down", None), ("throughput_up", None)]
    assert any("only this machine's own traffic is seen" in line for line in one.said)


# --- M-Lab -------------------------------------------------------------------------------------------------------------------


def test_requests_to_locate_are_written_down_and_the_limit_is_kept(case, hand_clock):
    one = case()
    located = Throughput(locate=True, accept_mlab_policy=True)
    for _ in range(12):
        one.take(filling(), located)
    asked = one.store.uses(LOCATE, MONDAY, MONDAY + timedelta(days=2))
    assert len(asked) == 40
    readings = one.take(filling(), located)
    assert readings[0].failure is not None
    assert "M-Lab's Locate service may be asked 40 times" in readings[0].details["reason"]
