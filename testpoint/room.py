"""How many connections there may be. Whoever keeps us waiting longest makes room for the next."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

Thread = threading.Thread


class Room:
    """The open connections, one for each thread. Safe to be used by many threads.

    A connection waits while its peer owes us a request, or has only to hang up.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._connections: dict[Thread, socket.socket] = {}
        self._waiting: dict[Thread, None] = {}  # the longest first

    def __len__(self) -> int:
        return len(self._connections)

    def make(self) -> bool:
        """Whether one more may come in; when all is full, the one that has waited longest is hung up."""
        with self._lock:
            if len(self._connections) < self._size:
                return True
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            del self._waiting[longest]
            _hang_up(self._connections[longest])
            return True

    def enter(self, thread: Thread, connection: socket.socket) -> None:
        """A connection came, and waits."""
        with self._lock:
            self._connections[thread] = connection
            self._waiting[thread] = None

    def wait(self) -> None:
        """This thread's connection waits from now on."""
        with self._lock:
            self._waiting[threading.current_thread()] = None

    def work(self) -> None:
        """This thread's connection waits no longer."""
        with self._lock:
            self._waiting.pop(threading.current_thread(), None)

    def secure(self, wrapped: Callable[[], ssl.SSLSocket]) -> ssl.SSLSocket:
        """This thread's connection goes on inside TLS; the plain one is empty then, and must not be hung up meanwhile."""
        with self._lock:
            connection = wrapped()
            self._connections[threading.current_thread()] = connection
            return connection

    def leave(self, thread: Thread) -> None:
        """A thread has no connection any more."""
        with self._lock:
            self._connections.pop(thread, None)
            self._waiting.pop(thread, None)

    def clear(self) -> list[Thread]:
        """Hang up whoever waits; the threads that have a connection still."""
        with self._lock:
            for thread in self._waiting:
                _hang_up(self._connections[thread])
            return list(self._connections)


def _hang_up(connection: socket.socket) -> None:
    """Wake the thread that reads from `connection`. SSLSocket's own shutdown would pull the TLS state from under it."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
