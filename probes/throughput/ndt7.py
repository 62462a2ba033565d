"""A throughput method: M-Lab's ndt7, one TCP connection in each direction, 10 seconds each.

Its figures are the protocol's own: download is what this side received, upload is what the server says it received. The
server is a named one, or one of M-Lab's that its Locate API chooses.
"""

import base64
import platform
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from ipaddress import ip_address

import msgspec

from netready import __version__
from netready.authority import Refused
from netready.failure import Failed, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.text import clean
from probes.throughput import locate, secure, surroundings, tcp_info
from probes.throughput.channel import Channel, Now, dial
from probes.throughput.exchange import AGENT
from probes.throughput.handshake import check_upgrade, parse_response, upgrade_request
from probes.throughput.locate import MLAB, Directory, Guide, Server
from probes.throughput.ndt7_load import Transfer
from probes.throughput.ndt7_report import DATA_BUDGET, Outcome, describe, rate
from probes.throughput.ndt7_spec import (
    DOWNLOAD,
    RUNTIME,
    SUBPROTOCOL,
    UPLOAD,
    Load,
    load_frames,
)
from probes.throughput.nic import card
from probes.throughput.settings import Direction, Endpoint, Method, Throughput, endpoint, hosts, missing
from probes.throughput.websocket import encode_close

VERSION = 1
METHOD = f"ndt7/{VERSION}"
_PATH = {Direction.DOWN: DOWNLOAD, Direction.UP: UPLOAD}
METRIC = {Direction.DOWN: "throughput_down", Direction.UP: "throughput_up"}

FAREWELL = 1.0  # s for an orderly end; the figure is already known


class _Way(msgspec.Struct, frozen=True, kw_only=True):
    """Where one direction's connection goes, and what its request says. `target` is path and query."""

    where: Endpoint
    target: str
    tls: ssl.SSLContext | None
    fields: Mapping[str, str]


def read(settings: Throughput, context: Context, directory: Directory = MLAB) -> Iterator[Measurement]:
    """One measurement for each direction asked for.

    Raises Refused before the first packet when nobody named the server, or agreed to what M-Lab does with a test.
    """
    if (reason := locate.missing(settings)) is not None:
        raise Refused(reason)
    if settings.locate:
        yield from _read_located(settings, context, directory)
        return
    where = endpoint(settings.server)
    context.authority.allow_host(where.host)
    for direction in settings.directions:
        context.say(f"ndt7: {direction} for up to {settings.time(RUNTIME):g} s, {settings.server}")
        yield _measure(direction, settings, context, partial(_named, direction, settings))


def _named(direction: Direction, settings: Throughput) -> _Way:
    """The way to the server that the settings name."""
    return _Way(
        where=endpoint(settings.server),
        target=_PATH[direction],
        tls=secure.context(settings),
        fields=secure.headers(settings),
    )


def _chosen(direction: Direction, server: Server, directory: Directory) -> _Way:
    """The way to a server that Locate chose. The settings' authority, pin and token are about a server of their own."""
    tls = ssl.create_default_context() if directory.scheme == "wss" else None
    return _Way(where=server.where, target=server.targets[direction], tls=tls, fields={})


def _read_located(settings: Throughput, context: Context, directory: Directory) -> Iterator[Measurement]:
    guide = Guide(directory, context.authority, seconds=settings.handshake_timeout, now=context.clock.monotonic)
    for direction in settings.directions:
        asked = guide.requests
        found = _located(direction, settings, context, guide)
        about: dict[str, Detail] = {"locate_requests": guide.requests - asked}
        if directory.archive and "server_uuid" in found.details:
            about["published"] = directory.archive
        yield msgspec.structs.replace(found, details={**found.details, **about})


def _located(direction: Direction, settings: Throughput, context: Context, guide: Guide) -> Measurement:
    """One direction with the first server that takes it; one that has begun to load is not tried twice."""
    taken_at = context.clock.now()
    try:
        first, *others = guide.servers()
    except (Failed, OSError) as error:
        return _failed(direction, guide.directory.host, taken_at, error, {})
    found = _try(first, direction, settings, context, guide)
    for server in others:
        if _has_begun(found):
            break
        found = _try(server, direction, settings, context, guide)
    return found


def _has_begun(found: Measurement) -> bool:
    """Whether the test got past its handshake."""
    return found.value is not None or "seconds" in found.details


def _try(server: Server, direction: Direction, settings: Throughput, context: Context, guide: Guide) -> Measurement:
    allowed = msgspec.structs.replace(context, authority=locate.admit(context.authority, server))
    allowed.authority.allow_host(server.where.host)
    context.say(f"ndt7: {direction} for up to {settings.time(RUNTIME):g} s, {server.where}, chosen by M-Lab")
    wanted = msgspec.structs.replace(settings, server=str(server.where), tls=guide.directory.scheme == "wss", locate=False)
    found = _measure(direction, wanted, allowed, partial(_chosen, direction, server, guide.directory))
    if _has_begun(found):
        guide.keep(server)
    return found


