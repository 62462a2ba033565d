"""A throughput method: M-Lab's ndt7, one TCP connection in each direction, 10 seconds each.

Its figures are the protocol's own: download is what this side received, upload is what the server says it received.
"""

import base64
import os
import platform
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlencode

import msgspec

from netready import __version__
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Measurement
from netready.text import clean
from probes.throughput import surroundings, tcp_info
from probes.throughput.channel import Channel, Now, dial
from probes.throughput.handshake import check_upgrade, parse_response, upgrade_request
from probes.throughput.ndt7_report import Outcome, describe, rate
from probes.throughput.ndt7_spec import (
    DOWNLOAD,
    HARD_STOP,
    RUNTIME,
    SUBPROTOCOL,
    TICK_MEAN,
    UPLOAD,
    Load,
    load_frames,
    parse_told,
)
from probes.throughput.settings import Direction, Throughput, endpoint, missing
from probes.throughput.websocket import Message, Opcode, close_status, encode, encode_close

VERSION = 1
METHOD = f"ndt7/{VERSION}"
METRIC = {Direction.DOWN: "throughput_down", Direction.UP: "throughput_up"}

SAMPLE = 0.05  # s between readings of the byte count
DRAIN = 5.0  # s after the last byte of an upload in which the server may still report
FAREWELL = 1.0  # s for an orderly end; the figure is already known
USABLE_SECONDS = 2.0  # s of load, or half the test if that is less, without which a broken test has no figure
USABLE_BYTES = 1 << 13  # the protocol's first message; a server that gives less has not loaded the line
_OVER_CLAIM = 1.01  # a server counts what we sent, and a proxy's TLS may add a little
_CLOCK_SLACK = 1.0  # s by which the two ends' clocks may have started apart, buffers included
_KEPT = 4096  # samples; a flood of messages must not fill the memory


def read(settings: Throughput, context: Context) -> Iterator[Measurement]:
    """One measurement for each direction asked for; raises Refused before the first packet when nobody named the server."""
    context.authority.allow_host(endpoint(settings.server).host)
    for direction in settings.directions:
        context.say(f"ndt7: {direction} for up to {settings.seconds:g} s, {settings.server}")
        yield _measure(direction, settings, context)


def _measure(direction: Direction, settings: Throughput, context: Context) -> Measurement:
    taken_at = context.clock.now()
    outcome = Outcome(direction=direction, tls=settings.tls, wanted=settings.seconds)
    try:
        _run(outcome, settings, context)
        value = rate(outcome)
    except (Failed, OSError) as error:
        failure = classify(error)
        if failure is None:
            raise
        details = describe(outcome, None) if outcome.after else {}
        details["reason"] = clean(str(error), limit=200)
        return Measurement.failed(METRIC[direction], settings.server, taken_at, failure, METHOD, **details)
    return Measurement.of(METRIC[direction], settings.server, taken_at, value, METHOD, **describe(outcome, value))


def _run(outcome: Outcome, settings: Throughput, context: Context) -> None:
    now, server = context.clock.monotonic, endpoint(settings.server)
    key = context.chance.getrandbits(32).to_bytes(4, "big")
    load = Load(load_frames(context.chance, key=key)) if outcome.direction is Direction.UP else None
    tls = _tls(settings) if settings.tls else None
    deadline = now() + settings.handshake_timeout
    connection = dial(server.host, server.port, tls=tls, seconds=settings.handshake_timeout, now=now)
    try:
        _place(outcome, connection)
        outcome.before = surroundings.read_moment(now(), outcome.interface)
        outcome.tcp_before = tcp_info.read(connection)
        channel = Channel(connection, now)
        _agree(channel, outcome.direction, settings, context, deadline - now())
        try:
            _Test(outcome, settings, channel, key, now).run(load)
        finally:
            outcome.after = surroundings.read_moment(now(), outcome.interface)
            outcome.tcp_after = tcp_info.read(connection) or outcome.tcp_after
        _part(channel, key, now() + FAREWELL, now)
    finally:
        connection.close()


def _place(outcome: Outcome, connection: socket.socket) -> None:
    """Where the connection leaves this machine; asked before the clock of the test starts."""
    outcome.family = connection.family
    outcome.loopback = ip_address(str(connection.getsockname()[0]).partition("%")[0]).is_loopback
    outcome.interface = surroundings.interface_of(connection)
    if outcome.interface:
        outcome.interface_rate = surroundings.interface_rate(outcome.interface)


