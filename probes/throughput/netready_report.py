"""From what happened in one direction of a `netready` test to its figure and details. No I/O."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from netready.failure import Failed, Failure
from netready.measurement import Detail
from probes.throughput import spread
from probes.throughput.limited import FULL_SEGMENTS, limited_by, retransmitted
from probes.throughput.outcome import Outcome
from probes.throughput.responsiveness import responsiveness
from probes.throughput.settings import Direction
from probes.throughput.steady import Sample, Steady
from probes.throughput.surroundings import ETHERNET_HEADER, Own, cpu_share, load_beside
from probes.throughput.tcp_info import header_bytes

BURST = 1.25  # times the sustained rate, for BURST_SECONDS at least
BURST_SECONDS = 0.1
UNSETTLED_SHARE = 0.5  # of the test that an unsettled figure is taken from: its last part


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


def _grown(outcome: Outcome, name: str) -> int:
    before = outcome.tcp_before + [{}] * (len(outcome.tcp_after) - len(outcome.tcp_before))
    return sum(max(0, after.get(name, 0) - was.get(name, 0)) for was, after in zip(before, outcome.tcp_after, strict=True))


def _own(outcome: Outcome, payload: str, segments: str) -> Own:
    header = ETHERNET_HEADER + header_bytes(outcome.tcp_after[0] if outcome.tcp_after else {}, outcome.family)
    # Bytes in order leave out what waits behind a lost segment when the test ends; segments do not.
    arrived = int(_grown(outcome, "DataSegsIn") * outcome.mss * outcome.fill) if payload == "BytesReceived" else 0
    return Own(payload=max(arrived, _grown(outcome, payload)), segments=_grown(outcome, segments), header=header)
