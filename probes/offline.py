"""Material kept in the school: whether each of its pages comes whole from its own address, and is the right one."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.access import Stored, written
from netready.failure import Failure
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Site
from netready.text import clean
from probes.page import Visit, Way, attempt, host_of, trust
from probes.where import is_address

METHOD = "offline/1"
METRIC = "stored_page_time"
MOST = 20 * 2**20  # bytes of a page that are read


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [offline]. What is kept in the school stands in [[site.stored]]."""

    stored: Annotated[tuple[Stored, ...], Meta(max_length=64)] = ()
    timeout: Annotated[float, Meta(gt=0, le=60)] = 10.0  # seconds for one page
    ca_file: str = ""


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """One measurement per page. The line is not touched: that the page also comes without it is not shown.

    Raises Refused before the first packet when an address is not within an authorised network; a name that leads to one
    outside is not followed there and ends in `not-authorised`.
    """
    for host in (*hosts(settings), *targets(settings)):
        context.authority.allow_host(host)
    way = Way(
        trust=trust(settings.ca_file, "offline.ca_file"),
        timeout=settings.timeout,
        max_bytes=MOST,
        max_redirects=5,
        keep=MOST,
        inside=True,
    )
    for one in settings.stored:
        at, visit = context.clock.now(), Visit()
        context.say(f"offline: {clean(one.url)}")
        trouble = attempt(one.url, visit, way, context)
        if trouble is None and one.shows not in visit.text:
            trouble = Failure.MALFORMED, "a page came, without the words that the material shows"
        details: dict[str, Detail] = {
            "name": clean(one.name),
            "address": visit.address,
            "status": visit.status,
            "bytes_sent": visit.bytes_sent,
            "bytes_received": visit.bytes_received,
            "layer": "http",
        }
        target = written(one.url)
        if trouble is None:
            yield Measurement.of(METRIC, target, at, visit.total or 0.0, METHOD, **details)
        else:
            yield Measurement.failed(METRIC, target, at, trouble[0], METHOD, **details, reason=trouble[1])


def fit(settings: Settings, site: Site) -> Settings:
    """Without material of its own, the site's."""
    return settings if settings.stored else msgspec.structs.replace(settings, stored=site.stored)


def hosts(settings: Settings) -> tuple[str, ...]:
    """The names among the hosts; an address is not allowed by being named here, it must be of an authorised network."""
    return tuple(host for one in settings.stored if (host := host_of(one.url)) and not is_address(host))


def targets(settings: Settings) -> tuple[str, ...]:
    """The addresses among the hosts."""
    return tuple(host for one in settings.stored if is_address(host := host_of(one.url)))


INSTRUMENT = Instrument(
    name="offline",
    version=1,
    read=read,
    settings=Settings,
    does="Opens a page of each store of material in the school, at its own address",
    metrics=(METRIC,),
    seconds=lambda settings: 0.5 * len(settings.stored),
    fit=fit,
    hosts=hosts,
    targets=targets,
    missing=lambda settings: None if settings.stored else "no material is named in [[site.stored]]",
    files=("ca_file",),
    wanted=lambda settings: bool(settings.stored),
)
