"""The criteria as CSV, one line for each criterion and number behind it, safe to open in a spreadsheet.

RFC 4180 line ends and quoting; UTF-8 with a byte order mark, without which spreadsheets read names in the wrong alphabet.
Numbers stay in the metric's base unit, which stands beside them, and are never quoted or grouped.
"""

import csv
import io

from netready.metric import metric
from netready.text import safe_cell
from readiness.evidence import Fact
from readiness.judgement import Verdict
from readiness.roadmap import Criterion
from reports import wording
from reports.report import Report

COLUMNS = (
    "id",
    "dimension",
    "stage",
    "outcome",
    "by machine",
    "reason",
    "contradicted by",
    "metric",
    "value",
    "unit",
    "at least",
    "at most",
    "low",
    "high",
    "samples",
    "days",
    "method",
    "last_at",
)

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"

Cell = str | int | float


def render(report: Report) -> str:
    """The table as text, byte order mark first."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, dialect="excel")
    writer.writerow(COLUMNS)
    verdicts = {verdict.criterion: verdict for verdict in report.judgement.verdicts}
    for criterion in report.roadmap.criteria:
        for row in _rows(report, criterion, verdicts[criterion.id]):
            writer.writerow([safe_cell(cell) for cell in row])
    return BYTE_ORDER_MARK + out.getvalue()


def _rows(report: Report, criterion: Criterion, verdict: Verdict) -> list[tuple[Cell, ...]]:
    head: tuple[Cell, ...] = (
        criterion.id,
        criterion.dimension,
        report.roadmap.stage_name(criterion.stage),
        wording.OUTCOMES[verdict.outcome],
        wording.OUTCOMES[verdict.by_machine],
        verdict.reason,
        "".join(verdict.sides[1:]),
    )
    nothing: tuple[Cell, ...] = ("",) * (len(COLUMNS) - len(head))
    return [(*head, *_number(fact)) for fact in verdict.facts] or [(*head, *nothing)]


def _number(fact: Fact) -> tuple[Cell, ...]:
    low, high = fact.interval if fact.interval is not None else ("", "")
    return (
        fact.metric,
        "" if fact.value is None else fact.value,
        metric(fact.metric).unit.value,
        "" if fact.value is None else _yes(fact.at_least),
        "" if fact.value is None else _yes(fact.at_most),
        low,
        high,
        fact.samples,
        fact.days,
        " ".join(fact.methods),
        "" if fact.last_at is None else fact.last_at.isoformat(),
    )


def _yes(so: bool) -> str:  # noqa: FBT001 - a word for a truth value
    return "yes" if so else "no"
