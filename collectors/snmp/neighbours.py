"""What a device has heard on its ports by LLDP (IEEE 802.1AB), LLDP-MED (ANSI/TIA-1057) and CDP: who hangs next to it.

LLDP's rows are indexed by when they changed, by the port, and by a number. Only the last two say which neighbour it is: some
agents count the first on while they are read, and then give the same neighbours again and again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from collectors.snmp.ber import Oid, Value
from collectors.snmp.cells import address, bare_mac, bits, count, inet_at, mac, said, text
from collectors.snmp.forwarding import port_name
from collectors.snmp.interfaces import interfaces, names
from collectors.snmp.reading import Module, Told, Yield
from netready.device import Sighting

LLDP: Oid = (1, 0, 8802, 1, 1, 2, 1)
MED: Oid = (*LLDP, 5, 4795, 1, 3)
MOST = 8000  # cells: a thousand neighbours
_COLUMNS = ("chassis_kind", "chassis", "port_kind", "port", "port_descr", "name", "descr", "supported", "enabled")
REMOTE = Module(
    name="lldp", root=(*LLDP, 4, 1, 1), columns={name: number for number, name in enumerate(_COLUMNS, start=4)}, most=MOST
)
MANAGED = Module(name="lldp-addresses", root=(*LLDP, 4, 2, 1), columns={"index": 4}, most=MOST)
LOCAL = Module(name="lldp-ports", root=(*LLDP, 3, 7, 1), columns={"kind": 2, "id": 3, "descr": 4}, most=MOST)
CLASSES = Module(name="med-classes", root=(*MED, 1, 1), columns={"class": 3}, most=MOST)
INVENTORY = Module(
    name="med-inventory",
    root=(*MED, 3, 1),
    columns={"hardware": 1, "firmware": 2, "software": 3, "serial": 4, "maker": 5, "model": 6},
    most=MOST,
)
# The second edition, which some switches have instead; its index has the interface and the group address that was heard.
REMOTE_2 = Module(
    name="lldp-2",
    root=(1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1),
    columns={name: number for number, name in enumerate(_COLUMNS, start=5)},
    without=("lldp",),
    most=MOST,
)
CDP = Module(
    name="cdp",
    root=(1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1),
    columns={"address": 4, "version": 5, "id": 6, "port": 7, "platform": 8, "capabilities": 9},
    most=MOST,
)
MODULES = (REMOTE, MANAGED, LOCAL, CLASSES, INVENTORY, REMOTE_2, CDP)

# LldpSystemCapabilitiesMap: a BITS, and so with its first bit highest. On the wire the same capabilities are a number with its
# first bit lowest, and agents that copy that number into the MIB are known.
CAPABILITIES = ("other", "repeater", "bridge", "wlan-ap", "router", "telephone", "docsis", "station")
CDP_CAPABILITIES = {
    0x01: "router", 0x02: "bridge", 0x04: "bridge", 0x08: "bridge", 0x10: "host", 0x40: "repeater", 0x80: "telephone",
}  # fmt: skip
MAC_KIND_CHASSIS, NETWORK_KIND_CHASSIS, MAC_KIND_PORT = 4, 5, 3  # LldpChassisIdSubtype, LldpPortIdSubtype
INTERFACE_KIND, LOCAL_KIND = 5, 7
FAMILIES = {1: 4, 2: 16}  # IANA address family numbers: IPv4 and IPv6, and their octets


def capabilities(enabled: Value, supported: Value) -> str:
    """What a neighbour does, in words; what it could do, where it says nothing of the first."""
    return next((words for words in (_words(enabled), _words(supported)) if words), "")


def _words(value: Value) -> str:
    if not isinstance(value, bytes):
        return ""
    if len(value) > 1 and not value[0] and value[1]:  # no bridge lacks the first octet's bits: the number off the wire
        return " ".join(word for number, word in enumerate(CAPABILITIES) if value[1] >> number & 1)
    found = bits(value)
    return " ".join(word for number, word in enumerate(CAPABILITIES) if number in found)


def lldp(told: Told) -> Iterator[Yield]:
    """A sighting for each neighbour that LLDP tells."""
    managed = _managed(told)
    ports = told.once(_local_ports)
    seen: set[Oid] = set()
    for module in ("lldp", "lldp-2"):
        for row, cell in told.rows(module):
            if len(row) != (3 if module == "lldp" else 4):
                told.malformed[module] += 1
                continue
            if row[1:] in seen:
                continue
            seen.add(row[1:])
            by_number = ports if module == "lldp" else told.once(names)
            port = by_number.get(row[1]) or (f"port {row[1]}" if module == "lldp" else f"if{row[1]}")
            yield _lldp(told, cell, port, managed.get(row[1:]), _med(told, row[1:]))


def _lldp(told: Told, cell: Mapping[str, Value], port: str, managed: str | None, med: Mapping[str, str]) -> Sighting:
    chassis, far = cell["chassis"], cell["port"]
    own = mac(chassis) if cell["chassis_kind"] == MAC_KIND_CHASSIS else None
    if own is None and cell["port_kind"] == MAC_KIND_PORT:
        own = mac(far)
    facts = {
        "switch": told.device,
        "port": port,
        "remote_port": (mac(far) or "") if cell["port_kind"] == MAC_KIND_PORT else text(far),
        "capabilities": capabilities(cell["enabled"], cell["supported"]),
        "description": text(cell["descr"], limit=256),
        **med,
    }
    return Sighting(
        source="lldp",
        at=told.at,
        mac=own,
        address=managed or (_network(chassis) if cell["chassis_kind"] == NETWORK_KIND_CHASSIS else None),
        name=text(cell["name"]) or None,
        facts={name: fact for name, fact in facts.items() if fact},
    )


def _network(value: Value) -> str | None:
    """A chassis that is called by its address: the address family, then the address."""
    if not isinstance(value, bytes) or not value or FAMILIES.get(value[0]) != len(value) - 1:
        return None
    return address(value[1:])


def _managed(told: Told) -> dict[Oid, str]:
    """The first address by which each neighbour is managed, by port and number; the index has all there is to know."""
    found: dict[Oid, str] = {}
    for row in told.column("lldp-addresses", "index"):
        own = inet_at(row, 3) if len(row) > 5 else None
        if own is None and row[3:4] not in {(1,), (2,)} and len(row) > 5:
            continue  # a family that is neither IPv4 nor IPv6, often a hardware address
        if own is None:
            told.malformed["lldp-addresses"] += 1
        elif own:
            found.setdefault(row[1:3], own)
    return found


def _med(told: Told, neighbour: Oid) -> dict[str, str]:
    """What LLDP-MED adds to a neighbour."""
    return told.once(_all_med).get(neighbour, {})


def _all_med(told: Told) -> dict[Oid, dict[str, str]]:
    found: dict[Oid, dict[str, str]] = {}
    for row, cell in told.rows("med-inventory"):
        if len(row) == 3:
            facts = {name: said(cell[name]) for name in ("firmware", "software", "serial", "maker", "model")}
            found[row[1:]] = {name: fact for name, fact in facts.items() if fact}
    for row, kind in told.column("med-classes", "class").items():
        if len(row) == 3 and kind in {1, 2, 3, 4}:
            found.setdefault(row[1:], {})["class"] = str(kind)
    return found


def _local_ports(told: Told) -> dict[int, str]:
    """What each of LLDP's own port numbers is called: the interface that its identifier or its description is the name of.

    The standard leaves the numbers open. Where no words help they are, on the switches in use, a bridge's port number or an
    ifIndex.
    """
    found = told.once(interfaces)
    called = _unique((words, one.name) for one in found for words in {one.alias, text(one.cells["descr"])})
    called |= {one.name: one.name for one in found}
    by_index = told.once(names)
    by_mac = _unique((one.mac or "", one.name) for one in found)
    bridge = {row[0]: value for row, value in told.column("base-ports", "index").items() if len(row) == 1 and count(value)}
    ports: dict[int, str] = {}
    for row, cell in told.rows("lldp-ports"):
        if len(row) != 1:
            told.malformed["lldp-ports"] += 1
            continue
        own, described = text(cell["id"]), text(cell["descr"])
        index = int(own) if cell["kind"] == LOCAL_KIND and own.isascii() and own.isdigit() and len(own) < 11 else None
        ports[row[0]] = (
            called.get(own)
            or called.get(described)
            or by_mac.get(mac(cell["id"]) or "")
            or by_index.get(index or 0)
            or (own if cell["kind"] == INTERFACE_KIND else "")
            or port_name(told, row[0], {port: count(value) or 0 for port, value in bridge.items()})
        )
    if not ports:
        ports = {row[1]: port_name(told, row[1], {}) for row in told.column("lldp", "chassis") if len(row) == 3}
    return ports


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What each word stands for, without the words that stand for several things or are none."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for word, meaning in pairs:
        found[word].add(meaning)
    return {word: next(iter(meanings)) for word, meanings in found.items() if word and len(meanings) == 1}


def cdp(told: Told) -> Iterator[Yield]:
    """A sighting for each neighbour that CDP tells; index: ifIndex, number."""
    for row, cell in told.rows("cdp"):
        if len(row) != 2:
            told.malformed["cdp"] += 1
            continue
        flags = cell["capabilities"]
        number = int.from_bytes(flags, "big") if isinstance(flags, bytes) and len(flags) <= 4 else count(flags) or 0
        words = dict.fromkeys(word for flag, word in CDP_CAPABILITIES.items() if number & flag)
        facts = {
            "switch": told.device,
            "port": told.once(names).get(row[0], f"if{row[0]}"),
            "remote_port": bare_mac(cell["port"]) or text(cell["port"]),
            "capabilities": " ".join(words),
            "platform": said(cell["platform"]),
            "description": text(cell["version"], limit=256),
        }
        yield Sighting(
            source="cdp",
            at=told.at,
            mac=_named_mac(cell["id"]),
            address=address(cell["address"]),
            name=None if bare_mac(cell["id"]) else text(cell["id"]) or None,
            facts={name: fact for name, fact in facts.items() if fact},
        )


def _named_mac(value: Value) -> str | None:
    """The hardware address that telephones and access points go by in CDP: "SEP001122334455", or its six octets."""
    if (own := bare_mac(value)) is not None:
        return own
    words = text(value)
    digits = words[3:15] if words[:3] in {"SEP", "ATA"} and len(words) == 15 else words
    try:
        return mac(bytes.fromhex(digits)) if len(digits) == 12 else None
    except ValueError:
        return None
