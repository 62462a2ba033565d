"""The gate: four answers, the waiver that opens and runs out, and an unknown that never opens anything."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.metric import CATALOGUE
from netready.refusal import Unfit
from netready.site import Role, Site
from readiness.evidence import Fact, Grade
from readiness.gate import (
    Answer,
    Category,
    Decision,
    Level,
    Policy,
    Rule,
    RuleOutcome,
    Waiver,
    Wave,
    decide,
    exit_status,
    parse_policy,
    parse_waivers,
)
from readiness.gather import gather
from readiness.judge import judge
from readiness.roadmap import Bound, Dimension, EvidenceKind, Roadmap, StageName

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
PASS, FAIL, UNKNOWN, WAIVED = RuleOutcome.PASS, RuleOutcome.FAIL, RuleOutcome.UNKNOWN, RuleOutcome.WAIVED

POLICY = b"""
id = "cbe"
version = "1"
title = "A platform for competencies"
platform = "the LMS"

[[waves]]
id = "room"
title = "one room"
[[waves.rules]]
id = "wide"
title = "Wide enough"
level = "hard"
why = "pages load"
remedy = "buy more"
metric = "internet_down_per_1000"
at_least = 100e6
min_days = 5
[[waves.rules]]
id = "named"
title = "Somebody is named"
level = "soft"
why = "somebody must know"
remedy = "name somebody"
criterion = "P.2"
[[waves.rules]]
id = "answers"
title = "The platform answers"
level = "advisory"
why = "lessons need it"
remedy = "ask the provider"
metric = "platform_success"
role = "lms"
at_least = 0.99

