"""What is read off the streams of a test into its outcome: before, during and after the load. Both of our tests use it."""

from netready.failure import Failed, Failure
from netready.instrument import Context
from probes.throughput import surroundings, tcp_info
from probes.throughput.flows import Flows
from probes.throughput.outcome import Outcome

QUIET = 1.0  # s, or QUIET_ROUND_TRIPS: without a segment for so long the line is down, not slow
QUIET_ROUND_TRIPS = 10


def begin(outcome: Outcome, flows: Flows, context: Context) -> None:
    """Read what must be known before load changes it."""
    connection = flows.flows[0].channel.connection
    outcome.family = connection.family
    outcome.offset = flows.start - outcome.begun
    interface = surroundings.route_interface(str(connection.getpeername()[0])) or surroundings.interface_of(connection)
    outcome.card = surroundings.card(interface) if interface else None
    # A far end on this very machine is reached without any line, whatever address it goes by.
    outcome.loopback = outcome.card is not None and outcome.card.kind is surroundings.Kind.LOOPBACK
    outcome.before = surroundings.read_moment(context.clock.monotonic(), interface)
    outcome.tcp_before = [tcp_info.read(flow.channel.connection) for flow in flows.flows]


def glance(outcome: Outcome, flows: Flows) -> None:
    """Bring the counts up to date; raises Failed when the test cannot become a measurement any more."""
    mss = flows.mss
    outcome.samples = [(when, segments * mss) for when, segments in flows.samples]
    outcome.idle_rtt = flows.idle_rtt
    if flows.spent:
        outcome.ended = "data-budget"
    loaded = [flow for flow in flows.flows if flow.loaded]
    for flow in loaded:
        if flow.ended in {Failure.MALFORMED, Failure.TOO_LARGE}:
            raise Failed(Failure(flow.ended), flow.reason)
    gone = [flow for flow in loaded if not flow.alive]
    if len(gone) == len(loaded):
        outcome.ended = "server"
        outcome.reason = gone[0].reason
    quiet = max(QUIET, QUIET_ROUND_TRIPS * outcome.idle_rtt)
    samples = outcome.samples
    if samples and samples[-1][0] > quiet:
        past = next((count for when, count in reversed(samples) if when <= samples[-1][0] - quiet), 0.0)
        if samples[-1][1] <= past:
            raise Failed(Failure.TIMEOUT, f"the line went quiet: nothing came for {quiet:.1f} s of the test")


def finish(outcome: Outcome, flows: Flows, context: Context) -> None:
    """Read the last counters, and stop the load at once."""
    if outcome.before is not None:
        interface = outcome.card.interface if outcome.card else None
        outcome.after = surroundings.read_moment(context.clock.monotonic(), interface)
        outcome.tcp_after = [tcp_info.read(flow.channel.connection) for flow in flows.flows]
        outcome.loaded = [flow.loaded for flow in flows.flows]
        outcome.told = [flow.told for flow in flows.flows]
        outcome.inspected = any(flow.inspected for flow in flows.flows)
        outcome.hosts = [flow.host for flow in flows.flows if flow.host is not None]
        outcome.uuids = [flow.uuid for flow in flows.flows if flow.loaded and flow.uuid]
        outcome.congestion = flows.congestion
        outcome.pings, outcome.own, outcome.knocks = flows.asking.pings, flows.asking.own, flows.asking.knocks
        outcome.mss, outcome.mid = flows.mss, flows.mid
        if outcome.samples:
            phase = outcome.steady
            outcome.fill = flows.fill(phase.start, phase.end) if phase else flows.fill(0.0, outcome.samples[-1][0])
        outcome.ignored = flows.ignored
    flows.close()
    outcome.seconds = context.clock.monotonic() - outcome.begun
