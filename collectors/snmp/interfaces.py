"""The interfaces of a device: their names, speeds, states, and what they have carried, refused and broken.

IF-MIB (RFC 2863), EtherLike-MIB (RFC 3635) and MAU-MIB (RFC 4836). Counters have 64 bits where the device has them.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from collectors.snmp.ber import Oid, Value
from collectors.snmp.cells import count, mac, text
from collectors.snmp.reading import METHOD, MIB2, UP_TIME, Module, Told, Yield
from collectors.snmp.walk import Table
from netready.failure import Failure
from netready.measurement import Detail, Measurement

SPEED, RECEIVED, SENT = "interface_speed", "interface_received", "interface_sent"
BAD_RECEIVED, BAD_SENT, HALF_DUPLEX = "interface_errors_received", "interface_errors_sent", "interface_half_duplex"
METRICS = (SPEED, RECEIVED, SENT, BAD_RECEIVED, BAD_SENT, HALF_DUPLEX)

IF: Oid = (*MIB2, 2, 2, 1)
IFX: Oid = (*MIB2, 31, 1, 1, 1)
IF_NAME, IF_IN, IF_OUT, IF_SPEED, IF_ALIAS = ((*IFX, leaf) for leaf in (1, 6, 10, 15, 18))
IF_PHYS, IF_OPER = (*IF, 6), (*IF, 8)
OPER = {1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "not-present", 7: "lower-layer-down"}
BITS = 10**6  # bit/s in one of ifHighSpeed
LARGEST_SPEED = 2**32 - 1  # of ifSpeed, which says so when it cannot say more

# ifTable and ifXTable have one index, and so are read side by side.
INTERFACES = Module(
    name="interfaces",
    root=MIB2,
    columns={
        "name": (31, 1, 1, 1, 1),
        "descr": (2, 2, 1, 2),
        "type": (2, 2, 1, 3),
        "phys": (2, 2, 1, 6),
        "oper": (2, 2, 1, 8),
        "speed": (31, 1, 1, 1, 15),
        "received": (31, 1, 1, 1, 6),
        "sent": (31, 1, 1, 1, 10),
        "packets_received": (31, 1, 1, 1, 7),
        "packets_sent": (31, 1, 1, 1, 11),
        "discards_received": (2, 2, 1, 13),
        "errors_received": (2, 2, 1, 14),
        "discards_sent": (2, 2, 1, 19),
        "errors_sent": (2, 2, 1, 20),
        "alias": (31, 1, 1, 1, 18),
        "gap": (31, 1, 1, 1, 19),
    },
    always=True,
)
OLD = Module(
    name="old-interfaces",
    root=IF,
    columns={"speed": 5, "received": 10, "packets_received": 11, "sent": 16, "packets_sent": 17},
    without=("interfaces.received",),
)
ETHERNET = Module(name="ethernet", root=(*MIB2, 10, 7, 2, 1), columns={"alignment": 2, "fcs": 3, "late": 8, "duplex": 19})
# Where EtherLike-MIB does not tell the duplex, the type of the transceiver does; index: ifIndex, transceiver.
MAU = Module(name="mau", root=(*MIB2, 26, 2, 1, 1), columns={"type": 3}, without=("ethernet.duplex",))
MODULES = (INTERFACES, OLD, ETHERNET, MAU)

HALF, FULL = 2, 3  # dot3StatsDuplexStatus
MAU_TYPE: Oid = (*MIB2, 26, 4)
MAU_HALF = frozenset({10, 12, 15, 17, 19, 21, 23, 25, 27, 29})  # the last number of a dot3MauType that ends in HD
MAU_FULL = frozenset({11, 13, 16, 18, 20, 22, 24, 26, 28, 30})
# ifType (IANAifType-MIB) of what has a socket or a radio: Ethernet by its names of four decades, fibre channel, 802.11.
PHYSICAL = frozenset({6, 26, 56, 62, 69, 71, 117})


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the interface tables; None where the device left a cell out.

    name   ifName, else ifDescr; of several that are called alike, the later ones get their index: "wan0#7"
    half   whether it takes turns with its neighbour; None when the device does not say
    """

    index: int
    name: str
    at: datetime
    speed: float | None  # bit/s
    received: int | None
    sent: int | None
    alias: str
    oper: str
    mac: str | None
    half: bool | None
    cells: Mapping[str, Value]


def interface_names(table: Table) -> dict[str, Oid]:
    """The row of each interface of a walk over ifName, by the name it is printed under."""
    return {name: row for row, name in _named({row: text(cell) for row, cell in table.cells[IF_NAME].items()}).items()}


def names(told: Told) -> dict[int, str]:
    """What each interface is called, by its ifIndex."""
    said = {row: text(cell["name"]) or text(cell["descr"]) for row, cell in told.rows("interfaces")}
    return {row[0]: name for row, name in _named(said).items()}


