"""A throughput method: LibreSpeed's servers, loaded by several HTTP requests at once as its web page does.

The figure is what TCP carried by this kernel's count: received in a download, acknowledged in an upload. LibreSpeed's page
shows more, for it multiplies by 1.06 and counts an upload when it is handed over. A server tells nothing about itself, so
what limited a download cannot be known as it is with ndt7.
"""

import select
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.text import clean
from probes.throughput import secure, surroundings, tcp_info
from probes.throughput.channel import dial
from probes.throughput.exchange import fetch, request
from probes.throughput.handshake import check_status
from probes.throughput.librespeed_stream import MEBIBYTE, Errand, Purse, Stream, added
from probes.throughput.ndt7 import METRIC, place
from probes.throughput.ndt7_load import SAMPLE, USABLE_BYTES, USABLE_SECONDS
from probes.throughput.ndt7_report import DATA_BUDGET, SILENCE, Outcome, describe, rate
from probes.throughput.settings import Direction, Method, Throughput, endpoint, hosts, missing

VERSION = 1
METHOD = f"librespeed/{VERSION}"

# As LibreSpeed's web page does by default: streams, their starts, what is left out as warm-up, and sizes of requests.
STREAMS = {Direction.DOWN: 6, Direction.UP: 3}
STAGGER = 0.3  # s between the streams' first requests
WARM_UP = {Direction.DOWN: 1.5, Direction.UP: 3.0}  # s; at most half of the test
DOWNLOAD = 100  # MiB in each request
UPLOAD = 20  # MiB in each request
RUNTIME = 10.0  # s, warm-up included. The page takes up to 15 behind it; the others of our methods take 10.

PLACES = ("/", "/backend/")  # where servers keep their endpoints: alone, and beside LibreSpeed's page
OWN_ADDRESS = 1 << 16  # bytes of getIP.php's answer
_TURN = 0.02  # s at most between two looks at the clock
# What TCP carried: bytes in order, and segments in whatever order, which grow evenly where the bytes wait for a lost one.
_COUNTERS = {Direction.DOWN: ("BytesReceived", "DataSegsIn"), Direction.UP: ("BytesAcked", "Delivered")}
_ENOUGH = frozenset({Failure.CLOSED_EARLY, Failure.RESET, Failure.SERVER_BUSY})  # ways to end late that leave a figure
_NO_FACTOR = "none applied; LibreSpeed's web page multiplies by 1.06"


class Seen(msgspec.Struct, frozen=True, rename={"text": "processedString"}):
    """The part of getIP.php's answer that tells a LibreSpeed server: our address as it is seen, and perhaps our provider."""

    text: str


def read(settings: Throughput, context: Context) -> Iterator[Measurement]:
    """One measurement for each direction asked for; raises Refused before the first packet when nobody named the server."""
    context.authority.allow_host(endpoint(settings.server).host)
    for direction in settings.directions:
        context.say(f"librespeed: {direction} for up to {settings.time(RUNTIME):g} s, {settings.server}")
        yield _measure(direction, settings, context)


def _measure(direction: Direction, settings: Throughput, context: Context) -> Measurement:
    taken_at = context.clock.now()
    outcome = Outcome(direction=direction, tls=settings.tls, wanted=settings.time(RUNTIME), by_kernel=True)
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
    about: dict[str, Detail] = {**describe(outcome, value), "overhead_factor": _NO_FACTOR}
    return Measurement.of(METRIC[direction], settings.server, taken_at, value, METHOD, **about)


class _Line:
    """The way to the server: what every connection and every request of one direction needs."""

    def __init__(self, settings: Throughput, context: Context) -> None:
        self.now = context.clock.monotonic
        self.until = self.now() + settings.handshake_timeout
        self.fields = secure.headers(settings)
        self._settings = settings
        self._server = endpoint(settings.server)
        self._tls = secure.context(settings)

    def dial(self) -> socket.socket:
        """A new connection; raises OSError or Failed."""
        left = max(0.0, min(self._settings.handshake_timeout, self.until - self.now()))
        connection = dial(self._server.host, self._server.port, tls=self._tls, seconds=left, now=self.now)
        if self._settings.congestion:
            tcp_info.use_congestion(connection, self._settings.congestion)
        return connection

    def request(self, verb: str, target: str, **fields: str) -> bytes:
        """A request's head, with the token that the server wants."""
        return request(verb, target, str(self._server), {**self.fields, **fields})

    def find(self) -> str:
        """Where the server has its endpoints; raises Failed when it does not answer as LibreSpeed's servers do."""
        for folder in PLACES:
            with self.dial() as connection:
                head = self.request("GET", f"{folder}getIP.php", Connection="close")
                answer = fetch(connection, head, most=OWN_ADDRESS, until=self.until, now=self.now)
            if answer.response is not None and answer.response.status != 404:
                check_status(answer.response, 200)
                _check_seen(bytes(answer.kept))
                return folder
        raise Failed(
            Failure.HTTP_STATUS, f"the server has no getIP.php in {' or '.join(PLACES)}; it is not a LibreSpeed server"
        )


