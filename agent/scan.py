"""A scan by itself: the instruments that see devices, run without measuring the line and without keeping anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

import msgspec

from agent.capabilities import held
from agent.clock import SystemClock
from agent.counting import NO_LISTS, Lists, counted, lists, naming
from agent.instruments import instruments
from agent.session import Session, begin_if_configured, context_for, progress
from agent.survey import EXAM, Readings, exam_on, read
from census.kinds import Naming
from netready import __version__
from netready.authority import Network, Refused
from netready.instrument import Instrument
from netready.survey import Run, Survey

SEERS = ("listen", "capture", "snmp", "arp_sweep", "icmp_sweep", "nd_sweep")  # the instruments that yield sightings
NOWHERE = "not kept"


class _Taken(msgspec.Struct, kw_only=True):
    """What has been seen so far."""

    started: datetime
    readings: Readings = msgspec.field(default_factory=Readings)
    runs: list[Run] = []


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
    taken = _Taken(started=clock.now())
    for row in rows:
        settings = session.config.settings(row) if session else row.settings()
        if row.name in asked:
            settings = msgspec.convert({**msgspec.to_builtins(settings), **asked[row.name]}, row.settings)
        elif hasattr(settings, "networks") and (networks or not settings.networks):
            settings = msgspec.structs.replace(settings, networks=wanted)
        if not row.wanted(settings):
            continue
        begun = clock.monotonic()
        reason = _reason(row, settings, exam=exam)
        found = Readings()
        if reason is None:
            progress(f"{row.name}: {row.does}")
            found = read(row, settings, context)
        taken.readings.sightings += found.sightings
        taken.readings.measurements += found.measurements
        taken.runs.append(
            Run(
                instrument=row.name,
                method=row.method,
                ok=True,
                seconds=clock.monotonic() - begun,
                measurements=len(found.measurements),
                sightings=len(found.sightings),
                skipped=reason,
                sent=tuple(found.sent),
            )
        )
    return _survey(session, taken, context.authority.networks, clock)


def _reason(row: Instrument, settings: object, *, exam: bool) -> str | None:
    if exam and not row.silent:
        return EXAM
    if (reason := row.missing(settings)) is not None:
        return reason
    return None if row.needs <= held() else "this machine does not allow it; `netready doctor` says how to"


def _survey(session: Session | None, taken: _Taken, networks: Sequence[Network], clock: SystemClock) -> Survey:
    """What was seen as a survey that nobody keeps: in clear, for the person at this terminal."""
    own: Lists = lists(session.config, (), clock) if session else NO_LISTS
    habits = naming(session.config) if session else Naming()
    found = counted(taken.readings.sightings, own, habits, networks)
    failed = [f"{each.target}: {each.failure}" for each in taken.readings.measurements if each.failure is not None]
    return Survey(
        id=NOWHERE,
        site=session.config.site.name if session else "",
        software=f"netready {__version__}",
        started_at=taken.started,
        finished_at=clock.now(),
        measurements=tuple(taken.readings.measurements),
        devices=found.devices,
        runs=tuple(taken.runs),
        unseen=(*(f"{run.instrument}: {run.skipped}" for run in taken.runs if run.skipped), *failed, *found.notes, *own.notes),
    )
