"""Network devices asked over SNMP: what they say they are, how long they run, and what each interface has carried.

Read-only, version 2c, only the devices that the config names. The community comes from a file and goes nowhere else.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from collectors.snmp.session import Oid, Session, Table, Value, walk
from netready.device import Sighting
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument, Reading
from netready.measurement import Detail, Measurement
from netready.text import clean

METHOD = "snmp/1"
UPTIME, SPEED, RECEIVED, SENT = "device_uptime", "interface_speed", "interface_received", "interface_sent"

# SNMPv2-MIB system group (RFC 3418), scalars.
SYSTEM = (1, 3, 6, 1, 2, 1, 1)
DESCR, OBJECT_ID, UP_TIME, NAME, LOCATION, SERVICES = ((*SYSTEM, leaf, 0) for leaf in (1, 2, 3, 5, 6, 7))
# IP-MIB ipAdEntIfIndex: which interface has an IPv4 address (deprecated by RFC 4293, and still what every device answers).
ADDRESS_INDEX = (1, 3, 6, 1, 2, 1, 4, 20, 1, 2)
# IF-MIB (RFC 2863): ifTable and ifXTable columns.
IF, IFX = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
IF_NAME, IF_IN, IF_OUT, IF_SPEED, IF_ALIAS = ((*IFX, leaf) for leaf in (1, 6, 10, 15, 18))
IF_PHYS, IF_OPER = (*IF, 6), (*IF, 8)
COLUMNS = (IF_NAME, IF_SPEED, IF_IN, IF_OUT, IF_ALIAS, IF_OPER, IF_PHYS)
OPER = {1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "not-present", 7: "lower-layer-down"}
LARGEST_FILE = 1024  # bytes of a community file that are read


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [snmp]. Devices are addresses; `community_file` holds the read-only community on its first line."""

    devices: Annotated[tuple[str, ...], Meta(max_length=1000)] = ()
    community_file: str = ""
    port: Annotated[int, Meta(ge=1, le=65535)] = 161
    timeout: Annotated[float, Meta(gt=0, le=30)] = 1.0  # seconds for each request
    retries: Annotated[int, Meta(ge=0, le=5)] = 2
    max_rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 20_000  # table cells for each device
    deadline: Annotated[float, Meta(gt=0, le=600)] = 30.0  # seconds for each device
    parallel: Annotated[int, Meta(ge=1, le=32)] = 8

    def __post_init__(self) -> None:
        for device in self.devices:
            ip_address(device)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one device said, or the word for why it said nothing."""

    device: str
    at: datetime
    system: dict[Oid, Value] = {}
    table: Table | None = None
    bytes_sent: int = 0
    bytes_received: int = 0
    failure: Failure | None = None
    reason: str = ""


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the interface tables; None where the device left a cell out."""

    index: int
    name: str
    at: datetime
    speed: int | None  # Mbit/s
    received: int | None
    sent: int | None
    alias: str
    oper: str
    mac: str | None


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """For each device a sighting, its uptime, and three measurements of each interface; several devices at a time.

    Raises Refused before the first packet when one of them is outside the authorised networks.
    """
    for device in settings.devices:
        context.authority.allow_host(device)
    try:
        community = read_community(settings.community_file, context)
    except OSError as error:
        word, reason = classify(error) or Failure.LOCAL_RESOURCES, f"snmp.community_file cannot be read: {error.strerror}"
        for device in settings.devices:
            yield Measurement.failed(UPTIME, device, context.clock.now(), word, METHOD, source="snmp", reason=reason)
        return
    context.say(f"snmp: {len(settings.devices)} devices, {settings.parallel} at a time")
    with ThreadPoolExecutor(max_workers=settings.parallel, thread_name_prefix="snmp") as pool:
        for answer in pool.map(lambda device: _visit(device, community, settings, context), settings.devices):
            yield from emit(answer)


def read_community(path: str, context: Context) -> bytes:
    """The first line of the file; says so when others on this machine may read it too."""
    with Path(path).open("rb") as file:
        if Path(path).stat().st_mode & 0o077:
            context.say(f"snmp: {path} can be read by other users of this machine; chmod 600 it")
        return file.read(LARGEST_FILE).split(b"\n", 1)[0].strip()


def _visit(device: str, community: bytes, settings: Settings, context: Context) -> Answer:
    at = context.clock.now()
    try:
        with Session(
            (device, settings.port),
            community,
            clock=context.clock,
            chance=context.chance,
            timeout=settings.timeout,
            retries=settings.retries,
            seconds=settings.deadline,
        ) as session:
            session.connect()
            system = session.get((DESCR, OBJECT_ID, UP_TIME, NAME, LOCATION, SERVICES, *_address_index(device)))
            table = walk(session, COLUMNS, settings.max_rows, context.clock)
    except (OSError, Failed) as error:
        failure = classify(error)
        if failure is None:
            raise
        return Answer(device=device, at=at, failure=failure, reason=clean(str(error), limit=300))
    return Answer(
        device=device,
        at=at,
        system=system,
        table=table,
        bytes_sent=session.bytes_sent,
        bytes_received=session.bytes_received,
    )


def _address_index(device: str) -> tuple[Oid, ...]:
    address = ip_address(device)
    return ((*ADDRESS_INDEX, *address.packed),) if isinstance(address, IPv4Address) else ()


