"""ICMP sweep: which addresses of the site's networks behind routers answer an echo request.

Networks that this machine is attached to are left to arp_sweep: an echo request there goes through the kernel's neighbour
table, which holds 1,024 entries by default, so that a sweep of a larger network would lose hosts without a word. Where this
machine may not send frames of its own, they are asked all the same, and the table's size is said beside the count.
"""

import socket
from collections.abc import Iterator
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NoReturn

import msgspec

from netready.authority import Refused
from netready.device import Sighting
from netready.failure import Failed, Failure
from netready.instrument import Capability, Context, Instrument, Reading
from netready.measurement import Detail
from netready.sent import Sent
from netready.text import clean
from probes import icmp_ask, segment, wire_icmp
from probes.icmp_ask import Sweep
from probes.sweep import SweepSettings, counted, fit, uncounted
from probes.wire_ethernet import SHORTEST

METHOD = "icmp_sweep/1"
METRIC = "icmp_hosts"
FRAME = max(14 + 20 + wire_icmp.HEADER.size + wire_icmp.TOKEN, SHORTEST)  # bytes of one question on Ethernet
NEIGHBOURS = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
USUAL_NEIGHBOURS = 1024  # the kernel's default, where it does not say (arp(7)); it says so only in the first network namespace


class Settings(SweepSettings, frozen=True, kw_only=True):
    """The table [icmp_sweep]. Without networks it sweeps the site's authorised IPv4 networks."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What of one network is to be asked.

    attached  its parts that this machine is in
    limit     the size of the neighbour table, when they are asked through it; None when they are left out
    """

    network: IPv4Network
    parts: tuple[IPv4Network, ...]
    attached: tuple[IPv4Network, ...]
    limit: int | None


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """Sightings of hosts and of the routers on the way, one measurement and what was sent, for each network.

    Raises Refused before the first packet when one of the networks is not authorised or is too large.
    """
    links = segment.links()
    frames = _frames_allowed()
    tasks = [(text, _task(text, segment.ports(links), context, frames=frames)) for text in settings.networks]
    own = frozenset(str(address.ip) for link in links for address in link.addresses)
    for text, possible in tasks:
        at, target = context.clock.now(), clean(text)
        try:
            task = possible or _why_not(text)
            context.say(f"icmp_sweep: {text}, {settings.packets_per_second} questions a second at most")
            sweep = icmp_ask.ask(addresses(task, own), own, settings, context)
        except (OSError, Failed) as error:
            yield uncounted(METRIC, target, at, error, METHOD)
        else:
            yield from emit(target, at, task, sweep, context)


def emit(target: str, at: datetime, task: Task, sweep: Sweep, context: Context) -> Iterator[Reading]:
    """Every host that answered, the authorised routers that spoke for others, the count, and what was sent."""
    for address, ttl in sorted(sweep.found.items()):
        yield Sighting(source="icmp", at=at, address=str(IPv4Address(address)), facts={} if ttl is None else {"ttl": str(ttl)})
    for router in sorted(sweep.routers, key=ip_address):
        if any(ip_address(router) in network for network in context.authority.networks):
            yield Sighting(source="icmp", at=at, address=router, facts={"router": "yes"})
    fault = sweep.fault or _why_nobody(task, sweep)
    yield counted(METRIC, target, at, len(sweep.found), METHOD, fault=fault, **account(task, sweep))
    if sweep.packets_sent:
        yield Sent(protocol="icmp", frames=sweep.packets_sent, bytes=sweep.packets_sent * FRAME, estimated=True)


def account(task: Task, sweep: Sweep) -> dict[str, Detail]:
    """What was asked, and what it cost: in `asked` and `answered` the questions and the new hosts of each try."""
    tries = sweep.account
    details: dict[str, Detail] = {
        "addresses": sum(part.num_addresses for part in task.parts),
        "packets_sent": sweep.packets_sent,
        "bytes_sent": sweep.packets_sent * FRAME,
        "bytes_received": sweep.packets_received * FRAME,
        "layer": "ethernet",
        "seconds": round(sweep.seconds, 3),
        "tries": len(tries.asked),
        "asked": list(tries.asked),
        "answered": list(tries.found),
        "ended": tries.ended or "a fault",
        "refused_by_host": sum(1 for ttl in sweep.found.values() if ttl is None),
        "errors": dict(sweep.errors),
        "answered_elsewhere": sweep.strange,
    }
    if task.limit is None:
        details |= {"left_to_arp_sweep": [str(part) for part in task.attached]} if task.attached else {}
    elif task.attached:
        details["neighbour_table"] = task.limit
        if sum(part.num_addresses for part in task.attached) > task.limit:
            details["limited_by"] = "neighbour-table"
    return details


