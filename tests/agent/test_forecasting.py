"""The forecast from a store with a history, and what it says when there is none."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from agent.cli import netready
from agent.config import load
from agent.forecasting import made, users
from agent.instruments import instruments
from netready.measurement import Measurement
from netready.refusal import Unfit
from netready.survey import Survey
from readiness.forecast import Band
from reports import forecast_lines
from store import open_store

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
[[site.circuits]]
name = "Fibre"
contracted_down = "300M"
contracted_up = "300M"
counter = "10.20.0.1 wan0"
"""


def config(tmp_path, more=""):
    path = tmp_path / "netready.toml"
    path.write_text(SITE + more)
    return load(path, instruments())


def history(tmp_path, months, *, first=60e6, growth=0.3):
    """A store in which every month has one school day, 09:00 to 14:00, at a rate that grows."""
    rows = []
    octets = 0.0
    for back in reversed(range(months)):
        month = (NOW.year * 12 + NOW.month - 1) - back
        day = datetime(month // 12, month % 12 + 1, 4, 9, 0, tzinfo=UTC)
        while day.isoweekday() > 5:
            day += timedelta(days=1)
        rate = first * (1 + growth) ** ((months - 1 - back) / 12)
        for minute in range(0, 300, 10):
            octets += rate / 8 * 600
            at = day + timedelta(minutes=minute)
            rows.append(Measurement.of("interface_received", "10.20.0.1 wan0", at, octets, "snmp/1"))
    with open_store(tmp_path / "netready.sqlite") as store:
        taken = Survey(id="s", site="L", software="n", started_at=NOW, finished_at=NOW, measurements=tuple(rows))
        store.add(taken)


def test_a_year_of_the_schools_own_months_gives_its_growth(tmp_path):
    history(tmp_path, 15)
    with open_store(tmp_path / "netready.sqlite") as store:
        found = made(config(tmp_path), store, years=3, now=NOW)
    assert found.growth.months == 15
    assert found.growth.middle == pytest.approx(0.3, abs=0.02)
    assert found.peak == pytest.approx(60e6 * 1.3 ** (14 / 12), rel=0.03)
    assert list(found.years[0].floors.values()) == pytest.approx([100e3 * 520, 1e6 * 520])
    assert found.exhausted[Band.MIDDLE] is None  # 1.35 * 81 Mbps * 1.3 ** 3 is 242 Mbps of 300
    assert list(found.below.values()) == [None, 2026]


def test_two_months_are_no_history_and_the_bands_say_so(tmp_path):
    history(tmp_path, 2)
    with open_store(tmp_path / "netready.sqlite") as store:
        found = made(config(tmp_path), store, years=5, now=NOW)
    assert found.growth.months == 0
    text = "\n".join(forecast_lines.lines(found))
    assert "no history" in text
    assert "2026" in text
    assert "2031" in text
    assert max(map(len, text.splitlines())) <= 80


def test_without_counters_nobody_can_say_and_the_reason_is_given(tmp_path, monkeypatch):
    config(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(netready, ["forecast"])
    assert done.exit_code == 3
    assert "Cannot say" in done.output
    assert "10.20.0.1 wan0" in done.output
    done = CliRunner().invoke(netready, ["forecast", "--json"])
    assert json.loads(done.output)["forecast"] is None


def test_users_are_those_listed_and_grow_from_there(tmp_path):
    found = config(tmp_path, "[forecast]\nusers = [520, 600]\nusers_growth = 0.1\n")
    assert users(found, 3) == [520, 600, 660, 726]
    assert users(config(tmp_path), 2) == [520, 520, 520]


@pytest.mark.parametrize(
    ("table", "place", "said"),
    [
        ('standards = ["setda-2016-smal-2020-21"]', "forecast.standards[0]", "setda-2016-small-2020-21"),
        ('standards = ["fcc-wan"]', "forecast.standards[0]", "is another sort"),
        (
            '[[forecast.programmes]]\nname = "x"\nyear = 2020\nusers = 5\nrate = "1M"',
            "forecast.programmes[0].year",
            "expected a year from 2026 to 2029; got 2020",
        ),
        ('[[forecast.programmes]]\nname = "x"\nyear = 2027\nusers = 5\nrate = "fast"', "forecast.programmes[0].rate", "300M"),
        ("headroom = -1", "forecast.headroom", ">= 0"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_its_place(tmp_path, table, place, said):
    history(tmp_path, 2)
    with pytest.raises(Unfit) as refused, open_store(tmp_path / "netready.sqlite") as store:
        made(config(tmp_path, f"[forecast]\n{table}\n"), store, years=3, now=NOW)
    assert place in str(refused.value)
    assert said in str(refused.value)


def test_a_programme_is_read_with_its_rate(tmp_path):
    history(tmp_path, 2)
    more = '[forecast]\nheadroom = 0\n[[forecast.programmes]]\nname = "Tablets"\nyear = 2027\nusers = 200\nrate = "500k"\n'
    with open_store(tmp_path / "netready.sqlite") as store:
        without = made(config(tmp_path, "[forecast]\nheadroom = 0\n"), store, years=2, now=NOW)
        found = made(config(tmp_path, more), store, years=2, now=NOW)
    added = [with_.need[Band.LOW] - plain.need[Band.LOW] for with_, plain in zip(found.years, without.years, strict=True)]
    assert added == pytest.approx([0, 50e6, 50e6])
