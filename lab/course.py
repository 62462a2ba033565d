"""THE VIRTUAL SCHOOL's line over time: how the rate of one direction changes, in steps, at random, or both.

Steps are moments after an origin, and a period after which they begin anew. The wobble is a first-order autoregressive
process in the logarithm of the rate, the plain model of a quantity that drifts about a level and forgets where it was: every
tenth of its time it moves, and between two moves the rate stands still. Its factor is log-normal with mean exactly 1, so the
long-run mean rate is the one that was asked for.
"""

import math
import random
import sys
from bisect import bisect_right
from collections.abc import Sequence

from lab.link import SECOND, Direction, Turn, Wobble

LOAD = 256 * 1024  # bytes of IP packets in one direction; no handshake, page or ping comes near, and any test passes it at once
NEVER = sys.maxsize
MOVES = 10  # of the wobble in each of its times


def rate_at(rate: float, turns: Sequence[Turn], period: float, since: float) -> tuple[float, float]:
    """Bit/s at `since` s after the origin, and for how many s more. Each period begins with `rate` again; 0: no period."""
    into = since % period if period else since
    passed = bisect_right([turn.at for turn in turns], into)
    following = turns[passed].at if passed < len(turns) else period or math.inf
    return turns[passed - 1].rate if passed else rate, following - into


def mean_rate(rate: float, turns: Sequence[Turn], period: float, begin: float, end: float) -> float:
    """The mean capacity between two moments, bit/s; s after the origin. Before the origin it is `rate`."""
    if end <= begin:
        raise ValueError("the window has no length")
    bits, now = 0.0, begin
    while now < end:
        here, left = (rate, -now) if now < 0 else rate_at(rate, turns, period, now)
        following = min(end, max(now + left, math.nextafter(now, math.inf)))
        bits += here * (following - now)
        now = following
    return bits / (end - begin)


class Factor:
    """The wobble's factor over time. `at` answers for moments that do not go back."""

    def __init__(self, wobble: Wobble, chance: random.Random) -> None:
        self._chance = chance
        self._sigma = math.sqrt(math.log1p(wobble.deviation**2))
        self._keep = math.exp(-1 / MOVES)
        self._move = round(wobble.time * SECOND / MOVES)
        self._level = chance.gauss(0.0, 1.0)  # stationary from the first moment on
        self._until = 0

    def at(self, moment: int) -> tuple[float, int]:
        """The factor at `moment`, ns, and until when it stays. Moves that nobody saw are made as one of the same law."""
        if moment >= self._until:
            moves = (moment - self._until) // self._move + 1
            kept = self._keep ** min(moves, 1000)
            self._level = kept * self._level + math.sqrt(1 - kept * kept) * self._chance.gauss(0.0, 1.0)
            self._until += moves * self._move
        return math.exp(self._sigma * self._level - self._sigma**2 / 2), self._until


class Course:
    """The rate of a direction over time, for moments in ns since the epoch that do not go back."""

    def __init__(self, direction: Direction) -> None:
        self._direction = direction
        chance = random.Random(f"{direction.seed} {direction.take} wobble")
        self._factor = Factor(direction.wobble, chance) if direction.wobble else None

    def at(self, moment: int, origin: int) -> tuple[float, int]:
        """Bit/s at `moment`, and until when; `origin` is 0 while it is not known. The end is later than `moment`."""
        plan = self._direction
        rate, until = plan.rate, NEVER
        if origin and moment < origin:
            until = origin
        elif origin:
            rate, left = rate_at(plan.rate, plan.turns, plan.period, (moment - origin) / SECOND)
            until = NEVER if left == math.inf else moment + max(1, round(left * SECOND))
        if self._factor is None:
            return rate, until
        factor, moved = self._factor.at(moment)
        return rate * factor, min(until, moved)
