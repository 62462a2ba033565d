"""From what happened in one direction of a test to its figure and details. No I/O.

Written for ndt7; `librespeed` describes its tests with it, too. Both load a line for a fixed time and tell the same facts.
"""

import msgspec

from netready.failure import Failed, Failure
from netready.measurement import Detail
from probes.throughput import interval
from probes.throughput.ndt7_spec import TcpCounters
from probes.throughput.nic import Card, limits
from probes.throughput.settings import Direction
from probes.throughput.surroundings import ETHERNET_HEADER, Moment, Own, cpu_share, load_beside
from probes.throughput.tcp_info import TcpInfo, header_bytes

# Shares above which a limit counts as shown. A single connection is driven by one thread: near one whole processor it can
# do no more. The others leave room for the ramp at a test's beginning.
CPU_SHARE = 0.85  # of one processor, by this process
HOST_SHARE = 0.95  # of all processors, by anybody
LIMIT_SHARE = 0.2  # of the sender's busy time
BUSY_SHARE = 0.8  # of the test, in which a sender that fills the line has something to send
THIN_SEGMENT = 0.3  # of our own largest segment, on average; who has more to send fills them, even where a path halves them
SILENCE = 1.0  # s at the end of a test; with more the line or the server has gone, and the figure ends before
DATA_BUDGET = "data-budget"  # as a limit, and as how a test ended
_ABSURD_RTT = 60_000_000  # microseconds; a server may tell us anything, and the kernel says 2**32-1 before it knows


class Outcome(msgspec.Struct, kw_only=True):
    """What happened in one direction; filled while it runs.

    samples         (seconds, bytes) as this side counted: payload received, or bytes acknowledged
    told_samples    (seconds, bytes) as the server counted an upload
    told            the server's last counters
    tcp_before      our kernel's counters before the load and after it, all connections together
    tcp_after
    congestion      what our own TCP uses, which matters to an upload
    warm_up         seconds of load before the samples begin, which are left out
    by_kernel       whether the samples of a download are our kernel's counts, in which TLS has its share
    short           whether the server gave less than it was asked for, so that it had to be asked again and again
    ended           "close" (by the server), "stop" (time was up), "data-budget" or "abrupt"
    """

    direction: Direction
    tls: bool
    wanted: float
    family: int = 0
    loopback: bool = False
    interface: str | None = None
    card: Card | None = None
    before: Moment | None = None
    after: Moment | None = None
    tcp_before: TcpInfo = {}
    tcp_after: TcpInfo = {}
    samples: list[tuple[float, float]] = []
    told_samples: list[tuple[float, float]] = []
    told: TcpCounters | None = None
    streams: int = 1
    congestion: str = ""
    warm_up: float = 0.0
    by_kernel: bool = False
    short: bool = False
    ignored: int = 0
    uuid: str = ""
    ended: str = ""
    reason: str = ""

    def fell_silent(self, seconds: float) -> None:
        """The figure ends where nothing moved any more, with less trust."""
        self.ended = "abrupt"
        self.reason = f"nothing moved in the last {seconds:.1f} s; the figure covers the time before"

    @property
    def by_server(self) -> bool:
        """Whether the figure is the server's count."""
        return self.direction is Direction.UP and bool(self.told_samples)

    @property
    def counted(self) -> list[tuple[float, float]]:
        """The samples behind the figure."""
        return self.told_samples if self.by_server else self.samples

    @property
    def seconds(self) -> float:
        """How long the counted load lasted."""
        return self.counted[-1][0] if self.counted else 0.0

    @property
    def moved(self) -> int:
        """Bytes behind the figure."""
        return int(self.counted[-1][1]) if self.counted else 0


def rate(outcome: Outcome) -> float:
    """The protocol's figure, bit/s: bytes of the last sample by its time; raises Failed when there is none."""
    if not outcome.moved or outcome.seconds <= 0:
        raise Failed(Failure.NO_ANSWER, "the server moved no load")
    return 8 * outcome.moved / outcome.seconds


def describe(outcome: Outcome, value: float | None) -> dict[str, Detail]:
    """Everything that belongs to the figure; with None, what is known of a test that failed after its handshake."""
    down = outcome.direction is Direction.DOWN
    details: dict[str, Detail] = {
        "seconds": round(outcome.seconds, 3),
        "bytes_sent": _grown(outcome, "BytesSent"),
        "bytes_received": _grown(outcome, "BytesReceived"),
        "streams": outcome.streams,
        "samples": len(outcome.counted),
        "layer": "TLS payload" if down and outcome.tls and not outcome.by_kernel else "TCP payload",
        "counted_by": "this side" if down else "server" if outcome.by_server else "this side (bytes acknowledged)",
        "ended": outcome.ended,
    }
    if outcome.warm_up:
        details["warm_up"] = round(outcome.warm_up, 3)
    if outcome.congestion and not down:
        details["congestion"] = outcome.congestion
    if outcome.reason:
        details["reason"] = outcome.reason
    if outcome.uuid:
        details["server_uuid"] = outcome.uuid
    if outcome.ignored:
        details["ignored_messages"] = outcome.ignored
    if value is not None:
        details |= _rate_details(outcome, value)
    sender = _sender(outcome)
    least = sender.get("MinRTT", outcome.tcp_after.get("MinRTT", _ABSURD_RTT))
    if least < _ABSURD_RTT:
        details["min_rtt"] = least / 1e6
    if 0 < sender.get("BytesSent", 0) >= sender.get("BytesRetrans", 0):
        details["retransmitted"] = round(sender.get("BytesRetrans", 0) / sender["BytesSent"], 6)
    return details | _surroundings(outcome, value)


