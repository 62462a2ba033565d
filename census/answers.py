"""What a school asks of its inventory, in figures: devices for each student and classroom, labs, carts, access points."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from census.coverage import Busy, loads
from census.lifecycle import FIRST_MONTH, Horizon, horizon
from census.merge import Census
from census.power import Headroom
from census.randoms import Estimate
from netready.device import INFRASTRUCTURE, Device, Kind
from netready.privacy import FEWEST_PEOPLE
from netready.room_plan import RoomPlan

# What people call a room with a computer at every seat.
_LAB = re.compile(r"(?<![a-z])(lab|labs|computer room|computing|ict|informatics)(?![a-z])", re.IGNORECASE)


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """One room's row. Counts of what people carry are None where so few people sit that they would be known by it."""

    room: str
    people: int | None
    student_devices: int | None
    other_devices: int | None
    infrastructure: int
    access_points: int
    clients: int | None


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """The figures. What was seen is a lower bound: whatever was switched off is missing.

    kinds           devices seen, by kind
    enrolled        student devices in the school's lists, seen or not; None without a list
    students_each   students for each student device: seen, and in the lists
    labs            rooms with a computer at every seat, by their names; carts: by the lists
    clients         clients of each access point, at the busy hour where that is known
    suppressed      rooms of which no counts are given, for fewer than five people sit there
    made_up         how many devices are behind made-up hardware addresses, where that was estimated
    """

    kinds: dict[Kind, int]
    enrolled: int | None
    devices_per_student: float | None
    students_each: float | None
    students_each_enrolled: float | None
    student_devices_per_classroom: float | None
    access_points: int
    access_points_per_classroom: float | None
    labs: tuple[str, ...]
    carts: dict[str, int]
    clients: dict[str, int]
    busy_hour: int | None
    rooms: tuple[Room, ...]
    suppressed: int
    horizon: Horizon
    power: tuple[Headroom, ...]
    made_up: Estimate | None


class School(msgspec.Struct, frozen=True, kw_only=True):
    """What only the school can know."""

    students: int
    classrooms: int
    plan: RoomPlan = RoomPlan()
    first_month: int = FIRST_MONTH


def answers(
    census: Census,
    school: School,
    today: date,
    *,
    busy: Busy | None = None,
    power: Sequence[Headroom] = (),
    made_up: Estimate | None = None,
) -> Answers:
    """The figures of one survey."""
    kinds = Counter(device.kind for device in census.devices)
    students, points = kinds[Kind.STUDENT_DEVICE], kinds[Kind.ACCESS_POINT]
    listed = [device for device in (*census.devices, *census.enrolled_unseen) if device.enrolled]
    enrolled = sum(device.kind is Kind.STUDENT_DEVICE for device in listed) if listed else None
    clients = loads(census, busy)
    rooms = _rooms(census, school.plan, clients)
    return Answers(
        kinds=dict(sorted(kinds.items())),
        enrolled=enrolled,
        devices_per_student=_each(students, school.students),
        students_each=_each(school.students, students),
        students_each_enrolled=_each(school.students, enrolled or 0),
        student_devices_per_classroom=_each(students, school.classrooms),
        access_points=points,
        access_points_per_classroom=_each(points, school.classrooms),
        labs=tuple(room for room in school.plan.rooms if _LAB.search(room)),
        carts=dict(sorted(Counter(device.facts["cart"] for device in listed if device.facts.get("cart")).items())),
        clients=clients,
        busy_hour=None if busy is None else busy.hour,
        rooms=rooms,
        suppressed=sum(row.student_devices is None for row in rooms),
        horizon=horizon(census.devices, today, school.first_month),
        power=tuple(power),
        made_up=made_up,
    )


def _each(number: int, of: int) -> float | None:
    return number / of if of else None


def _rooms(census: Census, plan: RoomPlan, clients: Mapping[str, int]) -> tuple[Room, ...]:
    """A row for each room in which something is, or of which the plan knows."""
    by_room: dict[str, list[Device]] = {room: [] for room in plan.rooms}
    for device in census.devices:
        if device.room:
            by_room.setdefault(device.room, []).append(device)
    return tuple(_room(room, found, plan, clients) for room, found in sorted(by_room.items()))


def _room(room: str, found: Sequence[Device], plan: RoomPlan, clients: Mapping[str, int]) -> Room:
    """Where the plan does not say how many people there are, the devices that they carry must stand in for them."""
    carried = [device for device in found if device.kind not in INFRASTRUCTURE]
    people = (plan.seats | plan.people).get(room)
    small = (len(carried) if people is None else people) < FEWEST_PEOPLE
    students = sum(device.kind is Kind.STUDENT_DEVICE for device in carried)
    return Room(
        room=room,
        people=people,
        student_devices=None if small else students,
        other_devices=None if small else len(carried) - students,
        infrastructure=len(found) - len(carried),
        access_points=sum(device.kind is Kind.ACCESS_POINT for device in found),
        clients=None if small else sum(clients.get(name, 0) for name in _points(found)),
    )


def _points(found: Iterable[Device]) -> Iterable[str]:
    """The first name of each access point by which its clients are known."""
    return (device.names[0] for device in found if device.kind is Kind.ACCESS_POINT and device.names)
