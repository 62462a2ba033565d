"""What next: the order of the steps, who takes them, and what they open."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from netready.metric import CATALOGUE
from readiness import roadmap as roadmaps
from readiness.gather import gather
from readiness.judge import judge
from readiness.judgement import Outcome
from readiness.next_steps import Effort, next_steps
from readiness.policy import parse_policy
from readiness.roadmap import Who
from readiness.stages import stage

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)

STEPS = b"""
id = "steps"
version = "1"
title = "Steps"
source = "made for the tests"
stages = [
  { number = 1, name = "Entry", meaning = "the start" },
  { number = 2, name = "Emerging", meaning = "some" },
  { number = 3, name = "Scaling", meaning = "much" },
  { number = 4, name = "Transforming", meaning = "all" },
]
dimensions = [{ id = "d", title = "D", domain = "T", question = "Is it?", who = "it" }]
"""

ROW = """
[[criteria]]
id = "{id}"
dimension = "d"
stage = {stage}
what = "It is {id}."
why = "so"
remedy = "Do {id}."
evidence = {evidence}
{more}
confidence = "high"
wanted = "papers of {id}"
"""


def bound(kind, metric, **limits):
    fields = ", ".join(f"{name} = {value!r}".replace("'", '"') for name, value in limits.items())
    return f'bounds = [{{ evidence = "{kind}", metric = "{metric}", {fields}, source = "[prop] made up" }}]'


def roadmap(*rows):
    text = STEPS.decode()
    for name, evidence, more in rows:
        text += ROW.format(id=name, stage=name[1], evidence=str(evidence).replace("'", '"'), more=more)
    return roadmaps.parse(text.encode(), "roadmap.toml", CATALOGUE)


BUY = ("d2.buy", ["measured"], bound("measured", "internet_down_per_1000", at_least=100e6))
WORK = ("d2.work", ["attested"], "")
ANSWER = ("d2.answer", ["attested"], 'scope = "lea"')
RENEW = ("d2.renew", ["attested"], 'who = "leadership"')
MEASURE = ("d2.measure", ["measured"], bound("measured", "test_days", at_least=5.0))
CHECK = ("d2.check", ["inventoried", "attested"], bound("inventoried", "labs_and_carts", at_least=1.0))
WAIT = ("d2.wait", ["probed"], "")
LATER = ("d3.later", ["attested"], "")


@pytest.fixture
def judged(school, throughput, attest):
    """Every kind of step: a slow line tested on three days, a word that ran out, a "no", and labs that somebody denies."""

    def make(found, **more):
        tests = throughput([10e6] * 3) + throughput([10e6] * 3, direction="up")
        words = [
            attest("d2.work", answer=False),
            attest("d2.renew", until=NOW.date().replace(day=1)),
            attest("d2.check", answer=False),
        ]
        known = {criterion.id for criterion in found.criteria}
        return judge(
            found, school, gather(school, tests, [], now=NOW), [w for w in words if w.criterion in known], now=NOW, **more
        )

    return make


def test_easiest_first_by_the_stated_rule_whatever_the_roadmaps_order(judged):
    rows = [WAIT, BUY, WORK, MEASURE, CHECK, ANSWER, RENEW, LATER]
    for seed in range(6):
        random.Random(seed).shuffle(rows)
        found = roadmap(*rows)
        (advance,) = next_steps(found, judged(found))
        assert [(step.criterion, step.effort) for step in advance.steps] == [
            ("d2.renew", Effort.ANSWER),
            ("d2.answer", Effort.ANSWER),
            ("d2.check", Effort.CHECK),
            ("d2.measure", Effort.MEASURE),
            ("d2.work", Effort.WORK),
            ("d2.buy", Effort.BUY),
            ("d2.wait", Effort.WAIT),
        ]
        assert (advance.stage, advance.next) == (1, 2)


def test_among_equals_the_smallest_gap_is_first(judged):
    near = ("d2.near", ["measured"], bound("measured", "internet_up_per_1000", at_least=20e6))
    far = ("d2.far", ["measured"], bound("measured", "internet_down_per_1000", at_least=1000e6))
    found = roadmap(far, BUY, near)
    (advance,) = next_steps(found, judged(found))
    assert [step.criterion for step in advance.steps] == ["d2.near", "d2.buy", "d2.far"]
    each = 10e6 * 1000 / 520
    assert [step.gap for step in advance.steps] == pytest.approx([1 - each / 20e6, 1 - each / 100e6, 1 - each / 1000e6])


def test_of_two_bounds_the_wider_gap_orders_the_step(school, throughput):
    two = (
        'bounds = [{ evidence = "measured", metric = "internet_down_per_1000", at_least = 100e6, source = "[prop] x" }, '
        '{ evidence = "inventoried", metric = "contracted_down_per_1000", at_least = 100e6, source = "[prop] x" }]'
    )
    found = roadmap(("d2.two", ["measured", "inventoried"], two))
    judgement = judge(found, school, gather(school, throughput([26e6] * 10), [], now=NOW), [], now=NOW)
    (step,) = next_steps(found, judgement)[0].steps
    assert step.gap == pytest.approx(0.5)  # 50 of 100; the contract promises enough


def test_a_limit_from_above_is_missed_by_what_is_over_it(school, pages):
    row = ("d2.slow", ["probed"], bound("probed", "platform_time_p95", role="lms", at_most=3.0))
    found = roadmap(row)
    judgement = judge(found, school, gather(school, pages([6.0] * 20), [], now=NOW), [], now=NOW)
    (step,) = next_steps(found, judgement)[0].steps
    assert (step.effort, step.gap) == (Effort.WORK, pytest.approx(1.0))


def test_a_number_that_holds_so_far_wants_days_and_one_that_nobody_measured_wants_all(school, throughput):
    holds = bound("measured", "internet_down_per_1000", at_least=10e6, min_days=5)
    found = roadmap(("d2.days", ["measured"], holds))
    judgement = judge(found, school, gather(school, throughput([26e6] * 3), [], now=NOW), [], now=NOW)
    (step,) = next_steps(found, judgement)[0].steps
    assert (step.effort, step.gap) == (Effort.MEASURE, pytest.approx(0.4))
    blind = judge(found, school, gather(school, [], [], now=NOW), [], now=NOW)
    assert next_steps(found, blind)[0].steps[0].gap == 1.0


def test_what_letting_netready_run_would_mend_is_no_work(school):
    found = roadmap(("d2.audit", ["inventoried"], bound("inventoried", "audit_age", at_most=30.0)))
    gathered = gather(school, [], [], now=NOW, audits=[NOW - timedelta(days=60)])
    (step,) = next_steps(found, judge(found, school, gathered, [], now=NOW))[0].steps
    assert (step.outcome, step.effort) == (Outcome.NOT_MET, Effort.MEASURE)


def test_whoever_runs_the_machine_measures_and_else_criterion_scope_and_dimension_say_who(judged):
    found = roadmap(ANSWER, RENEW, WORK, MEASURE)
    (advance,) = next_steps(found, judged(found))
    assert {step.criterion: step.who for step in advance.steps} == {
        "d2.answer": Who.DISTRICT,
        "d2.renew": Who.LEADERSHIP,
        "d2.work": Who.IT,
        "d2.measure": Who.IT,
    }


def test_what_to_do_and_what_settles_it(judged):
    found = roadmap(ANSWER, CHECK, MEASURE, WORK, WAIT)
    (advance,) = next_steps(found, judged(found))
    assert {step.criterion: (step.do, step.settles) for step in advance.steps} == {
        "d2.answer": ("Answer d2.answer: It is d2.answer.", "papers of d2.answer"),
        "d2.check": (
            "Find out which is right about d2.check, the machine or the person: It is d2.check.",
            "papers of d2.check",
        ),
        "d2.measure": ("Do d2.measure.", "2 more school days of tests in both directions"),
        "d2.work": ("Do d2.work.", "papers of d2.work"),
        "d2.wait": ("Do d2.wait.", "netready cannot check this yet, and the roadmap takes nobody's word for it"),
    }


def test_what_might_be_bought_is_measured_first(school, throughput):
    found = roadmap(BUY)
    limited = throughput([10e6] * 10, limited_by="interface")
    judgement = judge(found, school, gather(school, limited, [], now=NOW), [], now=NOW)
    (step,) = next_steps(found, judgement)[0].steps
    assert (step.effort, step.who) == (Effort.MEASURE, Who.IT)
    assert step.do == "Measure d2.buy before anything is bought: a test that is not limited by this machine's network card"


def test_a_risk_that_was_accepted_is_still_a_step(judged):
    found = roadmap(BUY, WORK)
    (advance,) = next_steps(found, judged(found, waived={"d2.buy": "M. Diaz, until June"}))
    assert [(step.criterion, step.outcome) for step in advance.steps] == [
        ("d2.work", Outcome.NOT_MET),
        ("d2.buy", Outcome.WAIVED),
    ]


def test_doing_all_steps_reaches_the_next_stage_and_leaving_one_out_does_not(judged):
    found = roadmap(BUY, WORK, ANSWER, LATER)
    judgement = judged(found)
    (advance,) = next_steps(found, judgement)
    outcomes = {verdict.criterion: verdict.outcome for verdict in judgement.verdicts}
    done = outcomes | {step.criterion: Outcome.MET for step in advance.steps}
    assert stage(found.criteria, done) == advance.next
    for step in advance.steps:
        assert stage(found.criteria, done | {step.criterion: step.outcome}) < advance.next


def test_at_the_top_there_is_no_next_stage_and_nothing_to_do(school, attest):
    found = roadmap(WORK)
    judgement = judge(found, school, gather(school, [], [], now=NOW), [attest("d2.work")], now=NOW)
    (advance,) = next_steps(found, judgement)
    assert (advance.next, advance.steps) == (None, ())


POLICY = """
id = "p"
version = "1"
title = "P"
platform = "P"
[[waves]]
id = "a"
title = "by id"
rules = [{ id = "1", title = "1", level = "hard", why = "w", remedy = "r", criterion = "d2.work" }]
[[waves]]
id = "b"
title = "by stage"
rules = [{ id = "2", title = "2", level = "soft", why = "w", remedy = "r", dimension = "d", stage = 2 }]
[[waves]]
id = "c"
title = "by number"
rules = [{ id = "3", title = "3", level = "soft", why = "w", remedy = "r", metric = "internet_down_per_1000", at_least = 1 }]
[[waves]]
id = "d"
title = "as advice"
rules = [{ id = "4", title = "4", level = "advisory", why = "w", remedy = "r", criterion = "d2.work" }]
"""


def test_a_step_names_the_waves_that_it_keeps_shut_and_advice_is_none(judged):
    found = roadmap(BUY, WORK)
    policy = parse_policy(POLICY.encode(), "policy.toml", found, CATALOGUE)
    (advance,) = next_steps(found, judged(found), policy)
    assert {step.criterion: step.waves for step in advance.steps} == {
        "d2.work": ("by id", "by stage"),
        "d2.buy": ("by stage", "by number"),
    }


def test_a_wave_that_asks_for_a_stage_does_not_ask_for_what_is_beyond_it(school, attest):
    found = roadmap(("d2.done", ["attested"], ""), LATER)
    policy = parse_policy(POLICY.replace("d2.work", "d2.done").encode(), "policy.toml", found, CATALOGUE)
    judgement = judge(found, school, gather(school, [], [], now=NOW), [attest("d2.done")], now=NOW)
    (advance,) = next_steps(found, judgement, policy)
    assert [(step.criterion, step.waves) for step in advance.steps] == [("d3.later", ())]


def test_a_pilot_that_somebody_denies_is_work_though_a_machine_could_count_it(school, attest):
    row = ("d2.mixed", ["attested", "inventoried"], bound("inventoried", "labs_and_carts", at_least=1.0))
    found = roadmap(row)
    judgement = judge(found, school, gather(school, [], [], now=NOW), [attest("d2.mixed", answer=False)], now=NOW)
    (advance,) = next_steps(found, judgement)
    assert [step.effort for step in advance.steps] == [Effort.WORK]


def test_two_judgements_of_the_same_give_the_same_bytes(judged):
    found = roadmap(BUY, WORK, ANSWER)
    assert msgspec.json.encode(next_steps(found, judged(found))) == msgspec.json.encode(next_steps(found, judged(found)))
