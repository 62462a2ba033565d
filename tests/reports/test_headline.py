from collections.abc import Iterable
from datetime import date

import msgspec
import pytest

from netready.device import Kind
from netready.failure import Failure
from netready.metric import Unit
from readiness.evidence import Grade
from readiness.gaps import Amount, Gap, Item
from readiness.gate import Answer, Level, RuleOutcome
from readiness.judgement import Outcome
from readiness.next_steps import Effort
from readiness.roadmap import EvidenceKind, Who
from reports import RENDERERS, wording
from reports.headline import REASONS, STEPS, headline, sureness
from reports.report import Outlook
from reports.stage_rows import Mark


def _marks(head, name):
    return next(row.marks for row in head.stages if row.dimension.id == name)


@pytest.mark.parametrize(
    ("table", "closed"),
    [
        (wording.ANSWERS, Answer),
        (wording.OUTCOMES, Outcome),
        (wording.RULE_OUTCOMES, RuleOutcome),
        (wording.LEVELS, Level),
        (wording.EVIDENCE, EvidenceKind),
        (wording.GRADES, Grade),
        (wording.FAILURES, Failure),
        (wording.KINDS, Kind),
        (wording.WHO, Who),
        (wording.EFFORTS, Effort),
    ],
)
def test_every_word_of_a_closed_list_can_be_said(table: dict[str, object], closed: Iterable[str]):
    assert set(table) == set(closed)


def test_the_decision_is_a_sentence_with_its_reasons_the_hardest_first(school):
    head = headline(school)
    assert head.verdict == "Not yet"
    assert head.sentence == (
        "Ready for “Pilot room”. Not ready for “Whole school”, for two reasons; one further demand cannot be judged yet:"
    )
    asked = "Mbps per 1,000 users; asked for is at least"
    down, up, devices = head.reasons[1], head.reasons[0], head.reasons[2]
    assert up.startswith(
        "Not met: The line gives 100 Mbps per 1,000 users from the school. At least 41.2 Mbps per 1,000 users;"
    )
    assert down == f"Not met: The line gives 1,000 Mbps per 1,000 users. At least 184.2 {asked} 1,000 Mbps per 1,000 users."
    assert devices == "Not known: There is a device for every student. No device list has been imported."


@pytest.mark.parametrize(
    ("wave", "verdict", "sentence"),
    [
        ("pilot", "Ready", "Ready for “Pilot room”: every demand is met."),
        ("district", "Cannot say", "Ready for “Pilot room”. Cannot say yet for “District”: one demand cannot be judged:"),
    ],
)
def test_every_answer_has_its_sentence(make, wave, verdict, sentence):
    head = headline(make(wave=wave))
    assert (head.verdict, head.sentence) == (verdict, sentence)


def test_accepted_risks_are_conditions_on_the_first_page(make, school):
    waived = msgspec.structs.replace(
        school.decisions[1], answer=Answer.GO_WITH_CONDITIONS, rules=(), conditions=("the line is slow: M. Diaz, until June",)
    )
    head = headline(make(decisions=(waived,)))
    assert head.verdict == "Ready with conditions"
    assert head.sentence == "Ready for “Whole school”, with one condition:"
    assert head.reasons == ("The line is slow: M. Diaz, until June.",)


def test_no_more_reasons_than_a_reader_can_hold_and_the_rest_is_counted(make, school):
    failing = school.decisions[1].rules[0]
    many = tuple(msgspec.structs.replace(failing, rule=f"r{n}", reason=f"reason {n}") for n in range(7))
    head = headline(make(decisions=(msgspec.structs.replace(school.decisions[1], rules=many),)))
    assert len(head.reasons) == REASONS
    assert head.more == 7 - REASONS


def test_dimensions_that_the_gate_looks_at_come_first_and_the_weakest_is_named(school):
    head = headline(school)
    assert [row.dimension.id for row in head.stages][:4] == ["choices", "broadband", "network", "uses"]
    assert len(head.stages) == 14
    assert head.weakest == "Weakest: Broadband access and 3 more, at Entry"
    assert {row.dimension.id: row.sign for row in head.stages if row.sign} == {"broadband": "start here"}


def standing(school, make, **stages):
    """The school with dimensions moved to stages; the others stand at Emerging."""
    moved = tuple(
        msgspec.structs.replace(each, with_attestations=stages.get(each.dimension, 2)) for each in school.judgement.stages
    )
    return headline(make(judgement=msgspec.structs.replace(school.judgement, stages=moved)))


