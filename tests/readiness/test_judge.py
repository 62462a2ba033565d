"""Verdicts and stages: what each kind of evidence may decide, and what follows when they disagree."""

import random
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netready.failure import Failure
from netready.site import Site
from readiness.evidence import Attestation, Fact, Grade
from readiness.gather import gather
from readiness.judge import judge
from readiness.judgement import Outcome
from readiness.roadmap import Bound, Criterion, Dimension, EvidenceKind, Roadmap, StageName
from readiness.stages import stage

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
MET, NOT_MET, UNKNOWN, WAIVED, APART = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.NOT_APPLICABLE
M, I, P, A = EvidenceKind.MEASURED, EvidenceKind.INVENTORIED, EvidenceKind.PROBED, EvidenceKind.ATTESTED  # noqa: E741

SITE = Site(name="Small School", students=480, staff=40, classrooms=20)
METRIC = {M: "internet_down_per_1000", I: "contracted_down_per_1000", P: "internet_up_per_1000"}
STAGES = tuple(StageName(number=n, name=str(n), meaning="-") for n in (1, 2, 3, 4))


def criterion(name="C", evidence=(A,), *, level=2, dimension="d", bounded=True, **fields) -> Criterion:
    return Criterion(
        id=name,
        dimension=dimension,
        stage=level,
        what="-",
        why="-",
        remedy="-",
        evidence=evidence,
        bounds=tuple(Bound(evidence=kind, metric=METRIC[kind], at_least=1e6, source="-") for kind in evidence if kind is not A)
        if bounded
        else (),
        confidence="high",
        wanted="a document",
        **fields,
    )


def roadmap(*criteria: Criterion, gates=()) -> Roadmap:
    names = dict.fromkeys(one.dimension for one in criteria)
    dimensions = tuple(Dimension(id=name, title=name, domain="-", question="-", gates=name in gates) for name in names)
    return Roadmap(id="r", version="1", title="-", source="-", stages=STAGES, dimensions=dimensions, criteria=criteria)


def judged(found: Roadmap, said=None, words=(), **fields):
    """`said` maps a kind of machine evidence to yes, no or None for silence."""
    facts = tuple(
        Fact(kind=kind, metric=METRIC[kind], value=2e6 if holds else 0.5e6, days=10, samples=10, grade=Grade.CONCLUSIVE)
        for kind, holds in (said or {}).items()
        if holds is not None
    )
    gathered = msgspec.structs.replace(gather(SITE, [], [], now=NOW), facts=facts)
    return judge(found, SITE, gathered, words, now=NOW, **fields)


def word(answer, name="C", *, on=date(2026, 1, 5), until=date(2026, 12, 31)) -> Attestation:
    return Attestation(criterion=name, answer=answer, name="A. Head", role="principal", on=on, until=until)


def yes(name="C", **dates) -> Attestation:
    return word(True, name, **dates)  # noqa: FBT003


def no(name="C", **dates) -> Attestation:
    return word(False, name, **dates)  # noqa: FBT003


# evidence kinds, what machines say, what the person says -> outcome, by machine, contradicted
TABLE = {
    "attested alone, yes": ((A,), {}, True, MET, UNKNOWN, False),
    "attested alone, no": ((A,), {}, False, NOT_MET, UNKNOWN, False),
    "attested alone, silent": ((A,), {}, None, UNKNOWN, UNKNOWN, False),
    "a person's yes and a machine's agreement": ((A, M), {M: True}, True, MET, UNKNOWN, False),
    "a person's yes while the machine is silent": ((A, M), {M: None}, True, MET, UNKNOWN, False),
    "a measured shortfall beats a person's yes": ((A, M), {M: False}, True, NOT_MET, NOT_MET, True),
    "a measured shortfall needs no person": ((A, M), {M: False}, None, NOT_MET, NOT_MET, False),
    "a machine's yes does not stand in for a person": ((A, M), {M: True}, None, UNKNOWN, UNKNOWN, False),
    "a person's no stands against a machine's yes": ((A, M), {M: True}, False, NOT_MET, UNKNOWN, True),
    "measured alone, yes": ((M,), {M: True}, None, MET, MET, False),
    "measured alone, no": ((M,), {M: False}, None, NOT_MET, NOT_MET, False),
    "measured alone, silent": ((M,), {M: None}, None, UNKNOWN, UNKNOWN, False),
    "a person does not stand in for a measurement": ((M, A), {M: None}, True, UNKNOWN, UNKNOWN, False),
    "a person's no is enough where the machine is silent": ((M, A), {M: None}, False, NOT_MET, UNKNOWN, False),
    "a person denies what was measured": ((M, A), {M: True}, False, UNKNOWN, UNKNOWN, True),
    "a person affirms what was measured": ((M, A), {M: True}, True, MET, MET, False),
    "a person affirms what falls short": ((M, A), {M: False}, True, NOT_MET, NOT_MET, True),
    "another machine kind denies": ((M, I), {M: True, I: False}, None, NOT_MET, NOT_MET, True),
    "another machine kind denies while the first is silent": ((M, I), {M: None, I: False}, None, NOT_MET, NOT_MET, False),
    "another machine kind does not stand in for the first": ((M, I), {M: None, I: True}, None, UNKNOWN, UNKNOWN, False),
    "all agree": ((M, I, A), {M: True, I: True}, True, MET, MET, False),
}