def addresses(task: Task, own: frozenset[str]) -> list[int]:
    """The addresses to ask: neither this machine's own, nor the first and last of a network, which belong to everybody."""
    nobodys = {
        each for network in (task.network, *task.attached) if network.prefixlen < 31 for each in (network[0], network[-1])
    }
    left_out = {int(each) for each in nobodys} | {int(IPv4Address(each)) for each in own if ":" not in each}
    return [
        address
        for part in task.parts
        for address in range(int(part.network_address), int(part.broadcast_address) + 1)
        if address not in left_out
    ]


def without(network: IPv4Network, others: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
    """What of `network` is in none of `others`."""
    left = [network]
    for other in others:
        left = [piece for each in left for piece in _less(each, other)]
    return tuple(left)


def _less(network: IPv4Network, other: IPv4Network) -> list[IPv4Network]:
    if network.subnet_of(other):
        return []
    return list(network.address_exclude(other)) if other.subnet_of(network) else [network]


def _task(text: str, ports: tuple[segment.Port, ...], context: Context, *, frames: bool) -> Task | None:
    """What is to be asked of a network; None when nothing is. Raises Refused when nobody authorised it, or it is too large."""
    network = ip_network(text)
    if not isinstance(network, IPv4Network):
        context.authority.allow_host(str(network[0]))
        context.authority.allow_host(str(network[-1]))
        return None
    attached = tuple({found[0] for port in ports if (found := segment.part_on_link(network, (port,)))})
    parts = without(network, attached) if frames else (network,)
    for part in parts or (network,):
        context.authority.allow_scan(str(part))
    total = sum(part.num_addresses for part in parts)
    if total > context.authority.widest:
        widest = f"more than survey.widest_scan allows ({context.authority.widest:,})"
        raise Refused(f"{text} without what this machine is attached to has {total:,} addresses, {widest}; nothing was sent")
    limit = None if frames else _neighbour_limit()
    return Task(network=network, parts=parts, attached=attached, limit=limit) if parts else None


def _why_not(text: str) -> NoReturn:
    if isinstance(ip_network(text), IPv6Network):
        raise Failed(Failure.NOT_SUPPORTED, f"{text} is IPv6; its hosts are too far apart to be asked one by one")
    raise Failed(Failure.NOT_SUPPORTED, f"this machine is attached to all of {text}; arp_sweep asks its hosts")


def _why_nobody(task: Task, sweep: Sweep) -> Failed | None:
    """Why nobody answered, when it is the way and not the hosts; a network that cannot be reached is not an empty one."""
    if sweep.found:
        return None
    said = next(((router, word) for router, word in sweep.routers.items() if word in icmp_ask.FINAL), None)
    if said:
        return Failed(Failure.UNREACHABLE, f"nobody in {task.network} answered, and {said[0]} says of the way there: {said[1]}")
    if sweep.stuck and not task.attached:
        return Failed(Failure.UNREACHABLE, f"the next hop on the way to {task.network} does not answer")
    return None


def _frames_allowed() -> bool:
    """Whether arp_sweep can ask the networks that this machine is attached to."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True


def _neighbour_limit() -> int:
    try:
        return int(NEIGHBOURS.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return USUAL_NEIGHBOURS


def missing(settings: Settings) -> str | None:
    """Why there is nothing to ask: no network is named, or arp_sweep asks them all."""
    if not settings.networks:
        return "no IPv4 network is in icmp_sweep.networks or site.networks"
    return None if _to_ask(settings) else "this machine is attached to every network it would ask; arp_sweep asks their hosts"


def _to_ask(settings: Settings) -> float:
    """Addresses that would be asked, counting at most a /20 for each network, as a survey refuses more by default."""
    found = segment.links()
    here = tuple(port.own.network for port in segment.ports(found)) if _frames_allowed() else ()
    networks = [network for network in map(ip_network, settings.networks) if isinstance(network, IPv4Network)]
    return float(sum(min(sum(part.num_addresses for part in without(each, here)), 4096) for each in networks))


INSTRUMENT = Instrument(
    name="icmp_sweep",
    version=1,
    read=read,
    settings=Settings,
    does="Asks every address of the site's networks behind routers, by echo requests at a limited pace, who is there",
    metrics=(METRIC,),
    needs=frozenset({Capability.PING_SOCKET}),
    seconds=lambda settings: _to_ask(settings) * settings.tries / settings.packets_per_second + 2 * len(settings.networks),
    load=lambda settings, _rate: _to_ask(settings) * settings.tries * FRAME,
    fit=fit,
    missing=missing,
)
