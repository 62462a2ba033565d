"""THE VIRTUAL SCHOOL from outside: open it, run programs on its hosts, close it. An ordinary process may do so."""

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from lab.link import counters
from lab.plan import PRIVATE, LabFailed, Plan, Truth, truth

PATIENCE = 60.0  # s for the launcher to see PID 1 die; the kernel needs milliseconds
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
        self.plan = plan
        self.init = init

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

    def line(self) -> dict[str, dict[str, int]]:
        """The emulator's counters, "down" and "up", by name (lab.link.COUNTERS).

        Everything but packets, bytes, queue_drops and losses is unwanted: when it grows, the machine was too slow to be
        the line that was asked for, and figures over it do not count.
        """
        inside = Path(f"/proc/{self.init}/root") / PRIVATE.relative_to("/")
        return {name: counters(inside / f"{name}.counters") for name in ("down", "up")}


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
