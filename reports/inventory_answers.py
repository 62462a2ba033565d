"""What a school asks of its device list, answered in words. What was seen is a lower bound, and the words say so."""

from collections.abc import Iterator, Mapping
from datetime import date

from census.answers import Answers
from netready.device import Kind
from reports import wording

_MOST = 6  # names in one answer


def words(found: Answers, *, vendors: date) -> tuple[tuple[str, str], ...]:
    """(question, answer) pairs; a question that nothing is known about is left out. `vendors` is the maker table's date."""
    return tuple(
        (question, answer)
        for question, answer in (
            ("Students for each student device", _each(found)),
            ("Student devices for each classroom", _at_least(found.student_devices_per_classroom)),
            ("Access points for each classroom", _at_least(found.access_points_per_classroom)),
            ("Clients of access points", _clients(found)),
            ("Labs and carts", _labs(found)),
            ("Rooms", _rooms(found)),
            ("End of support", "; ".join(_horizon(found))),
            ("Power for more access points", "; ".join(_power(found))),
            ("Made-up hardware addresses", "" if found.made_up is None or not found.made_up.addresses else found.made_up.says),
            ("Makers", f"by the table of {vendors.day} {vendors:%B %Y}"),
        )
        if answer
    )


def _each(found: Answers) -> str:
    parts = []
    if found.students_each is not None:
        parts.append(f"{found.students_each:.1f} at most, by the {found.kinds.get(Kind.STUDENT_DEVICE, 0):,} that were seen")
    if found.students_each_enrolled is not None:
        parts.append(f"{found.students_each_enrolled:.1f} by the {found.enrolled:,} in the school's lists")
    return "; ".join(parts) or "no student device was recognised"


def _at_least(number: float | None) -> str:
    return f"{number:.1f} at least" if number else ""


def _clients(found: Answers) -> str:
    if not found.clients:
        return ""
    name, most = max(found.clients.items(), key=lambda item: (item[1], item[0]))
    when = "at the time of the survey" if found.busy_hour is None else f"in the busy hour, from {found.busy_hour}:00"
    return f"{sum(found.clients.values()):,} on {len(found.clients):,} access points {when}, at most {most} on {name}"


def _labs(found: Answers) -> str:
    parts = []
    if found.labs:
        parts.append(f"labs: {_some(found.labs)}")
    if found.carts:
        parts.append(f"carts: {_some([f'{name} ({number})' for name, number in found.carts.items()])}")
    return "; ".join(parts)


def _rooms(found: Answers) -> str:
    if not found.rooms:
        return ""
    told = [room for room in found.rooms if room.student_devices is not None]
    full = max(told, key=lambda room: (room.student_devices or 0) + (room.other_devices or 0), default=None)
    parts = [f"{len(found.rooms)} with devices or in the plan"]
    if full is not None:
        parts.append(f"most in {full.room}: {full.student_devices} student devices, {full.other_devices} others")
    if found.suppressed:
        parts.append(f"of {found.suppressed} no counts are given, for fewer than five people sit there")
    return "; ".join(parts)


def _horizon(found: Answers) -> Iterator[str]:
    for year, kinds in found.horizon.years:
        yield f"{'over already' if year == 'before' else f'in {year}'}: {_kinds(kinds)}"
    infrastructure = {kind: number for kind, number in found.horizon.unknown.items() if kind in _MANAGED}
    if infrastructure:
        yield f"not in the table: {_kinds(infrastructure)}"


_MANAGED = frozenset({Kind.SWITCH, Kind.ACCESS_POINT, Kind.ROUTER, Kind.FIREWALL})


def _kinds(kinds: Mapping[Kind, int]) -> str:
    return ", ".join(f"{number} {wording.KINDS[kind][number != 1]}" for kind, number in kinds.items())


def _power(found: Answers) -> Iterator[str]:
    for one in found.power:
        enough = f"enough for {one.points} of 30 W, or {one.strong_points} of 60 W"
        yield f"{one.switch}: {one.free:,.0f} of {one.available:,.0f} W free, {enough}"


def _some(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