def test_of_several_that_are_no_better_none_is_called_the_weakest(school, make):
    alone = standing(school, make, broadband=1)
    assert alone.weakest == "Weakest: Broadband access, at Entry"
    assert {row.dimension.id: row.sign for row in alone.stages if row.sign} == {"broadband": "weakest"}
    assert standing(school, make).weakest == "All 14 dimensions at Emerging; start with Broadband access"


def test_where_every_dimension_is_at_the_last_stage_the_page_points_at_none(school, make):
    head = standing(school, make, **{each.dimension: 4 for each in school.judgement.stages})
    assert head.weakest == "All 14 dimensions at Transforming"
    assert not [row for row in head.stages if row.sign]


def test_a_stage_is_marked_by_how_it_is_known(school):
    head = headline(school)
    assert _marks(head, "uses") == (Mark.START, Mark.MEASURED, Mark.ATTESTED, Mark.UNKNOWN)
    assert _marks(head, "broadband") == (Mark.START, Mark.NOT_MET, Mark.NOT_MET, Mark.NOT_MET)
    assert _marks(head, "learning") == (Mark.START, Mark.UNKNOWN, Mark.UNKNOWN, Mark.UNKNOWN)


def test_a_dimension_in_which_a_machine_can_know_nothing_says_so(school):
    alone = {row.dimension.id: row.alone for row in headline(school).stages}
    assert alone["rules"] == "attested only"
    assert alone["uses"] == "Emerging"


def test_a_dimension_in_which_no_machine_has_looked_is_not_known(school):
    alone = {row.dimension.id: row.alone for row in headline(school).stages}
    assert alone["jobs"] == "not known"
    assert alone["broadband"] == "Entry"


def test_next_steps_open_the_wave_first_then_the_weakest_dimension_then_follow_advice(school):
    steps = headline(school).steps
    assert [step.unlocks for step in steps] == [*["wave “Whole school”"] * 3, *["Broadband access: Emerging"] * 2]
    assert len(steps) == STEPS
    assert steps[0].what == "Ask the provider for 242 Mbps or more from the school."
    assert steps[0].evidence == "Ten school days of tests at 242 Mbps or more."
    assert steps[2].what == "Import the device list from the device manager."


def test_steps_of_the_weakest_dimension_are_those_of_the_outlook_and_say_who(school):
    weakest = next(each for each in school.outlook.next_steps if each.dimension == "broadband")
    steps = [step for step in headline(school).steps if step.unlocks.startswith("Broadband access")]
    assert [step.what for step in steps] == [wording.sentence(each.do) for each in weakest.steps]
    assert {step.who for step in steps} == {"leadership"}


def test_what_is_missing_is_taken_from_the_gaps_and_nothing_beside_them(school):
    head = headline(school)
    assert [(lack.title, lack.missing) for lack in head.rates] == [
        ("100 Mbps per 1,000 users (Scaling)", ("nothing", "+143 Mbps")),
        ("1 Gbps per 1,000 users (Transforming)", ("+1,975 Mbps", "+2,321 Mbps")),
        ("State 2026: 2 Mbps for each student, for 2,200 students", ("+3,425 Mbps", "not asked")),
    ]
    assert [(lack.title, lack.missing) for lack in head.things] == [
        ("Student devices", ("at most +220",)),
        ("Access points", ("about +14",)),
        ("Servers in the school (own plan)", ("not known yet",)),
    ]


def test_a_gap_that_is_not_known_is_said_so_on_the_first_page(make):
    head = headline(make(outlook=Outlook(fit_gap=_blind())))
    assert {missing for lack in head.rates for missing in lack.missing} == {"not known yet"}


def _blind():
    """The line towards the school and from it, of which nothing is known."""
    nothing = Amount(value=None, how="no test was made")
    gap = Gap(goals=("threshold:x",), titles=("X",), wanted=Amount(value=1e6, how="x"), gap=nothing)
    item = Item(id="internet_down", area="I", title="T", unit=Unit.BITS_PER_SECOND, current=nothing, gaps=(gap,))
    return (item, msgspec.structs.replace(item, id="internet_up"))


