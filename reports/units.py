"""Units for a report: netready's own, and how a fact or a rate of the judgement reads."""

from netready.units import PER_1000, TO, UNKNOWN, Side, amount, count, digits, mbps, megabits_between, per_1000, seconds, size
from readiness.evidence import Fact
from readiness.judgement import Quantity

__all__ = [
    "PER_1000", "TO", "UNKNOWN", "Side", "amount", "count", "digits", "fact",
    "mbps", "megabits_between", "per_1000", "qualified", "rate", "seconds", "size",
]  # fmt: skip


def fact(found: Fact) -> str:
    """A fact's value as people read it, or that it is not known."""
    if found.value is None:
        return UNKNOWN
    return amount(found.metric, found.value, at_least=found.at_least, at_most=found.at_most, interval=found.interval)


def rate(quantity: Quantity, unit: str = "Mbps") -> str:
    """A rate in bit/s as people read it, with "at least" and its interval; or that it is not known."""
    if quantity.value is None:
        return UNKNOWN
    return f"{mbps(quantity.value, Side.DOWN if quantity.at_least else Side.NEAREST)} {unit}{qualified(quantity)}"


def qualified(quantity: Quantity) -> str:
    """What must stand beside a rate's number: ", at least", its interval, both or nothing."""
    text = ", at least" if quantity.at_least else ""
    return text if quantity.interval is None else f"{text} ({megabits_between(quantity.interval)})"
