"""ARP sweep: which addresses of the site's own networks answer, and with which hardware address.

It sends and receives link-layer frames itself. The kernel's own neighbour table holds 1,024 entries by default, so a sweep
through it (ping) silently loses hosts of any network larger than that.
"""

import select
import socket
from collections.abc import Iterator
from datetime import datetime
from ipaddress import IPv4Interface, IPv4Network, IPv6Network, ip_network
from typing import Annotated, NoReturn

import msgspec
from msgspec import Meta

from netready.clock import Clock
from netready.device import Sighting
from netready.failure import Failed, Failure, classify
from netready.instrument import Capability, Context, Instrument, Reading
from netready.measurement import Detail, Measurement
from netready.site import Site
from netready.text import clean
from probes import wire_arp

METHOD = "arp_sweep/1"
METRIC = "arp_hosts"
# Phones that sleep between beacons answer after up to about 350 ms, and are not asked again before that.
PATIENCE = 0.4
MOST_MACS = 4  # hardware addresses kept for one address: two are a conflict, more are an attack


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [arp_sweep]. Without networks it sweeps the site's authorised IPv4 networks."""

    networks: Annotated[tuple[str, ...], Meta(max_length=64)] = ()
    packets_per_second: Annotated[int, Meta(ge=1, le=2000)] = 500
    tries: Annotated[int, Meta(ge=1, le=5)] = 3
    wait: Annotated[float, Meta(ge=0.1, le=10)] = 1.0  # seconds after the last question

    def __post_init__(self) -> None:
        for text in self.networks:
            ip_network(text)


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """An interface of this machine: its name, hardware address and IPv4 address with the network it is in."""

    name: str
    mac: bytes
    own: IPv4Interface


class Sweep(msgspec.Struct, kw_only=True):
    """What a sweep has found so far: hardware addresses by address, in the order they answered."""

    part: IPv4Network
    port: Port
    tries: int
    found: dict[int, list[bytes]]
    packets_sent: int = 0
    packets_received: int = 0
    seconds: float = 0.0


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """Sightings and one measurement per network. Addresses that answer are counted, not hardware addresses.

    Raises Refused before the first frame when one of the networks is not authorised.
    """
    ports = ports_of_this_machine()
    parts = [(text, _on_link(text, ports, context)) for text in settings.networks]
    for text, attached in parts:
        at, target = context.clock.now(), clean(text)
        try:
            part, port = attached or _why_not(text)
            context.say(f"arp_sweep: {part} through {port.name}, {settings.packets_per_second} questions a second at most")
            sweep = _sweep(part, port, settings, context)
        except (OSError, Failed) as error:
            failure = classify(error)
            if failure is None:
                raise
            yield Measurement.failed(METRIC, target, at, failure, METHOD, reason=clean(str(error), limit=300))
        else:
            yield from emit(target, at, sweep)


def emit(target: str, at: datetime, sweep: Sweep) -> Iterator[Reading]:
    """This machine, every hardware address that answered, and the count."""
    port = sweep.port
    yield Sighting(
        source="arp",
        at=at,
        mac=wire_arp.mac_text(port.mac),
        address=str(port.own.ip),
        facts={"self": "yes", "interface": clean(port.name)},
    )
    duplicates = 0
    for address, macs in sorted(sweep.found.items()):
        duplicates += len(macs) > 1
        facts = {"duplicate": "yes"} if len(macs) > 1 else {}
        for mac in macs:
            yield Sighting(source="arp", at=at, mac=wire_arp.mac_text(mac), address=wire_arp.address_text(address), facts=facts)
    details: dict[str, Detail] = {
        "swept": str(sweep.part),
        "addresses": sweep.part.num_addresses,
        "interface": clean(port.name),
        "packets_sent": sweep.packets_sent,
        "bytes_sent": sweep.packets_sent * wire_arp.FRAME,
        "bytes_received": sweep.packets_received * wire_arp.FRAME,
        "layer": "ethernet",
        "seconds": round(sweep.seconds, 3),
        "tries": sweep.tries,
        "duplicates": duplicates,
        # Fewer hardware addresses than addresses: something answers on behalf of others (a controller, a router).
        "macs": len({mac for macs in sweep.found.values() for mac in macs}),
    }
    yield Measurement.of(METRIC, target, at, float(len(sweep.found)), METHOD, **details)


def ports_of_this_machine() -> tuple[Port, ...]:
    """Every Ethernet-like interface with an IPv4 address; loopback and tunnels have no hardware address and are left out."""
    import psutil  # noqa: PLC0415 - the command line's help must not load it

    ports: list[Port] = []
    for name, entries in psutil.net_if_addrs().items():
        macs = [bytes.fromhex(entry.address.replace(":", "")) for entry in entries if entry.family == socket.AF_PACKET]
        macs = [mac for mac in macs if len(mac) == 6 and any(mac)]
        ports.extend(
            Port(name=name, mac=macs[0], own=IPv4Interface(f"{entry.address}/{entry.netmask or 32}"))
            for entry in entries
            if macs and entry.family == socket.AF_INET
        )
    return tuple(ports)


