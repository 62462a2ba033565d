"""The Internet line in one direction: what is paid for, what a test found, what is used, and the figure for 1,000 users.

A test shows the rate that was free at that moment. What it proves about the line is at least that rate plus the traffic
that was on the line meanwhile; the sum is never called a capacity without those two words.
"""

from collections.abc import Sequence

import msgspec

from netready.site import Site
from readiness.evidence import Fact, Grade
from readiness.judgement import Line, Outcome, Quantity, Target
from readiness.roadmap import Bound, EvidenceKind
from readiness.sample import (
    DECISION_DAYS,
    PERCENTILE_LOW,
    Sample,
    Window,
    by_value,
    grade,
    judged,
    methods,
    nearest_rank,
    school_days,
    surveys,
)
from readiness.usage import used
from readiness.weigh import index, weigh
from readiness.wording import LINK, limits, plural, rate, short, tally

# The two rates that the roadmap of 2014 names, in bit/s for each 1,000 students and staff.
TARGETS = (
    ("100-mbps", "100 Mbps per 1,000 users (Scaling)", 100e6),
    ("1-gbps", "1 Gbps per 1,000 users (Transforming)", 1000e6),
)
TOWARDS = {"down": "towards the school", "up": "from the school"}


class Tests(msgspec.Struct, frozen=True, kw_only=True):
    """One direction's throughput tests, of the newest method only: two methods are never averaged.

    least      the test whose rate is the 10th percentile by nearest rank; with up to ten tests, the lowest
    standing   the same by what a test proves, its rate and the load beside it: a test beside much load may be the slowest
               and yet prove more of the line than every other
    counted    the tests behind it: those in school hours, or all when there are none
    made       successful tests of the method, in and outside school hours
    """

    direction: str
    least: Sample | None
    standing: Sample | None
    counted: tuple[Sample, ...]
    made: int
    outside: int
    failures: int
    note: str

    @property
    def days(self) -> int:
        """School days with a test in school hours."""
        return school_days(self.counted)

    @property
    def limited_by(self) -> tuple[str, ...]:
        """The words for what kept the standing test's rate down."""
        if self.standing is None:
            return ()
        details = self.standing.measurement.details
        broke_off = ("broke-off",) if details.get("ended") == "abrupt" else ()
        return (*_words(details.get("limited_by")), *broke_off)

    @property
    def grade(self) -> Grade:
        """How far the rate carries."""
        return grade(self.days, [word for word in self.limited_by if word != LINK])


def tests(window: Window, direction: str) -> Tests:
    """The throughput tests of one direction in the window."""
    samples = window.of(f"throughput_{direction}")
    good = [sample for sample in samples if sample.measurement.value is not None]
    if not good:
        return Tests(
            direction=direction,
            least=None,
            standing=None,
            counted=(),
            made=0,
            outside=0,
            failures=len(samples),
            note=_nothing(samples, direction),
        )
    method = max(good, key=lambda sample: (sample.measurement.taken_at, sample.measurement.method)).measurement.method
    same = [sample for sample in good if sample.measurement.method == method]
    failures = [one for one in samples if one.measurement.value is None and one.measurement.method == method]
    counted = judged(same)
    outside = sum(sample.day is None for sample in same)
    others = sorted({sample.measurement.method for sample in good} - {method})
    return Tests(
        direction=direction,
        least=nearest_rank(by_value(counted), PERCENTILE_LOW),
        standing=nearest_rank(sorted(by_value(counted), key=_proven), PERCENTILE_LOW),
        counted=counted,
        made=len(same),
        outside=outside,
        failures=len(failures),
        note=_note(counted, method, outside=outside, failures=failures, others=others, left=len(good) - len(same)),
    )


def _nothing(samples: Sequence[Sample], direction: str) -> str:
    if not samples:
        return f"no throughput test {TOWARDS[direction]} was made in this window"
    words = [str(sample.measurement.failure) for sample in samples]
    return f"{plural(len(samples), 'test')} failed: {tally(words)}"


def _note(
    counted: Sequence[Sample], method: str, *, outside: int, failures: Sequence[Sample], others: list[str], left: int
) -> str:
    if len(counted) == 1:
        text = f"one test with {method}"
    else:
        text = f"10th percentile (nearest rank) of {len(counted):,} tests with {method}"
    if outside and counted[0].day is not None:
        text += f" in school hours; {plural(outside, 'test')} outside school hours left out"
    elif outside:
        text += ", all of them outside school hours" if outside > 1 else ", made outside school hours"
    if others:
        text += f"; {plural(left, 'test')} with {', '.join(others)} left out, because two methods are never averaged"
    if failures:
        text += f"; {plural(len(failures), 'test')} failed: {tally(str(one.measurement.failure) for one in failures)}"
    return text


def _words(found: object) -> tuple[str, ...]:
    match found:
        case str() if found:
            return (found,)
        case list():
            return tuple(sorted({str(word) for word in found if word}))
        case _:
            return ()


def load_during(found: Tests) -> float | None:
    """Other traffic on the line during the standing test, bit/s, at least; None where the test could not see it."""
    beside = found.standing.measurement.load if found.standing else None
    return None if beside is None else beside[0]


