"""What switches tell of their ports: the cards they learned there, and the neighbours they heard by LLDP and CDP."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from census.joining import Joined
from netready.device import Kind, Sighting

_ENDS = frozenset({"wlan-ap", "telephone", "station", "host", "docsis"})  # what says "bridge" too without being a switch


class Port(NamedTuple):
    """A port of a switch: the switch by number among the census's groups, the port by name."""

    switch: int
    name: str


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """What LLDP or CDP told on a port: the device by number, where it could be told, its capabilities, and its name."""

    group: int | None
    words: frozenset[str]
    point: bool
    name: str


class Tables:
    """The forwarding tables of all switches, without their own cards and those that several share.

    An access point's own table is left out: it is a bridge too, but nobody looks for a device on its radio's port.
    """

    def __init__(self, joined: Joined, kinds: Sequence[Kind]) -> None:
        self.learned: defaultdict[Port, set[str]] = defaultdict(set)
        self.ports: defaultdict[str, set[Port]] = defaultdict(set)
        self.vlans: defaultdict[tuple[str, Port], set[str]] = defaultdict(set)
        for each in rows(joined, "fdb"):
            port = port_of(each, joined)
            if port is None or each.mac is None or kinds[port.switch] is Kind.ACCESS_POINT:
                continue
            if joined.by_mac.get(each.mac) == port.switch:
                continue
            self.learned[port].add(each.mac)
            self.ports[each.mac].add(port)
            self.vlans[each.mac, port].update(each.facts.get("vlan", "").split())
        self.switches = sorted({port.switch for port in self.learned})


def port_of(each: Sighting, joined: Joined) -> Port | None:
    """The port that a row of a table is about; None when it names none."""
    switch, name = joined.by_address.get(each.facts.get("switch", "")), each.facts.get("port")
    return None if switch is None or not name else Port(switch, name)


def rows(joined: Joined, *sources: str) -> list[Sighting]:
    """What these sources told of all devices."""
    return [each for group in joined.groups for each in group.sightings if each.source in sources]


def neighbours(joined: Joined, tables: Tables, kinds: Sequence[Kind]) -> dict[Port, tuple[Neighbour, ...]]:
    """The neighbours on each port of the switches that were asked, also those that told only a name."""
    found: defaultdict[Port, list[Neighbour]] = defaultdict(list)
    told = [(number, each) for number, group in enumerate(joined.groups) for each in group.sightings]
    for number, each in (*told, *((None, each) for each in joined.nameless)):
        if each.source not in {"lldp", "cdp"} or (port := port_of(each, joined)) is None:
            continue
        words = frozenset(each.facts.get("capabilities", "").split())
        known = number is not None and kinds[number] is Kind.ACCESS_POINT and number not in tables.switches
        name = each.name or each.address or each.mac or "a neighbour"
        found[port].append(Neighbour(group=number, words=words, point="wlan-ap" in words or known, name=name))
    return {port: tuple(heard) for port, heard in sorted(found.items())}


def is_bridge(neighbour: Neighbour) -> bool:
    """Whether other devices hang behind a neighbour. A telephone with a socket for a computer says "bridge" too."""
    return "bridge" in neighbour.words and not neighbour.words & _ENDS
