"""THE VIRTUAL SCHOOL's other traffic seen from outside: start it, ask what it truly carried, end it."""

import contextlib
import subprocess
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import IO, Any, Literal, NamedTuple

import msgspec

from lab.plan import AGENT, ROUTER_WAN, SWITCH, TESTPOINT, LabFailed, Plan, Way

SEGMENT = 1448 / 1500  # of an IP packet is payload, in a stream that is always full
PATIENCE = 10.0  # s for either end to stop

Shape = Literal["constant", "poisson", "bursts"]


class Datagrams(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """UDP to `target`, `size` bytes each at the IP layer, `rate` bit/s on average.

    constant   evenly spaced
    poisson    exponential gaps
    bursts     on and off for exponential times: on for `burst` s on average and the share `duty` of the time
    """

    target: tuple[str, int]
    rate: float
    shape: Shape
    size: int
    duty: float
    burst: float
    seed: int


class Streams(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """So many TCP connections to `target` that always have something to send. `congestion`: control, or "" for the kernel's."""

    target: tuple[str, int]
    streams: int
    congestion: str


class Sample(NamedTuple):
    """What had arrived: moment in s since the epoch, datagrams, bytes of streams."""

    at: float
    datagrams: int
    octets: int


Start = Callable[..., subprocess.Popen[Any]]  # Lab.popen


class Crossing:
    """Traffic under way, since `began`, s since the epoch. After the block it still answers."""

    def __init__(self, sink: subprocess.Popen[str], size: int) -> None:
        self.began = time.time()
        self._sink = sink
        self._size = size
        self._samples: list[Sample] = []

    def carried(self, begin: float | None = None, end: float | None = None) -> float:
        """What truly arrived, bit/s of IP packets on average, between two moments (s since the epoch; unset: all of it).

        Datagrams are counted one by one, exact to 20 ms at each end. Of streams the payload is counted, with full packets
        assumed, and when it can be read: behind a lost packet it waits for a round trip and then comes at once, so give
        streams a second or more. ValueError when the traffic was not under way then.
        """
        self.read()
        first, last = max(self.began, self._samples[0].at), self.ended
        begin, end = first if begin is None else begin, last if end is None else end
        if not first <= begin < end <= last:
            raise ValueError(f"this traffic was counted from {first:.3f} to {last:.3f}, not from {begin:.3f} to {end:.3f}")
        return (self._by(end) - self._by(begin)) * 8 / (end - begin)

    @property
    def ended(self) -> float:
        """The moment up to which it has been counted, s since the epoch."""
        return self._samples[-1].at

    def read(self) -> None:
        """Take over the sink's samples, while it still counts."""
        if self._sink.poll() is None and self._sink.stdin and self._sink.stdout and not self._sink.stdin.closed:
            self._sink.stdin.write("\n")
            self._sink.stdin.flush()
            self._samples = msgspec.json.decode(self._sink.stdout.readline(), type=list[Sample])

    def _by(self, moment: float) -> float:
        """Bytes of IP packets that had arrived by then."""
        after = max(1, bisect_left(self._samples, moment, key=lambda sample: sample.at))
        before, beyond = self._samples[after - 1], self._samples[after]
        part = (moment - before.at) / (beyond.at - before.at)
        low, high = (sample.datagrams * self._size + sample.octets / SEGMENT for sample in (before, beyond))
        return low + (high - low) * part


def address(plan: Plan, host: str) -> str:
    """Where a host of the school is reached from the ISP. LabFailed when there is no such host."""
    known = {"router": ROUTER_WAN, "agent": AGENT}
    if plan.campus is None:
        known |= {"switch": SWITCH} | {one.name: one.address for one in plan.hosts}
    else:  # the other hosts have no kernel that could run anything
        known |= {one.name: one.address for one in plan.campus.switches}
        known |= {one.name: one.address for one in plan.hosts if one.name == plan.campus.controller}
    if host not in known:
        raise LabFailed(f"the lab has no host {host!r} for traffic to cross the line to")
    return known[host]


@contextlib.contextmanager
def crossing(start: Start, plan: Plan, way: Way, host: str, sent: Datagrams | Streams) -> Iterator[Crossing]:
    """Traffic between the ISP and `host`, towards the school or from it, for as long as the block lasts."""
    inside = address(plan, host)
    source, sink, target = ("isp", host, inside) if way == "down" else (host, "isp", TESTPOINT)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "text": True}
    with _ending(start(sink, ["python", "-m", "lab.traffic", "sink", target], stdout=subprocess.PIPE, **pipes)) as counter:
        sent = msgspec.structs.replace(sent, target=(target, int(_line(counter.stdout))))
        argv = ["python", "-m", "lab.traffic", "source", msgspec.json.encode(sent).decode()]
        with _ending(start(source, argv, stdout=subprocess.PIPE, **pipes)) as sender:
            _line(sender.stdout)
            found = Crossing(counter, sent.size if isinstance(sent, Datagrams) else 0)
            yield found
            found.read()
            if sender.poll() is not None:
                raise LabFailed("the traffic across the line ended early; what it wrote above says why")


def _line(pipe: IO[str] | None) -> str:
    said = pipe.readline() if pipe else ""
    if not said:
        raise LabFailed("the traffic across the line did not start; what it wrote above says why")
    return said


@contextlib.contextmanager
def _ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A program that ends when its standard input does."""
    with process:
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
