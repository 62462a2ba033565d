"""How right, quick and cheap the throughput methods are, on lines whose truth is known; beside the peers, in one run."""

import contextlib
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from bench.links import CORNERS, HARD, PEERS, SENDERS, VALIDATION, WOBBLES, Link
from bench.worker import Made, Wanted
from lab import BARE, Lab, open_lab
from lab.plan import TESTPOINT, TESTPOINT_PORT
from netready.measurement import Measurement
from probes.throughput.settings import Direction, Throughput

# Above some hundred Mbit/s the emulator shares two processors with both ends and sends in larger lumps: rates do not suffer.
LATE = 0.6  # of the packets over 2 ms behind their time, above which a run counts as strained
PAYLOAD = 1448 / 1500  # of IP bytes, with TCP timestamps
IPERF3_PORT = 5201
WAYS = (Direction.DOWN, Direction.UP)
Row = tuple[str, ...]


class Run(msgspec.Struct, kw_only=True):
    """One measurement and the truth in bit/s of TCP payload."""

    link: Link
    tool: str
    way: Direction
    made: Made
    truth: float
    strained: str | None

    @property
    def measurement(self) -> Measurement:
        """The rate, or the answer of a target test."""
        return next(one for one in self.made.measurements if one.metric.startswith("throughput"))

    @property
    def error(self) -> float | None:
        """As a ratio of the truth."""
        value = self.measurement.value
        return None if value is None else value / self.truth - 1

    @property
    def bytes(self) -> float:
        """Of TCP payload, both ways."""
        return (self.measurement.detail("bytes_received") or 0) + (self.measurement.detail("bytes_sent") or 0)

    @property
    def seconds(self) -> float:
        """From the first packet to the last."""
        return self.made.ended - self.made.began

    @property
    def words(self) -> tuple[str, ...]:
        """What is said to have kept the rate down."""
        found = self.measurement.details.get("limited_by")
        return tuple(map(str, found)) if isinstance(found, list) else (str(found),) if found else ()

    @property
    def conclusive(self) -> bool:
        """Whether the figure is given as the line's own."""
        return self.measurement.value is not None and set(self.words) <= {"link"}

    @property
    def covered(self) -> bool:
        """Whether the truth lies in the interval."""
        interval = self.measurement.interval
        return interval is not None and interval[0] <= self.truth <= interval[1]


class Bench:
    """A lab with one link and a worker on the agent's host."""

    def __init__(self, lab: Lab, link: Link, worker: subprocess.Popen[bytes]) -> None:
        self.lab = lab
        self.link = link
        self._worker = worker

    def run(self, tool: str, way: Direction, **settings: Any) -> Run:
        """One measurement."""
        port = IPERF3_PORT if tool == "iperf3" else TESTPOINT_PORT
        wanted = Throughput(server=f"{TESTPOINT}:{port}", direction=way, **settings)
        before = self.lab.line()
        made = self._ask(Wanted(method=tool, settings=wanted))
        strained = self.lab.strained(before, self.lab.line(), late=LATE)
        return Run(link=self.link, tool=tool, way=way, made=made, truth=self.link.rate * PAYLOAD, strained=strained)

    def _ask(self, wanted: Wanted) -> Made:
        if self._worker.stdin is None or self._worker.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self._worker.stdin.write(msgspec.json.encode(wanted) + b"\n")
        self._worker.stdin.flush()
        return msgspec.json.decode(self._worker.stdout.readline(), type=Made)


