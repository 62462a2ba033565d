"""What both ends of a throughput1 test agree on: names, times, messages (M-Lab's msak, subprotocol throughput.v1). No I/O.

A test is several connections, each a WebSocket of its own, that carry load one way and small JSON messages both ways. The
keys that netready adds to the query, `pace` and `tick`, are metadata to a server that does not know them.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from netready.failure import Failed, Failure
from netready.instrument import Chance
from probes.throughput.tcp_info import INT53
from probes.throughput.websocket import Opcode, encode_header

SUBPROTOCOL = "net.measurementlab.throughput.v1"
DOWNLOAD = "/throughput/v1/download"
UPLOAD = "/throughput/v1/upload"

DURATION = 5.0  # s of a stream whose client names none
LONGEST = 25.0  # s after which either side gives up
TICK_LEAST, TICK_MEAN, TICK_MOST = 0.1, 0.25, 0.4  # s between messages; memoryless
FASTEST_TICK = 0.02  # s; what `tick` may ask for
MOST_STREAMS = 16  # of one test

# Load leaves in pieces of this size from one block of memory. Linux sends up to 64 KiB at a time and BBR then lets a stream
# rest: a piece of two such bursts lets the streams take turns at top speed, a longer one waits on the pacing timer for its
# third. A large message is several pieces long, because every header costs its reader two more calls.
PIECE = 7 << 14
SMALLEST, LARGEST = 1 << 10, 1 << 20  # bytes of a message with its header
# Load that may wait unsent in the kernel: a small message must not wait long behind it.
BACKLOG_SECONDS = 0.02  # of the stream's rate
LEAST_BACKLOG, MOST_BACKLOG = 16 << 10, 4 << 20  # bytes
GROWTH = 16  # a message size is doubled when it is at most this part of all that was sent

Count = Annotated[int, Meta(ge=0, lt=INT53)]


class Counters(msgspec.Struct, frozen=True):
    """The part of a message's TCPInfo that we read; microseconds, bytes and packets. All of it may be missing."""

    BytesAcked: Count | None = None
    BytesReceived: Count | None = None
    BytesSent: Count | None = None
    BytesRetrans: Count | None = None
    BusyTime: Count | None = None
    RWndLimited: Count | None = None
    SndBufLimited: Count | None = None
    MinRTT: Count | None = None
    RTT: Count | None = None
    DSackDups: Count | None = None
    ElapsedTime: Count | None = None


class Machine(msgspec.Struct, frozen=True):
    """How busy the other end's machine is: share of one processor that its process uses, and of all by anybody."""

    Process: Annotated[float, Meta(ge=0, le=4096)] = 0.0
    All: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Told(msgspec.Struct, frozen=True):
    """A measurement that the other end sent. Unknown fields are ignored.

    Host and Session are our testpoint's own: how busy it is, and the word for the TLS session as it holds it.
    """

    TCPInfo: Counters | None = None
    ElapsedTime: Count | None = None
    Host: Machine | None = None
    CC: Annotated[str, Meta(max_length=16)] = ""
    UUID: Annotated[str, Meta(max_length=256)] = ""
    Session: Annotated[str, Meta(max_length=64)] = ""


def parse_told(text: bytes) -> Told:
    """A measurement message; raises Failed(MALFORMED) for anything else, negative and absurd counts included."""
    try:
        return msgspec.json.decode(text, type=Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Failed(Failure.MALFORMED, "a measurement message that is not one") from error


def next_tick(chance: Chance, mean: float = TICK_MEAN) -> float:
    """Seconds until the next message; the protocol's bounds, scaled when the client asked for another mean."""
    scale = mean / TICK_MEAN
    return min(max(chance.expovariate(1 / mean), TICK_LEAST * scale), TICK_MOST * scale)


def backlog(rate: float) -> int:
    """Bytes that may wait unsent on a stream of this rate (bytes/s)."""
    return min(max(int(rate * BACKLOG_SECONDS), LEAST_BACKLOG), MOST_BACKLOG)


class Block(msgspec.Struct, frozen=True):
    """Ready load: messages by size in bytes on the wire, each as its first piece and how many times `rest` follows."""

    rest: bytes
    messages: dict[int, tuple[bytes, int]]


def block(chance: Chance, *, key: bytes = b"") -> Block:
    """Random load. With a key it is a client's: random bytes are what masking other random bytes gives."""
    rest = chance.getrandbits(8 * PIECE).to_bytes(PIECE, "big")
    messages = {}
    size = SMALLEST
    while size <= LARGEST:
        room = len(encode_header(Opcode.BINARY, size - 14, key=key))
        follow = (size - 1) // PIECE
        messages[size] = ((encode_header(Opcode.BINARY, size - room, key=key) + rest)[: size - follow * PIECE], follow)
        size *= 2
    return Block(rest, messages)


class Load:
    """The endless sequence of pieces that fills a stream.

    Messages grow as the protocol says, so that a small frame never waits longer than a sixteenth of the time so far.
    """

    def __init__(self, ready: Block) -> None:
        self.between = True  # a message has just ended, so that another frame may go first
        self.ended = False  # `end` was asked for and the last message is whole
        self._ready = ready
        self._size = SMALLEST
        self._left = 0
        self._total = 0
        self._ending = False

    def end(self) -> None:
        """Begin no other message."""
        self._ending = True
        self.ended = self.between

    def next_frame(self) -> bytes:
        """The next piece."""
        if not self.between:
            piece = self._ready.rest
            self._left -= 1
        else:
            if self._size < LARGEST and self._size <= self._total / GROWTH:
                self._size *= 2
            self._total += self._size
            piece, self._left = self._ready.messages[self._size]
            self.between = False
        if not self._left:
            self.between = True
            self.ended = self._ending
        return piece
