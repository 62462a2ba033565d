"""A room plan: which socket of which switch, and which access point, is in which room, and how many people sit there."""

import re

import msgspec

# What makers and their manuals call the same sort of port, and the two letters it is compared by.
_SORTS = {
    "fastethernet": "fa",
    "gigabitethernet": "gi",
    "ge": "gi",
    "gig": "gi",
    "tengigabitethernet": "te",
    "tengige": "te",
    "xge": "te",
    "ethernet": "eth",
    "port": "",
    "p": "",
    "interface": "",
    "if": "",
}
_PORT = re.compile(r"([a-z]*)-?(\d.*)")
_MAC = re.compile(r"[0-9a-f]{12}")


class RoomPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Rooms as the school names them.

    ports   by switch and port, both as `folded_switch` and `folded_port` make them
    points  by the name or hardware address of an access point, as `folded_point` makes it
    people  how many are taught in a room at once, by room
    seats   how many can sit in a room, by room
    """

    ports: dict[tuple[str, str], str] = {}
    points: dict[str, str] = {}
    people: dict[str, int] = {}
    seats: dict[str, int] = {}

    @property
    def rooms(self) -> tuple[str, ...]:
        """Every room that the plan names, in order."""
        return tuple(sorted({*self.ports.values(), *self.points.values(), *self.people, *self.seats}))

    def room_of_port(self, switch: str, port: str) -> str | None:
        """The room that a port's socket is in; None when the plan does not say.

        `switch` is its name, with or without its domain, or its address. `port` may be written as the switch writes it or in
        full: "Gi1/0/7" and "GigabitEthernet1/0/7" are one port, and so are "7" and "Port 7".
        """
        return self.ports.get((folded_switch(switch), folded_port(port)))

    def room_of_point(self, point: str) -> str | None:
        """The room that an access point hangs in, by its name or its hardware address; None when the plan does not say."""
        return self.points.get(folded_point(point))


def folded_switch(text: str) -> str:
    """A switch's name or address as it is compared: without its domain, in lower case."""
    plain = text.strip().casefold()
    address = ":" in plain or plain.replace(".", "").isdecimal()
    return plain if address else plain.partition(".")[0]


def folded_port(text: str) -> str:
    """A port's name as it is compared: "Gi1/0/7", "gigabitethernet 1/0/7" and "ge-1/0/7" become "gi1/0/7"."""
    plain = "".join(text.casefold().split())
    found = _PORT.fullmatch(plain)
    if found is None:
        return plain
    sort, number = found.groups()
    return _SORTS.get(sort, sort) + number


def folded_point(text: str) -> str:
    """An access point's name or hardware address as it is compared: "AP-12.school.example" becomes "ap-12"."""
    bare = re.sub(r"[:.\-\s]", "", text.casefold())
    return bare if _MAC.fullmatch(bare) else folded_switch(text)
