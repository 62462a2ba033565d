"""Leases of the ISC DHCP server, as it keeps them in dhcpd.leases (dhcpd.leases(5); seen in files of version 4.4.3).

A log of statements in braces: of each address the last block counts. Times are UTC, or seconds since 1970 after "epoch".
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

from collectors.imports import lease
from collectors.imports.cells import macs
from collectors.imports.format import Format, Reading, Source
from collectors.imports.grid import MOST_ROWS
from collectors.imports.lease import Lease
from netready.device import Sighting
from netready.refusal import Unfit

MOST_WORDS = 1_000  # of one statement, and braces within braces
_WORD = re.compile(r'\s+|#[^\n]*|(?P<quoted>"(?:\\.|[^"\\])*")|(?P<mark>[{};])|(?P<plain>[^\s{};"#]+)|(?P<open>")')
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b"}
_CLASSES = frozenset({"vendor-class-identifier", "vendor-class", "vendor-string"})

Statement = tuple[int, tuple[str, ...]]  # line and words


def _read(source: Source, reading: Reading) -> Iterator[Sighting]:
    return lease.sightings(lease.current(_leases(source)), reading)


def _leases(source: Source) -> Iterator[Lease]:
    name, count = source.opened.name, 0
    for line, head, block in _blocks(source):
        if head[:1] != ("lease",):
            continue
        count += 1
        if count > MOST_ROWS:
            raise Unfit(name, f"line {line}", f"expected at most {MOST_ROWS:,} leases")
        try:
            address = str(ip_address(head[1]))
        except (IndexError, ValueError):
            raise Unfit(name, f"line {line}", "expected lease and an address such as 10.20.0.7") from None
        yield _lease(name, line, address, block)


def _lease(name: str, line: int, address: str, block: list[Statement]) -> Lease:
    mac, client_id, called, vendor_class, state = None, "", "", "", "active"
    expires: datetime | None = None
    for at, words in block:
        match words:
            case ("ends", *when):
                expires = _time(name, at, when)
            case ("binding", "state", found):
                state = found
            case ("abandoned",):
                state = "abandoned"
            case ("hardware", "ethernet", found):
                mac = (macs(found) or (None,))[0]
            case ("uid", found):
                client_id = _octets(found).hex() if found.startswith('"') else lease.client_id(found)
            case ("client-hostname", found):
                called = _octets(found).decode("utf-8", "replace")
            case ("set", variable, "=", found) if variable in _CLASSES:
                vendor_class = _octets(found).decode("utf-8", "replace")
            case _:
                pass
    return Lease(
        line=line,
        address=address,
        mac=mac,
        client_id=client_id,
        name=called,
        vendor_class=vendor_class,
        expires=expires,
        bound=state == "active",
    )


def _time(name: str, line: int, words: list[str]) -> datetime | None:
    """`never`, `epoch SECONDS`, or a weekday that is ignored, a date and a time in UTC."""
    try:
        match words:
            case ["never"]:
                return None
            case ["epoch", seconds]:
                return datetime.fromtimestamp(int(seconds), UTC)
            case [_, day, clock]:
                return datetime.strptime(f"{day} {clock}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC)
            case _:
                pass
    except (ValueError, OverflowError, OSError):
        pass
    raise Unfit(name, f"line {line}", "expected a time such as 4 2026/03/05 10:00:00, or never")


def _octets(quoted: str) -> bytes:
    """What stands between quotes, with octal numbers and escaped quotes undone."""
    plain = quoted[1:-1] if quoted.startswith('"') else quoted
    return _ESCAPE.sub(lambda found: _octet(found[1]), plain.encode("utf-8", "replace"))


def _octet(escape: bytes) -> bytes:
    return bytes([int(escape, 8) & 0xFF]) if len(escape) == 3 else _LETTERS.get(escape, escape)


def _blocks(source: Source) -> Iterator[tuple[int, tuple[str, ...], list[Statement]]]:
    """Each outermost block with its line, the words before its brace, and its own statements; what is deeper is passed over."""
    name = source.opened.name
    open_at: list[int] = []
    head: tuple[str, ...] = ()
    block: list[Statement] = []
    line = 0
    for line, words, mark in _statements(source):
        if mark == "{":
            open_at.append(line)
            if len(open_at) == 1:
                head, block = words, []
        elif mark == "}":
            if not open_at:
                raise Unfit(name, f"line {line}", "expected no } here; no { stands before it")
            begun = open_at.pop()
            if not open_at:
                yield begun, head, block
        elif len(open_at) == 1 and words:
            block.append((line, words))
        if len(open_at) + len(block) > MOST_WORDS:
            raise Unfit(name, f"line {line}", f"expected at most {MOST_WORDS:,} statements in a block")
    if open_at:
        raise Unfit(name, f"line {line}", f"expected the }} that ends the block begun in line {open_at[0]}")


def _statements(source: Source) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """The line, the words and the mark after them, which is one of { } ; and at the very end nothing."""
    words: list[str] = []
    line = 0
    for line, word in _words(source):
        if word in {"{", "}", ";"}:
            yield line, tuple(words), word
            words = []
        elif len(words) < MOST_WORDS:
            words.append(word)
        else:
            raise Unfit(source.opened.name, f"line {line}", f"expected a statement of at most {MOST_WORDS:,} words")
    if words:
        raise Unfit(source.opened.name, f"line {line}", "expected the ; or { that ends a statement")


def _words(source: Source) -> Iterator[tuple[int, str]]:
    for line, text in enumerate(source.opened.lines(), 1):
        for found in _WORD.finditer(text):
            if found["open"]:
                raise Unfit(source.opened.name, f"line {line}", 'expected the " that ends a text')
            if word := found["quoted"] or found["mark"] or found["plain"]:
                yield line, word


FORMAT = Format(
    name="isc-dhcp",
    source="lease",
    what="leases of the ISC DHCP server",
    read=_read,
    opening=r"(?:\s|#[^\n]*\n)*(?:lease\s+[0-9.]+\s*\{|server-duid\s|authoring-byte-order\s|failover\s+peer\s|default-duid\s)"
    r"|# The format of this file is documented in the dhcpd\.leases",
)
