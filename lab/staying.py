"""THE VIRTUAL SCHOOL that stays: a lab in the background, found again by name through a small file of state.

`python -m lab.staying NAME SECONDS` reads the plan from stdin, says one line of JSON when the lab stands (or why it does
not), and ends by itself.
"""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lab.plan import LabFailed, Plan
from lab.running import Lab, environment, open_lab

PATIENCE = 30.0  # s for a lab to end
GLANCE = 0.05  # s


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A lab that is up. `began` tells this keeper from a later process of the same number (proc_pid_stat(5), field 22)."""

    name: str
    keeper: int
    began: int
    init: int
    plan: Plan
    until: float  # s since the epoch


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper says once: the state, or why there is no lab."""

    state: State | None = None
    error: str = ""


def folder() -> Path:
    """Where states are kept: ours alone. LabFailed when somebody else was there first."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    place = Path(runtime, "netready-lab") if runtime else Path("/tmp", f"netready-lab-{os.getuid()}")  # noqa: S108 - checked below
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        msg = f"{place} is not a folder of yours alone; remove it, or set XDG_RUNTIME_DIR"
        raise LabFailed(msg)
    return place


def _file(name: str) -> Path:
    return folder() / f"{name}.json"


def _log(name: str) -> Path:
    return folder() / f"{name}.log"


def _began(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])


def find(name: str) -> State | None:
    """The lab of that name, when it is still up."""
    try:
        state = msgspec.json.decode(_file(name).read_bytes(), type=State)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return state if _began(state.keeper) == state.began else None


def stay(name: str, plan: Plan, seconds: float) -> State:
    """Start a lab that outlives this process; LabFailed when it cannot be built or the name is taken."""
    if find(name):
        msg = f"a lab called {name!r} is up already; end it with `netready lab down --name {name}`"
        raise LabFailed(msg)
    with _log(name).open("wb") as log:  # not our own standard error: who reads that would wait for the lab's end
        keeper = subprocess.Popen(
            [sys.executable, "-m", "lab.staying", name, repr(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment(),
            start_new_session=True,
            cwd="/",
        )
    assert keeper.stdin is not None  # noqa: S101 - we asked for both pipes
    assert keeper.stdout is not None  # noqa: S101
    with keeper.stdin as stdin:
        stdin.write(msgspec.json.encode(plan))
    with keeper.stdout as stdout:
        line = stdout.readline()
    word = (
        msgspec.json.decode(line, type=Word)
        if line
        else Word(error=f"the lab's keeper ended without a word; {_log(name)} says why")
    )
    if word.state is None:
        keeper.wait(PATIENCE)
        raise LabFailed(word.error)
    keeper.returncode = 0  # it is meant to outlive us: no warning that nobody waited for it
    return word.state


def end(state: State) -> None:
    """Take a lab down and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.keeper, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while _began(state.keeper) == state.began and not _dead(state.keeper):
        if time.monotonic() > deadline:
            msg = f"the lab {state.name!r} (process {state.keeper}) does not end"
            raise LabFailed(msg)
        time.sleep(GLANCE)


def _dead(pid: int) -> bool:
    """Whether it has ended and only waits for its parent to notice."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def attach(state: State) -> Lab:
    """A lab that is up, to run programs in."""
    return Lab(state.plan, state.init)


@contextlib.contextmanager
def _recorded(state: State) -> Iterator[None]:
    file = _file(state.name)
    file.write_bytes(msgspec.json.encode(state))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        if not _log(state.name).stat().st_size:
            _log(state.name).unlink()


def main() -> None:
    """Keep a lab until its time is over, it breaks, or SIGTERM."""
    name, seconds = sys.argv[1], float(sys.argv[2])
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with open_lab(plan) as lab:
            me = os.getpid()
            until = time.time() + seconds
            state = State(name=name, keeper=me, began=_began(me) or 0, init=lab.init, plan=plan, until=until)
            with _recorded(state):
                _say(Word(state=state))
                signal.sigtimedwait(signals, seconds)
    except LabFailed as error:
        _say(Word(error=str(error)))


def _say(word: Word) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
