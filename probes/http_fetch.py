"""Pages of the platforms a school depends on: fetched once each, without logging in, every phase timed.

Where the school nominated networks, each page is fetched from each of them that it is for.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.access import Nominated, seen_from, written
from netready.failure import Failure
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Endpoint, Site
from netready.text import clean
from probes.leg import HERE, Leg
from probes.page import Visit, Way, attempt, host_of, trust

METHOD = "http_fetch/1"
TOTAL, FIRST_BYTE, CERTIFICATE = "http_total_time", "http_first_byte_time", "tls_certificate_left"
PAGE = 300_000.0  # bytes: about what a portal's first document weighs, for the plan of a survey only


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [http_fetch]. Without endpoints it fetches the site's. `ca_file` replaces the system's authorities.

    nominated is the site's unless it stands here.
    """

    endpoints: Annotated[tuple[Endpoint, ...], Meta(max_length=64)] = ()
    nominated: Annotated[tuple[Nominated, ...], Meta(max_length=16)] = ()
    timeout: Annotated[float, Meta(gt=0, le=120)] = 10.0  # seconds for one endpoint, redirects included
    max_bytes: Annotated[int, Meta(ge=1, le=100 * 2**20)] = 5 * 2**20
    max_redirects: Annotated[int, Meta(ge=0, le=20)] = 5
    ca_file: str = ""

    @property
    def visits(self) -> tuple[tuple[Endpoint, Nominated | None], ...]:
        """Each endpoint and the network it is fetched from; None where none is nominated."""
        if not self.nominated:
            return tuple((endpoint, None) for endpoint in self.endpoints)
        return tuple(
            (endpoint, network)
            for endpoint in self.endpoints
            for network in self.nominated
            if not endpoint.networks or network.name in endpoint.networks
        )


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """Two or three measurements per endpoint: total time, time to the first byte, for https what is left of the certificate.

    Raises Refused before the first packet when nobody named an endpoint's host. A redirect to another host that nobody named
    is not followed and ends in `not-authorised`. A network that this machine cannot send from is `local-resources`.
    """
    for endpoint in settings.endpoints:
        if host := host_of(endpoint.url):  # what is no URL is not fetched either, and fails as malformed below
            context.authority.allow_host(host)
    way = Way(
        trust=trust(settings.ca_file, "http_fetch.ca_file"),
        timeout=settings.timeout,
        max_bytes=settings.max_bytes,
        max_redirects=settings.max_redirects,
    )
    for endpoint, network in settings.visits:
        at = context.clock.now()
        visit = Visit(encrypted=endpoint.url.startswith("https:"))
        context.say(f"http_fetch: {_target(endpoint, network)}")
        leg = HERE if network is None else Leg.of(network)
        trouble = attempt(endpoint.url, visit, msgspec.structs.replace(way, leg=leg), context)
        yield from emit(endpoint, network, at, visit, trouble)


def _target(endpoint: Endpoint, network: Nominated | None) -> str:
    return written(endpoint.url) if network is None else seen_from(endpoint.url, network.name)


def emit(
    endpoint: Endpoint, network: Nominated | None, at: datetime, visit: Visit, trouble: tuple[Failure, str] | None
) -> Iterator[Measurement]:
    """The measurements of one visit. A certificate that was seen and verified keeps its value when the page itself failed."""
    failure, reason = trouble or (None, "")
    target = _target(endpoint, network)
    details: dict[str, Detail] = {
        "role": endpoint.role.value,
        "name": clean(endpoint.name),
        "status": visit.status,
        "dns": round(visit.dns, 6),
        "connect": round(visit.connect, 6),
        "tls": round(visit.tls, 6),
        "first_byte": visit.first_byte,
        "total": visit.total,
        "address": visit.address,
        "tls_version": visit.tls_version,
        "redirects": visit.redirects,
        "final": visit.final,
    }
    if network is not None:
        details |= {"network": network.name, "people": network.people.value}
    # Once, with the first measurement: a survey adds them up.
    traffic: dict[str, Detail] = {"bytes_sent": visit.bytes_sent, "bytes_received": visit.bytes_received, "layer": "http"}
    for metric, value, more in ((TOTAL, visit.total, traffic), (FIRST_BYTE, visit.first_byte, {})):
        if failure is None and value is not None:
            yield Measurement.of(metric, target, at, value, METHOD, **details, **more)
        else:
            word = failure or Failure.CLOSED_EARLY
            yield Measurement.failed(metric, target, at, word, METHOD, **details, **more, reason=reason)
    if visit.left is not None:
        details |= {"not_after": visit.not_after, "issuer": visit.issuer}
        yield Measurement.of(CERTIFICATE, target, at, visit.left, METHOD, **details)
    elif visit.encrypted:
        word = failure or Failure.TLS_HANDSHAKE
        yield Measurement.failed(CERTIFICATE, target, at, word, METHOD, **details, reason=reason)


def fit(settings: Settings, site: Site) -> Settings:
    """Without endpoints of its own, the site's; and without networks of its own, those that the site nominated."""
    return msgspec.structs.replace(
        settings, endpoints=settings.endpoints or site.endpoints, nominated=settings.nominated or site.nominated
    )


def hosts(settings: Settings) -> tuple[str, ...]:
    """The endpoints' hosts, and the name servers that the nominated networks use."""
    return (*(host_of(endpoint.url) for endpoint in settings.endpoints), *(one.resolver for one in settings.nominated))


def missing(settings: Settings) -> str | None:
    """Why there is nothing to fetch."""
    if not settings.endpoints:
        return "no endpoint is named in [[site.endpoints]]"
    visited = {endpoint.name for endpoint, _ in settings.visits}
    astray = next((endpoint.name for endpoint in settings.endpoints if endpoint.name not in visited), None)
    return None if astray is None else f"the endpoint {clean(astray)} is for a network that is not nominated"


INSTRUMENT = Instrument(
    name="http_fetch",
    version=1,
    read=read,
    settings=Settings,
    does="Opens each platform's page once, without logging in, and times every step",
    metrics=(TOTAL, FIRST_BYTE, CERTIFICATE),
    seconds=lambda settings: 1.0 * len(settings.visits),
    load=lambda settings, _rate: PAGE * len(settings.visits),
    fit=fit,
    hosts=hosts,
    missing=missing,
    files=("ca_file",),
)