def _named(said: Mapping[Oid, str]) -> dict[Oid, str]:
    """A name for each row that has one index; of several that are called alike, the later ones get it added."""
    found: dict[Oid, str] = {}
    taken: set[str] = set()
    for row in sorted(said):
        if len(row) != 1:
            continue
        name = said[row] or f"if{row[0]}"
        found[row] = f"{name}#{row[0]}" if name in taken else name
        taken.add(found[row])
    return found


def interfaces(told: Told) -> list[Interface]:
    """The interfaces, by index."""
    called = told.once(names)
    old = dict(told.rows("old-interfaces"))
    duplex = _duplex(told)
    found = []
    for row, cell in told.rows("interfaces"):
        if len(row) != 1:
            told.malformed["interfaces"] += 1
            continue
        before = old.get(row, {})
        cells = cell | {name: value for name, value in before.items() if cell.get(name) is None}
        oper = cell["oper"]
        found.append(
            Interface(
                index=row[0],
                name=called[row[0]],
                at=told.seen("interfaces", row),
                speed=_speed(count(cell["speed"]), count(before.get("speed"))),
                received=count(cells["received"]),
                sent=count(cells["sent"]),
                alias=text(cell["alias"]),
                oper=OPER.get(oper, "unknown") if isinstance(oper, int) else "unknown",
                mac=mac(cell["phys"]),
                half=duplex.get(row[0]),
                cells=cells,
            )
        )
    return found


def _speed(mega: int | None, old: int | None) -> float | None:
    """The nominal speed in bit/s; a speed of zero means that it is not known."""
    if mega:
        return float(mega * BITS)
    return float(old) if old and old < LARGEST_SPEED else None


def _duplex(told: Told) -> dict[int, bool]:
    """Whether each interface is half duplex, where the device says."""
    words = {HALF: True, FULL: False}
    found = {row[0]: words[value] for row, value in told.column("ethernet", "duplex").items() if value in {HALF, FULL} and row}
    for row, value in told.column("mau", "type").items():
        if row and isinstance(value, tuple) and value[:-1] == MAU_TYPE and value[-1] in MAU_HALF | MAU_FULL:
            found[row[0]] = value[-1] in MAU_HALF
    return found


def measure(told: Told) -> Iterator[Yield]:
    """The measurements of each interface."""
    ticks = count(told.system.get(UP_TIME))
    broken = dict(told.rows("ethernet"))
    fault = told.faults.get("interfaces")
    for interface in told.once(interfaces):
        details: dict[str, Detail] = {
            "source": "snmp",
            "oper": interface.oper,
            "alias": interface.alias,
            "uptime": None if ticks is None else ticks / 100,
            "fault": fault,
        }
        target = f"{told.device} {interface.name}"
        for metric, value in ((SPEED, interface.speed), (RECEIVED, interface.received), (SENT, interface.sent)):
            if value is not None:
                yield Measurement.of(metric, target, interface.at, float(value), METHOD, **details)
            else:
                word = Failure.NO_ANSWER if fault else Failure.NOT_SUPPORTED
                yield Measurement.failed(metric, target, interface.at, word, METHOD, **details)
        yield from _measure_faults(interface, broken.get((interface.index,), {}), target, details)


def _measure_faults(
    interface: Interface, ethernet: Mapping[str, Value], target: str, details: Mapping[str, Detail]
) -> Iterator[Measurement]:
    """What went wrong on it, where the device counts that; with how many packets there were, for comparison.

    Of ports that are unplugged only what they counted before is worth a line, and of interfaces without a socket nothing.
    """
    if interface.cells["type"] not in PHYSICAL | {None}:
        return
    gap = count(interface.cells["gap"])
    for metric, way in ((BAD_RECEIVED, "received"), (BAD_SENT, "sent")):
        value = count(interface.cells[f"errors_{way}"])
        if value is None or not (value or interface.oper == "up"):
            continue
        more: dict[str, Detail] = {
            "packets": count(interface.cells[f"packets_{way}"]),
            "discards": count(interface.cells[f"discards_{way}"]),
            "discontinuity": None if gap is None else gap / 100,
        }
        if way == "received":
            more |= {"fcs": count(ethernet.get("fcs")), "alignment": count(ethernet.get("alignment"))}
        else:
            more |= {"late_collisions": count(ethernet.get("late"))}
        told = {name: value for name, value in more.items() if value is not None}
        yield Measurement.of(metric, target, interface.at, float(value), METHOD, **details, **told)
    if interface.half is not None and interface.oper == "up":  # what is unplugged has no neighbour to disagree with
        yield Measurement.of(HALF_DUPLEX, target, interface.at, float(interface.half), METHOD, **details)
