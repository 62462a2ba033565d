"""One connection of a test: load one way, small messages both ways, and a deadline on everything.

The socket never blocks; `step` moves what can be moved and returns when there is something to look at. Both ends of a
test use it. Everything here may raise OSError or `Failed`; the caller turns them into failure words.
"""

import math
import select
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from netready.failure import Failed, Failure, classify
from probes.throughput import tcp_info
from probes.throughput.handshake import head_end
from probes.throughput.websocket import Message, Receiver

BUFFER = 1 << 18  # bytes read at once
SLICE = 0.02  # s that `step` moves load before it lets its caller look at the clock
FAST = 250e6  # bytes/s that come; above, the kernel's own way of acknowledging slows the sender down
OUTBOX_LIMIT = 64  # small messages waiting; a peer that sends pings and reads no pongs gets no more
ADDRESSES = 4  # of one name that are tried
_WORTH_TRUNCATING = 1 << 14  # bytes of load below which a plain read is cheaper than a second call
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Now = Callable[[], float]


class Source(Protocol):
    """Where the load comes from.

    between   whether a small frame may go before the next piece
    ended     whether there is no next piece
    """

    @property
    def between(self) -> bool: ...

    @property
    def ended(self) -> bool: ...

    def next_frame(self) -> bytes: ...


def dial(host: str, port: int, *, tls: ssl.SSLContext | None, seconds: float, now: Now) -> socket.socket:
    """A connected socket, with TLS when a context is given, within `seconds`; raises OSError of the last address tried."""
    deadline = now() + seconds
    problem: OSError = TimeoutError("no time was left to connect")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:ADDRESSES]:
        left = deadline - now()
        if left <= 0:
            break
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left)
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is None:
                return connection
            connection.settimeout(max(0.001, deadline - now()))
            return tls.wrap_socket(connection, server_hostname=host)
        except OSError as error:
            connection.close()
            problem = error
    raise problem


