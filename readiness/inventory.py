"""What was counted: devices by kind, what that means for classrooms and students, and the school's own list."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from netready.device import Device, Kind
from netready.site import Site
from readiness.evidence import Fact, Grade
from readiness.roadmap import EvidenceKind
from readiness.wording import plural

# Devices that people carry or sit at, and that a school usually connects by Wi-Fi.
CLIENTS = frozenset({Kind.STUDENT_DEVICE, Kind.STAFF_DEVICE, Kind.COMPUTER, Kind.PHONE})
_SEEN = "seen on the network in the latest survey; what was switched off, or is in another network, is not counted"
_NONE = "no inventory has found a device yet"


def device_facts(site: Site, devices: Sequence[Device], at: datetime | None) -> tuple[Fact, ...]:
    """Counts and quotients from the devices of the latest survey, taken at `at`.

    A count is a lower bound, so students for each device is an upper bound. Clients for each access point divides one
    lower bound by another: an estimate, and therefore provisional.
    """
    counts = Counter(device.kind for device in devices)
    students, points = counts[Kind.STUDENT_DEVICE], counts[Kind.ACCESS_POINT]
    clients = sum(counts[kind] for kind in CLIENTS)
    unclassified = counts[Kind.UNKNOWN]
    note = _NONE if not devices else _SEEN
    if unclassified:
        note += f"; the kind of {plural(unclassified, 'device')} is not known"

    def count(metric: str, value: float, kind: Kind | None = None) -> Fact:
        return Fact(
            kind=EvidenceKind.INVENTORIED,
            metric=metric,
            device=kind,
            value=value if devices else None,
            at_least=bool(devices),
            samples=1 if devices else 0,
            first_at=at if devices else None,
            last_at=at if devices else None,
            methods=("inventory",) if devices else (),
            grade=Grade.CONCLUSIVE if devices else Grade.PROVISIONAL,
            note=note,
        )

    return (
        *(count("devices", float(counts[kind]), kind) for kind in Kind),
        count("student_devices_per_classroom", students / site.classrooms),
        count("access_points_per_classroom", points / site.classrooms),
        _students_per_device(count("students_per_device", site.students / students if students else 0.0), students),
        _clients(count("clients_per_access_point", clients / points if points else 0.0), clients, points),
    )


def _students_per_device(fact: Fact, students: int) -> Fact:
    if fact.value is None:
        return fact
    if not students:
        note = f"no device was recognised as a student's, {_SEEN}"
        return msgspec.structs.replace(fact, value=None, at_least=False, note=note)
    return msgspec.structs.replace(fact, at_least=False, at_most=True)


def _clients(fact: Fact, clients: int, points: int) -> Fact:
    if fact.value is None:
        return fact
    if not points or not clients:
        missing = "access point" if not points else "end device"
        note = f"no {missing} was recognised, {_SEEN}"
        return msgspec.structs.replace(fact, value=None, at_least=False, grade=Grade.PROVISIONAL, note=note)
    note = f"an estimate: {plural(clients, 'end device')} for {plural(points, 'access point')}, {_SEEN}"
    return msgspec.structs.replace(fact, at_least=False, grade=Grade.PROVISIONAL, note=note)


def contract_facts(site: Site) -> tuple[Fact, ...]:
    """The contracted rates for each 1,000 users, from the site's circuits."""
    found = (("contracted_down_per_1000", site.contracted_down), ("contracted_up_per_1000", site.contracted_up))
    contract = "the contracts in the site's configuration"
    absent = "no circuit is described in the site's configuration"
    return tuple(
        _written(metric, None if value is None else value * 1000 / site.users, absent if value is None else contract)
        for metric, value in found
    )


def list_fact(site: Site) -> Fact:
    """Labs and carts in the school's own list; not known while neither is given."""
    if site.labs is None and site.carts is None:
        return _written("labs_and_carts", None, "the site's configuration gives neither labs nor carts")
    given = [name for name, value in (("labs", site.labs), ("carts", site.carts)) if value is not None]
    fact = _written("labs_and_carts", float((site.labs or 0) + (site.carts or 0)), "the site's configuration")
    if len(given) == 1:
        return msgspec.structs.replace(fact, at_least=True, note=f"the site's configuration gives only {given[0]}")
    return fact


def audit_fact(audits: Iterable[datetime], now: datetime) -> Fact:
    """Whole days since the last audit that was completed."""
    past = sorted(audit for audit in audits if audit <= now)
    if not past:
        return _written("audit_age", None, "no audit has been completed yet")
    days = math.floor((now - past[-1]).total_seconds() / 86_400)
    fact = _written("audit_age", float(days), f"{plural(len(past), 'audit')} completed")
    return msgspec.structs.replace(fact, samples=len(past), first_at=past[0], last_at=past[-1])


def _written(metric: str, value: float | None, note: str) -> Fact:
    """A fact that is on paper or in our own log: exact where it is given at all."""
    return Fact(
        kind=EvidenceKind.INVENTORIED,
        metric=metric,
        value=value,
        grade=Grade.PROVISIONAL if value is None else Grade.CONCLUSIVE,
        note=note,
    )
