"""Power over Ethernet: how much each supply can give, how much it gives, and how much each port takes.

POWER-ETHERNET-MIB (RFC 3621) tells the supplies and what sort of device is on each port, but not its watts; Cisco and HP do.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from collectors.snmp.ber import Oid, Value
from collectors.snmp.cells import count
from collectors.snmp.interfaces import names
from collectors.snmp.reading import METHOD, MIB2, Module, Told, When, Yield
from netready.measurement import Detail, Measurement, Scalar

AVAILABLE, USED, PORT = "poe_power_available", "poe_power_used", "poe_port_power"
METRICS = (AVAILABLE, USED, PORT)
SUPPLIES = Module(
    name="poe-supplies", root=(*MIB2, 105, 1, 3, 1, 1), columns={"power": 2, "oper": 3, "used": 4, "threshold": 5}
)
PORTS = Module(name="poe-ports", root=(*MIB2, 105, 1, 1, 1), columns={"admin": 3, "detection": 6, "class": 10})
CISCO = Module(
    name="cisco-poe",
    root=(1, 3, 6, 1, 4, 1, 9, 9, 402, 1, 2, 1),  # CISCO-POWER-ETHERNET-EXT-MIB cpeExtPsePortTable; milliwatts
    columns={"available": 8, "used": 9, "part": 11},
    when=When(makers=((9,),)),
)
HP = Module(
    name="hp-poe",
    root=(1, 3, 6, 1, 4, 1, 11, 2, 14, 11, 1, 9, 1, 1, 1),  # HP-ICF-POE-MIB hpicfPoePethPsePortTable; milliwatts
    columns={"used": 3},
    when=When(makers=((11,), (47196,))),
)
PARTS = Module(  # which interface is which part of the chassis; index: entPhysicalIndex, logical index
    name="parts",
    root=(*MIB2, 47, 1, 3, 2, 1),
    columns={"alias": 2},
    when=When(makers=((9,),)),
    unless=lambda told: not told.has("cisco-poe"),
)
MODULES = (SUPPLIES, PORTS, CISCO, HP, PARTS)

OPER = {1: "on", 2: "off", 3: "faulty"}  # pethMainPseOperStatus
DETECTION = {1: "disabled", 2: "searching", 3: "powered", 4: "fault", 5: "test", 6: "other-fault"}
CLASSES = {1: "0", 2: "1", 3: "2", 4: "3", 5: "4"}  # pethPsePortPowerClassifications counts from one
POWERED = "powered"
FAULTS = frozenset({"fault", "other-fault"})
WATTS = ("cisco-poe", "hp-poe")  # modules that tell them
MILLI, PER_CENT = 1000, 100
MOST_NAMES = 48  # of faulty ports


def measure(told: Told) -> Iterator[Yield]:
    """The supplies, and the ports whose watts are told."""
    ports = dict(told.rows("poe-ports"))
    called = _port_names(told)
    for row, cell in told.rows("poe-supplies"):
        if len(row) != 1:
            told.malformed["poe-supplies"] += 1
            continue
        oper, threshold = cell["oper"], count(cell["threshold"])
        details: dict[str, Detail] = {
            "source": "snmp",
            "oper": OPER.get(oper, "unknown") if isinstance(oper, int) else "unknown",
            "threshold": None if threshold is None else threshold / PER_CENT,
            **_counted(told, {index: cells for index, cells in ports.items() if index[:1] == row}, called),
        }
        for metric, value in ((AVAILABLE, count(cell["power"])), (USED, count(cell["used"]))):
            if value is not None:
                yield Measurement.of(metric, f"{told.device} supply {row[0]}", told.at, float(value), METHOD, **details)
    yield from _ports(told, ports, called)


def _counted(told: Told, ports: Mapping[Oid, Mapping[str, Value]], called: Mapping[Oid, str]) -> dict[str, Detail]:
    """How many of a supply's ports there are, in each state and class, and which of them are faulty."""
    if not ports:
        return {}
    powered = [cell for cell in ports.values() if _state(cell) == POWERED]
    faulty: list[Scalar] = [called.get(row, ".".join(map(str, row))) for row, cell in ports.items() if _state(cell) in FAULTS]
    classes = Counter(_class(cell) for cell in powered)
    return {
        "ports": len(ports),
        "powered": len(powered),
        "faulty": faulty[:MOST_NAMES],
        "classes": {f"class {word}": number for word, number in sorted(classes.items())},
        "ports_told": any(told.has(f"{module}.used") for module in WATTS),
    }


def _ports(told: Told, ports: Mapping[Oid, Mapping[str, Value]], called: Mapping[Oid, str]) -> Iterator[Measurement]:
    """What each port with something on it takes, where the maker tells."""
    for module in WATTS:
        for row, cell in told.rows(module):
            used, port = count(cell["used"]), ports.get(row, {})
            if len(row) != 2:
                told.malformed[module] += 1
            elif used is not None and (used or _state(port) in {POWERED, *FAULTS}):
                details: dict[str, Detail] = {"source": "snmp", "state": _state(port), "class": _class(port)}
                if (available := count(cell.get("available"))) is not None:
                    details["available"] = available / MILLI
                target = f"{told.device} {called.get(row, '.'.join(map(str, row)))}"
                yield Measurement.of(PORT, target, told.at, used / MILLI, METHOD, **details)


def _state(cell: Mapping[str, Value]) -> str:
    value = cell.get("detection")
    return DETECTION.get(value, "unknown") if isinstance(value, int) else "unknown"


def _class(cell: Mapping[str, Value]) -> str:
    value = cell.get("class")
    return CLASSES.get(value, "unknown") if isinstance(value, int) else "unknown"


def _port_names(told: Told) -> dict[Oid, str]:
    """What the interface behind each powered port is called; index: group, port.

    Cisco says which part of the chassis a port is, and the part which interface. On other switches, unless several groups count
    anew, the port's number is an ifIndex.
    """
    by_index = told.once(names)
    aliases = {
        row[0]: value[-1] for row, value in told.column("parts", "alias").items() if row and isinstance(value, tuple) and value
    }
    found: dict[Oid, str] = {}
    for row, value in told.column("cisco-poe", "part").items():
        if isinstance(value, int) and (name := by_index.get(aliases.get(value, 0))):
            found[row] = name
    rows = [row for row in told.column("poe-ports", "detection") if len(row) == 2]
    if len({row[1] for row in rows}) == len(rows) and not told.has("cisco-poe"):
        found |= {row: by_index[row[1]] for row in rows if row[1] in by_index}
    return found