class Channel:
    """A connected socket, before and after it becomes a WebSocket.

    sent_at, received_at   when bytes last moved, on the clock `now`
    bytes_in, bytes_out    what went through this socket's calls (inside TLS, if there is TLS)
    early                  what came behind an HTTP head, until somebody takes it
    """

    def __init__(self, connection: socket.socket, now: Now) -> None:
        connection.settimeout(0)
        self.connection = connection
        self.receiver = Receiver(masked=False)
        self.bytes_in = 0
        self.bytes_out = 0
        self.sent_at = self.received_at = self._begun = now()
        self._now = now
        self._clear = not isinstance(connection, ssl.SSLSocket)
        self.early = b""
        self._buffer = memoryview(bytearray(1))
        self._current: bytes | memoryview = b""
        self._outbox: deque[bytes] = deque()
        self._found: list[Message] = []
        self._write_error: OSError | None = None
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def read_head(self, *, seconds: float) -> bytes:
        """The HTTP head that the peer sends next, whole; what follows it is kept in `early`."""
        deadline = self._now() + seconds
        head, self.early = bytearray(self.early), b""
        while (end := head_end(head)) is None:
            if self._now() >= deadline:
                raise Failed(Failure.TIMEOUT, f"no complete HTTP head within {seconds:.1f} s")
            try:
                chunk = self.connection.recv(4096)
            except _WOULD_BLOCK:
                self._wait(deadline - self._now(), write=False)
                continue
            if not chunk:
                raise Failed(Failure.CLOSED_EARLY, "the connection was closed before an HTTP head was complete")
            self.bytes_in += len(chunk)
            head += chunk
        self.early = bytes(head[end:])
        return bytes(head[:end])

    def write_all(self, data: bytes | memoryview, *, seconds: float) -> None:
        """Send `data` before any WebSocket frame, within `seconds`."""
        self._current = memoryview(data)
        deadline = self._now() + seconds
        while self._current:
            if not self.write(None):
                self._raise_write_error()
                if self._now() >= deadline:
                    raise Failed(Failure.TIMEOUT, f"the peer took nothing for {seconds:g} s")
                self._wait(deadline - self._now(), write=True)

    def become_websocket(self, *, masked: bool) -> None:
        """From here on the peer's bytes are frames; `masked` says whether they must be."""
        self.receiver = Receiver(masked=masked)
        self._buffer = memoryview(bytearray(BUFFER))
        self._found = self.receiver.feed(memoryview(self.early))
        self.early = b""
        self.sent_at = self.received_at = self._begun = self._now()

    def queue(self, frame: bytes) -> None:
        """Send a small frame at the next boundary between frames; dropped when the peer has stopped reading."""
        if len(self._outbox) < OUTBOX_LIMIT:
            self._outbox.append(frame)

    def wants_to_write(self, load: Source | None) -> bool:
        """Whether there is anything to send."""
        return self._write_error is None and bool(self._current or self._outbox or (load is not None and not load.ended))

    def move(self, load: Source | None, *, readable: bool, writable: bool) -> Sequence[Message]:
        """Write once and read once where that is possible, and never wait; what came. For whoever polls many channels."""
        if writable:
            self.write(load)
        if readable:
            self._read()
            while not self._clear and not self._found and self.connection.pending():  # type: ignore[attr-defined]
                self._read()  # TLS has it already, and poll would not tell
        if not self._found:
            return ()
        found, self._found = self._found, []
        return found

    @property
    def idle(self) -> bool:
        """Whether everything queued has been handed to the kernel."""
        return not self._current and not self._outbox

    def step(self, until: float, load: Source | None = None) -> list[Message]:
        """Move bytes until messages came, `until` passed, or a slice of steady traffic went by; the messages, if any."""
        stop = min(until, self._now() + SLICE)
        readable = True
        while not self._found:
            wrote = self.write(load)
            read = readable and self._read()
            now = self._now()
            if self._found or now >= stop:
                break
            readable = not wrote
            if not wrote and not read:
                self._wait(until - now, write=bool(self._current or self._outbox or load))
                readable = True
        found, self._found = self._found, []
        return found

    def linger(self, *, seconds: float, limit: int = 1 << 18) -> None:
        """Say that nothing more comes, and read what the peer still sends, so that our last words are not reset away."""
        # SSLSocket.shutdown forgets its TLS state; the plain call only tells the kernel.
        socket.socket.shutdown(self.connection, socket.SHUT_WR)
        deadline = self._now() + seconds
        while limit > 0 and self._now() < deadline:
            try:
                count = len(self.connection.recv(1 << 14))
            except _WOULD_BLOCK:
                self._wait(deadline - self._now(), write=False)
                continue
            if count == 0:
                return
            limit -= count

    def close(self, *, abort: bool = False) -> None:
        """Close the connection; `abort` resets it, so that the kernel keeps nothing for a peer that does not read."""
        if abort:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def write(self, load: Source | None) -> bool:
        """Hand the kernel one frame or piece; whether it took any of it. Never waits."""
        if self._write_error is not None:
            return False
        piece = self._current
        if not piece:
            if self._outbox and (load is None or load.between):
                piece = self._outbox.popleft()
            elif load is not None and not load.ended:
                piece = load.next_frame()
            else:
                return False
        try:
            count = self.connection.send(piece)
        except _WOULD_BLOCK:
            self._current = piece
            return False
        except OSError as error:
            self._write_error = error  # what the peer said before it went may still be read
            return False
        self._current = b"" if count == len(piece) else memoryview(piece)[count:]
        self.bytes_out += count
        self.sent_at = self._now()
        if load is None and self.bytes_in > FAST * (self.sent_at - self._begun):
            tcp_info.acknowledge_at_once(self.connection)
        return True

    def _read(self) -> bool:
        left = self.receiver.discardable
        try:
            if self._clear and left >= _WORTH_TRUNCATING:
                # The kernel drops load that nobody will look at, and copies nothing (tcp(7), MSG_TRUNC).
                count = self.connection.recv_into(self._buffer, min(left, BUFFER), socket.MSG_TRUNC)
                self.receiver.discard(count)
            else:
                count = self.connection.recv_into(self._buffer, min(left + _WORTH_TRUNCATING, BUFFER))
                self._found.extend(self.receiver.feed(self._buffer[:count]))
        except _WOULD_BLOCK:
            self._raise_write_error()
            return False
        if count == 0:
            self._raise_write_error()
            raise Failed(Failure.CLOSED_EARLY, "the peer closed the connection without a word")
        self.bytes_in += count
        self.received_at = self._now()
        return True

    def _raise_write_error(self) -> None:
        if self._write_error is not None:
            raise Failed(classify(self._write_error) or Failure.RESET, str(self._write_error)) from self._write_error

    def _wait(self, seconds: float, *, write: bool) -> None:
        self._poll.modify(self.connection, select.POLLIN | (select.POLLOUT if write else 0))
        self._poll.poll(max(0, math.ceil(seconds * 1000)))
