"""netready gate on a real store: four answers, a waiver that opens and runs out, decisions on record and made again."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator, FormatChecker

from agent import assessment, deciding, waiving
from agent.cli import netready
from agent.session import begin
from netready.measurement import Measurement
from netready.refusal import Unfit
from netready.survey import Survey
from readiness.gate import Answer, Waiver
from readiness.record import Sameness
from store import open_store

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"
SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
time_zone = "America/Chicago"
[site.calendar]
days = [1, 2, 3, 4, 5, 6, 7]
first_bell = 00:00:00
last_bell = 23:59:59
[[site.endpoints]]
name = "LMS"
url = "https://lms.school.test/"
role = "lms"
[readiness]
policy = "policy.toml"
"""
POLICY = """
id = "small"
version = "1"
title = "A small policy"
platform = "the LMS"
[[waves]]
id = "room"
title = "one room"
[[waves.rules]]
id = "line"
title = "The line gives 100 Mbps for 1,000 users"
level = "hard"
why = "-"
remedy = "Order more."
metric = "internet_down_per_1000"
at_least = 100e6
min_days = 5
[[waves.rules]]
id = "pages"
title = "Pages load in three seconds"
level = "soft"
why = "-"
remedy = "Ask the provider."
metric = "platform_time_p95"
role = "lms"
at_most = 3
[[waves]]
id = "all"
title = "all schools"
scope = "lea"
[[waves.rules]]
id = "all-line"
title = "This school's line gives 100 Mbps for 1,000 users"
level = "hard"
why = "-"
remedy = "Order more."
metric = "internet_down_per_1000"
at_least = 100e6
"""
QUICK, SLOW = 0.5, 9.0  # s
WIDE, NARROW = 60e6, 40e6  # bit/s, for 520 users


@pytest.fixture
def school(tmp_path):
    """A config and a policy, and what fills the store up to a moment: one test and ten page loads on each of some days."""
    (tmp_path / "netready.toml").write_text(SITE)
    (tmp_path / "policy.toml").write_text(POLICY)

    def fill(rate=WIDE, page=QUICK, days=12, now=None):
        now = now or datetime.now(UTC)
        rows = []
        for back in range(days):
            at = now - timedelta(days=back, minutes=1)
            rows += [Measurement.of(f"throughput_{way}", "10.0.0.1:1", at, rate, "ndt7/1") for way in ("down", "up")]
            rows += [
                Measurement.of("http_total_time", "https://lms.school.test/", at, page, "http_fetch/1", role="lms")
                for _ in range(10)
            ]
        with open_store(tmp_path / "netready.sqlite") as store:
            survey = Survey(id="s", site="L", software="n", started_at=now, finished_at=now, measurements=tuple(rows))
            store.add(survey)
        return tmp_path / "netready.toml"

    return fill


