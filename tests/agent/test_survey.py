import random
from datetime import UTC, datetime

import msgspec
import pytest

from agent.budget import OVERHEAD
from agent.config import load
from agent.counting import Lists
from agent.survey import exam_on, plan, take
from netready.authority import Refused
from netready.device import Sighting
from netready.failure import Failure
from netready.instrument import Capability, Instrument
from netready.measurement import Measurement
from netready.sent import Sent

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
"""


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No settings."""


def row(name, read, **more):
    return Instrument(name=name, version=1, read=read, settings=Nothing, does=f"does {name}", metrics=(), **more)


def good(_settings, context):
    context.clock.sleep(2)
    yield Measurement.of("latency_rtt", "a", context.clock.now(), 0.01, "good/1", bytes_sent=100, bytes_received=50)
    yield Measurement.failed("packet_loss", "a", context.clock.now(), Failure.TIMEOUT, "good/1", bytes_sent=11)
    yield Sighting(source="arp", at=context.clock.now(), mac="00:00:5e:00:53:01", address="10.20.0.7")


def broken(_settings, context):
    yield Measurement.of("latency_rtt", "b", context.clock.now(), 0.02, "broken/1")
    raise ZeroDivisionError("a bug of ours")


def greedy(_settings, context):
    context.authority.allow_host("8.8.8.8")
    yield from ()


def survey(tmp_path, hand_clock, rows, rights=frozenset(Capability)):
    (tmp_path / "netready.toml").write_text(SITE)
    config = load(tmp_path / "netready.toml", tuple(rows))
    return take(config, rows, clock=hand_clock, chance=random.Random(1), say=lambda _text: None, rights=rights)


def test_a_failed_network_is_data_and_every_instrument_reports_on_itself(tmp_path, hand_clock):
    found = survey(tmp_path, hand_clock, [row("good", good)])
    assert [m.failure for m in found.measurements] == [None, Failure.TIMEOUT]
    (run,) = found.runs
    assert (run.instrument, run.method, run.ok, run.seconds, run.measurements, run.sightings) == (
        "good",
        "good/1",
        True,
        2.0,
        2,
        1,
    )
    assert (found.bytes_sent, found.bytes_received) == (111, 50)
    ((address,),) = [device.addresses for device in found.devices]
    assert address.startswith("address-")


def test_an_instrument_that_breaks_keeps_what_it_gave_and_spoils_nobody_else(tmp_path, hand_clock, capsys):
    found = survey(tmp_path, hand_clock, [row("broken", broken), row("good", good)])
    assert [m.target for m in found.measurements] == ["b", "a", "a"]
    assert [(run.instrument, run.ok, run.error) for run in found.runs] == [
        ("broken", False, "ZeroDivisionError: a bug of ours"),
        ("good", True, None),
    ]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_refused_target_stops_the_survey(tmp_path, hand_clock):
    with pytest.raises(Refused, match="nothing was sent"):
        survey(tmp_path, hand_clock, [row("greedy", greedy)])


def test_no_instrument_runs_when_a_later_one_would_ask_a_stranger(tmp_path, hand_clock):
    ran = []

    def noted(_settings, _context):
        ran.append("first")
        yield from ()

    rows = [row("first", noted), row("later", good, targets=lambda _settings: ("10.99.0.1",))]
    with pytest.raises(Refused, match="nothing was sent"):
        survey(tmp_path, hand_clock, rows)
    assert ran == []


def test_in_exam_mode_only_what_sends_nothing_runs_and_the_rest_says_why_not(tmp_path, hand_clock):
    rows = [row("loud", good, targets=lambda _settings: ("10.20.0.7",)), row("quiet", good, silent=True)]
    (tmp_path / "netready.toml").write_text(SITE)
    config = load(tmp_path / "netready.toml", tuple(rows))
    steps = plan(config, rows, frozenset(Capability), exam=True)
    assert [step.skipped for step in steps] == ["exam mode: only what sends nothing runs", None]
    found = take(config, rows, clock=hand_clock, chance=random.Random(1), say=print, rights=frozenset(), exam=True)
    assert [run.skipped for run in found.runs] == ["exam mode: only what sends nothing runs", None]
    assert [run.measurements for run in found.runs] == [0, 2]


def test_a_day_of_examinations_is_one_of_the_sites_own_days(tmp_path):
    text = SITE.replace("students = 480", 'students = 480\ntime_zone = "America/Chicago"')
    (tmp_path / "netready.toml").write_text(f"{text}\n[survey]\nexam_days = [2026-05-04]\n")
    config = load(tmp_path / "netready.toml", ())
    assert exam_on(config, datetime(2026, 5, 5, 4, 59, tzinfo=UTC))
    assert not exam_on(config, datetime(2026, 5, 5, 5, 0, tzinfo=UTC))
    assert not exam_on(config, datetime(2026, 5, 4, 4, 59, tzinfo=UTC))


def test_what_an_instrument_sent_stands_in_its_run(tmp_path, hand_clock):
    def asks(_settings, _context):
        yield Sent(protocol="arp", frames=3, bytes=126)

    found = survey(tmp_path, hand_clock, [row("asks", asks), row("good", good)])
    assert [run.sent for run in found.runs] == [(Sent(protocol="arp", frames=3, bytes=126),), ()]


def test_an_instrument_learns_from_the_schools_lists_and_from_what_was_seen_before_it(tmp_path, hand_clock):
    told = []

    def learn(settings, seen):
        told.extend((each.source, each.address) for each in seen)
        return settings

    (tmp_path / "netready.toml").write_text(SITE)
    own = Lists(sightings=(Sighting(source="lease", at=hand_clock.now(), address="10.20.0.9"),))
    rows = [row("good", good, silent=True), row("pupil", broken, silent=True, learn=learn), row("later", good, silent=True)]
    take(
        load(tmp_path / "netready.toml", ()),
        rows,
        clock=hand_clock,
        chance=random.Random(1),
        say=print,
        rights=frozenset(),
        own=own,
    )
    assert told == [("lease", "10.20.0.9"), ("arp", "10.20.0.7")]


def test_what_this_machine_does_not_allow_is_skipped_with_the_reason(tmp_path, hand_clock):
    found = survey(tmp_path, hand_clock, [row("raw", good, needs=frozenset({Capability.RAW_SOCKET}))], rights=frozenset())
    assert found.measurements == ()
    assert found.runs[0].skipped == "this machine does not allow it (raw-socket); `netready doctor` says how to"


def test_the_plan_foretells_time_and_data(tmp_path):
    (tmp_path / "netready.toml").write_text(SITE)
    rows = (
        row("fill", good, seconds=lambda _s: 20.0, load=lambda _s, rate: rate * 20 / 8),
        row("off", good, missing=lambda _s: "not set up"),
    )
    config = load(tmp_path / "netready.toml", rows)
    steps = plan(config, rows, frozenset(Capability))
    assert [(s.instrument, s.seconds, s.bytes, s.skipped) for s in steps] == [
        ("fill", 20.0, pytest.approx(250e6 * OVERHEAD), None),
        ("off", 0.0, 0.0, "not set up"),
    ]


def test_ids_sort_by_time_and_differ(tmp_path, hand_clock):
    first = survey(tmp_path, hand_clock, [row("good", good)])
    hand_clock.advance(10)
    second = survey(tmp_path, hand_clock, [row("good", good)])
    assert first.id.startswith("20260302T090000Z-")
    assert first.id < second.id
