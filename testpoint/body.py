"""A request's body: read, counted and dropped, within limits (RFC 9112, 6 and 7).

Nobody looks at what clients upload. So load in clear text is dropped by the kernel, and only the framing of chunks is read.
"""

import math
import re
import select
import socket
import ssl

from netready.failure import Failed, Failure
from probes.throughput.channel import BUFFER
from probes.throughput.handshake import Request
from testpoint.visit import ANSWER_SECONDS, KEPT_SECONDS, Visit, answer, turn_away

_READ = 1 << 14  # bytes read at once where framing is looked for
_LINE = 256  # bytes of a chunk's size with its extensions, or of a trailer
_SMALL, _SMALL_CHUNKS = 256, 1000  # bytes; so many may be smaller on average: each costs us more than its sender
_MOST_TRAILERS = 32
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_LOOK = 0.25  # s after which a waiting thread sees that the server is being stopped
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_WORTH_DROPPING = 1 << 14  # bytes of load below which one plain read brings what follows it, too
_TOLD = 1 << 20  # bytes after which the client's account is looked at
_STATUS = {
    Failure.MALFORMED: 400,
    Failure.TIMEOUT: 408,
    Failure.TOO_LARGE: 413,
    Failure.NOT_SUPPORTED: 501,
}


def expected(request: Request, most: int) -> int | None:
    """Bytes of body that `request` announces, or None when they come in chunks. Pure.

    Raises Failed: TOO_LARGE above `most`, NOT_SUPPORTED for other codings than chunked, MALFORMED for what is not clear.
    """
    length, coding = request.fields.get("content-length"), request.fields.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise Failed(Failure.MALFORMED, "a body has a Content-Length or a Transfer-Encoding, never both")
        if coding.lower() != "chunked":
            raise Failed(Failure.NOT_SUPPORTED, "chunked is the only transfer coding that is taken")
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit()):
        raise Failed(Failure.MALFORMED, "Content-Length is one whole number")
    if len(length) > 18 or int(length) > most:
        raise Failed(Failure.TOO_LARGE, f"a body of more than {most} bytes")
    return int(length)