[[waves]]
id = "school"
title = "the whole school"
[[waves.rules]]
id = "line-scaling"
title = "The line scales"
level = "hard"
why = "all at once"
remedy = "see the roadmap"
dimension = "line"
stage = 2
"""


@pytest.fixture
def policy(roadmap) -> Policy:
    return parse_policy(POLICY, "policy.toml", roadmap, CATALOGUE)


@pytest.fixture
def decided(*, policy, roadmap, school, throughput, pages, attest, monday):
    """A decision from the rates of consecutive school days, ten good checks of the platform a day, and the words given."""

    def make(
        rates, *, words=("P.2",), waivers=(), wave="room", now=NOW, checks=True, judged_at=NOW, under=policy, **details
    ) -> Decision:
        readings = throughput(rates, **details)
        if checks:
            for number in range(len(rates)):
                readings += pages([0.5] * 10, start=monday + timedelta(days=number + 2 * (number // 5)))
        said = [attest(one) if isinstance(one, str) else one for one in words]
        found = judge(roadmap, school, gather(school, readings, [], now=judged_at), said, now=judged_at)
        return decide(under, wave, found, roadmap, waivers, now=now)

    return make


def outcomes(decision: Decision) -> dict[str, RuleOutcome]:
    return {one.rule: one.outcome for one in decision.rules}


def accept(rule="named", *, until=date(2026, 5, 30), on=date(2026, 3, 1), **more) -> Waiver:
    return Waiver(rule=rule, until=until, owner="B. Board", reason="a substitute is trained", on=on, **more)


class TestAnswers:
    def test_go_when_everything_holds_on_ten_school_days(self, decided):
        found = decided([60e6] * 12)
        assert found.answer is Answer.GO
        assert (found.provisional, found.conditions, found.missing) == (False, (), ())
        # The last test was on 17 March, good for 120 days.
        assert found.valid_until == date(2026, 7, 15)
        assert found.policy_digest
        assert exit_status(found.answer) == 0

    def test_one_week_is_provisional_and_the_conditions_say_what_is_missing(self, decided):
        found = decided([60e6] * 5)
        assert found.answer is Answer.GO_WITH_CONDITIONS
        assert found.provisional
        assert found.conditions == (
            "Wide enough: provisional; wanted is 5 more school days of tests",
            "The platform answers: provisional; wanted is 5 more school days of checks of the learning platform",
        )
        assert found.valid_until == date(2026, 4, 14)
        assert exit_status(found.answer) == 0

    def test_no_go_when_a_hard_rule_fails(self, decided):
        found = decided([40e6] * 12)
        assert found.answer is Answer.NO_GO
        assert outcomes(found)["wide"] is FAIL
        assert found.conditions == ()
        assert exit_status(found.answer) == 1

    def test_no_go_when_a_soft_rule_fails(self, decided, attest):
        assert decided([60e6] * 12, words=[attest("P.2", answer=False)]).answer is Answer.NO_GO

    def test_no_go_on_a_single_bad_day(self, decided):
        found = decided([40e6])
        assert found.answer is Answer.NO_GO
        assert found.provisional
        assert found.valid_until == date(2026, 4, 14)

    def test_indeterminate_on_one_day_even_when_all_is_well_so_far(self, decided):
        found = decided([60e6])
        assert found.answer is Answer.INDETERMINATE
        assert found.rules[0].reason.startswith("met so far, on 1 of 5 school days: at least 115 Mbps per 1,000 users")
        assert found.missing[0] == "4 more school days of tests"
        assert exit_status(found.answer) == 3

    def test_indeterminate_when_nobody_answered(self, decided):
        found = decided([60e6] * 12, words=[])
        assert found.answer is Answer.INDETERMINATE
        assert found.missing == ("an answer to P.2 by somebody who can vouch for it",)

    def test_no_go_wins_over_indeterminate(self, decided):
        assert decided([40e6] * 12, words=[]).answer is Answer.NO_GO

    def test_an_advisory_rule_that_is_unknown_is_a_condition(self, decided):
        found = decided([60e6] * 12, checks=False)
        assert found.answer is Answer.GO_WITH_CONDITIONS
        assert found.conditions == (
            "The platform answers: not known (not known: no check of the learning platform was made in this window)",
        )

    def test_a_test_limited_by_this_machine_closes_nothing_and_opens_nothing(self, decided):
        found = decided([40e6] * 12, limited_by="interface")
        assert (found.answer, outcomes(found)["wide"]) == (Answer.INDETERMINATE, UNKNOWN)
        assert found.missing == ("a test that is not limited by this machine's network card",)

    def test_a_wave_nobody_planned(self, decided):
        with pytest.raises(LookupError, match='cbe has no wave "county"; its waves are room, school'):
            decided([60e6], wave="county")


class TestWaivers:
    def test_opens_the_gate_and_then_runs_out(self, decided, attest):
        no = [attest("P.2", answer=False)]
        found = decided([60e6] * 12, words=no, waivers=[accept(until=date(2026, 4, 30))])
        assert found.answer is Answer.GO_WITH_CONDITIONS
        assert outcomes(found)["named"] is WAIVED
        assert found.conditions == ("Somebody is named: B. Board accepted the risk until 2026-04-30 (a substitute is trained)",)
        assert found.valid_until == date(2026, 4, 30)
        last = decided([60e6] * 12, words=no, waivers=[accept(until=NOW.date())])
        assert last.answer is Answer.GO_WITH_CONDITIONS
        over = decided([60e6] * 12, words=no, waivers=[accept(until=NOW.date() - timedelta(days=1))])
        assert over.answer is Answer.NO_GO

    def test_says_who_agreed_and_what_is_done_meanwhile(self, decided, attest):
        waiver = accept(approver="C. Chair", category=Category.MITIGATED, mitigation="at most 60 at once")
        found = decided([60e6] * 12, words=[attest("P.2", answer=False)], waivers=[waiver])
        accepted = "B. Board accepted the risk until 2026-05-30, and C. Chair agreed (a substitute is trained)"
        assert found.conditions == (f"Somebody is named: {accepted}; meanwhile: at most 60 at once",)
        said = "attested: A. Head (principal) said no on 2026-01-05, until 2026-12-31"
        assert found.rules[1].reason.endswith(f". Without the waiver: {said}")

    def test_is_shown_with_every_decision_whether_it_counts_or_not(self, decided, attest):
        def shown(**given_in):
            return [(one.waiver.rule, one.counts, one.why) for one in decided([60e6] * 12, **given_in).waivers]

        no, waiver = [attest("P.2", answer=False)], accept()
        assert shown(words=no, waivers=[waiver]) == [("named", True, "the rule is not met, and the risk is accepted")]
        assert shown(waivers=[waiver]) == [("named", False, "the rule holds without it")]
        unknown = "the rule is not known, and nobody can accept an unknown risk"
        assert shown(words=[], waivers=[waiver]) == [("named", False, unknown)]
        late = accept(until=date(2026, 5, 31))
        said = "it does not count: until: expected 2026-05-30 or earlier, because cbe allows 90 days; got 2026-05-31"
        assert shown(words=no, waivers=[late]) == [("named", False, said)]
        assert shown(words=no, waivers=[accept("line-scaling"), accept(until=date(2026, 3, 30))]) == []

    def test_what_does_not_count_opens_nothing_and_hides_nothing_that_counts(self, decided, attest):
        no, late = [attest("P.2", answer=False)], accept(on=date(2026, 3, 2), until=date(2026, 6, 30))
        assert decided([60e6] * 12, words=no, waivers=[late]).answer is Answer.NO_GO
        assert decided([60e6] * 12, words=no, waivers=[late, accept()]).answer is Answer.GO_WITH_CONDITIONS

    def test_the_newest_stands_so_a_shorter_one_ends_it_early(self, decided, attest):
        no, ends = [attest("P.2", answer=False)], accept(on=date(2026, 3, 20), until=date(2026, 4, 2))
        assert decided([60e6] * 12, words=no, waivers=[accept(), ends]).valid_until == date(2026, 4, 2)

    def test_not_yet_begun(self, decided, attest):
        found = decided([60e6] * 12, words=[attest("P.2", answer=False)], waivers=[accept(on=date(2026, 4, 1))])
        assert found.answer is Answer.NO_GO

    def test_a_hard_rule_is_not_waived(self, decided):
        assert decided([40e6] * 12, waivers=[accept("wide")]).answer is Answer.NO_GO

    def test_an_unknown_is_not_waived(self, decided):
        assert decided([60e6] * 12, words=[], waivers=[accept()]).answer is Answer.INDETERMINATE

    def test_a_rule_that_forbids_it_is_not_waived(self, policy, roadmap, school, attest):
        (named,) = [one for one in policy.waves[0].rules if one.id == "named"]
        strict = msgspec.structs.replace(
            policy, waves=(Wave(id="w", title="-", rules=(msgspec.structs.replace(named, waivable=False),)),)
        )
        found = judge(roadmap, school, gather(school, [], [], now=NOW), [attest("P.2", answer=False)], now=NOW)
        assert decide(strict, "w", found, roadmap, [accept()], now=NOW).answer is Answer.NO_GO


class TestAge:
    def test_stale_evidence_is_unknown(self, decided):
        later = NOW + timedelta(days=120)
        found = decided([60e6] * 12, now=later)
        assert (found.answer, outcomes(found)["wide"]) == (Answer.INDETERMINATE, UNKNOWN)
        assert found.rules[0].reason == (
            "stale: the line towards the school was last seen on 2026-03-17, more than 120 days ago"
        )
        assert found.missing[0] == "a new reading of the line towards the school"

    def test_a_word_that_ran_out_since_the_judgement_is_unknown(self, decided, attest):
        words = [attest("P.2", until=date(2026, 4, 10))]
        assert decided([60e6] * 12, words=words).valid_until == date(2026, 4, 10)
        found = decided([60e6] * 12, words=words, now=NOW + timedelta(days=11))
        assert outcomes(found)["named"] is UNKNOWN
        assert found.rules[1].missing == "a new answer to P.2"

    def test_no_decision_outlives_a_term(self, roadmap, school, attest, policy):
        only = msgspec.structs.replace(policy, waves=(Wave(id="w", title="-", rules=(policy.waves[0].rules[1],)),))
        found = judge(roadmap, school, gather(school, [], [], now=NOW), [attest("P.2", until=date(2030, 1, 1))], now=NOW)
        decision = decide(only, "w", found, roadmap, [], now=NOW)
        assert (decision.answer, decision.valid_until) == (Answer.GO, date(2026, 7, 29))


class TestWhatMovesByItself:
    """An audit grows older and a certificate nearer its end: the day on which the rule stops to hold is known beforehand."""

    RULE: ClassVar[dict[str, object]] = {"id": "r", "title": "T", "level": Level.HARD, "why": "-", "remedy": "-"}

    @pytest.fixture
    def ruled(self, policy, roadmap, school, attest):
        def make(rule, facts=(), *, continuum=roadmap, audits=(NOW - timedelta(days=10, hours=1),)) -> Decision:
            only = msgspec.structs.replace(policy, waves=(Wave(id="w", title="-", rules=(rule,)),))
            gathered = gather(school, [], [], now=NOW, audits=audits)
            gathered = msgspec.structs.replace(gathered, facts=(*gathered.facts, *facts))
            found = judge(continuum, school, gathered, [attest("P.2"), attest("L.3")], now=NOW)
            return decide(only, "w", found, continuum, [], now=NOW)

        return make

    def test_a_decision_ends_when_the_audit_becomes_too_old(self, ruled):
        found = ruled(Rule(**self.RULE, metric="audit_age", at_most=30))
        assert (found.answer, found.valid_until) == (Answer.GO, date(2026, 4, 20))
        assert ruled(Rule(**self.RULE, metric="audit_age", at_most=10)).valid_until == date(2026, 3, 31)

    def test_what_does_not_hold_ends_nothing(self, ruled):
        found = ruled(Rule(**self.RULE, metric="audit_age", at_most=9))
        assert (found.answer, found.valid_until) == (Answer.NO_GO, NOW.date() + timedelta(days=110))  # 120 after the audit
        assert ruled(Rule(**self.RULE, metric="audit_age", at_most=9), audits=()).answer is Answer.INDETERMINATE

    def test_an_age_that_is_asked_to_be_high_only_gets_better(self, ruled):
        found = ruled(Rule(**self.RULE, metric="audit_age", at_least=10))
        assert (found.answer, found.valid_until) == (Answer.GO, NOW.date() + timedelta(days=110))

    @pytest.mark.parametrize(("days", "until"), [(20.5, date(2026, 4, 6)), (14, date(2026, 3, 31))])
    def test_a_decision_ends_when_the_certificate_comes_too_near_its_end(self, ruled, days, until):
        left = Fact(
            kind=EvidenceKind.MEASURED,
            metric="platform_certificate_left",
            role=Role.LMS,
            value=days * 86_400,
            samples=9,
            days=12,
            last_at=NOW,
            grade=Grade.CONCLUSIVE,
        )
        found = ruled(
            Rule(**self.RULE, metric="platform_certificate_left", role=Role.LMS, at_least=14 * 86_400.0), facts=(left,)
        )
        assert (found.answer, found.valid_until) == (Answer.GO, until)

    def test_criteria_and_stages_that_rest_on_such_a_number_end_with_it(self, ruled, roadmap):
        aged = Bound(evidence=EvidenceKind.INVENTORIED, metric="audit_age", at_most=30, source="[prop] made up")
        continuum = msgspec.structs.replace(
            roadmap,
            criteria=tuple(
                msgspec.structs.replace(one, evidence=(EvidenceKind.INVENTORIED,), bounds=(aged,)) if one.id == "L.2" else one
                for one in roadmap.criteria
            ),
        )
        for asked in ({"criterion": "L.2"}, {"dimension": "line", "stage": 2}):
            found = ruled(Rule(**self.RULE, **asked), continuum=continuum)
            assert (found.answer, found.valid_until) == (Answer.GO, date(2026, 4, 20)), asked


class TestDimensions:
    def test_reached_missed_and_not_known(self, decided):
        reached = decided([60e6] * 12, wave="school")
        assert (reached.answer, reached.rules[0].reason) == (Answer.GO, "“Line” is at Emerging; asked for is Emerging")
        missed = decided([40e6] * 12, wave="school")
        assert missed.rules[0].reason == "“Line” is at Entry; asked for is Emerging; not met: L.2"
        assert missed.answer is Answer.NO_GO
        unknown = decided([60e6], wave="school")
        assert (unknown.answer, unknown.missing) == (Answer.INDETERMINATE, ("evidence for L.2",))

    def test_a_provisional_criterion_makes_the_stage_provisional(self, decided):
        found = decided([60e6] * 6, wave="school")
        assert found.answer is Answer.GO_WITH_CONDITIONS
        assert found.conditions == ("The line scales: provisional; wanted is 4 more school days of tests",)


def test_samples_are_asked_for_like_days(policy, roadmap, school, pages):
    rule = Rule(
        id="r",
        title="T",
        level=Level.HARD,
        why="-",
        remedy="-",
        metric="platform_success",
        role=Role.LMS,
        at_least=0.99,
        min_samples=20,
    )
    asked = msgspec.structs.replace(policy, waves=(Wave(id="w", title="-", rules=(rule,)),))

    def outcome(count):
        found = judge(roadmap, school, gather(school, pages([0.5] * count), [], now=NOW), [], now=NOW)
        return decide(asked, "w", found, roadmap, [], now=NOW).rules[0]

    assert outcome(20).outcome is PASS
    assert outcome(19).outcome is UNKNOWN
    assert outcome(19).reason.startswith("met so far, on 19 of 20 readings: 100 %")
    assert outcome(19).missing == "1 more reading of checks of the learning platform"


def test_what_is_written_down_once_needs_no_readings(policy, roadmap, school):
    rule = Rule(id="r", title="T", level=Level.HARD, why="-", remedy="-", metric="contracted_down_per_1000", at_least=100e6)
    asked = msgspec.structs.replace(policy, waves=(Wave(id="w", title="-", rules=(rule,)),))
    found = judge(roadmap, school, gather(school, [], [], now=NOW), [], now=NOW)
    assert decide(asked, "w", found, roadmap, [], now=NOW).rules[0].outcome is PASS


LEVELS = st.sampled_from(list(Level))
VALUES = st.sampled_from([2.0, 0.5, None])


@given(st.lists(st.tuples(LEVELS, VALUES, st.booleans()), min_size=1, max_size=6), st.integers(0, 15))
def test_an_unknown_never_opens_the_gate(rows, days):
    """Rules on made-up facts: a hard or soft rule without a value never ends in an open gate, waived or not."""
    names = ["internet_down_per_1000", "internet_up_per_1000", "contracted_down_per_1000", "contracted_up_per_1000"]
    names += ["labs_and_carts", "audit_age"]
    rules = tuple(
        Rule(id=f"r{n}", title="T", level=level, why="-", remedy="-", metric=names[n], at_least=1.0)
        for n, (level, _, _) in enumerate(rows)
    )
    facts = tuple(
        Fact(kind=EvidenceKind.MEASURED, metric=names[n], value=value, days=days, grade=Grade.CONCLUSIVE, last_at=NOW)
        for n, (_, value, _) in enumerate(rows)
    )
    waivers = [accept(f"r{n}") for n, (_, _, waived) in enumerate(rows) if waived]
    decision = decision_on(rules, facts, waivers)
    opened = exit_status(decision.answer) == 0
    by_rule = outcomes(decision)
    for n, (level, value, _) in enumerate(rows):
        if level is not Level.ADVISORY:
            assert not (opened and value is None)
            assert not (opened and by_rule[f"r{n}"] in {UNKNOWN, FAIL})
        if value is None:
            assert by_rule[f"r{n}"] is UNKNOWN
    assert (decision.answer is Answer.GO) <= (set(by_rule.values()) == {PASS} and not decision.provisional)
    soon = decision.provisional or decision.answer is Answer.INDETERMINATE
    assert decision.valid_until <= NOW.date() + timedelta(days=14 if soon else 120)


ODD = st.builds(
    accept,
    st.sampled_from(["r0", "r1", "r2", "r3", "r9"]),
    on=st.sampled_from([date(2025, 3, 1), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)]),
    until=st.sampled_from([date(2026, 3, 30), date(2026, 3, 31), date(2026, 5, 30), date(2030, 1, 1)]),
    approver=st.sampled_from(["", "C. Chair", "B. Board"]),
    category=st.sampled_from(Category),
    mitigation=st.sampled_from(["", "at most 60 at once"]),
)


@given(st.lists(st.tuples(LEVELS, VALUES), min_size=1, max_size=4), st.lists(ODD, max_size=6), st.integers(0, 15))
def test_no_waiver_of_any_kind_turns_an_unknown_into_an_open_gate(rows, waivers, days):
    names = ["internet_down_per_1000", "internet_up_per_1000", "contracted_down_per_1000", "labs_and_carts"]
    rules = tuple(
        Rule(id=f"r{n}", title="T", level=level, why="-", remedy="-", metric=names[n], at_least=1.0)
        for n, (level, _) in enumerate(rows)
    )
    facts = tuple(
        Fact(kind=EvidenceKind.MEASURED, metric=names[n], value=value, days=days, grade=Grade.CONCLUSIVE, last_at=NOW)
        for n, (_, value) in enumerate(rows)
    )
    bare, waived = decision_on(rules, facts, []), decision_on(rules, facts, waivers)
    for without, with_it in zip(bare.rules, waived.rules, strict=True):
        assert (without.outcome is UNKNOWN) == (with_it.outcome is UNKNOWN)
        if without.outcome is not with_it.outcome:
            assert (without.outcome, with_it.outcome, with_it.level) == (FAIL, WAIVED, Level.SOFT)
    if any(one.outcome is UNKNOWN and one.level is not Level.ADVISORY for one in bare.rules):
        assert exit_status(waived.answer) != 0
    counted = {one.waiver.rule for one in waived.waivers if one.counts}
    assert counted == {one.rule for one in waived.rules if one.outcome is WAIVED}


def decision_on(rules, facts, waivers) -> Decision:
    site = Site(name="S", students=1, staff=0, classrooms=1)
    empty = Roadmap(
        id="r",
        version="1",
        title="-",
        source="-",
        stages=tuple(StageName(number=n, name=str(n), meaning="-") for n in (1, 2, 3, 4)),
        dimensions=(Dimension(id="d", title="-", domain="-", question="-"),),
        criteria=(),
    )
    found = judge(empty, site, gather(site, [], [], now=NOW), [], now=NOW)
    policy = Policy(id="p", version="1", title="-", platform="-", waves=(Wave(id="w", title="-", rules=rules),))
    return decide(policy, "w", msgspec.structs.replace(found, facts=facts), empty, waivers, now=NOW)


def test_the_order_of_waivers_and_facts_never_matters(decided, attest):
    no = [attest("P.2", answer=False)]
    waivers = [accept(until=date(2026, 4, 30)), accept(until=date(2026, 5, 30)), accept(on=date(2026, 3, 2)), accept("wide")]
    first = msgspec.json.encode(decided([60e6] * 12, words=no, waivers=waivers))
    for seed in range(6):
        random.Random(seed).shuffle(waivers)
        assert msgspec.json.encode(decided([60e6] * 12, words=no, waivers=waivers)) == first


class TestPolicyFile:
    CASES: ClassVar = {
        "no form at all": (
            'criterion = "P.2"\n',
            "",
            (
                "policy.toml: waves[0] (room).rules[1] (named): expected exactly one of criterion, dimension and metric; "
                "got none"
            ),
        ),
        "two forms": (
            'criterion = "P.2"\n',
            'criterion = "P.2"\ndimension = "line"\nstage = 2\n',
            (
                "policy.toml: waves[0] (room).rules[1] (named): expected exactly one of criterion, dimension and metric; "
                "got criterion and dimension"
            ),
        ),
        "a criterion nobody knows": (
            '"P.2"',
            '"P.9"',
            'policy.toml: waves[0] (room).rules[1] (named).criterion: "P.9" is not a criterion of small 1',
        ),
        "a dimension nobody knows": (
            'dimension = "line"',
            'dimension = "lime"',
            ('policy.toml: waves[1] (school).rules[0] (line-scaling).dimension: expected one of line, people; got "lime"'),
        ),
        "a dimension without a stage": (
            "stage = 2\n",
            "",
            ("policy.toml: waves[1] (school).rules[0] (line-scaling).stage: expected a stage, 1 to 4, for the dimension"),
        ),
        "a stage that nothing leads to": (
            "stage = 2\n",
            "stage = 4\n",
            (
                "policy.toml: waves[1] (school).rules[0] (line-scaling).stage: expected at most 3; "
                "small demands nothing of line beyond it"
            ),
        ),
        "a stage without a dimension": (
            'criterion = "P.2"',
            'criterion = "P.2"\nstage = 2',
            ("policy.toml: waves[0] (room).rules[1] (named).stage: expected no stage; only a rule about a dimension has one"),
        ),
        "a limit without a metric": (
            'criterion = "P.2"',
            'criterion = "P.2"\nat_least = 2',
            (
                "policy.toml: waves[0] (room).rules[1] (named).at_least: expected no at_least; "
                "only a rule about a metric has one"
            ),
        ),
        "a machine asked for what only people know": (
            'criterion = "P.2"',
            'criterion = "P.2"\nby_machine = true',
            (
                "policy.toml: waves[0] (room).rules[1] (named).by_machine: expected false; "
                "P.2 is decided by what is attested, never by a machine"
            ),
        ),
        "an id used in two waves": (
            'id = "line-scaling"',
            'id = "wide"',
            ("policy.toml: waves[1] (school).rules[0] (wide).id: expected an id that is used once; wave room has it too"),
        ),
        "a level that is none": (
            'level = "soft"',
            'level = "firm"',
            ('policy.toml: waves[0] (room).rules[1] (named).level: expected one of advisory, hard, soft; got "firm"'),
        ),
        "readings of what is counted once": (
            'metric = "platform_success"\nrole = "lms"\nat_least = 0.99',
            'metric = "audit_age"\nat_most = 7\nmin_samples = 2',
            (
                "policy.toml: waves[0] (room).rules[2] (answers).min_samples: expected 1; "
                "audit_age is counted once, not day by day"
            ),
        ),
        "a metric nobody measures": (
            '"internet_down_per_1000"',
            '"speed"',
            (
                'policy.toml: waves[0] (room).rules[0] (wide).metric: "speed" is measured by nobody; '
                "known metrics are listed by `netready metrics`"
            ),
        ),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_refuses_in_one_sentence(self, roadmap, name):
        old, new, sentence = self.CASES[name]
        assert old.encode() in POLICY
        with pytest.raises(Unfit) as caught:
            parse_policy(POLICY.replace(old.encode(), new.encode(), 1), "policy.toml", roadmap, CATALOGUE)
        assert str(caught.value) == sentence

    @pytest.mark.parametrize(
        "asked",
        [
            'metric = "audit_age"\nat_most = 7\nmin_samples = 1',
            'metric = "platform_success"\nrole = "lms"\nat_least = 0.99\nmin_samples = 2',
        ],
    )
    def test_reads_what_can_be_asked(self, roadmap, asked):
        old = 'metric = "platform_success"\nrole = "lms"\nat_least = 0.99'
        found = parse_policy(POLICY.replace(old.encode(), asked.encode(), 1), "policy.toml", roadmap, CATALOGUE)
        assert found.waves[0].rules[2].metric in asked


class TestWaiverFile:
    ONE = """[[waivers]]
