"""WebSocket frames (RFC 6455) without I/O: bytes in, messages and counts out. Both ends of a test use it.

Strict and bounded: whatever a peer sends, the answer is a message, a count or `Failed`. Binary payloads are the load of a
test; they are counted and never kept.
"""

import struct
from enum import IntEnum

import msgspec

from netready.failure import Failed, Failure

LARGEST_MESSAGE = 1 << 24  # bytes; what ndt7 obliges both sides to accept, and no more
LARGEST_TEXT = 1 << 16  # bytes; an honest measurement is about 2 KB
LARGEST_CONTROL = 125  # RFC 6455, 5.5


class Opcode(IntEnum):
    """RFC 6455, 5.2."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_OPCODES = frozenset(Opcode)


class Header(msgspec.Struct, frozen=True):
    """A frame's header. `size` is the header's own length, `length` the payload's; `key` is empty when not masked."""

    fin: bool
    opcode: Opcode
    key: bytes
    length: int
    size: int


class Message(msgspec.Struct, frozen=True):
    """A text or control message, unmasked and whole."""

    opcode: Opcode
    payload: bytes


def encode_header(opcode: Opcode, length: int, *, key: bytes = b"", fin: bool = True) -> bytes:
    """A frame's header; a client passes its 4-byte masking key."""
    first = (0x80 if fin else 0) | opcode
    masked = 0x80 if key else 0
    if length < 126:
        return struct.pack("!BB", first, masked | length) + key
    if length < 1 << 16:
        return struct.pack("!BBH", first, masked | 126, length) + key
    return struct.pack("!BBQ", first, masked | 127, length) + key


def mask(payload: bytes, key: bytes) -> bytes:
    """`payload` exclusive-or `key`, repeated; its own inverse (RFC 6455, 5.3)."""
    stream = key * (len(payload) // 4 + 1)
    size = len(payload)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream[:size], "big")).to_bytes(size, "big")


def encode(opcode: Opcode, payload: bytes, *, key: bytes = b"") -> bytes:
    """One whole frame; masked when a key is given, as a client must."""
    return encode_header(opcode, len(payload), key=key) + (mask(payload, key) if key else payload)


def encode_close(code: int, reason: str, *, key: bytes = b"") -> bytes:
    """A Close frame; the reason is cut to what a control frame can hold."""
    return encode(Opcode.CLOSE, struct.pack("!H", code) + reason.encode()[: LARGEST_CONTROL - 2], key=key)


def parse_header(data: bytes) -> Header | None:
    """The header at the start of `data`, or None when more bytes are needed; raises Failed when it breaks the rules."""
    if len(data) < 2:
        return None
    first, second = data[0], data[1]
    if first & 0x70:
        raise Failed(Failure.MALFORMED, "a WebSocket frame has reserved bits set (compression was never agreed)")
    if first & 0x0F not in _OPCODES:
        raise Failed(Failure.MALFORMED, f"unknown WebSocket opcode {first & 0x0F}")
    opcode, fin = Opcode(first & 0x0F), bool(first & 0x80)
    if opcode >= Opcode.CLOSE and (not fin or second & 0x7F > LARGEST_CONTROL):
        raise Failed(Failure.MALFORMED, "a WebSocket control frame is fragmented or longer than 125 bytes")
    found = _parse_length(data, second & 0x7F)
    if found is None:
        return None
    length, size = found
    if not second & 0x80:
        return Header(fin, opcode, b"", length, size)
    if len(data) < size + 4:
        return None
    return Header(fin, opcode, bytes(data[size : size + 4]), length, size + 4)


def _parse_length(data: bytes, short: int) -> tuple[int, int] | None:
    """The payload's length and where its bytes end in the header; None when more bytes are needed."""
    if short < 126:
        return short, 2
    code, size, least = ("!H", 4, 126) if short == 126 else ("!Q", 10, 1 << 16)
    if len(data) < size:
        return None
    (length,) = struct.unpack_from(code, data, 2)
    if length < least:
        raise Failed(Failure.MALFORMED, "a WebSocket frame length is not in its shortest form")
    if length > LARGEST_MESSAGE:
        raise Failed(Failure.TOO_LARGE, f"a WebSocket frame of {length} bytes; at most {LARGEST_MESSAGE} are allowed")
    return length, size


