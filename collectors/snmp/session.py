"""One device asked over SNMP version 2c, and a walk that no agent can lead astray.

pysnmp and pyasn1 read and write the messages; sockets, repeats and limits are ours, because a walk must end also when an
agent repeats its object identifiers, answers with nonsense, or falls silent half-way (RFC 3416 section 4.2.3 trusts agents
to behave). What was read until then is kept, and the fault has a name.
"""

import socket
from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Self

import msgspec

from netready.clock import Clock
from netready.failure import Failed, Failure, classify
from netready.instrument import Chance

Oid = tuple[int, ...]
Value = int | bytes | Oid | None  # None: the agent has nothing under this identifier

TOO_BIG = 1  # error-status, RFC 3416 section 3
REPETITIONS = 8  # rows per request: seven columns of eight rows fit one Ethernet frame on real switches
LARGEST = 65535  # bytes of one UDP datagram
LONGEST_OID = 128  # sub-identifiers, RFC 2578 section 3.5


class TooBig(Exception):  # noqa: N818 - an answer of the agent, and the walk knows what to do about it
    """The answer would not fit a message of the agent's."""


class Table(msgspec.Struct, kw_only=True):
    """What a walk has read: cells by column and row, when each row was first seen, and what cut the walk short, if anything."""

    cells: dict[Oid, dict[Oid, Value]]
    seen: dict[Oid, datetime]
    most: int
    size: int = 0
    fault: str | None = None


