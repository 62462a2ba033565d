"""The links that the throughput rule was chosen on, and those that it is judged on. No link is in both."""

import math
import random

import msgspec

from lab import Step, Wan, Wobble


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A line both ways. `hard` says in a word what is wrong with it; "" is a clean one.

    cross     bit/s, shape and streams of other traffic in the tested direction: datagrams of `rate`, or TCP `streams`
    """

    rate: float
    rtt: float
    buffer: float
    hard: str = ""
    loss: float = 0.0
    policer: int = 0
    steps: tuple[Step, ...] = ()
    wobble: Wobble | None = None
    cross_rate: float = 0.0
    cross_shape: str = "constant"
    cross_streams: int = 0
    seed: int = 1

    @property
    def name(self) -> str:
        """Rate, round trip, buffer, and what is hard about it."""
        plain = f"{self.rate / 1e6:g} Mbit/s, {self.rtt * 1e3:g} ms, buffer {self.buffer * 1e3:g} ms"
        return f"{plain}: {self.hard}" if self.hard else plain

    @property
    def wan(self) -> Wan:
        """As the lab wants it."""
        extra = {} if self.wobble is None else {"wobble": self.wobble}
        return Wan(
            down=self.rate,
            up=self.rate,
            delay=self.rtt / 2,
            buffer=self.buffer,
            loss=self.loss,
            policer=self.policer,
            steps=self.steps,
            seed=self.seed,
            **extra,
        )


def clean(rate: float, rtt: float, buffer: float) -> Link:
    """Mbit/s, ms and ms."""
    return Link(rate=rate * 1e6, rtt=rtt / 1e3, buffer=buffer / 1e3)


def hard(word: str, rate: float, rtt: float, buffer: float, **extra: object) -> Link:
    """A clean link with something wrong."""
    return msgspec.structs.replace(clean(rate, rtt, buffer), hard=word, **extra)


TUNING = (
    clean(10, 60, 100),
    clean(20, 20, 25),
    clean(100, 2, 25),
    clean(100, 20, 25),
    clean(100, 60, 25),
    clean(300, 20, 50),
    clean(1000, 2, 25),
    clean(1000, 20, 25),
    clean(1000, 60, 25),
    clean(1000, 10, 40),
    clean(1000, 12, 50),
    clean(1000, 35, 100),
    clean(200, 100, 10),
    clean(600, 110, 60),
    clean(1000, 100, 30),
    hard("loss 0.3 %", 100, 30, 50, loss=0.003),
    hard("policer, 4 MB of burst", 80, 20, 25, policer=4_000_000),
    hard("a third is taken by datagrams", 100, 20, 50, cross_rate=33e6, cross_shape="poisson"),
    hard("falls to half after 0.4 s", 100, 20, 50, steps=(Step(at=0.4, down=50e6, up=50e6),)),
)


def drawn(count: int, seed: int, *, slowest: float = 8) -> tuple[Link, ...]:
    """Clean links at random: up to 1000 Mbit/s, round trips of 2 to 120 ms, buffers of 10 to 250 ms, all log-uniform."""
    chance = random.Random(seed)
    ranges = ((slowest, 1000), (2, 120), (10, 250))
    return tuple(
        clean(*(float(f"{math.exp(chance.uniform(math.log(low), math.log(high))):.2g}") for low, high in ranges))
        for _ in range(count)
    )


GIGABIT = drawn(4, seed=1123, slowest=1000)
VALIDATION = (*drawn(16, seed=1122), *GIGABIT)


def wobbling(count: int, seed: int) -> tuple[Link, ...]:
    """Lines at random whose rate wobbles by 1 to 20 % with a memory of 10 to 500 ms, log-uniform; 20 to 100 Mbit/s."""
    chance = random.Random(seed)
    ranges = ((20e6, 100e6), (0.005, 0.06), (0.01, 0.2), (0.01, 0.5))
    found = []
    for number in range(count):
        rate, rtt, deviation, memory = (math.exp(chance.uniform(math.log(low), math.log(high))) for low, high in ranges)
        wobble = Wobble(deviation=deviation, time=memory)
        found.append(Link(rate=rate, rtt=rtt, buffer=0.08, hard="wobbles", wobble=wobble, seed=number + 1))
    return tuple(found)


WOBBLES = wobbling(20, seed=2211)

# The corners of the same ranges, where TCP itself has trouble; told apart because a random draw seldom meets them.
CORNERS = (
    clean(8, 12, 40),
    clean(8, 120, 250),
    clean(25, 70, 10),
    clean(150, 35, 10),
    clean(250, 110, 20),
    clean(700, 90, 30),
    clean(1000, 4, 10),
    clean(1000, 120, 40),
)

# On which the choice between BBR and CUBIC was made.
SENDERS = (clean(200, 100, 10), clean(600, 110, 60), clean(1000, 60, 25), clean(1000, 100, 30))

# Beside the other methods: slow and near, and fast and far.
PEERS = (clean(25, 30, 100), clean(60, 120, 100), clean(400, 80, 40), clean(1000, 30, 70))

HARD = (
    hard("loss 0.1 %", 50, 40, 40, loss=0.001),
    hard("loss 1 %", 50, 15, 40, loss=0.01),
    hard("loss 1 %", 200, 80, 100, loss=0.01),
    hard("policer, 1 MB of burst", 20, 25, 25, policer=1_000_000),
    hard("policer, 8 MB of burst", 150, 12, 25, policer=8_000_000),
    hard("policer, 25 MB of burst", 60, 40, 25, policer=25_000_000),
    hard("40 % taken by datagrams", 120, 30, 60, cross_rate=48e6),
    hard("half taken by bursts of datagrams", 60, 15, 30, cross_rate=30e6, cross_shape="bursts"),
    hard("one other TCP download", 90, 25, 60, cross_streams=1),
    hard("four other TCP downloads", 90, 25, 60, cross_streams=4),
    hard("falls to 40 % after 0.6 s", 120, 18, 40, steps=(Step(at=0.6, down=48e6, up=48e6),)),
    hard("triples after 0.5 s", 120, 18, 40, steps=(Step(at=0.0, down=40e6, up=40e6), Step(at=0.5, down=120e6, up=120e6))),
    hard("wobbles by 15 %", 70, 28, 80, wobble=Wobble(deviation=0.15, time=0.1)),
    hard("wobbles by 30 %", 40, 45, 120, wobble=Wobble(deviation=0.3, time=0.3)),
)