class Receiver:
    """Turns a stream of bytes into messages; counts the load.

    masked        whether the peer must mask its frames: a client's must be, a server's must not (RFC 6455, 5.1)
    payload       bytes of text and binary payload so far, which is what ndt7 counts
    binary        bytes of binary payload so far
    discardable   how many of the next bytes are load, so that the caller may drop them unread and say so with `discard`
    """

    def __init__(self, *, masked: bool) -> None:
        self.payload = 0
        self.binary = 0
        self.discardable = 0
        self.closed = False
        self._masked = masked
        self._pending = bytearray()  # of a header that has not come in full: 13 bytes at most
        self._header: Header | None = None
        self._left = 0  # bytes still to come of a text or control frame's payload
        self._kept = bytearray()  # the current text or control frame
        self._text = bytearray()  # earlier fragments of the current text message
        self._kind: Opcode | None = None  # of the message under way
        self._size = 0  # of the message under way

    def discard(self, count: int) -> None:
        """`count` bytes of load arrived and were dropped unread; never more than `discardable`."""
        self.discardable -= count
        self.payload += count
        self.binary += count
        if not self.discardable:
            self._end_frame()

    def feed(self, data: memoryview) -> list[Message]:
        """The text and control messages that `data` completes; raises Failed when the peer breaks the rules."""
        found: list[Message] = []
        position = 0
        while position < len(data) and not self.closed:
            if self._header is None:
                position = self._begin_frame(data, position)
                if self._header is not None and self._header.length == 0:
                    found.extend(self._end_frame())
                continue
            count = min(self.discardable or self._left, len(data) - position)
            if self.discardable:
                self.discard(count)
            else:
                self._kept += data[position : position + count]
                self._left -= count
                if self._left == 0:
                    found.extend(self._end_frame())
            position += count
        return found

    def _begin_frame(self, data: memoryview, position: int) -> int:
        taken = min(14 - len(self._pending), len(data) - position)
        known = len(self._pending)
        self._pending += data[position : position + taken]
        header = parse_header(bytes(self._pending))
        if header is None:
            return position + taken
        self._pending.clear()
        if bool(header.key) != self._masked:
            raise Failed(Failure.MALFORMED, f"a WebSocket frame is {'not masked' if self._masked else 'masked'}")
        if header.opcode < Opcode.CLOSE:
            self._begin_data(header)
        self._header = header
        if header.opcode < Opcode.CLOSE and self._kind is Opcode.BINARY:
            self.discardable = header.length
        else:
            self._left = header.length
        return position + header.size - known

    def _begin_data(self, header: Header) -> None:
        if (header.opcode is Opcode.CONTINUATION) != (self._kind is not None):
            raise Failed(Failure.MALFORMED, "WebSocket fragments are out of order")
        if self._kind is None:
            self._kind, self._size = header.opcode, 0
        self._size += header.length
        if self._size > (LARGEST_TEXT if self._kind is Opcode.TEXT else LARGEST_MESSAGE):
            raise Failed(Failure.TOO_LARGE, f"a WebSocket {self._kind.name.lower()} message of {self._size} bytes or more")

    def _end_frame(self) -> list[Message]:
        header, self._header = self._header, None
        if header is None:
            return []
        kept = mask(bytes(self._kept), header.key) if header.key else bytes(self._kept)
        self._kept.clear()
        if header.opcode >= Opcode.CLOSE:
            if header.opcode is Opcode.CLOSE:
                if len(kept) == 1:
                    raise Failed(Failure.MALFORMED, "a WebSocket Close frame with half a status code")
                self.closed = True
            return [Message(header.opcode, kept)]
        kind = self._kind
        if kind is Opcode.TEXT:
            self.payload += len(kept)
            self._text += kept
        if not header.fin:
            return []
        self._kind = None
        if kind is not Opcode.TEXT:
            return []
        text = bytes(self._text)
        self._text.clear()
        return [Message(Opcode.TEXT, text)]


def close_status(payload: bytes) -> tuple[int, str]:
    """Status code and reason of a Close payload; 1005 is RFC 6455's "none was given"."""
    if len(payload) < 2:
        return 1005, ""
    (code,) = struct.unpack_from("!H", payload)
    return code, payload[2:].decode("utf-8", "replace")
