"""What a judgement means for the school, as its staff see it: assess, standards, and what the config may not say."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from agent.cli import netready
from netready.device import Device, Kind
from netready.failure import Failure
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
{site}
[site.calendar]
days = [1, 2, 3, 4, 5, 6, 7]
first_bell = 00:00:00
last_bell = 23:59:59
[[site.circuits]]
name = "Fibre"
contracted_down = "40M"
contracted_up = "40M"
{more}
"""
PRICES = """
[prices]
currency = "USD"
student_device = 350
access_point = 600
[[prices.circuits]]
rate = "100M"
month = 300
[[prices.circuits]]
rate = "1G"
month = 900
"""


@pytest.fixture
def school(tmp_path):
    """Write a config beside a store with twelve days of tests of a slow line, and 30 student devices; run a command on it."""
    now = datetime.now(UTC)
    rows = [
        Measurement.of(f"throughput_{way}", "10.0.0.1:1", now - timedelta(days=days, minutes=1), 38e6, "ndt7/1")
        for days in range(12)
        for way in ("down", "up")
    ]
    rows += [
        Measurement.failed(
            "http_total_time",
            "https://lms.school.test/",
            now - timedelta(days=days, minutes=2),
            Failure.TIMEOUT,
            "h/1",
            role="lms",
        )
        for days in range(12)
    ]
    seen = tuple(
        Device(key=f"k{number}", mac=None, addresses=(), names=(), kind=Kind.STUDENT_DEVICE, vendor=None)
        for number in range(30)
    )
    taken = Survey(id="s", site="L", software="n", started_at=now, finished_at=now, measurements=tuple(rows), devices=seen)
    with open_store(tmp_path / "netready.sqlite") as store:
        store.add(taken)

    def run(*args, site="", more=""):
        path = tmp_path / "netready.toml"
        path.write_text(SITE.format(site=site, more=more))
        done = CliRunner().invoke(netready, [*args, "--config", str(path)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    run.folder = tmp_path
    return run


def test_assess_says_what_comes_next_what_is_missing_and_what_it_costs_in_eighty_columns(school):
    said = school("assess", more=PRICES).output
    assert max(map(len, said.splitlines())) <= 80
    flat = " ".join(said.split())
    for words in (
        "What comes next, by dimension, easiest first",
        "Internet access · The line towards the school: at least 38 Mbps",
        "Roadmap, Scaling: 100 Mbps for 1,000 students and faculty",
        "Classroom hardware · Student devices: at least 30",
        "at most 73,500 USD once",
        "all of a line of 1,000 Mbps, instead of today's",
        "Users: 480 students and 40 staff as netready.toml gives them; no roster was counted.",
    ):
        assert words in flat, words


def test_the_same_as_json(school):
    found = json.loads(school("assess", "--json", more=PRICES).output)["outlook"]
    assert found["users"]["students_from"] == "config"
    assert [each["standard"] for each in found["standards"]] == ["ccsso-roadmap-scaling", "ccsso-roadmap-transforming"]
    assert len(found["next_steps"]) == 14
    assert {step["who"] for each in found["next_steps"] for step in each["steps"]} == {"it", "leadership", "district"}
    items = {each["id"]: each for each in found["fit_gap"]}
    wave = next(gap for gap in items["student_devices"]["gaps"] if "wave:whole-school" in gap["goals"])
    assert (wave["wanted"]["value"], wave["gap"]["value"], wave["gap"]["at_most"], wave["cost"]["amount"]) == (
        240,
        210,
        True,
        73500,
    )
    assert items["growth_down"]["note"].startswith("What is wanted by then is not known: no circuit names")
    assert {bill["goal"] for bill in found["bills"]} >= {"stage", "wave:pilot-room", "wave:whole-school"}


def test_the_gaps_as_csv_have_every_goal_with_numbers_in_base_units(school):
    school("report", "--format", "fit-gap", "--out", str(school.folder / "gaps.csv"), more=PRICES)
    text = (school.folder / "gaps.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    row = next(row for row in rows if "threshold:1-gbps" in row["goals"] and row["item"] == "The line towards the school")
    assert (float(row["wanted"]), float(row["missing"]), row["unit"]) == (520e6, 482e6, "bit/s")
    assert (float(row["cost"]), row["currency"], row["paid"]) == (900, "USD", "a month")


def test_a_chosen_standard_is_shown_beside_the_two_thresholds_with_its_denominator(school):
    chosen = '[readiness]\nstandard = "setda-2016-small-2017-18"\n'
    done = school("standards", site="guests = 30", more=chosen)
    first = done.output.split("All others")[0]
    flat = " ".join(first.split())
    assert "480 students and 40 staff as netready.toml gives them" in flat
    assert "Roadmap, Transforming: 1 Gbps for 1,000 students and faculty: for 520 students and staff: 520 Mbps needed" in flat
    assert (
        "SETDA 2016 for 2017-18, small district: 1.5 Mbps for each user: for 550 students, staff and guests: 825 Mbps" in flat
    )
    found = json.loads(school("standards", "--json", site="guests = 30", more=chosen).output)
    assert found["chosen"] == ["ccsso-roadmap-scaling", "ccsso-roadmap-transforming", "setda-2016-small-2017-18"]
    assert len(found["comparison"]) == len(found["standards"]["standards"])
    assert all(each["denominator"] for each in found["comparison"])
    gaps = json.loads(school("assess", "--json", site="guests = 30", more=chosen).output)["outlook"]["fit_gap"]
    line = next(each for each in gaps if each["id"] == "internet_down")
    assert any(gap["goals"] == ["standard:setda-2016-small-2017-18"] for gap in line["gaps"])


def test_a_standard_without_its_denominator_says_what_it_divides_by_and_where_to_give_it(school):
    flat = " ".join(school("standards").output.split())
    assert "(divides by students in the busiest shift): the site's configuration does not give the number" in flat
    assert "(site.busiest_shift)" in flat


def vouched(folder, criterion, answer):
    """A config's [readiness] with one person's word."""
    today = datetime.now(UTC).date()
    words = f'[[attestations]]\ncriterion = "{criterion}"\nanswer = {answer}\nname = "A. Head"\nrole = "principal"\n'
    words += f"on = {today - timedelta(days=9)}\nuntil = {today + timedelta(days=90)}\n"
    (folder / "words.toml").write_text(words)
    return '[readiness]\nattestations = "words.toml"\n'


def test_what_was_measured_wins_over_a_word_and_both_are_shown_in_words(school):
    lms = '[[site.endpoints]]\nname = "LMS"\nurl = "https://lms.school.test/"\nrole = "lms"\n'
    more = lms + vouched(school.folder, "TJ.2.5", "true")
    flat = " ".join(school("assess", more=more).output.split())
    shown = flat.split("Where the evidence disagrees")[1].split("Next steps")[0]
    assert "TJ.2.5: A learning platform manages lessons" in shown
    assert "- Probed: 0 %; asked for is at least 99 %." in shown
    assert "- Attested: A. Head (principal) said yes on" in shown
    assert "What is probed counts: not met." in shown
    verdicts = json.loads(school("assess", "--json", more=more).output)["judgement"]["verdicts"]
    one = next(each for each in verdicts if each["criterion"] == "TJ.2.5")
    assert (one["outcome"], one["contradicted"]) == ("not met", True)
    assert [side.split(":")[0] for side in one["sides"]] == ["probed", "attested"]
    school("report", "--out", str(school.folder / "page.html"), more=more)
    page = (school.folder / "page.html").read_text()
    assert page.count("What is probed counts: not met.") == 1
    school("report", "--format", "csv", "--out", str(school.folder / "criteria.csv"), more=more)
    assert "attested: A. Head (principal) said yes on" in (school.folder / "criteria.csv").read_text("utf-8-sig")


def test_a_no_to_what_only_a_stand_in_was_measured_for_counts_too(school):
    flat = " ".join(school("assess", more=vouched(school.folder, "PB.2.1", "false")).output.split())
    shown = flat.split("Where the evidence disagrees")[1].split("Next steps")[0]
    assert "- Attested: A. Head (principal) said no on" in shown
    assert "- Measured: 12 days; asked for is at least 5 days." in shown
    assert "The person's “no” counts: not met." in shown


def test_a_forecast_that_cannot_be_made_any_more_does_not_keep_the_report_from_being_made(school):
    programme = '[[forecast.programmes]]\nname = "1:1"\nyear = 2001\nusers = 400\nrate = "500k"\n'
    done = school("assess", "--json", more=programme)
    assert done.exit_code == 0
    assert json.loads(done.output)["outlook"]["fit_gap"][-1]["gaps"] == []


@pytest.mark.parametrize(
    ("site", "more", "sentence"),
    [
        ("", '[readiness]\nstandard = "setda"\n', 'readiness.standard: no standard is called "setda"; '),
        ("busiest_shift = 481", "", "site: busiest_shift: expected at most 480, which are all students; got 481"),
        ("concurrent_testers = 500", "", "site: concurrent_testers: expected at most 480, which are all students; got 500"),
        ("guests = -1", "", "site.guests: expected a whole number >= 0"),
        ("", "[prices]\nstudent_device = 350\n", 'prices: expected a currency beside the prices, such as currency = "USD"'),
        ("", '[prices]\ncurrency = "usd"\n', "prices: expected a currency of three capital letters, such as USD"),
        ("", '[prices]\ncurrency = "USD"\nserver = -1\n', "prices.server: expected a number >= 0"),
        ("", '[prices]\ncurrency = "USD"\nserver = 1e9\n', "prices.server: expected a number <= 10000000"),
        ("", '[prices]\ncurrency = "USD"\nserver = nan\n', "prices"),
        ("", '[prices]\ncurrency = "USD"\nserver = "4,000"\n', "prices.server: expected a number; got text"),
        ("", "[prices]\nacess_point = 1\n", "prices.acess_point: unknown field; did you mean access_point?"),
        (
            "",
            '[prices]\ncurrency = "USD"\n[[prices.circuits]]\nrate = "fast"\nmonth = 1\n',
            "prices.circuits[0].rate: expected a rate such as 300M or 1G (bit/s, decimal), got 'fast'",
        ),
        ("", "[wanted]\nservers = -1\n", "wanted.servers: expected a whole number >= 0"),
        ("", '[wanted]\ninternet_down = "much"\n', "wanted.internet_down: expected a rate such as 300M or 1G"),
    ],
)
def test_what_the_config_may_not_say_is_refused_in_one_sentence(school, site, more, sentence):
    with pytest.raises(Unfit) as caught:
        school("assess", site=site, more=more)
    said = str(caught.value)
    assert said.startswith(f"{school.folder / 'netready.toml'}: {sentence}"), said
    assert "\n" not in said


def test_init_asks_for_the_people_that_other_standards_divide_by(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answers = 'name = "L"\nstudents = 480\nstaff = 40\nclassrooms = 24\nguests = 20\nconcurrent_testers = 60\n'
    (tmp_path / "answers.toml").write_text(answers)
    done = CliRunner().invoke(netready, ["init", "--answers", "answers.toml"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "netready.toml").read_text()
    assert "\nguests = 20\n# busiest_shift = 300\nconcurrent_testers = 60\n" in text


def test_an_answer_that_ran_out_and_one_that_was_replaced_say_that_they_count_no_more(school):
    today = datetime.now(UTC).date()
    rows = "criterion,answer,name,role,on,until,document,document date,sha-256,kept where,note\n"
    for days, until in ((400, 300), (200, 100)):
        rows += f"TC.2.1,yes,A. Head,principal,{today - timedelta(days=days)},{today - timedelta(days=until)},,,,,\n"
        (school.folder / "form.csv").write_text(rows)
        assert school("attest", "import", str(school.folder / "form.csv")).exit_code == 0
        rows = rows.splitlines()[0] + "\n"
    flat = " ".join(school("attest", "list").output.split())
    assert (
        f"until {today - timedelta(days=100)}; expired, counts no more; replaces an older answer, which counts no more" in flat
    )
    page = school("report", "--out", str(school.folder / "page.html"))
    assert page.exit_code == 0
    assert "and counts no more." in (school.folder / "page.html").read_text()
