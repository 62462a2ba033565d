"""What next: for each dimension the criteria that stand between its stage and the next one, easiest first. Pure.

The order is a rule and not a taste: what only wants an answer, then evidence that disagrees, then a measurement that is
missing, then work, then a purchase, and last what netready cannot check yet. Among equals the smallest gap comes first: the
share of what is asked that is missing; an answer that ran out before one that nobody ever gave; else the roadmap's order.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from netready.device import Kind
from netready.site import Role
from readiness.demand import DAILY
from readiness.evidence import Fact
from readiness.judgement import Judgement, Outcome, Verdict
from readiness.policy import Level, Policy, Rule
from readiness.roadmap import Bound, Criterion, Dimension, EvidenceKind, Roadmap, Who


class Effort(StrEnum):
    """What a step takes, the least first."""

    ANSWER = "answer"  # somebody who can vouch for it says so
    CHECK = "check"  # the evidence disagrees; somebody looks
    MEASURE = "measure"
    WORK = "work"
    BUY = "buy"
    WAIT = "wait"  # netready cannot check it yet, and nobody's word counts


_ORDER = tuple(Effort)

# What is short of these is bought or ordered, as a rule; what is short of any other metric is repaired.
_BOUGHT = frozenset(
    {"internet_down_per_1000", "internet_up_per_1000", "contracted_down_per_1000", "contracted_up_per_1000"}
    | {"devices", "student_devices_per_classroom", "students_per_device", "labs_and_carts"}
    | {"access_points_per_classroom", "clients_per_access_point", "devices_in_support", "circuits_working"}
)
_RUN = frozenset({"test_days", "audit_age", "inventory_age"})  # what is short of these is mended by letting netready run


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion that stands between a dimension's stage and the next.

    gap      the share of what is asked that is missing, 0 to 1 or more; only orders steps of the same effort
    do       what to do; `settles` is the evidence that closes it, in words
    reason   why it is not met today, as the judgement says
    waves    titles of the rollout waves that are shut by it
    """

    criterion: str
    what: str
    outcome: Outcome
    effort: Effort
    gap: float
    do: str
    settles: str
    who: Who
    reason: str
    waves: tuple[str, ...] = ()


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension: the stage it has reached with everybody's word, the next one (None at the top), and how to get there."""

    dimension: str
    stage: int
    next: int | None
    steps: tuple[NextStep, ...]


def next_steps(roadmap: Roadmap, judgement: Judgement, policy: Policy | None = None) -> tuple[Advance, ...]:
    """Every dimension's steps, in the roadmap's order. Without a policy no step is said to open a wave."""
    criteria = {one.id: one for one in roadmap.criteria}
    order = {one.id: index for index, one in enumerate(roadmap.criteria)}
    dimensions = {one.id: one for one in roadmap.dimensions}
    verdicts = {one.criterion: one for one in judgement.verdicts}
    found = []
    for stage in judgement.stages:
        missing = [criteria[name] for name in stage.missing]
        steps = [_step(one, dimensions[stage.dimension], verdicts, policy) for one in missing]
        found.append(
            Advance(
                dimension=stage.dimension,
                stage=stage.with_attestations,
                next=missing[0].stage if missing else None,  # they are all of one stage
                steps=tuple(sorted(steps, key=lambda step: (_ORDER.index(step.effort), step.gap, order[step.criterion]))),
            )
        )
    return tuple(found)


def _step(criterion: Criterion, dimension: Dimension, verdicts: Mapping[str, Verdict], policy: Policy | None) -> NextStep:
    verdict = verdicts[criterion.id]
    effort = _effort(criterion, verdict)
    return NextStep(
        criterion=criterion.id,
        what=criterion.what,
        outcome=verdict.outcome,
        effort=effort,
        gap=_gap(criterion, verdict, effort),
        do=_do(criterion, verdict, effort),
        settles=_settles(criterion, verdict, effort),
        who=_who(criterion, dimension, effort),
        reason=verdict.reason,
        waves=tuple(
            wave.title
            for wave in (policy.waves if policy else ())
            if any(rule.level is not Level.ADVISORY and _asks(rule, criterion) for rule in wave.rules)
        ),
    )


