"""A throughput method: the package speedtest-cli against a Speedtest Mini server, for whoever's provider insists on it.

The figure is the package's own, with its biases, which travel with it in words. It never speaks to speedtest.net. The
package runs in a child process that is bounded in time and memory (`speedtest_child`).
"""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.text import clean
from probes.throughput import child, secure, way_out
from probes.throughput.ndt7_report import CPU_SHARE
from probes.throughput.settings import Direction, Method, Throughput, endpoint, hosts, missing
from probes.throughput.speedtest_job import CAP, LEAST_BUDGET, OBJECTS, SECONDS, THREADS, Job, Told
from probes.throughput.way_out import Look, Way

VERSION = 1
METHOD = f"speedtest/{VERSION}"
METRIC = {Direction.DOWN: "throughput_down", Direction.UP: "throughput_up"}

LIMIT = "method"  # in `limited_by` of every figure: what this method finds is never said to be the line's rate
START = 5.0  # s for a slow machine to start the child and to prepare 150 MB of uploads
GRACE = 4.0  # s beside the load: the child's start, its first page, the end of its threads
USABLE_SECONDS = 2.0  # s of load, or half the test if that is less, below which a figure needs half of the method's bytes
SILENCE = 2.0  # s at the end of a test; with more the line or the server has gone (a new connection by satellite takes 1.4 s)
_HEAD = 600  # bytes of HTTP and TCP set-up for each object, in the direction of the load; to tell our traffic from others'

_BOTH = (
    "no warm-up is left out: every figure contains its slow start",
    "each object is fetched or sent over a TCP connection of its own, which starts slowly again",
    "the time that is divided by ends when the last thread has been waited for",
)
BIASES = {
    Direction.DOWN: (
        *_BOTH,
        f"ends after {CAP[Direction.DOWN] / 1e6:.0f} MB, on a line of 1 Gbit/s within 4 s",
        "too low in a laboratory, at 100 Mbit/s: by 3 % with a round trip of 20 ms, by 6 to 23 % with 60 ms",
        "too low in a laboratory, at 1 Gbit/s: by 5 % with 2 ms, by 24 to 43 % with 20 ms, by 50 to 72 % with 60 ms",
    ),
    Direction.UP: (
        *_BOTH,
        "counts bytes that were handed to this machine's sockets, not bytes that arrived",
        f"ends after {CAP[Direction.UP] / 1e6:.0f} MB, on a line of 1 Gbit/s within 2 s",
        "too low in a laboratory, at 100 Mbit/s: by 6 % with a round trip of 20 ms, by 13 to 19 % with 60 ms",
        "too low in a laboratory, at 1 Gbit/s: by 3 % with 2 ms, by 37 to 55 % with 20 ms, by 72 to 73 % with 60 ms",
    ),
}


def read(settings: Throughput, context: Context) -> Iterator[Measurement]:
    """One measurement for each direction asked for; raises Refused before the first packet when nobody named the server."""
    context.authority.allow_host(endpoint(settings.server).host)
    for direction in settings.directions:
        context.say(f"speedtest: {direction} for up to {settings.time(SECONDS):g} s, {settings.server}")
        yield _measure(direction, settings, context)


def _measure(direction: Direction, settings: Throughput, context: Context) -> Measurement:
    taken_at, now, server = context.clock.now(), context.clock.monotonic, endpoint(settings.server)
    try:
        way, *_ = way_out.ways(server.host, server.port)
        before = way_out.look(way, now)
        told = _ask(direction, settings, context)
        after = way_out.look(way, now)
        check(told, direction, settings)
    except (Failed, OSError) as error:
        failure = classify(error)
        if failure is None:
            raise
        reason = clean(str(error), limit=200)
        return Measurement.failed(METRIC[direction], settings.server, taken_at, failure, METHOD, reason=reason)
    details = describe(told, direction, settings, way=way, before=before, after=after)
    return Measurement.of(METRIC[direction], settings.server, taken_at, told.rate, METHOD, **details)


