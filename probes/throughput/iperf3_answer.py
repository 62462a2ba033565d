"""The figure in what `iperf3 --json` prints. No I/O.

Checked with iperf 3.12 over a shaped line, `-O 2 -t 5`, both ways: `end.sum_received` leaves the omitted seconds out, equals
the sum of the receiver's intervals that are not marked `omitted`, and its `seconds` are the receiver's own clock. It was
within 0.01 % of the line's rate, while `end.sum_sent` was 1.7 % off.
"""

import msgspec

from netready.failure import Failed, Failure
from netready.measurement import Detail
from netready.text import clean
from probes.throughput import interval
from probes.throughput.iperf3_json import Answer, Interval, Stream, Sum
from probes.throughput.ndt7_report import CPU_SHARE, LIMIT_SHARE
from probes.throughput.settings import Direction

_MATCH = 0.02  # ratio by which two counts of the same bytes may differ: the edges of the first and the last second
_BUFFERED = 4  # times the congestion window; Linux lets a send buffer grow to twice of it (tcp_sndbuf_expand), and it shrinks
_BLOCK = 131_072  # bytes that iperf3 writes at once
_CLOCKS = 1.02  # ratio of the two ends' clocks
_LEAST_SECONDS = 0.001  # a run is asked to last a second, or for a megabyte
_EARLY = 0.1  # s by which a server may stop counting before we do; it hears of the end a way's delay later
_LATE = 3.0  # s by which it may stop later: the news of the end waits in the line's buffers
_WINDOW_FULL = 0.9  # of the peer's window, by what is under way
_THREADED = (3, 16)  # the first version with a thread for each stream
INTERVAL_HERE = interval.METHOD
INTERVAL_SERVER = f"{interval.METHOD}, of the server's count"
INTERVAL_SENDER = f"{interval.METHOD}; the spread is that of this side's writes, which is wider than what arrived"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that arrived, by the receiver's own clock, and the seconds in which they did, one by one."""

    received: int
    seconds: float
    samples: int
    interval: tuple[float, float] | None
    interval_method: str

    @property
    def rate(self) -> float:
        """Bit/s of TCP payload."""
        return 8 * self.received / self.seconds


# What iperf3 says, and the word for it; the first that is in its message counts (iperf_error.c, and strerror(3) in English).
_WORDS: tuple[tuple[str, Failure], ...] = (
    ("the server is busy", Failure.SERVER_BUSY),
    ("Connection refused", Failure.REFUSED),
    ("Connection reset", Failure.RESET),
    ("Broken pipe", Failure.RESET),
    ("timed out", Failure.TIMEOUT),
    ("Operation now in progress", Failure.TIMEOUT),
    ("No route to host", Failure.UNREACHABLE),
    ("Network is unreachable", Failure.UNREACHABLE),
    ("Cannot assign requested address", Failure.UNREACHABLE),
    ("Permission denied", Failure.NOT_PERMITTED),
    ("Operation not permitted", Failure.NOT_PERMITTED),
    ("authorization failed", Failure.NOT_PERMITTED),
    ("server limit", Failure.NOT_PERMITTED),
    ("permitted limit", Failure.NOT_PERMITTED),
    ("CONGESTION", Failure.NOT_SUPPORTED),
    ("Cannot allocate memory", Failure.TOO_LARGE),  # of a child whose memory is bounded: a server announced too much
    ("Too many open files", Failure.LOCAL_RESOURCES),
    ("No space left", Failure.LOCAL_RESOURCES),
    ("closed unexpectedly", Failure.CLOSED_EARLY),
    ("has terminated", Failure.CLOSED_EARLY),
)


def refusal(message: str) -> Failed:
    """The failure that an error message of iperf3 stands for; one that we do not know is a server that makes no sense."""
    word = next((word for part, word in _WORDS if part in message), Failure.MALFORMED)
    return Failed(word, f"iperf3: {clean(message)}")


def figure(answer: Answer, direction: Direction) -> Figure:
    """The receiver's count; raises Failed when iperf3 reports an error, when nothing arrived, or when counts cannot be true."""
    if answer.error:
        raise refusal(answer.error)
    got = answer.end.sum_received
    if got is None or not got.bytes or not got.seconds:
        raise Failed(Failure.NO_ANSWER, "no load arrived")
    if got.bytes < 0 or got.seconds < _LEAST_SECONDS:
        raise Failed(Failure.MALFORMED, f"{got.bytes} bytes in {got.seconds} s cannot be")
    down = direction is Direction.DOWN
    counted = _counted(answer.intervals)
    if down:
        _check_received(got.bytes, counted)
    else:
        _check_claim(answer, got.bytes, got.seconds)
    seconds, method = counted, INTERVAL_HERE if down else INTERVAL_SENDER
    if not down and answer.server_output_json is not None:
        told = _counted(answer.server_output_json.intervals)
        if _close(told[-1][1] if told else 0, got.bytes):
            seconds, method = told, INTERVAL_SERVER
    return Figure(
        received=got.bytes,
        seconds=got.seconds,
        samples=len(seconds),
        interval=_round(8 * got.bytes / got.seconds, seconds),
        interval_method=method,
    )


