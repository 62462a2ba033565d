"""How many devices are behind hardware addresses that devices make up: an interval, with its method, never a silent merging.

Telephones and laptops use an address for each network, or another every fortnight, day or connection, and no frame says which.
But two addresses that one survey sees are two devices, and so are two in one network whose first and last sights overlap, for
an address that was given up does not come back (RFC 9724). That gives a floor; the number of addresses is a ceiling.

Between the two, the interval is a band around the floor. Its width depends on how much rests on addresses of a single day, on
how regularly devices come, and on how many of them look alike. The band was found on simulated months in which habits,
attendance and visitors were drawn at random, and is judged on months drawn by other rules (bench/randoms.py).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

METHOD = "addresses in use at once, band of simulated months/1"
# Quantile regression of log(devices / floor) on `Shape.figures`, 6 % and 94 %. `python -m bench.randoms` finds them again.
LOW = (0.0059, -0.5033, 0.8613, -0.0116, 0.1433, 0.4090)
HIGH = (0.2004, -0.0236, 1.5417, 0.1508, 0.1188, 0.3392)

FEW_DAYS = 3  # below it every address is one of a single day, and the band's lower edge says nothing
# Attendance before anything is known, as days on which a device was seen of days on which it could have been.
_SEEN, _COULD = 8.0, 10.0


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One made-up hardware address.

    key      the address, or its pseudonym
    seen     the moments of the surveys that saw it, in the site's time zone
    like     what else was told of the device that sent it (its DHCP options, its system); "" if nothing was
    network  the Wi-Fi network it was in, since a device may use another address in each; "" if that is not known
    fresh    it was heard itself; otherwise it only stood in a table that remembers
    """

    key: str
    seen: tuple[datetime, ...]
    like: str = ""
    network: str = ""
    fresh: bool = True


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Between how many devices, at 90 %, by which method; `floor` of them were told apart for certain."""

    addresses: int
    low: int
    high: int
    floor: int
    days: int
    method: str

    @property
    def says(self) -> str:
        """The estimate in one sentence."""
        some = "device" if self.high == 1 else "devices"
        if self.addresses == 0:
            return "No hardware address was made up."
        if self.low == self.high:
            return f"{self.addresses:,} made-up hardware addresses are {self.low:,} {some}."
        return (
            f"{self.addresses:,} made-up hardware addresses are {self.low:,} to {self.high:,} {some}, 90 % of the time"
            f" (method: {self.method}; {self.days} {'day' if self.days == 1 else 'days'})."
        )


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What the traces amount to.

    floor     devices that were told apart
    one_day   addresses of a single day, on the day with most of them that were in use at once
    daily     addresses of a single day, on an average day
    comes     share of the days between its first and its last on which an address of several days is seen
    kinds     fingerprints that the floor was added up from
    untold    share of the addresses of whose fingerprint nothing is known, if the floor was added up from the others
    """

    floor: int
    one_day: int
    daily: float
    comes: float
    kinds: int
    untold: float
    days: int

    @property
    def figures(self) -> tuple[float, ...]:
        """What the width of the band depends on."""
        one_day = self.one_day / self.floor
        turnover = math.log(max(1.0, self.daily / self.comes / self.floor))
        crowd = math.log(max(1.0, self.floor / self.kinds))
        return (1.0, one_day, one_day * (1 - self.comes), turnover, one_day * crowd, -math.log(1 - self.untold))


def estimate(traces: Iterable[Trace]) -> Estimate:
    """Between how many devices made the addresses up. Two traces of one key are one address; their order does not matter."""
    found = whole(traces)
    moments = {moment for each in found for moment in each.moments}
    if not found:
        return Estimate(addresses=0, low=0, high=0, floor=0, days=0, method=METHOD)
    if len(moments) == 1:
        # Everything was seen at once: only what stood in a table that remembers may be of a device that is counted already.
        fresh = sum(each.fresh for each in found)
        low = max(1, fresh)
        return Estimate(addresses=len(found), low=low, high=len(found), floor=low, days=1, method="one survey")
    seen = shape(found)
    bottom, top = (
        seen.floor * math.exp(math.fsum(map(math.prod, zip(band, seen.figures, strict=True)))) for band in (LOW, HIGH)
    )
    if seen.days < FEW_DAYS:
        bottom = min(bottom, seen.floor)
    low = min(max(1, math.floor(bottom)), len(found))
    return Estimate(
        addresses=len(found),
        low=low,
        high=max(low, min(math.ceil(top), len(found))),
        floor=min(seen.floor, len(found)),
        days=seen.days,
        method=METHOD,
    )


class Address(msgspec.Struct, frozen=True):
    """A trace with the moments it was seen at, in order, and the numbers of the days it was first and last seen on."""

    moments: tuple[datetime, ...]
    like: str
    network: str
    fresh: bool

    @property
    def first(self) -> int:
        """The day it was first seen."""
        return self.moments[0].toordinal()

    @property
    def last(self) -> int:
        """The day it was last seen."""
        return self.moments[-1].toordinal()


def whole(traces: Iterable[Trace]) -> list[Address]:
    """The addresses, each once, by when they were heard; where that never was, by when they stood in a table."""
    keyed: defaultdict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        keyed[trace.key].append(trace)
    found = []
    for _, rows in sorted(keyed.items()):
        heard = [row for row in rows if row.fresh] or rows
        moments = tuple(sorted({at for row in heard for at in row.seen}))
        like = max(row.like for row in rows)
        if moments:
            found.append(Address(moments, like, max(row.network for row in heard), heard[0].fresh))
    return found


def shape(found: Sequence[Address]) -> Shape:
    """What the addresses amount to, for the band."""
    days = {day: number for number, day in enumerate(sorted({at.toordinal() for each in found for at in each.moments}))}
    alike: defaultdict[str, list[Address]] = defaultdict(list)
    for each in found:
        alike[each.like].append(each)
    pooled, told = _floor(found), sum(_floor(group) for like, group in alike.items() if like)
    single: defaultdict[tuple[int, str], list[Address]] = defaultdict(list)
    inner = there = 0
    for each in found:
        if each.first == each.last:
            single[each.first, each.like].append(each)
        else:
            inner += days[each.last] - days[each.first] - 1
            there += len({at.toordinal() for at in each.moments}) - 2
    together: Counter[int] = Counter()
    for (day, _), group in single.items():
        together[day] += sum(map(_depth, _networks(group)))
    return Shape(
        floor=max(pooled, told),
        one_day=max(together.values(), default=0),
        daily=sum(map(len, single.values())) / len(days),
        comes=(there + _SEEN) / (inner + _COULD),
        kinds=max(1, sum(bool(like) for like in alike)) if told > pooled else 1,
        untold=len(alike.get("", ())) / len(found) if told > pooled else 0.0,
        days=len(days),
    )


def _floor(group: Sequence[Address]) -> int:
    """How many devices of one sort there are at least: in one network, addresses whose times overlap are different devices."""
    return max(map(_depth, _networks(group)))


def _networks(group: Iterable[Address]) -> Iterable[list[Address]]:
    found: defaultdict[str, list[Address]] = defaultdict(list)
    for each in group:
        found[each.network].append(each)
    return found.values()


def _depth(part: Iterable[Address]) -> int:
    """How many of these addresses were in use at once at most: seen by one survey, or one between two sights of the other."""
    steps: Counter[tuple[datetime, bool]] = Counter()
    for each in part:
        steps[each.moments[0], False] += 1
        steps[each.moments[-1], True] -= 1
    depth = most = 0
    for _, step in sorted(steps.items()):
        depth += step
        most = max(most, depth)
    return most
