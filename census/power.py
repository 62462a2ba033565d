"""Power over Ethernet: how much each switch has left, and for how many more access points that is enough."""

from collections.abc import Iterable, Iterator

import msgspec

from census.ports import Names
from netready.finding import Finding, Trouble
from netready.measurement import Measurement
from netready.units import count

# What a switch must set aside for one access point: IEEE 802.3at type 2 for Wi-Fi 5 and 6, 802.3bt type 3 for 6E and 7.
PLAIN, STRONG = 30.0, 60.0
FULL = 0.9  # of a supply, where the switch itself names no threshold


class Headroom(msgspec.Struct, frozen=True, kw_only=True):
    """One supply of one switch, in watts.

    threshold  share of it at which the switch itself warns
    told       whether the switch says what each port takes
    faulty     ports on which power was refused or failed
    """

    switch: str
    supply: str
    available: float
    used: float
    threshold: float
    told: bool
    faulty: tuple[str, ...]
    source: str

    @property
    def free(self) -> float:
        """Watts that are left."""
        return max(0.0, self.available - self.used)

    @property
    def points(self) -> int:
        """Access points of today's sort (30 W each) that could be added."""
        return int(self.free // PLAIN)

    @property
    def strong_points(self) -> int:
        """Access points for Wi-Fi 6E or 7 (60 W each) that could be added."""
        return int(self.free // STRONG)


def headroom(measurements: Iterable[Measurement], names: Names) -> tuple[Headroom, ...]:
    """Every supply whose power and use are both told, in order of its switch."""
    given: dict[str, Measurement] = {}
    taken: dict[str, float] = {}
    for each in measurements:
        if each.value is None:
            continue
        if each.metric == "poe_power_available" and each.value > 0:
            given[each.target] = each
        elif each.metric == "poe_power_used":
            taken[each.target] = each.value
    found = []
    for target, each in given.items():
        if target in taken:
            switch, supply = names.split(target)
            faulty = each.details.get("faulty")
            found.append(
                Headroom(
                    switch=switch,
                    supply=supply,
                    available=each.value or 0.0,
                    used=taken[target],
                    threshold=each.detail("threshold") or FULL,
                    told=each.details.get("ports_told") is True,
                    faulty=tuple(map(str, faulty)) if isinstance(faulty, list) else (),
                    source=target.partition(" ")[0],
                )
            )
    return tuple(sorted(found, key=lambda one: (one.switch, one.supply)))


def short_of_power(supplies: Iterable[Headroom]) -> Iterator[Finding]:
    """Supplies that are nearly used up, or have not enough left for one more access point."""
    for one in supplies:
        if one.used <= 0 or (one.used < one.threshold * one.available and one.free >= PLAIN):
            continue
        more = count(one.points, "more access point") if one.points else "no further access point"
        refused = f" Power failed on port {', '.join(one.faulty)}." if one.faulty else ""
        untold = "" if one.told else " What each port takes is not told."
        yield Finding(
            trouble=Trouble.POE_SHORT,
            where=f"{one.switch} {one.supply}",
            says=f"{one.switch} gives {one.used:,.0f} of {one.available:,.0f} W to devices on its ports; {one.free:,.0f} W are"
            f" left, enough for {more} of {PLAIN:.0f} W.{refused}{untold}",
            known_by=(f"pethMainPseConsumptionPower of {one.source}",),
        )