def _counted(intervals: list[Interval]) -> list[tuple[float, float]]:
    """(seconds, bytes) so far at the end of each interval that was not omitted."""
    found: list[tuple[float, float]] = []
    elapsed, moved = 0.0, 0.0
    for one in intervals:
        if not one.sum.omitted and one.sum.seconds and one.sum.seconds > 0:
            elapsed, moved = elapsed + one.sum.seconds, moved + max(0, one.sum.bytes or 0)
            found.append((elapsed, moved))
    return found


def _round(rate: float, counted: list[tuple[float, float]]) -> tuple[float, float] | None:
    """The 95 % interval round `rate`, as wide as the seconds make it."""
    found = interval.rate_interval(counted)
    if found is None:
        return None
    reach = (found[1] - found[0]) / 2
    return max(0.0, rate - reach), rate + reach


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= _MATCH * other + _BLOCK


def _check_received(received: int, counted: list[tuple[float, float]]) -> None:
    """Both counts are this side's; an iperf3 that counts the warm-up into one of them is not the one that we know."""
    if not counted or not _close(counted[-1][1], received):
        seen = int(counted[-1][1]) if counted else 0
        raise Failed(Failure.MALFORMED, f"iperf3 counts {received} bytes in all, and {seen} in its intervals")


def _check_claim(answer: Answer, received: int, seconds: float) -> None:
    """The server says what arrived; it cannot be more than was sent, and its clock runs like ours."""
    sent = answer.end.sum_sent or Sum()
    warm_up = [one for one in answer.intervals if one.sum.omitted]
    waiting = _BUFFERED * max((sum(one.snd_cwnd or 0 for one in interval.streams) for interval in warm_up), default=0)
    most = min(answer.moved, (sent.bytes or 0) + waiting) + _BLOCK
    if received > (1 + _MATCH) * most:
        raise Failed(Failure.MALFORMED, f"the server claims {received} bytes, and at most {most} were sent")
    ours = sent.seconds or 0.0
    if not ours / _CLOCKS - _EARLY <= seconds <= ours * _CLOCKS + _LATE:
        raise Failed(Failure.MALFORMED, f"the server's clock says {seconds:.3f} s, and ours {ours:.3f} s")


def describe(answer: Answer, direction: Direction) -> dict[str, Detail]:
    """What iperf3 tells beside the figure: retransmissions, round trip, congestion control, processors."""
    details: dict[str, Detail] = {}
    sent = answer.end.sum_sent
    if sent is not None and sent.retransmits is not None and sent.retransmits >= 0:
        details["retransmits"] = sent.retransmits
    trips = [one.sender.mean_rtt for one in answer.end.streams if one.sender.mean_rtt]
    if trips and direction is Direction.UP:
        details["rtt_loaded"] = sum(trips) / len(trips) / 1e6
    for name, word in (
        ("congestion", answer.end.sender_tcp_congestion),
        ("congestion_receiver", answer.end.receiver_tcp_congestion),
    ):
        if word:
            details[name] = clean(word, limit=16)
    used = answer.end.cpu_utilization_percent
    for name, share in (("cpu_process", used.host_total), ("cpu_server", used.remote_total)):
        if share is not None and 0 <= share < 1e5:
            details[name] = round(share / 100, 3)
    details["program"] = clean(answer.start.version, limit=40)
    if answer.reckoned:
        details["warm_up_reckoned"] = round(answer.reckoned, 3)
    return details


def limited(answer: Answer, direction: Direction, streams: int) -> list[str]:
    """What of the two ends may have kept the figure down: "cpu", "server", "receive-window"."""
    threads = streams if _version(answer.start.version) >= _THREADED else 1
    used = answer.end.cpu_utilization_percent
    found = []
    if (used.host_total or 0.0) >= 100 * CPU_SHARE * threads:
        found.append("cpu")
    if (used.remote_total or 0.0) >= 100 * CPU_SHARE * threads:
        found.append("server")
    told = [
        one
        for interval in answer.intervals
        if direction is Direction.UP and not interval.sum.omitted
        for one in interval.streams
        if one.snd_wnd and one.rtt and one.seconds
    ]
    full = sum(_window_is_full(one) for one in told)
    if told and full > LIMIT_SHARE * len(told):
        found.append("receive-window")
    return found


def _window_is_full(one: Stream) -> bool:
    """Whether what was under way (rate times round trip) filled the window that the server offers."""
    under_way = (one.bytes or 0) / (one.seconds or 1.0) * (one.rtt or 0) / 1e6
    return under_way >= _WINDOW_FULL * (one.snd_wnd or 0)


def _version(text: str) -> tuple[int, ...]:
    """(3, 12) from "iperf 3.12"; empty when it is something else."""
    numbers = text.rpartition(" ")[2].partition("+")[0].split(".")
    return tuple(int(number) for number in numbers) if all(number.isdigit() for number in numbers) else ()