def _tls(settings: Throughput) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca or None)
    except OSError as error:
        raise Failed(Failure.TLS_CERTIFICATE, f"ca: {settings.ca} cannot be used ({error})") from error


def _agree(channel: Channel, direction: Direction, settings: Throughput, context: Context, seconds: float) -> None:
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
    path = DOWNLOAD if direction is Direction.DOWN else UPLOAD
    request = upgrade_request(
        str(endpoint(settings.server)),
        f"{path}?{urlencode(about)}",
        key=key,
        protocol=SUBPROTOCOL,
        agent=f"netready/{__version__}",
    )
    started = context.clock.monotonic()
    channel.write_all(request, seconds=seconds)
    head = channel.read_head(seconds=seconds - (context.clock.monotonic() - started))
    check_upgrade(parse_response(head), key=key, protocol=SUBPROTOCOL)
    channel.become_websocket(masked=False)


class _Test:
    """One direction, from the handshake to the last byte that counts."""

    def __init__(self, outcome: Outcome, settings: Throughput, channel: Channel, key: bytes, now: Now) -> None:
        self._outcome = outcome
        self._settings = settings
        self._channel = channel
        self._key = key
        self._now = now
        self._start = now()
        self._sending = outcome.direction is Direction.UP

    def run(self, load: Load | None) -> None:
        """Load the line; raises Failed or OSError when what came of it is no measurement."""
        try:
            self._load(load)
        except (Failed, OSError) as error:
            self._excuse(error)
        if not self._usable():
            raise Failed(
                Failure.TIMEOUT if self._outcome.ended == "stop" else Failure.CLOSED_EARLY,
                f"the test ended after {self._outcome.seconds:.1f} s with {self._outcome.moved} bytes; "
                f"that is too little for a figure. {self._outcome.reason}".rstrip(),
            )

    def _load(self, load: Load | None) -> None:
        seconds = self._settings.seconds
        finish = self._start + seconds
        stop = self._start + HARD_STOP
        if self._sending:
            stop = min(stop, finish + DRAIN)
        elif seconds < RUNTIME:
            stop = finish
        tell_at = sample_at = self._start
        while not self._outcome.ended:
            now = self._now()
            if now >= stop:
                self._sample()
                self._outcome.ended = "stop"
                return
            if self._sending and now >= finish:
                self._sending = False
                self._channel.queue(encode_close(1000, "", key=self._key))
            if now >= tell_at:
                self._tell(now)
                tell_at = now + TICK_MEAN
            self._watch(now)
            until = min(stop, tell_at, finish if self._sending else stop)
            for message in self._channel.step(until, load if self._sending else None):
                self._hear(message)
            if self._now() >= sample_at or self._outcome.ended:
                self._sample()
                sample_at = self._now() + SAMPLE

    def _watch(self, now: float) -> None:
        """A server that stops taking or giving bytes has failed, unless the load had its full time."""
        channel, limit = self._channel, self._settings.timeout
        moved_at = channel.received_at
        if self._outcome.direction is Direction.UP:
            moved_at = channel.sent_at if self._sending else max(channel.sent_at, channel.received_at)
        if now - moved_at < limit:
            return
        if now - self._start >= self._settings.seconds and self._outcome.samples:
            self._outcome.ended = "stop"
            return
        raise Failed(
            Failure.TIMEOUT, f"the server stalled: nothing moved for {limit:g} s, {now - self._start:.1f} s into the test"
        )

    def _sample(self) -> None:
        outcome, channel = self._outcome, self._channel
        if outcome.direction is Direction.DOWN:
            elapsed, count = channel.received_at - self._start, channel.receiver.payload
        elif self._sending:
            outcome.tcp_after = tcp_info.read(channel.connection) or outcome.tcp_after
            acked = outcome.tcp_after.get("BytesAcked", 0) - outcome.tcp_before.get("BytesAcked", 0)
            elapsed, count = self._now() - self._start, acked
        else:
            return
        if elapsed > 0 and len(outcome.samples) < _KEPT:
            outcome.samples.append((elapsed, count))

    def _tell(self, now: float) -> None:
        counted = self._channel.bytes_out if self._outcome.direction is Direction.UP else self._channel.receiver.payload
        text = {"AppInfo": {"ElapsedTime": int(1e6 * (now - self._start)), "NumBytes": counted}}
        if not self._outcome.ended:
            self._channel.queue(encode(Opcode.TEXT, msgspec.json.encode(text), key=self._key))

    def _hear(self, message: Message) -> None:
        match message.opcode:
            case Opcode.PING:
                self._channel.queue(encode(Opcode.PONG, message.payload, key=self._key))
            case Opcode.TEXT:
                self._note(message.payload)
            case Opcode.CLOSE:
                code, why = close_status(message.payload)
                self._outcome.ended = "close"
                if code != 1000:
                    self._outcome.reason = clean(f"the server closed with {code} {why}")
            case Opcode.PONG | Opcode.BINARY | Opcode.CONTINUATION:
                pass

    def _note(self, text: bytes) -> None:
        outcome = self._outcome
        try:
            told = parse_told(text)
        except Failed:
            outcome.ignored += 1
            return
        if told.ConnectionInfo is not None and told.ConnectionInfo.UUID:
            outcome.uuid = clean(told.ConnectionInfo.UUID)
        if told.TCPInfo is None:
            return
        if outcome.direction is Direction.DOWN:
            outcome.told = told.TCPInfo
            return
        elapsed, received = told.TCPInfo.ElapsedTime, told.TCPInfo.BytesReceived
        if not elapsed or received is None:
            return
        if not self._sending and outcome.told_samples and received <= outcome.told_samples[-1][1]:
            return  # the load is over, and waiting is not part of the rate
        self._doubt(elapsed / 1e6, received)
        outcome.told = told.TCPInfo
        if len(outcome.told_samples) < _KEPT:
            outcome.told_samples.append((elapsed / 1e6, received))
        else:
            outcome.told_samples[-1] = (elapsed / 1e6, received)

    def _doubt(self, elapsed: float, received: int) -> None:
        """A server that claims what cannot be is not a server to measure with."""
        own = tcp_info.read(self._channel.connection)
        sent = max(own.get("BytesSent", 0), own.get("BytesAcked", 0), self._channel.bytes_out)
        if received > sent * _OVER_CLAIM:
            raise Failed(Failure.MALFORMED, f"the server claims {received} bytes, and only {sent} were sent")
        ours = self._now() - self._start
        if elapsed > 1.1 * ours + _CLOCK_SLACK or elapsed < 0.8 * ours - _CLOCK_SLACK:
            raise Failed(Failure.MALFORMED, f"the server's clock says {elapsed:.3f} s, and ours {ours:.3f} s")

    def _excuse(self, error: Failed | OSError) -> None:
        """A connection that breaks after enough load leaves a figure, with less trust; everything else is raised."""
        failure = classify(error)
        self._sample()
        if failure not in {Failure.CLOSED_EARLY, Failure.RESET} or not self._usable():
            raise error
        self._outcome.ended = "abrupt"
        self._outcome.reason = (
            f"the connection broke after {self._outcome.seconds:.1f} s ({failure}); the figure covers that time"
        )

    def _usable(self) -> bool:
        least = min(USABLE_SECONDS, self._settings.seconds / 2)
        return self._outcome.seconds >= least and self._outcome.moved >= USABLE_BYTES


def _part(channel: Channel, key: bytes, until: float, now: Now) -> None:
    """Answer or say Close and let the server hang up first, as RFC 6455, 7.1.1 asks; nothing depends on it any more."""
    channel.queue(encode_close(1000, "", key=key))
    try:
        while now() < until:
            channel.step(until)
    except (Failed, OSError):
        return


def _readable(settings: Throughput) -> str | None:
    if settings.ca and not os.access(settings.ca, os.R_OK):
        return f"the authority file {settings.ca} cannot be read"
    return missing(settings)


INSTRUMENT = Instrument(
    name="ndt7",
    version=VERSION,
    read=read,
    settings=Throughput,
    does="Fills the line through one TCP connection, 10 s each way, to the named test server, which counts what arrives (ndt7)",
    metrics=("throughput_down", "throughput_up"),
    alone=True,
    seconds=lambda settings: len(settings.directions) * (settings.seconds + FAREWELL),
    load=lambda settings, line: len(settings.directions) * line * settings.seconds / 8,
    missing=_readable,
    hosts=lambda settings: (settings.server.rpartition(":")[0],),
    table="throughput",
    files=("ca",),
)
