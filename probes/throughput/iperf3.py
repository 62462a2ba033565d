"""A throughput method: the `iperf3` program, several TCP streams in each direction, for whoever's provider insists on it.

The figure is the receiver's own count after a warm-up that is left out. The program itself is the method, for its wire
protocol is its own; it runs as a child that is bounded in time and memory.
"""

import shutil
from collections.abc import Iterator

import msgspec

from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.text import clean
from probes.throughput import child, iperf3_answer, iperf3_json, way_out
from probes.throughput.iperf3_answer import Figure
from probes.throughput.iperf3_json import Answer
from probes.throughput.iperf3_plan import LEAST_BUDGET, RUNTIME, STREAMS, Run, scout, whole, within
from probes.throughput.settings import Direction, Method, Throughput, endpoint, hosts, missing
from probes.throughput.way_out import Look, Way

VERSION = 1
METHOD = f"iperf3/{VERSION}"
METRIC = {Direction.DOWN: "throughput_down", Direction.UP: "throughput_up"}

GRACE = 2.0  # s for the program to start, to exchange results and to print them
_SLOWER = 3  # times what the scout's rate foretells, after which a counted run is given up
_PACED = 0.9  # of the pace, above which the pace was the limit
_NEXT_ADDRESS = frozenset({Failure.REFUSED, Failure.UNREACHABLE})  # after these another address of the name is tried


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    """A run that gave an answer, and what surrounded it. `moved` is all load, scout and warm-up included."""

    run: Run
    answer: Answer
    figure: Figure
    before: Look
    after: Look
    moved: int


def read(settings: Throughput, context: Context) -> Iterator[Measurement]:
    """One measurement for each direction asked for; raises Refused before the first packet when nobody named the server."""
    context.authority.allow_host(endpoint(settings.server).host)
    for direction in settings.directions:
        context.say(f"iperf3: {direction} for {int(settings.time(RUNTIME))} s, {settings.server}")
        yield _measure(direction, settings, context)


def _measure(direction: Direction, settings: Throughput, context: Context) -> Measurement:
    taken_at = context.clock.now()
    try:
        way, done = _reach(direction, settings, context)
    except (Failed, OSError) as error:
        failure = classify(error)
        if failure is None:
            raise
        reason = clean(str(error), limit=200)
        return Measurement.failed(METRIC[direction], settings.server, taken_at, failure, METHOD, reason=reason)
    details = _describe(direction, way, done)
    return Measurement.of(METRIC[direction], settings.server, taken_at, done.figure.rate, METHOD, **details)


def _reach(direction: Direction, settings: Throughput, context: Context) -> tuple[Way, _Done]:
    """The test against the first of the server's addresses that takes the connection."""
    server = endpoint(settings.server)
    problem = Failed(Failure.DNS_NO_ADDRESS, f"{server.host} has no address")
    for way in way_out.ways(server.host, server.port):
        try:
            return way, _test(direction, way, settings, context)
        except Failed as failed:
            if failed.failure not in _NEXT_ADDRESS:
                raise
            problem = failed
    raise problem


def _test(direction: Direction, way: Way, settings: Throughput, context: Context) -> _Done:
    now, streams, total = context.clock.monotonic, settings.streams or STREAMS, settings.time(RUNTIME)
    run, spent = whole(total, streams), 0
    if settings.most_bytes:
        first = _run(scout(settings.most_bytes, streams), direction, way, settings, context)
        found = iperf3_answer.figure(first, direction)
        spent = first.moved
        run = within(settings.most_bytes, found.rate, settings.most_bytes - spent, total, streams)
    before = way_out.look(way, now)
    answer = _run(run, direction, way, settings, context)
    after = way_out.look(way, now)
    figure = iperf3_answer.figure(answer, direction)
    return _Done(run=run, answer=answer, figure=figure, before=before, after=after, moved=spent + answer.moved)


