"""Addresses asked by ICMP echo: what goes out through one socket, what comes back, and what routers say of it."""

import contextlib
import socket
import struct
from collections.abc import Sequence

import msgspec

from netready.clock import Clock
from netready.failure import Failed, Failure, classify
from netready.instrument import Context
from probes import tries, wire_icmp
from probes.sweep import SweepSettings, asking, listen
from probes.tries import LATE, Account, Pace

MOST_ROUTERS = 64  # that are remembered of those which sent an ICMP error
# What a router says of a way, not of a host: asking again would bring the same answer.
FINAL = frozenset({"prohibited", "network-unreachable", "time-exceeded"})
# Seconds until a kernel gives up on a next hop that does not answer and says so: three questions, one a second (arp(7)).
GIVEN_UP = 3.5
# An ICMP error about an earlier question is raised by a later sending too, but once; trouble of our own stays.
SENDINGS = 3
_IP_RECVERR, _IP_RECVTTL, _IP_TTL = 11, 12, 2  # linux/in.h


class Sweep(msgspec.Struct, kw_only=True):
    """What a sweep has asked and found so far.

    own       addresses of this machine
    found     TTL of the reply by address; None for a host that only refused to reply
    barred    addresses that a router will not pass anything on to
    routers   what each said first
    errors    ICMP errors of others about our questions, by word
    stuck     ICMP errors of this machine's own kernel: the next hop did not answer
    strange   replies from another address than was asked
    """

    own: frozenset[str]
    asked: set[int] = set()
    found: dict[int, int | None] = {}
    barred: set[int] = set()
    routers: dict[str, str] = {}
    errors: dict[str, int] = {}
    stuck: int = 0
    strange: int = 0
    account: Account
    packets_sent: int = 0
    packets_received: int = 0
    seconds: float = 0.0
    fault: Failed | None = None


def ask(addresses: Sequence[int], own: frozenset[str], settings: SweepSettings, context: Context) -> Sweep:
    """Ask every address, then the silent ones again. A fault on the way is kept beside what was found.

    Raises OSError and Failed when this machine may not send ICMP echo at all.
    """
    clock = context.clock
    shuffled = list(addresses)
    context.chance.shuffle(shuffled)
    token = context.chance.getrandbits(8 * wire_icmp.TOKEN).to_bytes(wire_icmp.TOKEN, "big")
    sweep = Sweep(own=own, account=Account())
    sock, identifier = _socket(context.chance.getrandbits(16))
    with sock:
        wire = _Asking(sock, identifier, token, sweep, clock)
        with asking(sweep, clock) as begun:
            pace = Pace(settings.packets_per_second, clock)
            tries.ask(shuffled, wire, pace, tries=settings.tries, wait=settings.wait, account=sweep.account)
            if not (sweep.found or sweep.barred or sweep.stuck):
                wire.listen(begun + GIVEN_UP)
    return sweep


def take(sweep: Sweep, packet: bytes, token: bytes, source: str, ttl: int | None) -> None:
    """Note a reply. It counts for the address that was asked and answered itself, by sequence number and by sender."""
    sequence = wire_icmp.answered(packet, 4, token)
    if sequence is None:
        return
    sweep.packets_received += 1
    address = int.from_bytes(socket.inet_aton(source), "big")
    if address not in sweep.asked or address & 0xFFFF != sequence:
        sweep.strange += 1
    elif sweep.found.get(address) is None:
        sweep.found[address] = ttl


def complain(sweep: Sweep, quoted: bytes, identifier: int, about: str, extended: bytes) -> None:
    """Note an ICMP error about a question of ours, `quoted` as far as the router returned it."""
    trouble, question = wire_icmp.trouble(extended), wire_icmp.asked(quoted)
    address = int.from_bytes(socket.inet_aton(about), "big")
    if trouble is None or question != (identifier, address & 0xFFFF) or address not in sweep.asked:
        return
    sweep.packets_received += 1
    if trouble.teller in sweep.own:
        sweep.stuck += 1
    elif trouble.teller == about:  # a firewall of the host itself: it is there
        sweep.found.setdefault(address, None)
    else:
        sweep.errors[trouble.word] = sweep.errors.get(trouble.word, 0) + 1
        if len(sweep.routers) < MOST_ROUTERS:
            sweep.routers.setdefault(trouble.teller, trouble.word)
        if trouble.word in FINAL:
            sweep.barred.add(address)


def _socket(identifier: int) -> tuple[socket.socket, int]:
    """A socket for ICMP echo, and the identifier of its questions: the kernel's choice where it is not a raw one (icmp(7))."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        with contextlib.suppress(PermissionError):
            sock = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
            sock.settimeout(0)
            sock.bind(("0.0.0.0", 0))
            return sock, identifier if kind == socket.SOCK_RAW else sock.getsockname()[1]
    raise Failed(Failure.NOT_PERMITTED, "this user may not send ICMP echo (net.ipv4.ping_group_range or CAP_NET_RAW)")


class _Asking:
    """An ICMP socket as `tries.ask` wants it."""

    def __init__(self, sock: socket.socket, identifier: int, token: bytes, sweep: Sweep, clock: Clock) -> None:
        self._sock = sock
        self._identifier = identifier
        self._token = token
        self._sweep = sweep
        self._clock = clock

    @property
    def answers(self) -> int:
        return len(self._sweep.found)

    def answered(self, address: int) -> bool:
        return address in self._sweep.found or address in self._sweep.barred

    def ask(self, address: int) -> bool:
        packet = wire_icmp.request(4, self._identifier, address & 0xFFFF, self._token)
        self._sweep.asked.add(address)
        for left in reversed(range(SENDINGS)):
            try:
                self._sock.sendto(packet, (socket.inet_ntoa(address.to_bytes(4, "big")), 0))
            except OSError as error:
                failure = classify(error)
                if isinstance(error, BlockingIOError) or failure is Failure.LOCAL_RESOURCES or (not left and failure is None):
                    return False
                if not left:
                    raise
                self._hear_errors()
            else:
                break
        self._sweep.packets_sent += 1
        return True

    def listen(self, until: float) -> None:
        listen(self._sock, self._clock, until, self._hear)

    def _hear(self) -> None:
        self._hear_errors()
        try:
            packet, ancillary, _, sender = self._sock.recvmsg(2048, 128)
        except OSError:  # nothing there, or an ICMP error, which the error queue tells better
            return
        ttls = [struct.unpack("=i", data)[0] for _, kind, data in ancillary if kind == _IP_TTL and len(data) == 4]
        take(self._sweep, packet, self._token, sender[0], ttls[0] if ttls else None)

    def _hear_errors(self) -> None:
        for _ in range(LATE):
            try:
                quoted, ancillary, _, about = self._sock.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
            except OSError:  # empty
                return
            for _level, kind, data in ancillary:
                if kind == _IP_RECVERR:
                    complain(self._sweep, quoted, self._identifier, about[0], data)