@pytest.mark.parametrize("name", TABLE)
def test_verdicts(name):
    kinds, said, answer, outcome, by_machine, contradicted = TABLE[name]
    words = [] if answer is None else [word(answer)]
    (verdict,) = judged(roadmap(criterion(evidence=kinds)), said, words).verdicts
    assert (verdict.outcome, verdict.by_machine, verdict.contradicted) == (outcome, by_machine, contradicted)
    assert verdict.reason
    assert bool(verdict.missing) == (outcome is UNKNOWN)


def test_reasons_name_the_evidence():
    (verdict,) = judged(roadmap(criterion(evidence=(A, M))), {M: False}, [yes()]).verdicts
    assert verdict.reason == (
        "measured: 0.5 Mbps per 1,000 users; asked for is at least 1 Mbps per 1,000 users; "
        "contradicted by what is attested: A. Head (principal) said yes on 2026-01-05, until 2026-12-31"
    )


def test_what_netready_cannot_check_yet_is_for_a_person_to_say_and_unknown_by_machine():
    (verdict,) = judged(roadmap(criterion(evidence=(P, A), bounded=False)), {}, [yes()]).verdicts
    assert (verdict.outcome, verdict.by_machine) == (MET, UNKNOWN)


def test_what_netready_cannot_check_yet_and_no_person_may_say_is_unknown():
    (verdict,) = judged(roadmap(criterion(evidence=(P, I), bounded=False)), {}, [yes()]).verdicts
    assert (verdict.outcome, verdict.by_machine) == (UNKNOWN, UNKNOWN)
    assert verdict.reason == "probed: netready cannot check this yet"


@pytest.mark.parametrize(
    ("on", "until", "reason"),
    [
        (date(2025, 1, 1), date(2026, 3, 30), "attested: the word of A. Head (principal) counted until 2026-03-30"),
        (date(2026, 4, 1), date(2026, 12, 1), "attested: the word of A. Head (principal) counts from 2026-04-01"),
    ],
)
def test_a_word_counts_only_in_its_time(on, until, reason):
    (verdict,) = judged(roadmap(criterion()), {}, [yes(on=on, until=until)]).verdicts
    assert (verdict.outcome, verdict.reason) == (UNKNOWN, reason)


def test_a_word_counts_on_its_last_day():
    (verdict,) = judged(roadmap(criterion()), {}, [yes(until=date(2026, 3, 31))]).verdicts
    assert verdict.outcome is MET


def test_the_newest_word_replaces_older_ones_even_when_it_has_run_out():
    old, new = yes(on=date(2025, 9, 1)), no(on=date(2026, 2, 1), until=date(2026, 3, 1))
    for words in ([old, new], [new, old]):
        (verdict,) = judged(roadmap(criterion()), {}, words).verdicts
        assert (verdict.outcome, verdict.attestation) == (UNKNOWN, new)


def partial(*kinds) -> Criterion:
    """Measured, but only in part."""
    whole = criterion(evidence=kinds)
    bounds = tuple(msgspec.structs.replace(bound, partial=bound.evidence is M) for bound in whole.bounds)
    return msgspec.structs.replace(whole, bounds=bounds)


@pytest.mark.parametrize(
    ("said", "words", "wanted", "by_machine"),
    [
        (True, (), UNKNOWN, UNKNOWN),
        (True, (yes(),), MET, UNKNOWN),
        (None, (yes(),), MET, UNKNOWN),
        (False, (yes(),), NOT_MET, NOT_MET),
        (False, (), NOT_MET, NOT_MET),
        (True, (no(),), NOT_MET, UNKNOWN),
    ],
)
def test_a_bound_on_a_part_can_deny_and_never_affirm_though_its_kind_comes_first(said, words, wanted, by_machine):
    (verdict,) = judged(roadmap(partial(M, A)), {M: said}, words).verdicts
    assert (verdict.outcome, verdict.by_machine) == (wanted, by_machine)


