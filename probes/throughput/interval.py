"""How sure a rate is: batch means over the test. Pure arithmetic.

Consecutive readings of a TCP transfer depend on each other, so their spread says too little. Means over batches that are
long against the round-trip time depend on each other much less (Law, "Simulation Modeling and Analysis", batch means).
"""

import math
from collections.abc import Sequence
from itertools import pairwise

BATCH = 1.0  # s; many round trips on any line that a school may have
FEWEST = 3  # batches; two give Student's t of 12.7, an interval that says nothing
METHOD = "95 %: means of 1-second batches, Student's t"

# Student's t, two-sided 95 %, by degrees of freedom from 1 (any table; NIST/SEMATECH e-Handbook 1.3.6.7.2).
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)


def bytes_at(samples: Sequence[tuple[float, float]], moment: float) -> float:
    """The count at `moment`, on straight lines between (seconds, count) samples that begin at (0, 0) or later."""
    before = (0.0, 0.0)
    for sample in samples:
        if sample[0] >= moment:
            span = sample[0] - before[0]
            return before[1] if span <= 0 else before[1] + (sample[1] - before[1]) * (moment - before[0]) / span
        before = sample
    return before[1]


def rate_interval(samples: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """The 95 % interval in bit/s round the mean rate of the whole test, or None when the test was too short to tell.

    samples: (seconds since the start, bytes so far), both rising; the last one ends the test.
    """
    if not samples:
        return None
    total = samples[-1][0]
    count = min(int(total / BATCH + 0.1), len(_T) + 1)
    if count < FEWEST or len(samples) < count:
        return None
    length = total / count
    marks = [bytes_at(samples, length * index) for index in range(count + 1)]
    rates = [8 * (after - before) / length for before, after in pairwise(marks)]
    mean = sum(rates) / count
    deviation = math.sqrt(sum((rate - mean) ** 2 for rate in rates) / (count - 1))
    reach = _T[count - 2] * deviation / math.sqrt(count)
    return max(0.0, mean - reach), mean + reach
