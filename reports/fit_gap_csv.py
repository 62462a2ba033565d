"""Fit and gap as CSV, one line for each item and goal, in the form and with the caution of the table of criteria.

Numbers are in the item's base unit (bit/s, or so many) and the school's currency, neither rounded nor grouped.
"""

import csv
import io

from netready.text import safe_cell
from readiness.gaps import Amount, Gap, Item
from readiness.pricing import Cost
from reports import fit_gap_words
from reports.as_csv import BYTE_ORDER_MARK, Cell
from reports.report import Report

COLUMNS = (
    *("area", "item", "unit", "current", "current is", "current: how known"),
    *("criterion", "wanted for", "goals", "wanted", "wanted is", "wanted: how"),
    *("missing", "missing is", "missing: how known"),
    *("cost", "currency", "paid", "cost is", "cost: how"),
)
EXACT = "exact"


def render(report: Report) -> str:
    """The table as text, byte order mark first; an item for which nobody asks has one line, with its note."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, dialect="excel")
    writer.writerow(COLUMNS)
    for item in report.outlook.fit_gap:
        for row in [_row(item, gap) for gap in item.gaps] or [_nobody(item)]:
            writer.writerow([safe_cell(cell) for cell in row])
    return BYTE_ORDER_MARK + out.getvalue()


def _row(item: Item, gap: Gap) -> list[Cell]:
    row = [*_item(item), "; ".join(gap.titles), " ".join(gap.goals), *_known(gap.wanted), *_known(gap.gap)]
    return [*row, *([""] * 5 if gap.cost is None else _cost(gap.cost))]


def _nobody(item: Item) -> list[Cell]:
    head = [*_item(item), item.note]
    return [*head, *([""] * (len(COLUMNS) - len(head)))]


def _item(item: Item) -> list[Cell]:
    return [item.area, item.title, item.unit.value, *_known(item.current), item.criterion]


def _known(found: Amount) -> list[Cell]:
    """A number, what it is (at least, at most, about, exact), and how it is known; both empty where it is not."""
    if found.value is None:
        return ["", "", found.how]
    return [found.value, _is(found), found.how]


def _cost(found: Cost) -> list[Cell]:
    if found.amount is None:
        return ["", "", "", "", found.how]
    return [found.amount, found.currency, fit_gap_words.PERS[found.per], _is(found), found.how]


def _is(found: Amount | Cost) -> str:
    return fit_gap_words.qualifier(found).strip() or EXACT
