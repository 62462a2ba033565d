"""A throughput method: ours. Several streams of msak's throughput1, counted in segments by the kernel, until enough is known.

It fills the line, leaves out the warm-up, stops when the rate is known to the asked precision, and says what else the line
showed meanwhile: round trips under load, bursts, and what kept the rate down. `docs/methodology.md` explains it to reviewers.
"""

from collections.abc import Iterator

from netready.failure import Failed, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.text import clean
from probes.throughput import limited, netready_report, reaches, watch
from probes.throughput.flows import Flows
from probes.throughput.outcome import Outcome
from probes.throughput.secure import unreadable
from probes.throughput.settings import Direction, Method, Throughput, endpoint, hosts, missing
from probes.throughput.steady import steady

VERSION = 1
METHOD = f"netready/{VERSION}"
METRIC = {Direction.DOWN: "throughput_down", Direction.UP: "throughput_up"}

LONGEST = 6.0  # s from the first packet on in each direction, unless the settings say otherwise
STREAMS = 8  # enough that default buffers of 4 to 6 MB fill 1 Gbit/s at 120 ms, and that one stream's loss hardly shows
MOST_STREAMS = 16
USUAL = 1.2  # s of load that a direction mostly takes; foretells the data
LOOK = 0.05  # s between looks at the rule
CLOSING = 0.2  # s of LONGEST that are left for the last readings and for closing; on a busy machine they take half of it
MARGIN = 3.0  # s that the server is asked to stay longer than we need it
GROWTH = 0.02  # ratio: more streams that bring less than this bring nothing


def read(settings: Throughput, context: Context) -> Iterator[Measurement]:
    """Each direction's rate and what came with it; raises Refused before the first packet when nobody named the server."""
    context.authority.allow_host(endpoint(settings.server).host)
    if settings.at_least:
        for direction in settings.directions:
            context.say(
                f"netready: {direction}, at least {settings.at_least / 1e6:g} Mbit/s? at most {reaches.seconds(settings):g} s"
            )
            yield from reaches.measure(direction, settings, context, METHOD)
        return
    for direction in settings.directions:
        longest = settings.time(LONGEST)
        context.say(f"netready: {direction} until the rate is known to {settings.precision:.1%}, at most {longest:g} s")
        yield from _measure(direction, settings, context)


def _measure(direction: Direction, settings: Throughput, context: Context) -> Iterator[Measurement]:
    taken_at = context.clock.now()
    outcome = Outcome(direction=direction, tls=settings.tls, wanted=settings.precision)
    flows = Flows(settings, context, direction)
    try:
        try:
            _run(outcome, flows, settings, context)
        finally:
            watch.finish(outcome, flows, context)
        value = netready_report.rate(outcome)
    except (Failed, OSError) as error:
        failure = classify(error)
        if failure is None:
            raise
        details: dict[str, Detail] = netready_report.describe(outcome, None) if outcome.after else {}
        details["reason"] = clean(str(error), limit=200)
        yield Measurement.failed(METRIC[direction], settings.server, taken_at, failure, METHOD, **details)
        return
    details = netready_report.describe(outcome, value)
    yield Measurement.of(METRIC[direction], settings.server, taken_at, value, METHOD, **details)
    for metric, number, extra in netready_report.latency(outcome):
        yield Measurement.of(metric, settings.server, taken_at, number, METHOD, **extra)


def _run(outcome: Outcome, flows: Flows, settings: Throughput, context: Context) -> None:
    outcome.begun = context.clock.monotonic()
    longest = settings.time(LONGEST - CLOSING)
    flows.open(settings.streams or STREAMS, seconds=longest + MARGIN, probe=True)
    watch.begin(outcome, flows, context)
    _Rule(outcome, flows, settings).run(longest - outcome.offset)


class _Rule:
    """Applies the stop rule to a running test."""

    def __init__(self, outcome: Outcome, flows: Flows, settings: Throughput) -> None:
        self._outcome = outcome
        self._flows = flows
        self._settings = settings
        self._joined = 0.0  # s when the last streams joined; a steady phase begins behind it
        self._before_joining: float | None = None

    def run(self, longest: float) -> None:
        """Load the line until enough is known or the time is up."""
        outcome, flows = self._outcome, self._flows
        while True:
            flows.run(min(flows.now + LOOK, longest))
            watch.glance(outcome, flows)
            self._look()
            if flows.now >= longest:
                outcome.ended = outcome.ended or "time"
            if outcome.ended:
                return

    def _look(self) -> None:
        outcome, flows = self._outcome, self._flows
        samples = [sample for sample in outcome.samples if sample[0] >= self._joined]
        found = steady(samples, rtt=outcome.idle_rtt, precision=self._settings.precision)
        outcome.steady = found
        if outcome.ended or found is None or found.precision > self._settings.precision:
            return
        if flows.fill(found.start, found.end) < limited.FULL_SEGMENTS:
            return  # bytes behind a lost segment look like segments that were not full; a little later they have come
        outcome.full = limited.full(flows.asking.pings, found.start, found.end, outcome.idle_rtt)
        if outcome.full:
            outcome.ended = "known"
            return
        if self._before_joining is not None and found.rate <= self._before_joining * (1 + GROWTH):
            outcome.ended = "known"  # more streams brought no more, so it is not the streams that hold it back
            return
        more = min(MOST_STREAMS - sum(flow.loaded for flow in flows.flows), len(flows.flows) - 1)
        if self._settings.streams or more <= 0:
            outcome.ended = "known"
            return
        self._before_joining = found.rate
        try:
            flows.open(more, seconds=self._settings.time(LONGEST) + MARGIN)
        except (Failed, OSError) as error:
            if classify(error) is None:
                raise
            outcome.ended = "known"
            outcome.reason = clean(f"the server gave no more than {len(flows.flows) - 1} streams: {error}", limit=200)
            return
        self._joined = flows.now + 2 * outcome.idle_rtt


def _missing(settings: Throughput) -> str | None:
    return missing(settings) or unreadable(settings)


def _seconds(settings: Throughput) -> float:
    each = reaches.seconds(settings) if settings.at_least else settings.time(LONGEST)
    return len(settings.directions) * each


def _load(settings: Throughput, line: float) -> float:
    """USUAL seconds of the line in each direction, or what a target test may move at most."""
    return settings.moved(float(reaches.most_bytes(settings)) if settings.at_least else line * USUAL / 8)


INSTRUMENT = Instrument(
    name="netready",
    version=VERSION,
    read=read,
    settings=Throughput,
    does="Fills the line through several TCP connections to the named test server until the rate is known, 1 to 6 s each way",
    metrics=(
        "throughput_down",
        "throughput_up",
        "latency_loaded_down",
        "latency_loaded_up",
        "responsiveness_down",
        "responsiveness_up",
        "throughput_down_reaches",
        "throughput_up_reaches",
    ),
    alone=True,
    seconds=_seconds,
    load=_load,
    missing=_missing,
    hosts=hosts,
    table="throughput",
    files=("ca", "token_file"),
    wanted=lambda settings: Method.NETREADY in settings.methods,
)
