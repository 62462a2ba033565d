"""From what happened in one direction of a `netready` test to its figure and details. No I/O."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from netready.failure import Failed, Failure
from netready.measurement import Detail
from probes.throughput import spread
from probes.throughput.responsiveness import quantile, responsiveness
from probes.throughput.settings import Direction
from probes.throughput.steady import Sample, Steady
from probes.throughput.surroundings import ETHERNET_HEADER, Card, Moment, Own, cpu_share, limits, load_beside
from probes.throughput.tcp_info import TcpInfo, header_bytes
from probes.throughput.throughput1 import Counters, Machine

CPU_SHARE = 0.85  # of one processor, by this process: its loop is one thread
HOST_SHARE = 0.95  # of all processors, by anybody
LIMIT_SHARE = 0.2  # of the senders' busy time
FULL_QUEUE = 0.001  # s by which round trips grow when the line is full, at least, and
FULL_SHARE = 0.03  # as a ratio of the round trip of the empty line,
FULL_PINGS = 0.95  # of the pings, of which there are
FEWEST_PINGS = 5  # at least
LOSSY = 0.005  # ratio of bytes sent again, above which a line without a queue is called lossy
FULL_SEGMENTS = 0.95  # ratio; less is not TCP with a backlog of load, whose segments are full but for the odd last one
SPLIT_SECONDS = 0.002  # by which the least round trips of the two ends differ, and
SPLIT_RATIO = 3.0  # their ratio, when they are not of one connection
BURST = 1.25  # times the sustained rate, for BURST_SECONDS at least
BURST_SECONDS = 0.1
UNSETTLED_SHARE = 0.5  # of the test that an unsettled figure is taken from: its last part


class Outcome(msgspec.Struct, kw_only=True):
    """What happened in one direction; filled while it runs. Lists of TCP counters have one entry for each stream.

    samples    (seconds, bytes) that arrived, as the kernel counted
    steady     the phase that the figure is taken from
    offset     s from the beginning of the test until its first stream stood, which is where `samples` count from
    fill       how full the counted segments were, as a ratio
    inspected  whether the two ends hold different TLS sessions
    full       whether the line's queue was seen to stand
    ended      "known" (the rule was met), "time", "data-budget" or "server"
    """

    direction: Direction
    tls: bool
    wanted: float
    begun: float = 0.0
    seconds: float = 0.0
    family: int = 0
    loopback: bool = False
    card: Card | None = None
    before: Moment | None = None
    after: Moment | None = None
    tcp_before: list[TcpInfo] = []
    tcp_after: list[TcpInfo] = []
    loaded: list[bool] = []
    told: list[Counters | None] = []
    hosts: list[Machine] = []
    uuids: list[str] = []
    congestion: str = ""
    mid: str = ""
    samples: list[Sample] = []
    steady: Steady | None = None
    idle_rtt: float = 0.0
    offset: float = 0.0
    full: bool = False
    inspected: bool = False
    mss: int = 0
    fill: float = 1.0
    pings: list[tuple[float, float]] = []
    own: list[tuple[float, float]] = []
    knocks: list[tuple[float, float]] = []
    ignored: int = 0
    ended: str = ""
    reason: str = ""

    @property
    def settled(self) -> bool:
        """Whether the figure comes from a steady phase."""
        return self.steady is not None


def queue(pings: Sequence[tuple[float, float]], start: float, end: float, idle: float) -> float | None:
    """By how much the median round trip (s) of a phase's pings exceeds that of the empty line; None without pings."""
    found = [seconds for when, seconds in pings if start <= when <= end]
    return quantile(found, 0.5) - idle if len(found) >= 5 else None


def full(pings: Sequence[tuple[float, float]], start: float, end: float, idle: float) -> bool:
    """Whether the line's queue stood all through a phase: nearly every ping (when, s) of it waited in it.

    One that stood most of the time only is not enough: while it is empty, the line may be idle.
    """
    least = idle + max(FULL_QUEUE, FULL_SHARE * idle)
    waited = [seconds >= least for when, seconds in pings if start <= when <= end]
    return len(waited) >= FEWEST_PINGS and sum(waited) >= FULL_PINGS * len(waited)


def rate(outcome: Outcome) -> float:
    """The figure, bit/s of TCP payload; raises Failed when the test did not come to one.

    Segments that were not full are counted for what they carried: a sender with little to say is not a fast line.
    """
    if outcome.steady is None:
        outcome.steady = _unsettled(outcome.samples, outcome.idle_rtt)
        if outcome.steady is None:
            why = outcome.reason or "too little came in the time there was"
            raise Failed(Failure.CLOSED_EARLY if outcome.ended == "server" else Failure.INCONCLUSIVE, why)
        outcome.full = False
        outcome.reason = (
            outcome.reason or f"the rate did not settle in {outcome.samples[-1][0]:.1f} s; this is the mean of the last part"
        )
        outcome.ended = outcome.ended if outcome.ended != "time" else "unsettled"
    if outcome.fill < FULL_SEGMENTS:
        found, fill = outcome.steady, outcome.fill
        outcome.steady = msgspec.structs.replace(
            found, rate=found.rate * fill, low=found.low * fill, high=min(found.high * fill * (2 - fill), found.high)
        )
        outcome.full = False
    return outcome.steady.rate