class Session:
    """A conversation with one agent: one request at a time, each repeated a few times, all within one deadline."""

    def __init__(
        self,
        address: tuple[str, int],
        community: bytes,
        *,
        clock: Clock,
        chance: Chance,
        timeout: float,
        retries: int,
        seconds: float,
    ) -> None:
        self._address = address
        self._community = community
        self._clock = clock
        self._chance = chance
        self._timeout = timeout
        self._retries = retries
        self._deadline = clock.monotonic() + seconds
        self.bytes_sent = 0
        self.bytes_received = 0
        self._sock = socket.socket(
            socket.AF_INET6 if ip_address(address[0]).version == 6 else socket.AF_INET, socket.SOCK_DGRAM
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def connect(self) -> None:
        """Fix the peer, so that the kernel drops what others send. Raises OSError when there is no way to it."""
        self._sock.connect(self._address)

    def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """The values of `oids`. Raises Failed when the agent is silent or answers with nonsense."""
        try:
            return dict(self._ask(oids, None))
        except TooBig:
            raise Failed(Failure.TOO_LARGE, "the agent says the answer does not fit a message") from None

    def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[tuple[Oid, Value]]:
        """What follows each of `oids`, `repetitions` times over, interleaved. Raises TooBig and Failed."""
        return self._ask(oids, repetitions)

    def _ask(self, oids: Sequence[Oid], repetitions: int | None) -> list[tuple[Oid, Value]]:
        asked: set[int] = set()
        nonsense = False
        for _ in range(self._retries + 1):
            number = self._chance.getrandbits(31)
            asked.add(number)  # a late answer to an earlier repeat is as good as any
            self.bytes_sent += self._sock.send(encode(self._community, number, oids, repetitions))
            until = min(self._clock.monotonic() + self._timeout, self._deadline)
            while (left := until - self._clock.monotonic()) > 0:
                self._sock.settimeout(left)
                try:
                    data = self._sock.recv(LARGEST)
                    self.bytes_received += len(data)
                    found, status, binds = decode(data)
                except TimeoutError:
                    break
                except Failed:
                    nonsense = True
                    continue
                if found not in asked:
                    continue
                if status == TOO_BIG:
                    raise TooBig
                if status:
                    raise Failed(Failure.NOT_SUPPORTED, f"the agent answered with error-status {status}")
                return binds
            if self._clock.monotonic() >= self._deadline:
                raise Failed(Failure.TIMEOUT, "the time for this device is over")
        if nonsense:
            raise Failed(Failure.MALFORMED, "the answers cannot be read")
        raise Failed(Failure.NO_ANSWER, "no answer: SNMP is off, the community is another, or the device is down")


def walk(session: Session, columns: Sequence[Oid], most: int, clock: Clock) -> Table:
    """All cells of `columns`, at most `most`, several columns in one request.

    It ends when every column is done, or with `fault`: "oid-not-increasing", "row-cap", "empty-answer", "too-big", or the
    failure word of a request that came to nothing.
    """
    table = Table(cells={column: {} for column in columns}, seen={}, most=most)
    last: dict[Oid, Oid] = {column: column for column in columns}  # of the columns that are not done
    repetitions = REPETITIONS
    while last and not table.fault:
        try:
            binds = session.bulk(list(last.values()), repetitions)
        except TooBig:
            if repetitions == 1:
                table.fault = "too-big"
            repetitions = max(repetitions // 2, 1)
        except (Failed, OSError) as error:
            word = classify(error)
            if word is None:
                raise
            table.fault = word.value
        else:
            table.fault = _take(table, binds, last, clock.now())
    return table


def _take(table: Table, binds: list[tuple[Oid, Value]], last: dict[Oid, Oid], at: datetime) -> str | None:
    """Put one answer into the table and strike the columns it ends; the fault, if it has one."""
    if not binds:
        return "empty-answer"
    asked = list(last)
    for number, (oid, value) in enumerate(binds):
        column = asked[number % len(asked)]
        if column not in last:
            continue
        if value is None or oid[: len(column)] != column:
            del last[column]
            continue
        # Each against the one before it, not against the request: some agents go round in circles within one answer.
        if oid <= last[column]:
            return "oid-not-increasing"
        if table.size >= table.most:
            return "row-cap"
        row = oid[len(column) :]
        table.cells[column][row] = value
        table.seen.setdefault(row, at)
        table.size += 1
        last[column] = oid
    return None


def encode(community: bytes, number: int, oids: Sequence[Oid], repetitions: int | None) -> bytes:
    """A GET, or a GETBULK when `repetitions` is given."""
    # Imported here because the command line's help must not load them.
    from pyasn1.codec.ber import encoder  # noqa: PLC0415
    from pysnmp.proto.api import v2c  # noqa: PLC0415

    pdu: Any
    if repetitions is None:
        pdu, api = v2c.GetRequestPDU(), v2c.apiPDU
        api.set_defaults(pdu)
    else:
        pdu, api = v2c.GetBulkRequestPDU(), v2c.apiBulkPDU
        api.set_defaults(pdu)
        api.set_non_repeaters(pdu, 0)
        api.set_max_repetitions(pdu, repetitions)
    api.set_request_id(pdu, number)
    api.set_varbinds(pdu, [(oid, v2c.Null("")) for oid in oids])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def decode(data: bytes) -> tuple[int, int, list[tuple[Oid, Value]]]:
    """Request id, error-status and values of a response; Failed(malformed) for anything else."""
    from pyasn1.codec.ber import decoder  # noqa: PLC0415
    from pyasn1.error import PyAsn1Error  # noqa: PLC0415
    from pysnmp.proto.api import v2c  # noqa: PLC0415

    try:
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        if not pdu.isSameTypeWith(v2c.GetResponsePDU(), matchConstraints=False):
            raise Failed(Failure.MALFORMED, "not a response")
        number, status = int(v2c.apiPDU.get_request_id(pdu)), int(v2c.apiPDU.get_error_status(pdu))
        binds = [(tuple(oid), _value(value)) for oid, value in v2c.apiPDU.get_varbinds(pdu)]
    except PyAsn1Error as error:
        raise Failed(Failure.MALFORMED, type(error).__name__) from None
    if any(len(oid) > LONGEST_OID for oid, _ in binds):
        raise Failed(Failure.MALFORMED, "an object identifier without end")
    return number, status, binds


def _value(value: Any) -> Value:
    from pyasn1.type import univ  # noqa: PLC0415

    match value:
        case univ.Null():  # also noSuchObject, noSuchInstance and endOfMibView
            return None
        case univ.Integer():
            return int(value)
        case univ.OctetString():
            return bytes(value.asOctets())
        case univ.ObjectIdentifier():
            return tuple(value)
        case _:
            raise Failed(Failure.MALFORMED, "a value of unknown type")