@contextlib.contextmanager
def bench_on(link: Link) -> Iterator[Bench]:
    """The link, a testpoint behind it, and a worker before it."""
    plan = msgspec.structs.replace(BARE, wan=link.wan, services=frozenset({"testpoint"}))
    with open_lab(plan) as lab:
        worker = lab.popen("agent", ["python", "-m", "bench.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            yield Bench(lab, link, worker)
        finally:
            worker.stdin.close()
            worker.wait(10)
            worker.stdout.close()


def summary(name: str, runs: list[Run]) -> Row:
    """Median and 95th percentile of |error|, seconds and megabytes."""
    errors = sorted(abs(run.error) for run in runs if run.error is not None)
    if not errors:
        return (name, str(len(runs)), "-", "-", "-", "-", "-", "-")
    strained = sum(run.strained is not None for run in runs)
    return (
        name,
        f"{len(runs)}" + (f" ({strained} strained)" if strained else ""),
        f"{statistics.median(errors):.2%}",
        f"{errors[min(len(errors) - 1, int(0.95 * len(errors)))]:.2%}",
        f"{errors[-1]:.1%}",
        f"{statistics.median(run.seconds for run in runs):.2f}",
        f"{max(run.seconds for run in runs):.2f}",
        f"{statistics.median(run.bytes for run in runs) / 1e6:.1f}",
    )


SUMMARY = ("tool", "runs", "median error", "95th percentile", "worst", "median s", "longest s", "median MB")


def clean_runs(links: Iterable[Link], *, repeat: int = 2) -> Iterator[Run]:
    """Both ways, with what netready chooses (BBR, which may give way to CUBIC) and with CUBIC."""
    for link in links:
        with bench_on(link) as bench:
            for congestion in ("", "cubic"):
                for _ in range(repeat):
                    for way in WAYS:
                        yield bench.run("netready", way, congestion=congestion)


def clean() -> Iterator[Row]:
    """The `netready` method on 16 clean links drawn at random and four of 1 Gbit/s: both ways, BBR and CUBIC, two runs each.

    "Conclusive" are runs whose figure is given as the line's own; the others name what else may have limited them.
    """
    runs = list(clean_runs(VALIDATION))
    yield SUMMARY
    yield summary("netready, all", runs)
    for way in WAYS:
        yield summary(f"netready, {way}", [run for run in runs if run.way is way])
    for congestion in dict.fromkeys(str(run.measurement.details.get("congestion")) for run in runs):
        same = [run for run in runs if run.measurement.details.get("congestion") == congestion]
        yield summary(f"netready, {congestion}", same)
    yield summary("netready, conclusive", [run for run in runs if run.conclusive])
    for link in VALIDATION:
        yield summary(f"netready, {link.name}", [run for run in runs if run.link == link])
    yield summary("netready, 1 Gbit/s", [run for run in runs if run.link.rate >= 1e9])


def corners() -> Iterator[Row]:
    """The same at the corners of those ranges: the slowest, the fastest, and long lines with small buffers; one run each."""
    runs = list(clean_runs(CORNERS, repeat=1))
    yield SUMMARY
    yield summary("netready, all", runs)
    yield summary("netready, conclusive", [run for run in runs if run.conclusive])
    for link in CORNERS:
        same = [run for run in runs if run.link == link]
        yield summary(f"netready, {link.name}: {sum(run.conclusive for run in same)} of {len(same)} conclusive", same)


def senders() -> Iterator[Row]:
    """Congestion controls on the long lines that the choice was made on: what netready does, and BBR and CUBIC throughout."""
    yield ("line", "asked for", "way", "used", "error", "sent again", "said", "s", "MB")
    for link in SENDERS:
        with bench_on(link) as bench:
            for asked in ("", "bbr", "cubic"):
                for way in WAYS:
                    run = bench.run("netready", way, congestion=asked)
                    details = run.measurement.details
                    yield (
                        link.name,
                        asked or "nothing",
                        way.value,
                        str(details.get("congestion")),
                        "-" if run.error is None else f"{run.error:+.1%}",
                        f"{run.measurement.detail('retransmitted') or 0:.0%}",
                        ", ".join(run.words),
                        f"{run.seconds:.1f}",
                        f"{run.bytes / 1e6:.0f}",
                    )


def peers() -> Iterator[Row]:
    """The other methods, each in its own way and time, beside `netready` on four of the links; one run a direction."""
    yield SUMMARY
    runs: list[Run] = []
    for link in PEERS:
        with bench_on(link) as bench:
            for tool in ("netready", "ndt7", "speedtest"):
                runs += [bench.run(tool, way) for way in WAYS]
            with iperf3_server(bench.lab):
                for way in WAYS:
                    runs.append(bench.run("iperf3", way))
                    time.sleep(0.5)  # its server takes one test at a time, and needs a moment between two
    for tool in ("netready", "ndt7", "iperf3", "speedtest"):
        yield summary(tool, [run for run in runs if run.tool == tool])
    for link in PEERS:
        for tool in ("netready", "ndt7", "iperf3", "speedtest"):
            yield summary(f"{tool}, {link.name}", [run for run in runs if run.tool == tool and run.link == link])


@contextlib.contextmanager
def iperf3_server(lab: Lab) -> Iterator[None]:
    """A real iperf3 server at the far end, on its own port."""
    server = lab.popen("isp", ["iperf3", "-s", "-B", TESTPOINT], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)  # until it listens
        yield
    finally:
        server.terminate()
        server.wait()


def hard() -> Iterator[Row]:
    """Links that no method can know all about: right within its own interval, or not given as the line's own."""
    yield ("link", "way", "found, Mbit/s", "interval", "truth in its window", "said", "verdict")
    for link in HARD:
        with bench_on(link) as bench:
            for way in WAYS:
                run = hard_run(bench, way)
                value, interval = run.measurement.value, run.measurement.interval
                said = ", ".join(run.words) or str(run.measurement.failure)
                yield (
                    link.name,
                    way.value,
                    "-" if value is None else f"{value / 1e6:.1f}",
                    "-" if interval is None else f"{interval[0] / 1e6:.1f} to {interval[1] / 1e6:.1f}",
                    f"{run.truth / 1e6:.1f}",
                    said,
                    "right" if run.covered else "wrong, and confident" if run.conclusive else "not given as the line's",
                )


def hard_run(bench: Bench, way: Direction) -> Run:
    """One measurement beside its other traffic; its truth is what the line had for it in its own window.

    That is the line's rate less what the others really moved, and with steps what the full line really carried. A wobbling
    line's truth is its long-run mean, a policed one's the rate behind the burst.
    """
    link = bench.link
    with contextlib.ExitStack() as stack:
        cross = None
        if link.cross_rate:
            cross = stack.enter_context(bench.lab.cross(way.value, rate=link.cross_rate, shape=link.cross_shape))
        elif link.cross_streams:
            cross = stack.enter_context(bench.lab.cross(way.value, streams=link.cross_streams))
        if link.steps:
            bench.lab.await_load()
        run = bench.run("netready", way)
        window = run.measurement.details.get("window")
        if not isinstance(window, list):
            return run
        origin = run.measurement.taken_at.timestamp()
        begin, end = origin + float(window[0]), origin + float(window[1])
        capacity = bench.lab.carried(way.value, begin, end) if link.steps else link.rate
        taken = cross.carried(begin, end) if cross is not None else 0.0
        return msgspec.structs.replace(run, truth=(capacity - taken) * PAYLOAD)


COVERAGE_RUNS = 10  # on each of WOBBLES
BANDS = (("under 3 %", 0.0, 0.03), ("3 to 8 %", 0.03, 0.08), ("over 8 %", 0.08, 1.0))


def coverage() -> Iterator[Row]:
    """How often the printed 95 % interval holds the true long-run rate: 20 lines drawn at random that never stand still."""
    yield ("rate wobbles by", "runs", "intervals that hold the truth", "median half-width", "median s", "inconclusive")
    everything: list[Run] = []
    for link in WOBBLES:
        with bench_on(link) as bench:
            everything += [bench.run("netready", WAYS[index % 2]) for index in range(COVERAGE_RUNS)]
    for name, low, high in BANDS:
        same = [run for run in everything if run.link.wobble is not None and low <= run.link.wobble.deviation < high]
        yield coverage_row(name, same)
    for name, wanted in (("any, ended when known", True), ("any, ended by time", False)):
        yield coverage_row(name, [run for run in everything if (run.measurement.details.get("ended") == "known") is wanted])
    yield coverage_row("all", everything)


def coverage_row(name: str, runs: list[Run]) -> Row:
    """Coverage of those that gave an interval and called the figure the line's."""
    said = [run for run in runs if run.measurement.interval is not None and run.measurement.value]
    covered = sum(run.covered for run in said)
    halves = [
        (interval[1] - interval[0]) / 2 / run.measurement.value
        for run in said
        if (interval := run.measurement.interval) and run.measurement.value
    ]
    return (
        name,
        str(len(runs)),
        f"{covered} of {len(said)}, {covered / max(1, len(said)):.1%}",
        f"{statistics.median(halves):.1%}" if halves else "-",
        f"{statistics.median(run.seconds for run in runs):.2f}",
        str(sum("unsettled" in run.words or run.measurement.value is None for run in runs)),
    )


REACHES_LINKS = (
    (100e6, 0.010, 0.02, 0.0),
    (100e6, 0.040, 0.10, 0.001),
    (30e6, 0.120, 0.25, 0.0),
    (50e6, 0.020, 0.01, 0.005),
    (200e6, 0.030, 0.05, 0.0),
)


def reaches() -> Iterator[Row]:
    """The target test at 0.9 and 1.1 times the target: 40 runs on each of five lines, both ways."""
    yield ("target", "line", "runs", "yes", "no", "cannot say", "wrong", "median s", "most MB")
    for share, wrong in ((0.9, 1.0), (1.1, 0.0)):
        total: list[Run] = []
        for target, rtt, buffer, loss in REACHES_LINKS:
            link = Link(rate=target * share / PAYLOAD, rtt=rtt, buffer=buffer, loss=loss)
            with bench_on(link) as bench:
                runs = [bench.run("netready", WAYS[index % 2], at_least=target) for index in range(40)]
            total += runs
            about = f"line at {share:.1f}, {rtt * 1e3:g} ms, buffer {buffer * 1e3:g} ms, loss {loss:.1%}"
            yield reaches_row(f"{target / 1e6:g} Mbit/s", about, runs, wrong)
        yield reaches_row("all", f"line at {share:.1f} of the target", total, wrong)


def reaches_row(target: str, about: str, runs: list[Run], wrong: float) -> Row:
    """Answers counted."""
    answers = [run.measurement.value for run in runs]
    return (
        target,
        about,
        str(len(runs)),
        str(answers.count(1.0)),
        str(answers.count(0.0)),
        str(answers.count(None)),
        f"{answers.count(wrong) / len(answers):.1%}",
        f"{statistics.median(run.seconds for run in runs):.2f}",
        f"{max(run.bytes for run in runs) / 1e6:.1f}",
    )