def _unsettled(samples: Sequence[Sample], rtt: float) -> Steady | None:
    if not samples:
        return None
    half = samples[-1][0] * (1 - UNSETTLED_SHARE)
    last = [sample for sample in samples if sample[0] >= half]
    found = spread.steady_interval(last, rtt=rtt)
    if found is None:
        return None
    mean, low, high = found
    return Steady(start=last[0][0], end=last[-1][0], rate=mean, low=low, high=high, samples=len(last))


def burst(samples: Sequence[Sample], steady: Steady) -> tuple[float, float] | None:
    """Rate (bit/s) and bytes of a burst before the steady phase: the line carried more for a while than it went on to.

    Whole windows of BURST_SECONDS from the first byte on, so that the bunching of a few packets is none.
    """
    marks: list[Sample] = []
    for sample in samples:
        if sample[0] > steady.start:
            break
        if not marks or sample[0] - marks[-1][0] >= BURST_SECONDS:
            marks.append(sample)
    rates = [(8 * (b[1] - a[1]) / (b[0] - a[0]), b[1] - a[1]) for a, b in pairwise(marks)]
    fast = [(rate, octets) for rate, octets in rates if rate >= BURST * steady.rate]
    return (max(rate for rate, _ in fast), sum(octets for _, octets in fast)) if fast else None


def describe(outcome: Outcome, value: float | None) -> dict[str, Detail]:
    """Everything that belongs to the figure; with None, what is known of a test that failed after it had begun."""
    details: dict[str, Detail] = {
        "seconds": round(outcome.seconds, 3),
        "bytes_sent": _grown(outcome, "BytesSent"),
        "bytes_received": _grown(outcome, "BytesReceived"),
        "streams": sum(outcome.loaded),
        "layer": "TCP payload",
        "counted_by": "this side, segments that arrived"
        if outcome.direction is Direction.DOWN
        else "the receiver's acknowledgements, segment by segment",
        "ended": outcome.ended,
    }
    if outcome.reason:
        details["reason"] = outcome.reason
    if outcome.congestion:
        details["congestion"] = outcome.congestion
    if outcome.uuids:
        details["server_uuid"] = outcome.uuids[0]
    if outcome.mid:
        details["measurement_id"] = outcome.mid
    if outcome.ignored:
        details["ignored_messages"] = outcome.ignored
    if outcome.idle_rtt:
        details["min_rtt"] = round(outcome.idle_rtt, 6)
    if (again := retransmitted(outcome)) is not None:
        details["retransmitted"] = round(again, 6)
    if value is not None:
        details |= _figure(outcome, value)
    return details | _surroundings(outcome, value)


def _figure(outcome: Outcome, value: float) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    found = outcome.steady
    if found is not None:
        details["interval"] = [found.low, found.high]
        details["interval_method"] = spread.METHOD
        details["samples"] = found.samples
        details["window"] = [round(outcome.offset + found.start, 3), round(outcome.offset + found.end, 3)]
        if found.before is not None:
            details["rate_before"] = found.before
        if (fast := burst(outcome.samples, found)) is not None:
            details["burst_rate"], details["burst_bytes"] = fast
    if outcome.mss:
        header = header_bytes(outcome.tcp_after[0] if outcome.tcp_after else {}, outcome.family)
        details["mss"] = outcome.mss
        details["segment_fill"] = round(outcome.fill, 4)
        details["ip_rate"] = value * (outcome.mss + header) / outcome.mss
    return details


def latency(outcome: Outcome) -> Iterator[tuple[str, float, dict[str, Detail]]]:
    """The round trips under load as (metric, value, details): in the steady phase, or behind the warm-up when there is none."""
    if outcome.steady is None or outcome.loopback:
        return
    start = outcome.steady.start
    found = responsiveness(*([seconds for when, seconds in each if when >= start] for each in _probes(outcome)))
    if found is None:
        return
    details: dict[str, Detail] = {
        "samples": found.pings,
        "p50": found.p50,
        "p95": found.p95,
        "idle_rtt": outcome.idle_rtt,
        "line_full": outcome.full,
    }
    yield f"latency_loaded_{outcome.direction}", found.p50, details
    if found.rpm is not None:
        counts: dict[str, Detail] = {"samples": found.pings, "self_pings": found.self_pings, "knocks": found.knocks}
        yield f"responsiveness_{outcome.direction}", found.rpm, counts | {"line_full": outcome.full}


def _probes(outcome: Outcome) -> tuple[list[tuple[float, float]], ...]:
    return outcome.pings, outcome.own, outcome.knocks


