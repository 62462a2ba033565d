"""ARP sweep: which addresses of the site's own networks answer, and with which hardware address.

It sends and receives link-layer frames itself. The kernel's own neighbour table holds 1,024 entries by default, so a sweep
through it (ping) silently loses hosts of any network larger than that.

A host that is known already is asked alone, by a frame to its own hardware address; everybody is asked about an address only
when that stays without an answer. So a second owner of such an address is not seen. One hardware address that answers for many
addresses answers for others: its sightings are marked, and its addresses are not counted as hosts.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import Annotated, NoReturn

import msgspec
from msgspec import Meta

from netready.device import Sighting
from netready.failure import Failed, Failure
from netready.instrument import Capability, Context, Instrument, Reading
from netready.measurement import Detail
from netready.sent import Sent
from netready.text import clean
from probes import arp_ask, segment, wire_arp
from probes.arp_ask import Sweep
from probes.segment import Port
from probes.sweep import SweepSettings, counted, fit, uncounted
from probes.wire_ethernet import mac_bytes, mac_text

METHOD = "arp_sweep/2"
METRIC = "arp_hosts"
TELLERS = frozenset({"router", "lease", "dhcp", "snmp"})  # whose word on who has an address is taken


class Settings(SweepSettings, frozen=True, kw_only=True):
    """The table [arp_sweep]. Without networks it sweeps the site's authorised IPv4 networks.

    `known` hosts, each by IPv4 address and hardware address, are asked alone before everybody is asked about their addresses.
    """

    tries: Annotated[int, Meta(ge=1, le=5)] = 4
    known: Annotated[tuple[tuple[str, str], ...], Meta(max_length=65536)] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for address, mac in self.known:
            IPv4Address(address)
            mac_bytes(mac)


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """Sightings, one measurement and what was sent, for each network. Addresses are counted, not hardware addresses.

    Raises Refused before the first frame when one of the networks is not authorised.
    """
    ports = segment.ports(segment.links())
    parts = [(text, _on_link(text, ports, context)) for text in settings.networks]
    known = _known(settings)
    for text, attached in parts:
        at, target = context.clock.now(), clean(text)
        try:
            part, port = attached or _why_not(text)
            context.say(f"arp_sweep: {part} through {port.name}, {settings.packets_per_second} questions a second at most")
            sweep = arp_ask.ask(part, port, known, settings, context)
        except (OSError, Failed) as error:
            yield uncounted(METRIC, target, at, error, METHOD)
        else:
            yield from emit(target, at, sweep)


def emit(target: str, at: datetime, sweep: Sweep) -> Iterator[Reading]:
    """This machine, every hardware address that answered, the count, and what was sent.

    A sweep that a fault ended keeps its sightings, but its count is no count: it is told as the fault, with what was found.
    """
    port, proxies = sweep.port, sweep.proxies()
    yield Sighting(
        source="arp",
        at=at,
        mac=mac_text(port.mac),
        address=str(port.own.ip),
        facts={"self": "yes", "interface": clean(port.name)},
    )
    duplicates = confirmed = alone = 0
    for address, macs in sorted(sweep.found.items()):
        # An owner, and somebody who answers for others beside it, are no quarrel.
        owners = [mac for mac in macs if mac not in proxies]
        quarrel = len(owners) > 1
        duplicates += quarrel
        alone += not owners
        confirmed += sweep.confirmed(address)
        for mac in macs:
            facts = {"proxy": "yes"} if mac in proxies else {"duplicate": "yes"} if quarrel else {}
            if sweep.confirmed(address):
                facts["confirmed"] = "unicast"
            yield Sighting(source="arp", at=at, mac=mac_text(mac), address=wire_arp.address_text(address), facts=facts)
    hosts = len(sweep.found) - alone + len(proxies)
    details = account(sweep) | {
        "duplicates": duplicates,
        "confirmed": confirmed,
        "proxies": len(proxies),
        "proxied": alone,  # addresses for which nobody but a proxy answered
        "macs": len({mac for macs in sweep.found.values() for mac in macs}),
    }
    yield counted(METRIC, target, at, hosts, METHOD, fault=sweep.fault, **details)
    if sweep.packets_sent:
        yield Sent(protocol="arp", frames=sweep.packets_sent, bytes=sweep.packets_sent * wire_arp.FRAME)


def account(sweep: Sweep) -> dict[str, Detail]:
    """What was asked, and what it cost: in `asked` and `answered` the questions and the new hosts of each try."""
    tries = sweep.account
    return {
        "swept": str(sweep.part),
        "addresses": sweep.part.num_addresses,
        "interface": clean(sweep.port.name),
        "packets_sent": sweep.packets_sent,
        "unicast_sent": sweep.unicast_sent,
        "bytes_sent": sweep.packets_sent * wire_arp.FRAME,
        "bytes_received": sweep.packets_received * wire_arp.FRAME,
        "packets_dropped": sweep.dropped,
        "layer": "ethernet",
        "seconds": round(sweep.seconds, 3),
        "tries": len(tries.asked),
        "asked": list(tries.asked),
        "answered": list(tries.found),
        "ended": tries.ended or ("a fault" if sweep.fault else "everybody was known"),
    }


def _known(settings: Settings) -> dict[int, bytes]:
    """Known hosts by address. An address that is known with two hardware addresses is not known."""
    known: dict[int, bytes] = {}
    unsure: set[int] = set()
    for text, mac in settings.known:
        address, owner = int(IPv4Address(text)), mac_bytes(mac)
        if known.setdefault(address, owner) != owner:
            unsure.add(address)
    return {address: owner for address, owner in known.items() if address not in unsure}


def _on_link(text: str, ports: tuple[Port, ...], context: Context) -> tuple[IPv4Network, Port] | None:
    """What of a network can be swept from here, if anything. Raises Refused when nobody authorised it.

    A site's /16 may be larger than one sweep may be, while the segment that this machine is in is a /22 of it.
    """
    network = ip_network(text)
    attached = segment.part_on_link(network, ports) if isinstance(network, IPv4Network) else None
    if attached:
        context.authority.allow_scan(str(attached[0]))
    else:  # nothing will be sent, so its size does not matter, but a stranger's network is still refused
        context.authority.allow_host(str(network[0]))
        context.authority.allow_host(str(network[-1]))
    return attached


def _why_not(text: str) -> NoReturn:
    if isinstance(ip_network(text), IPv6Network):
        raise Failed(
            Failure.NOT_SUPPORTED, f"{text} is IPv6, which has no ARP; nd_sweep and the tables of routers list its hosts"
        )
    raise Failed(Failure.UNREACHABLE, f"no interface of this machine is attached to {text}; ARP does not cross routers")


def learn(settings: Settings, seen: Iterable[Sighting]) -> Settings:
    """Told which hosts are known already: by routers, leases, and what they said themselves. Nobody else hears them asked."""
    told = {
        each.address: each.mac
        for each in seen
        if each.source in TELLERS and each.mac and each.address and ":" not in each.address
    }
    return msgspec.structs.replace(settings, known=(*settings.known, *sorted(told.items())))


def _worst(settings: Settings) -> float:
    """Questions asked when nobody answers, counting at most a /20 for each network, as a survey refuses more by default."""
    return float(sum(min(ip_network(text).num_addresses, 4096) for text in settings.networks) * settings.tries)


INSTRUMENT = Instrument(
    name="arp_sweep",
    version=2,
    read=read,
    settings=Settings,
    does="Asks every address of the site's own networks, by ARP and at a limited pace, who is there",
    metrics=(METRIC,),
    needs=frozenset({Capability.RAW_SOCKET}),
    seconds=lambda settings: _worst(settings) / settings.packets_per_second + 2 * len(settings.networks),
    load=lambda settings, _rate: _worst(settings) * wire_arp.FRAME,
    fit=fit,
    learn=learn,
    missing=lambda settings: None if settings.networks else "no IPv4 network is in arp_sweep.networks or site.networks",
)
