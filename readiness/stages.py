"""Stages: how far a dimension has come, twice, and which dimension holds the school back."""

from collections.abc import Mapping, Sequence

from readiness.judgement import Outcome, StageVerdict, Verdict
from readiness.roadmap import MACHINE, Criterion, Dimension, Roadmap

ENTRY, TOP = 1, 4


def demanded(roadmap: Roadmap, dimension: str) -> tuple[Criterion, ...]:
    """The criteria that decide a dimension's stage: required, above Entry, and no deficits."""
    return tuple(
        criterion
        for criterion in roadmap.criteria
        if criterion.dimension == dimension and criterion.required and not criterion.deficit and criterion.stage > ENTRY
    )


def stage(criteria: Sequence[Criterion], outcomes: Mapping[str, Outcome]) -> int:
    """The highest stage such that every demanded criterion up to it is met; Entry when there is none.

    A criterion that does not apply is passed over. A stage for which nothing is demanded is not reached by that alone:
    one passes through it to a higher stage that demands something and gets it.
    """
    reached = ENTRY
    for number in range(ENTRY + 1, TOP + 1):
        found = [outcomes[one.id] for one in criteria if one.stage == number]
        found = [outcome for outcome in found if outcome is not Outcome.NOT_APPLICABLE]
        if any(outcome is not Outcome.MET for outcome in found):
            break
        if found:
            reached = number
    return reached


def stages(roadmap: Roadmap, verdicts: Sequence[Verdict]) -> tuple[StageVerdict, ...]:
    """Every dimension's stage, in the roadmap's order."""
    by_id = {verdict.criterion: verdict for verdict in verdicts}
    return tuple(_dimension(roadmap, dimension, by_id) for dimension in roadmap.dimensions)


def _dimension(roadmap: Roadmap, dimension: Dimension, verdicts: Mapping[str, Verdict]) -> StageVerdict:
    criteria = demanded(roadmap, dimension.id)
    outcomes = {one.id: verdicts[one.id].outcome for one in criteria}
    machine = {one.id: verdicts[one.id].by_machine for one in criteria}
    reached = stage(criteria, outcomes)
    unmet = [one for one in criteria if outcomes[one.id] not in {Outcome.MET, Outcome.NOT_APPLICABLE}]
    following = min((one.stage for one in unmet), default=TOP)
    checkable = [one for one in criteria if MACHINE & set(one.evidence) and outcomes[one.id] is not Outcome.NOT_APPLICABLE]
    counted = list(outcomes.values())
    return StageVerdict(
        dimension=dimension.id,
        with_attestations=reached,
        by_machine=stage(criteria, machine) if _machine_decides(criteria) else None,
        met=counted.count(Outcome.MET),
        # A waived criterion is not met: somebody accepted the risk, and it is still there.
        not_met=counted.count(Outcome.NOT_MET) + counted.count(Outcome.WAIVED),
        unknown=counted.count(Outcome.UNKNOWN),
        checkable=len(checkable),
        machine_met=sum(machine[one.id] is Outcome.MET for one in checkable),
        machine_not_met=sum(machine[one.id] is Outcome.NOT_MET for one in checkable),
        missing=tuple(one.id for one in unmet if one.stage <= following),
    )


def _machine_decides(criteria: Sequence[Criterion]) -> bool:
    """Whether a machine decides anything here; where only persons do, "Entry by machine" would say nothing."""
    return any(one.voices and one.voices[0] in MACHINE for one in criteria)


def weakest(roadmap: Roadmap, found: Sequence[StageVerdict]) -> str:
    """The dimension to look at first: the lowest stage, those that gate before others, then the least shown by machine."""
    gates = {dimension.id: dimension.gates for dimension in roadmap.dimensions}
    order = {dimension.id: index for index, dimension in enumerate(roadmap.dimensions)}

    def rank(one: StageVerdict) -> tuple[int, bool, int, int]:
        # What no machine can know is not the weakest for that.
        machine = TOP + 1 if one.by_machine is None else one.by_machine
        return (one.with_attestations, not gates[one.dimension], machine, order[one.dimension])

    return min(found, key=rank).dimension
