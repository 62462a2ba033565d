"""The pulse of this process's TCP connections while a library loads the line, to see a line that is gone before the test is."""

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from probes.throughput import tcp_info
from probes.throughput.settings import Direction

EVERY = 0.25  # s between readings
_BUSY = 0.1  # of the mean rate, below which a line is as good as silent
Reading = tuple[float, int]  # seconds, bytes so far


class Pulse:
    """Reads what the kernel says of all connections of this process, whoever opened them, as long as the block lasts."""

    def __init__(self, direction: Direction) -> None:
        self._counter = "BytesReceived" if direction is Direction.DOWN else "BytesAcked"
        self._over = threading.Event()
        self._known: dict[str, int] = {}
        self._moved = 0
        self._readings: list[Reading] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._read()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._read()

    @property
    def silent(self) -> float:
        """Seconds at the end of the block in which hardly anything moved."""
        return silent(self._readings)

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self._read()

    def _read(self) -> None:
        for name, connection in _connections():
            count = tcp_info.read(connection).get(self._counter, 0)
            self._moved += max(0, count - self._known.get(name, 0))
            self._known[name] = count
        self._readings.append((time.monotonic(), self._moved))


def _connections() -> Iterator[tuple[str, socket.socket]]:
    """This process's TCP sockets by what the kernel calls them; one that is closed meanwhile is left out."""
    for handle in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            name = str(handle.readlink())
            if name.startswith("socket:"):
                with socket.socket(fileno=os.dup(int(handle.name))) as connection:
                    if connection.family in {socket.AF_INET, socket.AF_INET6} and connection.type is socket.SOCK_STREAM:
                        yield name, connection


def silent(readings: Sequence[Reading]) -> float:
    """Seconds since a tenth of the mean rate was last reached between two readings; 0 where nothing moved at all. Pure."""
    (begun, first), (ended, last) = readings[0], readings[-1]
    if ended <= begun or last <= first:
        return 0.0
    least = _BUSY * (last - first) / (ended - begun)
    pairs = itertools.pairwise(readings)
    return ended - max(now for (then, before), (now, after) in pairs if after - before > least * (now - then))
