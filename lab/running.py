"""THE VIRTUAL SCHOOL from outside: open it, run programs on its hosts, close it. An ordinary process may do so."""

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, get_args

import msgspec

from lab import link
from lab.crossing import Crossing, Datagrams, Shape, Streams, crossing
from lab.plan import PLAN_FILE, PRIVATE, THERE, LabFailed, Plan, Way
from lab.school import Host
from lab.truth import Truth, truth

WAYS: tuple[Way, ...] = get_args(Way)
PATIENCE = 60.0  # s for the launcher to see PID 1 die, or for hosts to come and go; both need milliseconds
GLANCE = 0.02  # s between looks
CHECKOUT = Path(__file__).resolve().parent.parent


class _Said(msgspec.Struct, frozen=True):
    """One line of the report pipe."""

    error: str = ""
    ended: str = ""
    init: int = 0
    ready: bool = False


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment, with the project importable from wherever it is installed or checked out."""
    found = dict(os.environ if extra is None else extra)
    paths = [str(CHECKOUT), *filter(None, [found.get("PYTHONPATH", "")])]
    return found | {"PYTHONPATH": os.pathsep.join(paths)}


class Lab:
    """A virtual school that stands. `init` is its PID 1 as seen from here."""

    def __init__(self, plan: Plan, init: int) -> None:
        self._plan = plan
        self.init = init

    @property
    def plan(self) -> Plan:
        """What it was built from; of a campus, with the hosts that are there now."""
        if self._plan.campus is not None:
            with contextlib.suppress(OSError):  # it has ended: who was there last
                self._plan = msgspec.json.decode(self.inside(PLAN_FILE).read_bytes(), type=Plan)
        return self._plan

    @property
    def truth(self) -> Truth:
        """What is really there."""
        return truth(self.plan)

    def argv(self, host: str, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` on `host` from here; "python" as its first word is this very Python."""
        if argv[0] == "python":
            argv = [sys.executable, *argv[1:]]
        return [sys.executable, "-m", "lab.enter", str(self.init), host, *argv]

    def run(self, host: str, argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """Run a program on a host and wait for it; `options` are those of subprocess.run."""
        options["env"] = environment(options.get("env"))
        return subprocess.run(self.argv(host, argv), check=options.pop("check", False), **options)

    def popen(self, host: str, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a program on a host; `options` are those of subprocess.Popen. It dies with the lab."""
        options["env"] = environment(options.get("env"))
        return subprocess.Popen(self.argv(host, argv), **options)

    def inside(self, path: Path) -> Path:
        """Where a file of the lab's private tree (lab.plan.PRIVATE) is seen from here."""
        return Path(f"/proc/{self.init}/root") / path.relative_to("/")

    def add(self, *hosts: Host) -> None:
        """Have hosts come to a campus: they plug in, or find their access point, and speak. LabFailed when they cannot."""
        self._become((*self.plan.hosts, *hosts))

    def remove(self, *names: str) -> None:
        """Have hosts leave a campus. Its tables forget them at once, as they would in the hours between two surveys."""
        hosts = self.plan.hosts
        unknown = set(names) - {host.name for host in hosts}
        if unknown:
            raise LabFailed(f"the lab has no host {min(unknown)!r} that could leave")
        self._become(tuple(host for host in hosts if host.name not in names))

    def _become(self, hosts: tuple[Host, ...]) -> None:
        """Change who is there, and wait until it is true."""
        plan = self.plan
        if plan.campus is None:
            raise LabFailed("hosts come and go on a campus only")
        if plan.campus.controller not in {host.name for host in hosts}:
            raise LabFailed(f"{plan.campus.controller} answers for all access points and cannot leave")
        try:
            wanted = msgspec.json.encode(msgspec.structs.replace(plan, hosts=hosts))
        except ValueError as error:
            raise LabFailed(str(error)) from error
        draft = self.inside(PRIVATE / "plan.new")
        draft.write_bytes(wanted)
        draft.replace(self.inside(PLAN_FILE))
        deadline = time.monotonic() + PATIENCE
        while self.inside(THERE).read_bytes() != wanted:
            if time.monotonic() > deadline:
                raise LabFailed("the hosts of the lab do not come and go as they should")
            time.sleep(GLANCE)

    def line(self) -> dict[Way, dict[str, int]]:
        """The emulator's counters, "down" and "up", by name (lab.link.COUNTERS)."""
        return {way: link.counters(self._counters(way)) for way in WAYS}

    def strained(
        self, before: Mapping[Way, dict[str, int]], after: Mapping[Way, dict[str, int]], *, late: float = link.LATE_SHARE
    ) -> str | None:
        """One sentence when between two readings of `line` the machine was too slow to be the line that was asked for.

        Then figures over it do not count. It was, when it lost frames of its own accord, or when more than the share `late`
        of the packets left over 2 ms after their time. Rates do not suffer from a late packet, delays do.
        """
        said = {way: link.strained(before[way], after[way], late=late) for way in WAYS}
        told = "; ".join(f"{way}: {words}" for way, words in said.items() if words)
        return f"This machine was too busy to be that line ({told}): the figures do not count." if told else None

    def carried(self, way: Way, begin: float, end: float) -> float:
        """The true rate of IP packets that left the line between two moments of the last 80 s, s since the epoch; bit/s.

        Everything counts: the test, its acknowledgements, and what others sent. On a line kept full it is the capacity.
        """
        return link.carried(link.history(self._counters(way)), begin, end)

    def go(self) -> float:
        """Let the moments of Wan.steps count from now, in both directions; that moment, s since the epoch.

        What waits in the line's buffer already keeps the time that it has been given.
        """
        now = time.time_ns()
        for way in WAYS:
            link.set_origin(self._counters(way), now)
        return now / link.SECOND

    def await_load(self) -> None:
        """Forget the origin: the moments of Wan.steps count from the next load (Wan.begin "load"), or from the next `go`."""
        for way in WAYS:
            link.set_origin(self._counters(way), 0)

    def cross(
        self,
        way: Way,
        *,
        rate: float = 0.0,
        shape: Shape = "constant",
        streams: int = 0,
        host: str = "",
        size: int = 1500,
        duty: float = 0.5,
        burst: float = 0.2,
        seed: int = 1,
        congestion: str = "",
    ) -> contextlib.AbstractContextManager[Crossing]:
        """Traffic of other people over the line, "down" or "up", while the block lasts: datagrams at a rate, or TCP streams.

        `rate`, bit/s of IP packets, is the mean of what is sent, `size` bytes a packet, in a shape of lab.crossing.Datagrams
        (`duty`, `burst`, `seed`); or `streams` TCP connections take what they get. They run between the ISP and `host`: a
        switch (the one that is meant when none is said), "router", "agent" or a host of the plan that has a kernel of its own.
        The truth is what `Crossing.carried` says; the line's own counters count these packets too. ValueError when it is
        neither or both; LabFailed when an end breaks.
        """
        if (rate > 0) == (streams > 0):
            raise ValueError("traffic has either a rate or a number of streams")
        nowhere = ("", 0)
        sent: Datagrams | Streams = Streams(target=nowhere, streams=streams, congestion=congestion)
        if rate:
            sent = Datagrams(target=nowhere, rate=rate, shape=shape, size=size, duty=duty, burst=burst, seed=seed)
        plan = self.plan
        switch = "switch" if plan.campus is None else plan.campus.switches[0].name
        return crossing(self.popen, plan, way, host or switch, sent)

    def _counters(self, way: Way) -> Path:
        return self.inside(PRIVATE / f"{way}.counters")


@contextlib.contextmanager
def open_lab(plan: Plan | None = None) -> Iterator[Lab]:
    """Build a virtual school, and take it down again however the block ends. LabFailed says what is missing."""
    plan = Plan() if plan is None else plan
    lifeline, held = os.pipe()
    report, reporting = os.pipe()
    with open(report, "rb") as said, open(held, "wb", buffering=0) as hold:  # noqa: PTH123 - descriptors, not paths
        with open(lifeline, "rb"), open(reporting, "wb"):  # noqa: PTH123 - the launcher's ends, closed here once it has them
            launcher = subprocess.Popen(
                [sys.executable, "-m", "lab.isolation", str(lifeline), str(reporting)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(lifeline, reporting),
                env=environment(),
                start_new_session=True,  # Ctrl-C is for us; the lifeline tells the lab
            )
        try:
            init = _begin(launcher, plan, said)
            yield Lab(plan, init)
            _still_whole(init, said)
        finally:
            hold.close()
            launcher.wait(PATIENCE)


def _begin(launcher: subprocess.Popen[bytes], plan: Plan, report: IO[bytes]) -> int:
    """Hand the plan over and wait until all of it stands; its PID 1."""
    if launcher.stdin is not None:
        with contextlib.suppress(BrokenPipeError), launcher.stdin as stdin:
            stdin.write(msgspec.json.encode(plan))
    init = 0
    for line in report:
        said = msgspec.json.decode(line, type=_Said)
        init = said.init or init
        if said.error or said.ended:
            raise LabFailed(said.error or said.ended)
        if said.ready:
            return init
    msg = "the lab ended before it stood; what it wrote above says why"
    raise LabFailed(msg)


def _still_whole(init: int, report: IO[bytes]) -> None:
    """LabFailed when PID 1 ended while the lab was in use: whatever was measured since is worth nothing."""
    # A process that ends gives up its namespaces first and is reaped last: the pipe alone would be looked at too early.
    if select.select([report], [], [], 0)[0] or not Path(f"/proc/{init}/ns/net").exists():
        line = report.readline()
        said = msgspec.json.decode(line, type=_Said) if line else _Said(ended="the lab was killed while it was in use")
        raise LabFailed(said.ended)
