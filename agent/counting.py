"""Counting: what the instruments saw and what the school's own lists say, counted once, and kept under pseudonyms."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec

from agent.config import Config
from agent.keys import Keys
from census.answers import School, answers
from census.coverage import CLIENTS, busy_hour
from census.findings import Basis, findings
from census.kinds import Naming
from census.merge import Census, count
from census.ports import Names
from census.power import headroom
from census.randoms import estimate
from census.specification import Specification, named, shipped
from census.traces import traces
from census.unseen import Looked, unseen
from census.vendors import table_date
from collectors.imports.format import Units
from collectors.imports.read import read_file
from collectors.imports.room_plan import read_plan
from netready.authority import Network
from netready.clock import Clock
from netready.device import Device, Sighting
from netready.finding import Finding
from netready.measurement import Measurement
from netready.privacy import FEWEST_PEOPLE, KEY_BYTES, Veil, is_clear, period, scrubbed, veiled
from netready.refusal import Unfit, near, quoted
from netready.room_plan import RoomPlan
from netready.sent import Sent
from netready.site import Site
from netready.survey import Run, Survey
from reports.inventory_answers import words
from store import Store


class Lists(msgspec.Struct, frozen=True, kw_only=True):
    """What the school's own files say. `notes` are about files and rows that could not be used, one sentence each."""

    plan: RoomPlan = RoomPlan()
    specification: Specification | None = None
    sightings: tuple[Sighting, ...] = ()
    notes: tuple[str, ...] = ()


NO_LISTS = Lists()


def lists(config: Config, more: Iterable[tuple[str, str]], clock: Clock) -> Lists:
    """Read the room plan, the config's lists, and `more`, pairs of a path and a format; an unfit file costs only itself.

    Raises Unfit for a specification that nobody knows.
    """
    wanted = config.inventory
    specification = named(wanted.specification) if wanted.specification else None
    if wanted.specification and specification is None:
        known_ids = [each.id for each in shipped().specifications]
        expected = f"no specification is called {quoted(wanted.specification)}; {near(wanted.specification, known_ids)}"
        raise Unfit(str(config.file), "inventory.specification", expected)
    notes: list[str] = []
    plan = RoomPlan()
    if wanted.rooms:
        try:
            plan = read_plan(config.path(wanted.rooms))
        except Unfit as error:
            notes.append(f"the room plan was not used: {error}")
    found: list[Sighting] = []
    units = Units(student=wanted.student_units, staff=wanted.staff_units)
    files = {str(config.path(path)): None for path in wanted.lists} | {path: form or None for path, form in more}
    for path, form in files.items():
        try:
            read = read_file(path, clock=clock, zone=config.site.zone, units=units, form=form)
        except Unfit as error:
            notes.append(f"a list was not used: {error}")
            continue
        found += read.sightings
        notes += [f"{Path(path).name}: {note}" for note in read.notes]
    return Lists(plan=plan, specification=specification, sightings=tuple(found), notes=tuple(notes))


def counted(sightings: Iterable[Sighting], own: Lists, naming: Naming, networks: Sequence[Network]) -> Census:
    """The census of what was seen, with the school's lists and its room plan.

    A router's table names whoever it talks to, its provider's router too; only the authorised `networks` are counted.
    """
    ours = (each for each in sightings if each.source != "router" or _inside(each.address, networks))
    return count([*ours, *own.sightings], naming, own.plan)


def naming(config: Config) -> Naming:
    """The site's own naming habits."""
    return Naming(student=config.inventory.student_names, staff=config.inventory.staff_names)


def _inside(address: str | None, networks: Sequence[Network]) -> bool:
    if address is None:
        return True
    found = ip_address(address)
    return found.is_link_local or any(found in network for network in networks)


def veil(config: Config, now: datetime) -> Veil:
    """The veil of this period. Makes its key if there is none, and destroys keys that nothing kept refers to any more."""
    keys = Keys(config.path(config.inventory.keys))
    change = config.inventory.pseudonyms
    local = now.astimezone(config.site.zone)
    label = period(change, local)
    key = keys.of(label)
    keys.keep_from(period(change, local - timedelta(seconds=config.inventory.retention)))
    return Veil(key=key, period=label, networks=config.site.authorised)


