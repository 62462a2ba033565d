"""Access points: how many clients each serves at the busy hour, and which rooms have none."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import tzinfo

import msgspec

from census.merge import Census
from netready.device import Kind
from netready.finding import Finding, Trouble
from netready.measurement import Measurement
from netready.room_plan import RoomPlan
from netready.units import count

CROWDED = 40  # clients of one access point; vendors advise between 25 and 50, so it is our own proposal
PERCENT = 95
CLIENTS = "access_point_clients"


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """The busy hour of the school's Wi-Fi: the hour of the day with most clients on average.

    clients   each access point's 95th percentile of clients in that hour, by the measurements' target
    readings  how many moments stand behind that
    """

    hour: int
    clients: dict[str, int]
    readings: int


def busy_hour(history: Iterable[Measurement], zone: tzinfo) -> Busy | None:
    """From readings of clients by access point, at any times; None when there are none.

    A percentile by nearest rank is a number that was counted, never a mean of two.
    """
    hours: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    moments: defaultdict[int, set[str]] = defaultdict(set)
    for each in history:
        if each.metric == CLIENTS and each.value is not None:
            at = each.taken_at.astimezone(zone)
            hours[at.hour][each.target].append(int(each.value))
            moments[at.hour].add(at.isoformat(timespec="minutes"))
    if not hours:
        return None
    hour = max(sorted(hours), key=lambda one: sum(sum(found) / len(found) for found in hours[one].values()))
    clients = {}
    for target, found in sorted(hours[hour].items()):
        ordered = sorted(found)
        clients[target] = ordered[math.ceil(len(ordered) * PERCENT / 100) - 1]
    return Busy(hour=hour, clients=clients, readings=len(moments[hour]))


def point_name(target: str, census: Census) -> str:
    """What people call the access point that a measurement is about: one that was asked itself, or one of a controller."""
    address, _, rest = target.partition(" ")
    number = census.joined.by_address.get(address)
    return rest or (address if number is None else census.topology.names[number])


def loads(census: Census, busy: Busy | None) -> dict[str, int]:
    """Clients of each access point: at the busy hour where that is known, else at this moment."""
    now = dict(census.topology.clients)
    return now if busy is None else now | {point_name(target, census): number for target, number in busy.clients.items()}


def crowded(census: Census, busy: Busy | None, limit: int = CROWDED) -> Iterator[Finding]:
    """Access points with more clients than they serve well."""
    known = {} if busy is None else {point_name(target, census): number for target, number in busy.clients.items()}
    devices = {name: device for device in census.devices if device.kind is Kind.ACCESS_POINT for name in device.names}
    for name, number in sorted(loads(census, busy).items()):
        if number <= limit:
            continue
        device = devices.get(name)
        if name in known and busy is not None:
            when = f"in the busy hour, from {busy.hour}:00"
            known_by = f"95th percentile of {count(busy.readings, 'reading')} between {busy.hour}:00 and {busy.hour + 1}:00"
        else:
            when, known_by = "now", "one survey"
        yield Finding(
            trouble=Trouble.CROWDED_ACCESS_POINT,
            where=name,
            says=f"Access point {name} serves {number} clients {when}; more than {limit} share its air badly.",
            known_by=(known_by,),
            devices=() if device is None else (device.key,),
            room=None if device is None else device.room,
        )


def without_coverage(census: Census, plan: RoomPlan) -> Iterator[Finding]:
    """Rooms of the plan in which people are taught and no access point hangs. Without any access point's room: nothing."""
    covered = _covered(census, plan)
    if not covered:
        return
    for room, number in sorted((plan.seats | plan.people).items()):
        if number > 0 and room not in covered:
            yield Finding(
                trouble=Trouble.ROOM_WITHOUT_COVERAGE,
                where=f"room {room}",
                says=f"Room {room}, for {number} people, has no access point of its own; whether a neighbour's"
                " reaches it must be measured there.",
                known_by=("room plan",),
                room=room,
            )


def _covered(census: Census, plan: RoomPlan) -> set[str]:
    found = {device.room for device in census.devices if device.kind is Kind.ACCESS_POINT and device.room}
    return found | {*plan.points.values()}