def _ask(direction: Direction, settings: Throughput, context: Context) -> Told:
    """What the child answers; raises Failed when it is given up, and RuntimeError with its traceback for a bug of ours."""
    root = Path(__file__).resolve().parent.parent.parent
    argv = [sys.executable, "-P", "-s", "-W", "ignore", "-m", "probes.throughput.speedtest_child"]
    seconds = START + settings.handshake_timeout + settings.time(SECONDS) + settings.timeout + GRACE
    job = msgspec.json.encode(Job(settings=settings, direction=direction))
    ended = child.run(argv, seconds=seconds, now=context.clock.monotonic, tell=job, more={"PYTHONPATH": str(root)})
    if ended.status < 0:
        raise child.killed(ended.status, "speedtest-cli")
    if ended.status:
        raise RuntimeError(f"speedtest_child ended with {ended.status}: {clean(ended.errors[-2000:], limit=2000)}")
    return msgspec.json.decode(ended.output, type=Told)


def check(told: Told, direction: Direction, settings: Throughput) -> None:
    """Raises Failed when the child has no figure, or one that stands on too little load. Pure."""
    if told.failure:
        raise Failed(Failure(told.failure), told.reason)
    if told.silent >= SILENCE:
        raise Failed(
            Failure.CLOSED_EARLY,
            f"nothing moved in the last {told.silent:.1f} s of {told.seconds:.1f} s, which speedtest-cli's figure would count",
        )
    least = min(USABLE_SECONDS, settings.time(SECONDS) / 2)
    if told.rate <= 0 or not (told.over or told.seconds >= least or told.moved >= CAP[direction] / 2):
        raise Failed(
            Failure.CLOSED_EARLY,
            f"the server let {told.moved} bytes through in {told.seconds:.1f} s; that is too little for a figure",
        )


def describe(
    told: Told, direction: Direction, settings: Throughput, *, way: Way, before: Look, after: Look
) -> dict[str, Detail]:
    """Everything that belongs to the figure. Pure. There is no interval: the method has no readings to make one of."""
    down = direction is Direction.DOWN
    details: dict[str, Detail] = {
        "seconds": round(told.seconds, 3),
        "bytes_sent": 0 if down else told.moved,
        "bytes_received": told.moved if down else 0,
        "streams": settings.streams or THREADS,
        "samples": 1,
        "layer": "HTTP body",
        "counted_by": "this side" if down else "this side (bytes handed to the sockets)",
        "ended": _ended(told, direction),
        "biases": [*BIASES[direction]],
        "requests": told.requests,
        "program": f"speedtest-cli {clean(told.version, limit=20)}",
        "cpu_process": round(told.processor / told.seconds, 3),
    }
    if told.failed:
        details["failed_requests"] = told.failed
    details |= way_out.describe(way, before, after, down=down, payload=told.moved + _HEAD * told.requests)
    words = [*way_out.limited(way, before, after, told.rate), LIMIT]
    if told.processor >= CPU_SHARE * told.seconds:
        words.append("cpu")
    if told.failed:
        words.append("server")
    if told.over:
        words.append("data-budget")
    details["limited_by"] = way_out.said(words)
    return details


def _ended(told: Told, direction: Direction) -> str:
    if told.over:
        return "bytes"
    return "objects" if told.answered >= len(OBJECTS[direction]) else "time"


def _missing(settings: Throughput) -> str | None:
    if reason := missing(settings) or secure.unreadable(settings):
        return reason
    if 0 < settings.most_bytes < LEAST_BUDGET:
        return f"speedtest needs a throughput.most_bytes of at least {LEAST_BUDGET:,}"
    if find_spec("speedtest") is None:
        return "the package speedtest-cli is not installed; pip install speedtest-cli"
    return None


def _load(settings: Throughput, line: float) -> float:
    each = [min(line * settings.time(SECONDS) / 8, CAP[direction]) for direction in settings.directions]
    return sum(min(one, settings.most_bytes) if settings.most_bytes else one for one in each)


INSTRUMENT = Instrument(
    name="speedtest",
    version=VERSION,
    read=read,
    settings=Throughput,
    does="Runs speedtest-cli against the named Speedtest Mini server, up to 10 s each way; a figure with known biases",
    metrics=("throughput_down", "throughput_up"),
    alone=True,
    seconds=lambda settings: len(settings.directions) * (settings.time(SECONDS) + GRACE),
    load=_load,
    missing=_missing,
    hosts=hosts,
    wanted=lambda settings: Method.SPEEDTEST in settings.methods,
    table="throughput",
    files=("ca", "token_file"),
)
