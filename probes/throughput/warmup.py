"""Where the steady phase of a transfer begins. Pure arithmetic.

Three things come before it: the ramp-up, the dip with which BBR drains the queue that its start-up made, and the burst credit
of a policed line. The first is told by its rise, the second by coming within a few round trips, the third by being much
faster than what follows. Nothing else is left out. The usual rule, "the beginning whose rest has the least standard error"
(MSER; White 1997), looks for quiet and finds it: with other traffic coming and going it keeps the last quiet spell and calls
that the line, and the interval round it is as narrow as it is wrong. It is used here only within those bounds.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

WINDOW = 0.05  # s, or the round trip if that is longer: one step of the ramp-up
FLAT = 1.1  # slow start doubles in a round trip; a window with no more than this over the one before is no slow start
ROUND_TRIPS = 2  # nothing before counts as steady
SLOT = 0.02  # s, or a quarter of a round trip: the resolution for what comes after the ramp-up
DRAIN_ROUND_TRIPS = 12  # from the first byte: start-up takes five or six, noticing its end three long ones, the drain one
BURST = 1.3  # ratio of what is left out to what is kept; other traffic takes and gives back less than that, mostly
KEPT = 0.6  # of the time since the ramp-up; a steady phase chosen out of more than it holds would be chosen for its looks

Samples = Sequence[tuple[float, float]]


def steady_start(samples: Samples, *, rtt: float) -> int | None:
    """The index of the reading with which the steady phase begins, or None while there is none.

    samples: (seconds, bytes so far) from the start of the transfer; rtt: round-trip time of the empty line in seconds.
    """
    begin = ramp_end(samples, rtt=rtt)
    if begin is None:
        return None
    width = max(SLOT, rtt / 4)
    marks = [begin]
    # Slots end at readings, and rates are taken over the time that really passed.
    while (place := bisect_left(samples, (samples[marks[-1]][0] + width * (1 - 1e-6),), lo=marks[-1] + 1)) < len(samples):
        marks.append(place)
    pairs = [(samples[before], samples[after]) for before, after in pairwise(marks)]
    rates = [(n1 - n0) / (t1 - t0) for (t0, n0), (t1, n1) in pairs]
    most = int(len(rates) * (1 - KEPT))
    cut = _quietest(rates, most)
    if cut and sum(rates[:cut]) / cut >= BURST * sum(rates[cut:]) / (len(rates) - cut):
        return marks[cut]
    drained = samples[_before_first(samples) or 0][0] + DRAIN_ROUND_TRIPS * rtt
    early = sum(1 for mark in marks[: most + 1] if samples[mark][0] <= drained)
    return marks[_quietest(rates, max(0, early - 1))]


def ramp_end(samples: Samples, *, rtt: float) -> int | None:
    """The index of the reading from which on the rate rises no more, or None while it does.

    From the first byte on, in windows of a round trip or WINDOW: the first window after ROUND_TRIPS such that neither it nor
    its successor rises above its predecessor by more than FLAT. Looking at the ramp only keeps chance out of the rest.
    """
    first = _before_first(samples)
    if first is None or not math.isfinite(rtt) or not math.isfinite(samples[-1][0]):
        return None
    places = [first]
    start = samples[first][0]
    width = max(WINDOW, rtt)
    rates: list[float] = []
    while len(places) <= (samples[-1][0] - start) / width:
        place = bisect_left(samples, (start + len(places) * width,), lo=places[-1] + 1)
        if place >= len(samples):
            return None
        span = samples[place][0] - samples[places[-1]][0]
        if not span > 0:
            return None
        rates.append((samples[place][1] - samples[places[-1]][1]) / span)
        places.append(place)
        if len(rates) > ROUND_TRIPS:
            before, here, after = rates[-3:]
            if 0 < here <= FLAT * before and after <= FLAT * here:
                return places[-3]
    return None


def _before_first(samples: Samples) -> int | None:
    """The reading before the first byte: when exactly that arrived is not known better."""
    return next((index - 1 for index, sample in enumerate(samples) if sample[1] > samples[0][1]), None)


def _quietest(rates: Sequence[float], most: int) -> int:
    """How many of the first rates, at most `most`, to leave out for the least standard error of the mean of the others."""
    best, least = 0, math.inf
    total = squares = 0.0
    for count, rate in enumerate(reversed(rates), start=1):
        total += rate
        squares += rate * rate
        if len(rates) - count <= most and count > 1:
            error = max(0.0, squares / count - (total / count) ** 2) / count
            if error <= least:
                best, least = len(rates) - count, error
    return best
