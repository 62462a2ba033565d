"""Fit and gap in words: amounts, costs and rows as every format says them. Nothing is computed, only rounded and named."""

import msgspec

from netready.metric import Unit
from readiness.gaps import Amount, Gap, Item
from readiness.pricing import Cost, Per, money
from reports import units, wording

NOT_FOR_THIS = "does not apply"
PERS = {Per.ONCE: "once", Per.MONTH: "a month", Per.YEAR: "a year"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One goal of one item, ready to be printed; `how` says how the missing number is known, or why it is not."""

    title: str
    wanted: str
    wanted_how: str
    missing: str
    how: str
    cost: str
    cost_how: str


def rows(item: Item) -> list[Row]:
    """The item's goals, in their order."""
    return [_row(item, gap) for gap in item.gaps]


def _row(item: Item, gap: Gap) -> Row:
    applies = gap.wanted.value is not None
    return Row(
        title=wording.capital("; ".join(gap.titles)),
        wanted=amount(gap.wanted, item.unit) if applies else NOT_FOR_THIS,
        wanted_how=gap.wanted.how,
        missing=missing(gap.gap, item.unit) if applies else NOT_FOR_THIS,
        how=gap.gap.how,
        cost="" if gap.cost is None else cost(gap.cost),
        cost_how="" if gap.cost is None else gap.cost.how,
    )


def amount(found: Amount, unit: Unit) -> str:
    """A number with its unit, "at least" or "at most", and its interval; or that it is not known."""
    if found.value is None:
        return units.UNKNOWN
    text = f"{qualifier(found)}{_number(found, unit)}"
    if found.interval is None or unit is not Unit.BITS_PER_SECOND:
        return text
    return f"{text} ({units.megabits_between(found.interval)})"


def missing(found: Amount, unit: Unit) -> str:
    """A gap: "+1,056 Mbps", "at most +35", "nothing", or that it is not known."""
    if found.value is None:
        return units.UNKNOWN
    if not found.value:
        return "nothing"
    # A shortfall is rounded up, whatever else it is: rounded down, it would be bought too small.
    number = f"{units.mbps(found.value, units.Side.UP)} Mbps" if unit is Unit.BITS_PER_SECOND else f"{found.value:,.0f}"
    return f"{qualifier(found)}+{number}"


def cost(found: Cost) -> str:
    """A cost: "at most 12,250 USD once", or that there is no price for it."""
    if found.amount is None:
        return "not priced"
    if not found.amount:
        return "nothing"
    return f"{qualifier(found)}{money(found.amount, found.currency)} {PERS[found.per]}"


def _number(found: Amount, unit: Unit) -> str:
    value = found.value or 0.0
    if unit is not Unit.BITS_PER_SECOND:
        return f"{value:,.0f}"
    side = units.Side.DOWN if found.at_least else units.Side.UP if found.at_most else units.Side.NEAREST
    return f"{units.mbps(value, side)} Mbps"


def qualifier(found: Amount | Cost) -> str:
    """What must stand before a number, with a space; empty where it is exact."""
    return "about " if found.about else "at least " if found.at_least else "at most " if found.at_most else ""
