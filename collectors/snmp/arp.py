"""Whom a router has spoken to: addresses of all its networks with the hardware address behind each.

IP-MIB's ipNetToPhysicalTable (RFC 4293) knows IPv4 and IPv6; many routers only have what came before it, for IPv4 (RFC 1213),
for IPv6 (RFC 2465), or Cisco's own (CISCO-IETF-IP-MIB).
"""

from collections.abc import Iterator

from collectors.snmp.ber import Oid
from collectors.snmp.cells import address, inet_at, mac, octets
from collectors.snmp.forwarding import vlan_facts, vlan_of
from collectors.snmp.interfaces import names
from collectors.snmp.reading import INTERNET, LINK, MIB2, Module, Told, When, Yield
from netready.device import Sighting

# A host's own table names only whom it spoke to itself; Aruba's controllers call themselves hosts and route.
WHEN = When(services=LINK | INTERNET, makers=((14823,),))
IPV4, IPV6 = 1, 2  # InetAddressType, which follows the interface in the index


def _knows_ipv4(told: Told) -> bool:
    return any(row[1:2] == (IPV4,) for row in told.column("arp", "mac"))


def _knows_ipv6(told: Told) -> bool:
    return any(row[1:2] == (IPV6,) for row in told.column("arp", "mac")) or told.has("old-nd")


PHYSICAL = Module(name="arp", root=(*MIB2, 4, 35, 1), columns={"mac": 4, "type": 6, "state": 7}, when=WHEN)
MEDIA = Module(name="old-arp", root=(*MIB2, 4, 22, 1), columns={"mac": 2, "type": 4}, when=WHEN, unless=_knows_ipv4)
OLD_IPV6 = Module(
    name="old-nd", root=(*MIB2, 55, 1, 12, 1), columns={"mac": 2, "type": 3, "state": 4}, when=WHEN, unless=_knows_ipv6
)
CISCO = Module(
    name="cisco-nd",
    root=(1, 3, 6, 1, 4, 1, 9, 10, 86, 1, 1, 3, 1),  # cInetNetToMediaTable
    columns={"mac": 3},
    when=When(makers=((9,),)),
    unless=_knows_ipv6,
)
MODULES = (PHYSICAL, MEDIA, OLD_IPV6, CISCO)

# Types of entries that are no neighbour: invalid ones, and the router's own. Each table numbers them in its own way.
NOBODY = {"arp": frozenset({2, 5}), "old-arp": frozenset({2}), "old-nd": frozenset({4}), "cisco-nd": frozenset[int]()}
GONE = frozenset({5, 7})  # states: invalid, incomplete


def neighbours(told: Told) -> Iterator[Yield]:
    """A sighting for each address and hardware address, once, whichever table told it."""
    seen: set[tuple[int, str]] = set()
    for module in MODULES:
        for row, cell in told.rows(module.name):
            index, found = row[0] if row else 0, _address(module.name, row)
            if found is None:
                told.malformed[module.name] += 1
                continue
            holder = mac(cell["mac"])
            if not found or holder is None or cell.get("type") in NOBODY[module.name] or cell.get("state") in GONE:
                continue
            if (index, found) in seen:
                continue
            seen.add((index, found))
            yield _sighting(told, index, found, holder)


def _address(module: str, row: Oid) -> str | None:
    """The address in an index that begins with the interface; "" for one that no device has, None for no address."""
    if module in {"arp", "cisco-nd"}:
        return inet_at(row, 1)
    parts = octets(row[2:] if len(row) == 18 else row[1:])  # some agents put the length before an IPv6 address
    if parts is None or len(parts) != (4 if module == "old-arp" else 16):
        return None
    return address(parts) or ""


def _sighting(told: Told, index: int, found: str, holder: str) -> Sighting:
    interface = told.once(names).get(index, "")
    facts = {"router": told.device, "interface": interface, **vlan_facts(told, vlan_of(interface))}
    return Sighting(
        source="router", at=told.at, mac=holder, address=found, facts={name: fact for name, fact in facts.items() if fact}
    )