def _proven(sample: Sample) -> float:
    sure, _ = sample.measurement.load or (0.0, 0.0)
    return sample.value + sure


def per_1000(found: Tests, site: Site) -> Fact:
    """The rate for each 1,000 users, at least: the standing test and the load beside it.

    The interval ends where the load that may have been would put it, so that a miss for want of that load is no miss.
    """
    fact = Fact(
        kind=EvidenceKind.MEASURED,
        metric=f"internet_{found.direction}_per_1000",
        value=None,
        failures=found.failures,
        note=found.note,
    )
    if found.standing is None:
        return fact
    sure, most = found.standing.measurement.load or (0.0, 0.0)
    interval = found.standing.measurement.interval
    if interval is None and most > sure:
        interval = (found.standing.value, found.standing.value)
    targets = {sample.measurement.target for sample in found.counted}
    return msgspec.structs.replace(
        fact,
        value=_scaled(found.standing.value + sure, site),
        target=targets.pop() if len(targets) == 1 else "",
        interval=(_scaled(interval[0] + sure, site), _scaled(interval[1] + most, site)) if interval else None,
        at_least=True,
        samples=len(found.counted),
        days=found.days,
        first_at=found.counted[0].measurement.taken_at,
        last_at=found.counted[-1].measurement.taken_at,
        methods=methods(found.counted),
        grade=found.grade,
        limited_by=found.limited_by,
        surveys=surveys(found.counted),
    )


def _scaled(value: float, site: Site) -> float:
    # Multiplied first: 52 Mbps for 520 users must be 100 Mbps for 1,000 to the last bit.
    return value * 1000 / site.users


def line(found: Tests, fact: Fact, site: Site, window: Window) -> Line:
    """The direction's four quantities, the figure for 1,000 users, and what it means for the two targets."""
    return Line(
        direction=found.direction,
        users=site.users,
        contracted=_contracted(site, found.direction),
        available=_available(found),
        used=used(site, window, found.direction),
        load_during=_load(found),
        per_1000=Quantity(value=fact.value, how=_how(found, fact, site), interval=fact.interval, at_least=fact.at_least),
        layer=_layer(found),
        targets=tuple(_target(one, found, fact, site) for one in TARGETS),
        methods=fact.methods,
        samples=fact.samples,
        days=fact.days,
        last_at=fact.last_at,
        grade=fact.grade,
        limited_by=fact.limited_by,
    )


def _contracted(site: Site, direction: str) -> Quantity:
    value = site.contracted_down if direction == "down" else site.contracted_up
    if value is None:
        return Quantity(value=None, how="no circuit is described in the site's configuration")
    return Quantity(value=value, how=f"the contracts of {plural(len(site.circuits), 'circuit')} in the site's configuration")


def _available(found: Tests) -> Quantity:
    if found.least is None:
        return Quantity(value=None, how=found.note)
    return Quantity(value=found.least.value, how=found.note, interval=found.least.measurement.interval)


def _load(found: Tests) -> Quantity:
    if found.standing is None:
        return Quantity(value=None, how=found.note)
    load = load_during(found)
    if load is None:
        return Quantity(value=None, how="the test could not see what else was on the line")
    which = "that test" if found.standing is found.least else f"the test of {rate(found.standing.value)}, which proves least"
    return Quantity(value=load, how=f"other traffic on the line, at least, during {which}")


def _how(found: Tests, fact: Fact, site: Site) -> str:
    if found.standing is None:
        return found.note
    load = load_during(found)
    parts = rate(found.standing.value) + (f" + {rate(load)} of other traffic" if load else "")
    text = f"({parts}) for {plural(site.users, 'user')}, scaled to 1,000"
    if kept := limits(fact.limited_by):
        text += f"; limited by {kept}"
    return text


def _layer(found: Tests) -> str:
    layer = found.standing.measurement.details.get("layer") if found.standing else None
    return layer if isinstance(layer, str) else ""


def _target(target: tuple[str, str, float], found: Tests, fact: Fact, site: Site) -> Target:
    """The target for the whole site. The shortfall is known only where the outcome is."""
    name, title, each = target
    needed = each * site.users / 1000
    bound = Bound(evidence=EvidenceKind.MEASURED, metric=fact.metric, at_least=each, source="the roadmap's own figure")
    weighed = weigh(bound, index((fact,)))
    shortfall = {Outcome.MET: 0.0}.get(weighed.outcome)
    reason = weighed.reason
    if weighed.outcome is Outcome.NOT_MET and found.standing is not None:
        shortfall = needed - found.standing.value - (load_during(found) or 0.0)
        reason += f"; {short(shortfall)} for {plural(site.users, 'user')}"
    if weighed.outcome is not Outcome.UNKNOWN and weighed.provisional:
        reason += f"; tested on {fact.days} of {DECISION_DAYS} school days"
    return Target(
        id=name, title=title, per_1000=each, needed=needed, outcome=weighed.outcome, shortfall=shortfall, reason=reason
    )
