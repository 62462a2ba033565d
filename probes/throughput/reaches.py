"""The target test: does the line carry at least a given rate? Paced streams, and a sequential test on what arrives.

It never asks the line for more than a little above the target, so it is cheap, and safe while classes work.
"""

from collections.abc import Iterator

import msgspec

from netready.failure import Failed, Failure, classify
from netready.instrument import Context
from netready.measurement import Detail, Measurement
from netready.text import clean
from probes.throughput import limited, netready_report, surroundings, target, tcp_info, watch
from probes.throughput.flows import Flows
from probes.throughput.outcome import Outcome
from probes.throughput.settings import Direction, Throughput
from probes.throughput.target import Answer, Sender, Verdict

METRIC = {Direction.DOWN: "throughput_down_reaches", Direction.UP: "throughput_up_reaches"}
STREAMS = 4  # paced ones need no more; fewer show one stream's losses
LOOK = 0.02  # s between looks at the rule
MARGIN = 3.0  # s that the server is asked to stay longer than we need it


def seconds(settings: Throughput) -> float:
    """The longest that a direction takes."""
    return settings.time(target.SECONDS)


def most_bytes(settings: Throughput) -> int:
    """What a direction may move."""
    own = target.budget(settings.at_least)
    return min(own, settings.most_bytes) if settings.most_bytes else own


def measure(direction: Direction, settings: Throughput, context: Context, method: str) -> Iterator[Measurement]:
    """One measurement: 1 for yes, 0 for no, and the failure word "inconclusive" when it cannot be told."""
    taken_at = context.clock.now()
    outcome = Outcome(direction=direction, tls=settings.tls, wanted=settings.precision)
    pace = settings.at_least * target.PACE
    flows = Flows(settings, context, direction, pace=pace)
    metric = METRIC[direction]
    try:
        try:
            verdict = _run(outcome, flows, settings, context, pace)
        finally:
            watch.finish(outcome, flows, context)
    except (Failed, OSError) as error:
        failure = classify(error)
        if failure is None:
            raise
        asked: dict[str, Detail] = {"asked": settings.at_least, "reason": clean(str(error), limit=200)}
        yield Measurement.failed(metric, settings.server, taken_at, failure, method, **asked)
        return
    details = _details(outcome, settings, verdict, pace)
    match verdict.answer:
        case Answer.YES:
            yield Measurement.of(metric, settings.server, taken_at, 1.0, method, **details)
        case Answer.NO:
            yield Measurement.of(metric, settings.server, taken_at, 0.0, method, **details)
        case Answer.CANNOT_SAY | Answer.GO_ON:
            yield Measurement.failed(metric, settings.server, taken_at, Failure.INCONCLUSIVE, method, **details)


def _run(outcome: Outcome, flows: Flows, settings: Throughput, context: Context, pace: float) -> Verdict:
    longest, most = seconds(settings), most_bytes(settings)
    outcome.begun = context.clock.monotonic()
    flows.open(settings.streams or STREAMS, seconds=longest + MARGIN, probe=True)
    watch.begin(outcome, flows, context)
    while True:
        flows.run(min(flows.now + LOOK, longest))
        watch.glance(outcome, flows)
        if outcome.ended == "server":
            raise Failed(Failure.CLOSED_EARLY, outcome.reason)
        moved = outcome.samples[-1][1] if outcome.samples else 0.0
        finished = flows.now >= longest or moved >= most
        verdict = _decide(outcome, flows, settings.at_least, pace, finished=finished)
        if finished or verdict.answer is not Answer.GO_ON:
            outcome.ended = "known" if verdict.answer in {Answer.YES, Answer.NO} else "budget" if moved >= most else "time"
            return verdict


def _decide(outcome: Outcome, flows: Flows, asked: float, pace: float, *, finished: bool) -> Verdict:
    """The verdict on the readings so far. Segments are counted, and a yes must hold for the bytes in them."""
    sender = _sender(outcome, flows)
    rtt = outcome.idle_rtt
    verdict = target.decide(outcome.samples, target=asked, pace=pace, rtt=rtt, finished=finished, sender=sender)
    now = flows.now
    fill = min(flows.fill(0.0, now), flows.fill(now / 2, now))
    if verdict.answer is Answer.NO or fill >= limited.FULL_SEGMENTS:
        return verdict
    readings = [(when, count * fill) for when, count in outcome.samples]
    verdict = target.decide(readings, target=asked, pace=pace, rtt=rtt, finished=finished, sender=sender)
    if verdict.answer is not Answer.NO:
        return verdict
    # Bytes behind a lost segment are missing too, so too few of them prove nothing about the line.
    answer = Answer.CANNOT_SAY if finished else Answer.GO_ON
    return msgspec.structs.replace(verdict, answer=answer, reason="the segments that came were not full")


def _sender(outcome: Outcome, flows: Flows) -> Sender:
    """What is known of the sending end at this moment."""
    outcome.tcp_after = [tcp_info.read(flow.channel.connection) for flow in flows.flows]
    outcome.loaded = [flow.loaded for flow in flows.flows]
    outcome.told = [flow.told for flow in flows.flows]
    queue = limited.queue(flows.asking.pings, flows.now / 2, flows.now, outcome.idle_rtt)
    return Sender(
        limits=tuple(limited.window_limits(outcome)),
        reacts=flows.congestion not in {"bbr", "bbr2", "bbr3"},  # one that nobody names may react too
        loss=limited.retransmitted(outcome) or 0.0,
        queue=max(0.0, queue or 0.0),
        streams=sum(outcome.loaded),
        mss=flows.mss or 1448,
    )


def _details(outcome: Outcome, settings: Throughput, verdict: Verdict, pace: float) -> dict[str, Detail]:
    details = netready_report.describe(outcome, None)
    details |= {
        "asked": settings.at_least,
        "answer": verdict.answer.value,
        "reason": verdict.reason,
        "pace": pace,
        "alpha": target.ALPHA,
        "beta": target.BETA,
        "indifference": target.DELTA,
        "held_seconds": round(verdict.seconds, 3),
        "held_bytes": int(verdict.bytes),
        "burst_credit": int(verdict.credit),
    }
    if verdict.rate is not None:
        details["delivered"] = verdict.rate
    if verdict.interval is not None:
        details["delivered_interval"] = list(verdict.interval)
    if outcome.card is not None and outcome.card.kind is surroundings.Kind.LOOPBACK:
        details["limited_by"] = "loopback"
    return details
