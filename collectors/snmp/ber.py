"""The part of BER that SNMP uses (X.690, RFC 3417 section 8), written and read without recursion and within bounds.

Walks of ten thousand rows pass through here. The reader of a list of values is therefore one loop over bytes, and object
identifiers stay as they are on the wire until somebody needs their numbers.
"""

from netready.failure import Failed, Failure

Oid = tuple[int, ...]
Value = int | bytes | Oid | None  # None: the agent has nothing under this identifier
Bind = tuple[bytes, Value]  # an object identifier as it is on the wire, and what stands under it

INTEGER, OCTETS, NULL, IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
COUNTS = frozenset({0x41, 0x42, 0x43, 0x46, 0x47})  # Counter32, Gauge32, TimeTicks, Counter64, UInteger32: never negative
TEXTS = frozenset({OCTETS, 0x40, 0x44, 0x45})  # OCTET STRING, IpAddress, Opaque, NsapAddress (RFC 1442)
NOTHING = frozenset({NULL, 0x80, 0x81, 0x82})  # NULL, noSuchObject, noSuchInstance, endOfMibView
SHORT = 0x80  # a length from here on is written in several bytes, and so is a sub-identifier
LENGTH_BYTES = 4  # no datagram needs longer lengths, and some agents pad theirs
NUMBER_BYTES = 9  # Counter64 with the zero that keeps it from being negative
LONGEST_OID = 128  # sub-identifiers, RFC 2578 section 3.5
LARGEST_PART = 0xFFFFFFFF  # of a sub-identifier

# Interface numbers: every table of every device has the same ones, so each is read, and kept in memory, once.
_KNOWN: dict[bytes, Oid] = {}
SMALL, MOST_KNOWN = 3, 1 << 14  # bytes of one, and how many


def malformed(what: str) -> Failed:
    """The one answer to everything that cannot be read."""
    return Failed(Failure.MALFORMED, what)


def tlv(tag: int, *contents: bytes) -> bytes:
    """Tag, length and contents."""
    body = contents[0] if len(contents) == 1 else b"".join(contents)
    size = len(body)
    if size < SHORT:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, SHORT | len(length))) + length + body