def thrown_away(site: Site) -> Veil:
    """A veil whose key nobody keeps: its pseudonyms hold for one survey."""
    return Veil(key=secrets.token_bytes(KEY_BYTES), period="", networks=site.authorised)


def forget(config: Config, store: Store, now: datetime) -> int:
    """Forget clients that were kept long enough; how many."""
    return store.forget_clients(now - timedelta(seconds=config.inventory.retention))


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier surveys left.

    surveys   with their devices only, of the time for which clients are kept
    before    measurements of the last one, for counters
    history   clients of access points over that time, for the busy hour
    """

    surveys: tuple[Survey, ...] = ()
    before: tuple[Measurement, ...] = ()
    history: tuple[Measurement, ...] = ()


NO_PAST = Past()


def past(config: Config, store: Store, now: datetime) -> Past:
    """What the store has of earlier surveys."""
    since = now - timedelta(seconds=config.inventory.retention)
    devices: dict[datetime, tuple[str, list[Device]]] = {}
    for at, label, device in store.devices(since, now):
        devices.setdefault(at, (label, []))[1].append(device)
    last = store.last_survey()
    return Past(
        surveys=tuple(_devices_only(config, at, label, tuple(found)) for at, (label, found) in devices.items()),
        before=last.measurements if last else (),
        history=tuple(each for _, each in store.readings(since, now, CLIENTS)),
    )


def _devices_only(config: Config, at: datetime, label: str, devices: tuple[Device, ...]) -> Survey:
    return Survey(id="", site=config.site.name, software="", started_at=at, finished_at=at, devices=devices, period=label)


class Readings(msgspec.Struct):
    """What instruments have yielded so far, and what each that was run or left out reported of itself."""

    measurements: list[Measurement] = []
    sightings: list[Sighting] = []
    sent: list[Sent] = []
    runs: list[Run] = []


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What of a survey's census is kept: nothing in it points at a person."""

    devices: tuple[Device, ...]
    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]


def reckoned(
    census: Census,
    readings: Readings,
    config: Config,
    *,
    own: Lists,
    before: Past,
    cover: Veil,
    now: datetime,
) -> Kept:
    """A survey's census under the veil, with what a technician should look at and what a school asks."""
    site, today = config.site, now.astimezone(config.site.zone).date()
    sightings = (*readings.sightings, *own.sightings)
    found = findings(
        Basis(
            census=census,
            sightings=sightings,
            measurements=readings.measurements,
            before=before.before,
            history=before.history,
            plan=own.plan,
            dhcp_servers=config.inventory.dhcp_servers,
            specification=own.specification,
        ),
        today,
        site.zone,
    )
    looked = Looked(
        census=census,
        networks=site.authorised,
        sightings=sightings,
        measurements=readings.measurements,
        runs=readings.runs,
    )
    everything = (*census.devices, *census.enrolled_unseen)
    hidden, told = veiled(everything, found, cover)
    hidden = hidden[: len(census.devices)]
    seen = [*before.surveys, _devices_only(config, now, cover.period, hidden)]
    answered = answers(
        census,
        School(students=site.students, classrooms=site.classrooms, plan=own.plan),
        today,
        busy=busy_hour(before.history, site.zone),
        power=headroom(readings.measurements, Names(census)),
        made_up=estimate(traces(seen, site.zone)),
    )
    return Kept(
        devices=withheld(hidden, own.plan),
        findings=told,
        unseen=tuple(scrubbed(text, everything, cover) for text in (*unseen(looked), *own.notes)),
        answers=words(answered, vendors=table_date()),
    )


def withheld(devices: Iterable[Device], plan: RoomPlan) -> tuple[Device, ...]:
    """The devices, with the place taken off those of persons in rooms that are too small to hide in."""
    small = {room for room, people in plan.people.items() if people < FEWEST_PEOPLE}
    return tuple(
        device
        if is_clear(device) or device.room not in small
        else msgspec.structs.replace(device, room=None, place=None, point=None)
        for device in devices
    )
