"""What every test may ask for: programs, the right to make namespaces, and a clock that is moved by hand."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from agent.clock import SystemClock
from netready.authority import Authority
from netready.instrument import Context

# In CI every tool is installed and a missing one is a failure, not a skip: a green run cannot hide a missing step.
STRICT = bool(os.environ.get("NETREADY_ALL_TOOLS"))


def _namespaces() -> str | None:
    """Why namespaces cannot be made here, or None when they can."""
    if shutil.which("ip") is None:
        return "`ip` is not installed; sudo apt install iproute2"
    if shutil.which("unshare") is None:
        return "`unshare` is not installed; sudo apt install util-linux"
    flags = "-nm" if os.geteuid() == 0 else "-Urnm"
    made = subprocess.run(["unshare", flags, "true"], capture_output=True, text=True, check=False)
    return None if made.returncode == 0 else f"this machine does not allow network namespaces ({made.stderr.strip()})"


class HandClock:
    """A clock that moves only when told to, or when somebody sleeps on it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


@pytest.fixture
def hand_clock() -> HandClock:
    """A Monday morning in March 2026, in UTC."""
    return HandClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def context_for() -> Callable[..., Context]:
    """An instrument's context with the real clock: it allows loopback, and what the test names."""

    def make(*, networks: tuple[str, ...] = (), hosts: tuple[str, ...] = (), said: list[str] | None = None) -> Context:
        return Context(
            clock=SystemClock(),
            chance=random.Random(7),
            authority=Authority(networks=tuple(ip_network(text) for text in networks), hosts=frozenset(hosts)),
            say=[].append if said is None else said.append,
        )

    return make


@pytest.fixture
def context(context_for: Callable[..., Context]) -> Context:
    return context_for()


_namespaces_missing: list[str | None] = []


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("tool"):
        for name in marker.args:
            if shutil.which(name) is None:
                _miss(f"{name} is not installed; `make tools` installs it")
    if item.get_closest_marker("namespaces") is not None:
        if not _namespaces_missing:
            _namespaces_missing.append(_namespaces())
        if _namespaces_missing[0] is not None:
            _miss(_namespaces_missing[0])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sweeps take minutes: they run only when asked for by `-m sweep`."""
    if "sweep" in (config.option.markexpr or ""):
        return
    skip = pytest.mark.skip(reason="takes minutes; run it with -m sweep")
    for item in items:
        if item.get_closest_marker("sweep") is not None:
            item.add_marker(skip)


def _miss(reason: str) -> None:
    if STRICT:
        pytest.fail(reason)
    pytest.skip(reason)
