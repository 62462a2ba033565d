"""The four example schools: what each describes, what it answers, and the stage that a real audit of it finds."""

import csv
import io
import tomllib
from datetime import date
from pathlib import Path

import msgspec
import pytest

import readiness
from agent.instruments import instruments
from lab import audit, lists, open_lab, stages
from netready.metric import CATALOGUE
from readiness import attestation_form
from readiness.roadmap import EvidenceKind, parse

DATA = Path(readiness.__file__).parent / "data"
ROADMAP = parse((DATA / "roadmap.toml").read_bytes(), "roadmap.toml", CATALOGUE)
ASKED = [one.id for one in ROADMAP.criteria if EvidenceKind.ATTESTED in one.evidence]


@pytest.mark.parametrize("name", stages.NAMES)
class TestEachExample:
    def test_is_a_school_that_can_be_built_and_described(self, name, tmp_path):
        plan = stages.plan(name)
        audit.prepare(plan, tmp_path)
        for file in ("netready.toml", stages.LINE_NAME, stages.COUNTERS_NAME):
            raw = tomllib.loads((tmp_path / file).read_text())
            assert (raw["site"]["students"], raw["site"]["carts"]) == (plan.students, plan.carts)
            assert raw["inventory"]["lists"] == [lists.ASSETS_NAME]
        assert (tmp_path / lists.ASSETS_NAME).exists()

    def test_answers_questions_that_the_roadmap_asks(self, name):
        wanted = stages.example(name)
        for pattern in (*wanted.yes, *wanted.no):
            assert any(stages.fnmatchcase(one, pattern) for one in ASKED), pattern

    def test_survives_being_written_into_the_lab(self, name):
        plan = stages.plan(name)
        assert msgspec.json.decode(msgspec.json.encode(plan), type=type(plan)) == plan


def test_what_earlier_audits_leave_out_are_instruments_and_what_is_left_tests_line_pages_and_counters():
    names = {row.name for row in instruments()}
    assert set(stages.BUT_LINE) <= names
    assert set(stages.BUT_COUNTERS) <= names
    assert names - set(stages.BUT_COUNTERS) == {"snmp"}
    assert {"netready", "http_fetch"} <= names - set(stages.BUT_LINE)


def test_the_tests_of_the_line_stand_between_the_readings_that_count_them(tmp_path):
    made = stages.turns(stages.example("scaling"), tmp_path)
    kinds = ["line" if stages.LINE_NAME in turn.argv[2] else "counters" for turn in made]
    assert kinds.count("line") == 4
    assert kinds.count("counters") == 13
    assert kinds[0] == kinds[-1] == "counters"
    assert [turn.ago for turn, kind in zip(made, kinds, strict=True) if kind == "line"] == [n * 86_400 for n in (4, 3, 2, 1)]
    assert [turn.ago for turn, kind in zip(made, kinds, strict=True) if kind == "counters"][-1] == 300


def test_a_form_is_filled_in_as_the_example_says_and_can_be_imported():
    today = date(2026, 3, 2)
    wanted = msgspec.structs.replace(stages.example("emerging"), yes=("??.2.*",), no=("TU.2.1",))
    text = stages.filled(attestation_form.export(ROADMAP, {}), wanted, today)
    answers = {one.criterion: one.answer for one in attestation_form.parse(text.encode(), "form.csv", ROADMAP, today)}
    assert answers.pop("TU.2.1") is False
    assert set(answers) == {one for one in ASKED if one[3] == "2"} - {"TU.2.1"}
    assert len(list(csv.DictReader(io.StringIO(text)))) == len(ASKED)


# What stands between each school and the next stage, as its own line and lists say it: criterion, outcome, words of the reason.
TELLING = {
    "entry": ("CN.2.2", "unknown", "at least 0.333; asked for is at least 6"),
    "emerging": ("TC.3.4", "not met", "asked for is at least 100 Mbps per 1,000 users"),
    "scaling": ("TC.4.4", "not met", "asked for is at least 1,000 Mbps per 1,000 users"),
    "transforming": ("TC.4.4", "met", "asked for is at least 1,000 Mbps per 1,000 users"),
}


# The one with most to it is looked at every time; the others take another minute and a half.
EACH = [pytest.param(name, marks=() if name == "transforming" else pytest.mark.sweep) for name in stages.NAMES]


@pytest.mark.namespaces
@pytest.mark.slow
@pytest.mark.parametrize("name", EACH)
def test_a_real_audit_of_the_example_finds_its_stage_and_says_why(name, tmp_path):
    with open_lab(stages.plan(name)) as lab:
        found = audit.examine(lab, tmp_path, capture_output=True)
    judgement = found.report["judgement"]
    reached = {row["dimension"]: row["with_attestations"] for row in judgement["stages"]}
    assert reached == dict.fromkeys(reached, stages.NAMES.index(name) + 1)
    verdicts = {row["criterion"]: row for row in judgement["verdicts"]}
    criterion, outcome, said = TELLING[name]
    assert verdicts[criterion]["outcome"] == outcome
    assert said in verdicts[criterion]["reason"]
    assert all(row["by_machine"] != "met" or row["facts"] for row in verdicts.values())
    assert f"Choice of systems: {name.capitalize()} (by machine" in stages.table(found.report)
