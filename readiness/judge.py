"""The judgement: every criterion's verdict from its evidence, and from the verdicts the stages. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import msgspec

from netready.site import Site
from readiness.evidence import Attestation, Fact
from readiness.gather import Gathered
from readiness.judgement import Judgement, Outcome, Verdict
from readiness.roadmap import MACHINE, Criterion, EvidenceKind, Roadmap
from readiness.stages import stages, weakest
from readiness.weigh import Key, Weighed, index, weigh

_DEFINITE = frozenset({Outcome.MET, Outcome.NOT_MET})


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of evidence says about a criterion."""

    kind: EvidenceKind
    weighed: Weighed


def judge(
    roadmap: Roadmap,
    site: Site,
    gathered: Gathered,
    attestations: Iterable[Attestation],
    *,
    now: datetime,
    waived: Mapping[str, str] | None = None,
    not_applicable: Mapping[str, str] | None = None,
) -> Judgement:
    """The whole. `waived` and `not_applicable` give the reason for each criterion they name.

    Where both name a criterion, it is waived: a risk that somebody had to accept does apply.
    """
    facts = index(gathered.facts)
    today = now.astimezone(site.zone).date()
    answers = _answers(attestations)
    set_aside = {key: (Outcome.NOT_APPLICABLE, text) for key, text in (not_applicable or {}).items()}
    set_aside |= {key: (Outcome.WAIVED, text) for key, text in (waived or {}).items()}
    verdicts = tuple(
        _set_aside(_verdict(one, facts, answers.get(one.id, ()), today), set_aside.get(one.id)) for one in roadmap.criteria
    )
    found = stages(roadmap, verdicts)
    moments = [at for fact in gathered.facts for at in (fact.first_at, fact.last_at) if at is not None]
    return Judgement(
        site=site.name,
        students=site.students,
        staff=site.staff,
        judged_at=now,
        since=gathered.since,
        until=gathered.until,
        first_at=min(moments, default=None),
        last_at=max(moments, default=None),
        school_days=gathered.school_days,
        roadmap=roadmap.id,
        roadmap_version=roadmap.version,
        roadmap_digest=roadmap.digest,
        down=gathered.down,
        up=gathered.up,
        verdicts=verdicts,
        stages=found,
        weakest=weakest(roadmap, found),
        provisional=gathered.provisional,
        surveys=gathered.surveys,
        facts=gathered.facts,
    )


def _answers(attestations: Iterable[Attestation]) -> dict[str, tuple[Attestation, ...]]:
    found: dict[str, list[Attestation]] = {}
    for one in attestations:
        found.setdefault(one.criterion, []).append(one)
    return {key: tuple(sorted(ones, key=newest_last)) for key, ones in found.items()}


def newest_last(one: Attestation) -> tuple[date, bool, date, bytes]:
    """The order of answers to one question: the last one counts."""
    # Of two answers on one day the "no" counts: the safe side.
    return (one.on, not one.answer, one.until, msgspec.json.encode(one))


def _verdict(criterion: Criterion, facts: Mapping[Key, Fact], answers: tuple[Attestation, ...], today: date) -> Verdict:
    """A criterion's outcome by its kinds of evidence, the primary one first.

    Met is what the primary kind says is met and no other kind contradicts. So:
    - A machine kind that says "not met" makes it not met, whatever anybody attests: a shortfall that was measured is there.
    - A person who says "no" where the primary machine kind says "met" makes it unknown: the machine checks a stand-in for
      the statement and the person the statement itself, so neither can be believed until somebody looks.
    - Where the primary kind is silent, another kind's "no" is enough for not met, because no answer of the primary could
      make it met any more; another kind's "yes" is not enough for met.
    """
    answer = _current(answers, today)
    heard = tuple(_hear(kind, criterion, facts, answer, today) for kind in criterion.voices or criterion.evidence)
    decider = _decider(heard)
    outcome = decider.weighed.outcome
    said = {one.weighed.outcome for one in heard}
    contradicted = said >= _DEFINITE
    reason = f"{decider.kind}: {decider.weighed.reason}"
    missing = decider.weighed.missing
    sides: tuple[str, ...] = ()
    if contradicted:
        opposed = next(one for one in heard if one.weighed.outcome in _DEFINITE - {decider.weighed.outcome})
        sides = (reason, f"{opposed.kind}: {opposed.weighed.reason}")
        reason += f"; contradicted by what is {opposed.kind}: {opposed.weighed.reason}"
        if decider.kind is not EvidenceKind.ATTESTED and outcome is Outcome.MET:
            outcome = Outcome.UNKNOWN
            missing = f"somebody to find out which is right about {criterion.id}: what is {decider.kind} or what is attested"
    return Verdict(
        criterion=criterion.id,
        outcome=outcome,
        by_machine=_by_machine(heard, outcome),
        reason=reason,
        facts=tuple(one.weighed.fact for one in heard if one.weighed.fact is not None),
        attestation=answer if EvidenceKind.ATTESTED in criterion.evidence else None,
        contradicted=contradicted,
        sides=sides,
        provisional=decider.weighed.provisional,
        missing=missing,
    )


