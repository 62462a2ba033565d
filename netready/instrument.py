"""An instrument: the row that a probe or a collector puts in its room's table."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from netready.authority import Authority
from netready.clock import Clock
from netready.device import Sighting
from netready.measurement import Measurement
from netready.sent import Sent
from netready.site import Site


class Chance(Protocol):
    """The part of `random.Random` that instruments use; passed in, so that a test can fix it."""

    def random(self) -> float: ...

    def expovariate(self, lambd: float) -> float: ...

    def getrandbits(self, k: int, /) -> int: ...

    def shuffle(self, x: list[Any]) -> None: ...


class Capability(StrEnum):
    """A right this machine may or may not give us. `doctor` explains each."""

    RAW_SOCKET = "raw-socket"  # AF_PACKET: CAP_NET_RAW
    PING_SOCKET = "ping-socket"  # unprivileged ICMP, or CAP_NET_RAW


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What every instrument is handed: time, chance, the list of what may be touched, and somewhere to say what it does."""

    clock: Clock
    chance: Chance
    authority: Authority
    say: Callable[[str], None]


Reading = Measurement | Sighting | Sent


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    name      also the config's table and the word in `method`
    version   bumped whenever the method changes, so that old and new numbers are never mixed
    read      yields measurements, sightings and what it sent; raises only for our own bugs. Network trouble becomes a failure
              word.
    settings  the Struct that its config table is read into
    alone     nothing else may run beside it, because it loads the line or would be disturbed by load
    needs     rights without which it is skipped, with the reason
    metrics   the catalogue rows it can yield
    seconds   about how long `read` takes with these settings, for the plan that is shown before a survey
    load      about how many bytes it moves, both ways, at a given line rate in bit/s, for the same plan
    does      what it does, in words a technician reads before agreeing
    fit       settings completed with what the site already says (its endpoints, its networks)
    learn     settings completed with what the school's lists say and the instruments before it have seen
    missing   why it cannot run with these settings ("no test server is named in [throughput]"), or None when it can
    hosts     hosts outside the authorised networks that these settings name as allowed: test servers, endpoints, resolvers
    targets   the hosts these settings would ask or load; checked against the authority before the survey's first packet
    table     the config's table when it is not called like the instrument (every throughput method reads [throughput])
    files     settings that are paths, relative to the config file; "rows.file" is the field of each row of a list of tables
    silent    it sends nothing of its own, so that it may run in exam mode
    wanted    whether the settings ask for it at all; one that nobody asked for is not even listed as left out
    """

    name: str
    version: int
    read: Callable[[Any, Context], Iterator[Reading]]
    settings: type[Any]
    does: str
    metrics: tuple[str, ...]
    alone: bool = False
    needs: frozenset[Capability] = frozenset()
    seconds: Callable[[Any], float] = lambda _settings: 1.0
    load: Callable[[Any, float], float] = lambda _settings, _rate: 0.0
    fit: Callable[[Any, Site], Any] = lambda settings, _site: settings
    learn: Callable[[Any, Iterable[Sighting]], Any] = lambda settings, _seen: settings
    missing: Callable[[Any], str | None] = lambda _settings: None
    hosts: Callable[[Any], tuple[str, ...]] = lambda _settings: ()
    targets: Callable[[Any], tuple[str, ...]] = lambda _settings: ()
    table: str = ""
    files: tuple[str, ...] = ()
    silent: bool = False
    wanted: Callable[[Any], bool] = lambda _settings: True

    @property
    def config_table(self) -> str:
        """The table of the config file that its settings are read from."""
        return self.table or self.name

    @property
    def method(self) -> str:
        """Name and version, as it stands in every measurement."""
        return f"{self.name}/{self.version}"
