"""From what happened in one direction of an ndt7 test to its figure and details. No I/O."""

import msgspec

from netready.failure import Failed, Failure
from netready.measurement import Detail
from probes.throughput import interval
from probes.throughput.ndt7_spec import TcpCounters
from probes.throughput.settings import Direction
from probes.throughput.surroundings import ETHERNET_HEADER, Moment, Own, cpu_share, other_traffic
from probes.throughput.tcp_info import TcpInfo, header_bytes

# Shares above which a limit counts as shown. A single connection is driven by one thread: near one whole processor it can
# do no more. The others leave room for the ramp at a test's beginning.
CPU_SHARE = 0.85  # of one processor, by this process
HOST_SHARE = 0.95  # of all processors, by anybody
LIMIT_SHARE = 0.2  # of the sender's busy time
BUSY_SHARE = 0.8  # of the test, in which a sender that fills the line has something to send
_ABSURD_RTT = 60_000_000  # microseconds; a server may tell us anything, and the kernel says 2**32-1 before it knows
NEAR_INTERFACE = 0.9  # of the interface's nominal rate, at the IP layer


class Outcome(msgspec.Struct, kw_only=True):
    """What happened in one direction; filled while it runs.

    samples         (seconds, bytes) as this side counted: payload received, or bytes acknowledged
    told_samples    (seconds, bytes) as the server counted an upload
    told            the server's last counters
    ended           "close" (by the server), "stop" (time was up) or "abrupt"
    """

    direction: Direction
    tls: bool
    wanted: float
    family: int = 0
    loopback: bool = False
    interface: str | None = None
    interface_rate: float | None = None
    before: Moment | None = None
    after: Moment | None = None
    tcp_before: TcpInfo = {}
    tcp_after: TcpInfo = {}
    samples: list[tuple[float, float]] = []
    told_samples: list[tuple[float, float]] = []
    told: TcpCounters | None = None
    ignored: int = 0
    uuid: str = ""
    ended: str = ""
    reason: str = ""

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
        "streams": 1,
        "samples": len(outcome.counted),
        "layer": "TLS payload" if down and outcome.tls else "TCP payload",
        "counted_by": "this side" if down else "server" if outcome.by_server else "this side (bytes acknowledged)",
        "ended": outcome.ended,
    }
    if outcome.reason:
        details["reason"] = outcome.reason
    if outcome.uuid:
        details["server_uuid"] = outcome.uuid
    if outcome.ignored:
        details["ignored_messages"] = outcome.ignored
    if value is not None:
        details |= _rate_details(outcome, value)
    sender = _sender(outcome)
    if sender.get("MinRTT", _ABSURD_RTT) < _ABSURD_RTT:
        details["min_rtt"] = sender["MinRTT"] / 1e6
    if 0 < sender.get("BytesSent", 0) >= sender.get("BytesRetrans", 0):
        details["retransmitted"] = round(sender.get("BytesRetrans", 0) / sender["BytesSent"], 6)
    return details | _surroundings(outcome, value)


def _rate_details(outcome: Outcome, value: float) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    found = interval.rate_interval(outcome.counted)
    if found is not None:
        details["interval"] = [found[0], found[1]]
        details["interval_method"] = interval.METHOD
    mss = _mss(outcome)
    if mss:
        details["mss"] = mss
        details["ip_rate"] = value * (mss + header_bytes(outcome.tcp_after, outcome.family)) / mss
    return details


def _surroundings(outcome: Outcome, value: float | None) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    before, after = outcome.before, outcome.after
    if outcome.interface:
        details["interface"] = outcome.interface
    if outcome.interface_rate:
        details["interface_rate"] = outcome.interface_rate
    if before is None or after is None or after.at <= before.at:
        return details
    process, host = cpu_share(before, after)
    details["cpu_process"] = round(process, 3)
    if host is not None:
        details["cpu_host"] = round(host, 3)
    if value is not None:
        limit = limited_by(outcome, value, process, host)
        if limit:
            details["limited_by"] = limit
    if before.counters and after.counters and not outcome.loopback and outcome.tcp_after:
        seconds = after.at - before.at
        towards = other_traffic(
            after.counters.received - before.counters.received,
            after.counters.received_packets - before.counters.received_packets,
            _own(outcome, "BytesReceived", "SegsIn"),
            seconds,
        )
        away = other_traffic(
            after.counters.sent - before.counters.sent,
            after.counters.sent_packets - before.counters.sent_packets,
            _own(outcome, "BytesSent", "SegsOut"),
            seconds,
        )
        down = outcome.direction is Direction.DOWN
        details["load_during"] = towards if down else away
        details["load_other_way"] = away if down else towards
    return details


def limited_by(outcome: Outcome, value: float, process: float, host: float | None) -> str | None:
    """What kept the figure down, as far as it can be shown; None when it cannot.

    "link" is the last word: the sender was busy all the time and only its congestion control held it back. "loopback" says
    that no line was measured at all.
    """
    if outcome.loopback:
        return "loopback"
    if process >= CPU_SHARE or (host is not None and host >= HOST_SHARE):
        return "cpu"
    mss = _mss(outcome)
    headers = (mss + header_bytes(outcome.tcp_after, outcome.family)) / mss if mss else 1.0
    if outcome.interface_rate and value * headers >= NEAR_INTERFACE * outcome.interface_rate:
        return "interface"
    sender, elapsed = _sender(outcome), 1e6 * outcome.seconds
    busy = sender.get("BusyTime")
    if not busy:
        return None
    if sender.get("RWndLimited", 0) > LIMIT_SHARE * busy:
        return "receive-window"
    if sender.get("SndBufLimited", 0) > LIMIT_SHARE * busy:
        return "send-buffer"
    return "link" if busy >= BUSY_SHARE * elapsed else "sender"


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
