"""Latency: round-trip times to named hosts while the line is otherwise left alone.

A bare host is asked by ICMP echo. A target with a port is asked by opening a TCP connection to it, because some networks
drop ICMP; the two are never mixed for one target, so its numbers stay comparable from day to day.
"""

import errno
import math
import select
import socket
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.text import clean
from probes import wire_icmp
from probes.where import Place, addresses, host_port

METHOD = "latency/1"
METRICS = ("latency_rtt", "latency_rtt_p95", "latency_jitter", "packet_loss")
DATAGRAM = 20 + wire_icmp.HEADER.size + wire_icmp.TOKEN  # bytes of one echo in an IPv4 packet
HANDSHAKE = 3 * 40  # bytes of SYN, ACK and FIN, without options: the least a connection sends

# What a failed send or connect says about the path to the host: the probe counts as lost. Any other word is our own trouble.
_LOST = frozenset({Failure.TIMEOUT, Failure.UNREACHABLE, Failure.RESET, Failure.CLOSED_EARLY})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [latency]. A target is a host, or host:port for the time of a TCP connection."""

    targets: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=260)], ...], Meta(max_length=64)] = ()
    count: Annotated[int, Meta(ge=1, le=1000)] = 20
    interval: Annotated[float, Meta(ge=0.01, le=10)] = 0.1  # seconds between probes
    timeout: Annotated[float, Meta(gt=0, le=10)] = 1.0  # seconds until a probe counts as lost

    def __post_init__(self) -> None:
        for target in self.targets:
            host_port(target)


class Echoes(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: one round-trip time in seconds per probe in the order they were sent, None for a lost one."""

    trips: tuple[float | None, ...]
    transport: str
    address: str
    bytes_sent: int
    bytes_received: int
    trouble: Failure | None = None  # why probes were lost, where the system said so


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """Four measurements per target; raises Refused before the first packet when nobody named one of them."""
    for target in settings.targets:
        context.authority.allow_host(host_port(target)[0])
    for target in settings.targets:
        at, begun = context.clock.now(), context.clock.monotonic()
        try:
            echoes = _ask(target, settings, context)
        except (OSError, Failed) as error:
            failure = classify(error)
            if failure is None:
                raise
            for metric in METRICS:
                yield Measurement.failed(metric, clean(target), at, failure, METHOD, reason=clean(str(error)))
        else:
            yield from emit(clean(target), at, echoes, context.clock.monotonic() - begun)


def emit(target: str, at: datetime, echoes: Echoes, seconds: float) -> Iterator[Measurement]:
    """The four measurements that `echoes` amount to."""
    answered = [trip for trip in echoes.trips if trip is not None]
    sent = len(echoes.trips)
    details: dict[str, Detail] = {
        "transport": echoes.transport,
        "address": echoes.address,
        "sent": sent,
        "samples": len(answered),
        "seconds": round(seconds, 6),
    }
    # Once, with the first measurement: a survey adds them up.
    traffic: dict[str, Detail] = {"bytes_sent": echoes.bytes_sent, "bytes_received": echoes.bytes_received}
    if answered:
        details |= {"min": min(answered), "max": max(answered)}
        bounds = median_interval(answered)
        traffic |= {"interval": list(bounds)} if bounds else {}
        yield Measurement.of("latency_rtt", target, at, median(answered), METHOD, **details, **traffic)
        yield Measurement.of("latency_rtt_p95", target, at, nearest_rank(answered, 0.95), METHOD, **details)
    else:
        word = echoes.trouble or Failure.TIMEOUT
        reason = f"none of {sent} probes was answered"
        yield Measurement.failed("latency_rtt", target, at, word, METHOD, **details, **traffic, reason=reason)
        yield Measurement.failed("latency_rtt_p95", target, at, word, METHOD, **details, reason=reason)
    if len(answered) > 1:
        yield Measurement.of("latency_jitter", target, at, jitter(answered), METHOD, **details)
    else:
        word = Failure.NO_ANSWER if answered else echoes.trouble or Failure.TIMEOUT
        reason = "jitter needs two answered probes"
        yield Measurement.failed("latency_jitter", target, at, word, METHOD, **details, reason=reason)
    yield Measurement.of("packet_loss", target, at, 1 - len(answered) / sent, METHOD, **details)


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed; always one that was observed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def jitter(values: Sequence[float]) -> float:
    """Mean absolute difference between consecutive round-trip times (RFC 3550 section 6.4.1, without its smoothing)."""
    return sum(abs(after - before) for before, after in pairwise(values)) / (len(values) - 1)


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """An interval that holds the true median with at least 95 %, from order statistics alone; None below six values.

    The number of values below the median is binomial with one half, whatever the distribution (David and Nagaraja,
    Order Statistics, section 7.1).
    """
    count = len(values)
    below, rank = 0.0, 0
    for k in range(count // 2):
        below += math.comb(count, k) * 0.5**count
        if below > 0.025:
            break
        rank = k + 1
    ordered = sorted(values)
    return (ordered[rank - 1], ordered[count - rank]) if rank else None


def _ask(target: str, settings: Settings, context: Context) -> Echoes:
    host, port = host_port(target)
    places = addresses(host, settings.timeout * 5)
    context.say(f"latency: {settings.count} probes to {clean(target)}")
    if port is None:
        return _icmp(places[0], settings, context)
    return _tcp(places[0], port, settings, context)


def _icmp(place: Place, settings: Settings, context: Context) -> Echoes:
    """Echo requests at a fixed pace; answers are taken in whenever they come, each within its own timeout."""
    family, address = place
    version = 6 if family == socket.AF_INET6 else 4
    token = context.chance.getrandbits(8 * wire_icmp.TOKEN).to_bytes(wire_icmp.TOKEN, "big")
    identifier = context.chance.getrandbits(16)
    clock = context.clock
    sent_at: list[float] = []
    trips: list[float | None] = []
    trouble: Failure | None = None
    received = 0
    with _echo_socket(family) as sock:
        sock.connect((address, 0))
        sock.settimeout(0)
        begun = clock.monotonic()
        while (more := len(sent_at) < settings.count) or None in trips:
            now = clock.monotonic()
            due = begun + len(sent_at) * settings.interval if more else sent_at[-1] + settings.timeout
            if not more and now >= due:
                break
            if more and now >= due:
                sent_at.append(clock.monotonic())
                trips.append(None)
                trouble = _send(sock, wire_icmp.request(version, identifier, len(sent_at) - 1, token)) or trouble
                continue
            if not select.select([sock], [], [], due - now)[0]:
                continue
            packet, word = _receive(sock)
            came = clock.monotonic()
            trouble = word or trouble
            sequence = wire_icmp.answered(packet, version, token)
            if sequence is None or sequence >= len(trips) or trips[sequence] is not None:
                continue
            if came - sent_at[sequence] <= settings.timeout:
                trips[sequence] = came - sent_at[sequence]
                received += DATAGRAM
    return Echoes(
        trips=tuple(trips),
        transport="icmp",
        address=address,
        bytes_sent=len(trips) * DATAGRAM,
        bytes_received=received,
        trouble=trouble,
    )


def _echo_socket(family: socket.AddressFamily) -> socket.socket:
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind, protocol)
        except PermissionError:
            continue
    raise Failed(
        Failure.NOT_PERMITTED,
        "this user may not send ICMP echo (net.ipv4.ping_group_range or CAP_NET_RAW); a target with a port needs no right",
    )


