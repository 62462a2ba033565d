"""Who a device is: its maker, model and serial number, its own addresses, and the special tables that it has.

ENTITY-MIB (RFC 6933) names the chassis on most switches. Other devices name themselves in a corner of their maker's own, or
only in their description; both are rows of `identity_rows`.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from collectors.snmp import identity_rows
from collectors.snmp.ber import Oid, Value
from collectors.snmp.cells import address, count, inet_at, mac, octets, said, text
from collectors.snmp.interfaces import Interface, interfaces
from collectors.snmp.makers import begins, by_enterprise, known_as
from collectors.snmp.reading import DESCR, ENTERPRISES, LOCATION, MIB2, NAME, Module, Told, Yield
from collectors.snmp.ups import is_ups
from collectors.snmp.wireless import own_clients
from netready.device import Sighting

# IP-MIB: which interface has which address; deprecated by RFC 4293 and still what every device answers, and the newer table.
ADDRESS_INDEX: Oid = (*MIB2, 4, 20, 1, 2)
OLD_ADDRESSES = Module(name="old-addresses", root=(*MIB2, 4, 20, 1), columns={"index": 2})
ADDRESSES = Module(name="addresses", root=(*MIB2, 4, 34, 1), columns={"index": 3, "type": 4})
BRIDGE = Module(name="bridge-address", root=(*MIB2, 17, 1), columns={"mac": 1}, alone=True)
# What LLDP-MED tells the neighbours of the device itself (ANSI/TIA-1057).
OWN_MED = Module(
    name="own-med",
    root=(1, 0, 8802, 1, 1, 2, 1, 5, 4795, 1, 2),
    columns={"firmware": 3, "software": 4, "serial": 5, "maker": 6, "model": 7},
    alone=True,
)
ENTITY = Module(
    name="entity",
    root=(*MIB2, 47, 1, 1, 1, 1),
    columns={"descr": 2, "class": 5, "firmware": 9, "software": 10, "serial": 11, "maker": 12, "model": 13},
)
# A radio's own name in the oldest of Wi-Fi's tables (IEEE 802.11, Annex C); and whether there is a radio at all.
STATIONS = Module(name="dot11-stations", root=(1, 2, 840, 10036, 1, 1, 1), columns={"id": 1}, most=64)
DOT11 = Module(name="dot11", root=(1, 2, 840, 10036, 3, 1, 2, 1), columns={"maker": 2, "model": 3, "firmware": 4})
MODULES = (OLD_ADDRESSES, ADDRESSES, BRIDGE, OWN_MED, ENTITY, DOT11, STATIONS, *identity_rows.MODULES)

UNICAST = 1  # ipAddressType
CHASSIS, STACK = 3, 11  # entPhysicalClass
FACTS = ("model", "serial", "maker", "firmware", "software")
MOST_MACS = 512
# Routers that stand in for each other share these (VRRP, HSRP, GLBP): they are no one device's.
SHARED = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:07:b4:00:")
PRINTER: Oid = (*MIB2, 25, 3, 1, 5)  # hrDevicePrinter


def address_index(device: str) -> tuple[Oid, ...]:
    """The cell that says which interface has the address that was asked; IPv4 only."""
    return () if ":" in device else ((*ADDRESS_INDEX, *map(int, device.split("."))),)


def sighting(told: Told) -> Iterator[Yield]:
    """What the device says it is. Its MAC is that of the interface with the address that was asked, else its bridge's."""
    found = told.once(interfaces)
    bridge = mac(told.values("bridge-address").get("mac"))
    macs = [
        each for each in dict.fromkeys(interface.mac for interface in found if interface.mac) if not each.startswith(SHARED)
    ]
    services = told.services
    facts = {
        "sysdescr": text(told.system.get(DESCR), limit=256),
        "sysobjectid": ".".join(map(str, told.objectid)),
        "services": "" if services is None else str(services),
        "location": said(told.system.get(LOCATION)),
        **told.once(identity),
        "mibs": " ".join(_mibs(told)),
        "bridge": bridge or "",
        "macs": " ".join(macs[:MOST_MACS]),
        "addresses": " ".join(_addresses(told)),
        "clients": "" if (clients := own_clients(told)) is None else str(clients),
    }
    yield Sighting(
        source="snmp",
        at=told.at,
        mac=_own_mac(told, found) or bridge or (macs[0] if len(macs) == 1 else None),
        address=told.device,
        name=text(told.system.get(NAME)) or None,
        facts={name: fact for name, fact in facts.items() if fact},
    )
    yield from _members(told, facts["sysobjectid"])


def _mibs(told: Told) -> Iterator[str]:
    """A word for each of the tables that only one sort of device has, where the device answered it."""
    if told.has("printer") or told.has("printer-supplies"):
        yield "printer"
    if is_ups(told):
        yield "ups"
    if told.has("dot11") or told.has("dot11-stations"):
        yield "wireless"


def _own_mac(told: Told, found: list[Interface]) -> str | None:
    wanted = next((told.system.get(oid) for oid in address_index(told.device)), None)
    if wanted is None:
        wanted = told.once(_address_interfaces).get(str(ip_address(told.device)))
    return next((interface.mac for interface in found if interface.index == wanted), None)


