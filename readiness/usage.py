"""How much of the line is used: the 95th percentile of the rates between readings of a router's interface counters."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import msgspec

from netready.site import Circuit, Site
from readiness.judgement import Quantity
from readiness.sample import PERCENTILE_HIGH, Sample, Window
from readiness.wording import plural

# A mean over more than an hour says nothing about the busiest minutes, so longer gaps are left out.
LONGEST_GAP = timedelta(hours=1)
# An hour of five-minute readings: with fewer, a 95th percentile is the largest of a handful.
FEWEST_INTERVALS = 12
_COUNTERS = {"down": "interface_received", "up": "interface_sent"}


class _Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Rates between consecutive counter readings of one interface, bit/s; `school` those in school hours."""

    school: tuple[float, ...]
    every: tuple[float, ...]
    reset: int
    long: int


def used(site: Site, window: Window, direction: str) -> Quantity:
    """The rate used in one direction, summed over the circuits that name a counter.

    The percentile is taken in school hours, and over all hours only where school hours have too few intervals. Where a
    circuit is not counted the sum is a lower bound.
    """
    if not site.circuits:
        return Quantity(value=None, how="no circuit is described in the site's configuration")
    counted = [circuit for circuit in site.circuits if circuit.counter]
    if not counted:
        return Quantity(value=None, how="no circuit names the router interface that counts it")
    readings = _by_interface(window.of(_COUNTERS[direction]))
    parts = [_circuit(circuit, readings.get(circuit.counter, ())) for circuit in counted]
    known = [part.value for part in parts if part.value is not None]
    how = "; ".join(part.how for part in parts)
    if silent := len(site.circuits) - len(parts):
        how += f"; {silent} of {plural(len(site.circuits), 'circuit')} {'names' if silent == 1 else 'name'} no counter"
    if not known:
        return Quantity(value=None, how=how)
    return Quantity(value=sum(known), how=how, at_least=len(known) < len(site.circuits))


def monthly(site: Site, window: Window, direction: str) -> list[tuple[date, float]]:
    """(first day of the month, rate used) for each local month in the window in which every counted circuit is known."""
    months: dict[date, list[Sample]] = {}
    for sample in window.of(_COUNTERS[direction]):
        day = sample.measurement.taken_at.astimezone(site.zone).date().replace(day=1)
        months.setdefault(day, []).append(sample)
    found = []
    for day, samples in sorted(months.items()):
        part = msgspec.structs.replace(window, samples={_COUNTERS[direction]: tuple(samples)})
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


def _circuit(circuit: Circuit, samples: Sequence[Sample]) -> Quantity:
    rates = _rates(samples)
    pick, hours = (rates.school, "school hours") if len(rates.school) >= FEWEST_INTERVALS else (rates.every, "all hours")
    left = [f"{plural(rates.long, 'gap')} longer than an hour left out"] if rates.long else []
    left += [f"{plural(rates.reset, 'reset')} left out"] if rates.reset else []
    aside = f" ({', '.join(left)})" if left else ""
    if len(pick) < FEWEST_INTERVALS:
        wants = f"needs at least {FEWEST_INTERVALS} intervals between counter readings of {circuit.counter}"
        return Quantity(value=None, how=f"{circuit.name}: {wants}, has {len(pick)}{aside}")
    ordered = sorted(pick)
    value = ordered[max(1, -(-PERCENTILE_HIGH * len(ordered) // 100)) - 1]
    how = f"{circuit.name}: 95th percentile of {len(pick):,} intervals between counter readings in {hours}{aside}"
    return Quantity(value=value, how=how)


def _rates(samples: Sequence[Sample]) -> _Rates:
    school: list[float] = []
    every: list[float] = []
    reset = long = 0
    for before, after in pairwise(samples):
        gap = after.measurement.taken_at - before.measurement.taken_at
        if gap <= timedelta(0):
            continue
        if gap > LONGEST_GAP:
            long += 1
            continue
        moved = after.value - before.value
        if moved < 0 or _restarted(before, after):
            reset += 1
            continue
        rate = moved * 8 / gap.total_seconds()
        every.append(rate)
        if before.day is not None and before.day == after.day:
            school.append(rate)
    return _Rates(school=tuple(school), every=tuple(every), reset=reset, long=long)


def _restarted(before: Sample, after: Sample) -> bool:
    """Whether the device was started again in between: its counters then count from nothing."""
    earlier, later = before.measurement.detail("uptime"), after.measurement.detail("uptime")
    return earlier is not None and later is not None and later < earlier
