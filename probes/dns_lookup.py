"""DNS look-ups: how long each resolver takes for each name a school depends on, asked directly and past any cache of ours."""

import socket
import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from netready.authority import Refused
from netready.clock import Clock
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Site
from netready.text import clean
from probes import wire_dns
from probes.where import Place, addresses, host_port, is_address

METHOD = "dns_lookup/1"
METRIC = "dns_lookup_time"
PORT = 53
MOST_RESOLVERS = 3  # MAXNS of resolv.conf(5): the system itself reads no more
MOST_SHOWN = 8  # addresses kept in a measurement's details

HostName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$", max_length=253)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [dns_lookup]. No names: those of the site's endpoints. No resolvers: those that this machine uses."""

    names: Annotated[tuple[HostName, ...], Meta(max_length=64)] = ()
    resolvers: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=260)], ...], Meta(max_length=8)] = ()
    types: Annotated[tuple[Literal["A", "AAAA"], ...], Meta(min_length=1, max_length=2)] = ("A", "AAAA")
    timeout: Annotated[float, Meta(gt=0, le=30)] = 2.0  # seconds for each try
    tries: Annotated[int, Meta(ge=1, le=5)] = 2
    resolv_conf: str = "/etc/resolv.conf"

    def __post_init__(self) -> None:
        for resolver in self.resolvers:
            host_port(resolver)


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """One measurement per name, resolver and type. A repeated question and TCP count, as a user would wait for both.

    Raises Refused before the first packet when nobody named one of the settings' resolvers. One of the machine's own that
    nobody named is not asked either, and its measurements end in `not-authorised`.
    """
    resolvers = settings.resolvers
    for resolver in resolvers:
        context.authority.allow_host(host_port(resolver)[0])
    try:
        resolvers = resolvers or own_resolvers(settings)
    except OSError as error:
        context.say(f"dns_lookup: {settings.resolv_conf} cannot be read ({error.strerror})")
    if not resolvers:
        reason = "no resolver is named, neither in [dns_lookup] nor by this machine"
        for name in settings.names:
            yield Measurement.failed(METRIC, name, context.clock.now(), Failure.DNS_FAILED, METHOD, reason=reason)
    for resolver in resolvers:
        for name in settings.names:
            for kind in settings.types:
                yield _measure(name, kind, resolver, settings, context)


def own_resolvers(settings: Settings) -> tuple[str, ...]:
    """The resolvers that this machine uses for everything else."""
    with Path(settings.resolv_conf).open(encoding="utf-8", errors="replace") as file:
        return parse_resolv_conf(file.read(65536))


def hosts(settings: Settings) -> tuple[str, ...]:
    """The resolvers' hosts: those named, else this machine's own, which every program on it asks anyway.

    A public one of its own is not among them: public addresses are asked only when the config names them.
    """
    if settings.resolvers:
        return tuple(host_port(resolver)[0] for resolver in settings.resolvers)
    try:
        return tuple(own for own in own_resolvers(settings) if not ip_address(own).is_global)
    except OSError:
        return ()


def parse_resolv_conf(text: str) -> tuple[str, ...]:
    """The nameserver addresses of a resolv.conf(5), at most three, without scope ids or anything that is no address."""
    found: list[str] = []
    for line in text.splitlines():
        match line.split():
            case ["nameserver", address, *_] if is_address(address) and address not in found:
                found.append(address)
            case _:
                pass
    return tuple(found[:MOST_RESOLVERS])


def fit(settings: Settings, site: Site) -> Settings:
    """Without names, the host names of the site's endpoints; addresses need no look-up and are left out."""
    if settings.names:
        return settings
    names: list[str] = []
    for endpoint in site.endpoints:
        try:
            host = (urlsplit(endpoint.url).hostname or "").encode("idna").decode("ascii")
            name = msgspec.convert(host, HostName)
        except (ValueError, msgspec.ValidationError):
            continue
        if not is_address(name) and name not in names:
            names.append(name)
    return msgspec.structs.replace(settings, names=tuple(names))


def emit(target: str, at: datetime, seconds: float, answer: wire_dns.Answer, **how: Detail) -> Measurement:
    """The measurement that an answer amounts to; a name without records of this type is `dns-no-address`."""
    details: dict[str, Detail] = {
        "rcode": wire_dns.RCODES.get(answer.rcode, str(answer.rcode)),
        "answers": list(answer.addresses[:MOST_SHOWN]),
        "ttl": answer.ttl,
        "aliases": answer.aliases,
        "authentic": answer.authentic,
        "seconds": round(seconds, 6),
        **how,
    }
    if answer.rcode:
        return Measurement.failed(METRIC, target, at, word(answer.rcode), METHOD, **details)
    if not answer.addresses:
        return Measurement.failed(METRIC, target, at, Failure.DNS_NO_ADDRESS, METHOD, **details)
    return Measurement.of(METRIC, target, at, seconds, METHOD, **details)


