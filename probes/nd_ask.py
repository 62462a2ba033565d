"""One segment asked by IPv6: everybody at once by multicast, then those whom only the kernel knows, each alone."""

import contextlib
import socket
from ipaddress import IPv6Address, IPv6Interface, IPv6Network

import msgspec

from netready.clock import Clock
from netready.failure import Failed, Failure
from netready.instrument import Context
from probes import segment, tries, wire_icmp, wire_nd, wire_netlink
from probes.segment import Link
from probes.sweep import SweepSettings, asking, listen
from probes.tries import PATIENCE, Account, Pace

MOST_ADDRESSES = 16384  # kept of one segment; a host has a few each
MOST_MACS = 4  # kept for one address
MOST_SOURCES = 4  # of our own addresses that everybody is asked from: hosts answer from an address in the same network
LARGEST = 1514  # bytes of a frame
QUEUE = 8 << 20  # bytes; everybody answers at once
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h


class Sweep(msgspec.Struct, kw_only=True):
    """What a sweep has asked and found so far.

    own       addresses of this machine on the segment; the first is link-local
    here      networks of the segment: an address outside them is not for us
    found     hardware addresses by address
    routers   hardware addresses of those that route for others
    known     whom the kernel knows of, by address, and who has not answered yet
    """

    link: Link
    own: tuple[IPv6Address, ...]
    here: tuple[IPv6Network, ...]
    token: bytes
    found: dict[IPv6Address, list[bytes]] = {}
    routers: set[bytes] = set()
    known: dict[IPv6Address, bytes] = {}
    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bytes_received: int = 0
    dropped: int = 0
    seconds: float = 0.0
    fault: Failed | None = None


def ask(link: Link, settings: SweepSettings, context: Context) -> Sweep:
    """Ask everybody `settings.tries` times, `settings.wait` seconds apart, then the kernel's other neighbours.

    Raises OSError and Failed only when nothing could be sent; a fault on the way is kept beside what was found.
    """
    clock = context.clock
    token = context.chance.getrandbits(8 * wire_icmp.TOKEN).to_bytes(wire_icmp.TOKEN, "big")
    identifier = context.chance.getrandbits(16)
    own = sources(link)
    if not own:
        raise Failed(Failure.NOT_SUPPORTED, f"interface {link.name} has no link-local IPv6 address")
    sweep = Sweep(link=link, own=own, here=networks(link), token=token)
    with segment.packet_socket(link.name, wire_nd.ETHERTYPE, wire_nd.kernel_filter()) as sock:
        segment.check_running(sock, link.name)
        wire = _Asking(sock, sweep, clock)
        wire.make_room()
        with asking(sweep, clock):
            wire.send(wire_nd.ask_routers(link.mac, own[0]))
            for sequence in range(settings.tries):
                for source in own[:MOST_SOURCES]:
                    wire.send(wire_nd.echo_everybody(link.mac, source, identifier, sequence, token))
                wire.listen(clock.monotonic() + settings.wait)
            sweep.known = _known(link, sweep)
            strangers = [int(each) for each in sweep.known]
            pace = Pace(settings.packets_per_second, clock)
            tries.ask(strangers, wire, pace, tries=2, wait=PATIENCE, account=Account())
            segment.check_running(sock, link.name)
        sweep.dropped = segment.dropped(sock)
    return sweep


def sources(link: Link) -> tuple[IPv6Address, ...]:
    """Our own addresses on the segment, the link-local one first, one for each other network; nothing without the first."""
    six = [each for each in link.addresses if isinstance(each, IPv6Interface)]
    local = [each.ip for each in six if each.is_link_local][:1]
    others = {each.network: each.ip for each in six if not each.is_link_local}
    return (*local, *others.values()) if local else ()


def networks(link: Link) -> tuple[IPv6Network, ...]:
    """The IPv6 networks of the segment. DHCPv6 gives an address without one (RFC 8415); a segment's is 64 bits long."""
    own = [each for each in link.addresses if isinstance(each, IPv6Interface)]
    return tuple({each.network.supernet(new_prefix=64) if each.network.prefixlen == 128 else each.network for each in own})


def take(sweep: Sweep, frame: bytes) -> None:
    """Note who answers, who asks for us in order to answer, and who routes."""
    heard = wire_nd.heard(frame)
    if heard is None:
        return
    address = heard.source
    match heard.kind:
        case wire_nd.ECHO_REPLY:
            ours = heard.to in sweep.own and wire_icmp.answered(heard.echo, 6, sweep.token) is not None
        case wire_nd.NEIGHBOUR_ASKED:
            # The kernel answers it as long as its table has room; the host is there even when its echo reply then never comes.
            ours = heard.about in sweep.own
        case wire_nd.NEIGHBOUR_TOLD:
            ours, address = heard.about in sweep.known, heard.about
        case _:
            ours = heard.router
    if not ours or address in sweep.own or not any(address in network for network in sweep.here):
        return
    sweep.packets_received += 1
    sweep.bytes_received += len(frame)
    if address not in sweep.found and len(sweep.found) >= MOST_ADDRESSES:
        return
    macs = sweep.found.setdefault(address, [])
    if heard.mac not in macs and len(macs) < MOST_MACS:
        macs.append(heard.mac)
    if heard.router and heard.mac in macs:
        sweep.routers.add(heard.mac)


def _known(link: Link, sweep: Sweep) -> dict[IPv6Address, bytes]:
    """The kernel's neighbours on the segment that have not been heard; it may have learnt of them long ago."""
    index, sequence = socket.if_nametoindex(link.name), 1
    known: dict[IPv6Address, bytes] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(1)
        sock.send(wire_netlink.request(sequence))
        last = False
        while not last:
            found, last = wire_netlink.neighbours(sock.recv(1 << 18), sequence)
            for each in found:
                here = each.interface == index and any(each.address in network for network in sweep.here)
                if here and each.address not in sweep.found and len(known) < MOST_ADDRESSES:
                    known[each.address] = each.mac
    return known


class _Asking:
    """A packet socket, also as `tries.ask` wants it."""

    def __init__(self, sock: socket.socket, sweep: Sweep, clock: Clock) -> None:
        self._sock = sock
        self._sweep = sweep
        self._clock = clock

    @property
    def answers(self) -> int:
        return len(self._sweep.found)

    def answered(self, address: int) -> bool:
        return IPv6Address(address) in self._sweep.found

    def ask(self, address: int) -> bool:
        sweep, wanted = self._sweep, IPv6Address(address)
        return self.send(wire_nd.ask_neighbour(sweep.link.mac, sweep.own[0], sweep.known[wanted], wanted))

    def send(self, frame: bytes) -> bool:
        if not segment.send(self._sock, self._sweep.link.name, frame):
            return False
        self._sweep.packets_sent += 1
        self._sweep.bytes_sent += len(frame)
        return True

    def make_room(self) -> None:
        """A longer queue, as far as the system allows."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE)
        with contextlib.suppress(PermissionError):
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, QUEUE)

    def listen(self, until: float) -> None:
        listen(self._sock, self._clock, until, self._hear)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            take(self._sweep, self._sock.recv(LARGEST))