def test_evidence_that_disagrees_is_shown_with_both_sides_and_what_counts(school):
    (dispute,) = headline(school).disputes
    assert dispute.criterion == "BROADBAND.2.2"
    assert dispute.sides == (
        "Measured: at least 41.2 Mbps per 1,000 users; asked for is at least 100 Mbps per 1,000 users.",
        "Attested: P. Lind (principal) said yes on 2026-01-12, until 2026-12-31.",
    )
    assert dispute.counts == "What is measured counts: not met."


@pytest.mark.parametrize(
    ("outcome", "sides", "counts"),
    [
        (Outcome.NOT_MET, ("attested: no", "measured: 5"), "The person's “no” counts: not met."),
        (Outcome.NOT_MET, ("inventoried: 4", "measured: 5"), "What is inventoried counts: not met."),
        (
            Outcome.UNKNOWN,
            ("measured: 5", "attested: no"),
            "Neither counts until somebody has found out which is right: not known.",
        ),
        (Outcome.WAIVED, ("measured: 5", "attested: yes"), "Set aside: waived."),
    ],
)
def test_what_counts_follows_the_judgement(make, school, outcome, sides, counts):
    verdicts = tuple(
        msgspec.structs.replace(each, outcome=outcome, sides=sides) if each.contradicted else each
        for each in school.judgement.verdicts
    )
    (dispute,) = headline(make(judgement=msgspec.structs.replace(school.judgement, verdicts=verdicts))).disputes
    assert dispute.counts == counts


def test_an_answer_that_has_run_out_is_not_counted_as_attested(make, school):
    before = sureness(school)
    name = next(each.criterion for each in school.judgement.verdicts if each.attestation and each.criterion.startswith("RULES"))
    verdicts = tuple(
        msgspec.structs.replace(each, attestation=msgspec.structs.replace(each.attestation, until=date(2026, 3, 1)))
        if each.criterion == name
        else each
        for each in school.judgement.verdicts
    )
    judgement = msgspec.structs.replace(school.judgement, verdicts=verdicts)
    assert sureness(make(judgement=judgement)).attested == before.attested - 1
    page = RENDERERS["html"].render(make(judgement=judgement))
    assert page.count("held until 1 Mar 2026 and counts no more.") == 1


def test_a_step_is_named_once(make, school):
    rules = school.decisions[1].rules
    twice = msgspec.structs.replace(rules[1], remedy=rules[0].remedy)
    head = headline(make(decisions=(msgspec.structs.replace(school.decisions[1], rules=(rules[0], twice)),)))
    assert len({step.what for step in head.steps}) == len(head.steps) == 3


def test_how_sure_is_counted_from_the_judgement(make, school):
    before = sureness(school)
    assert (before.total, before.checkable, before.attestable) == (112, 48, 64)
    name = "LEARNING.3.1"
    verdicts = tuple(
        msgspec.structs.replace(each, outcome=Outcome.MET, attestation=_attestation(school)) if each.criterion == name else each
        for each in school.judgement.verdicts
    )
    after = sureness(make(judgement=msgspec.structs.replace(school.judgement, verdicts=verdicts)))
    assert (after.attested, after.unknown) == (before.attested + 1, before.unknown - 1)
    assert after.measured == before.measured


def _attestation(school):
    return next(each.attestation for each in school.judgement.verdicts if each.attestation)


def test_a_text_is_cut_between_words():
    assert wording.shortened("one two three four", 12) == "one two…"
    assert wording.shortened("x" * 20, 12) == "x" * 11 + "…"
    assert wording.shortened("short", 12) == "short"


def test_an_earlier_wave_that_is_open_on_conditions_is_called_so(make, school):
    first = msgspec.structs.replace(school.decisions[0], answer=Answer.GO_WITH_CONDITIONS)
    head = headline(make(decisions=(first, *school.decisions[1:])))
    assert head.sentence.startswith("Ready with conditions for “Pilot room”. Not ready for “Whole school”")


def test_what_failed_is_the_first_step_even_where_something_stricter_is_only_unknown(make, school):
    failed, _, unknown, *_rest = school.decisions[1].rules
    rules = (msgspec.structs.replace(unknown, level=Level.HARD), failed)
    head = headline(make(decisions=(msgspec.structs.replace(school.decisions[1], rules=rules),)))
    assert head.steps[0].what == "Ask the provider for a faster line, and test it again on ten school days."