def _surroundings(outcome: Outcome, value: float | None) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    before, after = outcome.before, outcome.after
    if outcome.card is not None:
        details["interface"] = outcome.card.interface
        details["interface_kind"] = outcome.card.kind.value
        if outcome.card.speed:
            details["interface_rate"] = outcome.card.speed
    if before is None or after is None or after.at <= before.at:
        return details
    process, host = cpu_share(before, after)
    details["cpu_process"] = round(process, 3)
    if host is not None:
        details["cpu_host"] = round(host, 3)
    if outcome.hosts:
        details["cpu_server"] = max(machine.Process for machine in outcome.hosts)
    if value is not None and (words := limited_by(outcome, value, process, host)):
        details["limited_by"] = words[0] if len(words) == 1 else list(words)
    if not outcome.loopback and outcome.tcp_after:
        came, left = _own(outcome, "BytesReceived", "SegsIn"), _own(outcome, "BytesSent", "SegsOut")
        details |= load_beside(before, after, came=came, left=left, down=outcome.direction is Direction.DOWN)
    return details


def limited_by(outcome: Outcome, value: float, process: float, host: float | None) -> list[str]:
    """What kept the figure down, as far as it can be shown. "link" alone means that the line's own queue was seen to stand.

    Whatever else is named lowers the grade of the figure: it says something about this computer or this test.
    """
    if outcome.loopback:
        return ["loopback"]
    words: list[str] = []
    if process >= CPU_SHARE or (host is not None and host >= HOST_SHARE):
        words.append("cpu")
    if any(machine.Process >= CPU_SHARE or machine.All >= HOST_SHARE for machine in outcome.hosts):
        words.append("server")
    header = header_bytes(outcome.tcp_after[0] if outcome.tcp_after else {}, outcome.family)
    ip_rate = value * (outcome.mss + header) / outcome.mss if outcome.mss else value
    if outcome.card is not None:
        words += limits(outcome.card, ip_rate)
    if outcome.ended in {"data-budget", "unsettled", "server"}:
        words.append(outcome.ended)
    if outcome.inspected:
        words.append("tls-inspection")
    elif split(outcome):
        words.append("proxy")
    if not outcome.full:
        words += _without_queue(outcome)
    return list(dict.fromkeys(words)) or (["link"] if outcome.full else ["unknown"])


def split(outcome: Outcome) -> bool:
    """Whether the two ends see different round trips, as they do when something between them ends our connections.

    It takes bytes before they have crossed the line, so that neither end's counters are those of the line.
    """
    there = min((told.MinRTT for told in outcome.told if told is not None and told.MinRTT), default=None)
    if not there or not outcome.idle_rtt:
        return False
    short, long = sorted((there / 1e6, outcome.idle_rtt))
    return long - short > SPLIT_SECONDS and long > SPLIT_RATIO * short


def _without_queue(outcome: Outcome) -> list[str]:
    """What else may have held back a load that did not fill the line's queue."""
    words = window_limits(outcome)
    if outcome.fill < FULL_SEGMENTS:
        words.append("sender")
    if (retransmitted(outcome) or 0.0) >= LOSSY:
        words.append("loss")
    return words


def window_limits(outcome: Outcome) -> list[str]:
    """Whether the senders waited for the receiver's window or for their own buffer, by their own counters."""
    senders = _senders(outcome)
    words = []
    busy = sum(counters.get("BusyTime", 0) for counters in senders)
    if busy and sum(counters.get("RWndLimited", 0) for counters in senders) > LIMIT_SHARE * busy:
        words.append("receive-window")
    if busy and sum(counters.get("SndBufLimited", 0) for counters in senders) > LIMIT_SHARE * busy:
        words.append("send-buffer")
    return words


def _senders(outcome: Outcome) -> list[dict[str, int]]:
    """The TCP counters of the end that sent the load, stream by stream."""
    if outcome.direction is Direction.UP:
        return [counters for counters, loaded in zip(outcome.tcp_after, outcome.loaded, strict=True) if loaded]
    return [
        {name: count for name, count in msgspec.structs.asdict(told).items() if count is not None}
        for told, loaded in zip(outcome.told, outcome.loaded, strict=True)
        if loaded and told is not None
    ]


def retransmitted(outcome: Outcome) -> float | None:
    """Share of the load's bytes that were sent more than once."""
    senders = _senders(outcome)
    sent = sum(counters.get("BytesSent", 0) for counters in senders)
    again = sum(counters.get("BytesRetrans", 0) for counters in senders)
    return again / sent if sent >= again and sent > 0 else None


def _grown(outcome: Outcome, name: str) -> int:
    before = outcome.tcp_before + [{}] * (len(outcome.tcp_after) - len(outcome.tcp_before))
    return sum(max(0, after.get(name, 0) - was.get(name, 0)) for was, after in zip(before, outcome.tcp_after, strict=True))


def _own(outcome: Outcome, payload: str, segments: str) -> Own:
    header = ETHERNET_HEADER + header_bytes(outcome.tcp_after[0] if outcome.tcp_after else {}, outcome.family)
    # Bytes in order leave out what waits behind a lost segment when the test ends; segments do not.
    arrived = int(_grown(outcome, "DataSegsIn") * outcome.mss * outcome.fill) if payload == "BytesReceived" else 0
    return Own(payload=max(arrived, _grown(outcome, payload)), segments=_grown(outcome, segments), header=header)
