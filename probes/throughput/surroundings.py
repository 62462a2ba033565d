"""What else went on while a test ran: the interface it used, other traffic there, and how busy this machine was."""

import os
import socket
from ipaddress import ip_address
from pathlib import Path

import msgspec

from probes.throughput.nic import Card, Kind, card, limits, route_interface

__all__ = [
    "ETHERNET_HEADER",
    "Card",
    "Counters",
    "Kind",
    "Moment",
    "Own",
    "card",
    "cpu_share",
    "interface_of",
    "interface_rate",
    "limits",
    "load_beside",
    "other_traffic",
    "parse_counters",
    "parse_cpu",
    "read_moment",
    "route_interface",
]

ETHERNET_HEADER = 14  # bytes that interface counters include beside the IP packet; no preamble, no checksum


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """An interface's counters: bytes with link-layer headers, and packets as the driver saw them."""

    received: int
    received_packets: int
    sent: int
    sent_packets: int


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Readings at one moment. CPU times are seconds; `host_*` are None where the system does not tell."""

    at: float
    counters: Counters | None
    process: float
    host_busy: float | None
    host_total: float | None


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What the test itself moved, from its TCP connection's counters; one direction. `header` is link, IP and TCP."""

    payload: int
    segments: int
    header: int


def parse_counters(text: str, interface: str) -> Counters | None:
    """The row of `interface` in /proc/net/dev, or None when it has none."""
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        numbers = rest.split()
        if colon and name.strip() == interface and len(numbers) >= 16 and all(number.isdigit() for number in numbers):
            counts = [int(number) for number in numbers]
            return Counters(received=counts[0], received_packets=counts[1], sent=counts[8], sent_packets=counts[9])
    return None


def parse_cpu(text: str) -> tuple[float, float] | None:
    """Busy and total CPU seconds of the whole machine from /proc/stat, or None when it is not one."""
    numbers = text.partition("\n")[0].split()
    if len(numbers) < 9 or numbers[0] != "cpu" or not all(number.isdigit() for number in numbers[1:]):
        return None
    ticks = [int(number) for number in numbers[1:9]]  # guest time is already part of user time
    unit = os.sysconf("SC_CLK_TCK")
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / unit, sum(ticks) / unit


def read_moment(at: float, interface: str | None) -> Moment:
    """Counters and CPU times now.

    /proc/net/dev belongs to the network namespace of the process that reads it; the files under /sys/class/net belong
    to the namespace in which /sys was mounted, which in a container may be another one.
    """
    cpu = parse_cpu(_text("/proc/stat"))
    times = os.times()
    return Moment(
        at=at,
        counters=parse_counters(_text("/proc/self/net/dev"), interface) if interface else None,
        process=times.user + times.system,
        host_busy=cpu[0] if cpu else None,
        host_total=cpu[1] if cpu else None,
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def interface_of(connection: socket.socket) -> str | None:
    """The interface that holds the connection's own address, or None when none does."""
    import psutil  # noqa: PLC0415 - only a test that runs needs it

    own = ip_address(str(connection.getsockname()[0]).partition("%")[0])
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if address.family in {socket.AF_INET, socket.AF_INET6} and ip_address(address.address.partition("%")[0]) == own:
                return str(name)
    return None


def interface_rate(interface: str) -> float | None:
    """A wired interface's nominal rate in bit/s, or None when it has none that limits (loopback, wireless, virtual)."""
    return card(interface).line_speed


def other_traffic(total: int, packets: int, own: Own, seconds: float) -> float:
    """Traffic that was not the test's, in bit/s and never negative, from an interface's growth in bytes and packets.

    Each of our segments has a header on the wire. A driver that hands over many segments as one packet counts one header
    for all of them, hence the smaller of the two counts.
    """
    mine = own.payload + own.header * min(own.segments, packets)
    return max(0.0, 8 * (total - mine) / seconds)


def load_beside(before: Moment, after: Moment, *, came: Own, left: Own, down: bool) -> dict[str, float]:
    """What else moved between two moments, bit/s: the test's way and the other; empty where a counter is missing.

    `came` and `left` are what the test itself received and sent.
    """
    if before.counters is None or after.counters is None or after.at <= before.at:
        return {}
    old, new, seconds = before.counters, after.counters, after.at - before.at
    towards = other_traffic(new.received - old.received, new.received_packets - old.received_packets, came, seconds)
    away = other_traffic(new.sent - old.sent, new.sent_packets - old.sent_packets, left, seconds)
    return {"load_during": towards if down else away, "load_other_way": away if down else towards}


def cpu_share(before: Moment, after: Moment) -> tuple[float, float | None]:
    """How much of one processor this process used, and how much of all processors was used by anybody; ratios."""
    process = (after.process - before.process) / max(1e-6, after.at - before.at)
    if before.host_total is None or after.host_total is None or before.host_busy is None or after.host_busy is None:
        return process, None
    total = after.host_total - before.host_total
    return process, (after.host_busy - before.host_busy) / total if total > 0 else None