def _address_interfaces(told: Told) -> dict[str, int]:
    """The interface of each of its own addresses, where it says."""
    found: dict[str, int] = {}
    for row, cell in told.rows("old-addresses"):
        parts = octets(row)
        own = address(parts) if parts is not None and len(parts) == 4 else None
        if own and (index := count(cell["index"])) is not None:
            found[own] = index
    for row, cell in told.rows("addresses"):
        own = inet_at(row, 0)
        if own is None:
            told.malformed["addresses"] += 1
        elif own and cell["type"] in {UNICAST, None} and (index := count(cell["index"])) is not None:
            found[own] = index
    return found


def _addresses(told: Told) -> list[str]:
    """Its own addresses, without those that mean the same on every link."""
    link_local = ("169.254.", "fe80:")
    return [own for own in told.once(_address_interfaces) if not own.startswith(link_local)]


# --- maker, model, serial number --------------------------------------------------------------------------------------------


def identity(told: Told) -> dict[str, str]:
    """What is known of the facts `FACTS`, each from the source that knows it best."""
    descr = text(told.system.get(DESCR), limit=512)
    described = identity_rows.described(told.objectid, descr)
    sure = described if described.get("sure") else {}
    sources = [_own_words(told), sure, _chassis(told), _first_row(told, "dot11"), _ident(told), _words(told.values("own-med"))]
    found = {fact: next((source[fact] for source in (*sources, described) if source.get(fact)), "") for fact in FACTS}
    written = known_as(found["maker"]) if found["maker"] else ""
    enterprise = told.objectid[len(ENTERPRISES)] if len(told.objectid) > len(ENTERPRISES) else 0
    below = told.objectid[: len(ENTERPRISES)] == ENTERPRISES
    found["maker"] = described.get("maker") or written or (by_enterprise(enterprise) if below else "") or begins(descr)
    found["model"] = _bare(found["model"], found["maker"])
    return {fact: value for fact, value in found.items() if value}


def _bare(model: str, maker: str) -> str:
    """A model as people call it: "93E 80", "E528", "MX960"; without its maker's name, or that it is a switch, in capitals."""
    for word in (maker, "Switch"):
        rest = model[len(word) :]
        if word and model.lower().startswith(word.lower()) and re.match(r"[ -]*\d|[ -]+\w", rest):
            model = rest.lstrip(" -")
    return model.upper() if model == model.lower() else model


def _words(cells: Mapping[str, Value]) -> dict[str, str]:
    return {fact: said(cells.get(fact)) for fact in FACTS}


def _own_words(told: Told) -> dict[str, str]:
    """What it says in its maker's own corner."""
    found: dict[str, str] = {}
    for module in identity_rows.MODULES:
        cells = told.values(module.name) if module.alone else next((cell for _, cell in told.rows(module.name)), {})
        found = {fact: value for fact, value in _words(cells).items() if value} | found
    family = said(told.values("own-mge").get("family"))
    if family and not said(told.values("own-eaton").get("model")):
        found["model"] = f"{family} {found.get('model', '')}".strip()  # which it tells in two parts
    return found


def _ident(told: Told) -> dict[str, str]:
    """What UPS-MIB and Printer-MIB say; a printer's model stands in HOST-RESOURCES-MIB."""
    found = _first_row(told, "printer")
    if told.has("printer"):
        devices = [said(cell["descr"]) for _, cell in told.rows("devices") if cell["type"] == PRINTER]
        found["model"] = next((words for words in devices if words), "")
    return found | {fact: value for fact, value in _words(told.values("ups-identity")).items() if value}


def _first_row(told: Told, module: str) -> dict[str, str]:
    """The facts of a table's first row that has any."""
    return next((words for _, cell in told.rows(module) if any((words := _words(cell)).values())), {})


def _chassis(told: Told) -> dict[str, str]:
    """The first chassis; where none is called one, the stack, or the first part that has a serial number or a model."""
    rows = list(told.rows("entity"))
    for wanted in ({CHASSIS}, {STACK}, {None}):
        for _, cell in rows:
            words = _part(cell)
            if cell["class"] in wanted and (words["model"] or words["serial"]):
                return words
    return {}


def _part(cell: Mapping[str, Value]) -> dict[str, str]:
    words = _words(cell)
    if not words["model"] or identity_rows.PART_NUMBER.fullmatch(words["model"]):  # by which spares are ordered
        named = identity_rows.NAMED.search(said(cell["descr"]))
        words["model"] = named[0] if named else ""
    return words


def _members(told: Told, objectid: str) -> Iterator[Sighting]:
    """The other switches of a stack: each is a thing of its own with a serial number, and has no address."""
    chassis = [(cell, _part(cell)) for _, cell in told.rows("entity") if cell["class"] == CHASSIS]
    serials = list(dict.fromkeys(words["serial"] for _, words in chassis if words["serial"]))
    if len(serials) < 2:
        return
    name = text(told.system.get(NAME)) or told.device
    for number, serial in enumerate(serials[1:], start=2):
        words = next(words for _, words in chassis if words["serial"] == serial)
        facts = words | {"maker": told.once(identity).get("maker", ""), "sysobjectid": objectid, "member": str(number)}
        facts["location"] = said(told.system.get(LOCATION))
        yield Sighting(
            source="snmp",
            at=told.at,
            name=f"{name} member {number}",
            facts={fact: value for fact, value in facts.items() if value},
        )
