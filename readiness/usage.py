"""How much of the line is used: the 95th percentile of five-minute rates between readings of a router's interface counters.

What our own tests of the line moved is taken off: on a quiet line they would be its busiest minutes.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate

import msgspec

from netready.site import Circuit, Site
from readiness.judgement import Quantity
from readiness.sample import PERCENTILE_HIGH, Sample, Window, school_days
from readiness.wording import plural

# The school networks that publish their use (NCREN, UEN) read every five minutes. Readings that come sooner, such as those of
# two audits in a row, are joined to the next: a rate over seconds is burstier, and its percentile another figure.
SHORTEST_GAP = timedelta(minutes=4)
# Beyond this the mean hides some of the busiest minutes, which is said; beyond an hour it says nothing of them.
FIVE_MINUTES = timedelta(minutes=7, seconds=30)
LONGEST_GAP = timedelta(hours=1)
# An hour of five-minute readings: with fewer, a 95th percentile is the largest of a handful.
FEWEST_INTERVALS = 12
_COUNTERS = {"down": "interface_received", "up": "interface_sent"}
TESTS = {way: (f"throughput_{way}", f"throughput_{way}_reaches") for way in _COUNTERS}
_MOVED = {"down": "bytes_received", "up": "bytes_sent"}


class _Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Rates between counter readings of one interface, bit/s; `school` in school hours, `wide` of more than five minutes.

    `tested` counts those from which a test of ours was taken off.
    """

    school: tuple[float, ...]
    every: tuple[float, ...]
    reset: int
    long: int
    wide: int
    tested: int


class _Own(msgspec.Struct, frozen=True, kw_only=True):
    """When our own tests began, oldest first, and the bytes on the wire that they and all before them moved."""

    times: tuple[datetime, ...] = ()
    moved: tuple[float, ...] = ()

    def between(self, since: datetime, until: datetime) -> float:
        """Bytes of the tests that began in [since, until)."""
        first, last = bisect_left(self.times, since), bisect_left(self.times, until)
        total = (0.0, *self.moved)
        return total[last] - total[first]


_NONE = _Own()


def used(site: Site, window: Window, direction: str) -> Quantity:
    """The rate used in one direction, summed over the circuits that name a counter.

    The percentile is taken in school hours, and over all hours only where school hours have too few intervals. Where a
    circuit is not counted the sum is a lower bound. Our own tests are taken off where there is one circuit: of several it is
    not known which one carried them.
    """
    if not site.circuits:
        return Quantity(value=None, how="no circuit is described in the site's configuration")
    counted = [circuit for circuit in site.circuits if circuit.counter]
    if not counted:
        return Quantity(value=None, how="no circuit names the router interface that counts it")
    readings = _by_interface(window.of(_COUNTERS[direction]))
    own = _own(window, direction) if len(site.circuits) == 1 else _NONE
    parts = [_circuit(circuit, readings.get(circuit.counter, ()), own) for circuit in counted]
    known = [part.value for part in parts if part.value is not None]
    how = "; ".join(part.how for part in parts)
    if silent := len(site.circuits) - len(parts):
        how += f"; {silent} of {plural(len(site.circuits), 'circuit')} {'names' if silent == 1 else 'name'} no counter"
    if not known:
        return Quantity(value=None, how=how)
    return Quantity(value=sum(known), how=how, at_least=len(known) < len(site.circuits))


def used_days(site: Site, window: Window, direction: str) -> int:
    """School days in whose school hours a circuit's counter was read."""
    counters = {circuit.counter for circuit in site.circuits if circuit.counter}
    samples = (one for one in window.of(_COUNTERS[direction]) if one.measurement.value is not None)
    return school_days(one for one in samples if one.measurement.target in counters)


