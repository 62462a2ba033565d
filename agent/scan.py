"""A scan by itself: the instruments that see devices, run without measuring the line and without keeping anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

import msgspec

from agent.capabilities import held
from agent.clock import SystemClock
from agent.counting import NO_LISTS, Lists, Readings, counted, lists, naming
from agent.instruments import instruments
from agent.session import Session, begin_if_configured, context_for
from agent.survey import exam_on, run, why_not
from census.kinds import Naming
from netready import __version__
from netready.authority import Network, Refused
from netready.instrument import Instrument
from netready.survey import Survey
from probes.sweep import SweepSettings

SEERS = ("listen", "capture", "snmp", "arp_sweep", "icmp_sweep", "nd_sweep")  # the instruments that yield sightings
NOWHERE = "not kept"


def scan_now(networks: tuple[str, ...], option: str | None, *, exam: bool) -> Survey:
    """Scan `networks`, or the config's own; Refused before the first frame when one of them is not authorised."""
    session = begin_if_configured(option)
    if session is None and not networks:
        raise Refused("no network is authorised: name one with --network CIDR, or in site.networks of a netready.toml")
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise Refused(f"--network {network!r}: expected a network such as 10.20.0.0/24 ({error})") from error
    rows = tuple(row for row in instruments() if row.name in SEERS)
    return _seen(session, rows, networks, {}, exam=exam)


def listen_now(option: str | None, *, seconds: float | None, captures: tuple[str, ...]) -> Survey:
    """Only listen, for `seconds`, or only read capture files. Nothing is sent."""
    session = begin_if_configured(option)
    if session is None:
        raise Refused("no network is authorised: name them in site.networks of a netready.toml; only their devices are noted")
    name = "capture" if captures else "listen"
    rows = tuple(row for row in instruments() if row.name == name)
    asked: dict[str, Any] = {"files": [{"file": path} for path in captures]} if captures else {}
    if seconds is not None and not captures:
        asked["seconds"] = seconds
    return _seen(session, rows, (), {name: asked}, exam=True)


def _seen(
    session: Session | None,
    rows: tuple[Instrument, ...],
    networks: tuple[str, ...],
    asked: Mapping[str, Mapping[str, Any]],
    *,
    exam: bool,
) -> Survey:
    clock = SystemClock()
    context = context_for(session, networks=networks)
    wanted = networks or tuple(str(network) for network in context.authority.networks)
    if any(not row.silent for row in rows):
        for network in wanted:
            if ip_network(network).version == 4:
                context.authority.allow_scan(network)
            else:  # asked by multicast, never address by address, so its size does not matter
                context.authority.allow_host(str(ip_network(network)[0]))
    exam = exam or (session is not None and exam_on(session.config, clock.now()))
    rights = held()
    chosen: list[tuple[Instrument, Any, str | None]] = []
    for row in rows:
        settings = session.config.settings(row) if session else row.settings()
        if row.name in asked:
            settings = msgspec.convert({**msgspec.to_builtins(settings), **asked[row.name]}, row.settings)
        elif isinstance(settings, SweepSettings) and (networks or not settings.networks):
            settings = msgspec.structs.replace(settings, networks=wanted)
        if row.wanted(settings):
            chosen.append((row, settings, why_not(row, settings, rights, exam=exam)))
    started = clock.now()
    return _survey(session, started, run(chosen, context), context.authority.networks, clock)


def _survey(
    session: Session | None, started: datetime, readings: Readings, networks: Sequence[Network], clock: SystemClock
) -> Survey:
    """What was seen as a survey that nobody keeps: in clear, for the person at this terminal."""
    own: Lists = lists(session.config, (), clock) if session else NO_LISTS
    habits = naming(session.config) if session else Naming()
    found = counted(readings.sightings, own, habits, networks)
    idle = [f"{one.instrument}: {why}" for one in readings.runs if (why := one.skipped or one.error)]
    failed = [f"{each.target}: {each.failure}" for each in readings.measurements if each.failure is not None]
    return Survey(
        id=NOWHERE,
        site=session.config.site.name if session else "",
        software=f"netready {__version__}",
        started_at=started,
        finished_at=clock.now(),
        measurements=tuple(readings.measurements),
        devices=found.devices,
        runs=tuple(readings.runs),
        unseen=(*idle, *failed, *found.notes, *own.notes),
    )
