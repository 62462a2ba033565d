"""THE VIRTUAL SCHOOL's SNMP data for the campus' switches: rows from what their bridges learnt and their ports carried.

IF-MIB (RFC 2863), EtherLike-MIB (RFC 3635), BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB (RFC 4363), POWER-ETHERNET-MIB (RFC 3621) and
ENTITY-MIB (RFC 6933); LLDP is in `lab.lldp_walk`. Two things cannot be had from a bridge and come from the plan: what a port is
said to have settled with its far end, and the power that it feeds.
"""

from collections.abc import Iterator

from lab.campus import Campus, Port, Switch
from lab.lldp_walk import lldp_rows
from lab.plan import Plan
from lab.switch_agent import Learnt, Seen, Traffic
from lab.walk import ADDRESS_INDEX, BRIDGE, Interface, Oid, Row, address_octets, interfaces, mac_octets, system

MANAGEMENT = 10_000  # ifIndex of the interface that has the switch's address

DOT3: Oid = (1, 3, 6, 1, 2, 1, 10, 7, 2, 1)
Q_BRIDGE: Oid = (1, 3, 6, 1, 2, 1, 17, 7, 1)
POWER: Oid = (1, 3, 6, 1, 2, 1, 105, 1)
ENTITY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
VTP_VLAN: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 46, 1, 3, 1, 1)  # CISCO-VTP-MIB
VM_VLAN: Oid = (1, 3, 6, 1, 4, 1, 9, 9, 68, 1, 2, 2, 1, 2)  # CISCO-VLAN-MEMBERSHIP-MIB, vmVlan

LEARNED, SELF = 3, 4
HALF, FULL, UNKNOWN = 2, 3, 1
CHASSIS = 3
DELIVERING, SEARCHING = 3, 2
# What the kinds that live on the cable draw: W, and the power class as POWER-ETHERNET-MIB counts them.
DRAWN = {"access-point": (15, 5), "phone": (4, 3), "camera": (7, 4)}
POWER_ALARM = 80  # per cent

# A port whose cable damages frames has done so for some time.
BEFORE, DAMAGED_BEFORE, ONE_IN = 200_000, 4_000, 20


def rows(plan: Plan, campus: Campus, switch: Switch, seen: Seen) -> list[Row]:
    """All that the switch says to those who know its community."""
    services = 2  # layer 2 only (RFC 3418)
    identity = tuple(int(part) for part in switch.identity.split("."))
    return [
        *system(switch.name, switch.description, identity, services, switch.room),
        *interfaces(_interfaces(switch, seen)),
        Row((*ADDRESS_INDEX, *address_octets(switch.address)), "Integer32", MANAGEMENT),
        *_settled(switch, seen),
        *_ports(switch),
        *(forwarding(seen.learnt) if switch.tables == "tagged" else ()),
        *(_tagged(campus, switch, seen) if switch.tables == "tagged" else _vlan_list(campus, switch)),
        *_power(plan, campus, switch, seen),
        *_chassis(switch),
        *lldp_rows(switch, seen.neighbours),
    ]


def rows_of_vlan(switch: Switch, seen: Seen, vlan: int) -> list[Row]:
    """All that a Catalyst says under "community@VLAN": the bridge of that VLAN."""
    ours = [port for port in switch.ports if vlan in port.vlans]
    return [
        *(Row((*BRIDGE, 1, 4, 1, 2, port.number), "Integer32", switch.offset + port.number) for port in ours),
        Row((*BRIDGE, 1, 1, 0), "OctetString", mac_octets(switch.mac)),
        Row((*BRIDGE, 1, 2, 0), "Integer32", len(ours)),
        *forwarding([one for one in seen.learnt if one.vlan == vlan]),
    ]


def _interfaces(switch: Switch, seen: Seen) -> list[Interface]:
    failing = {port.number for port in switch.ports if port.failing}
    table = []
    for number in range(1, switch.size + 1):
        one = seen.ports.get(number, Traffic())
        table.append(
            Interface(
                index=switch.offset + number,
                name=switch.port_name(number),
                alias="",
                mac=switch.port_mac(number),
                up=one.up,
                received=one.bytes_in,
                sent=one.bytes_out,
                packets_in=one.packets_in + (BEFORE if number in failing else 0),
                packets_out=one.packets_out,
                errors_in=_damaged(one) if number in failing else 0,
            )
        )
    return [*table, Interface(index=MANAGEMENT, name="management", alias="", mac=switch.mac)]


def _damaged(port: Traffic) -> int:
    return DAMAGED_BEFORE + port.packets_in // ONE_IN


def _settled(switch: Switch, seen: Seen) -> Iterator[Row]:
    plugged = {port.number: port for port in switch.ports}
    for number in range(1, switch.size + 1):
        one, port = seen.ports.get(number, Traffic()), plugged.get(number)
        duplex = UNKNOWN if not one.up else HALF if port and port.half else FULL
        yield Row((*DOT3, 3, switch.offset + number), "Counter32", _damaged(one) if port and port.failing else 0)
        yield Row((*DOT3, 19, switch.offset + number), "Integer32", duplex)