def _decider(heard: tuple[Heard, ...]) -> Heard:
    """The evidence whose word stands: a machine's "not met", else the primary's, else anybody's "no" to a silent primary."""
    primary = heard[0]
    denials = [one for one in heard if one.weighed.outcome is Outcome.NOT_MET]
    if primary in denials:
        return primary
    if machine := [one for one in denials if one.kind in MACHINE]:
        return machine[0]
    if primary.weighed.outcome is Outcome.UNKNOWN and denials:
        return denials[0]
    return primary


def _by_machine(heard: tuple[Heard, ...], outcome: Outcome) -> Outcome:
    """What machines alone show. They can always deny; they can affirm only where a machine kind is the primary one.

    What is denied by a person is not shown by a machine either, so this is never better than the outcome.
    """
    if any(one.kind in MACHINE and one.weighed.outcome is Outcome.NOT_MET for one in heard):
        return Outcome.NOT_MET
    return Outcome.MET if heard[0].kind in MACHINE and outcome is Outcome.MET else Outcome.UNKNOWN


def _hear(
    kind: EvidenceKind, criterion: Criterion, facts: Mapping[Key, Fact], answer: Attestation | None, today: date
) -> Heard:
    if kind is EvidenceKind.ATTESTED:
        return Heard(kind=kind, weighed=_attested(criterion, answer, today))
    bound = next((one for one in criterion.bounds if one.evidence is kind), None)
    if bound is None:
        reason = "netready cannot check this yet"
        return Heard(kind=kind, weighed=Weighed(outcome=Outcome.UNKNOWN, reason=reason, missing=criterion.wanted))
    return Heard(kind=kind, weighed=weigh(bound, facts))


def _current(answers: tuple[Attestation, ...], today: date) -> Attestation | None:
    """The newest answer given so far: it replaces older ones for good, also once it has expired."""
    given = [one for one in answers if one.on <= today]
    return given[-1] if given else (answers[0] if answers else None)


def _attested(criterion: Criterion, answer: Attestation | None, today: date) -> Weighed:
    ask = f"an answer to {criterion.id} by somebody who can vouch for it"
    if answer is None:
        return Weighed(outcome=Outcome.UNKNOWN, reason="nobody has vouched for it yet", missing=ask)
    who = f"{answer.name} ({answer.role})"
    if answer.on > today:
        return Weighed(outcome=Outcome.UNKNOWN, reason=f"the word of {who} counts from {answer.on}", missing=ask)
    if answer.until < today:
        return Weighed(outcome=Outcome.UNKNOWN, reason=f"the word of {who} counted until {answer.until}", missing=ask)
    said = "yes" if answer.answer else "no"
    outcome = Outcome.MET if answer.answer else Outcome.NOT_MET
    return Weighed(outcome=outcome, reason=f"{who} said {said} on {answer.on}, until {answer.until}")


def _set_aside(verdict: Verdict, aside: tuple[Outcome, str] | None) -> Verdict:
    if aside is None:
        return verdict
    outcome, text = aside
    reason = f"{outcome}: {text}"
    return msgspec.structs.replace(verdict, outcome=outcome, by_machine=outcome, reason=reason, provisional=False, missing="")
