from datetime import date, time

import msgspec
import pytest

from netready.site import Calendar, Site

FACTS = {"name": "Lincoln", "students": 480, "staff": 40, "classrooms": 24}


def test_users_are_students_and_staff():
    assert msgspec.convert(FACTS, Site).users == 520


def test_contracted_rates_are_summed_over_circuits_and_unknown_without_any():
    circuits = [{"name": n, "contracted_down": 1e8, "contracted_up": 2e7} for n in "ab"]
    site = msgspec.convert({**FACTS, "circuits": circuits}, Site)
    assert (site.contracted_down, site.contracted_up) == (2e8, 4e7)
    assert msgspec.convert(FACTS, Site).contracted_down is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"students": 0}, r"Expected `int` >= 1 - at `\$.students`"),
        ({"staff": -1}, r"Expected `int` >= 0 - at `\$.staff`"),
        ({"time_zone": "Mars/Olympus"}, "time_zone 'Mars/Olympus' is not a zone"),
        ({"time_zone": "../etc/passwd"}, "is not a zone"),
        ({"networks": ["10.20.0.1/24"]}, "'10.20.0.1/24' is not a network"),
        ({"endpoints": [{"name": "x", "url": "ftp://x"}]}, r"\$.endpoints\[0\].url"),
        ({"circuits": [{"name": "x", "contracted_down": -1.0, "contracted_up": 1.0}]}, "Expected `float` > 0"),
    ],
)
def test_impossible_facts_are_refused(change, message):
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(FACTS | change, Site)


def test_the_calendar_knows_weekends_holidays_and_bells():
    calendar = Calendar(holidays=(date(2026, 3, 4),))
    assert calendar.in_session(date(2026, 3, 2), time(9, 0))
    assert not calendar.in_session(date(2026, 3, 2), time(15, 30))
    assert not calendar.is_school_day(date(2026, 3, 4))
    assert not calendar.is_school_day(date(2026, 3, 7))


def test_bells_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="first_bell 16:00 must be before last_bell 08:00"):
        Calendar(first_bell=time(16), last_bell=time(8))