def _measure(name: str, kind: str, resolver: str, settings: Settings, context: Context) -> Measurement:
    target = f"{name} {kind} @{clean(resolver)}"
    at, clock = context.clock.now(), context.clock
    try:
        host, port = host_port(resolver)
        context.authority.allow_host(host)
        place = addresses(host, settings.timeout)[0]
        context.say(f"dns_lookup: {target}")
        begun = clock.monotonic()
        answer, how = ask(Question(name=name, kind=kind, place=place, port=port or PORT), settings, context)
    except (OSError, Failed, Refused) as error:
        failure = Failure.NOT_AUTHORISED if isinstance(error, Refused) else classify(error)
        if failure is None:
            raise
        return Measurement.failed(METRIC, target, at, failure, METHOD, reason=clean(str(error)))
    return emit(target, at, clock.monotonic() - begun, answer, **how)


def word(rcode: int) -> Failure:
    """The failure word for an answer's code."""
    return wire_dns.FAILURES.get(rcode, Failure.DNS_FAILED)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of whom. `bind` makes the sockets leave by a network of the caller's choice."""

    name: str
    kind: str
    place: Place
    port: int
    bind: Callable[[socket.socket], None] = lambda _sock: None

    def packet(self, identifier: int) -> bytes:
        return wire_dns.query(identifier, self.name, self.kind)

    def read(self, packet: bytes, identifier: int) -> wire_dns.Answer | None:
        return wire_dns.reply_to(packet, identifier, self.name, self.kind)


def ask(question: Question, settings: Settings, context: Context) -> tuple[wire_dns.Answer, dict[str, Detail]]:
    """UDP first, as often as the settings say, and TCP when the answer was cut (RFC 7766 section 5)."""
    family, address = question.place
    for number in range(1, settings.tries + 1):
        identifier = context.chance.getrandbits(16)
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            question.bind(sock)
            sock.connect((address, question.port))  # the kernel then drops what other hosts send
            sock.send(question.packet(identifier))
            try:
                answer = _await(sock, question, identifier, context.clock.monotonic() + settings.timeout, context.clock)
            except TimeoutError:
                if number == settings.tries:
                    raise
                continue
        transport = "udp"
        if answer.truncated:
            answer, transport = _over_tcp(question, settings.timeout, context), "tcp"
        return answer, {"transport": transport, "tries": number, "bytes_sent": number * len(question.packet(0))}
    raise TimeoutError


def _await(sock: socket.socket, question: Question, identifier: int, deadline: float, clock: Clock) -> wire_dns.Answer:
    """Whatever is not our answer is ignored until the time is over: a forger must not be able to end the wait."""
    unreadable: Failed | None = None
    while (left := deadline - clock.monotonic()) > 0:
        sock.settimeout(left)
        try:
            packet = sock.recv(65535)
            answer = question.read(packet, identifier)
        except TimeoutError:
            break
        except Failed as failed:
            unreadable = failed
            continue
        if answer is not None:
            return answer
    raise unreadable or TimeoutError("the resolver did not answer in time")


def _over_tcp(question: Question, timeout: float, context: Context) -> wire_dns.Answer:
    family, address = question.place
    deadline = context.clock.monotonic() + timeout
    identifier = context.chance.getrandbits(16)
    packet = question.packet(identifier)
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        question.bind(sock)
        sock.settimeout(timeout)
        sock.connect((address, question.port))
        sock.sendall(struct.pack("!H", len(packet)) + packet)
        (size,) = struct.unpack("!H", _exactly(sock, 2, deadline, context.clock))
        answer = question.read(_exactly(sock, size, deadline, context.clock), identifier)
    if answer is None or answer.truncated:
        raise Failed(Failure.MALFORMED, "the answer over TCP is not the answer to our question")
    return answer


def _exactly(sock: socket.socket, size: int, deadline: float, clock: Clock) -> bytes:
    data = b""
    while len(data) < size:
        left = deadline - clock.monotonic()
        if left <= 0:
            raise TimeoutError("the resolver did not answer in time")
        sock.settimeout(left)
        more = sock.recv(size - len(data))
        if not more:
            raise Failed(Failure.CLOSED_EARLY, "the resolver closed the connection within its answer")
        data += more
    return data


INSTRUMENT = Instrument(
    name="dns_lookup",
    version=1,
    read=read,
    settings=Settings,
    does="Asks each resolver once for the addresses of each platform's host name and times the answer",
    metrics=(METRIC,),
    seconds=lambda settings: 0.1 * len(settings.names) * len(settings.types) * max(len(settings.resolvers), 1),
    load=lambda settings, _rate: 300.0 * len(settings.names) * len(settings.types) * max(len(settings.resolvers), 1),
    fit=fit,
    hosts=hosts,
    missing=lambda settings: None if settings.names else "no host name is in dns_lookup.names or among the site's endpoints",
)