def test_a_whole_bound_of_another_kind_decides_before_the_word_beside_a_part():
    assert partial(M, I, A).voices == (I, A, M)


def test_what_decides_is_the_first_kind_with_a_voice():
    assert partial(M, A).primary is A
    assert criterion(evidence=(M, A), bounded=False).primary is A
    assert criterion(evidence=(M, A)).primary is M
    assert criterion(evidence=(P,), bounded=False).primary is P


def test_of_two_words_on_one_day_the_no_counts():
    for words in ([yes(), no()], [no(), yes()]):
        assert judged(roadmap(criterion()), {}, words).verdicts[0].outcome is NOT_MET


def test_a_deficit_is_reported_and_never_required():
    found = judged(roadmap(criterion("D", deficit=True, required=False), criterion("E")), {}, [no("D"), yes("E")])
    assert found.verdicts[0].outcome is NOT_MET
    assert found.stages[0].with_attestations == 2


def test_waived_counts_as_not_met_and_what_does_not_apply_is_passed_over():
    both = roadmap(criterion("X"), criterion("Y"))
    waived = judged(both, {}, [yes("Y")], waived={"X": "next year"})
    assert (waived.verdicts[0].outcome, waived.verdicts[0].reason) == (WAIVED, "waived: next year")
    assert (waived.stages[0].with_attestations, waived.stages[0].not_met) == (1, 1)
    apart = judged(both, {}, [yes("Y")], not_applicable={"X": "no such thing here"})
    assert (apart.stages[0].with_attestations, apart.stages[0].met, apart.stages[0].missing) == (2, 1, ())


class TestStages:
    def test_the_highest_stage_below_which_all_is_met(self):
        found = judged(
            roadmap(criterion("B2"), criterion("B3", level=3), criterion("B4", level=4)),
            {},
            [yes("B2"), yes("B4")],
        )
        (one,) = found.stages
        assert (one.with_attestations, one.missing) == (2, ("B3",))
        assert (one.met, one.not_met, one.unknown) == (2, 0, 1)

    def test_unknown_is_neither_met_nor_failed(self):
        (one,) = judged(roadmap(criterion())).stages
        assert (one.with_attestations, one.met, one.not_met, one.unknown, one.missing) == (1, 0, 0, 1, ("C",))

    def test_an_empty_stage_is_passed_through_but_not_reached(self):
        gap = roadmap(criterion("B2"), criterion("B4", level=4))
        assert judged(gap, {}, [yes("B2")]).stages[0].with_attestations == 2
        assert judged(gap, {}, [yes("B2"), yes("B4")]).stages[0].with_attestations == 4

    def test_a_dimension_that_demands_nothing_stays_at_entry(self):
        assert judged(roadmap(criterion(required=False)), {}, [yes()]).stages[0].with_attestations == 1

    def test_by_machine_is_none_where_machines_know_nothing(self):
        (one,) = judged(roadmap(criterion()), {}, [yes()]).stages
        assert (one.with_attestations, one.by_machine, one.checkable) == (2, None, 0)

    def test_a_machine_alone_reaches_what_it_may_decide(self):
        found = judged(roadmap(criterion("B2", (M,)), criterion("B3", (A, M), level=3)), {M: True}, [yes("B3")])
        (one,) = found.stages
        assert (one.with_attestations, one.by_machine) == (3, 2)
        assert (one.checkable, one.machine_met, one.machine_not_met) == (2, 1, 0)

    def test_the_weakest_is_lowest_then_gating_then_least_shown_by_machine(self):
        found = roadmap(
            criterion("X2", dimension="x"), criterion("Y2", dimension="y"), criterion("Z2", (M,), dimension="z"), gates=("y",)
        )
        assert judged(found).weakest == "y"
        assert judged(found, {}, [yes("Y2")]).weakest == "z"
        assert judged(found, {M: True}, [yes("X2")]).weakest == "y"


KINDS = st.lists(st.sampled_from([M, I, P, A]), min_size=1, max_size=3, unique=True).map(tuple)
CRITERIA = st.lists(
    st.tuples(KINDS, st.integers(1, 4), st.sampled_from(["x", "y"]), st.booleans(), st.booleans()), min_size=1, max_size=8
)
SAID = st.fixed_dictionaries({kind: st.sampled_from([True, False, None]) for kind in (M, I, P)})
ANSWERS = st.lists(st.sampled_from([True, False, None]), min_size=8, max_size=8)


def made(rows) -> Roadmap:
    return roadmap(
        *(
            criterion(f"C{number}", kinds, level=level, dimension=dimension, bounded=bounded, required=required)
            for number, (kinds, level, dimension, bounded, required) in enumerate(rows)
        )
    )


