"""How a device is read: rows that say which table to ask for, when, and what its cells mean; and the one way to ask for them.

A `Module` is one table of a MIB, or a few values that stand alone; functions from `Told` to readings say what cells mean, since
most need several tables. What is read of a device is decided by what it said first: its sysObjectID, its sysServices, and one
request that looks into every candidate table at once. Nobody walks from the root, and a device that has fallen silent is left
alone.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from collectors.snmp.ber import Oid, Value, name
from collectors.snmp.cells import count
from collectors.snmp.message import Status
from collectors.snmp.session import Session
from collectors.snmp.walk import Table, walk
from netready.clock import Clock
from netready.device import Sighting
from netready.failure import Failed, Failure, classify
from netready.measurement import Measurement

METHOD = "snmp/2"
MIB2: Oid = (1, 3, 6, 1, 2, 1)
ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)
# Layers of RFC 3418's sysServices, as the bits that they are added up from.
LINK, INTERNET, APPLICATIONS = 2, 4, 64
GLANCE = 12  # tables that one request looks into
SILENCES = 2  # tables in a row without an answer, after which the device is left alone
SILENT = frozenset({Failure.NO_ANSWER.value, Failure.MALFORMED.value})
OVER = frozenset({Failure.TIMEOUT.value, Failure.REFUSED.value, Failure.UNREACHABLE.value})  # nothing comes after these

# SNMPv2-MIB system group (RFC 3418). sysContact is left alone: it names a person.
SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
DESCR, OBJECT_ID, UP_TIME, NAME, LOCATION, SERVICES = ((*SYSTEM, leaf, 0) for leaf in (1, 2, 3, 5, 6, 7))


class When(msgspec.Struct, frozen=True, kw_only=True):
    """When a module is worth reading: when one of the things named here fits; always, when nothing is named.

    makers    the sysObjectID begins with one of these, below `ENTERPRISES`
    services  sysServices has one of these bits, or is not told
    """

    makers: tuple[Oid, ...] = ()
    services: int = 0

    def fits(self, objectid: Oid, services: int | None) -> bool:
        """Whether it fits a device that says this of itself."""
        if not self.makers and not self.services:
            return True
        below = objectid[len(ENTERPRISES) :] if objectid[: len(ENTERPRISES)] == ENTERPRISES else ()
        by_maker = any(below[: len(maker)] == maker for maker in self.makers)
        return by_maker or bool(self.services and (services is None or services & self.services))


Yield = Measurement | Sighting
Made = TypeVar("Made")


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """One table.

    root     what its columns stand below, and all that is asked for
    columns  by the name that parsers know, each column's number below `root`, or its numbers
    when     for which devices it is read
    without  modules ("bridge"), or columns of them ("ports.received"), that make it needless when they have rows
    unless   the same, as a question to what was told so far
    alone    these are no columns but values that stand alone, asked for in the same request as other modules' are
    always   it is asked for without looking first whether there is anything
    most     cells that are read, where it is fewer than [snmp] max_rows: no honest device has as many
    """

    name: str
    root: Oid
    columns: Mapping[str, int | Oid]
    when: When = When()
    without: tuple[str, ...] = ()
    unless: "Callable[[Told], bool] | None" = None
    alone: bool = False
    always: bool = False
    most: int | None = None

    def oid(self, column: str) -> Oid:
        """A column's full number."""
        leaf = self.columns[column]
        return (*self.root, *leaf) if isinstance(leaf, tuple) else (*self.root, leaf)


Row = tuple[Oid, dict[str, Value]]


