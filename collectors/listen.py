"""Listening: what devices on the authorised networks say of themselves without being asked. No packet is sent.

It hears mDNS announcements, SSDP notices and DHCP requests of the segments this machine is in, over IPv4. Switches that
learn multicast groups may keep SSDP away; mDNS and DHCP reach every port.
"""

import ctypes
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated

import msgspec
from msgspec import Meta

from collectors import wire_dhcp, wire_frame, wire_mdns, wire_ssdp
from netready.authority import Authority
from netready.device import Sighting
from netready.failure import Failed, classify
from netready.instrument import Capability, Context, Instrument

MOST_HEARD = 4096  # devices kept of one listening; a /20 full of them
MOST_WORDS = 32  # service types or notices kept of one device
LARGEST = 9216  # bytes of a frame, jumbo included
# linux/if_packet.h and asm-generic/socket.h; Python's socket module names none of them.
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, ALL_MULTICAST = 263, 1, 6, 2
SO_ATTACH_FILTER = 26


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [listen]."""

    seconds: Annotated[float, Meta(ge=0.1, le=120)] = 4.0


class Heard(msgspec.Struct, kw_only=True):
    """What one source has said of one device so far."""

    at: datetime
    name: str = ""
    facts: dict[str, str] = {}
    words: dict[str, None] = {}


Key = tuple[str, str | None, str | None]  # source, MAC, address


def read(settings: Settings, context: Context) -> Iterator[Sighting]:
    """One sighting for each device and source that was heard."""
    heard: dict[Key, Heard] = {}
    with ExitStack() as stack:
        socks = [stack.enter_context(sock) for sock in _sockets(context)]
        context.say(f"listen: {settings.seconds:g} s on {len(socks)} interfaces")
        deadline = context.clock.monotonic() + settings.seconds
        while socks and (left := deadline - context.clock.monotonic()) > 0:
            for sock in select.select(socks, [], [], left)[0]:
                try:
                    frame = sock.recv(LARGEST)
                except OSError as error:
                    if classify(error) is None:
                        raise
                    context.say(f"listen: an interface is gone ({error.strerror})")
                    socks.remove(sock)
                    continue
                hear(frame, heard, context.clock.now(), context.authority)
        dropped = sum(struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1] for sock in socks)
        if dropped:
            context.say(f"listen: the kernel dropped {dropped} packets before they were read")
    yield from emit(heard)


def hear(frame: bytes, heard: dict[Key, Heard], at: datetime, authority: Authority) -> None:
    """Note what `frame` says. Anything that cannot be read, or is not of an authorised network, is nothing to us."""
    try:
        datagram = wire_frame.datagram(frame)
        match datagram.port:
            case wire_frame.DHCP_SERVER:
                _dhcp(datagram, heard, at, authority)
            case wire_frame.MDNS if _ours(datagram.source, authority):
                _mdns(datagram, heard, at, authority)
            case wire_frame.SSDP if _ours(datagram.source, authority):
                _ssdp(datagram, heard, at)
            case _:
                pass
    except Failed:
        return


def emit(heard: dict[Key, Heard]) -> Iterator[Sighting]:
    """The sightings that were noted."""
    lists = {"mdns": "types", "ssdp": "kinds"}
    for (source, mac, address), device in heard.items():
        facts = dict(device.facts)
        if device.words:
            facts[lists[source]] = " ".join(device.words)
        yield Sighting(source=source, at=device.at, mac=mac, address=address, name=device.name or None, facts=facts)


def _ours(address: IPv4Address, authority: Authority) -> bool:
    return any(address in network for network in authority.networks)


def _entry(heard: dict[Key, Heard], key: Key, at: datetime) -> Heard:
    if len(heard) >= MOST_HEARD and key not in heard:
        return Heard(at=at)  # not kept
    return heard.setdefault(key, Heard(at=at))


def _dhcp(datagram: wire_frame.Datagram, heard: dict[Key, Heard], at: datetime, authority: Authority) -> None:
    client = wire_dhcp.client(datagram.payload)
    if client is None:
        return
    address = client.address if client.address and _ours(IPv4Address(client.address), authority) else None
    device = _entry(heard, ("dhcp", client.mac, address), at)
    device.name = client.name or device.name
    facts = {"vendor_class": client.vendor_class, "parameters": ",".join(map(str, client.parameters))}
    device.facts |= {name: text for name, text in facts.items() if text}


def _mdns(datagram: wire_frame.Datagram, heard: dict[Key, Heard], at: datetime, authority: Authority) -> None:
    said = wire_mdns.announcement(datagram.payload)
    if said is None:
        return
    mac: str | None = datagram.mac
    address = str(datagram.source)
    if said.addresses and address not in said.addresses:
        # A reflector passes on another device's words from its own address; only the words are that device's.
        mac = None
        address = next((other for other in said.addresses if _ours(IPv4Address(other), authority)), "")
    if not address:
        return
    device = _entry(heard, ("mdns", mac, address), at)
    device.name = device.name or said.name
    facts = {"model": said.model, "location": said.place}
    device.facts |= {name: text for name, text in facts.items() if text}
    _add(device, said.types)


def _ssdp(datagram: wire_frame.Datagram, heard: dict[Key, Heard], at: datetime) -> None:
    notice = wire_ssdp.notice(datagram.payload)
    if notice is None:
        return
    device = _entry(heard, ("ssdp", datagram.mac, str(datagram.source)), at)
    if notice.server:
        device.facts["server"] = notice.server
    _add(device, (notice.kind.replace(" ", ""),))


def _add(device: Heard, words: tuple[str, ...]) -> None:
    for word in words:
        if word and len(device.words) < MOST_WORDS:
            device.words[word] = None


def _sockets(context: Context) -> Iterator[socket.socket]:
    """A receiving socket for each interface that is attached to an authorised network."""
    import psutil  # noqa: PLC0415 - the command line's help must not load it

    authorised = [network for network in context.authority.networks if isinstance(network, IPv4Network)]
    for name, entries in psutil.net_if_addrs().items():
        own = [IPv4Interface(f"{e.address}/{e.netmask or 32}").network for e in entries if e.family == socket.AF_INET]
        if not any(network.overlaps(allowed) for network in own for allowed in authorised):
            continue
        try:
            yield _socket(name)
        except OSError as error:
            if classify(error) is None:
                raise
            context.say(f"listen: {name} cannot be listened to ({error.strerror})")


def attach_filter(sock: socket.socket) -> None:
    """Have the kernel throw away what `wire_frame.kernel_filter` does not let through."""
    program = b"".join(struct.pack("HBBI", *row) for row in wire_frame.kernel_filter())
    held = ctypes.create_string_buffer(program)
    rows = len(program) // struct.calcsize("HBBI")
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", rows, ctypes.addressof(held)))


def _socket(name: str) -> socket.socket:
    membership = struct.pack("iHH8x", socket.if_nametoindex(name), ALL_MULTICAST, 0)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        attach_filter(sock)
        # Take in every multicast group without joining one: joining would send a packet.
        sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
        sock.bind((name, wire_frame.ETHERTYPE_IPV4))
        sock.settimeout(0)
    except OSError:
        sock.close()
        raise
    return sock


INSTRUMENT = Instrument(
    name="listen",
    version=1,
    read=read,
    settings=Settings,
    does="Listens for what devices announce of themselves (mDNS, SSDP, DHCP); sends nothing",
    metrics=(),
    needs=frozenset({Capability.RAW_SOCKET}),
    seconds=lambda settings: settings.seconds,
)