rule = "named"
until = 2026-05-30
owner = "B. Board"
reason = "a substitute is trained"
on = 2026-03-01
"""
    CASES: ClassVar = {
        "a rule nobody knows": (
            ("named", "nemed"),
            'waivers.toml: waivers[0] (nemed).rule: "nemed" is not a rule of cbe 1; did you mean named?',
        ),
        "a hard rule": (
            ("named", "wide"),
            "waivers.toml: waivers[0] (wide).rule: expected a soft rule; wide is hard and cannot be waived",
        ),
        "an end before its beginning": (
            ("2026-05-30", "2026-02-01"),
            "waivers.toml: waivers[0] (named).until: expected a date later than 2026-03-01, on which it begins; got 2026-02-01",
        ),
        "no reason": (
            ("a substitute is trained", ""),
            "waivers.toml: waivers[0] (named).reason: expected text that is not empty",
        ),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_refuses_in_one_sentence(self, policy, name):
        (old, new), sentence = self.CASES[name]
        with pytest.raises(Unfit) as caught:
            parse_waivers(self.ONE.replace(old, new).encode(), "waivers.toml", policy)
        assert str(caught.value) == sentence

    def test_a_second_waiver_may_follow_but_not_overlap(self, policy):
        following = self.ONE.replace("2026-05-30", "2026-07-30").replace("2026-03-01", "2026-05-31")
        assert len(parse_waivers((self.ONE + following).encode(), "waivers.toml", policy)) == 2
        with pytest.raises(Unfit, match=r"waivers\[1\] \(named\): expected one waiver of a rule at a time; waivers\[0\] runs"):
            parse_waivers((self.ONE + self.ONE).encode(), "waivers.toml", policy)


class TestScope:
    """A wave that reaches further than the school that is judged."""

    def test_is_never_better_than_conditional_and_says_whose_records_it_was_judged_from(self, decided, policy):
        site = decided([60e6] * 12, wave="school")
        assert (site.answer, site.scope, site.conditions) == (Answer.GO, "site", ())
        wide = decided([60e6] * 12, wave="school", under=wider(policy))
        assert (wide.answer, wide.scope) == (Answer.GO_WITH_CONDITIONS, "lea")
        assert wide.judged_from == "the records of Small School alone"
        assert wide.conditions == (
            "Judged from the records of Small School alone: every other school of this wave needs an answer of its own",
        )
        assert {one.outcome for one in wide.rules} == {PASS}

    def test_stays_shut_for_the_same_reasons(self, decided, policy):
        assert decided([40e6] * 12, wave="school", under=wider(policy)).answer is Answer.NO_GO
        assert decided([60e6], wave="school", under=wider(policy)).answer is Answer.INDETERMINATE


def wider(policy: Policy) -> Policy:
    return msgspec.structs.replace(policy, waves=tuple(msgspec.structs.replace(one, scope="lea") for one in policy.waves))


def test_an_expired_decision_says_that_it_stops_new_waves_only(decided):
    found = decided([60e6] * 12)
    assert found.expired_stops == "new-waves-only"
    assert found.when_expired == "after 2026-07-15 this answer opens no new wave; what is live by then stays live"
