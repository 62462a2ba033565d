"""The line in five years: three bands of demand, against the contract and the standards. Pure arithmetic.

    demand = users * peak rate for each user today * (1 + growth) ** years      the busiest minutes, measured
    need   = (demand + what new programmes add) * (1 + headroom)

Published growth rates run from 12 % a year (what moved SETDA's recommendation after it had looked at real use) to 50 % and more
(what planners were told in 2014): in five years that is a factor of 1.8 or of 7.6. Without a year of the school's own history
the three bands are therefore far apart on purpose, and are labelled so; one number would be a guess that looks like a plan.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import accumulate
from statistics import NormalDist
from typing import Annotated

import msgspec
from msgspec import Meta

from readiness.wording import plural

HEADROOM = 0.35  # EducationSuperHighway: buy 30 to 40 % above the observed peak
FEWEST_MONTHS = 12  # of history; with fewer a season passes for growth
WIDEST = 1.5  # growth a year beyond which a fit says only that the history is no trend
# Sizes that lines are sold in, bit/s.
ORDERABLE = tuple(rate * 1e6 for rate in (10, 25, 50, 100, 200, 300, 500, 1e3, 2e3, 3e3, 5e3, 1e4, 2e4, 4e4, 1e5, 2e5, 4e5))
_CONFIDENCE = 0.90


class Band(StrEnum):
    """A course of events."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """Growth of the peak rate for each user, as a ratio a year, by band; `how` says where it comes from.

    months   of the school's own history behind it; 0: none
    """

    low: float
    middle: float
    high: float
    how: str
    months: int = 0

    def of(self, band: Band) -> float:
        """The band's."""
        return {Band.LOW: self.low, Band.MIDDLE: self.middle, Band.HIGH: self.high}[band]


NO_HISTORY = Growth(
    low=0.12,
    middle=0.25,
    high=0.50,
    how="no history: less than a year of the school's own readings, so the bands are published rates "
    "(12 % behind SETDA's last recommendation, 50 % in the guides of 2014)",
)


class Programme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that adds demand once, in a given year: one device for each student, a new platform, cameras.

    users        who begin to use it
    rate         bit/s for each of them while active
    concurrency  share of them that is active in the busiest minutes
    """

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    year: Annotated[int, Meta(ge=2000, le=2100)]
    users: Annotated[int, Meta(ge=1, le=1_000_000)]
    rate: Annotated[float, Meta(gt=0, le=1e11)]
    concurrency: Annotated[float, Meta(gt=0, le=1)] = 0.5

    @property
    def adds(self) -> float:
        """bit/s in the busiest minutes."""
        return self.users * self.rate * self.concurrency


class Year(msgspec.Struct, frozen=True, kw_only=True):
    """One year. `need` is bit/s by band, headroom included; `floors` what each chosen standard asks of that many users."""

    year: int
    users: int
    need: dict[Band, float]
    floors: dict[str, float]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Years, the first being this one.

    peak       bit/s, the busiest minutes today, as measured
    exhausted  by band: the first year whose need exceeds the contract; None: not within these years, or no contract is known
    order      by band: the orderable size (bit/s) that carries the last year, standards included; None: none is large enough
    below      by standard: the first year in which the contract is below it; None: in none
    """

    peak: float
    per_user: float
    growth: Growth
    headroom: float
    contracted: float | None
    years: tuple[Year, ...]
    exhausted: dict[Band, int | None]
    order: dict[Band, float | None]
    below: dict[str, int | None]


def forecast(
    *,
    peak: float,
    users: Sequence[int],
    year: int,
    growth: Growth,
    contracted: float | None,
    standards: Mapping[str, float] | None = None,
    programmes: Sequence[Programme] = (),
    headroom: float = HEADROOM,
) -> Forecast:
    """Demand from `year` on, one year for each entry of `users` (students and staff).

    peak        bit/s now
    standards   bit/s for each user, by name
    Raises ValueError when there is nothing to divide by.
    """
    if not users or users[0] < 1 or peak <= 0:
        raise ValueError("a forecast needs today's users and a peak rate above 0")
    per_user = peak / users[0]
    added = list(accumulate(sum(each.adds for each in programmes if each.year == year + index) for index in range(len(users))))
    years = tuple(
        Year(
            year=year + index,
            users=count,
            need={band: (count * per_user * (1 + growth.of(band)) ** index + added[index]) * (1 + headroom) for band in Band},
            floors={name: rate * count for name, rate in (standards or {}).items()},
        )
        for index, count in enumerate(users)
    )
    last = years[-1]
    return Forecast(
        peak=peak,
        per_user=per_user,
        growth=growth,
        headroom=headroom,
        contracted=contracted,
        years=years,
        exhausted={band: _first(contracted, [(each.year, each.need[band]) for each in years]) for band in Band},
        order={band: orderable(max(last.need[band], *last.floors.values(), 0.0)) for band in Band},
        below={name: _first(contracted, [(each.year, each.floors[name]) for each in years]) for name in last.floors},
    )


def orderable(rate: float) -> float | None:
    """The smallest size that lines are sold in and that carries `rate` (bit/s); None beyond the largest."""
    return next((size for size in ORDERABLE if size >= rate), None)


def history(months: Sequence[tuple[date, float]]) -> Growth:
    """Growth from the school's own peaks (bit/s), one a month: the slope of their logarithms with its 90 % interval.

    NO_HISTORY when they do not span a year, or when the fit says nothing: an interval wider than from a third to WIDEST.
    """
    points = sorted((day, rate) for day, rate in months if rate > 0)
    count = len(points)
    if count < FEWEST_MONTHS or (points[-1][0] - points[0][0]).days < 330:
        return NO_HISTORY
    x = [(day - points[0][0]).days / 365.25 for day, _ in points]
    y = [math.log(rate) for _, rate in points]
    middle_x, middle_y = sum(x) / count, sum(y) / count
    spread = sum((value - middle_x) ** 2 for value in x)
    slope = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True)) / spread
    left = sum((b - middle_y - slope * (a - middle_x)) ** 2 for a, b in zip(x, y, strict=True))
    reach = student(_CONFIDENCE, count - 2) * math.sqrt(left / (count - 2) / spread)
    low, middle, high = (math.expm1(slope + side * reach) for side in (-1, 0, 1))
    if high > WIDEST or low < -1 / 3:
        return msgspec.structs.replace(
            NO_HISTORY,
            how=f"{plural(count, 'month')} of the school's own readings show no clear trend "
            f"({low:+.0%} to {high:+.0%} a year), so the bands are published rates",
        )
    return Growth(
        low=low,
        middle=middle,
        high=high,
        months=count,
        how=f"fitted to {plural(count, 'month')} of the school's own busiest minutes ({points[0][0]:%b %Y} to "
        f"{points[-1][0]:%b %Y}); low and high are its 90 % interval",
    )


def student(confidence: float, freedom: int) -> float:
    """The two-sided quantile of Student's t, within 0.2 % from 8 degrees of freedom on (Abramowitz, Stegun, 26.7.5)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    terms = (z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    return sum(term / float(freedom) ** power for power, term in enumerate(terms))


def _first(contracted: float | None, needs: Sequence[tuple[int, float]]) -> int | None:
    return None if contracted is None else next((year for year, need in needs if need > contracted), None)
