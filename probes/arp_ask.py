"""One segment asked by ARP: what goes out through its packet socket, what comes back, and who answers for others."""

import contextlib
import socket
from collections import Counter
from collections.abc import Mapping
from ipaddress import IPv4Network

import msgspec

from netready.clock import Clock
from netready.failure import Failed
from netready.instrument import Context
from probes import segment, tries, wire_arp
from probes.segment import Port
from probes.sweep import SweepSettings, asking, listen
from probes.tries import PATIENCE, Account, Pace

MOST_MACS = 4  # hardware addresses kept for one address: two are a conflict, more are an attack
# A machine with several addresses in a network is ordinary (aliases, virtual hosts); one that answers for more than this is a
# router, a wireless bridge or a controller that answers for others.
MOST_ADDRESSES = 16
KNOWN_TRIES = 2  # questions to a known host alone before everybody is asked about its address
_BY_NOBODY, _BY_ITSELF, _BY_EVERYBODY = 0, 1, 2  # who has been asked about an address


class Sweep(msgspec.Struct, kw_only=True):
    """What a sweep has asked and found so far.

    nobodys   addresses that no host can have
    found     hardware addresses by address, in the order they answered
    liars     hardware addresses that answered for one of `nobodys`
    asked     for each address of the part, who was asked about it
    account   of the questions to everybody
    fault     why it ended before its time
    """

    part: IPv4Network
    port: Port
    known: Mapping[int, bytes] = {}
    nobodys: tuple[int, ...] = ()
    found: dict[int, list[bytes]] = {}
    liars: set[bytes] = set()
    asked: bytearray = bytearray()
    account: Account
    unicast_sent: int = 0
    packets_sent: int = 0
    packets_received: int = 0
    dropped: int = 0
    seconds: float = 0.0
    fault: Failed | None = None

    def __post_init__(self) -> None:
        self.nobodys = segment.nobodys(self.part, self.port)
        self.asked = bytearray(self.part.num_addresses)

    def note(self, address: int, whom: int) -> None:
        """An address is being asked about."""
        self.asked[address - int(self.part.network_address)] = whom

    def confirmed(self, address: int) -> bool:
        """Whether a host was found where it was known to be, without asking anybody else."""
        alone = self.asked[address - int(self.part.network_address)] == _BY_ITSELF
        return alone and self.found.get(address) == [self.known.get(address)]

    def proxies(self) -> frozenset[bytes]:
        """Hardware addresses that answer for others: for an address nobody can have, or for more than one machine has.

        Their answers prove that somebody forwards for an address, not that a host is there.
        """
        claims = Counter(mac for macs in self.found.values() for mac in macs)
        return frozenset(self.liars | {mac for mac, count in claims.items() if count > MOST_ADDRESSES})


def ask(part: IPv4Network, port: Port, known: Mapping[int, bytes], settings: SweepSettings, context: Context) -> Sweep:
    """Ask the known hosts themselves, then everybody about every other address.

    Raises OSError and Failed only when nothing could be sent; a fault on the way is kept beside what was found.
    """
    clock = context.clock
    addresses = segment.askable(part, port)
    context.chance.shuffle(addresses)  # neighbours of neighbours are often in one cupboard; spread the load
    sweep = Sweep(part=part, port=port, account=Account(), known={each: known[each] for each in addresses if each in known})
    with segment.packet_socket(port.name, wire_arp.ETHERTYPE, wire_arp.kernel_filter(int(port.own.ip))) as sock:
        segment.check_running(sock, port.name)
        pace = Pace(settings.packets_per_second, clock)
        with asking(sweep, clock):
            itself = _Asking(sock, sweep, clock, _BY_ITSELF)
            tries.ask(list(sweep.known), itself, pace, tries=KNOWN_TRIES, wait=PATIENCE, account=Account())
            everybody = _Asking(sock, sweep, clock, _BY_EVERYBODY)
            for address in sweep.nobodys:
                everybody.listen(pace.due)
                pace.went()
                everybody.ask(address)
            silent = [each for each in addresses if each not in sweep.found]
            tries.ask(silent, everybody, pace, tries=settings.tries, wait=settings.wait, account=sweep.account)
            segment.check_running(sock, port.name)
        sweep.dropped = segment.dropped(sock)
    return sweep


def take(sweep: Sweep, frame: bytes) -> None:
    """Note a reply to a question of ours. Claims that nobody asked for, and most of a flood of them, are dropped."""
    reply = wire_arp.reply(frame)
    if reply is None or reply.to != int(sweep.port.own.ip):
        return
    place = reply.address - int(sweep.part.network_address)
    if not 0 <= place < len(sweep.asked) or sweep.asked[place] == _BY_NOBODY:
        return
    sweep.packets_received += 1
    if reply.address in sweep.nobodys:
        if len(sweep.liars) < MOST_MACS:
            sweep.liars.add(reply.mac)
        return
    macs = sweep.found.setdefault(reply.address, [])
    if reply.mac not in macs and len(macs) < MOST_MACS:
        macs.append(reply.mac)


class _Asking:
    """A packet socket as `tries.ask` wants it."""

    def __init__(self, sock: socket.socket, sweep: Sweep, clock: Clock, whom: int) -> None:
        self._sock = sock
        self._sweep = sweep
        self._clock = clock
        self._whom = whom

    @property
    def answers(self) -> int:
        return len(self._sweep.found)

    def answered(self, address: int) -> bool:
        return address in self._sweep.found

    def ask(self, address: int) -> bool:
        sweep, port = self._sweep, self._sweep.port
        alone = self._whom == _BY_ITSELF
        host = sweep.known[address] if alone else wire_arp.EVERYBODY
        if not segment.send(self._sock, port.name, wire_arp.request(port.mac, int(port.own.ip), address, host)):
            return False
        sweep.note(address, self._whom)
        sweep.packets_sent += 1
        sweep.unicast_sent += alone
        return True

    def listen(self, until: float) -> None:
        listen(self._sock, self._clock, until, self._hear)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            take(self._sweep, self._sock.recv(wire_arp.FRAME))
