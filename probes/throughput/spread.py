"""How sure the rate of a short steady phase is: a model of noise that remembers. Pure arithmetic.

A phase of half a second holds few independent readings: a wobbling line, cross traffic and the cycles of congestion control
all outlast a slot of 20 ms, and intervals that overlook it hold the true rate half as often as they say. How long the noise
remembers cannot be estimated well from so little, so it is not estimated but averaged over: the phase is cut into BATCHES
batches whose means are taken as a first-order autoregression, for each of a few correlation times from FASTEST to slowest,
and for each of LUMPED: where acknowledgements or frames come in lumps, what one batch lacks is in the next. Each of them is
weighed by how well it explains what was seen (marginal likelihood with the rate and the spread integrated out under the
reference prior 1/spread: Box, Jenkins, Reinsel, "Time Series Analysis", chapter 7), and the variances are averaged with these
weights. A trend looks like noise with a long memory and widens the interval, as it should.

A posterior is not spoilt by looking at it again and again, which a stop rule does; `bench/simulate.py` prints what is left.
Changes slower than the phase cannot be seen by anybody: the interval is about the rate at the time of the test.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

BATCHES = 16
STUDENT = 2.131  # t with 15 degrees of freedom, two-sided 95 % (NIST/SEMATECH e-Handbook, 1.3.6.7.2)
FASTEST = 0.010  # s; noise with a shorter memory is white on the scale of a batch
SLOWEST = 1.0  # s; a wobble slower than this is the line's rate for the length of a test
CYCLE = 8  # round trips between two probes of BBR's bandwidth cycle: noise remembers at least that long on long paths
TIMES = 5  # correlation times tried, a factor of about 3 apart
LUMPED = (-0.6, -0.3)  # correlation of a batch with the next, round the -1/2 of counts whose readings are independently late
SHORTEST = 0.3  # s; less holds too few slots of 10 to 20 ms for the batches
ROUND_TRIPS = 3  # a phase must be longer than so many; before, not even the echo of the start has passed
HOLE = 3  # batches; readings further apart than that hide what happened in between
FLOOR = 0.003  # of the rate, 95 %: what does not average out, such as headers reckoned per segment and the timing of readings
METHOD = "95 %: 16 batch means as an autoregression, averaged over correlation times, Student's t"


def steady_interval(samples: Sequence[tuple[float, float]], *, rtt: float) -> tuple[float, float, float] | None:
    """The mean rate and its 95 % interval (mean, low, high) in bit/s, or None when the phase is too short or nothing came.

    samples: (seconds, bytes so far) of the steady phase only; the first one is where it begins, at any time and count.
    rtt: round-trip time in seconds. Counts that fall, times that do not rise and numbers that are none give None.
    """
    found = steady_mean(samples, rtt=rtt)
    if found is None:
        return None
    mean, error = found
    return mean, max(0.0, mean - STUDENT * error), mean + STUDENT * error


def steady_mean(samples: Sequence[tuple[float, float]], *, rtt: float) -> tuple[float, float] | None:
    """The mean rate and its standard error in bit/s, FLOOR included; the rest as in `steady_interval`."""
    rates = _batch_rates(samples, rtt)
    if rates is None:
        return None
    mean = sum(rates) / BATCHES
    if mean <= 0:
        return None
    length = (samples[-1][0] - samples[0][0]) / BATCHES
    variance = _variance([rate / mean - 1 for rate in rates], length, max(SLOWEST, CYCLE * rtt))
    return mean, mean * math.hypot(math.sqrt(variance), FLOOR / STUDENT)


def probability_below(ratio: float) -> float:
    """The chance that Student's t with BATCHES - 1 degrees of freedom is below `ratio` (Abramowitz, Stegun, 26.7.3)."""
    angle = math.atan2(ratio, math.sqrt(BATCHES - 1))
    term = total = math.cos(angle)
    for power in range(2, BATCHES - 2, 2):
        term *= power / (power + 1) * math.cos(angle) ** 2
        total += term
    return 0.5 + (angle + math.sin(angle) * total) / math.pi


def _batch_rates(samples: Sequence[tuple[float, float]], rtt: float) -> list[float] | None:
    """The rates of BATCHES equal parts in bit/s, with counts on straight lines between the readings."""
    if len(samples) <= BATCHES or not math.isfinite(rtt) or not all(map(math.isfinite, samples[0] + samples[-1])):
        return None
    start, end = samples[0][0], samples[-1][0]
    total = end - start
    if total < max(SHORTEST, ROUND_TRIPS * rtt) - 1e-9:
        return None
    length = total / BATCHES
    for before, after in pairwise(samples):
        # Written so that a NaN fails it too.
        if not (0 < after[0] - before[0] <= HOLE * length and after[1] >= before[1]):
            return None
    marks = [samples[0][1]]
    for index in range(1, BATCHES):
        moment = start + index * length
        place = bisect_left(samples, (moment,))
        (t0, n0), (t1, n1) = samples[place - 1], samples[place]
        marks.append(n0 + (n1 - n0) * (moment - t0) / (t1 - t0))
    marks.append(samples[-1][1])
    return [8 * (after - before) / length for before, after in pairwise(marks)]


def _variance(noise: list[float], length: float, slowest: float) -> float:
    """The variance of the mean of `noise`, batches of `length` seconds, averaged over LUMPED and times up to `slowest`."""
    step = (slowest / FASTEST) ** (1 / (TIMES - 1))
    memories = [math.exp(-length / (FASTEST * step**index)) for index in range(TIMES)]
    fits = [_fit(noise, memory) for memory in (*LUMPED, *memories)]
    best = max(weight for weight, _ in fits)
    weights = [math.exp(weight - best) for weight, _ in fits]
    return sum(weight * variance for weight, (_, variance) in zip(weights, fits, strict=True)) / sum(weights)


def _fit(noise: list[float], memory: float) -> tuple[float, float]:
    """The log marginal likelihood, and the variance of the plain mean, if consecutive batches correlate by `memory`.

    The inverse of an autoregression's correlation matrix has three diagonals, so that nothing here needs a matrix.
    """
    count = len(noise)
    innovation = 1 - memory * memory
    information = (count - (count - 2) * memory) / (1 + memory)
    inner, ends = sum(noise[1:-1]), noise[0] + noise[-1]
    centre = (inner * (1 - memory) + ends) / (1 + memory) / information
    off = [value - centre for value in noise]
    squares = sum(value * value for value in off)
    inside = squares - off[0] ** 2 - off[-1] ** 2
    cross = sum(before * after for before, after in pairwise(off))
    # Noise far below the floor must not decide the weights by rounding errors.
    misfit = max((squares + memory * memory * inside - 2 * memory * cross) / innovation, 1e-12)
    evidence = -((count - 1) * math.log(innovation * misfit) + math.log(information)) / 2
    inflation = 1 + 2 * sum((1 - lag / count) * memory**lag for lag in range(1, count))
    return evidence, misfit / (count - 1) * inflation / count