def _measure(direction: Direction, settings: Throughput, context: Context, way: Callable[[], _Way]) -> Measurement:
    taken_at = context.clock.now()
    outcome = Outcome(direction=direction, tls=settings.tls, wanted=settings.time(RUNTIME))
    try:
        _run(outcome, settings, context, way())
        value = rate(outcome)
    except (Failed, OSError) as error:
        return _failed(direction, settings.server, taken_at, error, describe(outcome, None) if outcome.after else {})
    return Measurement.of(METRIC[direction], settings.server, taken_at, value, METHOD, **describe(outcome, value))


def _failed(
    direction: Direction, target: str, taken_at: datetime, error: Failed | OSError, details: dict[str, Detail]
) -> Measurement:
    """The measurement that could not be made; an error that is no network's doing is raised."""
    failure = classify(error)
    if failure is None:
        raise error
    about = {**details, "reason": clean(str(error), limit=200)}
    return Measurement.failed(METRIC[direction], target, taken_at, failure, METHOD, **about)


def _run(outcome: Outcome, settings: Throughput, context: Context, way: _Way) -> None:
    now = context.clock.monotonic
    key = context.chance.getrandbits(32).to_bytes(4, "big")
    load = Load(load_frames(context.chance, key=key)) if outcome.direction is Direction.UP else None
    deadline = now() + settings.handshake_timeout
    connection = dial(way.where.host, way.where.port, tls=way.tls, seconds=settings.handshake_timeout, now=now)
    try:
        if settings.congestion:
            tcp_info.use_congestion(connection, settings.congestion)
        place(outcome, connection)
        outcome.before = surroundings.read_moment(now(), outcome.interface)
        outcome.tcp_before = tcp_info.read(connection)
        channel = Channel(connection, now)
        _agree(channel, way, context, deadline - now())
        try:
            Transfer(outcome, settings, channel, key, now).run(load)
        finally:
            outcome.after = surroundings.read_moment(now(), outcome.interface)
            outcome.tcp_after = tcp_info.read(connection) or outcome.tcp_after
        if outcome.ended == DATA_BUDGET and outcome.direction is Direction.DOWN:
            channel.close(abort=True)  # a farewell would let more load in
        else:
            _part(channel, key, now() + FAREWELL, now)
    finally:
        connection.close()


def place(outcome: Outcome, connection: socket.socket) -> None:
    """Where the connection leaves this machine; asked before the clock of the test starts."""
    outcome.family = connection.family
    outcome.congestion = tcp_info.congestion(connection)
    outcome.loopback = ip_address(str(connection.getsockname()[0]).partition("%")[0]).is_loopback
    outcome.interface = surroundings.interface_of(connection)
    if outcome.interface:
        outcome.card = card(outcome.interface)


def _agree(channel: Channel, way: _Way, context: Context, seconds: float) -> None:
    """The handshake, to the end of the server's 101."""
    key = base64.b64encode(context.chance.getrandbits(128).to_bytes(16, "big")).decode()
    about = {
        "client_name": "netready",
        "client_version": __version__,
        "client_library_name": "netready-ndt7",
        "client_library_version": __version__,
        "client_arch": platform.machine() or "unknown",
        "client_os": platform.system().lower() or "unknown",
    }
    request = upgrade_request(
        str(way.where),
        locate.with_metadata(way.target, about),
        key=key,
        protocol=SUBPROTOCOL,
        agent=AGENT,
        fields=way.fields,
    )
    started = context.clock.monotonic()
    channel.write_all(request, seconds=seconds)
    head = channel.read_head(seconds=seconds - (context.clock.monotonic() - started))
    check_upgrade(parse_response(head), key=key, protocol=SUBPROTOCOL)
    channel.become_websocket(masked=False)


def _part(channel: Channel, key: bytes, until: float, now: Now) -> None:
    """Answer or say Close and let the server hang up first, as RFC 6455, 7.1.1 asks; nothing depends on it any more."""
    channel.queue(encode_close(1000, "", key=key))
    try:
        while now() < until:
            channel.step(until)
    except (Failed, OSError):
        return


def _lacking(settings: Throughput) -> str | None:
    if settings.locate:
        return locate.missing(settings)
    return secure.unreadable(settings) or missing(settings)


def _hosts(settings: Throughput) -> tuple[str, ...]:
    """The named server, or the Locate API; the servers that this may choose are checked when it has."""
    return (MLAB.host,) if settings.locate else hosts(settings)


INSTRUMENT = Instrument(
    name="ndt7",
    version=VERSION,
    read=read,
    settings=Throughput,
    does="Fills the line through one TCP connection, 10 s each way, to the named test server, which counts what arrives (ndt7)",
    metrics=("throughput_down", "throughput_up"),
    alone=True,
    seconds=lambda settings: len(settings.directions) * (settings.time(RUNTIME) + FAREWELL),
    load=lambda settings, line: settings.moved(line * settings.time(RUNTIME) / 8),
    missing=_lacking,
    hosts=_hosts,
    wanted=lambda settings: Method.NDT7 in settings.methods,
    table="throughput",
    files=("ca", "token_file"),
)
