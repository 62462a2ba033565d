"""netready waive: what is put on record, what is refused in one sentence, and that nothing of it is ever changed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from agent.cli import netready
from netready.refusal import Unfit
from store import open_store

SITE = '[site]\nname = "Lincoln"\nstudents = 480\nstaff = 40\nclassrooms = 24\n'
TODAY = datetime.now(UTC).date()


def days(count):
    return (TODAY + timedelta(days=count)).isoformat()


FINE = {"--until": days(30), "--owner": "B. Board", "--approver": "C. Chair", "--reason": "a new line comes in May"}


@pytest.fixture
def school(tmp_path, monkeypatch):
    (tmp_path / "netready.toml").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args):
    done = CliRunner().invoke(netready, args)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def waive(rule="room-page-time", **changes):
    options = FINE | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return run("waive", rule, *(word for name, value in options.items() if value is not None for word in (name, value)))


def listed():
    return json.loads(run("waive", "--list", "--json").output)


def test_an_accepted_risk_is_on_record_with_its_people(school):
    done = waive(asked_by="A. Head", category="mitigated", mitigation="at most 60 at once")
    assert done.exit_code == 0
    assert done.output == f"room-page-time: B. Board accepts the risk until {days(30)}, C. Chair agreed\n"
    (one,) = listed()
    assert one["state"] == "runs"
    assert one["source"] == "record"
    assert one["waiver"] == {
        "rule": "room-page-time",
        "until": days(30),
        "owner": "B. Board",
        "reason": "a new line comes in May",
        "on": days(0),
        "approver": "C. Chair",
        "asked_by": "A. Head",
        "category": "mitigated",
        "mitigation": "at most 60 at once",
        "plan": "",
        "plan_on": None,
    }
    assert run("waive", "--list").output.splitlines() == [
        f"runs            room-page-time, {days(0)} to {days(30)}",
        "                mitigated by B. Board, C. Chair agreed: a new line comes in May; meanwhile: at most 60 at once",
    ]


REFUSED = {
    "too far": (
        {"until": days(91)},
        f"until: expected {days(90)} or earlier, because cbe-platform allows 90 days; got {days(91)}",
    ),
    "in the past": (
        {"until": days(-1)},
        f"until: expected a date later than {days(0)}, on which it begins; got {days(-1)}",
    ),
    "no end": ({"until": None}, "until: expected the last day on which it counts, such as 2026-03-02"),
    "no owner": ({"owner": None}, "owner: expected the name of somebody who answers for the risk"),
    "no reason": ({"reason": " \t"}, "reason: expected why the risk is accepted"),
    "no such rule": (
        {"rule": "room-page-tame"},
        'rule: "room-page-tame" is not a rule of cbe-platform 2026.2; did you mean room-page-time?',
    ),
    "a hard rule": (
        {"rule": "room-line-100"},
        "rule: expected a soft rule; room-line-100 is hard and cannot be waived",
    ),
    "a rule that is marked": (
        {"rule": "room-audit-fresh"},
        "rule: expected a rule that may be waived; cbe-platform says room-audit-fresh may not",
    ),
    "one person": ({"approver": "b board"}, "approver: expected somebody else than the owner, B. Board"),
    "who asked": (
        {"asked_by": "C. Chair"},
        "approver: expected somebody else than who asked, C. Chair",
    ),
    "nobody else": (
        {"until": days(31), "approver": None},
        "approver: expected the name of a second person, whom cbe-platform wants for a waiver of more than 30 days",
    ),
    "mitigated by nothing": (
        {"category": "mitigated"},
        "mitigation: expected what keeps the risk small meanwhile, because the category is mitigated",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_count_is_refused_in_one_sentence_and_nothing_is_written(school, name):
    changes, sentence = REFUSED[name]
    with pytest.raises(Unfit) as caught:
        waive(**changes)
    assert str(caught.value) == f"waive: {sentence}"
    assert listed() == []


@pytest.mark.parametrize("args", [(), ("room-page-time", "--list")])
def test_a_rule_or_the_list_and_not_both(school, args):
    done = run("waive", *args)
    assert done.exit_code == 2
    assert "name one rule of the gate, or ask for --list" in done.output


def test_a_newer_one_of_the_same_day_can_only_be_shorter(school):
    waive()
    sentence = f"waive: until: expected a date before {days(30)}: of two waivers of one day the shorter stands"
    for until in (days(30), days(40)):
        with pytest.raises(Unfit) as caught:
            waive(until=until)
        assert str(caught.value) == sentence
    waive(until=days(5))
    assert [one["state"] for one in listed()] == ["replaced", "runs"]


def test_those_of_the_configs_file_count_beside_those_of_the_record(school):
    (school / "netready.toml").write_text(SITE + '[readiness]\nwaivers = "w.toml"\n')
    rows = (("room-page-time", -70, -50), ("room-page-time", -40, -20), ("school-devices", -1, 20), ("school-devices", 21, 30))
    text = "".join(
        f'[[waivers]]\nrule = "{rule}"\non = {days(on)}\nuntil = {days(until)}\nowner = "B. Board"\nreason = "r"\n'
        for rule, on, until in rows
    )
    (school / "w.toml").write_text(text)
    assert [(one["source"], one["state"]) for one in listed()] == [
        ("w.toml", "over"),
        ("w.toml", "over"),
        ("w.toml", "runs"),
        ("w.toml", "to come"),
    ]
    with pytest.raises(Unfit, match="waive: plan: expected a plan and its date: this is renewal 2 of room-page-time"):
        waive()
    assert waive(plan="a new line", plan_on=days(60)).exit_code == 0
    assert listed()[-1]["waiver"]["plan_on"] == days(60)


def test_the_record_outlives_a_policy_that_became_stricter_and_says_why_it_counts_no_more(school):
    waive()
    shipped = json.loads(run("gate", "--json").output)
    assert [one["counts"] for one in shipped["waivers"]] == [False]  # it is not known yet, and nobody accepts that
    from importlib.resources import files

    policy = (files("readiness") / "data" / "policies" / "cbe-platform.toml").read_text()
    (school / "p.toml").write_text(policy.replace("longest_waiver_days = 90", "longest_waiver_days = 7"))
    (school / "netready.toml").write_text(SITE + '[readiness]\npolicy = "p.toml"\n')
    (one,) = listed()
    assert one["state"] == "does not count"
    assert one["why"] == f"until: expected {days(7)} or earlier, because cbe-platform allows 7 days; got {days(30)}"


def test_nothing_on_the_record_can_be_changed_or_removed(school):
    waive()
    run("gate", "--json")
    with open_store(school / "netready.sqlite") as store:
        for table in ("waiver", "decision", "decision_input"):
            for sql in (f"UPDATE {table} SET body = body", f"DELETE FROM {table}"):  # noqa: S608 - the names above
                with pytest.raises(Exception, match="is never (changed|removed)"):
                    store._db.execute(sql)
        assert len(store.waived()) == 1
