"""Who may test now, and how much: places for tests, and what each client has used of its bytes and seconds.

A client's period begins with its first test and lasts a day. No clock is asked here: `now` is any steady number of seconds.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from testpoint.limits import Limits

_SOON = 30  # s until a place may well be free again


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a test may not begin now. `retry_after` in whole seconds."""

    reason: str
    status: int
    sentence: str
    retry_after: int


class Place:
    """One test of one client; several connections may share it. Only `Places` changes it."""

    __slots__ = ("client", "keep", "members", "moved", "name", "protocol", "result", "seconds", "since", "until")

    def __init__(self, client: str, protocol: str, group: str) -> None:
        self.client = client
        self.protocol = protocol
        self.name = (protocol, group)
        self.result = "done"
        self.members = 0
        self.moved = 0
        self.seconds = 0.0  # with members, until the last one left
        self.since = 0.0  # when the first of them came
        self.keep = 0.0  # seconds that it waits for another
        self.until = 0.0  # when that is over


class _Client:
    """What one client has used since its period began."""

    __slots__ = ("begun", "moved", "places", "seconds")

    def __init__(self, now: float) -> None:
        self.begun = now
        self.moved = 0
        self.seconds = 0.0  # of places that have been left
        self.places: list[Place] = []


class Places:
    """The places of one server. Safe to be used by many threads.

    `ended` is called with a test's place when that becomes free.
    """

    def __init__(self, limits: Limits, ended: Callable[[Place], None]) -> None:
        self._limits = limits
        self._ended = ended
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, _Client] = OrderedDict()  # who asked last is last
        self._kept: list[Place] = []  # places without members that are not free yet
        self._taken = 0

    def enter(self, client: str, protocol: str, group: str, now: float) -> Place | Refusal:
        """Take a place for one connection, or say why there is none."""
        with self._lock:
            freed = self._free_kept(now)
            found = self._take(client, protocol, group, now)
        self._tell(freed)
        return found

    def leave(self, place: Place, now: float, *, keep: float = 0.0, result: str = "done") -> None:
        """Give back what one connection took. With the last of them the place becomes free, `keep` seconds later."""
        with self._lock:
            place.members -= 1
            if result != "done":
                place.result = result
            if place.members == 0:
                seconds = now - place.since
                self._clients[place.client].seconds += seconds
                place.seconds += seconds
                place.keep, place.until = keep, now + keep
                self._kept.append(place)
            freed = self._free_kept(now)
        self._tell(freed)

    def moved(self, place: Place, count: int, now: float) -> Refusal | None:
        """Count bytes of a test; why it must end, when it must."""
        with self._lock:
            known = self._clients[place.client]
            known.moved += count
            place.moved += count
            return self._used_up(known, now)

    @property
    def clients(self) -> int:
        """How many clients are remembered."""
        return len(self._clients)

    def running(self, now: float) -> int:
        """How many places are taken; those that have been kept long enough are freed."""
        with self._lock:
            freed, taken = self._free_kept(now), self._taken
        self._tell(freed)
        return taken

    def _take(self, client: str, protocol: str, group: str, now: float) -> Place | Refusal:
        limits = self._limits
        known = self._clients.get(client) or self._remember(client, now)
        self._clients.move_to_end(client)
        refusal = self._used_up(known, now)
        if refusal is not None:
            return refusal
        place = next((place for place in known.places if group and place.name == (protocol, group)), None)
        if place is None:
            if len(known.places) >= limits.client_tests:
                return _busy("client_tests", 429, "you have as many tests running as one client may")
            if self._taken >= limits.tests:
                return _busy("tests", 503, "all places for tests are taken")
            place = Place(client, protocol, group)
            known.places.append(place)
            self._taken += 1
        elif place.members >= limits.streams:
            return _busy("streams", 429, "this test has as many connections as one may have")
        if place.members == 0:
            place.since = now
            if place in self._kept:
                self._kept.remove(place)
        place.members += 1
        return place

    def _remember(self, client: str, now: float) -> _Client:
        """A new client; when there are too many, the one that asked longest ago and is not testing is forgotten."""
        if len(self._clients) >= self._limits.clients:
            oldest = next((name for name, known in self._clients.items() if not known.places), None)
            if oldest is not None:
                del self._clients[oldest]
        known = self._clients[client] = _Client(now)
        return known

    def _free_kept(self, now: float) -> list[Place]:
        freed = [place for place in self._kept if place.until <= now]
        for place in freed:
            self._kept.remove(place)
            self._clients[place.client].places.remove(place)
            self._taken -= 1
        return freed

    def _tell(self, freed: list[Place]) -> None:
        """Outside the lock: whoever listens may take time."""
        for place in freed:
            self._ended(place)

    def _used_up(self, known: _Client, now: float) -> Refusal | None:
        limits = self._limits
        if now - known.begun >= limits.period:
            known.begun, known.moved, known.seconds = now, 0, 0.0
            for place in known.places:
                place.since = now
        left = max(1, math.ceil(known.begun + limits.period - now))
        if 0 < limits.client_bytes <= known.moved:
            return Refusal(
                reason="client_bytes",
                status=429,
                sentence=f"you have moved the {limits.client_bytes} bytes that one client may in a day",
                retry_after=left,
            )
        seconds = known.seconds + sum(now - place.since for place in known.places if place.members)
        if 0 < limits.client_seconds <= seconds:
            return Refusal(
                reason="client_seconds",
                status=429,
                sentence=f"you have tested for the {limits.client_seconds:g} s that one client may in a day",
                retry_after=left,
            )
        return None


def _busy(reason: str, status: int, why: str) -> Refusal:
    return Refusal(reason=reason, status=status, sentence=f"{why}; try again in half a minute", retry_after=_SOON)
