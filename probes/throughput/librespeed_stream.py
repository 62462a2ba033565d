"""One of a LibreSpeed test's streams: a connection that carries one request after another, and never blocks."""

import socket
import ssl
import struct
from collections.abc import Callable

import msgspec

from netready.failure import Failed, Failure, classify
from probes.throughput import tcp_info
from probes.throughput.answer import Answer
from probes.throughput.channel import BUFFER
from probes.throughput.handshake import check_status
from probes.throughput.tcp_info import TcpInfo

MEBIBYTE = 1 << 20
SLICE = 1 << 17  # bytes handed to the kernel at once, and about how much may wait there unsent
CHATTER = 1 << 16  # bytes that the answer to an upload may have; it should have none
_WORTH_TRUNCATING = 1 << 14  # bytes of load below which a plain read is cheaper than a second call
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

# Counters that add up over connections; of the others, the newest connection's is told.
_ADDED = frozenset(
    {"BytesAcked", "BytesReceived", "BytesSent", "BytesRetrans", "SegsIn", "SegsOut", "DataSegsIn", "DataSegsOut", "Delivered"}
    | {"BusyTime", "RWndLimited", "SndBufLimited"}
)


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """The request that is made again and again.

    head     as it goes out
    body     bytes of load behind it, taken from `load` over and over; 0 for a download
    asked    bytes that the answer should have
    """

    head: bytes
    body: int = 0
    load: bytes = b""
    asked: int = 0


class Purse:
    """Bytes that a direction may still move, shared by its streams."""

    def __init__(self, most: int) -> None:
        self.left = float(most or "inf")


class Stream:
    """Requests over `connection`, and over what `redial` gives when the server has closed that between two of them.

    moved    bytes of load that went through this side's calls
    short    whether an answer was smaller than asked for
    """

    def __init__(self, connection: socket.socket, errand: Errand, purse: Purse, *, redial: Callable[[], socket.socket]) -> None:
        self.connection = connection
        self.moved = 0
        self.short = False
        self._errand = errand
        self._purse = purse
        self._redial = redial
        self._load = memoryview(errand.load)
        self._buffer = memoryview(bytearray(BUFFER))
        self._answer = Answer()
        self._answered = 0  # on this connection
        self._current = memoryview(b"")
        self._body = 0  # bytes still to be handed over
        self._active = False
        self._write_error: OSError | None = None
        self._closed: TcpInfo = {}  # of connections that are gone
        self._known: TcpInfo = {}
        self._first: TcpInfo = {}
        self._take_up(connection)

    def _take_up(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(0)
        tcp_info.limit_backlog(connection, SLICE)
        self._clear = not isinstance(connection, ssl.SSLSocket)
        self._answered = 0
        self._write_error = None
        self._first = self._known = tcp_info.read(connection)  # before any load, but behind TLS's handshake

    def begin(self) -> None:
        """Make the request, from the next `move` on."""
        self._active = True
        self._answer = Answer()
        self._current = memoryview(self._errand.head)
        self._body = self._errand.body

    @property
    def wants_to_write(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._current or self._body) and self._write_error is None

    def counters(self) -> TcpInfo:
        """What our kernel counted for this stream since before its first request."""
        self._known = tcp_info.read(self.connection) or self._known
        return added([self._closed, grown(self._first, self._known)])

    def move(self, *, readable: bool, writable: bool) -> None:
        """Write once and read what is there. Raises Failed or OSError when the test must end."""
        if writable:
            self._write()
        while readable and self._read():
            if self._clear or not self.connection.pending():  # type: ignore[attr-defined]
                break  # else TLS has more already, and poll would not tell

    def close(self) -> None:
        """Reset the connection, so that neither end goes on with load that nobody counts."""
        if self.connection.fileno() >= 0:  # a server that could not be dialled again has left a closed one
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _write(self) -> None:
        if not self._current and self._body:
            at = (self._errand.body - self._body) % len(self._load)
            count = int(min(len(self._load) - at, SLICE, self._body, self._purse.left))
            self._current = self._load[at : at + count]
            self._body -= count
            self._purse.left -= count
            self.moved += count
        if not self._current:
            return
        try:
            count = self.connection.send(self._current)
        except _WOULD_BLOCK:
            return
        except OSError as error:
            self._write_error = error  # what the server said before it went may still be read
            return
        self._current = self._current[count:]

    def _read(self) -> bool:
        left = self._answer.discardable
        try:
            if self._clear and left >= _WORTH_TRUNCATING:
                # The kernel drops load that nobody will look at, and copies nothing (tcp(7), MSG_TRUNC).
                count = self.connection.recv_into(self._buffer, min(left, BUFFER), socket.MSG_TRUNC)
                self._answer.discard(count)
            else:
                count = self.connection.recv_into(self._buffer)
                self._take(self._buffer[:count])
        except _WOULD_BLOCK:
            if self._write_error is not None:
                raise Failed(classify(self._write_error) or Failure.RESET, str(self._write_error)) from self._write_error
            return False
        if count == 0:
            self._end()
        elif self._errand.asked:
            self.moved += count
            self._purse.left -= count
        self._look()
        return True

    def _take(self, data: memoryview) -> None:
        if data and not self._active:
            raise Failed(Failure.MALFORMED, "the server spoke before it was asked")
        known = self._answer.response
        self._answer.feed(data)
        if known is None and self._answer.response is not None:
            check_status(self._answer.response, 200)

    def _end(self) -> None:
        """The server closed the connection; between two requests it may."""
        untouched = self._body == self._errand.body and not self._answer.begun
        if untouched and (self._answered or not self._active):
            self._renew()
        else:
            self._answer.end()

    def _look(self) -> None:
        answer, asked = self._answer, self._errand.asked
        if answer.size > (asked or CHATTER):
            raise Failed(Failure.MALFORMED, f"the server's answer is longer than the {asked or CHATTER} bytes it may have")
        if not answer.over:
            return
        if self._current or self._body:
            raise Failed(Failure.MALFORMED, "the server answered before it had the whole request")
        if answer.size < min(asked, MEBIBYTE):
            raise Failed(Failure.MALFORMED, f"the server gave {answer.size} bytes where {asked} were asked")
        self.short = self.short or answer.size < asked
        self._answered += 1
        if answer.lasting:
            self.begin()
        else:
            self._renew()

    def _renew(self) -> None:
        self._closed = self.counters()
        self.connection.close()
        self._take_up(self._redial())
        if self._active:
            self.begin()


def grown(before: TcpInfo, after: TcpInfo) -> TcpInfo:
    """`after`, with the counters that add up counted from `before`."""
    return {name: max(0, value - before.get(name, 0)) if name in _ADDED else value for name, value in after.items()}


def added(parts: list[TcpInfo]) -> TcpInfo:
    """The counters of several connections together; round trips are the shortest, sizes and options the last one's."""
    total: TcpInfo = {}
    for part in parts:
        for name, value in part.items():
            if name in _ADDED:
                total[name] = total.get(name, 0) + value
            elif name == "MinRTT":
                total[name] = min(value, total.get(name, value))
            else:
                total[name] = value
    return total
