"""Months of one school's Wi-Fi, simulated: who was there when, under which made-up hardware address. The truth is known.

The estimator is told addresses, hours, fingerprints and networks, never devices. Two worlds are drawn: the one that its band
was found on, and another to judge it by, where people come and go by other rules and addresses change by other clocks.
"""

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from census.randoms import Trace

START = datetime(2026, 3, 2, 8, tzinfo=UTC)  # a Monday
HABITS = ("fixed", "network", "days", "daily", "chance", "connection")
Weights = Callable[[random.Random], Sequence[float]]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """How one device behaves.

    habit   "fixed"; "network" (an address for each network); "days" (another every `period` days); "daily"; "chance" (another
            on a day with chance 1 / `period`); "connection" (another when it was away for an hour, and now and then in between)
    days    the school days on which it comes
    hours   the hours of a day in which it is there, and `awake` the chance that it is heard of in one of them
    other   chance to be in the second network in an hour
    """

    like: str
    habit: str
    period: float
    days: Sequence[int]
    hours: range
    awake: float
    other: float


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen, and how many devices there were behind it."""

    traces: tuple[Trace, ...]
    devices: int


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a month is drawn from: least and most of each.

    comes      mean chance that a device is there on a school day
    spread     how alike devices are in that: the sum of the two parameters of a beta distribution
    timetable  chance that people come by a timetable (some all week, some on fixed weekdays) and not by chance day by day
    heard      chance that a device which is awake in an hour is seen in it
    likes      fingerprints that devices are told apart by
    period     days between two addresses
    visitors   share of the devices that come for one to three days; `events` of those days bring most of them
    churn      share of the others that come later or leave earlier
    pure       chance that all devices of one fingerprint have one habit
    rare       share of the devices whose fingerprint nobody else has
    told       share of the addresses whose fingerprint was heard; in every second month it is all of them
    second     share of the devices that use two networks
    updates    share of the devices whose fingerprint changes in the month
    trips      days on which many are away
    twice      chance that one look sees two addresses of a device that takes another for each connection
    every      hours between two looks at the network
    """

    devices: tuple[float, float]
    days: tuple[int, int]
    hours: tuple[int, int]
    comes: tuple[float, float]
    spread: tuple[float, float]
    timetable: float
    awake: tuple[float, float]
    heard: tuple[float, float]
    likes: tuple[int, int]
    period: tuple[float, ...]
    visitors: tuple[float, float]
    events: int
    churn: tuple[float, float]
    pure: float
    rare: tuple[float, float]
    told: tuple[float, float]
    second: tuple[float, float]
    updates: tuple[float, float]
    trips: int
    twice: tuple[float, float]
    every: tuple[int, ...]


# What the band was found on, and what it is judged on.
FOUND_ON = World(
    devices=(15, 900),
    days=(12, 33),
    hours=(6, 9),
    comes=(0.7, 0.97),
    spread=(4, 60),
    timetable=0.0,
    awake=(0.35, 1.0),
    heard=(0.7, 1.0),
    likes=(2, 40),
    period=(2, 3, 5, 8, 10, 12, 16, 21, 28),
    visitors=(0.0, 0.25),
    events=0,
    churn=(0.0, 0.15),
    pure=0.5,
    rare=(0.0, 0.1),
    told=(0.0, 1.0),
    second=(0.0, 0.3),
    updates=(0.0, 0.03),
    trips=2,
    twice=(0.0, 0.1),
    every=(1, 1, 2, 4, 8),
)
JUDGED_ON = World(
    devices=(40, 1500),
    days=(26, 31),
    hours=(5, 10),
    comes=(0.8, 0.95),
    spread=(8, 30),
    timetable=0.5,
    awake=(0.5, 0.95),
    heard=(0.8, 1.0),
    likes=(1, 80),
    period=(4, 7, 14, 15),
    visitors=(0.02, 0.2),
    events=2,
    churn=(0.02, 0.1),
    pure=0.3,
    rare=(0.0, 0.05),
    told=(0.3, 0.95),
    second=(0.0, 0.2),
    updates=(0.0, 0.05),
    trips=4,
    twice=(0.0, 0.05),
    every=(1, 2, 3, 4),
)


def only(habit: str) -> Weights:
    """Every device has one habit."""
    return lambda _chance: [float(each == habit) for each in HABITS]


def any_mix(chance: random.Random) -> Sequence[float]:
    """Shares of the habits, often with one that is much larger than the rest."""
    return [chance.expovariate(1.0) ** 2 for _ in HABITS]


def shares(**given: float) -> Weights:
    """About the given shares, a little different for each fingerprint."""
    return lambda chance: [given.get(habit, 0.0) * chance.uniform(0.5, 1.5) for habit in HABITS]


def draw(world: World, chance: random.Random, weights: Weights) -> Month:
    """One month: `weights` gives the shares of HABITS among the devices of one fingerprint."""
    calendar = _calendar(chance.randint(*world.days), chance)
    school = _School(world, calendar, chance, weights)
    traces: list[Trace] = []
    devices = 0
    for index in range(round(math.exp(chance.uniform(*map(math.log, world.devices))))):
        found = _addresses(school, school.device(index), index)
        devices += bool(found)
        traces += found
    return Month(traces=tuple(traces), devices=devices)