def _rate_details(outcome: Outcome, value: float) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    found = interval.rate_interval(outcome.counted)
    if found is not None:
        details["interval"] = [found[0], found[1]]
        details["interval_method"] = interval.METHOD
    ip_rate = _ip_rate(outcome, value)
    if ip_rate is not None:
        details["mss"] = _mss(outcome)
        details["ip_rate"] = ip_rate
    return details


def _surroundings(outcome: Outcome, value: float | None) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    before, after = outcome.before, outcome.after
    if outcome.interface:
        details["interface"] = outcome.interface
    if outcome.card is not None and outcome.card.line_speed:
        details["interface_rate"] = outcome.card.line_speed
    if before is None or after is None or after.at <= before.at:
        return details
    process, host = cpu_share(before, after)
    details["cpu_process"] = round(process, 3)
    if host is not None:
        details["cpu_host"] = round(host, 3)
    if value is not None:
        match limited_by(outcome, value, process, host):
            case []:
                pass
            case [word]:
                details["limited_by"] = word
            case words:
                details["limited_by"] = [*words]
    if not outcome.loopback and outcome.tcp_after:
        came, left = _own(outcome, "BytesReceived", "SegsIn"), _own(outcome, "BytesSent", "SegsOut")
        details |= load_beside(before, after, came=came, left=left, down=outcome.direction is Direction.DOWN)
    return details


def limited_by(outcome: Outcome, value: float, process: float, host: float | None) -> list[str]:
    """What kept the figure down, as far as it can be shown; nothing when it cannot.

    "link" is the last word: the sender was busy all the time and only its congestion control held it back. "loopback" says
    that no line was measured at all.
    """
    found = [DATA_BUDGET] if outcome.ended == DATA_BUDGET else []
    if outcome.loopback:
        return [*found, "loopback"]
    if process >= CPU_SHARE or (host is not None and host >= HOST_SHARE):
        found.append("cpu")
    if outcome.card is not None:
        found += limits(outcome.card, _ip_rate(outcome, value))
    return found or _limited_sender(outcome)


def _limited_sender(outcome: Outcome) -> list[str]:
    """What the sending end's TCP says about itself, or what its segments show when it says nothing."""
    sender = _sender(outcome)
    busy = sender.get("BusyTime")
    if not busy:
        return ["sender"] if outcome.short or _thin(outcome) else []
    if sender.get("RWndLimited", 0) > LIMIT_SHARE * busy:
        return ["receive-window"]
    if sender.get("SndBufLimited", 0) > LIMIT_SHARE * busy:
        return ["send-buffer"]
    loaded = 1e6 * (outcome.warm_up + outcome.seconds) * outcome.streams
    return ["link"] if busy >= BUSY_SHARE * loaded else ["sender"]


def _thin(outcome: Outcome) -> bool:
    """Whether a download came in small pieces, as from a server that has nothing more to send."""
    segments = _grown(outcome, "DataSegsIn")
    largest = outcome.tcp_after.get("AdvMSS", 0)
    return segments > 0 and _grown(outcome, "BytesReceived") / segments < THIN_SEGMENT * largest


def _ip_rate(outcome: Outcome, value: float) -> float | None:
    mss = _mss(outcome)
    return value * (mss + header_bytes(outcome.tcp_after, outcome.family)) / mss if mss else None


def _sender(outcome: Outcome) -> dict[str, int]:
    """The TCP counters of the end that sent the load."""
    if outcome.direction is Direction.UP:
        return outcome.tcp_after
    if outcome.told is None:
        return {}
    return {name: count for name, count in msgspec.structs.asdict(outcome.told).items() if count is not None}


def _mss(outcome: Outcome) -> int:
    return outcome.tcp_after.get("RcvMSS" if outcome.direction is Direction.DOWN else "SndMSS", 0)


def _grown(outcome: Outcome, name: str) -> int:
    return max(0, outcome.tcp_after.get(name, 0) - outcome.tcp_before.get(name, 0))


def _own(outcome: Outcome, payload: str, segments: str) -> Own:
    header = ETHERNET_HEADER + header_bytes(outcome.tcp_after, outcome.family)
    return Own(payload=_grown(outcome, payload), segments=_grown(outcome, segments), header=header)
