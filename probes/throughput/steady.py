"""When the rate of a test has settled, and when enough is known of it: the stop rule. Pure arithmetic.

The steady phase begins where the warm-up ends (`warmup`) and must be long enough, show no trend, and be known to the asked
precision. On a line whose rate changes once and for all in the middle, such as a policed one behind its burst, no phase from
the warm-up on will ever be steady; then, and only when there is enough of it, the last part is taken by itself.

The constants were chosen on the links of `bench/links.py` called TUNING and on simulated noise (`bench/simulate.py`), then
frozen; `bench/RESULTS.md` gives the results on the links called VALIDATION and HARD, which played no part in the choice.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from probes.throughput.spread import steady_interval
from probes.throughput.warmup import steady_start

LEAST_SECONDS = 0.8  # s that a steady phase lasts at least: bursts of other traffic that are as long hide in less
FAST = 500e6  # bit/s; above it data is dear, and LEAST_SECONDS_FAST is enough
LEAST_SECONDS_FAST = 0.6
LEAST_ROUND_TRIPS = 4
TREND = 0.01  # ratio: the two halves of a steady phase may differ by so much, or by what the interval explains
SLOT = 0.02  # s, or a quarter of a round trip: the resolution in which a change is looked for
LATER_SECONDS = 1.5  # s that the last part lasts at least, when the rate has changed; and
LATER_SHARE = 0.4  # of the time since the warm-up: a quiet spell is no new rate
CHANGE = 0.1  # ratio by which the rate must have changed for that

Sample = tuple[float, float]


class Steady(msgspec.Struct, frozen=True, kw_only=True):
    """The phase in which the rate stood still.

    start, end   s on the samples' clock
    rate         bit/s, its mean
    low, high    bit/s, the 95 % interval of the mean
    samples      readings in the phase
    before       bit/s, the rate between the warm-up and a change of rate in the middle of the test; None without one
    """

    start: float
    end: float
    rate: float
    low: float
    high: float
    samples: int
    before: float | None = None

    @property
    def precision(self) -> float:
        """Half the interval, as a ratio of the rate."""
        return (self.high - self.low) / 2 / self.rate


def least_phase(rtt: float, rate: float) -> float:
    """Seconds that a steady phase must last on a path with this round-trip time (s) and rate (bit/s)."""
    return max(LEAST_SECONDS_FAST if rate > FAST else LEAST_SECONDS, LEAST_ROUND_TRIPS * rtt)


def steady(samples: Sequence[Sample], *, rtt: float, precision: float = 0.02) -> Steady | None:
    """The steady phase that the samples (seconds, bytes so far) end with, or None when there is none yet.

    rtt          s
    precision    half the interval as a ratio of the rate, which is enough
    """
    begin = steady_start(samples, rtt=rtt)
    if begin is None:
        return None
    whole = _phase(samples, begin, rtt)
    if whole is None or not _level(samples, whole):
        return _later(samples, begin, rtt)
    if whole.precision > precision:
        later = _later(samples, begin, rtt)
        if later is not None and later.precision <= precision:
            return later  # what came before was not as level as so wide an interval makes it look
    return whole


def _phase(samples: Sequence[Sample], begin: int, rtt: float) -> Steady | None:
    """The phase from `begin` on, if it is long enough."""
    found = steady_interval(samples[begin:], rtt=rtt)
    if found is None:
        return None
    rate, low, high = found
    start, end = samples[begin][0], samples[-1][0]
    if end - start < least_phase(rtt, rate) - 1e-9:
        return None
    return Steady(start=start, end=end, rate=rate, low=low, high=high, samples=len(samples) - begin)


def _level(samples: Sequence[Sample], phase: Steady) -> bool:
    """Whether the two halves of the phase agree."""
    begin = len(samples) - phase.samples
    middle = bisect_left(samples, ((phase.start + phase.end) / 2,), lo=begin + 1)
    first, second = _rate(samples[begin], samples[middle]), _rate(samples[middle], samples[-1])
    # The interval is of the mean of both; the difference of two halves has twice its standard error.
    return abs(second - first) <= max(TREND * phase.rate, phase.high - phase.low)


def _later(samples: Sequence[Sample], begin: int, rtt: float) -> Steady | None:
    """The part behind a change of rate: the cut that leaves the least squares on both sides."""
    start, end = samples[begin][0], samples[-1][0]
    least = max(LATER_SECONDS, LATER_SHARE * (end - start), LEAST_ROUND_TRIPS * rtt)
    width = max(SLOT, rtt / 4)
    marks = [begin]
    while (place := bisect_left(samples, (samples[marks[-1]][0] + width,), lo=marks[-1] + 1)) < len(samples):
        marks.append(place)
    rates = [_rate(samples[before], samples[after]) for before, after in pairwise(marks)]
    cut = _change(rates, fewest=math.ceil(least / width))
    if cut is None:
        return None
    phase = _phase(samples, marks[cut], rtt)
    if phase is None:
        return None
    before = sum(rates[:cut]) / cut
    if abs(before / phase.rate - 1) < CHANGE or not _level(samples, phase):
        return None
    return msgspec.structs.replace(phase, before=before)


def _change(rates: Sequence[float], *, fewest: int) -> int | None:
    """Where the rates change most, with `fewest` of them behind it; None when there are too few."""
    total, count = sum(rates), len(rates)
    best, most = None, -math.inf
    first = 0.0
    for index in range(1, count - fewest + 1):
        first += rates[index - 1]
        explained = first**2 / index + (total - first) ** 2 / (count - index)
        if explained > most:
            best, most = index, explained
    return best


def _rate(one: Sample, other: Sample) -> float:
    """bit/s between two readings."""
    return 8 * (other[1] - one[1]) / max(1e-9, other[0] - one[0])
