"""Network devices asked over SNMP: what they are, what they carried, whom they know, and what hangs where.

Read-only, and only the devices that the config names. How to speak to each stands there too; no secret goes anywhere else.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec

from collectors.snmp.cells import count
from collectors.snmp.credentials import Keyring
from collectors.snmp.forwarding import read_vlans
from collectors.snmp.identity import address_index, sighting
from collectors.snmp.interfaces import interfaces
from collectors.snmp.modules import METRICS, MODULES, YIELDS
from collectors.snmp.reading import DESCR, LOCATION, METHOD, NAME, OBJECT_ID, SERVICES, UP_TIME, Told
from collectors.snmp.reading import read as read_modules
from collectors.snmp.session import Session
from collectors.snmp.settings import Settings
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument, Reading
from netready.measurement import Detail, Measurement
from netready.sent import Sent
from netready.text import clean

UPTIME = "device_uptime"
SYSTEM = (DESCR, OBJECT_ID, UP_TIME, NAME, LOCATION, SERVICES)
# Bytes before each datagram on the wire: Ethernet, IP of either version, and UDP.
HEADERS = {4: 14 + 20 + 8, 6: 14 + 40 + 8}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one device told, or the word for why it told nothing; and what it cost to ask."""

    told: Told
    failure: Failure | None = None
    reason: str = ""
    datagrams_sent: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """Each device's sightings and measurements, several devices at a time; and last what was sent.

    Raises Refused before the first packet when one of them is outside the authorised networks.
    """
    for device in settings.devices:
        context.authority.allow_host(device)
    keyring = Keyring(settings, context.say)
    context.say(f"snmp: {len(settings.devices)} devices, {settings.parallel} at a time")
    frames = size = 0
    with ThreadPoolExecutor(max_workers=settings.parallel, thread_name_prefix="snmp") as pool:
        for answer in pool.map(lambda device: _visit(device, keyring, settings, context), settings.devices):
            frames += answer.datagrams_sent
            size += answer.bytes_sent + answer.datagrams_sent * HEADERS[6 if ":" in answer.told.device else 4]
            yield from emit(answer)
    yield Sent(protocol="snmp", frames=frames, bytes=size, estimated=True)


def _visit(device: str, keyring: Keyring, settings: Settings, context: Context) -> Answer:
    """Ask one device. One that does not answer costs its own line only."""
    told = Told(device, context.clock.now())
    session: Session | None = None
    failure, reason = None, ""
    try:
        with Session(device, keyring.of(device), settings, clock=context.clock, chance=context.chance) as session:
            session.connect()
            told.system = session.get((*SYSTEM, *address_index(device)))
            read_modules(session, told, MODULES, settings.max_rows, context.clock)
            read_vlans(session, told, settings.max_rows, context.clock)
    except (OSError, Failed) as error:
        failure = classify(error)
        if failure is None:
            raise
        reason = clean(str(error), limit=300)
    return Answer(
        told=told,
        failure=failure,
        reason=reason,
        datagrams_sent=session.datagrams_sent if session else 0,
        bytes_sent=session.bytes_sent if session else 0,
        bytes_received=session.bytes_received if session else 0,
    )


def emit(answer: Answer) -> Iterator[Reading]:
    """The readings of one device: first what it is, then how long it runs and how it was read, then the rest."""
    told = answer.told
    if answer.failure is not None:
        yield Measurement.failed(UPTIME, told.device, told.at, answer.failure, METHOD, source="snmp", reason=answer.reason)
        return
    yield from sighting(told)
    readings = [reading for yields in YIELDS for reading in yields(told)]
    yield _uptime(answer)
    yield from readings


def _uptime(answer: Answer) -> Measurement:
    """The device's uptime, with how it was read."""
    told = answer.told
    details: dict[str, Detail] = {
        "source": "snmp",
        "interfaces": len(told.once(interfaces)),
        "cells": sum(table.size for table in told.tables.values()),
        "fault": next(iter(told.faults.values()), None),
        "bytes_sent": answer.bytes_sent,
        "bytes_received": answer.bytes_received,
    }
    if told.faults:
        details["faults"] = dict(told.faults)
    if told.malformed:
        details["malformed"] = dict(told.malformed)  # rows left out because of an impossible index, by table
    if told.left:
        details["left"] = list(told.left)  # tables that were not asked for any more
    ticks = count(told.system.get(UP_TIME))
    if ticks is None:
        reason = "the device does not say how long it runs"
        return Measurement.failed(UPTIME, told.device, told.at, Failure.NOT_SUPPORTED, METHOD, **details, reason=reason)
    return Measurement.of(UPTIME, told.device, told.at, ticks / 100, METHOD, **details)  # hundredths of a second


def missing(settings: Settings) -> str | None:
    """Devices and a community must both be named."""
    if not settings.devices:
        return "no device is named in snmp.devices"
    if strangers := settings.strangers():
        return f"neither snmp.community_file nor a row of snmp.credentials says how to speak to {strangers[0]}"
    return None


INSTRUMENT = Instrument(
    name="snmp",
    version=2,
    read=read,
    settings=Settings,
    does=(
        "Asks the switches, routers and access points named in [snmp], read-only, what they are, what they carried, "
        "and which devices they know"
    ),
    metrics=(UPTIME, *METRICS),
    seconds=lambda settings: 3.0 * len(settings.devices) / settings.parallel,
    load=lambda settings, _rate: 150_000.0 * len(settings.devices),
    missing=missing,
    files=("community_file", "credentials.community_file", "credentials.auth_file", "credentials.priv_file"),
    targets=lambda settings: settings.devices,
)