def words(found: Roadmap, answers) -> list[Attestation]:
    return [word(answer, one.id) for one, answer in zip(found.criteria, answers, strict=False) if answer is not None]


@given(CRITERIA, SAID, ANSWERS)
def test_what_machines_show_is_never_more_than_what_is_known(rows, said, answers):
    found = made(rows)
    for one in judged(found, said, words(found, answers)).stages:
        assert one.by_machine is None or one.by_machine <= one.with_attestations
        assert one.machine_met + one.machine_not_met <= one.checkable


@given(CRITERIA, SAID, ANSWERS, st.data())
def test_more_evidence_of_something_met_never_lowers_a_stage(rows, said, answers, data):
    """And the other way round: taking such evidence away never raises one."""
    found = made(rows)
    before = judged(found, said, words(found, answers))
    if data.draw(st.booleans()):
        silent = [kind for kind, holds in said.items() if holds is None] or [M]
        said = {**said, data.draw(st.sampled_from(silent)): True}
    else:
        place = data.draw(st.integers(0, 7))
        answers = [*answers[:place], True, *answers[place + 1 :]]
    after = judged(found, said, words(found, answers))
    for old, new in zip(before.stages, after.stages, strict=True):
        assert new.with_attestations >= old.with_attestations
        assert (new.by_machine or 0) >= (old.by_machine or 0)


@given(CRITERIA, SAID, ANSWERS)
def test_losing_evidence_never_makes_an_unknown_met(rows, said, answers):
    found = made(rows)
    full = judged(found, said, words(found, answers))
    silent = judged(found, {}, [])
    assert all(one.outcome is UNKNOWN for one in silent.verdicts)
    assert all(one.with_attestations == 1 for one in silent.stages)
    for one, verdict in zip(found.criteria, full.verdicts, strict=True):
        if verdict.outcome is MET and one.primary is A:
            assert verdict.attestation is not None


@given(st.lists(st.tuples(st.integers(2, 4), st.sampled_from([MET, NOT_MET, UNKNOWN, WAIVED, APART])), max_size=6))
def test_a_stage_is_reached_only_over_met_criteria(rows):
    criteria = [criterion(f"C{number}", level=level) for number, (level, _) in enumerate(rows)]
    outcomes = {f"C{number}": outcome for number, (_, outcome) in enumerate(rows)}
    reached = stage(criteria, outcomes)
    assert all(outcomes[one.id] in {MET, APART} for one in criteria if one.stage <= reached)
    assert reached == 1 or any(one.stage == reached and outcomes[one.id] is MET for one in criteria)


@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_evidence_never_matters(*, roadmap, school, throughput, pages, attest, chance: random.Random):
    readings = throughput([60e6, 70e6, Failure.TIMEOUT, 55e6]) + pages([1.0, 2.0, Failure.RESET])
    words = [attest("P.2"), attest("L.3"), attest("L.3", answer=False, on=date(2026, 2, 1)), attest("P.4")]

    def result() -> bytes:
        gathered = gather(school, readings, [], now=NOW, audits=[NOW - timedelta(days=1)])
        return msgspec.json.encode(judge(roadmap, school, gathered, words, now=NOW))

    first = result()
    chance.shuffle(readings)
    chance.shuffle(words)
    assert result() == first


def test_one_audit_on_one_day_says_so(roadmap, school, throughput):
    found = judge(roadmap, school, gather(school, throughput([60e6]), [], now=NOW), [], now=NOW)
    line = next(one for one in found.verdicts if one.criterion == "L.2")
    assert (line.outcome, line.provisional) == (UNKNOWN, True)
    assert line.missing == "4 more school days of tests"
    assert found.provisional == (
        "The line towards the school was tested on 1 of the 10 school days that a lasting decision wants.",
        "Everything measured here comes from one audit.",
    )
    assert found.roadmap_digest == roadmap.digest


def test_today_is_the_sites_own(roadmap, school, attest):
    late = datetime(2026, 12, 31, 23, tzinfo=UTC)
    words = [attest("P.2", until=date(2026, 12, 31))]
    here = judge(roadmap, school, gather(school, [], [], now=late), words, now=late)
    assert next(one for one in here.verdicts if one.criterion == "P.2").outcome is MET
    east = msgspec.structs.replace(school, time_zone="Asia/Tokyo")
    there = judge(roadmap, east, gather(east, [], [], now=late), words, now=late)
    assert next(one for one in there.verdicts if one.criterion == "P.2").outcome is UNKNOWN
