"""The segment that this machine is attached to: its interfaces, what of a network is there, and frames from it."""

import ctypes
import fcntl
import socket
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, ip_interface

import msgspec

from netready.failure import Failed, Failure, classify
from probes.wire_ethernet import Row

# linux/if_packet.h, asm-generic/socket.h, linux/sockios.h, linux/if.h; Python's modules name none of them.
_SOL_PACKET, _PACKET_STATISTICS, _SO_ATTACH_FILTER = 263, 6, 26
_SIOCGIFFLAGS, _UP, _RUNNING = 0x8913, 0x1, 0x40


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An interface of this machine: its name, hardware address, and IP addresses with the networks they are in."""

    name: str
    mac: bytes
    addresses: tuple[IPv4Interface | IPv6Interface, ...]


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """One IPv4 address of an interface."""

    name: str
    mac: bytes
    own: IPv4Interface


def links() -> tuple[Link, ...]:
    """Every Ethernet-like interface with an address; loopback and tunnels have no hardware address and are left out."""
    import psutil  # noqa: PLC0415 - the command line's help must not load it

    found: list[Link] = []
    for name, entries in psutil.net_if_addrs().items():
        macs = [bytes.fromhex(entry.address.replace(":", "")) for entry in entries if entry.family == socket.AF_PACKET]
        macs = [mac for mac in macs if len(mac) == 6 and any(mac)]
        addresses = tuple(
            _interface(entry.address, entry.netmask) for entry in entries if entry.family in {socket.AF_INET, socket.AF_INET6}
        )
        if macs and addresses:
            found.append(Link(name=name, mac=macs[0], addresses=addresses))
    return tuple(found)


def ports(found: Iterable[Link]) -> tuple[Port, ...]:
    """The IPv4 addresses of interfaces."""
    return tuple(
        Port(name=link.name, mac=link.mac, own=own)
        for link in found
        for own in link.addresses
        if isinstance(own, IPv4Interface)
    )


def part_on_link(network: IPv4Network, here: Iterable[Port]) -> tuple[IPv4Network, Port] | None:
    """The largest part of `network` that one interface is attached to, with that interface."""
    parts = [
        (network if network.subnet_of(port.own.network) else port.own.network, port)
        for port in here
        if network.overlaps(port.own.network)
    ]
    return min(parts, key=lambda pair: pair[0].prefixlen, default=None)


def nobodys(part: IPv4Network, port: Port) -> tuple[int, ...]:
    """Addresses of `part` that no host can have: the segment's own network and broadcast address (RFC 1122, 3.2.1.3)."""
    segment = port.own.network
    if segment.prefixlen >= 31:  # RFC 3021: a link of two uses both
        return ()
    return tuple(int(each) for each in (segment.network_address, segment.broadcast_address) if each in part)


def askable(part: IPv4Network, port: Port) -> list[int]:
    """Every address of `part` that another host can have."""
    left_out = {int(port.own.ip), *nobodys(part, port)}
    first, last = int(part.network_address), int(part.broadcast_address)
    return [address for address in range(first, last + 1) if address not in left_out]


def packet_socket(name: str, ethertype: int, program: Sequence[Row]) -> socket.socket:
    """A socket that sends frames through interface `name`, and gets those of one type that `program` lets through.

    Raises OSError when there is no such interface or the right is missing. It never waits.
    """
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # no protocol yet: nothing comes in before the filter stands
    try:
        rows = b"".join(struct.pack("HBBI", *row) for row in program)
        held = ctypes.create_string_buffer(rows)
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(held)))
        sock.bind((name, ethertype))
        sock.settimeout(0)
    except OSError:
        sock.close()
        raise
    return sock


def send(sock: socket.socket, name: str, frame: bytes) -> bool:
    """Send a frame through interface `name`, which is checked first; False when the machine's own queue was full."""
    check_running(sock, name)
    try:
        sock.send(frame)
    except OSError as error:
        if isinstance(error, BlockingIOError) or classify(error) is Failure.LOCAL_RESOURCES:
            return False
        raise
    return True


def dropped(sock: socket.socket) -> int:
    """Frames that the kernel threw away since the last call, because the socket's queue was full."""
    lost: int = struct.unpack("II", sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
    return lost


def check_running(sock: socket.socket, name: str) -> None:
    """Raises Failed when the interface is down or its cable is out: the kernel takes frames for it, and loses them."""
    answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sH22x", name.encode(), 0))
    flags = struct.unpack_from("16xH", answer)[0]
    if not flags & _UP:
        raise Failed(Failure.UNREACHABLE, f"interface {name} is down")
    if not flags & _RUNNING:
        raise Failed(Failure.UNREACHABLE, f"interface {name} has lost its link")


def _interface(address: str, netmask: str | None) -> IPv4Interface | IPv6Interface:
    """An address as psutil words it: IPv6 comes with its interface behind "%", and with a mask in place of a length."""
    bare = ip_interface(address.partition("%")[0])
    if netmask is None:
        return bare
    length = int(ip_interface(netmask).ip).bit_count()
    return ip_interface(f"{bare.ip}/{length}")