def _run(run: Run, direction: Direction, way: Way, settings: Throughput, context: Context) -> Answer:
    """What the program answers; raises Failed when it does not."""
    program = shutil.which("iperf3")
    if program is None:
        raise Failed(Failure.NOT_SUPPORTED, "the program iperf3 is not installed")
    argv = [program, "--json", "--get-server-output", "-c", way.address, "-p", str(endpoint(settings.server).port)]
    argv += ["--connect-timeout", str(int(1000 * settings.handshake_timeout)), *run.arguments]
    if direction is Direction.DOWN:
        argv.append("-R")
    if settings.congestion:
        argv += ["-C", settings.congestion]
    lasts = run.lasts * (_SLOWER if run.count else 1)
    seconds = settings.handshake_timeout + lasts + settings.timeout + GRACE
    ended = child.run(argv, seconds=seconds, now=context.clock.monotonic)
    if ended.status < 0:
        raise child.killed(ended.status, "iperf3")
    if not ended.output.strip():
        raise iperf3_answer.refusal(ended.errors.decode("utf-8", "replace"))
    answer = iperf3_json.parse(ended.output)
    if answer.error:
        raise iperf3_answer.refusal(answer.error)
    return answer


def _describe(direction: Direction, way: Way, done: _Done) -> dict[str, Detail]:
    down = direction is Direction.DOWN
    answer, figure, run = done.answer, done.figure, done.run
    sent = answer.end.sum_sent
    # What the sender had sent when the receiver stopped counting has used the line as well.
    late = max(0, (sent.bytes or 0) - figure.received) if down and sent is not None else 0
    details: dict[str, Detail] = {
        "seconds": round(figure.seconds, 3),
        "warm_up": float(run.omit),
        "bytes_sent": 0 if down else done.moved,
        "bytes_received": done.moved if down else 0,
        "streams": run.streams,
        "samples": figure.samples,
        "layer": "TCP payload",
        "counted_by": "this side" if down else "server",
        "ended": "bytes" if run.count else "time",
    }
    if figure.interval is not None:
        details |= {"interval": [*figure.interval], "interval_method": figure.interval_method}
    mss = answer.start.tcp_mss_default or 0
    if 0 < mss <= way.mss:
        details |= {"mss": mss, "ip_rate": way_out.wire_rate(way, figure.rate, mss)}
    details |= iperf3_answer.describe(answer, direction)
    details |= way_out.describe(way, done.before, done.after, down=down, payload=answer.moved + late)
    words = way_out.limited(way, done.before, done.after, figure.rate)
    words += iperf3_answer.limited(answer, direction, run.streams)
    if run.count or (run.pace and figure.rate >= _PACED * run.pace):
        words.append("data-budget")
    if words:
        details["limited_by"] = way_out.said(words)
    return details


def _missing(settings: Throughput) -> str | None:
    if reason := missing(settings):
        return reason
    if settings.tls or settings.pin:
        return "iperf3 has no TLS: leave throughput.tls and throughput.pin out, or use another method"
    if settings.seconds is not None and settings.seconds < 1:
        return "iperf3 counts in whole seconds: throughput.seconds must be at least 1"
    if 0 < settings.most_bytes < LEAST_BUDGET:
        return f"iperf3 needs a throughput.most_bytes of at least {LEAST_BUDGET:,}"
    if shutil.which("iperf3") is None:
        return "the program iperf3 is not installed; sudo apt install iperf3"
    return None


INSTRUMENT = Instrument(
    name="iperf3",
    version=VERSION,
    read=read,
    settings=Throughput,
    does="Runs the iperf3 program against the named iperf3 server: four TCP streams, 9 s each way, the first 2 s left out",
    metrics=("throughput_down", "throughput_up"),
    alone=True,
    seconds=lambda settings: len(settings.directions) * (settings.time(RUNTIME) + GRACE),
    load=lambda settings, line: settings.moved(line * settings.time(RUNTIME) / 8),
    missing=_missing,
    hosts=hosts,
    wanted=lambda settings: Method.IPERF3 in settings.methods,
    table="throughput",
    files=("ca", "token_file"),
)
