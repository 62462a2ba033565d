"""What the server counts while it runs. Plain numbers under a lock; `exposition` makes a page of them."""

import threading
from collections import Counter

DIRECTIONS = ("received", "sent")
TRANSPORTS = ("clear", "tls", "silent")
REASONS = (
    "tests",
    "client_tests",
    "client_bytes",
    "client_seconds",
    "streams",
    "token",
    "connections",
    "clear_text",
    "tls",
    "head_time",
    "head",
)


class Tally:
    """Counts since the start, safe to be used by many threads.

    tests         ended tests by (protocol, result)
    refusals      requests and connections turned away, by the words of REASONS
    moved         bytes by the words of DIRECTIONS
    connections   accepted connections by the words of TRANSPORTS; those that sent nothing are silent
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.tests: Counter[tuple[str, str]] = Counter()
        # From zero, so that Prometheus sees the first of anything as an increase.
        self.refusals: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self.moved: Counter[str] = Counter(dict.fromkeys(DIRECTIONS, 0))
        self.connections: Counter[str] = Counter(dict.fromkeys(TRANSPORTS, 0))

    def test(self, protocol: str, result: str) -> None:
        """A test ended."""
        with self._lock:
            self.tests[protocol, result] += 1

    def refused(self, reason: str) -> None:
        """Somebody was turned away."""
        with self._lock:
            self.refusals[reason] += 1

    def connection(self, transport: str) -> None:
        """A connection has shown what it speaks."""
        with self._lock:
            self.connections[transport] += 1

    def bytes(self, *, received: int, sent: int) -> None:
        """Bytes went through a connection."""
        with self._lock:
            self.moved["received"] += received
            self.moved["sent"] += sent

    def copy(self) -> "Tally":
        """The counts at one moment."""
        other = Tally()
        with self._lock:
            other.tests, other.refusals = self.tests.copy(), self.refusals.copy()
            other.moved, other.connections = self.moved.copy(), self.connections.copy()
        return other
