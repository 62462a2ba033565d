import msgspec
import pytest

from agent.config import ConfigError, authority, find, load
from netready.instrument import Instrument
from netready.refusal import Unfit

SITE = """
[site]
name = "Lincoln High School"
students = 480
staff = 40
classrooms = 24
networks = ["10.20.0.0/24"]
[[site.circuits]]
name = "Fibre"
contracted_down = "300M"
contracted_up = 20e6
"""


class Room(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of its settings."""

    plan_file: str = ""


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a made-up instrument."""

    server: str = ""
    tries: int = 3
    secret_file: str = ""
    rooms: tuple[Room, ...] = ()


ROW = Instrument(
    name="probe",
    version=1,
    read=lambda _settings, _context: iter(()),
    settings=Probe,
    does="nothing",
    metrics=(),
    hosts=lambda settings: (settings.server.rpartition(":")[0],),
    files=("secret_file", "rooms.plan_file"),
)


def read(tmp_path, text):
    path = tmp_path / "netready.toml"
    path.write_text(text)
    return load(path, (ROW,))


def test_rates_are_read_as_people_write_them(tmp_path):
    config = read(tmp_path, SITE)
    assert config.site.contracted_down == 300e6
    assert config.site.contracted_up == 20e6
    assert config.site.users == 520


def test_amounts_and_times_are_read_as_people_write_them(tmp_path):
    text = '[budget]\nprofile = "metered"\nper_day = "200M"\nper_month = 4_000_000_000\n[line]\nlook = "5s"\nwait = "2m"\n'
    config = read(tmp_path, SITE + text)
    assert (config.budget.rules.per_day, config.budget.rules.per_month) == (200e6, 4e9)
    assert (config.line.look, config.line.wait) == (5.0, 120.0)


def test_defaults_are_values(tmp_path):
    config = read(tmp_path, SITE)
    assert config.survey.interval == 6 * 3600
    assert config.exporter.listen.startswith("127.0.0.1:")
    assert config.settings(ROW) == Probe()


def test_paths_are_relative_to_the_file(tmp_path):
    config = read(tmp_path, SITE + '[probe]\nsecret_file = "community.txt"\n')
    assert config.settings(ROW).secret_file == str(tmp_path / "community.txt")


def test_paths_in_rows_are_relative_to_the_file(tmp_path):
    rows = '[[probe.rooms]]\nplan_file = "a/12.svg"\n[[probe.rooms]]\n[[probe.rooms]]\nplan_file = "/srv/13.svg"\n'
    config = read(tmp_path, SITE + rows)
    assert [room.plan_file for room in config.settings(ROW).rooms] == [str(tmp_path / "a/12.svg"), "", "/srv/13.svg"]
    with pytest.raises(Unfit, match=r"probe.rooms\[0\]: expected a table; got text"):
        read(tmp_path, SITE + '[probe]\nrooms = ["12.svg"]\n')


def test_hosts_that_the_config_names_are_authorised(tmp_path):
    config = read(tmp_path, SITE + '[probe]\nserver = "[2001:db8::1]:4433"\n')
    assert authority(config, (ROW,)).hosts == {"2001:db8::1"}


def at(table, line):
    return SITE.replace("staff = 40", f"staff = 40\n{line}") if table == "site" else f"{SITE}[{table}]\n{line}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SITE.replace("students = 480", "students = 0"), "site.students: expected a whole number >= 1"),
        (SITE.replace("students = 480", 'students = "many"'), "site.students: expected a whole number; got text"),
        (SITE.replace("students = 480", ""), "site.students: expected a value; the field is missing"),
        (at("site", "studnets = 1"), "site.studnets: unknown field; did you mean students?"),
        (SITE.replace('"300M"', '"fast"'), "site.circuits[0].contracted_down: expected a rate such as 300M or 1G"),
        (SITE.replace('"300M"', "-5"), "site.circuits[0].contracted_down: expected a number > 0"),
        (SITE.replace('"300M"', "inf"), "site.circuits[0].contracted_down: expected a number <= 10000000000000.0"),
        (SITE.replace('"300M"', "nan"), "site.circuits[0].contracted_down: expected a number"),
        (
            SITE.replace("contracted_up", "contracted_upp"),
            "site.circuits[0].contracted_upp: unknown field; did you mean contracted_up?",
        ),
        (SITE.replace("10.20.0.0/24", "10.20.0.0/33"), "site: networks: '10.20.0.0/33' is not a network"),
        (
            SITE.replace("10.20.0.0/24", "16.0.0.0/4"),
            "site.networks[0]: expected at most 4,096 addresses (survey.widest_scan); 16.0.0.0/4 has 268,435,456",
        ),
        (at("surveys", 'interval = "6h"'), "surveys: unknown table; did you mean survey?"),
        (at("survey", 'interval = "soon"'), "survey.interval: expected a duration such as 90s, 15m or 6h, got 'soon'"),
        (at("survey", "interval = 5"), "survey.interval: expected a number >= 60"),
        (at("survey", 'skip = ["prob"]'), 'survey.skip[0]: no instrument is called "prob"; did you mean probe?'),
        (at("probe", "tires = 2"), "probe.tires: unknown field; did you mean tries?"),
        (at("probe", 'tries = "2"'), "probe.tries: expected a whole number; got text"),
        (at("line", "busy = 30"), "line.busy: expected a number <= 1.0"),
        (at("line", 'quiet = ["8-9"]'), 'line: quiet: expected "08:00-09:30" or "2026-05-12 08:00-12:00"; got \'8-9\''),
        (at("line", 'wait = "soon"'), "line.wait: expected a duration such as 90s, 15m or 6h, got 'soon'"),
        (at("budget", 'per_day = "lots"'), "budget.per_day: expected an amount of data such as 500M or 5G"),
        (at("budget", "per_day = 0"), "budget.per_day: expected a number > 0"),
        (at("budget", 'profile = "cheap"'), 'budget.profile: expected one of metered, satellite, unmetered; got "cheap"'),
        (at("exporter", 'listen = "9810"'), "exporter.listen: expected text matching regex"),
        ("probe = 3" + SITE, "probe: expected a table, [probe]"),
        ("[survey]\n", "site: the table [site] is missing"),
        ("[site\n", "line 1"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_its_place(tmp_path, text, message):
    with pytest.raises(Unfit) as refused:
        read(tmp_path, text)
    said = str(refused.value)
    assert said.startswith(f"{tmp_path / 'netready.toml'}: {message}"), said
    assert "\n" not in said


def test_a_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(ConfigError, match="no such file; `netready init`"):
        load(tmp_path / "netready.toml", ())


def test_bytes_that_are_not_text_are_refused(tmp_path):
    (tmp_path / "netready.toml").write_bytes(b"[site]\nname = '\xff'\n")
    with pytest.raises(Unfit, match="byte 15: expected UTF-8 text"):
        load(tmp_path / "netready.toml", ())


def test_the_file_here_comes_before_the_systems(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find(None).name == "netready.toml"
    assert find("other.toml").name == "other.toml"
