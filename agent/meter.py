"""The meter: the line's counters, watched before a test and read again after it. At the router where one is named, else here.

Many routers refresh their counters only every second to every five. A reading is therefore taken at an edge, the moment at
which the counter is seen to change, where it changes at all.
"""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Protocol

import msgspec

from agent.config import Config
from agent.line import Use
from agent.load import TELLING, Sample
from collectors.snmp import device as snmp
from collectors.snmp.counter import Counter, Interface, growth
from collectors.snmp.credentials import Keyring
from netready.authority import Refused
from netready.clock import Clock
from netready.failure import Failed, Failure
from netready.instrument import Context
from probes.throughput import surroundings

POLL = 0.2  # s between two readings; a moment is known this well
SETTLE = 0.2  # s after a test for the packets that are still on their way
LEAST = 2.0  # s: the shortest time over which a use is stated
SLOWEST = 6.5  # s to wait for a counter's refresh after a test; the slowest agents in use refresh every five
STILL = 1.5  # s without change after which a counter that shows the whole test counts as up to date
NEARLY = 0.98  # of this machine's bytes, some of which may have stayed in the building
HERE_SECONDS = 1.0  # s to watch this machine's own counters, which are always fresh
DISCARD = 9  # any port: nothing is sent to it


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found: the use, and the last reading, from which a test's span begins.

    slow  the counters moved only once, by much: nobody can tell since when, so that no span can begin there
    """

    use: Use
    last: Sample
    slow: bool = False


class Line(Protocol):
    """Something whose counters are the line's. `sample` raises Failed or OSError when they cannot be read."""

    source: str

    def sample(self) -> Sample: ...


class Here:
    """This machine's interface towards the test server: it sees what this machine moves, and nobody else."""

    def __init__(self, interface: str, now: Callable[[], float]) -> None:
        self.source = f"this machine's interface {interface}"
        self.interface = interface
        self._now = now

    def sample(self) -> Sample:
        """The interface's counters; its own traffic is all it knows of the line."""
        found = surroundings.read_moment(self._now(), self.interface)
        if found.counters is None:
            raise Failed(Failure.LOCAL_RESOURCES, f"the counters of {self.interface} cannot be read")
        counters = found.counters
        return Sample(
            at=found.at,
            down=counters.received,
            up=counters.sent,
            own_down=counters.received,
            own_down_packets=counters.received_packets,
            own_up=counters.sent,
            own_up_packets=counters.sent_packets,
        )


class Routers:
    """The circuits' counters at their routers, beside this machine's own."""

    def __init__(self, interfaces: tuple[Interface, ...], here: Here) -> None:
        self.source = ", ".join(f"router {each.device} {each.name}" for each in interfaces)
        self._interfaces = interfaces
        self.here = here
        self._last: tuple[Counter, ...] = ()
        self._down = self._up = 0

    def sample(self) -> Sample:
        """Growth since the first sample, summed over the circuits."""
        found = tuple(each.read() for each in self._interfaces)
        # Each growth is against the reading before, so that a 32-bit counter cannot go round unseen.
        for before, after in zip(self._last, found, strict=False):  # there is none before the first
            received, sent = growth(before, after)
            self._down += received
            self._up += sent
        self._last = found
        return msgspec.structs.replace(self.here.sample(), at=max(each.at for each in found), down=self._down, up=self._up)


def watch(line: Line, clock: Clock, longest: float) -> Watched:
    """Look at the line until two refreshes of its counters are seen, for at most `longest` seconds."""
    first = last = line.sample()
    edges: list[Sample] = []
    while last.at - first.at < longest:
        clock.sleep(POLL)
        found = line.sample()
        changed = (found.down, found.up) != (last.down, last.up)
        last = found
        if changed:
            edges.append(found)
            if found.at - edges[0].at >= LEAST:
                break
    begin, end = (edges[0], edges[-1]) if len(edges) > 1 else (first, last)
    seconds = max(end.at - begin.at, POLL)
    use = Use(
        down=8 * (end.down - begin.down) / seconds, up=8 * (end.up - begin.up) / seconds, seconds=seconds, source=line.source
    )
    slow = len(edges) == 1 and max(last.down - first.down, last.up - first.up) > TELLING
    return Watched(use=use, last=end, slow=slow)


def settle(line: Line, clock: Clock, first: Sample, direction: str, before: float) -> Sample:
    """A reading that shows all of a test that has just ended; `before` is what others used, bit/s.

    That is the next edge. On a line where nobody else is there may be none: then it is a counter that stands still and
    shows the test already. Raises Failed when neither comes.
    """
    begun = clock.monotonic()
    clock.sleep(SETTLE)
    base = line.sample()
    while (waited := clock.monotonic() - begun) < SLOWEST:
        clock.sleep(POLL)
        found = line.sample()
        if (found.down, found.up) != (base.down, base.up):
            return found
        total, own = (
            (found.down - first.down, found.own_down - first.own_down)
            if direction == "down"
            else (found.up - first.up, found.own_up - first.own_up)
        )
        if waited >= STILL and total >= NEARLY * own + before / 8 * (found.at - first.at):
            return found
    raise Failed(Failure.INCONCLUSIVE, f"its counters did not move within {SLOWEST:g} s after the test")


def here(host: str, clock: Clock) -> Here | None:
    """The interface that leads to `host`; None for loopback and where there is no way. No packet is sent to the host."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, DISCARD, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as connection:
            connection.connect(address)  # of a datagram socket: it only asks the routing table
            if ip_address(str(connection.getsockname()[0]).partition("%")[0]).is_loopback:
                return None
            interface = surroundings.interface_of(connection)
    except OSError:
        return None
    return Here(interface, clock.monotonic) if interface else None


def routers(config: Config, context: Context, own: Here) -> Routers | str | None:
    """The counters of all circuits; None when no circuit names one, and a sentence when they cannot be used."""
    named = [circuit for circuit in config.site.circuits if circuit.counter]
    if not named:
        return None
    if len(named) < len(config.site.circuits):
        return "not every circuit names a counter, and the test may have taken another circuit"
    if len({circuit.counter.partition(" ")[0] for circuit in named}) > 1:
        return "the circuits end at several routers, whose counters are never refreshed at one moment"
    settings = config.settings(snmp.INSTRUMENT)
    interfaces, keyring = [], Keyring(settings, context.say)
    for circuit in named:
        device, _, name = circuit.counter.partition(" ")
        if device not in settings.devices:
            return f"router {device} is not in snmp.devices"
        try:
            context.authority.allow_host(device)
            credential = keyring.of(device)
        except Refused as error:
            return str(error)
        except Failed as error:
            return error.reason
        interfaces.append(Interface(device, name, credential, settings, clock=context.clock, chance=context.chance))
    return Routers(tuple(interfaces), own)