def emit(answer: Answer) -> Iterator[Reading]:
    """The readings of one device."""
    if answer.failure is not None or answer.table is None:
        word = answer.failure or Failure.NO_ANSWER
        yield Measurement.failed(UPTIME, answer.device, answer.at, word, METHOD, source="snmp", reason=answer.reason)
        return
    found = interfaces(answer.table)
    yield sighting(answer, found)
    ticks = answer.system.get(UP_TIME)
    uptime = ticks / 100 if isinstance(ticks, int) else None  # TimeTicks are hundredths of a second
    details: dict[str, Detail] = {
        "source": "snmp",
        "interfaces": len(found),
        "cells": answer.table.size,
        "fault": answer.table.fault,
        "bytes_sent": answer.bytes_sent,
        "bytes_received": answer.bytes_received,
    }
    if uptime is None:
        reason = "the device does not say how long it runs"
        yield Measurement.failed(UPTIME, answer.device, answer.at, Failure.NOT_SUPPORTED, METHOD, **details, reason=reason)
    else:
        yield Measurement.of(UPTIME, answer.device, answer.at, uptime, METHOD, **details)
    names = {row: name for name, row in interface_names(answer.table).items()}
    for interface in found:
        yield from _emit_interface(f"{answer.device} {names[interface.index,]}", interface, uptime, answer.table.fault)


def _emit_interface(target: str, interface: Interface, uptime: float | None, fault: str | None) -> Iterator[Measurement]:
    details: dict[str, Detail] = {
        "source": "snmp",
        "oper": interface.oper,
        "alias": interface.alias,
        "uptime": uptime,
        "fault": fault,
    }
    for metric, value in (
        (SPEED, interface.speed * 1e6 if interface.speed else None),
        (RECEIVED, interface.received),
        (SENT, interface.sent),
    ):
        if value is not None:
            yield Measurement.of(metric, target, interface.at, float(value), METHOD, **details)
        else:
            word = Failure.NO_ANSWER if fault else Failure.NOT_SUPPORTED
            reason = f"the walk ended early: {fault}" if fault else "the device does not say"
            yield Measurement.failed(metric, target, interface.at, word, METHOD, **details, reason=reason)


def interface_names(table: Table) -> dict[str, Oid]:
    """Name to row of the interfaces in a walk of IF_NAME; a name that was there before gets its index, as in "wan0#7"."""
    names: dict[str, Oid] = {}
    for row in sorted(table.seen):
        if len(row) == 1:
            name = _text(table.cells[IF_NAME].get(row)) or f"if{row[0]}"
            names[name if name not in names else f"{name}#{row[0]}"] = row
    return names


def interfaces(table: Table) -> list[Interface]:
    """The rows of the tables that have an interface index, by index."""
    found = []
    for row, at in sorted(table.seen.items()):
        if len(row) != 1:
            continue
        cell = {column: table.cells[column].get(row) for column in COLUMNS}
        oper = cell[IF_OPER]
        found.append(
            Interface(
                index=row[0],
                name=_text(cell[IF_NAME]) or f"if{row[0]}",
                at=at,
                speed=_count(cell[IF_SPEED]),
                received=_count(cell[IF_IN]),
                sent=_count(cell[IF_OUT]),
                alias=_text(cell[IF_ALIAS]),
                oper=OPER.get(oper, "unknown") if isinstance(oper, int) else "unknown",
                mac=_mac(cell[IF_PHYS]),
            )
        )
    return found


def sighting(answer: Answer, found: list[Interface]) -> Sighting:
    """What the device says it is. Its MAC is that of the interface with the address that was asked, where it tells."""
    system = answer.system
    index = next((system.get(oid) for oid in _address_index(answer.device)), None)
    objectid, services = system.get(OBJECT_ID), system.get(SERVICES)
    facts = {
        "sysdescr": _text(system.get(DESCR), limit=256),
        "sysobjectid": ".".join(map(str, objectid)) if isinstance(objectid, tuple) else "",
        "services": str(services) if isinstance(services, int) else "",
        "location": _text(system.get(LOCATION)),
    }
    return Sighting(
        source="snmp",
        at=answer.at,
        mac=next((interface.mac for interface in found if interface.index == index), None),
        address=answer.device,
        name=_text(system.get(NAME)) or None,
        facts={name: text for name, text in facts.items() if text},
    )


def _text(value: Value, limit: int = 128) -> str:
    return clean(value, limit=limit) if isinstance(value, bytes) else ""


def _count(value: Value) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _mac(value: Value) -> str | None:
    return value.hex(":") if isinstance(value, bytes) and len(value) == 6 and any(value) else None


def missing(settings: Settings) -> str | None:
    """Devices and a community must both be named."""
    if not settings.devices:
        return "no device is named in snmp.devices"
    return None if settings.community_file else "snmp.community_file does not say where the read-only community is"


INSTRUMENT = Instrument(
    name="snmp",
    version=1,
    read=read,
    settings=Settings,
    does="Asks the switches, routers and access points named in [snmp], read-only, what they are and what they carried",
    metrics=(UPTIME, SPEED, RECEIVED, SENT),
    seconds=lambda settings: 2.0 * len(settings.devices) / settings.parallel,
    load=lambda settings, _rate: 20_000.0 * len(settings.devices),
    missing=missing,
    files=("community_file",),
    targets=lambda settings: settings.devices,
)
