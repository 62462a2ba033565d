"""`netready assess --what-if`: what it prints, what it refuses, and that it keeps nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from agent.cli import netready
from netready.measurement import Measurement
from netready.refusal import Unfit
from netready.survey import Survey
from store import open_store

SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
[site.calendar]
days = [1, 2, 3, 4, 5, 6, 7]
first_bell = 00:00:00
last_bell = 23:59:59
[[site.circuits]]
name = "Fibre"
contracted_down = "40M"
contracted_up = "40M"
"""


@pytest.fixture
def school(tmp_path):
    """A config, and a store with twelve days of tests of a slow line up to this minute."""
    path = tmp_path / "netready.toml"
    path.write_text(SITE)
    now = datetime.now(UTC)
    rows = [
        Measurement.of(f"throughput_{way}", "10.0.0.1:1", now - timedelta(days=days, minutes=1), 38e6, "ndt7/1")
        for days in range(12)
        for way in ("down", "up")
    ]
    with open_store(tmp_path / "netready.sqlite") as store:
        store.add(Survey(id="s", site="L", software="n", started_at=now, finished_at=now, measurements=tuple(rows)))
    return path


def run(path, *args):
    return CliRunner().invoke(netready, ["assess", *args, "--config", str(path)], catch_exceptions=False)


def test_a_wider_line_says_first_that_it_is_supposed_and_then_what_would_change(school):
    before = (school.parent / "netready.sqlite").read_bytes()
    done = run(school, "--what-if", "contracted=1G,measured=900M")
    assert done.exit_code == 0
    said = done.output.splitlines()
    assert said[:3] == [
        "WHAT IF contracted=1G, measured=900M",
        "A supposition, not a finding: nothing of contracted=1G, measured=900M was",
        "measured or kept.",
    ]
    assert "Criteria" in said
    assert max(map(len, said)) <= 80
    assert (school.parent / "netready.sqlite").read_bytes() == before


def test_the_same_as_json_and_marked_as_a_supposition(school):
    found = json.loads(run(school, "--what-if", "contracted=1G,measured=900M", "--json").output)
    assert found["supposition"] is True
    assert [one["name"] for one in found["changes"]] == ["contracted", "measured"]
    moved = {one["id"]: (one["now"], one["then"]) for one in found["criteria"]}
    assert moved
    assert {then for _, then in moved.values()} <= {"met", "unknown"}  # a wider line makes nothing worse
    assert all(one["why"] for one in found["criteria"])


def test_what_is_so_already_changes_nothing(school):
    done = run(school, "--what-if", "students=480,staff=40,classrooms=24")
    assert done.output.endswith("No stage, no criterion and no answer of the gate would change.\n")


def test_more_people_are_counted_in_the_measured_line_too(school):
    found = json.loads(run(school, "--what-if", "students=40,staff=0", "--json").output)
    assert any("950 Mbps per 1,000 users" in one["why"] for one in found["criteria"])


def test_what_cannot_be_supposed_is_refused_before_the_config_is_read(tmp_path):
    with pytest.raises(Unfit, match="what can be is access_points, classrooms, contracted"):
        run(tmp_path / "no.toml", "--what-if", "speed=1G")


def test_a_wave_beside_it_is_refused(school):
    done = run(school, "--what-if", "staff=1", "--wave", "room")
    assert done.exit_code == 2
    assert "--what-if answers for every wave" in done.output
