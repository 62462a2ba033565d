"""A room plan as CSV: switch and port, or access_point, then room; people and seats where they are known.

One row for each socket or access point; a row with only a room and its people is one too. The same socket, access point or room
may not be told twice: neither of two answers is better than the other.
"""

from pathlib import Path

from collectors.imports import files, grid
from netready.refusal import Unfit, quoted
from netready.room_plan import RoomPlan, folded_point, folded_port, folded_switch
from netready.text import clean

COLUMNS = {
    "switch": ("switch", "switch name", "switch address", "device"),
    "port": ("port", "switch port", "interface", "ifName"),
    "point": ("access_point", "access point name", "AP", "AP name", "wireless access point"),
    "room": ("room", "room name", "room number", "classroom", "location"),
    "people": ("people", "students", "pupils", "class size"),
    "seats": ("seats", "places", "capacity"),
}
MOST_PEOPLE = 10_000


def is_plan(head: grid.Header) -> bool:
    """Whether a header is a room plan's."""
    found = {field for field, _ in _columns(head)}
    return "room" in found and ({"switch", "port"} <= found or bool(found & {"point", "people", "seats"}))


def read_plan(path: Path | str) -> RoomPlan:
    """The plan in a file; raises Unfit with the lines of what contradicts itself, and for what is no plan."""
    opened = files.look(Path(path))
    head = grid.header(opened)
    if not is_plan(head):
        expected = "expected a room plan, with the columns switch, port and room, or access_point and room"
        raise Unfit(opened.name, f"line {head.before + 1}", expected)
    plan = _Plan(opened.name, head)
    for row in grid.rows(opened, head, _columns(head)):
        cells = {field: clean(text) for field, text in row.cells.items()}
        if any(cells.values()):
            plan.add(row.line, cells)
    return plan.result()


def _columns(head: grid.Header) -> tuple[tuple[str, int], ...]:
    found = []
    for field, names in COLUMNS.items():
        folded = [grid.folded(name) for name in names]
        places = [head.folded.index(name) for name in folded if name in head.folded]
        found += [(field, place) for place in places[:1]]
    return tuple(found)


class _Plan:
    """What has been read so far, and in which line."""

    def __init__(self, name: str, head: grid.Header) -> None:
        self.name = name
        self.head = head
        self.ports: dict[tuple[str, str], str] = {}
        self.points: dict[str, str] = {}
        self.counts: dict[str, dict[str, int]] = {"people": {}, "seats": {}}
        self.lines: dict[tuple[str, ...], int] = {}
        self.rooms: dict[str, str] = {}

    def add(self, line: int, cells: dict[str, str]) -> None:
        """Take in one row; raises Unfit when it lacks its room or says again what an earlier one said."""
        switch, port, point = (cells.get(field, "") for field in ("switch", "port", "point"))
        room = cells.get("room", "")
        if not room:
            raise Unfit(self.name, f"line {line}", "expected a room")
        if bool(switch) != bool(port):
            raise Unfit(self.name, f"line {line}", f"expected a {'port' if switch else 'switch'} beside {switch or port}")
        # A room that is written in two ways is one room, called as it was first.
        room = self.rooms.setdefault(room.casefold(), room)
        if switch:
            key = folded_switch(switch), folded_port(port)
            self._once(("port", *key), line, f"{switch} port {port}", self.ports.get(key), room)
            self.ports[key] = room
        if point:
            name = folded_point(point)
            self._once(("point", name), line, f"access point {point}", self.points.get(name), room)
            self.points[name] = room
        for field, told in self.counts.items():
            if text := cells.get(field, ""):
                self._count(field, told, line, room, text)

    def _once(self, key: tuple[str, ...], line: int, what: str, before: str | None, room: str) -> None:
        if before is not None:
            where = "in the same room" if before == room else f"in {quoted(before)}"
            raise Unfit(self.name, f"line {line}", f"expected {clean(what)} once; line {self.lines[key]} has it too, {where}")
        self.lines[key] = line

    def _count(self, field: str, told: dict[str, int], line: int, room: str, text: str) -> None:
        if not (text.isascii() and text.isdecimal()) or int(text[:9]) > MOST_PEOPLE:
            column = next(column for other, column in _columns(self.head) if other == field)
            raise Unfit(self.name, grid.place(self.head, line, column), f"expected a whole number up to {MOST_PEOPLE:,}")
        number, key = int(text), (field, room)
        if told.setdefault(room, number) != number:
            raise Unfit(
                self.name,
                f"line {line}",
                f"expected {told[room]} {field} in room {quoted(room)}, as line {self.lines[key]} has it; got {number}",
            )
        self.lines.setdefault(key, line)

    def result(self) -> RoomPlan:
        """The plan; raises Unfit when it names no room."""
        if not self.rooms:
            raise Unfit(self.name, "", "expected a room plan; the file has a header and no rows")
        return RoomPlan(ports=self.ports, points=self.points, people=self.counts["people"], seats=self.counts["seats"])
