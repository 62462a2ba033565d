"""The JSON that `iperf3 --json` prints, and the part of it that iperf3 leaves out. No I/O."""

import math

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

_EDGE = 0.05  # s by which an interval's length may differ from its end


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of all streams over some time."""

    seconds: float | None = 0.0
    bytes: int | None = 0
    retransmits: int | None = None
    omitted: bool = False
    end: float | None = None  # s; begins anew where the omitted seconds end


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream in one interval; what a sender's kernel knows is 0 or absent at a receiver. Round trip in microseconds."""

    seconds: float | None = 0.0
    bytes: int | None = 0
    rtt: int | None = 0
    snd_cwnd: int | None = 0
    snd_wnd: int | None = 0


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """About a second."""

    sum: Sum = Sum()
    streams: list[Stream] = []


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's summary at its sender; round trips in microseconds, as sampled once a second under load."""

    mean_rtt: int | None = 0
    max_rtt: int | None = 0


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's summary."""

    sender: Sender = Sender()


class Processor(msgspec.Struct, frozen=True, kw_only=True):
    """Per cent of one processor."""

    host_total: float | None = None
    remote_total: float | None = None


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The summary; empty after an error."""

    sum_sent: Sum | None = None
    sum_received: Sum | None = None
    streams: list[Ends] = []
    cpu_utilization_percent: Processor = Processor()
    sender_tcp_congestion: str = ""
    receiver_tcp_congestion: str = ""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed."""

    version: str = ""
    tcp_mss_default: int | None = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One end's own intervals; a server gives them only when it, too, was started with --json."""

    intervals: list[Interval] = []


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it."""

    start: Start = Start()
    intervals: list[Interval] = []
    end: End = End()
    error: str = ""
    server_output_json: Report | None = None
    reckoned: float = 0.0  # s of the warm-up that iperf3 did not list

    @property
    def moved(self) -> int:
        """Bytes of load that this side counted, warm-up included."""
        return sum(one.sum.bytes or 0 for one in self.intervals)


def parse(text: bytes) -> Answer:
    """What iperf3 printed; raises Failed(MALFORMED) when it is not its JSON."""
    try:
        return _whole(msgspec.json.decode(text, type=Answer))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Failed(Failure.MALFORMED, f"what iperf3 printed is not its JSON ({clean(str(error))})") from error


def _whole(answer: Answer) -> Answer:
    """The answer with the last second of the warm-up, where iperf3 did not list it.

    When the omitted seconds end a moment before the interval's own timer, iperf3 3.12 throws that
    interval away and gives its time to the next one: as `seconds`, but not in `end`. What moved in it is reckoned at the next
    one's rate.
    """
    place = next((index for index, one in enumerate(answer.intervals) if not one.sum.omitted), len(answer.intervals))
    first = answer.intervals[place].sum if place < len(answer.intervals) else Sum()
    seconds, end = first.seconds or 0.0, first.end or 0.0
    lost = seconds - end
    if end <= _EDGE or not _EDGE < lost < math.inf:
        return answer
    replace = msgspec.structs.replace
    warm_up = Interval(sum=Sum(seconds=lost, bytes=int((first.bytes or 0) * min(1.0, lost / end)), omitted=True))
    mended = replace(answer.intervals[place], sum=replace(first, seconds=end))
    rows = [*answer.intervals[:place], warm_up, mended, *answer.intervals[place + 1 :]]
    return replace(answer, intervals=rows, reckoned=lost)
