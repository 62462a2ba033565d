"""What a switch has learned: which hardware address is behind which port, in which VLAN.

Q-BRIDGE-MIB (RFC 4363) tells it for each VLAN, BRIDGE-MIB (RFC 4188) for the switch as a whole. Older Cisco switches have the
second of these anew in each VLAN, and are asked for one VLAN after the other. Only what was learned is told: the switch's own
addresses, and those that somebody entered by hand, say nothing of a device that is there.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from collectors.snmp.ber import Oid, Value, name
from collectors.snmp.cells import bits, count, mac_at, said
from collectors.snmp.interfaces import interfaces, names
from collectors.snmp.reading import MIB2, OVER, Module, Told, When, Yield
from collectors.snmp.session import Session
from collectors.snmp.walk import walk
from netready.clock import Clock
from netready.device import Sighting
from netready.failure import Failed, classify

CISCO: Oid = (9,)
BASE_PORTS = Module(name="base-ports", root=(*MIB2, 17, 1, 4, 1), columns={"index": 2})
QBRIDGE = Module(name="q-bridge", root=(*MIB2, 17, 7, 1, 2, 2, 1), columns={"port": 2, "status": 3})
BRIDGE = Module(name="bridge", root=(*MIB2, 17, 4, 3, 1), columns={"port": 2, "status": 3}, without=("q-bridge",))
VLANS = Module(name="vlans", root=(*MIB2, 17, 7, 1, 4, 3, 1), columns={"name": 1})  # dot1qVlanStaticTable
# dot1qVlanCurrentTable; `ports` are those that send frames of the VLAN, tagged or not.
FILTERS = Module(name="vlan-filters", root=(*MIB2, 17, 7, 1, 4, 2, 1), columns={"filter": 3, "ports": 4})
PORT_VLANS = Module(name="port-vlans", root=(*MIB2, 17, 7, 1, 4, 5, 1), columns={"vlan": 1})
CISCO_VLANS = Module(
    name="cisco-vlans",
    root=(1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1),  # CISCO-VTP-MIB vtpVlanTable; index: domain, VLAN
    columns={"state": 2, "name": 4},
    when=When(makers=(CISCO,)),
)
MODULES = (BASE_PORTS, QBRIDGE, BRIDGE, VLANS, FILTERS, PORT_VLANS, CISCO_VLANS)

LEARNED = 3  # of dot1dTpFdbStatus
OPERATIONAL = 1  # of vtpVlanState
TRANSLATIONAL = range(1002, 1006)  # VLANs of Token Ring and FDDI, which every Cisco switch has and nobody uses
LARGEST_VLAN = 4094
LARGEST_PORT_LIST = 512  # octets
MOST_VLANS = 128  # that one switch is asked for one by one
_VLAN_NAME = re.compile(
    r"(?:^|[^a-z])(?:vlan|vl|irb|bvi|ve|br|svi)(?:[ ._-]?(?:if|interface))?[ ._-]?0*(\d{1,4})$|\.0*(\d{1,4})$", re.IGNORECASE
)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a forwarding table: the hardware address that its index ends in, its cells, and how its ports are numbered."""

    module: str
    mac: Oid
    cell: Mapping[str, Value]
    ports: Mapping[int, int]
    vlan: int | None = None


def read_vlans(session: Session, told: Told, most: int, clock: Clock) -> None:
    """Ask an older Cisco switch for the forwarding table of each of its VLANs; others have told it already.

    A switch that does not know such questions leaves the first without an answer, and is not asked the others.
    """
    if told.has("q-bridge") or not (told.has("base-ports") or told.values("bridge-address").get("mac")):
        return
    try:
        for vlan in _cisco_vlans(told)[:MOST_VLANS]:
            session.vlan = vlan
            if OVER & set(told.faults.values()) or not _answers(session):
                told.left.append(f"bridge of VLAN {vlan}")
                break
            for module in (BRIDGE, BASE_PORTS):
                columns = [module.oid(column) for column in module.columns]
                told.put(module, walk(session, columns, most, clock), vlan)
                if not told.vlans[vlan][module.name].size:
                    break
    finally:
        session.vlan = None


def _answers(session: Session) -> bool:
    """Whether the switch has a context for the VLAN that the session is set to."""
    try:
        session.bulk([name(BRIDGE.root)], 1)
    except (Failed, OSError) as error:
        if classify(error) is None:
            raise
        return False
    return True


def _cisco_vlans(told: Told) -> list[int]:
    found = {row[-1] for row, state in told.column("cisco-vlans", "state").items() if row and state == OPERATIONAL}
    return sorted(vlan for vlan in found if 0 < vlan <= LARGEST_VLAN and vlan not in TRANSLATIONAL)


