"""Where everything hangs: the switch port nearest to each card, and the access point it is a client of.

A switch's forwarding table names a port for every card it has heard, however far away. In a network without loops a card hangs
on the one port that leads to no other switch.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from census.joining import Joined
from census.tables import Neighbour, Port, Tables, neighbours, rows
from census.uplinks import uplinks
from netready.device import Kind, Place


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """The network as its switches see it. Cards and groups are those of `Joined`.

    learned     cards behind each port
    uplinks     ports that lead to another switch, with the switches that are known behind them
    beyond      uplinks to a switch whose own table was not read
    neighbours  what LLDP and CDP told on each port
    place       the nearest port of each card
    moving      cards on several ports that lead to no other switch, in one VLAN
    points      the port of each access point, by group
    behind      the access point that each card is a client of, by name
    clients     how many clients each access point has, by name
    lost        cards that are known only from ports between switches
    names       what people call each device, by group
    """

    learned: dict[Port, frozenset[str]]
    uplinks: dict[Port, frozenset[int]]
    beyond: frozenset[Port]
    neighbours: dict[Port, tuple[Neighbour, ...]]
    place: dict[str, Port]
    vlans: dict[tuple[str, Port], frozenset[str]]
    moving: dict[str, tuple[Port, ...]]
    points: dict[int, Port]
    behind: dict[str, str]
    clients: dict[str, int]
    lost: frozenset[str]
    names: dict[int, str]

    def shown(self, port: Port) -> str:
        """A port in words: "switch-1 port 7"."""
        return f"{self.names[port.switch]} port {port.name}"

    def at(self, mac: str) -> Place | None:
        """The nearest port of a card, for a device."""
        port = self.place.get(mac)
        if port is None:
            return None
        vlans = self.vlans.get((mac, port), frozenset())
        return Place(switch=self.names[port.switch], port=port.name, vlan=next(iter(vlans)) if len(vlans) == 1 else None)


def lay_out(joined: Joined, kinds: Sequence[Kind]) -> Topology:
    """The topology from the forwarding tables, LLDP, CDP and Wi-Fi lists in `joined`; `kinds` are its groups' kinds."""
    tables = Tables(joined, kinds)
    names = {number: _name(joined, number) for number in range(len(joined.groups))}
    heard = neighbours(joined, tables, kinds)
    leads, beyond = uplinks(joined, tables, heard)
    told, clients = _wifi(joined)
    places = _Places(joined, tables, leads, beyond)
    for number, port in _hung(tables, joined, leads, heard).items():
        places.hang(joined, number, port)
    points = _points(joined, tables, kinds, heard, places.place)
    behind = told | _bridged(joined, tables, points, names, told)
    counted: defaultdict[str, set[int]] = defaultdict(set)
    for mac, name in behind.items():
        counted[name].add(joined.by_mac[mac])
    return Topology(
        learned={port: frozenset(macs) for port, macs in sorted(tables.learned.items())},
        uplinks=leads,
        beyond=beyond,
        neighbours=heard,
        place=places.place,
        vlans={key: frozenset(vlans) for key, vlans in tables.vlans.items()},
        moving={mac: ports for mac, ports in places.moving.items() if mac not in told},
        points=points,
        behind=behind,
        clients={name: max(clients.get(name, 0), len(counted[name])) for name in sorted(clients.keys() | counted)},
        lost=frozenset(places.lost),
        names=names,
    )


def _name(joined: Joined, number: int) -> str:
    """What people call a device: the name it says over SNMP or its controller does, else its address, else its card."""
    group = joined.groups[number]
    told = [each.name for source in ("snmp", "controller", "lldp", "cdp") for each in group.sightings if each.source == source]
    asked = [each.address for each in group.sightings if each.source == "snmp"]
    return next((name for name in (*told, *asked, *group.addresses, *group.macs) if name), "a device")


# --- the nearest port -----------------------------------------------------------------------------------------------------


