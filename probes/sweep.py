"""What the sweeps do alike, whatever their protocol: settings, the count that a fault spoils, and hearing between questions."""

import contextlib
import select
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from ipaddress import IPv4Network, ip_network
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from netready.clock import Clock
from netready.failure import Failed, classify
from netready.measurement import Detail, Measurement
from netready.site import Site
from netready.text import clean
from probes.tries import LATE


class SweepSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every sweep can be told."""

    networks: Annotated[tuple[str, ...], Meta(max_length=64)] = ()
    packets_per_second: Annotated[int, Meta(ge=1, le=2000)] = 500
    tries: Annotated[int, Meta(ge=1, le=5)] = 3
    wait: Annotated[float, Meta(ge=0.1, le=10)] = 1.0  # seconds after the last question, or after each round of them

    def __post_init__(self) -> None:
        for text in self.networks:
            ip_network(text)


class Asked(Protocol):
    """A sweep that keeps how long it asked, and why it ended before its time."""

    seconds: float
    fault: Failed | None


def fit(settings: SweepSettings, site: Site) -> SweepSettings:
    """Without networks of its own, the site's IPv4 networks."""
    if settings.networks:
        return settings
    return msgspec.structs.replace(settings, networks=tuple(str(n) for n in site.authorised if isinstance(n, IPv4Network)))


@contextlib.contextmanager
def asking(sweep: Asked, clock: Clock) -> Iterator[float]:
    """Keep beside what `sweep` finds how long it asks, and the fault that ends it; gives the time on the clock."""
    begun = clock.monotonic()
    try:
        yield begun
    except (OSError, Failed) as error:
        sweep.fault = _fault(error)
    sweep.seconds = clock.monotonic() - begun


def listen(sock: socket.socket, clock: Clock, until: float, hear: Callable[[], None]) -> None:
    """Take in by `hear` what has come, and what comes before `until`; of a flood LATE packets at most are heard after it."""
    late = 0
    while late < LATE:
        left = until - clock.monotonic()
        late += left <= 0
        if not select.select([sock], [], [], max(left, 0))[0]:
            return
        hear()


def counted(
    metric: str, target: str, at: datetime, hosts: int, method: str, *, fault: Failed | None, **details: Detail
) -> Measurement:
    """The count of hosts. One that a fault cut short is no count: it is told as the fault, with what was found."""
    if fault is None:
        return Measurement.of(metric, target, at, float(hosts), method, **details)
    return uncounted(metric, target, at, fault, method, **details, found=hosts)


def uncounted(metric: str, target: str, at: datetime, error: OSError | Failed, method: str, **details: Detail) -> Measurement:
    """A count that could not be made, and why. An error that is not a network's doing is raised again."""
    fault = _fault(error)
    return Measurement.failed(metric, target, at, fault.failure, method, **details, reason=clean(str(fault), limit=300))


def _fault(error: OSError | Failed) -> Failed:
    """`error` with its failure word; one that has none is our bug, and is raised again."""
    failure = classify(error)
    if failure is None:
        raise error
    return error if isinstance(error, Failed) else Failed(failure, str(error))