def integer(number: int) -> bytes:
    """An INTEGER in as few bytes as hold it with its sign."""
    return tlv(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def parts(numbers: Oid) -> bytes:
    """The end of an object identifier as it is on the wire: each sub-identifier in base 128."""
    made = bytearray()
    for number in numbers:
        for shift in range(max(number.bit_length() - 1, 0) // 7 * 7, 0, -7):
            made.append(SHORT | number >> shift & 0x7F)
        made.append(number & 0x7F)
    return bytes(made)


def name(oid: Oid) -> bytes:
    """An object identifier as it is on the wire, without tag and length; `oid` has two sub-identifiers or more."""
    return parts((oid[0] * 40 + oid[1], *oid[2:]))


def numbers(wire: bytes) -> Oid:
    """The sub-identifiers of the end of an object identifier; raises Failed(malformed) for what no agent may send."""
    known = _KNOWN.get(wire)
    if known is not None:
        return known
    if len(wire) == 2 and wire[0] > SHORT > wire[1]:
        oid: Oid = ((wire[0] & 0x7F) << 7 | wire[1],)  # most interface numbers of large devices
    else:
        oid = _numbers(wire)
    if len(wire) <= SMALL and len(_KNOWN) < MOST_KNOWN:
        _KNOWN[wire] = oid
    return oid


def _numbers(wire: bytes) -> Oid:
    found = []
    part = 0
    for byte in wire:
        part = part << 7 | byte & 0x7F
        if byte < SHORT:
            found.append(part)
            part = 0
        elif not part:
            raise malformed("a sub-identifier that begins with zero")
        elif part > LARGEST_PART >> 7:
            raise malformed("a sub-identifier without end")
    if wire and wire[-1] >= SHORT:
        raise malformed("an object identifier that is cut off")
    if len(found) > LONGEST_OID:
        raise malformed("an object identifier without end")
    return tuple(found)


def oid_of(wire: bytes) -> Oid:
    """The object identifier; its first byte is two sub-identifiers. Some agents send one of no length for "none"."""
    found = numbers(wire)
    if not found:
        return ()
    first = min(found[0] // 40, 2)
    return (first, found[0] - 40 * first, *found[1:])


def open_(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Where the contents of the field at `at` begin and end; it must have this tag and lie before `end`."""
    if at + 2 > end or data[at] != tag:
        raise malformed(f"expected a field of type {tag:#04x}")
    size = data[at + 1]
    at += 2
    if size >= SHORT:
        many = size - SHORT
        if not 1 <= many <= LENGTH_BYTES or at + many > end:
            raise malformed("a length that cannot be")
        size = int.from_bytes(data[at : at + many], "big")
        at += many
    if at + size > end:
        raise malformed("a field that is longer than what holds it")
    return at, at + size


def read_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The INTEGER at `at`, and where it ends."""
    at, stop = open_(data, at, end, INTEGER)
    if not 1 <= stop - at <= NUMBER_BYTES:
        raise malformed("a number of no bytes or too many")
    return int.from_bytes(data[at:stop], "big", signed=True), stop


def read_octets(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the contents of the OCTET STRING at `at` begin and end."""
    return open_(data, at, end, OCTETS)


def bind(wire: bytes) -> bytes:
    """One entry of a request: an object identifier and no value."""
    return tlv(SEQUENCE, tlv(IDENTIFIER, wire), b"\x05\x00")


def entries(data: bytes, at: int, end: int) -> list[int]:
    """Where each entry of a list begins, and last where the list ends. What is in them is not looked at."""
    starts = [at]
    while at < end:
        if at + 2 <= end and data[at + 1] < SHORT:
            at += 2 + data[at + 1]
        else:
            _, at = open_(data, at, end, SEQUENCE)
        starts.append(at)
    if at != end:
        raise malformed("an entry that is cut off")
    return starts


def read_binds(data: bytes, at: int, end: int) -> list[Bind]:
    """The values of a response between `at` and `end`; raises Failed(malformed)."""
    found: list[Bind] = []
    append, number = found.append, int.from_bytes
    # The entries of one column look alike, so each is first held against the one before it: 30 LL 06 LL name TT LL value.
    head = tail = b""
    span = wide = tag = 0
    counts = False
    try:
        while at < end:
            stop, here = at + span, at + wide
            if data[at : at + 4] != head or data[here : here + 2] != tail or stop > end:
                stop, here = at + 2 + data[at + 1], at + 4 + data[at + 3]
                head, tail = data[at : at + 4], data[here : here + 2]
                if not _short(head, tail, stop - here) or stop > end:
                    at, head = _read_bind(data, at, end, found), b""
                    continue
                span, wide, tag = stop - at, here - at, tail[0]
                counts = tag in COUNTS and 0 < tail[1] < NUMBER_BYTES
            raw = data[here + 2 : stop]
            append((data[at + 4 : here], number(raw, "big") if counts else _value(tag, raw)))
            at = stop
    except IndexError:
        raise malformed("an entry that is cut off") from None
    return found


def _short(head: bytes, tail: bytes, size: int) -> bool:
    """Whether an entry that begins so, and whose value begins so, is one whose lengths are of one byte and fit each other."""
    return (
        head[0] == SEQUENCE
        and head[2] == IDENTIFIER
        and head[1] < SHORT
        and head[3] < SHORT
        and len(tail) == 2
        and tail[1] + 2 == size
    )


def _read_bind(data: bytes, at: int, end: int, found: list[Bind]) -> int:
    """An entry with long lengths; where it ends."""
    at, stop = open_(data, at, end, SEQUENCE)
    begin, here = open_(data, at, stop, IDENTIFIER)
    tag = data[here]
    first, last = open_(data, here, stop, tag)
    if last != stop:
        raise malformed("an entry whose parts do not fill it")
    found.append((data[begin:here], _value(tag, data[first:last])))
    return stop


def _value(tag: int, raw: bytes) -> Value:
    if tag in TEXTS:
        return raw
    if tag == INTEGER or tag in COUNTS:
        # Some agents forget the zero before a counter whose highest bit is set.
        if not 1 <= len(raw) <= NUMBER_BYTES or (len(raw) == NUMBER_BYTES and raw[0]):
            raise malformed("a number of no bytes or too many")
        return int.from_bytes(raw, "big", signed=tag == INTEGER)
    if tag == IDENTIFIER:
        return oid_of(raw)
    if tag in NOTHING:
        return None
    raise malformed("a value of unknown type")
