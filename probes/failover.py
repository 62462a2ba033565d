"""The second path: whether a page comes over each circuit by itself. No line is ever taken down for it."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.failure import Failure
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Circuit, Endpoint, Site
from netready.text import clean
from probes.leg import Leg
from probes.page import Visit, Way, attempt, host_of, trust

METHOD = "failover/1"
METRIC = "circuit_page_time"
MOST = 5 * 2**20  # bytes of a page that are read


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [failover]. The circuits are the site's with `interface` or `source`, the endpoints the site's."""

    circuits: Annotated[tuple[Circuit, ...], Meta(max_length=16)] = ()
    endpoints: Annotated[tuple[Endpoint, ...], Meta(max_length=64)] = ()
    timeout: Annotated[float, Meta(gt=0, le=60)] = 10.0  # seconds for one page
    tries: Annotated[int, Meta(ge=1, le=8)] = 3  # endpoints that are tried before a circuit is said not to work
    ca_file: str = ""


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """One measurement per circuit: the time of the first endpoint's page that came over it.

    That traffic moves from one to the other by itself, and how fast, is not shown: that takes a line down, and a person.
    Raises Refused before the first packet when nobody named an endpoint's host.
    """
    pages = settings.endpoints[: settings.tries]
    for endpoint in pages:
        if host := host_of(endpoint.url):
            context.authority.allow_host(host)
    way = Way(trust=trust(settings.ca_file, "failover.ca_file"), timeout=settings.timeout, max_bytes=MOST, max_redirects=5)
    for circuit in settings.circuits:
        yield _over(circuit, pages, msgspec.structs.replace(way, leg=Leg.of(circuit)), context)


def _over(circuit: Circuit, pages: tuple[Endpoint, ...], way: Way, context: Context) -> Measurement:
    """The first page that comes over the circuit; where none does, the trouble with the last."""
    at, target = context.clock.now(), clean(circuit.name)
    context.say(f"failover: {target}")
    trouble: tuple[Failure, str] = Failure.NO_ANSWER, "no page was asked for"
    sent = received = 0
    details: dict[str, Detail] = {"interface": circuit.interface, "source": circuit.source, "layer": "http"}
    for endpoint in pages:
        visit = Visit()
        failed = attempt(endpoint.url, visit, way, context)
        sent, received = sent + visit.bytes_sent, received + visit.bytes_received
        details |= {"page": clean(endpoint.url), "bytes_sent": sent, "bytes_received": received}
        if failed is None:
            return Measurement.of(METRIC, target, at, visit.total or 0.0, METHOD, **details)
        trouble = failed
    return Measurement.failed(METRIC, target, at, trouble[0], METHOD, **details, reason=trouble[1])


def fit(settings: Settings, site: Site) -> Settings:
    """Without circuits and endpoints of its own, the site's."""
    own = tuple(circuit for circuit in site.circuits if circuit.interface or circuit.source)
    return msgspec.structs.replace(settings, circuits=settings.circuits or own, endpoints=settings.endpoints or site.endpoints)


def missing(settings: Settings) -> str | None:
    """Why there is nothing to try."""
    if not settings.circuits:
        return "no circuit in [[site.circuits]] says by which interface or source it is reached"
    return None if settings.endpoints else "no endpoint is named in [[site.endpoints]]"


INSTRUMENT = Instrument(
    name="failover",
    version=1,
    read=read,
    settings=Settings,
    does="Opens a platform's page over each circuit by itself",
    metrics=(METRIC,),
    seconds=lambda settings: 1.0 * len(settings.circuits),
    load=lambda settings, _rate: 300_000.0 * len(settings.circuits),
    fit=fit,
    hosts=lambda settings: tuple(host_of(endpoint.url) for endpoint in settings.endpoints),
    missing=missing,
    files=("ca_file",),
    wanted=lambda settings: bool(settings.circuits),
)