def vlan_names(told: Told) -> dict[int, str]:
    """What VLANs are called, by number."""
    found = {row[-1]: said(value) for row, value in told.column("cisco-vlans", "name").items() if row}
    found |= {row[0]: said(value) for row, value in told.column("vlans", "name").items() if len(row) == 1}
    return {vlan: words for vlan, words in found.items() if words}


def vlan_of(interface: str) -> int | None:
    """The VLAN that a router's interface stands for, by its name: "Vlan20", "Vlan-interface20", "eth0.20"."""
    match = _VLAN_NAME.search(interface)
    number = int(match[1] or match[2]) if match else 0
    return number if 0 < number <= LARGEST_VLAN else None


def vlan_facts(told: Told, vlan: int | None) -> dict[str, str]:
    """A VLAN's number and name as facts."""
    if vlan is None or not 0 < vlan <= LARGEST_VLAN:
        return {}
    called = told.once(vlan_names).get(vlan, "")
    return {"vlan": str(vlan)} | ({"vlan_name": called} if called else {})


def learned(told: Told) -> Iterator[Yield]:
    """A sighting for each address that the switch has learned."""
    filters, ports = _filters(told), _ports(told.column("base-ports", "index"))
    for row, cell in told.rows("q-bridge"):
        yield from _entry(told, Entry(module="q-bridge", mac=row[1:], cell=cell, ports=ports, vlan=filters.get(row[0])))
    one_by_one = any(tables["bridge"].size for tables in told.vlans.values())
    for row, cell in told.rows("bridge"):
        if not one_by_one:
            yield from _entry(told, Entry(module="bridge", mac=row, cell=cell, ports=ports))
    for vlan, tables in told.vlans.items():
        base = tables.get("base-ports")
        here = _ports(base.cells[BASE_PORTS.oid("index")]) if base else {}
        for row, cell in told.rows("bridge", vlan):
            yield from _entry(told, Entry(module="bridge", mac=row, cell=cell, ports=here, vlan=vlan))


def _ports(cells: Mapping[Oid, Value]) -> dict[int, int]:
    """The ifIndex of each port of the bridge."""
    return {row[0]: index for row, value in cells.items() if len(row) == 1 and (index := count(value))}


def _filters(told: Told) -> dict[int, int]:
    """The VLAN of each filtering database; of one that several VLANs share, none.

    Where the switch does not say, a database is its VLAN's when it has the number of a VLAN, as on nearly all switches.
    """
    found: dict[int, set[int]] = {}
    for row, value in told.column("vlan-filters", "filter").items():
        if len(row) == 2 and (number := count(value)) is not None:  # index: TimeMark, VLAN
            found.setdefault(number, set()).add(row[1])
    if not found:
        found = {row[0]: {row[0]} for row in told.column("vlans", "name") if len(row) == 1}
    return {number: next(iter(vlans)) for number, vlans in found.items() if len(vlans) == 1}


def _entry(told: Told, entry: Entry) -> Iterator[Sighting]:
    """A sighting, when the row was learned; its VLAN is the port's own where the table tells none."""
    mac, port = mac_at(entry.mac) if len(entry.mac) == 6 else None, count(entry.cell["port"])
    if mac is None:
        told.malformed[entry.module] += 1
        return
    if not mac or not port or entry.cell["status"] not in {LEARNED, None} or mac in told.once(_own):
        return
    vlan = told.once(_only_vlans).get(port) if entry.vlan is None else entry.vlan
    facts = {"switch": told.device, "port": port_name(told, port, entry.ports), **vlan_facts(told, vlan)}
    yield Sighting(source="fdb", at=told.at, mac=mac, facts=facts)


def _only_vlans(told: Told) -> dict[int, int]:
    """The VLAN of each port that is in one and no other; on a trunk, nothing tells which one an address is in."""
    members: defaultdict[int, set[int]] = defaultdict(set)
    for row, ports in told.column("vlan-filters", "ports").items():
        if row and isinstance(ports, bytes):
            for bit in bits(ports, LARGEST_PORT_LIST):  # PortList (RFC 4363): port 1 is the highest bit of the first octet
                members[bit + 1].add(row[-1])
    own = {row[0]: count(vlan) for row, vlan in told.column("port-vlans", "vlan").items() if len(row) == 1}
    return {port: vlan for port, vlan in own.items() if vlan is not None and members[port] == {vlan}}


def _own(told: Told) -> frozenset[str | None]:
    return frozenset(interface.mac for interface in told.once(interfaces))


def port_name(told: Told, port: int, ports: Mapping[int, int]) -> str:
    """What a bridge's port is called; where no table tells which interface it is, its number is taken for an ifIndex."""
    index = ports.get(port) if ports else port
    return f"port {port}" if index is None else told.once(names).get(index, f"if{index}")
