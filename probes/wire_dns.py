"""DNS messages on the wire (RFC 1035 section 4): one question out, one bounded and suspicious reading back. No socket here."""

import struct
from ipaddress import IPv4Address, IPv6Address

import msgspec

from netready.dns_name import Name, read_name
from netready.failure import Failed, Failure

HEADER = struct.Struct("!HHHHHH")
FIXED = struct.Struct("!HHIH")  # type, class, TTL, length of the data
TYPES = {"A": 1, "AAAA": 28}
CNAME = 5
INTERNET = 1
RESPONSE, TRUNCATED, RECURSION_DESIRED, AUTHENTIC = 0x8000, 0x0200, 0x0100, 0x0020
OPCODE, RCODE = 0x7800, 0x000F

MOST_ANSWERS = 256  # records read from one message; a resolver's honest answer has a few dozen at most
LONGEST_CHAIN = 16  # aliases followed; BIND gives up at the same number

RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
FAILURES = {2: Failure.DNS_SERVFAIL, 3: Failure.DNS_NXDOMAIN, 5: Failure.DNS_REFUSED}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A reply to our question. `addresses` are those at the end of the alias chain; `ttl` is the least along it, seconds."""

    rcode: int
    truncated: bool
    authentic: bool
    addresses: tuple[str, ...] = ()
    aliases: int = 0
    ttl: int | None = None


class _Record(msgspec.Struct, frozen=True):
    owner: Name
    kind: int
    ttl: int
    data: bytes
    alias: Name = ()


def query(identifier: int, name: str, kind: str) -> bytes:
    """A recursive question that also asks whether the answer was validated (AD, RFC 6840 section 5.7)."""
    header = HEADER.pack(identifier, RECURSION_DESIRED | AUTHENTIC, 1, 0, 0, 0)
    return header + _question(name, kind)


def reply_to(packet: bytes, identifier: int, name: str, kind: str) -> Answer | None:
    """The answer in `packet`, or None when it does not answer this question: then it is somebody else's, or forged.

    Raises Failed(malformed) for a packet that claims to be the answer and cannot be read.
    """
    if len(packet) < HEADER.size:
        return None
    found, flags, questions, answers, _, _ = HEADER.unpack_from(packet)
    if found != identifier or not flags & RESPONSE or flags & OPCODE:
        return None
    rcode = flags & RCODE
    if questions == 0 and answers == 0 and rcode:
        # Some servers refuse without repeating the question (RFC 1035 leaves it open for FORMERR).
        return Answer(rcode=rcode, truncated=False, authentic=False)
    if questions != 1:
        raise Failed(Failure.MALFORMED, f"the answer carries {questions} questions")
    asked, at = _name(packet, HEADER.size)
    if packet[at : at + 4] != struct.pack("!HH", TYPES[kind], INTERNET) or asked != labels(name):
        return None
    truncated, authentic = bool(flags & TRUNCATED), bool(flags & AUTHENTIC)
    if truncated or rcode:
        return Answer(rcode=rcode, truncated=truncated, authentic=authentic)
    records = _records(packet, at + 4, min(answers, MOST_ANSWERS))
    return _resolve(asked, TYPES[kind], records, authentic=authentic)


def labels(name: str) -> Name:
    """The labels of an ASCII host name."""
    return tuple(label.lower().encode("ascii") for label in name.rstrip(".").split(".") if label)


def _question(name: str, kind: str) -> bytes:
    encoded = b"".join(bytes([len(label)]) + label for label in labels(name))
    return encoded + b"\x00" + struct.pack("!HH", TYPES[kind], INTERNET)


def _name(packet: bytes, at: int) -> tuple[Name, int]:
    """The name at `at` in lower case, as names are compared, and where it ends."""
    labels, end = read_name(packet, at)
    return tuple(label.lower() for label in labels), end


def _records(packet: bytes, at: int, count: int) -> list[_Record]:
    records = []
    for _ in range(count):
        owner, at = _name(packet, at)
        if at + FIXED.size > len(packet):
            raise Failed(Failure.MALFORMED, "a record is cut off")
        kind, family, ttl, size = FIXED.unpack_from(packet, at)
        at += FIXED.size
        if at + size > len(packet):
            raise Failed(Failure.MALFORMED, "a record is cut off")
        if family == INTERNET:
            alias = _name(packet, at)[0] if kind == CNAME else ()
            records.append(_Record(owner, kind, ttl, packet[at : at + size], alias))
        at += size
    return records


def _resolve(asked: Name, kind: int, records: list[_Record], *, authentic: bool) -> Answer:
    """Follow the aliases from the name that was asked; records about other names are nobody's business and are dropped."""
    name, ttls, aliases = asked, [], 0
    steps = {record.owner: record for record in records if record.kind == CNAME}
    while aliases < LONGEST_CHAIN and (step := steps.get(name)) is not None:
        name, aliases = step.alias, aliases + 1
        ttls.append(step.ttl)
    size, shape = (4, IPv4Address) if kind == TYPES["A"] else (16, IPv6Address)
    found = []
    for record in records:
        if record.owner == name and record.kind == kind:
            if len(record.data) != size:
                raise Failed(Failure.MALFORMED, "an address of the wrong length")
            found.append(str(shape(record.data)))
            ttls.append(record.ttl)
    return Answer(
        rcode=0,
        truncated=False,
        authentic=authentic,
        addresses=tuple(found),
        aliases=aliases,
        ttl=min(ttls) if ttls else None,
    )
