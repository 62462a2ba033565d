"""What both ends of an ndt7 test agree on: names, times, sizes and messages (M-Lab's ndt7 protocol, v0.11.0). No I/O."""

from typing import Annotated

import msgspec
from msgspec import Meta

from netready.failure import Failed, Failure
from netready.instrument import Chance
from probes.throughput.tcp_info import INT53
from probes.throughput.websocket import Opcode, encode_header

SUBPROTOCOL = "net.measurementlab.ndt.v7"
DOWNLOAD = "/ndt/v7/download"
UPLOAD = "/ndt/v7/upload"

RUNTIME = 10.0  # s, expected length of a direction
HARD_STOP = 15.0  # s, after which either side gives up
QUERY_LIMIT = 4096  # bytes

SMALLEST_LOAD = 1 << 13  # bytes of the first binary message
LARGEST_LOAD = 1 << 20  # the reference client reads no larger messages
GROWTH = 16  # a message size is doubled when it is at most this part of all that was sent

TICK_MEAN, TICK_LEAST, TICK_MOST = 0.25, 0.025, 0.625  # s between measurements; memoryless, so that they see averages

Count = Annotated[int, Meta(ge=0, lt=INT53)]


class TcpCounters(msgspec.Struct, frozen=True):
    """The specified part of a message's TCPInfo; microseconds and bytes. A server may leave any of them out."""

    BusyTime: Count | None = None
    BytesAcked: Count | None = None
    BytesReceived: Count | None = None
    BytesSent: Count | None = None
    BytesRetrans: Count | None = None
    ElapsedTime: Count | None = None
    MinRTT: Count | None = None
    RWndLimited: Count | None = None
    SndBufLimited: Count | None = None


class Connection(msgspec.Struct, frozen=True):
    """The part of ConnectionInfo that we keep: the public name of the test."""

    UUID: Annotated[str, Meta(max_length=256)] = ""


class Told(msgspec.Struct, frozen=True):
    """A measurement that the other end sent. Unknown fields are ignored, as the protocol asks."""

    TCPInfo: TcpCounters | None = None
    ConnectionInfo: Connection | None = None


def parse_told(text: bytes) -> Told:
    """A measurement message; raises Failed(MALFORMED) for anything else, negative and absurd counts included."""
    try:
        return msgspec.json.decode(text, type=Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Failed(Failure.MALFORMED, "a measurement message that is not one") from error


def next_tick(chance: Chance) -> float:
    """Seconds until the next measurement."""
    return min(max(chance.expovariate(1 / TICK_MEAN), TICK_LEAST), TICK_MOST)


def load_frames(chance: Chance, *, key: bytes = b"") -> dict[int, bytes]:
    """One ready frame of random payload for each message size.

    With a key the frame is a client's. Its bytes are not masked one by one: random bytes are what masking random bytes
    gives, so any random payload is the masked form of another one.
    """
    block = chance.getrandbits(8 * LARGEST_LOAD).to_bytes(LARGEST_LOAD, "big")
    frames = {}
    size = SMALLEST_LOAD
    while size <= LARGEST_LOAD:
        frames[size] = encode_header(Opcode.BINARY, size, key=key) + block[:size]
        size *= 2
    return frames


class Load:
    """The sequence of frames that fills the line: sizes double as the protocol's rule says."""

    def __init__(self, frames: dict[int, bytes]) -> None:
        self._frames = frames
        self._size = SMALLEST_LOAD
        self._total = 0

    @property
    def between(self) -> bool:
        """Every frame is whole, so another may always go first."""
        return True

    @property
    def ended(self) -> bool:
        """Whoever sends decides when to stop."""
        return False

    def next_frame(self) -> bytes:
        """The next frame to send, whole."""
        if self._size < LARGEST_LOAD and self._size <= self._total / GROWTH:
            self._size *= 2
        self._total += self._size
        return self._frames[self._size]
