"""The schedule: a survey at the start, then one on every point of a grid that no clock step and no slow survey can bend.

The supervisor (systemd) hears that we are up, that we are alive, and that we stop. It stops hearing that we are alive when a
survey hangs for longer than any survey can take; then it restarts us.
"""

import contextlib
import math
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from netready.clock import Clock
from netready.instrument import Chance
from netready.text import clean

Taken = TypeVar("Taken")

# A building that gets its power back starts all its agents at once; half a minute keeps them off each other's first test.
FIRST_SPLAY = 30.0  # s
# Share of the interval by which a survey may come late, anew for each, so that agents do not stay in step with each other
# or with the school's hourly rhythms (RFC 2330, section 11.1.1, on why not to sample periodically).
JITTER = 0.1
TICK = 0.5  # s: how soon a stop is noticed, and twice a second is cheap
HUNG_AFTER = 4 * 3600.0  # s: far beyond the longest survey of the largest site we know how to scan


class Stop(Protocol):
    """What tells the loop to end; a `threading.Event`."""

    def is_set(self) -> bool: ...


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule did: surveys published, surveys that broke, and planned ones left out because another was running."""

    surveys: int = 0
    failures: int = 0
    missed: int = 0


class Supervisor:
    """The service manager's ear: sd_notify(3) over its datagram socket, or nobody when NOTIFY_SOCKET is not set."""

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._clock = clock
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environ.get("WATCHDOG_USEC", "")
        self._every = (
            int(usec) / 2e6 if ours and usec.isdigit() else math.inf
        )  # half the limit, as sd_watchdog_enabled(3) advises
        self._spoke_at = clock.monotonic()

    def tell(self, message: str) -> None:
        """Send one message, such as "READY=1"."""
        if not self._address:
            return
        # A supervisor that has gone away is no reason to stop measuring.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ear:
            ear.settimeout(TICK)
            ear.sendto(message.encode(), self._address)

    def alive(self) -> None:
        """Say that we are alive, when it is time to."""
        now = self._clock.monotonic()
        if now - self._spoke_at >= self._every:
            self._spoke_at = now
            self.tell("WATCHDOG=1")


def complain(line: str) -> None:
    """One line on standard error, whatever was in the text."""
    print("netready: " + clean(line, limit=500), file=sys.stderr, flush=True)  # noqa: T201 - the service's log


def _nothing() -> None:
    """Count nothing."""


def _none_missed(_count: int) -> None:
    """Count nothing."""


def run(
    take: Callable[[], Taken],
    publish: Callable[[Taken], None],
    *,
    interval: float,
    clock: Clock,
    chance: Chance,
    stop: Stop,
    failed: Callable[[], None] = _nothing,
    missed: Callable[[int], None] = _none_missed,
    complain: Callable[[str], None] = complain,
    environ: Mapping[str, str] = os.environ,
) -> Tally:
    """Survey now and then every `interval` seconds until `stop` is set; returns within a second of that.

    `take` runs in a thread of its own, one at a time; `publish` gets what it returned, in the caller's thread. Either may
    raise: that costs its survey, one line and a call of `failed`. A survey that is still running when the next is due
    costs the next one, and a call of `missed`. When `stop` comes during a survey, the survey is abandoned unpublished.
    """
    if not interval > 0:
        raise ValueError(f"interval must be more than 0 s, not {interval}")
    supervisor = Supervisor(environ, clock)
    supervisor.tell("READY=1\nSTATUS=Waiting for the first survey.")
    tally = Tally()
    due = clock.monotonic() + chance.random() * min(FIRST_SPLAY, interval)
    origin, slot = due, 0
    while _wait(due, clock, stop, supervisor):
        supervisor.tell(f"STATUS=Survey {tally.surveys + tally.failures + 1} is running.")
        survey = _Survey(take)
        if not _finish(survey, clock, stop, supervisor):
            break
        tally = _count(survey, publish, tally, complain, failed)
        after = max(slot + 1, math.ceil((clock.monotonic() - origin) / interval))
        left_out, slot = after - slot - 1, after
        if left_out:
            complain(f"a survey ran into the time of {left_out} planned after it, which are left out")
            missed(left_out)
            tally = msgspec.structs.replace(tally, missed=tally.missed + left_out)
        due = origin + slot * interval + chance.random() * JITTER * interval
        supervisor.tell(f"STATUS={tally.surveys} surveys, {tally.failures} failed; waiting for the next.")
    supervisor.tell("STOPPING=1")
    return tally


class _Survey(Generic[Taken]):
    """One call of `take`, in a thread that does not keep the program alive."""

    def __init__(self, take: Callable[[], Taken]) -> None:
        self._take = take
        self._taken: list[Taken] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._taken.append(self._take())
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever a survey does
            self._error = error

    def done(self, within: float) -> bool:
        """Wait up to `within` seconds; whether the survey has ended."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def result(self) -> Taken:
        """What `take` returned; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._taken[0]


def _wait(due: float, clock: Clock, stop: Stop, supervisor: Supervisor) -> bool:
    """Wait until `due`; False when told to stop before."""
    while not stop.is_set():
        left = due - clock.monotonic()
        if left <= 0:
            return True
        supervisor.alive()
        clock.sleep(min(TICK, left))
    return False


def _finish(survey: _Survey[Taken], clock: Clock, stop: Stop, supervisor: Supervisor) -> bool:
    """Wait until the survey has ended; False when told to stop before."""
    begun = clock.monotonic()
    while not survey.done(TICK):
        if stop.is_set():
            return False
        if clock.monotonic() - begun < HUNG_AFTER:
            supervisor.alive()
    return not stop.is_set()


def _count(
    survey: _Survey[Taken],
    publish: Callable[[Taken], None],
    tally: Tally,
    complain: Callable[[str], None],
    failed: Callable[[], None],
) -> Tally:
    try:
        publish(survey.result())
    except Exception as error:  # noqa: BLE001 - the loop outlives whatever a survey does
        complain(f"a survey failed: {type(error).__name__}: {error}")
        failed()
        return msgspec.structs.replace(tally, failures=tally.failures + 1)
    return msgspec.structs.replace(tally, surveys=tally.surveys + 1)
