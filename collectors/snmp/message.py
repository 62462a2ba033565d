"""SNMP messages of versions 1 and 2c, and the requests and responses inside those of every version (RFC 1157, 3416).

Pure: bytes in, structs out, and Failed(malformed) for everything that is not a response.
"""

from collections.abc import Container, Sequence
from enum import IntEnum

import msgspec

from collectors.snmp.ber import (
    OCTETS,
    SEQUENCE,
    Bind,
    bind,
    entries,
    integer,
    malformed,
    open_,
    read_binds,
    read_integer,
    read_octets,
    tlv,
)
from collectors.snmp.credentials import Community
from collectors.snmp.settings import Version
from netready.failure import Failed


class Pdu(IntEnum):
    """What a message is for."""

    GET = 0xA0
    NEXT = 0xA1
    RESPONSE = 0xA2
    BULK = 0xA5
    REPORT = 0xA8


class Status(IntEnum):
    """The error-status words that we act on (RFC 3416 section 3)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    GENERAL = 5
    NO_ACCESS = 6
    AUTHORIZATION = 16


NUMBERS = {Version.V1: 0, Version.V2C: 1}
STATUS_WORDS = {
    1: "tooBig",
    2: "noSuchName",
    3: "badValue",
    4: "readOnly",
    5: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A response, or a report of version 3.

    number  the request's number, drawn by whoever asked
    status  0, or why the agent could not answer
    index   the entry of the request that `status` is about, from 1; 0 says nothing
    data    its entries as on the wire; `starts`, where they begin in there, and last where they end

    Its values are read when they are asked for, so that a walk can ask for more before it takes them in; then they may turn out
    to be malformed.
    """

    number: int
    status: int
    index: int
    data: bytes
    starts: list[int]
    report: bool = False

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def binds(self) -> list[Bind]:
        """All values; raises Failed(malformed)."""
        return read_binds(self.data, self.starts[0], self.starts[-1])

    def bind(self, at: int) -> Bind:
        """One value; raises Failed(malformed)."""
        return read_binds(self.data, self.starts[at], self.starts[at + 1])[0]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response, the bytes of its datagram, how often the request was sent for it, and s until the answer came."""

    reply: Reply
    size: int
    tries: int
    seconds: float


class Again(Failed):
    """The agent has told what was missing, and the request is worth sending once more; a failure when that does not end."""


def request(kind: Pdu, number: int, names: Sequence[bytes], repetitions: int = 0) -> bytes:
    """A request for the object identifiers `names`, which are as on the wire; `repetitions` only counts in a GETBULK."""
    asked = tlv(SEQUENCE, *map(bind, names))
    return tlv(kind, integer(number), integer(0), integer(repetitions if kind is Pdu.BULK else 0), asked)


def read(data: bytes, at: int, end: int) -> Reply:
    """The response or report at `at`."""
    kind = data[at] if at < end else 0
    if kind not in {Pdu.RESPONSE, Pdu.REPORT}:
        raise malformed("not a response")
    at, stop = open_(data, at, end, kind)
    number, at = read_integer(data, at, stop)
    status, at = read_integer(data, at, stop)
    index, at = read_integer(data, at, stop)
    at, last = open_(data, at, stop, SEQUENCE)
    data = data[at:last]  # and no more: what stands before it may be a secret
    starts = entries(data, 0, len(data))
    return Reply(number=number, status=status, index=index, data=data, starts=starts, report=kind == Pdu.REPORT)


class Plain:
    """Versions 1 and 2c: the community stands in every message."""

    def __init__(self, credential: Community) -> None:
        self._credential = credential

    def wrap(self, _number: int, pdu: bytes, vlan: int | None = None) -> bytes:
        """A message; Cisco's switches take a VLAN's table for that of another community, "word@10"."""
        at = b"" if vlan is None else b"@%d" % vlan
        community = tlv(OCTETS, self._credential.community.reveal(), at)
        return tlv(SEQUENCE, integer(NUMBERS[self._credential.version]), community, pdu)

    def unwrap(self, data: bytes, own: Container[int]) -> Reply | int:
        """The response in a message that answers one of `own`, else the number of the request that it answers.

        Raises Failed(malformed) for what cannot be read.
        """
        at, end = open_(data, 0, len(data), SEQUENCE)
        version, at = read_integer(data, at, end)
        if version not in NUMBERS.values():
            raise malformed("a message of another version")
        _, at = read_octets(data, at, end)
        reply = read(data, at, end)
        if reply.report:
            raise malformed("a report, which only version 3 has")
        return reply if reply.number in own else reply.number

    def silence(self) -> str:
        """What it may mean that nothing was ever answered."""
        return "no answer: SNMP is off, the community is another, or the device is down"


def status_word(status: int) -> str:
    """An error-status as RFC 3416 calls it."""
    return STATUS_WORDS.get(status, str(status))