def part_on_link(network: IPv4Network, ports: tuple[Port, ...]) -> tuple[IPv4Network, Port] | None:
    """The largest part of `network` that one interface is attached to, with that interface."""
    parts = [
        (network if network.subnet_of(port.own.network) else port.own.network, port)
        for port in ports
        if network.overlaps(port.own.network)
    ]
    return min(parts, key=lambda pair: pair[0].prefixlen, default=None)


def _on_link(text: str, ports: tuple[Port, ...], context: Context) -> tuple[IPv4Network, Port] | None:
    """What of a network can be swept from here, if anything. Raises Refused when nobody authorised it.

    A site's /16 may be larger than one sweep may be, while the segment that this machine is in is a /22 of it.
    """
    network = ip_network(text)
    attached = part_on_link(network, ports) if isinstance(network, IPv4Network) else None
    if attached:
        context.authority.allow_scan(str(attached[0]))
    else:  # nothing will be sent, so its size does not matter, but a stranger's network is still refused
        context.authority.allow_host(str(network[0]))
        context.authority.allow_host(str(network[-1]))
    return attached


def _why_not(text: str) -> NoReturn:
    if isinstance(ip_network(text), IPv6Network):
        raise Failed(Failure.NOT_SUPPORTED, f"{text} is IPv6, which has no ARP; its hosts are listed by routers over SNMP")
    raise Failed(Failure.UNREACHABLE, f"no interface of this machine is attached to {text}; ARP does not cross routers")


def _sweep(part: IPv4Network, port: Port, settings: Settings, context: Context) -> Sweep:
    """Ask for every address, then only for those that are still silent, never faster than the settings say."""
    clock = context.clock
    begun = clock.monotonic()
    sweep = Sweep(part=part, port=port, tries=settings.tries, found={})
    own = int(port.own.ip)
    silent = [int(host) for host in part.hosts() if int(host) != own]
    context.chance.shuffle(silent)  # neighbours of neighbours are often in one cupboard; spread the load
    gap = 1 / settings.packets_per_second
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((port.name, wire_arp.ETHERTYPE))  # from here on the kernel hands over ARP and nothing else
        sock.settimeout(0)
        due = clock.monotonic()
        for number in range(settings.tries):
            for address in silent:
                if address in sweep.found:
                    continue
                _listen(sock, sweep, due, clock)
                # After a pause of the machine the pace goes on; what was missed is not made up for in a burst.
                due = max(due + gap, clock.monotonic())
                sweep.packets_sent += _send(sock, wire_arp.request(port.mac, own, address))
            silent = [address for address in silent if address not in sweep.found]
            if not silent:
                break
            pause = settings.wait if number == settings.tries - 1 else PATIENCE
            _listen(sock, sweep, clock.monotonic() + pause, clock)
    sweep.seconds = clock.monotonic() - begun
    return sweep


def _send(sock: socket.socket, frame: bytes) -> int:
    """One frame sent, or none when the queue is full: the next try asks again."""
    try:
        sock.send(frame)
    except BlockingIOError:
        return 0
    except OSError as error:
        if classify(error) is Failure.LOCAL_RESOURCES:
            return 0
        raise
    return 1


def _listen(sock: socket.socket, sweep: Sweep, until: float, clock: Clock) -> None:
    """Take in what has come, and what comes until `until`, so that a sweep that runs late still empties its queue."""
    while True:
        left = until - clock.monotonic()
        if not select.select([sock], [], [], max(left, 0))[0]:
            return
        try:
            take(sweep, sock.recv(256))
        except BlockingIOError:
            continue
        if left < -PATIENCE:  # a flood of ARP must not hold the sweep up for ever
            return


def take(sweep: Sweep, frame: bytes) -> None:
    """Note a reply to us. Addresses outside the network and a flood of claims to one address are dropped."""
    reply = wire_arp.reply(frame)
    own = int(sweep.port.own.ip)
    if reply is None or reply.to != own or reply.address == own:
        return
    if not int(sweep.part.network_address) <= reply.address <= int(sweep.part.broadcast_address):
        return
    sweep.packets_received += 1
    macs = sweep.found.setdefault(reply.address, [])
    if reply.mac not in macs and len(macs) < MOST_MACS:
        macs.append(reply.mac)


def fit(settings: Settings, site: Site) -> Settings:
    """Without networks of its own, the site's IPv4 networks."""
    if settings.networks:
        return settings
    return msgspec.structs.replace(settings, networks=tuple(str(n) for n in site.authorised if isinstance(n, IPv4Network)))


def _worst(settings: Settings) -> float:
    """Questions asked when nobody answers, counting at most a /20 for each network, as a survey refuses more by default."""
    return float(sum(min(ip_network(text).num_addresses, 4096) for text in settings.networks) * settings.tries)


INSTRUMENT = Instrument(
    name="arp_sweep",
    version=1,
    read=read,
    settings=Settings,
    does="Asks every address of the site's own networks, by ARP and at a limited pace, who is there",
    metrics=(METRIC,),
    needs=frozenset({Capability.RAW_SOCKET}),
    seconds=lambda settings: _worst(settings) / settings.packets_per_second + 2 * len(settings.networks),
    load=lambda settings, _rate: _worst(settings) * wire_arp.FRAME,
    fit=fit,
    missing=lambda settings: None if settings.networks else "no IPv4 network is in arp_sweep.networks or site.networks",
)
