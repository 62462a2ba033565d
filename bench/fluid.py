"""A fluid model of several TCP streams over one bottleneck, in steps of a millisecond; no network.

Drop-tail queue, round-trip time, random loss, a rate that wobbles, cross traffic, a policer with burst credit. It is meant to
make a receiver's counts as awkward as those of real lines, not to predict anybody's rate: CUBIC (RFC 9438, with HyStart's delay
test) and a BBR that knows start-up, drain and the cycle of gains.
"""

import math
import random
from collections import deque
from collections.abc import Iterator

import msgspec

STEP = 0.001  # s
READ = 0.02  # s between two readings, a little more by chance
MSS = 1448  # bytes
STARTUP, DRAIN = 2.89, 0.35  # BBR's gains
CYCLE = (1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A bottleneck. rate: bit/s of TCP payload in the long run; buffer: seconds of it; wobble: relative standard deviation."""

    rate: float
    rtt: float = 0.02
    buffer: float = 0.05
    loss: float = 0.0
    wobble: float = 0.0
    memory: float = 0.1
    cross: tuple[float, float, float] = (0.0, 0.1, 0.1)  # share of the rate taken, mean seconds on, mean seconds off
    credit: float = 0.0  # bytes that pass at the rate before the policer holds the line to `sustained`
    sustained: float = 0.0

    @property
    def left(self) -> float:
        """The long-run rate in bit/s that the policer lets pass and cross traffic leaves."""
        if self.sustained:
            return self.sustained
        share, on, off = self.cross
        return self.rate * (1 - share * on / (on + off))


class Stream:
    """One sender: "cubic" or "bbr", never faster than `pace` packets a second."""

    def __init__(self, kind: str, pace: float, rtt: float, chance: random.Random) -> None:
        self.bbr = kind == "bbr"
        self.pace = pace
        self.rtt = rtt
        self.window = 10.0
        self.threshold = math.inf
        self.flight = 0.0
        self.tokens = 0.0
        self.lost = chance.random()  # a fraction of a packet, so that streams do not lose in step
        self.recovery = 0.0  # no second reduction before
        self.peak = 0.0  # CUBIC's W_max
        self.epoch = 0.0
        self.climb = 0.0  # CUBIC's K
        self.floor = 0.0  # Reno's window, below which CUBIC does not stay
        self.rates: deque[float] = deque(maxlen=10)
        self.gain = STARTUP
        self.phase = chance.randrange(2, 8)
        self.round = 0.0
        self.least = math.inf
        self.acked = 0.0
        self.flat = 0

    def send(self) -> float:
        """Packets for this step."""
        pace = self.pace
        if self.bbr and self.rates:
            pace = min(pace, self.gain * max(self.rates))
        if pace < math.inf:
            self.tokens = min(self.tokens + pace * STEP, pace * STEP + 2)
        else:
            self.tokens = math.inf
        sent = max(0.0, min(self.window - self.flight, self.tokens))
        self.tokens -= sent
        self.flight += sent
        return sent

    def hear(self, now: float, got: float, missed: float, delay: float) -> None:
        """Acknowledged and lost packets of this step; delay is the present round-trip time."""
        busy = self.flight > self.window / 2
        self.flight -= got + missed
        self.lost += missed
        if self.bbr:
            self._measure(now, got, delay)
            return
        if self.lost >= 1:
            self.lost %= 1
            if now > self.recovery:
                self.recovery = now + delay
                self.peak, self.epoch = self.window, now
                self.climb = (self.peak * 0.3 / 0.4) ** (1 / 3)
                self.window = self.floor = max(2.0, 0.7 * self.window)
                self.threshold = self.window
                return
        if not busy or now <= self.recovery:
            return
        if self.window < self.threshold:
            self.window += got
            self.least = min(self.least, delay)
            if now - self.round >= delay:
                # HyStart: a queue that stands through a whole round, not the burst of a window.
                if self.window >= 16 and self.least > self.rtt + min(0.016, max(0.004, self.rtt / 8)):
                    self.threshold = self.window
                self.round, self.least = now, math.inf
            return
        if not self.peak:
            self.peak, self.epoch, self.floor = self.window, now, self.window
        cubic = 0.4 * (now - self.epoch - self.climb) ** 3 + self.peak
        self.floor += 0.53 * got / self.window
        self.window = max(self.window, min(max(cubic, self.floor), self.window + got / 2))

    def _measure(self, now: float, got: float, delay: float) -> None:
        self.acked += got
        best = max(self.rates, default=0.0)
        if self.gain == STARTUP:
            self.window += got
        drained = self.gain < 1 and self.rates and self.flight <= best * self.rtt
        if now - self.round < delay:
            if drained:
                self._next()
            return
        rate = self.acked / (now - self.round)
        self.rates.append(rate)
        self.round, self.acked = now, 0.0
        if self.gain == STARTUP:
            self.flat = self.flat + 1 if rate < 1.25 * best else 0
            if self.flat >= 3:
                self.gain = DRAIN
            return
        if self.gain != DRAIN or drained:
            self._next()
        self.window = max(4.0, 2 * max(self.rates) * self.rtt + 3)

    def _next(self) -> None:
        self.phase = (self.phase + 1) % 8 if self.gain != DRAIN else self.phase
        self.gain = CYCLE[self.phase]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a test can know at a moment: payload bytes arrived, share of segments lost, mean queueing delay lately (s)."""

    seconds: float
    count: float
    loss: float
    queue: float


class Bottleneck:
    """The line's state: its rate of the moment, its queue, its policer."""

    def __init__(self, line: Line, chance: random.Random) -> None:
        self.line = line
        self.chance = chance
        self.queue: deque[list] = deque()  # [packets left, of each stream, lost of each stream, step of arrival]
        self.held = 0.0
        self.room = max(2.0, line.buffer * line.rate / 8 / MSS)
        self.drift = chance.gauss(0, 1)
        self.keep = math.exp(-STEP / line.memory)
        self.fresh = math.sqrt(1 - self.keep * self.keep)
        _, on, off = line.cross
        self.other = chance.random() < on / (on + off)
        self.until = 0.0
        self.credit = line.credit
        self.arrived = 0.0

    def capacity(self, now: float) -> float:
        """Packets that the line carries in this step."""
        line, capacity = self.line, self.line.rate / 8 / MSS * STEP
        if line.wobble:
            self.drift = self.keep * self.drift + self.fresh * self.chance.gauss(0, 1)
            capacity *= max(0.05, 1 + line.wobble * self.drift)
        share, on, off = line.cross
        if share:
            if now >= self.until:
                self.other = not self.other
                self.until = now + self.chance.expovariate(1 / (on if self.other else off))
            if self.other:
                capacity *= 1 - share
        return capacity

    def take(self, tick: int, going: list[float], capacity: float) -> float:
        """Queue what the streams send; the packets that policer, full queue and chance drop."""
        total = sum(going)
        if not total:
            return 0.0
        passed = total
        if self.line.sustained:
            self.credit = min(self.line.credit, self.credit + self.line.sustained / 8 * STEP)
            passed = min(passed, self.credit / MSS)
            self.credit -= passed * MSS
        kept = min(passed, max(0.0, self.room + capacity - self.held)) / total
        got = [amount * kept for amount in going]
        if self.line.loss:
            got = [max(0.0, one - 1) if self.chance.random() < self.line.loss * one else one for one in got]
        rest = sum(got)
        self.queue.append([rest, got, [amount - one for amount, one in zip(going, got, strict=True)], tick])
        self.held += rest
        return total - rest

    def carry(self, tick: int, capacity: float) -> list[tuple[list[float], list[float], float]]:
        """What leaves in this step: packets of each stream, the losses noticed with them, and how long they waited (s)."""
        out = []
        while self.queue and capacity >= self.queue[0][0]:
            amount, got, lost, since = self.queue.popleft()
            capacity -= amount
            self.held -= amount
            self.arrived += amount
            out.append((got, lost, (tick - since) * STEP))
        if self.queue and capacity > 0:
            chunk = self.queue[0]
            part = capacity / chunk[0]
            out.append(([one * part for one in chunk[1]], [0.0] * len(chunk[1]), (tick - chunk[3]) * STEP))
            chunk[0] -= capacity
            chunk[1] = [one * (1 - part) for one in chunk[1]]
            self.held -= capacity
            self.arrived += capacity
        return out


def transfer(line: Line, *, kind: str, streams: int, pace: float, seconds: float, seed: float) -> Iterator[Reading]:
    """Readings of a transfer by `streams` senders of a kind ("cubic", "bbr"), together paced at `pace` bit/s of payload."""
    chance = random.Random(seed)
    senders = [Stream(kind, pace / 8 / MSS / streams, line.rtt, chance) for _ in range(streams)]
    neck = Bottleneck(line, chance)
    back = max(1, round(line.rtt / STEP))
    echoes: list[list[tuple[list[float], list[float], float]]] = [[] for _ in range(back)]
    sent = missed = 0.0
    waits: deque[float] = deque([0.0], maxlen=250)
    due = READ + chance.random() * STEP
    for tick in range(round(seconds / STEP) + 1):
        now = tick * STEP
        for got, lost, wait in echoes[tick % back]:
            for sender, ok, gone in zip(senders, got, lost, strict=True):
                sender.hear(now, ok, gone, line.rtt + wait)
        going = [sender.send() for sender in senders]
        sent += sum(going)
        capacity = neck.capacity(now)
        missed += neck.take(tick, going, capacity)
        # The echo takes the place of what was heard in this step, and is heard a round trip later.
        echoes[tick % back] = neck.carry(tick, capacity)
        waits.extend(wait for _, _, wait in echoes[tick % back])
        if now >= due:
            due = now + READ + chance.random() * 2 * STEP
            yield Reading(
                seconds=now,
                count=float(int(neck.arrived) * MSS),
                loss=missed / sent if sent else 0.0,
                queue=sum(waits) / len(waits),
            )
