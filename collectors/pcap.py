"""Capture files as tcpdump, Wireshark and routers write them, read frame by frame: pcap and pcapng, also under gzip.

The formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. A file may be larger than memory, and cut off anywhere; what
comes before a fault is given, then the fault is raised.
"""

import gzip
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

LARGEST = 1 << 18  # bytes of a frame: the most that tcpdump and Wireshark write
MOST_INTERFACES = 4096
LARGEST_BLOCK = 1 << 20  # of those that are read; others are skipped whatever their size
CHUNK = 1 << 16
LAST_TIME = float(1 << 33)  # seconds; a time beyond it, or before 1970, is none
GZIP = b"\x1f\x8b"
# By the first four octets of a pcap: byte order, and parts of a second.
PCAP = {
    b"\xa1\xb2\xc3\xd4": (">", 1e6),
    b"\xd4\xc3\xb2\xa1": ("<", 1e6),
    b"\xa1\xb2\x3c\x4d": (">", 1e9),
    b"\x4d\x3c\xb2\xa1": ("<", 1e9),
}
SECTION = b"\x0a\x0d\x0d\x0a"
ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
INTERFACE, SIMPLE, STATISTICS, ENHANCED = 1, 3, 5, 6  # kinds of blocks
END, NAME, RESOLUTION, OFFSET, DROPPED = 0, 2, 9, 14, 5  # options; the last one of statistics
ETHERNET, COOKED, COOKED_2 = 1, 113, 276  # link types
ETHERNET_HARDWARE = b"\x00\x01"


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """One frame: when it was taken, seconds since 1970; its Ethernet bytes; the interface's name, if the file tells it."""

    at: float
    frame: bytes
    interface: str = ""


class Account(msgspec.Struct, kw_only=True):
    """What a file is seen to hold while it is read. `foreign` frames are not of an Ethernet, and are left out."""

    frames: int = 0
    foreign: int = 0
    bytes: int = 0
    dropped: int | None = None  # by the machine that wrote it, where the file tells
    began: float = 0.0
    ended: float = 0.0

    def broken(self, what: str) -> Failed:
        """The fault of a file that has `what` after the frames that were counted."""
        return Failed(Failure.MALFORMED, f"after frame {self.frames + self.foreign} {what}")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An interface of a pcapng section. `offset` and `parts`: a time is offset + ticks / parts."""

    kind: int
    longest: int
    name: str = ""
    parts: int = 1_000_000
    offset: int = 0


def frames(file: BinaryIO, account: Account, *, most_bytes: int, began: float) -> Iterator[Captured]:
    """The frames of an open file, in its order. `began` is the time of a frame that has none and comes first.

    Raises Failed when the file is none of these, breaks off, or breaks its format's rules (malformed), and when it is longer
    than `most_bytes` after unpacking (too-large).
    """
    account.began = account.ended = began
    source = _Source(file, account, most_bytes)
    magic = source.take(4)
    if magic[:2] == GZIP:
        file.seek(-len(magic), 1)
        source = _Source(gzip.GzipFile(fileobj=file), account, most_bytes)
        magic = source.take(4)
    if magic == SECTION:
        yield from _pcapng(source, account)
    elif magic in PCAP:
        yield from _pcap(source, account, *PCAP[magic])
    else:
        raise Failed(Failure.MALFORMED, "not a pcap or pcapng file")


class _Source:
    """A file that is read forward only, and no further than allowed."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, account: Account, most_bytes: int) -> None:
        self._file, self._account, self._most = file, account, most_bytes

    def take(self, size: int) -> bytes:
        """`size` octets, or nothing at the end of the file."""
        try:
            found = self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Failed(Failure.MALFORMED, f"the compressed file breaks off ({error})") from error
        self._account.bytes += len(found)
        if self._account.bytes > self._most:
            raise Failed(Failure.TOO_LARGE, f"more than {self._most:,} bytes")
        if found and len(found) < size:
            raise self._account.broken("the file breaks off")
        return found

    def must(self, size: int) -> bytes:
        """`size` octets."""
        found = self.take(size)
        if len(found) < size:
            raise self._account.broken("the file breaks off")
        return found

    def skip(self, size: int) -> None:
        """Pass over `size` octets, a piece at a time."""
        while size > 0:
            size -= len(self.must(min(size, CHUNK)))


# --- pcap --------------------------------------------------------------------------------------------------------------


def _pcap(source: _Source, account: Account, order: str, parts: float) -> Iterator[Captured]:
    kind = struct.unpack_from(f"{order}I", source.must(20), 16)[0] & 0xFFFF
    record = struct.Struct(f"{order}IIII")
    while head := source.take(record.size):
        seconds, fraction, size, _ = record.unpack(head)
        if size > LARGEST:
            raise account.broken(f"one of {size:,} bytes")
        data = source.must(size)
        yield from _captured(account, kind, data, seconds + min(fraction / parts, 1.0), "")