def _send(sock: socket.socket, packet: bytes) -> Failure | None:
    """The word for a probe that the path refused; our own trouble is raised."""
    try:
        sock.send(packet)
    except OSError as error:
        if (word := classify(error)) in _LOST:
            return word
        raise
    return None


def _receive(sock: socket.socket) -> tuple[bytes, Failure | None]:
    """A packet, or the error that an ICMP message about one of our probes left on the socket."""
    try:
        return sock.recv(2048), None
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EINTR}:
            return b"", None
        if (word := classify(error)) in _LOST | {Failure.REFUSED}:
            return b"", Failure.UNREACHABLE if word is Failure.REFUSED else word
        raise


def _tcp(place: Place, port: int, settings: Settings, context: Context) -> Echoes:
    """Connections one after the other at a fixed pace. A refusal that never becomes a connection ends in `refused`."""
    family, address = place
    clock = context.clock
    trips: list[float | None] = []
    words: list[Failure] = []
    begun = clock.monotonic()
    for number in range(settings.count):
        clock.sleep(max(begun + number * settings.interval - clock.monotonic(), 0))
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(settings.timeout)
            start = clock.monotonic()
            try:
                sock.connect((address, port))
            except OSError as error:
                word = classify(error)
                if word not in _LOST | {Failure.REFUSED}:
                    raise
                words.append(word or Failure.TIMEOUT)
                trips.append(None)
            else:
                trips.append(clock.monotonic() - start)
    if words and set(words) == {Failure.REFUSED} and len(words) == len(trips):
        raise Failed(Failure.REFUSED, f"nothing listens at port {port}; the host itself answered")
    answered = sum(1 for trip in trips if trip is not None)
    return Echoes(
        trips=tuple(trips),
        transport="tcp",
        address=address,
        bytes_sent=len(trips) * HANDSHAKE,
        bytes_received=answered * HANDSHAKE,
        trouble=words[-1] if words else None,
    )


INSTRUMENT = Instrument(
    name="latency",
    version=1,
    read=read,
    settings=Settings,
    does="Sends small echo requests, a few a second, to the hosts named in [latency] and times the answers",
    metrics=METRICS,
    alone=True,
    seconds=lambda settings: len(settings.targets) * (settings.count * settings.interval + settings.timeout),
    load=lambda settings, _rate: float(len(settings.targets) * settings.count * 2 * HANDSHAKE),
    missing=lambda settings: None if settings.targets else "no host is named in latency.targets",
    targets=lambda settings: tuple(host_port(target)[0] for target in settings.targets),
)
