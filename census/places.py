"""Which room a device is in: by the room plan, else by what an asset list or the device itself says."""

from collections.abc import Sequence
from typing import Protocol

from census.joining import Group, Joined
from census.told import LISTS
from census.topology import Topology


class Rooms(Protocol):
    """What the census asks of a room plan."""

    def room_of_port(self, switch: str, port: str) -> str | None: ...

    def room_of_point(self, point: str) -> str | None: ...


class Finder:
    """Looks devices up in the plan, by whatever the plan may call their switch or their access point."""

    def __init__(self, joined: Joined, topology: Topology, rooms: Rooms | None) -> None:
        self.topology = topology
        self._joined = joined
        self._rooms = rooms

    def room(self, group: Group, cards: Sequence[str], point: str | None, names: Sequence[str]) -> str | None:
        """Where the plan has the device itself, its access point, or its socket; else the asset list's word, else its own."""
        if found := self._own(group, names) or self._points(point) or self._sockets(cards):
            return found
        for fact, listed in (("room", True), ("location", False)):
            told = [each.facts[fact] for each in group.sightings if each.facts.get(fact) and (each.source in LISTS) is listed]
            if told:
                return told[-1]
        return None

    def _own(self, group: Group, names: Sequence[str]) -> str | None:
        if self._rooms is None:
            return None
        found = (self._rooms.room_of_point(text) for text in (*names, *group.macs, *group.own))
        return next((room for room in found if room), None)

    def _points(self, point: str | None) -> str | None:
        return self._rooms.room_of_point(point) if self._rooms is not None and point else None

    def _sockets(self, cards: Sequence[str]) -> str | None:
        port = next((self.topology.place[card] for card in cards if card in self.topology.place), None)
        if self._rooms is None or port is None:
            return None
        group = self._joined.groups[port.switch]
        names = (self.topology.names[port.switch], *(each.name or "" for each in group.sightings), *group.addresses)
        found = (self._rooms.room_of_port(name, port.name) for name in dict.fromkeys(names) if name)
        return next((room for room in found if room), None)