def monthly(site: Site, window: Window, direction: str) -> list[tuple[date, float]]:
    """(first day of the month, rate used) for each local month in the window in which every counted circuit is known."""
    months: dict[date, list[Sample]] = {}
    for sample in window.of(_COUNTERS[direction]):
        day = sample.measurement.taken_at.astimezone(site.zone).date().replace(day=1)
        months.setdefault(day, []).append(sample)
    found = []
    for day, samples in sorted(months.items()):
        part = msgspec.structs.replace(window, samples=window.samples | {_COUNTERS[direction]: tuple(samples)})
        rate = used(site, part, direction)
        if rate.value is not None and not rate.at_least:
            found.append((day, rate.value))
    return found


def _by_interface(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.measurement.value is not None:
            found.setdefault(sample.measurement.target, []).append(sample)
    return found


def _own(window: Window, direction: str) -> _Own:
    """Our tests in one direction. Counters see headers too, whose share the rate at the IP layer tells."""
    found = []
    for metric in TESTS[direction]:
        for sample in window.of(metric):
            made = sample.measurement
            moved, ip_rate = made.detail(_MOVED[direction]) or 0.0, made.detail("ip_rate")
            headers = ip_rate / made.value if ip_rate and made.value and metric == TESTS[direction][0] else 1.0
            found.append((made.taken_at, moved * headers))
    found.sort()
    return _Own(times=tuple(at for at, _ in found), moved=tuple(accumulate(moved for _, moved in found)))


def _circuit(circuit: Circuit, samples: Sequence[Sample], own: _Own) -> Quantity:
    rates = _rates(samples, own)
    pick, hours = (rates.school, "school hours") if len(rates.school) >= FEWEST_INTERVALS else (rates.every, "all hours")
    left = [f"{plural(rates.long, 'gap')} longer than an hour left out"] if rates.long else []
    left += [f"{plural(rates.reset, 'reset')} left out"] if rates.reset else []
    left += [f"our own tests taken off {plural(rates.tested, 'interval')}"] if rates.tested else []
    left += [f"{plural(rates.wide, 'interval')} of more than five minutes, which hide their peaks"] if rates.wide else []
    aside = f" ({', '.join(left)})" if left else ""
    if len(pick) < FEWEST_INTERVALS:
        wants = f"needs at least {FEWEST_INTERVALS} intervals between counter readings of {circuit.counter}"
        return Quantity(value=None, how=f"{circuit.name}: {wants}, has {len(pick)}{aside}")
    ordered = sorted(pick)
    value = ordered[max(1, -(-PERCENTILE_HIGH * len(ordered) // 100)) - 1]
    how = f"{circuit.name}: 95th percentile of {len(pick):,} intervals between counter readings in {hours}{aside}"
    return Quantity(value=value, how=how)


def _rates(samples: Sequence[Sample], own: _Own) -> _Rates:
    school: list[float] = []
    every: list[float] = []
    reset = long = wide = tested = 0
    if not samples:
        return _Rates(school=(), every=(), reset=0, long=0, wide=0, tested=0)
    before = last = samples[0]
    for after in samples[1:]:
        gap = after.measurement.taken_at - before.measurement.taken_at
        restarted = after.value < last.value or _restarted(last, after)
        last = after
        if gap > LONGEST_GAP:
            long += 1
        elif restarted:
            reset += 1
        elif gap < SHORTEST_GAP:
            continue
        else:
            moved = own.between(before.measurement.taken_at, after.measurement.taken_at)
            tested += moved > 0
            rate = max(0.0, after.value - before.value - moved) * 8 / gap.total_seconds()
            every.append(rate)
            wide += gap > FIVE_MINUTES
            if before.day is not None and before.day == after.day:
                school.append(rate)
        before = after
    return _Rates(school=tuple(school), every=tuple(every), reset=reset, long=long, wide=wide, tested=tested)


def _restarted(before: Sample, after: Sample) -> bool:
    """Whether the device was started again in between: its counters then count from nothing."""
    earlier, later = before.measurement.detail("uptime"), after.measurement.detail("uptime")
    return earlier is not None and later is not None and later < earlier