def _captured(account: Account, kind: int, data: bytes, at: float, interface: str) -> Iterator[Captured]:
    """The frame, if its link is an Ethernet; a time that cannot be is that of the frame before."""
    frame = _ethernet(kind, data)
    if frame is None:
        account.foreign += 1
        return
    at = at if 0 < at < LAST_TIME else account.ended
    account.began = min(account.began, at) if account.frames else at
    account.frames += 1
    account.ended = max(account.ended, at) if account.frames > 1 else at
    yield Captured(at=at, frame=frame, interface=interface)


def _ethernet(kind: int, data: bytes) -> bytes | None:
    """`data` as an Ethernet frame. Linux's cooked captures keep the sender and the EtherType; the receiver becomes zeros."""
    if kind == ETHERNET:
        return data
    if kind == COOKED and data[2:4] == ETHERNET_HARDWARE:
        return bytes(6) + data[6:12] + data[14:]
    if kind == COOKED_2 and data[8:10] == ETHERNET_HARDWARE:
        return bytes(6) + data[12:18] + data[:2] + data[20:]
    return None


# --- pcapng ------------------------------------------------------------------------------------------------------------


def _pcapng(source: _Source, account: Account) -> Iterator[Captured]:
    """Blocks up to the end of the file; the first one's kind has been read already."""
    links: list[Link] = []
    drops: dict[int, int] = {}
    past, order, kind = 0, "<", SECTION
    while kind:
        size = source.must(4)
        if kind == SECTION:
            magic = source.must(4)
            if magic not in ORDERS:
                raise Failed(Failure.MALFORMED, "a section of no known byte order")
            order = ORDERS[magic]
            past, drops, links = past + sum(drops.values()), {}, []
        left = struct.unpack(f"{order}I", size)[0] - (12 if kind == SECTION else 8)
        number = 0 if kind == SECTION else struct.unpack(f"{order}I", kind)[0]
        if left < 4 or left % 4:
            raise account.broken("a block of an impossible length")
        if number not in {INTERFACE, SIMPLE, STATISTICS, ENHANCED}:
            source.skip(left)
        elif left > LARGEST_BLOCK:
            raise account.broken(f"a block of {left:,} bytes")
        else:
            body = source.must(left)[:-4]  # the length stands there once more
            if number == INTERFACE and len(links) < MOST_INTERFACES:
                links.append(_link(body, order))
            elif number == STATISTICS:
                _count_drops(body, order, drops)
                account.dropped = past + sum(drops.values()) if drops or past else account.dropped
            elif number in {SIMPLE, ENHANCED}:
                yield from _packet(body, order, number, links, account)
        kind = source.take(4)


def _link(body: bytes, order: str) -> Link:
    if len(body) < 8:
        raise Failed(Failure.MALFORMED, "an interface is cut off")
    kind, _, longest = struct.unpack_from(f"{order}HHI", body)
    found = dict(_options(body[8:], order))
    resolution = found.get(RESOLUTION, b"\x06")[:1] or b"\x06"
    offset = found.get(OFFSET, b"")
    power = resolution[0] & 0x7F
    return Link(
        kind=kind,
        longest=longest or LARGEST,
        name=clean(found.get(NAME, b"").rstrip(b"\x00")),
        parts=2**power if resolution[0] & 0x80 else 10**power,
        offset=struct.unpack(f"{order}q", offset)[0] if len(offset) == 8 else 0,
    )


def _packet(body: bytes, order: str, number: int, links: list[Link], account: Account) -> Iterator[Captured]:
    """The frame of a packet block. A simple one belongs to the first interface and has no time."""
    head = 4 if number == SIMPLE else 20
    if len(body) < head:
        raise Failed(Failure.MALFORMED, "a packet is cut off")
    words = struct.unpack_from(f"{order}{head // 4}I", body)
    which = 0 if number == SIMPLE else words[0]
    if which >= len(links):
        raise account.broken("one of an interface that was not named")
    link = links[which]
    size = min(words[0], link.longest, len(body) - head) if number == SIMPLE else words[3]
    if size > min(len(body) - head, LARGEST):
        raise account.broken(f"one of {size:,} bytes")
    at = 0.0 if number == SIMPLE else link.offset + (words[1] << 32 | words[2]) / link.parts
    yield from _captured(account, link.kind, body[head : head + size], at, link.name)


def _count_drops(body: bytes, order: str, drops: dict[int, int]) -> None:
    """What an interface's statistics say was dropped up to then."""
    if len(body) >= 12:
        which = struct.unpack_from(f"{order}I", body)[0]
        count = dict(_options(body[12:], order)).get(DROPPED, b"")
        if len(count) == 8 and which < MOST_INTERFACES:
            drops[which] = struct.unpack(f"{order}Q", count)[0]


def _options(body: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Number and value of each option; each is padded to four octets."""
    at = 0
    while at + 4 <= len(body):
        option, size = struct.unpack_from(f"{order}HH", body, at)
        if option == END or at + 4 + size > len(body):
            return
        yield option, body[at + 4 : at + 4 + size]
        at += 4 + -(-size // 4) * 4
