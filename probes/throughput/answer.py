"""An HTTP/1.1 answer as it comes in: its head is read, its body counted and kept only as far as asked. No I/O (RFC 9112).

Strict and bounded: whatever a server sends, the outcome is a count, an end or `Failed`. Nothing is decompressed, ever.
"""

import re
from enum import Enum, auto

from netready.failure import Failed, Failure
from probes.throughput.handshake import HEAD_LIMIT, Response, head_end, parse_response
from probes.throughput.tcp_info import INT53

LINE_LIMIT = 256  # bytes of a chunk's size with its extensions, or of a trailer's field
_TRAILERS = 32
_LENGTH = re.compile(r"[0-9]{1,16}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,13})[ \t]*(?:;.*)?")  # 13 digits stay below 2**53


class _Phase(Enum):
    HEAD = auto()
    LOAD = auto()  # a body, or one chunk of it
    SIZE = auto()  # a chunk's size
    GAP = auto()  # the end of a line after a chunk
    TRAILER = auto()
    OVER = auto()


class Answer:
    """One answer.

    response   its head, once that is there
    size       bytes of body so far, without the framing of chunks
    kept       the body's beginning, at most `keep` bytes
    begun      whether anything has come
    lasting    whether the connection may be used for another request afterwards
    """

    def __init__(self, *, keep: int = 0) -> None:
        self.response: Response | None = None
        self.size = 0
        self.kept = bytearray()
        self.lasting = False
        self._keep = keep
        self._phase = _Phase.HEAD
        self._pending = bytearray()
        self._left = 0
        self._chunked = False
        self._to_the_end = False  # of the connection
        self._trailers = 0

    @property
    def begun(self) -> bool:
        """Whether the peer has said anything yet."""
        return self.response is not None or bool(self._pending)

    @property
    def over(self) -> bool:
        """Whether the answer is complete."""
        return self._phase is _Phase.OVER

    @property
    def discardable(self) -> int:
        """How many of the next bytes are body that nobody will look at; the caller may drop them and say so with `discard`."""
        return self._left if self._phase is _Phase.LOAD and len(self.kept) >= self._keep else 0

    def discard(self, count: int) -> None:
        """`count` bytes of body arrived and were dropped unread; never more than `discardable`."""
        self.size += count
        self._left -= count
        if self._left == 0 and not self._to_the_end:
            self._phase = _Phase.GAP if self._chunked else _Phase.OVER

    def feed(self, data: memoryview) -> None:
        """Take what came; raises Failed when it breaks the rules or goes on after the end."""
        while data:
            match self._phase:
                case _Phase.HEAD:
                    data = self._feed_head(data)
                case _Phase.LOAD:
                    count = min(self._left, len(data))
                    self.kept += data[: min(count, self._keep - len(self.kept))]
                    self.discard(count)
                    data = data[count:]
                case _Phase.SIZE | _Phase.GAP | _Phase.TRAILER:
                    data = self._feed_line(data)
                case _Phase.OVER:
                    raise Failed(Failure.MALFORMED, "the server sent more than its answer was said to hold")

    def end(self) -> None:
        """The peer closed the connection; raises Failed(CLOSED_EARLY) unless that is how this answer ends."""
        if self._to_the_end and self._phase is _Phase.LOAD:
            self._phase = _Phase.OVER
        if not self.over:
            raise Failed(Failure.CLOSED_EARLY, "the server closed the connection before its answer was complete")

    def _feed_head(self, data: memoryview) -> memoryview:
        known = len(self._pending)
        self._pending += data[: HEAD_LIMIT - known]
        end = head_end(self._pending)
        if end is None:
            return data[len(data) :]
        self.response = parse_response(bytes(self._pending[:end]))
        self._pending.clear()
        self._frame(self.response)
        return data[end - known :]

    def _frame(self, response: Response) -> None:
        """How long the body is (RFC 9112, 6.3); what could be read in two ways is refused."""
        fields = response.fields
        encoding, length = fields.get("transfer-encoding"), fields.get("content-length")
        if fields.get("content-encoding", "identity").lower() != "identity":
            raise Failed(Failure.MALFORMED, "the server compresses what must not be compressed")
        self.lasting = response.lasting
        if response.status in {204, 304}:
            self._phase = _Phase.OVER
        elif encoding is not None:
            if encoding.lower() != "chunked" or length is not None:
                raise Failed(Failure.MALFORMED, "the server's answer has no clear length")
            self._chunked, self._phase = True, _Phase.SIZE
        elif length is not None:
            if _LENGTH.fullmatch(length) is None or int(length) >= INT53:
                raise Failed(Failure.MALFORMED, "the server's Content-Length is not a number of bytes")
            self._left = int(length)
            self._phase = _Phase.LOAD if self._left else _Phase.OVER
        else:
            self._left, self._to_the_end, self.lasting, self._phase = INT53, True, False, _Phase.LOAD

    def _feed_line(self, data: memoryview) -> memoryview:
        known = len(self._pending)
        self._pending += data[: LINE_LIMIT - known]
        end = self._pending.find(b"\n")
        if end < 0:
            if len(self._pending) >= LINE_LIMIT:
                raise Failed(Failure.TOO_LARGE, f"a line of more than {LINE_LIMIT} bytes between chunks")
            return data[len(data) :]
        line = bytes(self._pending[:end])
        self._pending.clear()
        if not line.endswith(b"\r"):
            raise Failed(Failure.MALFORMED, "a line between chunks does not end as it must")
        self._take_line(line[:-1])
        return data[end + 1 - known :]

    def _take_line(self, line: bytes) -> None:
        if self._phase is _Phase.GAP:
            if line:
                raise Failed(Failure.MALFORMED, "a chunk is longer than it said")
            self._phase = _Phase.SIZE
        elif self._phase is _Phase.TRAILER:
            self._trailers += 1
            if self._trailers > _TRAILERS:
                raise Failed(Failure.TOO_LARGE, "trailers without end")
            if not line:
                self._phase = _Phase.OVER
        else:
            found = _CHUNK.fullmatch(line)
            if found is None:
                raise Failed(Failure.MALFORMED, "a chunk without a size")
            self._left = int(found[1], 16)
            self._phase = _Phase.LOAD if self._left else _Phase.TRAILER