def _ports(switch: Switch) -> Iterator[Row]:
    yield Row((*BRIDGE, 1, 1, 0), "OctetString", mac_octets(switch.mac))
    yield Row((*BRIDGE, 1, 2, 0), "Integer32", switch.size)
    yield Row((*BRIDGE, 1, 3, 0), "Integer32", 2)  # transparent only
    for number in range(1, switch.size + 1):
        yield Row((*BRIDGE, 1, 4, 1, 2, number), "Integer32", switch.offset + number)


def forwarding(learnt: list[Learnt]) -> Iterator[Row]:
    """dot1dTpFdbTable: without VLANs, so each MAC once, where it was learnt first."""
    for one in {one.mac: one for one in reversed(learnt)}.values():
        octets = mac_octets(one.mac)
        yield Row((*BRIDGE, 4, 3, 1, 1, *octets), "OctetString", octets)
        yield Row((*BRIDGE, 4, 3, 1, 2, *octets), "Integer32", one.port)
        yield Row((*BRIDGE, 4, 3, 1, 3, *octets), "Integer32", LEARNED if one.port else SELF)


def _tagged(campus: Campus, switch: Switch, seen: Seen) -> Iterator[Row]:
    yield Row((*Q_BRIDGE, 1, 4, 0), "Gauge32", len(campus.vlans))
    for one in seen.learnt:
        index = (one.vlan, *mac_octets(one.mac))
        yield Row((*Q_BRIDGE, 2, 2, 1, 2, *index), "Integer32", one.port)
        yield Row((*Q_BRIDGE, 2, 2, 1, 3, *index), "Integer32", LEARNED if one.port else SELF)
    for vlan in campus.vlans:
        for column, ports in (
            (4, [port for port in switch.ports if vlan.number in port.vlans]),
            (5, [port for port in switch.ports if vlan.number == port.vlan]),
        ):
            yield Row((*Q_BRIDGE, 4, 2, 1, column, 0, vlan.number), "OctetString", _bits(ports, switch.size))
        yield Row((*Q_BRIDGE, 4, 2, 1, 3, 0, vlan.number), "Gauge32", vlan.number)  # each has a table of its own number
        yield Row((*Q_BRIDGE, 4, 2, 1, 6, 0, vlan.number), "Integer32", 2)  # permanent
        yield Row((*Q_BRIDGE, 4, 3, 1, 1, vlan.number), "OctetString", vlan.name.encode())
    for port in switch.ports:
        yield Row((*Q_BRIDGE, 4, 5, 1, 1, port.number), "Gauge32", port.vlan)


def _bits(ports: list[Port], size: int) -> bytes:
    """A PortList of Q-BRIDGE-MIB: the first port is the highest bit."""
    octets = bytearray((size + 7) // 8)
    for port in ports:
        octets[(port.number - 1) // 8] |= 0x80 >> (port.number - 1) % 8
    return bytes(octets)


def _vlan_list(campus: Campus, switch: Switch) -> Iterator[Row]:
    for vlan in campus.vlans:
        yield Row((*VTP_VLAN, 2, 1, vlan.number), "Integer32", 1)  # operational
        yield Row((*VTP_VLAN, 3, 1, vlan.number), "Integer32", 1)  # Ethernet
        yield Row((*VTP_VLAN, 4, 1, vlan.number), "OctetString", vlan.name.encode())
    for port in switch.ports:
        if not port.carries:
            yield Row((*VM_VLAN, switch.offset + port.number), "Integer32", port.vlan)


def _power(plan: Plan, campus: Campus, switch: Switch, seen: Seen) -> Iterator[Row]:
    outlets = [(campus.outlet(host, plan.hosts), host.kind) for host in plan.hosts if host.switch and host.kind in DRAWN]
    fed = {outlet.port: DRAWN[kind] for outlet, kind in outlets if outlet.switch == switch.name}
    used = 0
    for number in range(1, switch.size + 1):
        watts, kind = fed.get(number, (0, 1))
        delivering = watts > 0 and seen.ports.get(number, Traffic()).up
        used += watts if delivering else 0
        yield Row((*POWER, 1, 1, 3, 1, number), "Integer32", 1)
        yield Row((*POWER, 1, 1, 6, 1, number), "Integer32", DELIVERING if delivering else SEARCHING)
        yield Row((*POWER, 1, 1, 10, 1, number), "Integer32", kind if delivering else 1)
    yield Row((*POWER, 3, 1, 1, 2, 1), "Gauge32", switch.power)
    yield Row((*POWER, 3, 1, 1, 3, 1), "Integer32", 1)  # on
    yield Row((*POWER, 3, 1, 1, 4, 1), "Gauge32", used)
    yield Row((*POWER, 3, 1, 1, 5, 1), "Integer32", POWER_ALARM)


def _chassis(switch: Switch) -> Iterator[Row]:
    said: list[tuple[int, str, int | bytes]] = [
        (2, "OctetString", f"{switch.maker} {switch.model}".encode()),
        (4, "Integer32", 0),
        (5, "Integer32", CHASSIS),
        (7, "OctetString", switch.name.encode()),
        (9, "OctetString", switch.firmware.encode()),
        (10, "OctetString", switch.firmware.encode()),
        (11, "OctetString", switch.serial.encode()),
        (12, "OctetString", switch.maker.encode()),
        (13, "OctetString", switch.model.encode()),
    ]
    return (Row((*ENTITY, column, 1), kind, value) for column, kind, value in said)
