"""Users that the config takes from a roster, and what is said about them."""

import os
from datetime import UTC, datetime

import pytest

from agent.config import load
from netready.refusal import Unfit
from netready.roster import Source

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SITE = '[site]\nname = "Lincoln High School"\nclassrooms = 24\n'
ROSTER = '[roster]\nfile = "export"\n'


class StoppedClock:
    """It is always the same moment."""

    def now(self):
        return NOW

    def monotonic(self):
        return 0.0

    def sleep(self, seconds):
        raise AssertionError(seconds)


@pytest.fixture
def config(tmp_path):
    """Load a config beside an export with 20 students and 5 staff, half of them at org-a."""
    (tmp_path / "export").mkdir()
    rows = [f"s-{number},,true,org-{'ab'[number % 2]},student" for number in range(20)]
    rows += [f"t-{number},,true,org-{'ab'[number % 2]},teacher" for number in range(5)]
    text = "\n".join(["sourcedId,status,enabledUser,orgSourcedIds,role", *rows])
    (tmp_path / "export" / "users.csv").write_text(text)
    written = datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "export" / "users.csv", (written, written))

    def run(text):
        path = tmp_path / "netready.toml"
        path.write_text(text)
        return load(path, (), StoppedClock())

    return run


SAID = "20 students and 5 staff counted from export, written on 2026-11-20, counted on 2026-11-22"


def test_a_site_that_gives_no_users_takes_those_of_its_roster(config):
    found = config(SITE + ROSTER)
    assert (found.site.students, found.site.staff, found.site.users) == (20, 5, 25)
    assert found.users_from() == (SAID,)


def test_only_the_school_that_is_named_is_counted(config):
    found = config(f'{SITE}{ROSTER}school = "org-a"\n')
    assert (found.site.students, found.site.staff) == (10, 3)
    said = '10 students and 3 staff counted from export for "org-a", written on 2026-11-20, counted on 2026-11-22'
    assert found.users_from() == (said,)


def test_what_the_site_gives_itself_is_used_and_a_tenth_apart_is_not_worth_a_word(config):
    found = config(f"{SITE}students = 22\n{ROSTER}")
    assert (found.site.students, found.site.staff) == (22, 5)
    assert (found.users.students_from, found.users.staff_from) == (Source.CONFIG, Source.ROSTER)
    assert found.users_from() == ("22 students as netready.toml gives them; the staff are those of the roster", SAID)


def test_more_than_a_tenth_apart_is_said(config):
    found = config(f"{SITE}students = 23\nstaff = 4\n{ROSTER}")
    assert (found.site.students, found.site.staff) == (23, 4)
    assert found.users_from() == (
        "23 students and 4 staff as netready.toml gives them",
        SAID,
        "site.students is 23 in the config, and that is used; 20 were counted: more than 10% apart",
        "site.staff is 4 in the config, and that is used; 5 were counted: more than 10% apart",
    )


def test_staff_of_the_config_and_students_of_the_roster_are_told_apart(config):
    found = config(f"{SITE}staff = 5\n{ROSTER}")
    assert (found.users.students_from, found.users.staff_from) == (Source.ROSTER, Source.CONFIG)
    assert found.users_from() == ("5 staff as netready.toml gives them; the students are those of the roster", SAID)


def test_without_a_roster_the_site_must_give_its_users_and_the_config_is_named(config):
    found = config(f"{SITE}students = 23\nstaff = 4\n")
    assert found.users_from() == ("23 students and 4 staff as netready.toml gives them; no roster was counted",)
    with pytest.raises(Unfit, match=r"site\.students: expected a value; the field is missing"):
        config(SITE)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('[roster]\nfile = "gone.zip"\n', r"gone\.zip: no such file"),
        ('[roster]\nschool = "org-a"\n', r"roster\.file: expected the path of an export beside roster\.school"),
        ('[roster]\nfiel = "export"\n', r"roster\.fiel: unknown field; did you mean file\?"),
        ("[roster]\nfile = 3\n", r"roster\.file: expected text; got a whole number"),
    ],
)
def test_a_roster_that_cannot_be_used_stops_the_program_even_when_the_site_gives_its_users(config, table, expected):
    with pytest.raises(Unfit, match=expected):
        config(f"{SITE}students = 23\nstaff = 4\n{table}")
