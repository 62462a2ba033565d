from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agent.line import Hours, LineSettings, Use, busy
from netready.site import Calendar, Circuit, Site

HERE = ZoneInfo("America/Chicago")
SITE = Site(
    name="L",
    students=480,
    staff=40,
    classrooms=24,
    time_zone="America/Chicago",
    circuits=(Circuit(name="line", contracted_down=100e6, contracted_up=20e6),),
    calendar=Calendar(holidays=(datetime(2026, 3, 3, tzinfo=HERE).date(),)),
)
QUIET = LineSettings(quiet=("08:00-09:30", "2026-03-07 10:00-12:00"))


def local(day, hour, minute=0):
    return datetime(2026, 3, day, hour, minute, tzinfo=HERE)


@pytest.mark.parametrize(
    ("moment", "held"),
    [
        (local(2, 7, 59), None),
        (local(2, 8), "08:00-09:30"),
        (local(2, 9, 29), "08:00-09:30"),
        (local(2, 9, 30), None),
        (local(3, 8, 30), None),  # a holiday
        (local(7, 8, 30), None),  # a Saturday
        (local(7, 11), "2026-03-07 10:00-12:00"),  # a Saturday's exam
        (local(9, 8, 30), "08:00-09:30"),  # the first Monday of summer time
        (datetime(2026, 3, 2, 14, 15, tzinfo=ZoneInfo("UTC")), "08:00-09:30"),
        (datetime(2026, 3, 9, 13, 15, tzinfo=ZoneInfo("UTC")), "08:00-09:30"),
        (datetime(2026, 3, 9, 14, 45, tzinfo=ZoneInfo("UTC")), None),
    ],
)
def test_quiet_hours_are_the_sites_own(moment, held):
    found = QUIET.quiet_now(SITE, moment)
    assert (found.text if found else None) == held


@pytest.mark.parametrize("text", ["8-9", "08:00", "25:00-26:00", "2026-02-30 08:00-09:00", "09:00-08:00", "09:00-09:00", ""])
def test_hours_that_make_no_sense_are_refused(text):
    with pytest.raises(ValueError, match="quiet: "):
        Hours.of(text)


def use(down, up=0.0):
    return Use(down=down, up=up, seconds=3.0, source="router 10.20.0.1 wan0")


def test_a_busy_line_is_named_with_the_use_that_was_measured():
    said = busy(use(42e6), ("down", "up"), SITE, 0.3)
    assert said == (
        "42 Mbps towards the school over 3 s, 42% of the contract (router 10.20.0.1 wan0); a test waits above 30% (line.busy)"
    )


def test_only_the_directions_of_the_test_count():
    assert busy(use(42e6), ("up",), SITE, 0.3) is None
    assert busy(use(0, 7e6), ("up",), SITE, 0.3).startswith("7 Mbps from the school")


def test_a_line_below_the_limit_is_free():
    assert busy(use(30e6, 6e6), ("down", "up"), SITE, 0.3) is None


@pytest.mark.parametrize(("used", "wanted", "free"), [(60e6, 40e6, True), (60e6, 41e6, False), (5e6, 100e6, True)])
def test_a_paced_test_needs_only_its_own_room(used, wanted, free):
    assert (busy(use(used), ("down",), SITE, 0.3, wanted=wanted) is None) == free


def test_without_a_contract_nothing_is_called_busy():
    import msgspec

    assert busy(use(90e6), ("down",), msgspec.structs.replace(SITE, circuits=()), 0.3) is None
