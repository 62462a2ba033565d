"""One deadline over many socket calls, and a bounded reader that keeps it: a peer that dribbles cannot hold a probe up."""

import io
import socket

from netready.clock import Clock
from netready.failure import Failed, Failure


class Deadline:
    """`seconds` from now on `clock`."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self._begun = clock.monotonic()
        self._seconds = seconds

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return self.clock.monotonic() - self._begun

    def left(self) -> float:
        """Seconds that remain, always more than none; raises TimeoutError when they are over."""
        left = self._seconds - self.spent
        if left <= 0:
            raise TimeoutError(f"not done after {self._seconds:g} s")
        return left


class Tap(io.RawIOBase):
    """The receiving side of a socket: at most `limit` bytes, none after the deadline; notes when the first one came."""

    def __init__(self, sock: socket.socket, deadline: Deadline, limit: int) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = deadline
        self._limit = limit
        self.received = 0
        self.first_byte: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # io calls it with a memoryview
        self._sock.settimeout(self._deadline.left())
        count = self._sock.recv_into(buffer)
        if count and self.first_byte is None:
            self.first_byte = self._deadline.spent
        self.received += count
        if self.received > self._limit:
            raise Failed(Failure.TOO_LARGE, f"more than {self._limit} bytes came")
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self)
