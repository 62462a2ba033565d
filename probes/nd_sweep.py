"""IPv6 neighbours: who answers on the segments that this machine and the site's networks share.

A segment of IPv6 is too large to be asked address by address. Everybody on it is asked at once by a multicast echo request,
routers by a solicitation, and hosts that only the kernel knows of are asked alone. Many Windows computers answer no echo
request; those are found when they have spoken to this machine, and in the tables of routers.

An interface is asked when it is attached to an authorised network of either kind: the hosts of a segment are the same under
both, and a multicast does not leave it.
"""

from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_network

import msgspec

from netready.device import Sighting
from netready.failure import Failed
from netready.instrument import Capability, Context, Instrument, Reading
from netready.measurement import Detail
from netready.sent import Sent
from netready.site import Site
from netready.text import clean
from probes import nd_ask, segment
from probes.nd_ask import Sweep
from probes.segment import Link
from probes.sweep import SweepSettings, counted, uncounted
from probes.wire_ethernet import mac_text

METHOD = "nd_sweep/1"
METRIC = "nd_hosts"
FRAME = 86  # bytes of the largest question


class Settings(SweepSettings, frozen=True, kw_only=True):
    """The table [nd_sweep]. Without networks it asks the interfaces that are attached to the site's authorised networks."""


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """Sightings, one measurement and what was sent, for each interface. Hosts are counted by hardware address.

    Raises Refused before the first packet when one of the networks is not authorised.
    """
    for text in settings.networks:
        network = ip_network(text)
        context.authority.allow_host(str(network[0]))
        context.authority.allow_host(str(network[-1]))
    for link in attached(settings, segment.links()):
        at, target = context.clock.now(), clean(link.name)
        context.say(f"nd_sweep: everybody on {link.name}, {settings.tries} times")
        try:
            sweep = nd_ask.ask(link, settings, context)
        except (OSError, Failed) as error:
            yield uncounted(METRIC, target, at, error, METHOD)
        else:
            yield from emit(target, at, sweep, settings)


def emit(target: str, at: datetime, sweep: Sweep, settings: Settings) -> Iterator[Reading]:
    """Every address that answered, the count of hosts, and what was sent. A count that a fault cut short is none."""
    interface = {"interface": clean(sweep.link.name)}
    for address, macs in sorted(sweep.found.items()):
        for mac in macs:
            facts = interface | ({"router": "yes"} if mac in sweep.routers else {})
            yield Sighting(source="nd", at=at, mac=mac_text(mac), address=str(address), facts=facts)
    hosts = len({mac for macs in sweep.found.values() for mac in macs})
    details: dict[str, Detail] = {
        "networks": [str(each) for each in sorted(sweep.here)],
        "addresses": len(sweep.found),
        "routers": len(sweep.routers),
        "packets_sent": sweep.packets_sent,
        "bytes_sent": sweep.bytes_sent,
        "bytes_received": sweep.bytes_received,
        "packets_dropped": sweep.dropped,
        "layer": "ethernet",
        "seconds": round(sweep.seconds, 3),
        "tries": settings.tries,
        "asked_alone": len(sweep.known),
    }
    yield counted(METRIC, target, at, hosts, METHOD, fault=sweep.fault, **details)
    if sweep.packets_sent:
        yield Sent(protocol="icmpv6", frames=sweep.packets_sent, bytes=sweep.bytes_sent)


def attached(settings: Settings, links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The interfaces that share a network with the settings, of either kind."""
    wanted = [ip_network(text) for text in settings.networks]
    return tuple(
        link
        for link in links
        if any(own.version == each.version and own.network.overlaps(each) for own in link.addresses for each in wanted)
    )


def fit(settings: Settings, site: Site) -> Settings:
    """Without networks of its own, the site's."""
    if settings.networks:
        return settings
    return msgspec.structs.replace(settings, networks=tuple(str(network) for network in site.authorised))


def _frames(settings: Settings) -> float:
    """Multicast questions, for one interface that has two addresses; hosts that are asked alone are few."""
    return 1.0 + 2 * settings.tries


INSTRUMENT = Instrument(
    name="nd_sweep",
    version=1,
    read=read,
    settings=Settings,
    does="Asks everybody on the site's own segments, by a few IPv6 multicasts, who is there",
    metrics=(METRIC,),
    needs=frozenset({Capability.RAW_SOCKET}),
    seconds=lambda settings: settings.tries * settings.wait + 1,
    load=lambda settings, _rate: _frames(settings) * FRAME,
    fit=fit,
    missing=lambda settings: None if settings.networks else "no network is in nd_sweep.networks or site.networks",
)
