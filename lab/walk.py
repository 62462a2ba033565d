"""THE VIRTUAL SCHOOL's SNMP data: what a 28-port switch and a small router would say, as rows of OID, type and value.

System group (RFC 3418), interfaces (RFC 2863), bridge (RFC 4188) and ARP table (RFC 4293). The switch's rows follow from the
plan: wired hosts sit on ports of their own, wireless ones behind the ports of the access points. The router's counters live.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from lab.campus_wiring import bridge
from lab.plan import AGENT_MAC, ROUTER, ROUTER_MAC, ROUTER_WAN, ROUTER_WAN_MAC, SWITCH, SWITCH_MAC, Plan

Oid = tuple[int, ...]

PORTS = 28
MANAGEMENT = 29  # the interface that has the switch's own address
GIGABIT = 10**9
WIRELESS = frozenset({"student-device", "staff-device"})

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
IF_NUMBER: Oid = (1, 3, 6, 1, 2, 1, 2, 1, 0)
IF_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
ADDRESS_INDEX: Oid = (1, 3, 6, 1, 2, 1, 4, 20, 1, 2)
AT_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 4, 22, 1)
BRIDGE: Oid = (1, 3, 6, 1, 2, 1, 17)
UPTIME: Oid = (*SYSTEM, 3, 0)


class Row(msgspec.Struct, frozen=True):
    """One variable. `kind` is a type's name in SMIv2: "OctetString", "Integer32", "ObjectIdentifier" ..."""

    oid: Oid
    kind: str
    value: int | bytes | Oid


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ifTable and ifXTable."""

    index: int
    name: str
    alias: str
    mac: str
    speed: int = GIGABIT
    up: bool = True
    received: int = 0
    sent: int = 0
    packets_in: int = 0
    packets_out: int = 0
    errors_in: int = 0


def mac_octets(text: str) -> bytes:
    """The six octets of a MAC."""
    return bytes.fromhex(text.replace(":", ""))


def address_octets(address: str) -> Oid:
    """The four octets of an IPv4 address, as they end an OID."""
    return tuple(int(part) for part in address.split("."))


def system(name: str, description: str, identity: Oid, services: int, room: str = "Server room") -> Iterator[Row]:
    """The system group but for sysUpTime, which the responder keeps."""
    yield Row((*SYSTEM, 1, 0), "OctetString", description.encode())
    yield Row((*SYSTEM, 2, 0), "ObjectIdentifier", identity)
    yield Row((*SYSTEM, 4, 0), "OctetString", b"it@school.test")
    yield Row((*SYSTEM, 5, 0), "OctetString", name.encode())
    yield Row((*SYSTEM, 6, 0), "OctetString", room.encode())
    yield Row((*SYSTEM, 7, 0), "Integer32", services)


def interfaces(rows: list[Interface]) -> Iterator[Row]:
    """IfTable and ifXTable."""
    yield Row(IF_NUMBER, "Integer32", len(rows))
    for one in rows:
        state = 1 if one.up else 2
        short = 2**32
        columns: list[tuple[Oid, int, str, int | bytes | Oid]] = [
            (IF_ENTRY, 1, "Integer32", one.index),
            (IF_ENTRY, 2, "OctetString", one.name.encode()),
            (IF_ENTRY, 3, "Integer32", 6),  # ethernetCsmacd
            (IF_ENTRY, 4, "Integer32", 1500),
            (IF_ENTRY, 5, "Gauge32", min(one.speed, short - 1)),
            (IF_ENTRY, 6, "OctetString", mac_octets(one.mac)),
            (IF_ENTRY, 7, "Integer32", 1),
            (IF_ENTRY, 8, "Integer32", state),
            (IF_ENTRY, 9, "TimeTicks", 0),
            (IF_ENTRY, 10, "Counter32", one.received % short),
            (IF_ENTRY, 11, "Counter32", one.packets_in % short),
            (IF_ENTRY, 13, "Counter32", 0),
            (IF_ENTRY, 14, "Counter32", one.errors_in % short),
            (IF_ENTRY, 16, "Counter32", one.sent % short),
            (IF_ENTRY, 17, "Counter32", one.packets_out % short),
            (IF_ENTRY, 19, "Counter32", 0),
            (IF_ENTRY, 20, "Counter32", 0),
            (IFX_ENTRY, 1, "OctetString", one.name.encode()),
            (IFX_ENTRY, 6, "Counter64", one.received),
            (IFX_ENTRY, 10, "Counter64", one.sent),
            (IFX_ENTRY, 15, "Gauge32", one.speed // 10**6),
            (IFX_ENTRY, 18, "OctetString", one.alias.encode()),
        ]
        for table, column, kind, value in columns:
            yield Row((*table, column, one.index), kind, value)


def ports(plan: Plan) -> dict[str, int]:
    """Which port of the switch each MAC is learnt on; 27 and 28 are the uplink and the agent."""
    wired = [host for host in plan.hosts if host.kind not in WIRELESS]
    points = [number for number, host in enumerate(wired, start=1) if host.kind == "access-point"] or [PORTS - 2]
    wireless = [host for host in plan.hosts if host.kind in WIRELESS]
    learnt = {host.mac: min(number, PORTS - 2) for number, host in enumerate(wired, start=1)}
    learnt |= {host.mac: points[number % len(points)] for number, host in enumerate(wireless)}
    return learnt | {ROUTER_MAC: PORTS - 1, AGENT_MAC: PORTS}


def switch(plan: Plan) -> list[Row]:
    """All that the switch says."""
    learnt = ports(plan)
    used = set(learnt.values())
    labels = {port: mac for mac, port in learnt.items()}
    names = {host.mac: host.name for host in plan.hosts} | {ROUTER_MAC: "router", AGENT_MAC: "agent"}
    table = [
        Interface(
            index=port,
            name=str(port),
            alias=names[labels[port]] if port in used else "",
            mac=f"{SWITCH_MAC[:-2]}{16 + port:02x}",
            up=port in used,
            received=port * 1_000_003 if port in used else 0,
            sent=port * 2_000_003 if port in used else 0,
        )
        for port in range(1, PORTS + 1)
    ]
    table.append(Interface(index=MANAGEMENT, name="DEFAULT_VLAN", alias="", mac=SWITCH_MAC))
    rows = [
        *system("switch", "HP J9776A 2530-24G Switch, revision YA.16.11 (virtual school)", _SWITCH_IDENTITY, 2),
        *interfaces(table),
        Row((*ADDRESS_INDEX, *address_octets(SWITCH)), "Integer32", MANAGEMENT),
        Row((*BRIDGE, 1, 1, 0), "OctetString", mac_octets(SWITCH_MAC)),
        Row((*BRIDGE, 1, 2, 0), "Integer32", PORTS),
        *(Row((*BRIDGE, 1, 4, 1, 2, port), "Integer32", port) for port in range(1, PORTS + 1)),
    ]
    for mac, port in learnt.items():
        index = tuple(mac_octets(mac))
        rows += [
            Row((*BRIDGE, 4, 3, 1, 1, *index), "OctetString", mac_octets(mac)),
            Row((*BRIDGE, 4, 3, 1, 2, *index), "Integer32", port),
            Row((*BRIDGE, 4, 3, 1, 3, *index), "Integer32", 3),  # learned
        ]
    return rows


_SWITCH_IDENTITY: Oid = (1, 3, 6, 1, 4, 1, 11, 2, 3, 7, 11, 160)
_ROUTER_IDENTITY: Oid = (1, 3, 6, 1, 4, 1, 14988, 1)


def router(plan: Plan) -> list[Row]:
    """All that the router says, with its interfaces' counters and its ARP table of this moment."""
    table = [
        Interface(
            index=index,
            name=name,
            alias={"wan0": "line to the ISP", "lan0": "school"}.get(name, name),
            mac=ROUTER_WAN_MAC if name == "wan0" else ROUTER_MAC,
            received=counts[0],
            packets_in=counts[1],
            sent=counts[8],
            packets_out=counts[9],
        )
        for index, (name, counts) in enumerate(sorted(_live().items()), start=1)
        if name != "lo"
    ]
    rows = [
        *system("router", "RouterOS RB5009UG+S+ (virtual school)", _ROUTER_IDENTITY, 4),
        *interfaces(table),
    ]
    numbers = {one.name: one.index for one in table}
    rows += [Row((*ADDRESS_INDEX, *address_octets(own)), "Integer32", numbers[name]) for own, name in _own(plan)]
    for address, mac, name in _neighbours():
        index = (numbers[name], *address_octets(address))
        rows += [
            Row((*AT_ENTRY, 1, *index), "Integer32", numbers[name]),
            Row((*AT_ENTRY, 2, *index), "OctetString", mac_octets(mac)),
            Row((*AT_ENTRY, 3, *index), "IpAddress", bytes(index[1:])),
            Row((*AT_ENTRY, 4, *index), "Integer32", 3),  # dynamic
        ]
    return rows


def _own(plan: Plan) -> list[tuple[str, str]]:
    """The router's addresses, each with its interface."""
    inside = [(ROUTER, "lan0")] if plan.campus is None else [(vlan.router, bridge(vlan.number)) for vlan in plan.campus.vlans]
    return [(ROUTER_WAN, "wan0"), *inside]


def _live() -> dict[str, list[int]]:
    """Counters of this namespace's interfaces, in the order of proc_net(5)'s dev."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return {name.strip(): [int(word) for word in rest.split()] for name, _, rest in (line.partition(":") for line in lines)}


def _neighbours() -> list[tuple[str, str, str]]:
    """Who answered this namespace's ARP on the school's side, and where."""
    lines = Path("/proc/net/arp").read_text().splitlines()[1:]
    words = [line.split() for line in lines]
    return [(one[0], one[3], one[5]) for one in words if one[5] != "wan0" and one[3] != "00:00:00:00:00:00"]
