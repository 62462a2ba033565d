"""What comes after the summary on a terminal: every dimension's steps, the gaps with their costs, the chosen standards."""

import textwrap

from netready.text import clean
from readiness.gaps import Item
from readiness.next_steps import Advance, NextStep
from reports import fit_gap_words, lines, wording
from reports.report import Outlook, Report

_TEXT = 800  # characters of one sentence
FEW = 3  # steps of one dimension; the page and the JSON have them all


def render(report: Report, width: int = lines.WIDTH) -> str:
    """All of it, at most `width` columns wide."""
    outlook = report.outlook
    parts = [_steps(report, width), _gaps(outlook, width), _bills(outlook, width), _standards(outlook)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _steps(report: Report, width: int) -> list[str]:
    titles = {each.id: each.title for each in report.roadmap.dimensions}
    found = _wrap("What comes next, by dimension, easiest first", width)
    found += _wrap("(to answer one: netready attest answer ID)", width)
    for advance in report.outlook.next_steps:
        found += ["", *_wrap(f"{titles[advance.dimension]}: {_way(report, advance)}", width)]
        for number, step in enumerate(advance.steps[:FEW], start=1):
            found += _step(number, step, width)
        if left := len(advance.steps) - FEW:
            found += [f"     and {left} more"] if left > 0 else []
    return found


def _way(report: Report, advance: Advance) -> str:
    here = report.roadmap.stage_name(advance.stage)
    return f"at {here}, the last stage" if advance.next is None else f"at {here}; for {report.roadmap.stage_name(advance.next)}"


def _step(number: int, step: NextStep, width: int) -> list[str]:
    about = f"{wording.EFFORTS[step.effort]} by {wording.WHO[step.who]}"
    if step.criterion not in step.do:
        about = f"{step.criterion}, {about}"
    if step.waves:
        about += f"; asked for by wave {', '.join(f'“{wave}”' for wave in step.waves)}"
    return [
        *_wrap(wording.sentence(step.do), width, f"  {number}  "),
        *_wrap(f"{about}; settled by: {wording.sentence(step.settles)}", width, "     "),
    ]


def _gaps(outlook: Outlook, width: int) -> list[str]:
    found = _wrap("Fit and gap: what there is, what is wanted, what is missing", width) if outlook.fit_gap else []
    for item in outlook.fit_gap:
        found += ["", *_item(item, width)]
    return found


def _item(item: Item, width: int) -> list[str]:
    now = f"{fit_gap_words.amount(item.current, item.unit)} ({item.current.how})"
    found = _wrap(f"{item.area} · {item.title}: {now}", width)
    for row in fit_gap_words.rows(item):
        cost = f"; {row.cost} ({row.cost_how})" if row.cost else ""
        found += _wrap(f"{row.missing}, {row.title}: {row.wanted} ({row.wanted_how}){cost}", width, "  - ")
        found += _wrap(wording.sentence(row.how), width, "    ")
    return found + _wrap(item.note, width, "    ")


def _bills(outlook: Outlook, width: int) -> list[str]:
    found = ["What each goal would cost"] if outlook.bills else []
    for bill in outlook.bills:
        costs = ", ".join(fit_gap_words.cost(cost) for cost in bill.costs) or "no price is known"
        found += _wrap(f"{wording.capital(bill.title)}: {costs}", width, "  ")
        for left in bill.left:
            found += _wrap(f"not in it: {left}", width, "    ")
    return found


def _standards(outlook: Outlook) -> list[str]:
    return ["The chosen standards", *lines.comparisons(outlook.standards)] if outlook.standards else []


def _wrap(text: str, width: int, label: str = "") -> list[str]:
    return textwrap.wrap(clean(text, limit=_TEXT), width, initial_indent=label, subsequent_indent=" " * len(label))