def _effort(criterion: Criterion, verdict: Verdict) -> Effort:
    if verdict.outcome is Outcome.UNKNOWN:
        if verdict.contradicted:
            return Effort.CHECK
        if not criterion.voices:
            return Effort.WAIT
        return Effort.ANSWER if criterion.voices[0] is EvidenceKind.ATTESTED else Effort.MEASURE
    metrics = {bound.metric for bound in criterion.bounds}
    # A "no" that only a person gave is work, whatever a machine could count beside it.
    if not metrics or verdict.by_machine not in {Outcome.NOT_MET, Outcome.WAIVED}:
        return Effort.WORK
    if metrics & _BOUGHT:
        return Effort.BUY
    return Effort.MEASURE if metrics.issubset(_RUN) else Effort.WORK


def _gap(criterion: Criterion, verdict: Verdict, effort: Effort) -> float:
    if effort is Effort.ANSWER:
        return 1.0 if verdict.attestation is None else 0.5
    shares = []
    for fact in verdict.facts:
        bound = next((one for one in criterion.bounds if (one.metric, one.role, one.kind) == _key(fact)), None)
        if bound is not None and fact.value is not None:
            shares.append(_share(bound, fact.value) or _days_left(bound, fact.days))
    return max(shares, default=1.0)


def _key(fact: Fact) -> tuple[str, Role | None, Kind | None]:
    return fact.metric, fact.role, fact.device


def _share(bound: Bound, value: float) -> float:
    """How far the value is from the bound, as a share of the bound; 0 when it holds."""
    ends = ((bound.at_least, 1), (bound.at_most, -1))
    return max(0.0, *(side * (limit - value) / (abs(limit) or 1.0) for limit, side in ends if limit is not None))


def _days_left(bound: Bound, days: int) -> float:
    """The share of the school days that are still to come, for what is sampled daily."""
    return max(0.0, 1 - days / bound.min_days) if bound.metric in DAILY else 0.0


def _do(criterion: Criterion, verdict: Verdict, effort: Effort) -> str:
    match effort:
        case Effort.ANSWER:
            return f"Answer {criterion.id}: {criterion.what}"
        case Effort.CHECK:
            return f"Find out which is right about {criterion.id}, the machine or the person: {criterion.what}"
        case Effort.MEASURE if verdict.missing and any(bound.metric in _BOUGHT for bound in criterion.bounds):
            return f"Measure {criterion.id} before anything is bought: {verdict.missing}"
        case _:
            return criterion.remedy


def _settles(criterion: Criterion, verdict: Verdict, effort: Effort) -> str:
    match effort:
        case Effort.MEASURE:
            return verdict.missing or criterion.wanted
        case Effort.WAIT:
            return "netready cannot check this yet, and the roadmap takes nobody's word for it"
        case _:
            return criterion.wanted


def _who(criterion: Criterion, dimension: Dimension, effort: Effort) -> Who:
    """Whoever runs the machine measures; else the roadmap says, for the criterion, its scope, or its dimension."""
    if effort is Effort.MEASURE:
        return Who.IT
    if criterion.who is not None:
        return criterion.who
    return Who.DISTRICT if criterion.scope == "lea" else dimension.who


def _asks(rule: Rule, criterion: Criterion) -> bool:
    """Whether a rule of the gate rests on this criterion: by its id, by its dimension's stage, or by the same number."""
    if rule.criterion is not None:
        return rule.criterion == criterion.id
    if rule.dimension is not None:
        return rule.dimension == criterion.dimension and criterion.stage <= (rule.stage or 1)
    return any((one.metric, one.role, one.kind) == (rule.metric, rule.role, rule.kind) for one in criterion.bounds)
