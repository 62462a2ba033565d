"""What kept the rate of a `netready` test down, as far as what happened can show it. No I/O."""

from collections.abc import Sequence

import msgspec

from probes.throughput.outcome import Outcome
from probes.throughput.responsiveness import quantile
from probes.throughput.settings import Direction
from probes.throughput.surroundings import limits
from probes.throughput.tcp_info import header_bytes

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


def queue(pings: Sequence[tuple[float, float]], start: float, end: float, idle: float) -> float | None:
    """By how much the median round trip (s) of a phase's pings exceeds that of the empty line; None without pings."""
    found = [seconds for when, seconds in pings if start <= when <= end]
    return quantile(found, 0.5) - idle if len(found) >= FEWEST_PINGS else None


def full(pings: Sequence[tuple[float, float]], start: float, end: float, idle: float) -> bool:
    """Whether the line's queue stood all through a phase: nearly every ping (when, s) of it waited in it.

    One that stood most of the time only is not enough: while it is empty, the line may be idle.
    """
    least = idle + max(FULL_QUEUE, FULL_SHARE * idle)
    waited = [seconds >= least for when, seconds in pings if start <= when <= end]
    return len(waited) >= FEWEST_PINGS and sum(waited) >= FULL_PINGS * len(waited)


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