class Told:
    """All that one device has told: the system group, the modules' cells, and what went wrong with which.

    faults     the word for what cut a module short, by the module's name
    malformed  rows that were left out because their index cannot be, by the module's name
    left       modules that were not asked for any more
    """

    def __init__(self, device: str, at: datetime) -> None:
        """`device` is the address that was asked."""
        self.device = device
        self.at = at
        self.system: dict[Oid, Value] = {}
        self.tables: dict[str, Table] = {}
        self.vlans: dict[int, dict[str, Table]] = {}
        self.faults: dict[str, str] = {}
        self.malformed: Counter[str] = Counter()
        self.left: list[str] = []
        self._modules: dict[str, Module] = {}
        self._values: dict[str, dict[str, Value]] = {}
        self._once: dict[Callable[[Told], Any], Any] = {}

    def once(self, work_out: "Callable[[Told], Made]") -> "Made":
        """What `work_out` makes of it, worked out the first time that it is wanted."""
        if work_out not in self._once:
            self._once[work_out] = work_out(self)
        found: Made = self._once[work_out]
        return found

    def put(self, module: Module, table: Table, vlan: int | None = None) -> None:
        """Keep what was read of a table, in one VLAN's context or in none."""
        self._modules[module.name] = module
        if vlan is None:
            self.tables[module.name] = table
        else:
            self.vlans.setdefault(vlan, {})[module.name] = table
        if table.fault:
            self.faults[module.name if vlan is None else f"{module.name} of VLAN {vlan}"] = table.fault

    def put_values(self, module: Module, found: Mapping[Oid, Value]) -> None:
        """Keep the values that stand alone."""
        self._values[module.name] = {column: found.get((*module.oid(column), 0)) for column in module.columns}

    @cached_property
    def objectid(self) -> Oid:
        """Its sysObjectID; () when it has none."""
        value = self.system.get(OBJECT_ID)
        return value if isinstance(value, tuple) else ()

    @cached_property
    def services(self) -> int | None:
        """Its sysServices, where it tells."""
        return count(self.system.get(SERVICES))

    def has(self, what: str) -> bool:
        """Whether a module ("bridge") or a column of one ("ports.received") has a cell."""
        module, _, column = what.partition(".")
        table = self.tables.get(module)
        if table is None:
            return False
        return bool(table.cells.get(self._modules[module].oid(column))) if column else table.size > 0

    def rows(self, module: str, vlan: int | None = None) -> Iterator[Row]:
        """A module's rows in order: the index, and the cells by the module's names, None where one is missing."""
        table = (self.tables if vlan is None else self.vlans[vlan]).get(module)
        if table is None:
            return
        columns = {column: table.cells.get(self._modules[module].oid(column), {}) for column in self._modules[module].columns}
        for row in sorted(set().union(*columns.values()) - {()}):
            yield row, {column: cells.get(row) for column, cells in columns.items()}

    def column(self, module: str, column: str) -> Mapping[Oid, Value]:
        """One column's cells by row; none when it was not read."""
        table = self.tables.get(module)
        return {} if table is None else table.cells.get(self._modules[module].oid(column), {})

    def values(self, module: str) -> Mapping[str, Value]:
        """A module's values that stand alone; none when it was not read."""
        return self._values.get(module, {})

    def seen(self, module: str, row: Oid) -> datetime:
        """When a row was read."""
        table = self.tables.get(module)
        return self.at if table is None else table.seen.get(row, self.at)


def read(session: Session, told: Told, modules: Sequence[Module], most: int, clock: Clock) -> None:
    """Ask for what fits the device, whose system group is known, in the order of `modules`; at most `most` cells of each."""
    fitting = [module for module in modules if module.when.fits(told.objectid, told.services)]
    _read_values(session, told, [module for module in fitting if module.alone])
    tables = [module for module in fitting if not module.alone]
    shown = _glance(session, [module for module in tables if not module.always])
    silences = 0
    for module in tables:
        if (not module.always and module.name not in shown) or _is_needless(module, told):
            continue
        if silences >= SILENCES or OVER & set(told.faults.values()):
            told.left.append(module.name)
            continue
        columns = [module.oid(column) for column in module.columns]
        told.put(module, walk(session, columns, min(most, module.most or most), clock))
        silences = silences + 1 if told.faults.get(module.name) in SILENT else 0


def _is_needless(module: Module, told: Told) -> bool:
    return any(told.has(other) for other in module.without) or (module.unless is not None and module.unless(told))


def _read_values(session: Session, told: Told, modules: Sequence[Module]) -> None:
    """All values that stand alone, in one request where the session can."""
    if not modules:
        return
    try:
        found = session.get([(*module.oid(column), 0) for module in modules for column in module.columns])
    except (Failed, OSError) as error:
        word = classify(error)
        if word is None:
            raise
        if word is not Failure.NOT_SUPPORTED:  # which only says that it has none of them
            told.faults["values"] = word.value
        return
    for module in modules:
        told.put_values(module, found)


def _glance(session: Session, modules: Sequence[Module]) -> frozenset[str]:
    """The modules whose first cell there is: one request looks into many tables. Where that fails, all may be there."""
    shown: set[str] = set()
    waiting = list(modules)
    while waiting:
        some, waiting = waiting[:GLANCE], waiting[GLANCE:]
        roots = [name(module.root) for module in some]
        try:
            reply = session.bulk(roots, 1).reply
            binds = reply.binds
        except (Failed, OSError) as error:
            if classify(error) is None:
                raise
            shown |= {module.name for module in (*some, *waiting)}
            break
        if reply.status == Status.NO_SUCH_NAME and 0 < reply.index <= len(some):
            # Version 1: nothing follows this one, and of the others nothing is known yet.
            waiting = [*some[: reply.index - 1], *some[reply.index :], *waiting]
        elif reply.status:
            shown |= {module.name for module in some}
        else:
            shown |= {module.name for module in some[len(binds) :]}  # of which the agent said nothing
            for module, root, (wire, value) in zip(some, roots, binds, strict=False):
                if value is not None and wire.startswith(root):
                    shown.add(module.name)
    return frozenset(shown)