def _check_seen(body: bytes) -> None:
    """getIP.php's answer is JSON, or a bare address from older servers. It is the school's own, and is not kept."""
    try:
        text = msgspec.json.decode(body, type=Seen).text
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:64].decode("latin-1")
    try:
        ip_address(text.partition(" ")[0].strip())
    except ValueError as error:
        said = f"{clean(text, limit=40)!r} is no address; something else than a LibreSpeed server answers"
        raise Failed(Failure.MALFORMED, f"getIP.php: {said}") from error


def _errand(direction: Direction, folder: str, line: _Line, context: Context) -> Errand:
    tag = f"r={context.chance.getrandbits(53)}"  # the page's way past caches
    if direction is Direction.DOWN:
        head = line.request("GET", f"{folder}garbage.php?{tag}&ckSize={DOWNLOAD}")
        return Errand(head=head, asked=DOWNLOAD * MEBIBYTE)
    body = UPLOAD * MEBIBYTE
    about = {"Content-Type": "application/octet-stream", "Content-Length": str(body)}
    load = context.chance.getrandbits(8 * MEBIBYTE).to_bytes(MEBIBYTE, "big")
    return Errand(head=line.request("POST", f"{folder}empty.php?{tag}", **about), body=body, load=load)


def _run(outcome: Outcome, settings: Throughput, context: Context) -> None:
    line = _Line(settings, context)
    errand = _errand(outcome.direction, line.find(), line, context)
    purse = Purse(settings.most_bytes)
    streams: list[Stream] = []
    try:
        while len(streams) < (settings.streams or STREAMS[outcome.direction]):
            streams.append(Stream(line.dial(), errand, purse, redial=line.dial))
        place(outcome, streams[0].connection)
        outcome.streams = len(streams)
        outcome.before = surroundings.read_moment(line.now(), outcome.interface)
        line.until = line.now() + outcome.wanted + settings.handshake_timeout
        try:
            _Test(outcome, settings, streams, purse, line).run()
        finally:
            outcome.after = surroundings.read_moment(line.now(), outcome.interface)
            outcome.tcp_after = added([stream.counters() for stream in streams])
            outcome.short = any(stream.short for stream in streams)
    finally:
        for stream in streams:
            stream.close()