def _calendar(days: int, chance: random.Random) -> list[int]:
    """The school days of a month, as days since its first Monday; now and then a holiday."""
    return [day for day in range(days) if day % 7 < 5 and chance.random() > 0.03] or [0]


class _School:
    """One month's own figures, and the devices drawn from them."""

    def __init__(self, world: World, calendar: list[int], chance: random.Random, weights: Weights) -> None:
        def one(low_high: tuple[float, float]) -> float:
            return chance.uniform(*low_high)

        self.calendar, self.chance, self.world = calendar, chance, world
        self.hours = chance.randint(*world.hours)
        self.comes, self.spread, self.awake, self.heard = (
            one(world.comes),
            one(world.spread),
            one(world.awake),
            one(world.heard),
        )
        self.visitors, self.churn, self.rare = one(world.visitors), one(world.churn), one(world.rare)
        self.second, self.updates, self.every = one(world.second), one(world.updates), chance.choice(world.every)
        self.timetable = chance.random() < world.timetable
        self.twice = one(world.twice)
        self.told = one(world.told) if chance.random() < 0.5 else 1.0
        self.trips = {day: one((0.3, 1.0)) for day in chance.sample(calendar, min(world.trips, len(calendar)))}
        self.events = chance.sample(calendar, min(world.events, len(calendar)))
        self.likes = chance.randint(*world.likes)
        self.ranks = [1 / (rank + 1) ** one((0.3, 1.6)) for rank in range(self.likes)]
        self.groups = [self._group(weights) for _ in range(self.likes)]

    def _group(self, weights: Weights) -> tuple[list[float], float]:
        shares = list(weights(self.chance))
        if self.chance.random() < self.world.pure:
            kept = self.chance.choices(range(len(shares)), shares)[0]
            shares = [float(index == kept) for index in range(len(shares))]
        return shares, self.chance.choice(self.world.period)

    def device(self, index: int) -> Device:
        chance = self.chance
        like = chance.choices(range(self.likes), self.ranks)[0]
        weights, period = self.groups[like]
        begins = 0 if chance.random() < 0.8 else chance.randrange(self.hours)
        ends = self.hours if chance.random() < 0.8 else chance.randint(begins + 1, self.hours)
        return Device(
            like=f"like {like}" + (f", only {index}" if chance.random() < self.rare else ""),
            habit=chance.choices(HABITS, weights)[0],
            period=period,
            days=self._days(),
            hours=range(begins, ends),
            awake=min(1.0, chance.uniform(0.6, 1.4) * self.awake),
            other=chance.uniform(0.05, 0.5) if chance.random() < self.second else 0.0,
        )

    def _days(self) -> list[int]:
        chance, calendar = self.chance, self.calendar
        if chance.random() < self.visitors:
            if self.events and chance.random() < 0.6:
                return [chance.choice(self.events)]
            first = chance.randrange(len(calendar))
            return calendar[first : first + chance.choice((1, 1, 1, 2, 3))]
        if self.timetable:
            weekdays = set(range(5)) if chance.random() < 0.75 else set(chance.sample(range(5), chance.randint(2, 4)))
            days = [day for day in calendar if day % 7 in weekdays and chance.random() < 0.96 * self.trips.get(day, 1.0)]
        else:
            comes = chance.betavariate(self.comes * self.spread, (1 - self.comes) * self.spread)
            days = [day for day in calendar if chance.random() < comes * self.trips.get(day, 1.0)]
        if chance.random() < self.churn:
            cut = chance.choice(calendar)
            later = chance.random() < 0.5
            days = [day for day in days if (day >= cut) is later]
        return days


def _addresses(school: _School, device: Device, index: int) -> list[Trace]:
    """The addresses that one device used, and the hours in which each was seen."""
    chance = school.chance
    seen: dict[tuple[str, int], list[datetime]] = {}
    likes: dict[tuple[str, int], str] = {}
    phase, generation, before = chance.uniform(0, device.period), 0, -9
    updated = chance.choice(school.calendar) if chance.random() < school.updates else math.inf
    for day in device.days:
        like = device.like + (", new version" if day >= updated else "")
        if device.habit == "daily" or (device.habit == "chance" and chance.random() < 1 / device.period):
            generation += 1
        elif device.habit == "days":
            generation = math.floor((day + phase) / device.period)
        for hour in device.hours:
            if chance.random() > device.awake:
                continue
            at = day * 24 + hour
            if device.habit == "connection" and (at - before > 1 or chance.random() < 0.1):
                generation += 1
            before = at
            network = "guests" if chance.random() < device.other and device.habit != "fixed" else "school"
            if chance.random() > school.heard or hour % school.every:
                continue
            again = device.habit == "connection" and chance.random() < school.twice
            for _ in range(1 + again):
                generation += again
                seen.setdefault((network, generation), []).append(START + timedelta(hours=at))
                likes[network, generation] = like
    return [
        Trace(
            key=f"{index} {network} {generation}",
            seen=tuple(hours),
            like=likes[network, generation] if chance.random() < school.told else "",
            network=network,
        )
        for (network, generation), hours in seen.items()
    ]
