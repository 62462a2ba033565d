"""Where the school stands in each dimension: the row of marks on the first page, and which row to begin with."""

from enum import StrEnum

import msgspec

from readiness.judgement import Outcome, StageVerdict, Verdict
from readiness.roadmap import Criterion, Dimension, Roadmap
from reports.report import Report


class Mark(StrEnum):
    """How a stage is reached in one dimension."""

    START = "start"  # Entry: where every school begins, nothing to prove
    MEASURED = "measured"
    ATTESTED = "attested"
    UNKNOWN = "unknown"
    NOT_MET = "not-met"


REACHED = frozenset({Mark.MEASURED, Mark.ATTESTED})

MARK_WORDS = {
    Mark.START: "starting point",
    Mark.MEASURED: "reached, by measurement",
    Mark.ATTESTED: "reached, with somebody's word",
    Mark.UNKNOWN: "not known",
    Mark.NOT_MET: "not reached",
}


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension's row: a mark for each stage, and the same in words.

    stage   the stage with everybody's word; alone: the stage by machine alone, or that none has looked or can know anything
    sign    why the page points at this row; empty at all others
    """

    dimension: Dimension
    verdict: StageVerdict
    marks: tuple[Mark, ...]
    stage: str
    alone: str
    sign: str


def stage_rows(report: Report) -> tuple[StageRow, ...]:
    """A row for each dimension: those the gate looks at first, then in the roadmap's order."""
    verdicts = {verdict.criterion: verdict for verdict in report.judgement.verdicts}
    stages = {stage.dimension: stage for stage in report.judgement.stages}
    lowest = _lowest(report)
    sign = "" if _at_the_top(report) else "weakest" if len(lowest) == 1 else "start here"
    rows = [
        _row(report, dimension, stages[dimension.id], verdicts, sign if dimension.id == report.judgement.weakest else "")
        for dimension in sorted(report.roadmap.dimensions, key=lambda dimension: not dimension.gates)
    ]
    return tuple(rows)


def _lowest(report: Report) -> tuple[StageVerdict, ...]:
    """The dimensions at the lowest stage there is."""
    stages = report.judgement.stages
    return tuple(one for one in stages if one.with_attestations == min(each.with_attestations for each in stages))


def _at_the_top(report: Report) -> bool:
    return _lowest(report)[0].with_attestations == max(each.number for each in report.roadmap.stages)


def weakest(report: Report) -> str:
    """The weakest dimension and its stage. Where others are no better it is only the one to begin with, which is said."""
    lowest, every = _lowest(report), len(report.judgement.stages)
    stage = report.roadmap.stage_name(lowest[0].with_attestations)
    first = next(each.title for each in report.roadmap.dimensions if each.id == report.judgement.weakest)
    if len(lowest) == every:
        return f"All {every} dimensions at {stage}" + ("" if _at_the_top(report) else f"; start with {first}")
    others = f" and {len(lowest) - 1} more" if len(lowest) > 1 else ""
    return f"Weakest: {first}{others}, at {stage}"


def _row(report: Report, dimension: Dimension, stage: StageVerdict, verdicts: dict[str, Verdict], sign: str) -> StageRow:
    required = [each for each in report.roadmap.criteria if each.dimension == dimension.id and each.required]
    name = report.roadmap.stage_name
    return StageRow(
        dimension=dimension,
        verdict=stage,
        marks=tuple(_marks(report, stage, required, verdicts)),
        stage=name(stage.with_attestations),
        alone=_alone(report.roadmap, stage),
        sign=sign,
    )


def _alone(roadmap: Roadmap, stage: StageVerdict) -> str:
    if stage.by_machine is None:
        return "attested only"
    if stage.machine_met + stage.machine_not_met == 0:
        return "not known"  # the floor is where it stands, but no machine has looked
    return roadmap.stage_name(stage.by_machine)


def _marks(report: Report, stage: StageVerdict, required: list[Criterion], verdicts: dict[str, Verdict]) -> list[Mark]:
    first = min(each.number for each in report.roadmap.stages)
    marks: list[Mark] = []
    for number in sorted(each.number for each in report.roadmap.stages):
        outcomes = [verdicts[each.id].outcome for each in required if each.stage == number]
        if number == first:
            marks.append(Mark.START)
        elif stage.by_machine is not None and number <= stage.by_machine:
            marks.append(Mark.MEASURED)
        elif number <= stage.with_attestations:
            marks.append(Mark.ATTESTED)
        elif Mark.NOT_MET in marks or Outcome.NOT_MET in outcomes:
            marks.append(Mark.NOT_MET)  # and so are all above it: a stage includes those below
        else:
            marks.append(Mark.UNKNOWN)
    return marks
