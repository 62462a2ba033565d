"""The content filter: whether harmless test pages that the school named are blocked, or open, where they are meant to be.

It shows what a filter does with these pages on these networks at this moment, and says nothing about any law.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.access import FilterPage, Nominated, Shown, check_addresses, seen_from
from netready.failure import Failure
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Site
from probes.dns_lookup import HostName
from probes.leg import Leg
from probes.page import Visit, Way, attempt, host_of, trust

METHOD = "content_filter/1"
METRIC = "page_blocked"
KEPT = 256 * 1024  # bytes of a page that are looked at
MOST = 5 * 2**20  # bytes of a page that are read
# How filters block without a page of their own. A test host that is down looks the same, so these count only where the same
# page opened from another network in the same run.
SILENT = frozenset(
    {
        Failure.RESET,
        Failure.REFUSED,
        Failure.CLOSED_EARLY,
        Failure.TIMEOUT,
        Failure.UNREACHABLE,
        Failure.DNS_NXDOMAIN,
        Failure.DNS_NO_ADDRESS,
        Failure.DNS_REFUSED,
    }
)
DENIALS = frozenset({403, 451})  # RFC 9110 section 15.5.4, RFC 7725


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [content_filter]: how the filter's own page is recognised. The test pages stand in [[site.filter_pages]].

    block_words  words of the page that the filter shows instead
    block_hosts  hosts that it sends blocked visits to
    sinkholes    addresses that it gives for the names of blocked hosts
    ca_file      replaces the system's authorities, where the filter opens encrypted connections
    """

    pages: Annotated[tuple[FilterPage, ...], Meta(max_length=64)] = ()
    nominated: Annotated[tuple[Nominated, ...], Meta(max_length=16)] = ()
    block_words: Annotated[tuple[Shown, ...], Meta(max_length=16)] = ()
    block_hosts: Annotated[tuple[HostName, ...], Meta(max_length=16)] = ()
    sinkholes: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    timeout: Annotated[float, Meta(gt=0, le=60)] = 5.0  # seconds for one visit
    ca_file: str = ""

    def __post_init__(self) -> None:
        for sinkhole in self.sinkholes:
            check_addresses(address=sinkhole)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One page from one network. `blocked` is None when it cannot be said; `how` tells either."""

    network: Nominated
    must: bool
    at: datetime
    visit: Visit
    trouble: tuple[Failure, str] | None
    blocked: bool | None
    how: str


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """One measurement per test page and network that it is about: 1 blocked, 0 open.

    Raises Refused before the first packet when nobody named a page's host.
    """
    for page in settings.pages:
        if host := host_of(page.url):
            context.authority.allow_host(host)
    networks = {network.name: network for network in settings.nominated}
    way = Way(
        trust=trust(settings.ca_file, "content_filter.ca_file"),
        timeout=settings.timeout,
        max_bytes=MOST,
        max_redirects=5,
        keep=KEPT,
    )
    for page in settings.pages:
        looks = [_look(page, networks[name], way, settings, context, must=must) for name, must in page.told if name in networks]
        opened = sorted(look.network.name for look in looks if look.blocked is False)
        for look in looks:
            yield emit(page, _beside(look, opened))


def _look(page: FilterPage, network: Nominated, way: Way, settings: Settings, context: Context, *, must: bool) -> Look:
    at, visit = context.clock.now(), Visit()
    context.say(f"content_filter: {seen_from(page.url, network.name)}")
    trouble = attempt(page.url, visit, msgspec.structs.replace(way, leg=Leg.of(network)), context)
    blocked, how = verdict(page, visit, trouble, settings)
    return Look(network=network, must=must, at=at, visit=visit, trouble=trouble, blocked=blocked, how=how)


def verdict(page: FilterPage, visit: Visit, trouble: tuple[Failure, str] | None, settings: Settings) -> tuple[bool | None, str]:
    """What one visit by itself shows, and by what. Pure."""
    if sunk := next((address for address in visit.places if address in settings.sinkholes), None):
        return True, f"its name leads to {sunk}"
    if sent := next((host for host in (visit.host, visit.heading) if host in settings.block_hosts), None):
        return True, f"sent to {sent}"
    if any(words in visit.text for words in settings.block_words):
        return True, "the filter's own page"
    if trouble is None and page.shows in visit.text:
        return False, "the page itself"
    return None, "" if trouble else "a page came that is neither the test page nor the filter's"


def _beside(look: Look, opened: list[str]) -> Look:
    """The look, with what other networks saw of the same page in the same run."""
    if look.blocked is not None or look.trouble is None or not opened:
        return look
    word = look.trouble[0]
    if word in SILENT or (word is Failure.HTTP_STATUS and look.visit.status in DENIALS):
        what = f"status {look.visit.status}" if word is Failure.HTTP_STATUS else word.value
        return msgspec.structs.replace(look, blocked=True, how=f"{what}, while it opened from {', '.join(opened)}")
    return look


def emit(page: FilterPage, look: Look) -> Measurement:
    """The measurement of one look."""
    details: dict[str, Detail] = {
        "network": look.network.name,
        "people": look.network.people.value,
        "must": "blocked" if look.must else "open",
        "how": look.how,
        "status": look.visit.status,
        "address": look.visit.address,
        "final": look.visit.final,
        "bytes_sent": look.visit.bytes_sent,
        "bytes_received": look.visit.bytes_received,
        "layer": "http",
    }
    target = seen_from(page.url, look.network.name)
    if look.blocked is not None:
        return Measurement.of(METRIC, target, look.at, float(look.blocked), METHOD, **details)
    word, reason = look.trouble or (Failure.INCONCLUSIVE, look.how)
    return Measurement.failed(METRIC, target, look.at, word, METHOD, **details, reason=reason)


def fit(settings: Settings, site: Site) -> Settings:
    """Without pages and networks of its own, the site's."""
    return msgspec.structs.replace(
        settings, pages=settings.pages or site.filter_pages, nominated=settings.nominated or site.nominated
    )


def hosts(settings: Settings) -> tuple[str, ...]:
    """The test pages' hosts, the filter's own, and the name servers that the nominated networks use."""
    return (
        *(host_of(page.url) for page in settings.pages),
        *settings.block_hosts,
        *(one.resolver for one in settings.nominated),
    )


def _visits(settings: Settings) -> int:
    return sum(len(page.told) for page in settings.pages)


INSTRUMENT = Instrument(
    name="content_filter",
    version=1,
    read=read,
    settings=Settings,
    does="Fetches the harmless test pages that the school named from each network that they are about",
    metrics=(METRIC,),
    seconds=lambda settings: 1.0 * _visits(settings),
    load=lambda settings, _rate: 50_000.0 * _visits(settings),
    fit=fit,
    hosts=hosts,
    missing=lambda settings: None if settings.pages else "no test page is named in [[site.filter_pages]]",
    files=("ca_file",),
    wanted=lambda settings: bool(settings.pages),
)