class _Places:
    """The nearest port of each card, the cards that were on several, and those known only from between switches."""

    def __init__(self, joined: Joined, tables: Tables, leads: Mapping[Port, frozenset[int]], beyond: frozenset[Port]) -> None:
        self.place: dict[str, Port] = {}
        self.moving: dict[str, tuple[Port, ...]] = {}
        self.lost: set[str] = set()
        for mac, ports in sorted(tables.ports.items()):
            if joined.by_mac.get(mac) in tables.switches:
                continue
            edges = sorted(port for port in ports if port not in leads)
            near = edges or sorted(port for port in ports if port in beyond)
            several = tuple(port for port in edges if any(_meet(tables, mac, port, other) for other in edges))
            if several:
                self.moving[mac] = several
            if near:
                self.place[mac] = min(near, key=lambda port: (len(tables.learned[port]), port))
            else:
                self.lost.add(mac)

    def hang(self, joined: Joined, number: int, port: Port) -> None:
        """All cards of a device are at `port`."""
        for mac in joined.groups[number].macs:
            self.place[mac] = port
            self.moving.pop(mac, None)
            self.lost.discard(mac)


def _meet(tables: Tables, mac: str, port: Port, other: Port) -> bool:
    """Whether a card was on two ports in one VLAN. A router may use one card in several."""
    ours, theirs = tables.vlans[mac, port], tables.vlans[mac, other]
    return port != other and (not ours or not theirs or bool(ours & theirs))


def _hung(
    tables: Tables, joined: Joined, leads: Mapping[Port, frozenset[int]], heard: Mapping[Port, Sequence[Neighbour]]
) -> dict[int, Port]:
    """Where devices hang that LLDP or CDP heard, for neither crosses a switch; and each switch below the next one."""
    found: dict[int, Port] = {}
    weight = Counter(port.switch for port in leads)  # on how many ports a switch sees others: the core has most
    for port, there in heard.items():
        for one in there:
            if one.group is not None and one.group not in tables.switches and not leads.get(port):
                found.setdefault(one.group, port)
    for number in tables.switches:
        group = joined.groups[number]
        ports = {port for mac in (*group.macs, *group.own) for port in tables.ports.get(mac, ())}
        ports |= {port for port, others in leads.items() if number in others}
        for port in sorted(ports):
            between = leads.get(port, frozenset()) - {number}
            towards = [others for own, others in leads.items() if own.switch == number and port.switch in others]
            above = (weight[port.switch], -port.switch) > (weight[number], -number)
            if above and not any(between & others for others in towards):
                found.setdefault(number, port)
    return found


# --- access points --------------------------------------------------------------------------------------------------------


def _wifi(joined: Joined) -> tuple[dict[str, str], dict[str, int]]:
    """The access point that lists each card last, and how many clients each says it has."""
    told: dict[str, tuple[object, str]] = {}
    clients: dict[str, int] = {}
    for each in rows(joined, "wifi", "controller", "snmp"):
        point = each.facts.get("point", "")
        if each.source == "wifi" and each.mac is not None and point:
            told[each.mac] = max(told.get(each.mac, (each.at, "")), (each.at, point))
        elif each.source != "wifi" and each.name and (number := each.facts.get("clients", "")).isdecimal() and len(number) < 6:
            clients[each.name] = int(number)
    return {mac: point for mac, (_, point) in sorted(told.items())}, clients


def _points(
    joined: Joined,
    tables: Tables,
    kinds: Sequence[Kind],
    neighbours: Mapping[Port, Sequence[Neighbour]],
    place: Mapping[str, Port],
) -> dict[int, Port]:
    """The port of each access point that is no switch itself."""
    found: dict[int, Port] = {}
    for port, heard in neighbours.items():
        found |= {one.group: port for one in heard if one.point and one.group is not None}
    for number, group in enumerate(joined.groups):
        ports = sorted({place[mac] for mac in (*group.macs, *group.own) if mac in place})
        if kinds[number] is Kind.ACCESS_POINT and number not in tables.switches and ports:
            found.setdefault(number, ports[0])
    return dict(sorted(found.items()))


def _bridged(
    joined: Joined, tables: Tables, points: Mapping[int, Port], names: Mapping[int, str], told: Mapping[str, str]
) -> dict[str, str]:
    """Cards on the port of one access point and no other are its clients; a wired device listed elsewhere is not."""
    by_port: defaultdict[Port, list[int]] = defaultdict(list)
    for number, port in points.items():
        by_port[port].append(number)
    found: dict[str, str] = {}
    for port, numbers in sorted(by_port.items()):
        if len(numbers) != 1:
            continue
        point = joined.groups[numbers[0]]
        for mac in sorted(tables.learned.get(port, ())):
            if mac not in told and joined.by_mac.get(mac) != numbers[0] and mac not in point.own:
                found[mac] = names[numbers[0]]
    return found
