"""What was counted: devices by kind, what that means for classrooms and students, and the school's own lists."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from netready.device import Device, Kind
from netready.site import Site
from readiness.evidence import Fact, Grade
from readiness.roadmap import EvidenceKind
from readiness.sample import grade
from readiness.wording import plural

# Devices that people carry or sit at, and that a school usually connects by Wi-Fi.
CLIENTS = frozenset({Kind.STUDENT_DEVICE, Kind.STAFF_DEVICE, Kind.COMPUTER, Kind.PHONE})
FRESH_DAYS = 90  # about a term: devices come and go with classes. Our own proposal
_DAY = 86_400.0  # s
_SEEN = "seen on the network in the latest survey; what was switched off, or is in another network, is not counted"
_NONE = "no inventory has found a device yet"


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Clients that access points or their controllers told of.

    clients        by access point: the 95th percentile of its clients in the busy hour
    hour           the hour of the day, local, in which there were most
    readings, days moments in that hour, and the school days they were on
    """

    clients: Mapping[str, int]
    hour: int
    readings: int
    days: int
    first_at: datetime
    last_at: datetime
    methods: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What others worked out of the latest survey's devices, on the day of the judgement.

    forgotten      devices of which only the number by kind is kept any more
    lasting        devices whose maker still supports them; ended: those past it. Of all others nobody knows
    dated          student devices among those two
    specification  title of what the school asks of a student device; "": it asks nothing
    held           student devices of which enough is known to hold them against it; meeting: those that have all of it
    served         None: no access point and no controller told of its clients
    """

    forgotten: Mapping[str, int] = {}
    lasting: int = 0
    ended: int = 0
    dated: int = 0
    specification: str = ""
    held: int = 0
    meeting: int = 0
    served: Served | None = None


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """The devices of the latest survey, by kind. `known` is False when there are none, or they were counted too long ago.

    age   whole days since they were counted; None: nobody said
    note  how they were counted, or why nothing is known
    """

    counts: Mapping[Kind, int]
    known: bool
    at: datetime | None
    age: int | None
    note: str

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def stock(devices: Sequence[Device], told: Told, at: datetime | None, now: datetime) -> Stock:
    """The devices that were counted at `at`, those included of which only the number is kept."""
    counts = Counter(device.kind for device in devices)
    counts.update({Kind(kind): number for kind, number in told.forgotten.items()})
    age = None if at is None or not counts else math.floor((now - at).total_seconds() / _DAY)
    if age is not None and age > FRESH_DAYS:
        note = f"the newest inventory is {plural(age, 'day')} old, and one counts for {FRESH_DAYS} days"
        return Stock(counts=counts, known=False, at=at, age=age, note=note)
    note = _SEEN if counts else _NONE
    if unclassified := counts[Kind.UNKNOWN]:
        note += f"; the kind of {plural(unclassified, 'device')} is not known"
    return Stock(counts=counts, known=bool(counts), at=at if counts else None, age=age, note=note)


def device_facts(site: Site, found: Stock, told: Told) -> tuple[Fact, ...]:
    """Counts and quotients from the devices of the latest survey.

    A count is a lower bound, so students for each device is an upper bound. Clients for each access point are those that
    the access points told of, where any did; else one lower bound divided by another: an estimate, and therefore provisional.
    """
    counts = found.counts
    students, points = counts.get(Kind.STUDENT_DEVICE, 0), counts.get(Kind.ACCESS_POINT, 0)
    clients = sum(counts.get(kind, 0) for kind in CLIENTS)
    crowd = _counted(found, "clients_per_access_point", clients / points if points else 0.0)
    return (
        *(_counted(found, "devices", float(counts.get(kind, 0)), kind) for kind in Kind),
        _counted(found, "student_devices_per_classroom", students / site.classrooms),
        _counted(found, "access_points_per_classroom", points / site.classrooms),
        _students_per_device(_counted(found, "students_per_device", site.students / students if students else 0.0), students),
        _clients(crowd, clients, points) if told.served is None else _served(told.served, points),
        _age(found),
        _supported(found, told),
        _held(found, told),
    )


def _counted(found: Stock, metric: str, value: float, kind: Kind | None = None) -> Fact:
    return Fact(
        kind=EvidenceKind.INVENTORIED,
        metric=metric,
        device=kind,
        value=value if found.known else None,
        at_least=found.known,
        samples=1 if found.known else 0,
        first_at=found.at if found.known else None,
        last_at=found.at if found.known else None,
        methods=("inventory",) if found.known else (),
        grade=Grade.CONCLUSIVE if found.known else Grade.PROVISIONAL,
        note=found.note,
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


def _served(served: Served, points: int) -> Fact:
    """The fullest access point. Where some kept silent, there may be a fuller one."""
    told, points = len(served.clients), max(points, len(served.clients))
    when = f"95th percentile of {plural(served.readings, 'reading')} from {served.hour}:00, the busy hour"
    return Fact(
        kind=EvidenceKind.INVENTORIED,
        metric="clients_per_access_point",
        value=float(max(served.clients.values())),
        at_least=told < points,
        samples=served.readings,
        days=served.days,
        first_at=served.first_at,
        last_at=served.last_at,
        methods=served.methods,
        grade=grade(served.days),
        note=f"the most on one access point, {when}; {told} of {plural(points, 'access point')} told of their clients",
    )


def _age(found: Stock) -> Fact:
    """Also of an inventory that counts no more: that one is old is known."""
    if found.age is None:
        return _written("inventory_age", None, _NONE if not found.counts else "nobody said when devices were counted")
    fact = _written("inventory_age", float(found.age), f"{plural(found.total, 'device')} counted")
    return msgspec.structs.replace(fact, samples=1, first_at=found.at, last_at=found.at)


def _supported(found: Stock, told: Told) -> Fact:
    """The share of all devices that is still supported, with the range that those without a date leave open."""
    dated, total = told.lasting + told.ended, found.total
    fact = _counted(found, "devices_in_support", told.lasting / dated if dated else 0.0)
    if fact.value is None:
        return fact
    if not dated:
        note = "of no device is it known until when its maker supports it"
        return msgspec.structs.replace(fact, value=None, at_least=False, note=note)
    return msgspec.structs.replace(
        fact,
        at_least=False,
        interval=(told.lasting / total, (total - told.ended) / total),
        note=f"the end of support is known of {dated:,} of {plural(total, 'device')}, and past for {told.ended:,}",
    )


def _held(found: Stock, told: Told) -> Fact:
    fact = _counted(found, "devices_held_to_specification", float(told.held))
    if fact.value is None:
        return fact
    if not told.specification:
        note = "the site's configuration names no specification (inventory.specification)"
        return msgspec.structs.replace(fact, value=None, at_least=False, note=note)
    return msgspec.structs.replace(
        fact, note=f"{told.meeting:,} of the {plural(told.held, 'student device')} have what it asks for: {told.specification}"
    )


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
    days = math.floor((now - past[-1]).total_seconds() / _DAY)
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
