"""What the census tells the judgement of a survey's devices: who is supported, what they have, and what access points serve."""

from datetime import UTC, date, datetime, timedelta

import pytest

from agent.config import load
from agent.stock import served, told
from netready.device import Device, Kind
from netready.failure import Failure
from netready.measurement import Measurement
from netready.survey import Survey

SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
time_zone = "America/Chicago"
"""
TODAY = date(2026, 3, 31)
MONDAY = datetime(2026, 3, 2, 16, tzinfo=UTC)  # ten o'clock in Chicago


@pytest.fixture
def config(tmp_path):
    def make(more=""):
        (tmp_path / "netready.toml").write_text(SITE + more)
        return load(tmp_path / "netready.toml", ())

    return make


def device(kind=Kind.STUDENT_DEVICE, **facts):
    key = f"{kind}-{sorted(facts.items())}"
    return Device(key=key, mac=None, addresses=(), names=(), kind=kind, vendor=None, facts=facts)


def survey(*devices, forgotten=None):
    at = datetime(2026, 3, 30, tzinfo=UTC)
    return Survey(id="s", site="S", software="x", started_at=at, finished_at=at, devices=devices, forgotten=forgotten or {})


def clients(count, point="10.0.0.9 ap-1", *, at=MONDAY):
    if count is None:
        return Measurement.failed("access_point_clients", point, at, Failure.TIMEOUT, "snmp/1")
    return Measurement.of("access_point_clients", point, at, float(count), "snmp/1")


def test_without_a_survey_nothing_is_told(config):
    assert told(config(), None, (), TODAY).lasting == 0


def test_support_ends_after_its_last_day(config):
    found = told(
        config(),
        survey(
            device(updates_until="2026-03-31"),
            device(updates_until="2026-03-30"),
            device(Kind.SERVER, os="Windows 7"),
            device(Kind.SWITCH),
            device(model="nobody knows"),
        ),
        (),
        TODAY,
    )
    assert (found.lasting, found.ended, found.dated) == (1, 2, 2)


def test_the_number_of_forgotten_devices_is_passed_on(config):
    assert told(config(), survey(forgotten={"phone": 3}), (), TODAY).forgotten == {"phone": 3}


def test_student_devices_are_held_against_the_chosen_specification_as_far_as_it_is_told_of_them(config):
    chosen = config('[inventory]\nspecification = "chromeos-flex"\n')
    gigabyte = 10**9
    devices = (
        device(memory=str(4 * gigabyte), storage=str(32 * gigabyte)),
        device(memory=str(2 * gigabyte)),
        device(model="nobody knows its memory"),
        device(Kind.STAFF_DEVICE, memory=str(8 * gigabyte)),
    )
    found = told(chosen, survey(*devices), (), TODAY)
    assert (found.held, found.meeting) == (2, 1)
    assert found.specification.startswith("ChromeOS Flex")
    assert told(config(), survey(*devices), (), TODAY).held == 0


class TestClients:
    def test_the_busy_hour_of_school_days_counts_and_nights_do_not(self, config):
        evening = MONDAY + timedelta(hours=9)
        readings = [
            clients(30, at=MONDAY),
            clients(10, "10.0.0.9 ap-2", at=MONDAY),
            clients(12, at=MONDAY + timedelta(hours=2)),
            clients(99, at=evening),
            clients(None, at=MONDAY),
        ]
        found = served(config(), readings)
        assert found.clients == {"10.0.0.9 ap-1": 30, "10.0.0.9 ap-2": 10}
        assert (found.hour, found.readings, found.days) == (10, 1, 1)
        assert (found.first_at, found.last_at, found.methods) == (MONDAY, MONDAY, ("snmp/1",))

    def test_days_are_those_on_which_that_hour_was_read(self, config):
        readings = [clients(30, at=MONDAY + timedelta(days=n)) for n in range(3)] + [clients(1, at=MONDAY + timedelta(hours=1))]
        assert served(config(), readings).days == 3

    def test_readings_at_night_alone_are_used_and_make_no_school_day(self, config):
        found = served(config(), [clients(7, at=MONDAY + timedelta(hours=12))])
        assert (found.clients, found.days) == ({"10.0.0.9 ap-1": 7}, 0)

    def test_no_reading_is_no_answer(self, config):
        assert served(config(), [clients(None)]) is None