def run(config, *args):
    done = CliRunner().invoke(netready, ["gate", *args, "--config", str(config)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


FILLED = {
    Answer.GO: ({}, 0),
    Answer.GO_WITH_CONDITIONS: ({"days": 6}, 0),
    Answer.NO_GO: ({"page": SLOW}, 1),
    Answer.INDETERMINATE: ({"days": 3}, 3),
}


@pytest.mark.parametrize("answer", FILLED)
def test_each_answer_has_its_exit_status_fits_the_schema_and_is_made_again_to_the_byte(school, answer):
    filled, status = FILLED[answer]
    config = school(**filled)
    done = run(config, "--wave", "room", "--json")
    made = json.loads(done.output)
    assert (made["answer"], done.exit_code) == (answer, status)
    shape = json.loads((DOCS / "decision.schema.json").read_text())
    Draft202012Validator.check_schema(shape)
    Draft202012Validator(shape, format_checker=FormatChecker()).validate(made)
    again = run(config, "--replay", "1", "--json")
    assert (again.exit_code, json.loads(again.output)["outcome"]) == (0, "same")
    with open_store(config.parent / "netready.sqlite") as store:
        ((number, body),) = store.decisions()
    assert (number, json.loads(body)) == (1, made)


def test_the_schema_refuses_what_is_no_decision(school):
    made = json.loads(run(school(), "--json").output)
    check = Draft202012Validator(json.loads(run("-", "--schema").output), format_checker=FormatChecker())
    assert check.is_valid(made)
    assert check.is_valid(made | {"added_later": 1})
    for name in made:
        assert not check.is_valid({key: value for key, value in made.items() if key != name}), name
    for name, value in {"answer": "MAYBE", "valid_until": "soon", "rules": {}, "version": 2, "expired_stops": "all"}.items():
        assert not check.is_valid(made | {name: value}), name


def test_a_wave_over_many_schools_says_from_whose_records_it_was_judged(school):
    done = run(school(), "--wave", "all")
    assert done.exit_code == 0
    said = done.output.splitlines()
    assert said[0] == "GO_WITH_CONDITIONS  all schools, Lincoln"
    assert said[2:4] == [
        "judged from the records of Lincoln alone; every other school of this wave needs",
        "its own answer",
    ]


def test_what_could_be_waived_is_named_and_the_record_has_a_number(school):
    done = run(school(page=SLOW), "--wave", "room")
    assert done.output.endswith(
        "\n\nThe risk could be accepted for a time: netready waive pages\n"
        "\nOn record as decision 1; netready gate --replay 1 makes it again.\n"
    )


def decide(config, now, wave="room"):
    """What `netready gate` does, at another time."""
    session = begin(str(config))
    data = assessment.rules(session.config, now=now)
    with open_store(session.config.path(session.config.store.path)) as store:
        assessed = assessment.assess(session.config, store, data, now=now)
        return deciding.keep(store, assessed, next(one for one in assessed.decisions if one.wave == wave))


def accept(config, now, days):
    session = begin(str(config))
    policy = assessment.rules(session.config, now=now).policy
    today = now.astimezone(session.config.site.zone).date()
    waiver = Waiver(rule="pages", on=today, until=today + timedelta(days=days), owner="B. Board", reason="a cache comes")
    with open_store(session.config.path(session.config.store.path)) as store:
        return waiving.keep(session.config, store, policy, waiver, at=now)


def test_a_waiver_opens_the_gate_and_then_runs_out(school, hand_clock):
    config = school(page=SLOW, now=hand_clock.now())  # three in the morning of 2 March, in Chicago
    assert decide(config, hand_clock.now())[1].answer is Answer.NO_GO
    accept(config, hand_clock.now(), days=7)
    opened = decide(config, hand_clock.now())[1]
    assert opened.answer is Answer.GO_WITH_CONDITIONS
    assert opened.conditions == ("Pages load in three seconds: B. Board accepted the risk until 2026-03-09 (a cache comes)",)
    assert opened.valid_until == date(2026, 3, 9)
    hand_clock.advance(7 * 86400 + 19.9 * 3600)  # six to midnight of 9 March there, in summer time by now
    assert decide(config, hand_clock.now())[1].answer is Answer.GO_WITH_CONDITIONS
    hand_clock.advance(0.2 * 3600)
    number, shut = decide(config, hand_clock.now())
    assert (shut.answer, shut.waivers) == (Answer.NO_GO, ())
    with open_store(config.parent / "netready.sqlite") as store:
        found = deciding.listed(store, date(2026, 3, 10))
        assert [(one.number, one.answer, one.expired) for one in found] == [
            (1, "NO_GO", False),
            (2, "GO_WITH_CONDITIONS", True),
            (3, "GO_WITH_CONDITIONS", True),
            (number, "NO_GO", False),
        ]


def test_in_the_stages_a_waived_rule_counts_as_not_met(school, hand_clock):
    config, now = school(page=SLOW, now=hand_clock.now()), hand_clock.now()
    session = begin(str(config))
    data = assessment.rules(session.config, now=now)

    def judged():
        with open_store(config.parent / "netready.sqlite") as store:
            return assessment.assess(session.config, store, data, now=now).judgement

    before = judged()
    accept(config, now, days=7)
    assert decide(config, now)[1].answer is Answer.GO_WITH_CONDITIONS
    assert judged() == before


class TestReplay:
    def test_every_kept_decision_is_made_again_though_policy_config_and_waivers_have_changed_since(self, school, hand_clock):
        config = school(page=SLOW, now=hand_clock.now())
        decide(config, hand_clock.now())
        accept(config, hand_clock.now(), days=7)
        decide(config, hand_clock.now())
        (config.parent / "policy.toml").write_text(POLICY.replace("100e6", "900e6"))
        config.write_text(SITE.replace("students = 480", "students = 48"))
        hand_clock.advance(400 * 86400)
        decide(config, hand_clock.now())
        for number in ("1", "2", "3"):
            done = run(config, "--replay", number)
            assert done.exit_code == 0
            assert re.fullmatch(
                rf"The same [\d,]+ bytes: decision {number} \(\S+, room, \S+ \S+\) was made again from what it was made"
                r" from then\.\n",
                done.output,
            )

    def test_an_input_that_was_changed_in_the_store_is_found(self, school):
        config = school()
        made = json.loads(run(config, "--json").output)
        other = POLICY.replace("100e6", "10e6").encode()
        with open_store(config.parent / "netready.sqlite") as store:
            store._db.execute("DROP TRIGGER decision_input_kept")
            store._db.execute("UPDATE decision_input SET body = ? WHERE sha256 = ?", (other, made["policy_digest"]))
        done = run(config, "--replay", "1")
        assert done.exit_code == 1
        assert done.output.splitlines()[0].startswith("Not the same: decision 1 (GO, room, ")
        said = r"  - policy: SHA-256 [0-9a-f]{64}, and the decision was made from [0-9a-f]{64}"
        assert re.fullmatch(said, done.output.splitlines()[1])

    def test_a_decision_that_was_changed_in_the_store_is_found(self, school):
        config = school(page=SLOW)
        run(config)
        with open_store(config.parent / "netready.sqlite") as store:
            store._db.execute("DROP TRIGGER decision_kept")
            store._db.execute("""UPDATE decision SET body = replace(body, '"NO_GO"', '"GO"')""")
        done = run(config, "--replay", "1")
        assert done.exit_code == 1
        assert done.output.splitlines()[1:] == ['  - answer: kept is "GO"; made again it is "NO_GO"']

    def test_an_input_that_is_gone_and_a_decision_of_an_earlier_version_cannot_be_made_again(self, school):
        config = school()
        run(config)
        with open_store(config.parent / "netready.sqlite") as store:
            store._db.execute("DROP TRIGGER decision_input_stays")
            store._db.execute("DELETE FROM decision_input")
            old = msgspec.json.decode(store.decisions()[0][1])
            for name in ("inputs", "software", "scope", "judged_from", "when_expired", "expired_stops", "waivers"):
                del old[name]
            now = datetime.now(UTC)
            store.add_decision(decided_at=now, wave="room", answer="GO", body=msgspec.json.encode(old))
        assert run(config, "--replay", "1").exit_code == 3
        done = run(config, "--replay", "2")
        assert done.exit_code == 3
        assert done.output.splitlines()[1:] == ["  - its inputs were not kept with it"]
        assert "kept without its inputs" in run(config, "--list").output

    def test_a_file_with_the_record_needs_neither_config_nor_store(self, school, tmp_path, monkeypatch):
        config = school()
        assert run(config, "--record", str(tmp_path / "r.json")).exit_code == 0
        assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o600
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        done = CliRunner().invoke(netready, ["gate", "--replay", str(tmp_path / "r.json"), "--json"])
        assert done.exit_code == 0
        assert json.loads(done.output)["outcome"] == "same"
        assert list(elsewhere.iterdir()) == []

    def test_another_process_with_other_hashes_makes_the_same_bytes(self, school, tmp_path):
        config = school(page=SLOW, days=3)
        run(config, "--record", str(tmp_path / "r.json"))
        for seed in ("1", "2"):
            done = subprocess.run(
                [sys.executable, "-m", "agent", "gate", "--replay", str(tmp_path / "r.json")],
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stdout

    def test_a_file_with_the_decision_alone_finds_its_inputs_in_the_store(self, school, tmp_path):
        config = school()
        (tmp_path / "d.json").write_text(run(config, "--json").output)
        assert run(config, "--replay", str(tmp_path / "d.json")).exit_code == 0
        forged = (tmp_path / "d.json").read_text().replace('"provisional": false', '"provisional": true', 1)
        (tmp_path / "d.json").write_text(forged)
        assert run(config, "--replay", str(tmp_path / "d.json")).exit_code == 1

    def test_another_roadmap_in_use_is_told_beside_the_result(self, school):
        from importlib.resources import files

        config = school()
        run(config)
        shipped = (files("readiness") / "data" / "roadmap.toml").read_text()
        (config.parent / "mine.toml").write_text(shipped + "\n# ours\n")
        config.write_text(SITE + 'roadmap = "mine.toml"\n')
        found = json.loads(run(config, "--replay", "1", "--json").output)
        assert found["outcome"] == Sameness.SAME
        assert len(found["notes"]) == 1
        assert found["notes"][0].startswith("it was made with roadmap ")

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ("9", "no decision has the number 9; there are 1 to 1"),
            ("no.json", "no.json: No such file or directory"),
            ("netready.toml", "expected a decision as `netready gate --json` or `netready gate --record` writes it; "),
            ("list.json", "expected a decision as `netready gate --json` or `netready gate --record` writes it; "),
            ("half.json", "half.json: expected a decision as `netready gate --json` prints it; Object missing required field"),
        ],
    )
    def test_what_is_no_decision_is_refused_in_one_sentence(self, school, monkeypatch, what, said):
        config = school()
        run(config)
        monkeypatch.chdir(config.parent)
        Path("list.json").write_text("[1]")
        Path("half.json").write_text('{"answer":"GO"}')
        with pytest.raises(Exception, match=re.escape(said)) as caught:
            run(config, "--replay", what)
        assert "\n" not in str(caught.value)
        assert type(caught.value).__name__ in {"ConfigError", "Unfit"}

    def test_there_is_nothing_to_make_again_before_the_first_decision(self, school):
        with pytest.raises(Exception, match="no decision has the number 1; there is none yet"):
            run(school(), "--replay", "1")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_answer_that_nobody_could_read_opens_nothing(school, options):
    config = school()
    assert run(config, *options).exit_code == 0
    argv = [sys.executable, "-m", "agent", "gate", "--config", str(config), *options]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed, Path("/dev/full").open("wb") as full:
        for out, said in ((closed, "Broken pipe"), (full, "No space left on device")):
            done = subprocess.run(argv, stdout=out, stderr=subprocess.PIPE, text=True, check=False, env=env)
            assert done.returncode not in {0, 1, 3}
            assert f"the answer could not be handed on, so nothing may open: {said}" in done.stderr


def test_lists_the_record_and_what_has_expired_of_it(school):
    config = school(days=3)
    assert run(config, "--list").output == "No decision is on record.\n"
    run(config)
    now = datetime.now(UTC)
    body = {"decided_at": now, "wave": "room", "answer": "GO", "valid_until": date(2025, 1, 1)}
    with open_store(config.parent / "netready.sqlite") as store:
        store.add_decision(decided_at=now, wave="room", answer="GO", body=msgspec.json.encode(body))
    first, second = run(config, "--list").output.splitlines()
    assert re.fullmatch(r" +1  \S+ \S+  INDETERMINATE      room, valid until \S+", first)
    assert second.endswith("GO                 room, expired on 2025-01-01, opens no new wave; kept without its inputs")


@pytest.mark.parametrize("args", [("--list", "--schema"), ("--replay", "1", "--wave", "room"), ("--list", "--record", "x")])
def test_the_other_questions_stand_alone(school, args):
    done = run(school(), *args)
    assert done.exit_code == 2
    assert "--list, --replay and --schema stand alone" in done.output


def test_a_policy_that_names_an_unknown_criterion_decides_nothing(school):
    config = school()
    asked = 'metric = "platform_time_p95"\nrole = "lms"\nat_most = 3'
    (config.parent / "policy.toml").write_text(POLICY.replace(asked, 'criterion = "X.9"'))
    with pytest.raises(Unfit, match=r'rules\[1\] \(pages\).criterion: "X.9" is not a criterion of '):
        run(config)
    with open_store(config.parent / "netready.sqlite") as store:
        assert store.decisions() == []


class TestThePipelinesScript:
    """The example on the page for those who wire a deployment pipeline to the gate, run as it stands there."""

    @pytest.fixture
    def script(self, tmp_path):
        page = (DOCS / "gate.md").read_text()
        (text,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        path = tmp_path / "open-wave"
        path.write_text(text)
        path.chmod(0o755)
        return path

    def call(self, script, *args, path=None):
        bin_ = script.parent / "bin"
        bin_.mkdir(exist_ok=True)
        (bin_ / "netready").write_text(f'#!/bin/sh\nexec {sys.executable} -m agent "$@"\n')
        (bin_ / "netready").chmod(0o755)
        return subprocess.run(
            [str(script), *args],
            cwd=script.parent,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "PATH": path or f"{bin_}:{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            },
        )

    @pytest.mark.parametrize("answer", FILLED)
    def test_opens_on_what_opens_and_on_nothing_else(self, school, script, answer):
        filled, status = FILLED[answer]
        school(**filled)
        done = self.call(script, "room", "sh", "-c", 'echo opened; grep -c valid_until "$NETREADY_DECISION"')
        assert done.returncode == status
        assert done.stdout == ("opened\n1\n" if status == 0 else "")
        assert ("shut: " in done.stderr) == (status != 0)

    def test_a_command_that_fails_is_not_taken_for_an_open_wave(self, school, script):
        school()
        assert self.call(script, "room", "false").returncode == 1

    def test_stays_shut_when_no_decision_was_made(self, school, script):
        school()
        done = self.call(script, "county", "echo", "opened")
        assert (done.returncode, done.stdout) == (2, "")
        assert "shut: netready made no decision (exit status 2)" in done.stderr
        done = self.call(script, "room", "echo", "opened", path="/usr/bin:/bin")
        assert (done.returncode, done.stdout) == (127, "")