class Sized:
    """A body whose length was announced. `left` is how many of the next bytes are load."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.payload = 0

    @property
    def done(self) -> bool:
        return self.left == 0

    def drop(self, count: int) -> None:
        """`count` bytes of load came, never more than `left`."""
        self.left -= count
        self.payload += count

    def feed(self, data: bytes) -> int:
        """How many of the first bytes of `data` belong to the body."""
        count = min(self.left, len(data))
        self.drop(count)
        return count


class Chunked:
    """A body in chunks (RFC 9112, 7.1), of `most` bytes. `left` is how many of the next bytes are load."""

    def __init__(self, most: int) -> None:
        self.left = 0
        self.payload = 0
        self.done = False
        self._most = most
        self._line = b""  # what has come of the line under way
        self._read = self._read_size  # what the line will be
        self._chunks = 0
        self._trailers = 0

    def drop(self, count: int) -> None:
        """`count` bytes of load came, never more than `left`."""
        self.left -= count
        self.payload += count

    def feed(self, data: bytes) -> int:
        """How many of the first bytes of `data` belong to the body; raises Failed for what is not chunks."""
        position = 0
        while position < len(data) and not self.done:
            if self.left:
                count = min(self.left, len(data) - position)
                self.drop(count)
                position += count
            else:
                end = data.find(b"\n", position) + 1
                line = data[position : end or len(data)]
                position += len(line)
                self._line += line
                if len(self._line) > _LINE:
                    raise Failed(Failure.MALFORMED, f"more than {_LINE} bytes of a line between chunks")
                if end:
                    self._end_line()
        return position

    def _end_line(self) -> None:
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n"):
            raise Failed(Failure.MALFORMED, "lines between chunks end in CRLF")
        self._read(line[:-2])

    def _read_size(self, line: bytes) -> None:
        digits = line.partition(b";")[0].strip(b" \t")
        if not _SIZE.fullmatch(digits):
            raise Failed(Failure.MALFORMED, "a chunk without its size")
        self.left = int(digits, 16)
        if self.payload + self.left > self._most:
            raise Failed(Failure.TOO_LARGE, f"a body of more than {self._most} bytes")
        self._chunks += 1
        if self._chunks > _SMALL_CHUNKS and self.payload < self._chunks * _SMALL:
            raise Failed(Failure.MALFORMED, f"chunks of less than {_SMALL} bytes")
        self._read = self._read_end if self.left else self._read_trailer

    def _read_end(self, line: bytes) -> None:
        if line:
            raise Failed(Failure.MALFORMED, "a chunk is longer than it said")
        self._read = self._read_size

    def _read_trailer(self, line: bytes) -> None:
        self._trailers += 1
        if self._trailers > _MOST_TRAILERS:
            raise Failed(Failure.TOO_LARGE, f"more than {_MOST_TRAILERS} trailers")
        self.done = not line


def take(visit: Visit, group: str) -> int | None:
    """Read the body of `visit` as an upload that belongs to the test `group`; its bytes, framing left out.

    None when the request was refused and answered; then the connection must be closed. A request without a body needs no
    place. Raises Failed and OSError when the client went away.
    """
    try:
        length = expected(visit.request, visit.limits.body)
        if length == 0:
            return 0
        if not visit.admit(group=group, seconds=KEPT_SECONDS):
            turn_away(visit)
            return None
        return _drain(visit, length)
    except Failed as failed:
        status = _STATUS.get(failed.failure)
        if failed.failure is Failure.DATA_BUDGET:
            visit.ended("budget")
            turn_away(visit)
        elif status is not None:
            visit.ended("broken")
            answer(visit, status, failed.reason)
        else:
            raise
        return None


def _drain(visit: Visit, length: int | None) -> int:
    body = Chunked(visit.limits.body) if length is None else Sized(length)
    channel = visit.channel
    if visit.request.fields.get("expect", "").lower() == "100-continue" and not channel.early:
        channel.write_all(b"HTTP/1.1 100 Continue\r\n\r\n", seconds=ANSWER_SECONDS)
    scrap = memoryview(bytearray(BUFFER))
    deadline = visit.now() + visit.limits.bulk
    counted = channel.bytes_in
    while True:
        if channel.early:
            channel.early = channel.early[body.feed(channel.early) :]
        if body.done:
            return body.payload
        _receive(visit, body, scrap, deadline)
        if channel.bytes_in - counted >= _TOLD:
            if not visit.moved(channel.bytes_in - counted):
                raise Failed(Failure.DATA_BUDGET, visit.refusal().sentence)
            counted = channel.bytes_in
            _check_stopping(visit)


def _receive(visit: Visit, body: Sized | Chunked, scrap: memoryview, deadline: float) -> None:
    """Receive once: load is dropped, anything else is left in the channel's `early`."""
    channel, connection = visit.channel, visit.channel.connection
    load = body.left >= _WORTH_DROPPING
    until = min(deadline, visit.now() + visit.limits.stall)
    while True:
        try:
            if load and isinstance(connection, ssl.SSLSocket):
                count = connection.recv_into(scrap, min(body.left, BUFFER))
            elif load:
                count = connection.recv_into(scrap, min(body.left, BUFFER), socket.MSG_TRUNC)
            else:
                channel.early = connection.recv(_READ)
                count = len(channel.early)
            break
        except _WOULD_BLOCK:
            left = until - visit.now()
            if left <= 0:
                raise Failed(Failure.TIMEOUT, "the body did not come in time") from None
            _check_stopping(visit)
            _wait(connection, min(left, _LOOK))
    if count == 0:
        raise Failed(Failure.CLOSED_EARLY, "the connection was closed before a body was complete")
    if visit.now() >= deadline:
        raise Failed(Failure.TIMEOUT, f"a body may take {visit.limits.bulk:g} s")
    channel.bytes_in += count
    if load:
        body.drop(count)


def _check_stopping(visit: Visit) -> None:
    if visit.stopping():
        visit.ended("shutdown")
        raise Failed(Failure.CLOSED_EARLY, "the server stops")


def _wait(connection: socket.socket, seconds: float) -> None:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    poll.poll(math.ceil(seconds * 1000))
