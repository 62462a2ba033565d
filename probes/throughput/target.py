"""Does the line carry at least a given rate? A sequential test on the receiver's count. Pure arithmetic.

The senders are paced a little above the asked rate and no faster. A line with less than the target is full and delivers what
it has; a line with more delivers the pace, less what its recoveries cost. So the test never needs the line's own rate.

It is Wald's sequential probability ratio test with weight functions ("Sequential Analysis", 1947, chapter 4) for what is not
known: the likelihood of the readings, averaged over every rate above the target, against that averaged over every rate
below; spread and memory of the noise are averaged out too (`spread`). It ends as soon as the ratio passes (1 - BETA) / ALPHA or
its inverse, or when the budget of bytes or time is spent without that, and then it cannot say. With ALPHA and BETA at 5 % the
errors at DELTA above and below the target are far smaller; `bench/simulate.py` prints them, and how often it cannot say.

What a yes excludes is stated with it: `seconds` and `bytes` for which the rate was held, and `credit`, the least burst credit
with which a line that is DELTA below the target could have faked it. A larger bucket of tokens cannot be told from a line.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

from probes.throughput.spread import STUDENT, probability_below, steady_mean
from probes.throughput.warmup import steady_start

ALPHA = 0.05  # chance of a yes for a line that has less than the target
BETA = 0.05  # chance of a no for a line that has more
DELTA = 0.1  # of the target; lines nearer to it than that may well be told "cannot say"
HOLD = 0.5  # s; a shorter steady phase decides nothing, whatever the ratio says: it may be one wobble, or a small credit
PACE = 1.08  # of the target, all streams together; below 1 + DELTA, above what 1 % of loss and the indifference need
SECONDS = 6.0  # the longest test
CHEAP_BYTES = 14e6  # a test may always move that much; with what is under way when it stops, 15 MB
LOAD_SECONDS = 1.12  # of the target rate; the budget of bytes for targets above 100 Mbit/s
MARGIN = 1.05  # of the pace; no paced sender sends more than that for as long as HOLD

QUEUE = 0.002  # s, or a twentieth of the round trip: a queue that stands at least so high shows that the line is full
LOSS_CONSTANT = 1.22  # sqrt(3/2): Mathis, Semke, Mahdavi, Ott 1997, rate = MSS / RTT * constant / sqrt(loss)


class Answer(StrEnum):
    """What the test says."""

    YES = "yes"
    NO = "no"
    CANNOT_SAY = "cannot-say"
    GO_ON = "go-on"


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender knows about why it sent no more.

    A no needs it: less than the target arrived, but was it the line?

    limits         words for what held it back: "receive-window", "application", "cpu", ...; any of them forbids a no
    reacts         whether its congestion control slows down for single losses (CUBIC, Reno: yes; BBR: no)
    loss           share of segments sent again, 0 to 1
    queue          s; smoothed less smallest round-trip time, typical of the steady phase: the queue that it built
    streams, mss   connections, and payload bytes of a segment
    """

    limits: tuple[str, ...] = ()
    reacts: bool = False
    loss: float = 0.0
    queue: float = 0.0
    streams: int = 1
    mss: int = 1448

    def held_back(self, *, pace: float, rtt: float) -> tuple[str, ...]:
        """The words for why a low rate may not be the line's: as given, and "loss" when TCP's own reaction explains it."""
        if not self.reacts or self.loss <= 0 or self.queue >= max(QUEUE, rtt / 20):
            return self.limits
        bound = self.streams * 8 * self.mss / max(rtt, 1e-6) * LOSS_CONSTANT / math.sqrt(self.loss)
        # The formula is an average over many cycles; twice the pace keeps clear of where it matters.
        return (*self.limits, "loss") if bound < 2 * pace else self.limits


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer so far.

    rate, interval   bit/s delivered in the steady phase and its 95 % interval; None before there is one
    log_ratio        logarithm of the likelihood ratio, above the target to below
    seconds, bytes   of the steady phase
    credit           bytes; burst credit that a line with (1 - DELTA) of the target would have needed to deliver as much
    reason           why, in a sentence
    """

    answer: Answer
    reason: str
    rate: float | None = None
    interval: tuple[float, float] | None = None
    log_ratio: float = 0.0
    seconds: float = 0.0
    bytes: float = 0.0
    credit: float = 0.0


def budget(target: float) -> int:
    """The bytes a direction may move for a target in bit/s: 14 MB, above 100 Mbit/s 1.12 s at the target rate."""
    return int(max(CHEAP_BYTES, LOAD_SECONDS * target / 8))


def decide(
    samples: Sequence[tuple[float, float]],
    *,
    target: float,
    pace: float,
    rtt: float,
    finished: bool,
    sender: Sender | None = None,
) -> Verdict:
    """What the readings so far say about "at least `target`"; cheap enough for every reading.

    samples: (seconds, bytes so far) at the receiver from the start of the test, ramp-up and all. target and pace in bit/s of
    the same layer as the bytes. finished: no more readings will come, so "go on" becomes "cannot say". Readings that make
    no sense (counts that fall, times that do not rise, more than was sent) are never a yes and never a no.
    """
    begin = steady_start(samples, rtt=rtt) if _sound(samples) else None
    steady = [] if begin is None else samples[begin:]
    found = steady_mean(steady, rtt=rtt)
    if found is None or not 0 < target < pace:
        return _open("there is no steady phase to judge", finished=finished)
    mean, error = found
    seconds, count = steady[-1][0] - steady[0][0], steady[-1][1] - steady[0][1]
    below = probability_below((target - mean) / error)
    above = probability_below((mean - target) / error)
    ratio = math.log(max(above, 1e-12) / max(below, 1e-12))
    if seconds < HOLD:
        answer, reason = Answer.GO_ON, "the rate has not been held for long enough"
    elif mean > MARGIN * pace:
        # To go on would not help, and might cost much: nothing holds this sender back.
        answer, reason = (
            Answer.CANNOT_SAY,
            "more was counted than the pace allows: the sender was not paced, or the count is wrong",
        )
    else:
        answer, reason = _answer(ratio, last_quarter=_last_quarter(steady), target=target)
    if answer is Answer.NO and (words := (sender or Sender()).held_back(pace=pace, rtt=rtt)):
        answer, reason = Answer.GO_ON, f"less than the target arrived, but the sender was held back: {', '.join(words)}"
    if answer is Answer.GO_ON and finished:
        answer = Answer.CANNOT_SAY
    return Verdict(
        answer=answer,
        reason=reason,
        rate=mean,
        interval=(max(0.0, mean - STUDENT * error), mean + STUDENT * error),
        log_ratio=ratio,
        seconds=seconds,
        bytes=count,
        credit=max(0.0, count - (1 - DELTA) * target / 8 * seconds),
    )


def _answer(ratio: float, *, last_quarter: float, target: float) -> tuple[Answer, str]:
    if ratio >= math.log((1 - BETA) / ALPHA):
        if last_quarter < target:
            return Answer.GO_ON, "the rate fell below the target towards the end: burst credit, or other traffic"
        return Answer.YES, "the target rate was held"
    if ratio <= -math.log((1 - ALPHA) / BETA):
        if last_quarter >= target:
            return Answer.GO_ON, "the rate rose to the target towards the end"
        return Answer.NO, "the line was full below the target"
    return Answer.GO_ON, "too near the target, or too unsteady, to tell"


def _sound(samples: Sequence[tuple[float, float]]) -> bool:
    """Whether time rises and the count does not fall. Comparisons with a NaN are false; infinities show at the ends."""
    if not samples or not all(map(math.isfinite, samples[0] + samples[-1])):
        return False
    return all(after[0] > before[0] and after[1] >= before[1] for before, after in pairwise(samples))


def _open(reason: str, *, finished: bool) -> Verdict:
    return Verdict(answer=Answer.CANNOT_SAY if finished else Answer.GO_ON, reason=reason)


def _last_quarter(steady: Sequence[tuple[float, float]]) -> float:
    """The rate of the last quarter of the steady phase in bit/s."""
    end = steady[-1]
    place = bisect_left(steady, (end[0] - (end[0] - steady[0][0]) / 4,))
    begin = steady[max(0, min(place, len(steady) - 2))]
    return 8 * (end[1] - begin[1]) / (end[0] - begin[0])
