"""A scan by itself: the instruments that see devices, run without measuring the line and without keeping anything."""

from ipaddress import ip_network

import msgspec

from agent.capabilities import held
from agent.instruments import instruments
from agent.session import begin_if_configured, context_for, progress
from agent.survey import read
from census.kinds import Naming
from census.merge import count
from netready.authority import Refused
from netready.device import Device, Sighting
from netready.measurement import Measurement

SEERS = ("listen", "snmp", "arp_sweep")  # the instruments that yield sightings


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The devices, the sweep's own account of itself, and what was not done and why."""

    devices: tuple[Device, ...]
    measurements: tuple[Measurement, ...]
    not_done: tuple[str, ...]


def scan_now(networks: tuple[str, ...], option: str | None) -> Found:
    """Scan `networks`, or the config's own; Refused before the first frame when one of them is not authorised."""
    session = begin_if_configured(option)
    if session is None and not networks:
        raise Refused("no network is authorised: name one with --network CIDR, or in site.networks of a netready.toml")
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise Refused(f"--network {network!r}: expected a network such as 10.20.0.0/24 ({error})") from error
    context = context_for(session, networks=networks)
    wanted = networks or tuple(str(network) for network in context.authority.networks)
    for network in wanted:
        context.authority.allow_scan(network)
    rights = held()
    sightings: list[Sighting] = []
    measurements: list[Measurement] = []
    not_done: list[str] = []
    for row in (row for row in instruments() if row.name in SEERS):
        settings = session.config.settings(row) if session else row.settings()
        if hasattr(settings, "networks"):
            settings = msgspec.structs.replace(settings, networks=wanted)
        reason = row.missing(settings)
        if reason is None and not row.needs <= rights:
            reason = "this machine does not allow it; `netready doctor` says how to"
        if reason is not None:
            not_done.append(f"{row.name}: {reason}")
            continue
        progress(f"{row.name}: {row.does}")
        found = read(row, settings, context)
        measurements += found.measurements
        sightings += found.sightings
    inventory = session.config.inventory if session else None
    naming = Naming(student=inventory.student_names, staff=inventory.staff_names) if inventory else Naming()
    return Found(devices=count(sightings, naming), measurements=tuple(measurements), not_done=tuple(not_done))