class _Test:
    """One direction, from the first request to the last byte that counts."""

    def __init__(self, outcome: Outcome, settings: Throughput, streams: list[Stream], purse: Purse, line: _Line) -> None:
        self._outcome = outcome
        self._settings = settings
        self._streams = streams
        self._purse = purse
        self._now = line.now
        self._start = line.now()
        self._warm = min(WARM_UP[outcome.direction], outcome.wanted / 2)
        self._counters = _COUNTERS[outcome.direction]
        self._readings: list[tuple[float, int, int]] = []  # from the end of the warm-up on: when, bytes, segments
        self._reached = 0  # segments so far
        self._moved_at = self._start  # when their number last grew
        self._poll = select.poll()
        self._polled: dict[int, int] = {}

    def run(self) -> None:
        """Load the line; raises Failed or OSError when what came of it is no measurement."""
        try:
            self._load()
            self._count()
        except (Failed, OSError) as error:
            self._excuse(error)
        outcome = self._outcome
        if self._usable():
            return
        words = {"stop": Failure.TIMEOUT, DATA_BUDGET: Failure.DATA_BUDGET}
        why = f"the budget of {self._settings.most_bytes} bytes was spent" if outcome.ended == DATA_BUDGET else "the test ended"
        after = "during its warm-up" if not self._readings else f"{outcome.seconds:.1f} s behind its warm-up"
        said = f"{why} {after} with {outcome.moved} bytes counted; that is too little for a figure"
        raise Failed(words.get(outcome.ended, Failure.CLOSED_EARLY), said)

    def _load(self) -> None:
        stop = self._start + self._outcome.wanted
        waiting = list(self._streams)
        begin_at = sample_at = self._start
        while not self._outcome.ended:
            now = self._now()
            if waiting and now >= begin_at:
                waiting.pop(0).begin()
                begin_at += STAGGER
            if now >= sample_at:
                self._sample(now)
                sample_at = now + SAMPLE
            if now >= stop:
                self._finish("stop")
            elif self._purse.left <= 0:
                self._finish(DATA_BUDGET)
            elif now - self._moved_at >= self._settings.timeout:
                after = now - self._start
                stalled = f"the server stalled: nothing moved for {self._settings.timeout:g} s, {after:.1f} s into the test"
                raise Failed(Failure.TIMEOUT, stalled)
            else:
                self._turn(min(stop, sample_at, begin_at if waiting else stop))

    def _turn(self, until: float) -> None:
        """Wait for a stream that can move, no longer than `until`, and move each once."""
        self._watch()
        streams = {stream.connection.fileno(): stream for stream in self._streams}
        for descriptor, events in self._poll.poll(1000 * min(_TURN, max(0.0, until - self._now()))):
            writable = bool(events & select.POLLOUT)
            streams[descriptor].move(readable=bool(events & ~select.POLLOUT), writable=writable)

    def _watch(self) -> None:
        """Poll each stream's connection of the moment for what it waits for."""
        wanted = {
            stream.connection.fileno(): select.POLLIN | (select.POLLOUT if stream.wants_to_write else 0)
            for stream in self._streams
        }
        for descriptor in self._polled.keys() - wanted.keys():
            self._poll.unregister(descriptor)
        for descriptor, events in wanted.items():
            if self._polled.get(descriptor) != events:
                self._poll.register(descriptor, events)
        self._polled = wanted

    def _finish(self, ended: str) -> None:
        now = self._now()
        self._sample(now)
        self._outcome.ended = ended
        if now - self._moved_at < SILENCE:
            return
        self._readings = [reading for reading in self._readings if reading[0] <= self._moved_at]
        self._outcome.fell_silent(now - self._moved_at)

    def _sample(self, now: float) -> None:
        parts = [stream.counters() for stream in self._streams]
        if any(name not in part for name in self._counters for part in parts):
            raise Failed(Failure.NOT_SUPPORTED, "this system does not tell what its TCP connections carry (TCP_INFO)")
        count, segments = (sum(part[name] for part in parts) for name in self._counters)
        if segments > self._reached:
            self._reached, self._moved_at = segments, now
        if now - self._start >= self._warm:
            self._readings.append((now, count, segments))

    def _count(self) -> None:
        """The samples: segments since the warm-up, at the mean size that all segments of the test had."""
        if not self._readings:
            return
        began, _, before = self._readings[0]
        _, count, segments = self._readings[-1]
        size = count / max(1, segments)
        self._outcome.warm_up = began - self._start
        self._outcome.samples = [(now - began, (reached - before) * size) for now, _, reached in self._readings[1:]]

    def _excuse(self, error: Failed | OSError) -> None:
        """A server that breaks off after enough load leaves a figure, with less trust; everything else is raised."""
        failure = classify(error)
        self._sample(self._now())
        self._count()
        if failure not in _ENOUGH or not self._usable():
            raise error
        self._outcome.ended = "abrupt"
        self._outcome.reason = clean(
            f"the server broke off {self._outcome.seconds:.1f} s behind the warm-up ({failure}: {error}); "
            "the figure covers that time",
            limit=200,
        )

    def _usable(self) -> bool:
        least = min(USABLE_SECONDS, (self._outcome.wanted - self._warm) / 2)
        return self._outcome.seconds >= least and self._outcome.moved >= USABLE_BYTES


INSTRUMENT = Instrument(
    name="librespeed",
    version=VERSION,
    read=read,
    settings=Throughput,
    does="Fills the line through several HTTP requests at once, 10 s each way, to the named LibreSpeed server",
    metrics=("throughput_down", "throughput_up"),
    alone=True,
    seconds=lambda settings: len(settings.directions) * (settings.time(RUNTIME) + 1.0),
    load=lambda settings, line: settings.moved(line * settings.time(RUNTIME) / 8),
    missing=lambda settings: secure.unreadable(settings) or missing(settings),
    hosts=hosts,
    wanted=lambda settings: Method.LIBRESPEED in settings.methods,
    table="throughput",
    files=("ca", "token_file"),
)
