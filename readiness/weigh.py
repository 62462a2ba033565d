"""Weighing: one number against one bound. The answer is met, not met or unknown, always with the reason."""

from collections.abc import Iterable, Mapping

import msgspec

from netready.device import Kind
from netready.metric import Unit, metric
from netready.site import Role
from netready.units import Side, apart, plain
from readiness.demand import COMPARISONS, DAILY, RULES
from readiness.evidence import Fact, Grade
from readiness.judgement import Outcome
from readiness.roadmap import Bound
from readiness.sample import DECISION_DAYS
from readiness.wording import NO_LINE, about, limits, platform, plural

Key = tuple[str, Role | None, Kind | None]
_RANGED = "devices_in_support"  # its interval is no 95 % interval: it is what the devices without a date leave open


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a bound.

    provisional  the number was seen on too few school days for an answer that lasts
    missing      what would settle an unknown outcome, or make a provisional one last
    """

    outcome: Outcome
    reason: str
    provisional: bool = False
    missing: str = ""
    fact: Fact | None = None


def index(facts: Iterable[Fact]) -> dict[Key, Fact]:
    """The facts by what a bound asks for."""
    return {(fact.metric, fact.role, fact.device): fact for fact in facts}


def weigh(bound: Bound, facts: Mapping[Key, Fact]) -> Weighed:
    """`bound` against the fact it asks for.

    Unknown: there is no fact or no value; the value's 95 % interval straddles the bound; the value holds, but on fewer
    school days than the bound wants; the value misses, but something other than the line kept it down, or it is a count
    that can only be too low (see `_proves`); the test met no line at all.
    """
    fact = facts.get((bound.metric, bound.role, bound.kind))
    if fact is None:
        return _absent(bound)
    fact = msgspec.structs.replace(fact, kind=bound.evidence)
    if fact.value is None:
        return Weighed(
            outcome=Outcome.UNKNOWN,
            reason=f"not known: {fact.note}",
            missing=f"a value for {_what(bound)}: {fact.note}",
            fact=fact,
        )
    if NO_LINE in fact.limited_by:
        reason = "the test ran inside this machine and met no line"
        return Weighed(
            outcome=Outcome.UNKNOWN, reason=reason, missing="a test against a server outside this machine", fact=fact
        )
    if limit := _straddled(bound, fact, fact.value):
        return limit
    if _holds(bound, fact.value):
        return _holding(bound, fact, fact.value)
    return _missed(bound, fact, fact.value)


def lasting(fact: Fact) -> bool:
    """Whether a decision that lasts may rest on it: ten school days for what is sampled daily."""
    if fact.metric in DAILY:
        return fact.days >= DECISION_DAYS
    return fact.grade is Grade.CONCLUSIVE


def days_wanted(fact: Fact, days: int = DECISION_DAYS) -> str:
    """What is missing until a daily number lasts."""
    what = "of tests" if fact.metric in DAILY else "of readings"
    if fact.role is not None:
        what = f"of checks of {platform(fact.role)}"
    return f"{plural(max(days - fact.days, 1), 'more school day')} {what}"


def _what(bound: Bound) -> str:
    return about(bound.metric, bound.role or bound.kind or "")


def _absent(bound: Bound) -> Weighed:
    if bound.role is not None:
        name = platform(bound.role)
        reason = f"{name} is not listed in the site's configuration (an endpoint with role {bound.role})"
        return Weighed(
            outcome=Outcome.UNKNOWN, reason=reason, missing=f"an endpoint with role {bound.role} in the configuration: {name}"
        )
    reason = f"nothing is known about {_what(bound)}"
    return Weighed(outcome=Outcome.UNKNOWN, reason=reason, missing=f"a reading of {_what(bound)}")


def _holds(bound: Bound, value: float) -> bool:
    return (bound.at_least is None or value >= bound.at_least) and (bound.at_most is None or value <= bound.at_most)


def _straddled(bound: Bound, fact: Fact, value: float) -> Weighed | None:
    if fact.interval is None:
        return None
    low, high = min(fact.interval[0], value), max(fact.interval[1], value)
    over = bound.at_least is not None and low < bound.at_least <= high
    under = bound.at_most is not None and low <= bound.at_most < high
    if not over and not under:
        return None
    limit = bound.at_least if over else bound.at_most
    shown = f"{plain(fact.metric, low)} to {plain(fact.metric, high)}"
    reason = f"inconclusive: the 95 % interval, {shown}, straddles {plain(fact.metric, limit or 0.0)}"
    if fact.metric == _RANGED:
        reason = f"inconclusive: {shown}, and asked for is {plain(fact.metric, limit or 0.0)}; {fact.note}"
    return Weighed(
        outcome=Outcome.UNKNOWN,
        reason=reason,
        missing=f"more readings of {_what(bound)}, until the interval clears {plain(fact.metric, limit or 0.0)}",
        fact=fact,
    )


def _holding(bound: Bound, fact: Fact, value: float) -> Weighed:
    shown = f"{_qualifier(fact)}{_compared(bound, fact, value)}"
    if not _proves(bound, fact, holds=True):
        return _unproven(bound, fact, shown)
    if fact.metric in DAILY and fact.days < bound.min_days:
        seen = f"on {fact.days} of {plural(bound.min_days, 'school day')}"
        return Weighed(
            outcome=Outcome.UNKNOWN,
            reason=f"met so far, {seen}: {shown}",
            provisional=True,
            missing=days_wanted(fact, bound.min_days),
            fact=fact,
        )
    provisional = not lasting(fact)
    missing = days_wanted(fact) if provisional and fact.days > 0 else ""  # more days make no estimate sure
    return Weighed(outcome=Outcome.MET, reason=shown, provisional=provisional, missing=missing, fact=fact)


def _missed(bound: Bound, fact: Fact, value: float) -> Weighed:
    shown = f"{_qualifier(fact)}{_compared(bound, fact, value)}"
    if kept := limits(fact.limited_by):
        return Weighed(
            outcome=Outcome.UNKNOWN,
            reason=f"limited by {kept}: {shown}",
            missing=f"a test that is not limited by {kept}",
            fact=fact,
        )
    if not _proves(bound, fact, holds=False):
        return _unproven(bound, fact, shown)
    # A miss seen on too few days is a miss all the same, and only provisional. To demand the full number of days here
    # would let a line that is plainly too slow count as "not known yet"; a gate that stays closed is the safe side.
    return Weighed(
        outcome=Outcome.NOT_MET, reason=shown, provisional=not lasting(fact) or fact.days < _days(bound, fact), fact=fact
    )


def _days(bound: Bound, fact: Fact) -> int:
    return bound.min_days if fact.metric in DAILY else 0


def _proves(bound: Bound, fact: Fact, *, holds: bool) -> bool:
    """Whether a value that is only a bound on the truth settles the question.

    A count of devices, or of days tested so far, is a lower bound: what was switched off, or what is still to come, was
    not seen. It proves "at least n" by reaching it and disproves "at most n" by passing it, and nothing else; a quotient
    with such a count below the line is an upper bound, and the mirror image. A throughput is "at least" too, but a test
    that filled the line is a measurement of it from both sides: what kept it down otherwise is said in `limited_by`, and
    what else was on the line is in its load. Its miss therefore counts.
    """
    if metric(fact.metric).unit is Unit.BITS_PER_SECOND or not (fact.at_least or fact.at_most):
        return True
    value = fact.value or 0.0
    if fact.at_least:
        return bound.at_most is None if holds else bound.at_most is not None and value > bound.at_most
    return bound.at_least is None if holds else bound.at_least is not None and value < bound.at_least


def _unproven(bound: Bound, fact: Fact, shown: str) -> Weighed:
    if fact.metric in COMPARISONS or fact.metric in RULES:
        return Weighed(outcome=Outcome.UNKNOWN, reason=shown, missing=fact.note, fact=fact)
    if fact.metric == "test_days":
        more = (bound.at_least or 0.0) - (fact.value or 0.0)
        missing = f"{plural(max(round(more), 1), 'more school day')} of tests in both directions"
        return Weighed(outcome=Outcome.UNKNOWN, reason=f"so far {shown}", missing=missing, fact=fact)
    return Weighed(
        outcome=Outcome.UNKNOWN,
        reason=f"{shown}; {fact.note}",
        missing=f"a full count of {_what(bound)}",
        fact=fact,
    )


def _qualifier(fact: Fact) -> str:
    if fact.metric == "test_days" or fact.metric in COMPARISONS:
        return ""
    return "at least " if fact.at_least else "at most " if fact.at_most else ""


def _side(fact: Fact) -> Side:
    """A bound is rounded to the side on which it stays true."""
    return Side.DOWN if fact.at_least else Side.UP if fact.at_most else Side.NEAREST


def _compared(bound: Bound, fact: Fact, value: float) -> str:
    """The value and the limit that matters: the one it misses, or the only one there is."""
    if fact.metric in COMPARISONS:
        return f"{plain(fact.metric, value)} of {plural(round(bound.at_least or value), 'part')}; {fact.note}"
    low, high = bound.at_least, bound.at_most
    if low is not None and (high is None or value < low):
        shown, wanted = apart(fact.metric, value, low, _side(fact))
        asked = f"at least {wanted}"
    elif high is not None and (low is None or value > high):
        shown, wanted = apart(fact.metric, value, high, _side(fact))
        asked = f"at most {wanted}"
    else:
        shown = plain(fact.metric, value, _side(fact))
        asked = f"{plain(fact.metric, low or 0.0)} to {plain(fact.metric, high or 0.0)}"
    return f"{shown}; asked for is {asked}" + (f"; {fact.note}" if fact.metric in RULES else "")
