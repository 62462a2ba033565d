"""What every test may ask for: programs, network namespaces, a UDP server on loopback, and a clock that is moved by hand."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from agent.clock import SystemClock
from netready.authority import Authority
from netready.instrument import Context

# In CI every tool is installed and a missing one is a failure, not a skip: a green run cannot hide a missing step.
STRICT = bool(os.environ.get("NETREADY_ALL_TOOLS"))

# How long an example takes tells of the machine, not of the code; and in CI a failure must be the change's, not the draw's.
# Fixtures that all examples of a test share are folders and clocks, which they share knowingly.
settings.register_profile(
    "house",
    deadline=None,
    derandomize=STRICT,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("house")


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


@pytest.fixture(scope="session")
def unshared() -> Callable[..., Any]:
    """Run a program in a network namespace of its own, which sees its own /sys; gives the JSON that it prints."""

    def run(program: Path, *argv: str, timeout: float = 30) -> Any:
        flags = "-nm" if os.geteuid() == 0 else "-Urnm"
        mounted = 'mount -t sysfs none /sys && exec "$@"'
        done = subprocess.run(
            ["unshare", flags, "sh", "-c", mounted, "sh", sys.executable, str(program), *argv],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def udp_server() -> Iterator[Callable[[Callable[[bytes], list[bytes]]], int]]:
    """Answer each datagram with those that a function makes of it; gives the port."""
    closers: list[Callable[[], None]] = []

    def serve(answer: Callable[[bytes], list[bytes]], port: int = 0) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", port))
        sock.settimeout(0.01)
        stop = threading.Event()

        def loop() -> None:
            while not stop.is_set():
                try:
                    data, peer = sock.recvfrom(65535)
                except TimeoutError:
                    continue
                for reply in answer(data):
                    sock.sendto(reply, peer)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()

        def close() -> None:
            stop.set()
            thread.join(5)
            sock.close()

        closers.append(close)
        return sock.getsockname()[1]

    yield serve
    for close in closers:
        close()


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
