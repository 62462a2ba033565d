"""Samples: the window's readings, sorted by metric and stamped once with the school day they belong to."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

import msgspec

from netready.measurement import Measurement
from netready.site import Site
from readiness.evidence import Grade, Reading

# Ten school days are two weeks of timetable: what a decision that lasts must rest on. FCC CAF tests one week in a
# quarter, UEN and NCREN publish weekly and monthly figures; the ten is our own proposal.
DECISION_DAYS = 10
PERCENTILE_LOW = 10
PERCENTILE_HIGH = 95  # NCREN and UEN, the school networks that publish their method, both use p95


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A reading in the window. `day` is the school day in whose school hours it was made, None outside them."""

    survey: str
    measurement: Measurement
    day: date | None

    @property
    def value(self) -> float:
        """The value of a reading that succeeded."""
        if self.measurement.value is None:
            msg = f"{self.measurement.metric}: a reading that failed has no value"
            raise ValueError(msg)
        return self.measurement.value


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The readings between `since` and `until`, oldest first for each metric. `later` counts those stamped after `until`."""

    since: datetime
    until: datetime
    samples: dict[str, tuple[Sample, ...]]
    surveys: tuple[str, ...]
    school_days: int
    later: int

    def of(self, metric: str) -> tuple[Sample, ...]:
        """The samples of one metric, oldest first."""
        return self.samples.get(metric, ())


def window(site: Site, readings: Iterable[Reading], since: datetime, until: datetime) -> Window:
    """One pass over the readings. Their order does not matter; the result's is by time, then survey, target and value."""
    zone, calendar = site.zone, site.calendar
    found: dict[str, list[Sample]] = {}
    surveys: set[str] = set()
    days: set[date] = set()
    school: dict[date, bool] = {}
    later = 0
    for reading in readings:
        at = reading.measurement.taken_at
        if not since <= at <= until:
            later += at > until
            continue
        local = at.astimezone(zone)
        day = local.date()
        if day not in school:
            school[day] = calendar.is_school_day(day)
        inside = school[day] and calendar.first_bell <= local.time() < calendar.last_bell
        if inside:
            days.add(day)
        surveys.add(reading.survey)
        sample = Sample(survey=reading.survey, measurement=reading.measurement, day=day if inside else None)
        found.setdefault(reading.measurement.metric, []).append(sample)
    return Window(
        since=since,
        until=until,
        samples={metric: tuple(sorted(samples, key=_order)) for metric, samples in sorted(found.items())},
        surveys=tuple(sorted(surveys)),
        school_days=len(days),
        later=later,
    )


def _order(sample: Sample) -> tuple[datetime, str, str, str, float, bytes]:
    one = sample.measurement
    value = float("-inf") if one.value is None else one.value
    details = msgspec.json.encode(one.details, order="deterministic")
    return (one.taken_at, sample.survey, one.target, one.method, value, details)


def nearest_rank(ordered: Sequence[Sample], percent: int) -> Sample:
    """The percentile by nearest rank of samples sorted by value: always one that was measured, never a mean of two."""
    return ordered[max(1, -(-percent * len(ordered) // 100)) - 1]


def by_value(samples: Iterable[Sample]) -> list[Sample]:
    """Smallest first; equal values by time."""
    return sorted(samples, key=lambda sample: (sample.value, *_order(sample)))


def judged(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Those made in school hours; all of them when there are none, for a number that says its doubt beats no number."""
    return tuple(sample for sample in samples if sample.day is not None) or tuple(samples)


def school_days(samples: Iterable[Sample]) -> int:
    """Distinct school days on which a sample was made in school hours."""
    return len({sample.day for sample in samples if sample.day is not None})


def grade(days: int, limited: Collection[str] = ()) -> Grade:
    """How far a daily number carries."""
    if limited:
        return Grade.LIMITED
    return Grade.CONCLUSIVE if days >= DECISION_DAYS else Grade.PROVISIONAL


def surveys(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The ids of the surveys, sorted."""
    return tuple(sorted({sample.survey for sample in samples}))


def methods(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The instrument/version words, sorted."""
    return tuple(sorted({sample.measurement.method for sample in samples}))
