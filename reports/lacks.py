"""What is missing, and where the evidence disagrees: in the words of the first page and the terminal, from the outlook."""

import msgspec

from netready.metric import Unit
from readiness.gaps import PLAN, STAGE, WAVE, Item
from readiness.judgement import Outcome, Verdict
from readiness.roadmap import EvidenceKind
from reports import fit_gap_words, wording
from reports.report import Report


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing of one thing, or of the line in both directions, in words: for the first page."""

    title: str
    missing: tuple[str, ...]


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence that disagrees: what the criterion says, what each side says, and what counts."""

    criterion: str
    what: str
    sides: tuple[str, ...]
    counts: str


def rates(report: Report) -> tuple[Lack, ...]:
    """What the line still wants for the roadmap's two rates and for the standard that the school chose, in both directions."""
    lines = [item for item in report.outlook.fit_gap if item.id.startswith("internet_")]
    found: dict[str, Lack] = {}
    for item in lines:
        for gap in item.gaps:
            if gap.goals[0].startswith(("threshold:", "standard:")):
                missing = tuple(_lacking(other, gap.goals[0]) for other in lines)
                found[gap.goals[0]] = Lack(title=gap.titles[0], missing=missing)
    return tuple(found.values())


def _lacking(item: Item, goal: str) -> str:
    gap = next((each for each in item.gaps if each.goals[0] == goal), None)
    if gap is None:
        return "not asked"
    return fit_gap_words.NOT_FOR_THIS if gap.wanted.value is None else fit_gap_words.missing(gap.gap, item.unit)


def things(report: Report) -> tuple[Lack, ...]:
    """What is missing of all that is counted, for the wave that the page is about, else for the next stage."""
    found = []
    goals = {f"{WAVE}:{report.wave}": "", STAGE: " (next stage)", PLAN: " (own plan)"}
    for item in report.outlook.fit_gap:
        asked = [(said, gap) for goal, said in goals.items() for gap in item.gaps if goal in gap.goals]
        if item.unit is Unit.COUNT and asked:
            said, gap = asked[0]
            found.append(Lack(title=f"{item.title}{said}", missing=(fit_gap_words.missing(gap.gap, item.unit),)))
    return tuple(found)


def disputes(report: Report) -> tuple[Dispute, ...]:
    """Where a machine and a person, or two machines, say different things: both sides, and what counts."""
    texts = {criterion.id: criterion.what for criterion in report.roadmap.criteria}
    return tuple(
        Dispute(
            criterion=verdict.criterion,
            what=texts[verdict.criterion],
            sides=tuple(wording.sentence(side) for side in verdict.sides),
            counts=_counts(verdict),
        )
        for verdict in report.judgement.verdicts
        if verdict.contradicted
    )


def _counts(verdict: Verdict) -> str:
    decided = verdict.sides[0].partition(":")[0]
    match verdict.outcome:
        case Outcome.NOT_MET if decided == EvidenceKind.ATTESTED:
            return "The person's “no” counts: not met."
        case Outcome.NOT_MET:
            return f"What is {decided} counts: not met."
        case Outcome.UNKNOWN:
            return "Neither counts until somebody has found out which is right: not known."
        case _:
            return f"Set aside: {wording.OUTCOMES[verdict.outcome]}."
