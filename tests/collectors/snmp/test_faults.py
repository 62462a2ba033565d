"""Agents on loopback, each with one fault: every walk ends in time, keeps the rows before the fault, and names it."""

import os
import random
import socket
import time

import msgspec
import pytest
from pysnmp.proto.api import v2c

from agent.clock import SystemClock
from collectors.snmp.ber import tlv
from collectors.snmp.walk import walk

IF = (1, 3, 6, 1, 2, 1, 2, 2, 1)
NAMES, COUNTS, NEXT = (*IF, 2), (*IF, 10), (*IF, 11)
ROWS = 60
DEADLINE = 1.5  # s


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table: how the agent behaves, and what a walk of two columns of 60 rows makes of it.

    name   the walk's word for the fault, or None when it is borne
    rows   how many rows of the first column are kept: all, or from the first number to the second
    """

    behave: object
    name: str | None = None
    rows: tuple[int, int] = (ROWS, ROWS)
    columns: tuple = (NAMES, COUNTS)


def honest(table, asked):
    return asked.respond(table.answer(asked))


def after(answers, behave):
    """Honest for so many answers, then not."""

    def made(table, asked, agent):
        if len(agent.requests) <= answers:
            return [honest(table, asked)]
        return behave(table, asked, agent)

    return made


def always(behave):
    return lambda table, asked, _agent: [behave(table, asked)]


def from_elsewhere(table, asked, agent):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.sendto(honest(table, asked), agent.peer)
    return []


def losing(share):
    chance = random.Random(5)
    return lambda table, asked, _agent: [] if chance.random() < share else [honest(table, asked)]


def row_of(oid):
    return oid[len(NAMES)] if len(oid) > len(NAMES) else 0


def endless(asked, step=1):
    """Row after row of whatever column is asked for, for ever."""
    return [
        ((*oid[: len(NAMES)], row_of(oid) + step * number), v2c.Integer(1))
        for number in range(1, asked.repetitions + 1)
        for oid in asked.oids
    ]


def around(table, asked):
    """Rows 1 to 20 of each column, and then row 1 again."""
    return asked.respond(
        [
            ((*oid[: len(NAMES)], (row_of(oid) + number) % 20 + 1), v2c.Integer(1))
            for number in range(asked.repetitions)
            for oid in asked.oids
        ]
    )


def around_one_by_one(table, asked):
    """The same, but one row in each answer, so that no answer shows it alone."""
    return asked.respond([((*oid[: len(NAMES)], row_of(oid) % 20 + 1), v2c.Integer(1)) for oid in asked.oids])


def back_to_the_front(table, asked):
    """At the end of its tables this agent begins again with its first."""
    first = ((1, 3, 6, 1, 2, 1, 1, 1, 0), v2c.OctetString(b"a switch"))
    return asked.respond([first if isinstance(value, v2c.EndOfMibView) else (oid, value) for oid, value in table.answer(asked)])


def too_big(limit):
    def made(table, asked):
        fits = len(asked.oids) * asked.repetitions <= limit
        return honest(table, asked) if fits else asked.respond([], status=1)

    return made


def stumbling(column, row):
    """The agent's own code fails at one cell."""

    def made(table, asked):
        for index, oid in enumerate(asked.oids, 1):
            if oid[: len(column)] == column and row_of(oid) < row <= row_of(oid) + asked.repetitions:
                return asked.respond([(oid, v2c.Null("")) for oid in asked.oids], status=5, index=index)
        return honest(table, asked)

    return made


def all_at_once(table, asked):
    """Every row there is, in one datagram of 60 kB and more, whatever was asked for."""
    asked.repetitions = 2 * ROWS
    found = [
        (oid, v2c.OctetString(bytes(480)) if isinstance(value, v2c.OctetString) else value)
        for oid, value in table.answer(asked)
    ]
    return asked.respond(found)


def emptied(row):
    """One counter has no bytes; the message around it is whole."""

    def made(table, asked):
        found = table.answer(asked)
        marked = [(oid, v2c.Counter32(0xABCDEF) if oid == (*COUNTS, row) else value) for oid, value in found]
        # The length in two bytes makes room for the value that goes, so that no other length changes.
        return asked.respond(marked).replace(b"\x41\x04\x00\xab\xcd\xef", b"\x41\x84\x00\x00\x00\x00")

    return made


def wrong_kinds(table, asked):
    """Texts for counters and counters for texts, numbers below zero, and counters without their leading zero."""
    kinds = [
        v2c.OctetString(b"12"),
        v2c.Integer(-5),
        v2c.IpAddress("10.0.0.1"),
        v2c.ObjectIdentifier((1, 3, 6)),
        v2c.TimeTicks(9),
    ]
    found = [
        (oid, value if isinstance(value, v2c.EndOfMibView) else kinds[at % len(kinds)])
        for at, (oid, value) in enumerate(table.answer(asked))
    ]
    return asked.respond(found).replace(b"\x43\x01\x09", b"\x43\x01\xff")


FAULTS = {
    # What is borne: all rows come, and nothing is named.
    "20 % of the answers lost": Fault(behave=losing(0.2)),
    "each answer twice": Fault(behave=lambda table, asked, _agent: [honest(table, asked)] * 2),
    "answers that come late": Fault(behave=lambda table, asked, _agent: [(0.07, honest(table, asked))]),
    "tooBig beyond 7 values": Fault(behave=always(too_big(7))),
    "tooBig beyond 1 value": Fault(behave=always(too_big(1))),
    "64 kB in one answer": Fault(behave=always(all_at_once)),
    "one row in each answer": Fault(
        behave=lambda table, asked, _agent: [asked.respond(table.answer(asked)[: len(asked.oids)])],
    ),
    "answers cut in the middle of a row": Fault(behave=lambda table, asked, _agent: [asked.respond(table.answer(asked)[:5])]),
    "counters of wrong type": Fault(behave=always(wrong_kinds)),
    "rubbish before each answer": Fault(behave=lambda table, asked, _agent: [os.urandom(60), honest(table, asked)]),
    "another request's answer before each": Fault(
        behave=lambda table, asked, _agent: [asked.respond(endless(asked), number=asked.number ^ 1), honest(table, asked)]
    ),
    "noSuchObject in the place of a column": Fault(
        behave=always(
            lambda table, asked: asked.respond(
                [(oid, v2c.NoSuchObject("") if oid[: len(COUNTS)] == COUNTS else value) for oid, value in table.answer(asked)]
            )
        )
    ),
    # What is not.
    "rows that do not increase": Fault(
        behave=after(
            2, lambda _table, asked, _agent: [asked.respond([((*NAMES, 3), v2c.Integer(1)), ((*COUNTS, 3), v2c.Integer(1))])]
        ),
        name="oid-not-increasing",
        rows=(20, 59),
    ),
    "the same row for ever": Fault(
        behave=always(lambda _table, asked: asked.respond([((*oid[: len(NAMES)], 7), v2c.Integer(1)) for oid in asked.oids])),
        name="oid-not-increasing",
        rows=(1, 1),
    ),
    "round in circles within one answer": Fault(behave=always(around), name="oid-not-increasing", rows=(20, 20)),
    "round in circles from answer to answer": Fault(behave=always(around_one_by_one), name="oid-not-increasing", rows=(20, 20)),
    "back to the front at the end": Fault(
        behave=always(back_to_the_front), name="oid-not-increasing", columns=(NAMES, NEXT), rows=(ROWS, ROWS)
    ),
    "rows without end": Fault(
        behave=lambda _table, asked, _agent: [asked.respond(endless(asked))], name="row-cap", rows=(200, 300)
    ),
    "one slow row after another without end": Fault(
        behave=lambda _table, asked, _agent: [(0.04, asked.respond(endless(asked)[: len(asked.oids)]))],
        name="timeout",
        rows=(10, 40),
    ),
    "tooBig for one value": Fault(behave=always(too_big(0)), name="too-big", rows=(0, 0)),
    "genErr at one cell": Fault(behave=always(stumbling(COUNTS, 31)), name="agent-error"),
    "genErr for everything": Fault(
        behave=always(lambda _table, asked: asked.respond([], status=5)), name="agent-error", rows=(0, 0)
    ),
    "no values": Fault(behave=after(1, lambda _table, asked, _agent: [asked.respond([])]), name="empty-answer", rows=(10, 20)),
    "answers that are cut off": Fault(
        behave=after(2, lambda table, asked, _agent: [honest(table, asked)[:-9]]), name="malformed", rows=(20, 59)
    ),
    "the number of another request": Fault(
        behave=after(2, lambda table, asked, _agent: [asked.respond(table.answer(asked), number=asked.number ^ 1)]),
        name="malformed",
        rows=(20, 59),
    ),
    "a counter of no bytes": Fault(behave=always(emptied(31)), name="malformed"),
    "a name that is cut off": Fault(
        behave=always(lambda table, asked: honest(table, asked).replace(b"\x02\x02\x01\x02\x1f", b"\x02\x02\x01\x02\x9f")),
        name="malformed",
        rows=(30, 30),
    ),
    "counters of no bytes, whatever is asked": Fault(
        behave=always(
            lambda _table, asked: asked.respond([((*NAMES, 1), v2c.Counter32(7))] * 40).replace(
                b"\x41\x01\x07", b"\x41\x81\x00"
            )
        ),
        name="malformed",
        rows=(0, 0),
    ),
    "silence in the middle": Fault(behave=after(2, lambda _table, _asked, _agent: []), name="no-answer", rows=(20, 59)),
    "answers from another port": Fault(behave=from_elsewhere, name="no-answer", rows=(0, 0)),
    "the request sent back": Fault(behave=lambda _table, asked, _agent: [asked.data], name="malformed", rows=(0, 0)),
    "rubbish": Fault(behave=lambda _table, _asked, _agent: [os.urandom(400)], name="malformed", rows=(0, 0)),
    "64 kB of one value, then silence": Fault(
        behave=lambda _table, asked, agent: (
            [asked.respond([((*NAMES, 1), v2c.OctetString(bytes(60_000)))])] if len(agent.requests) == 1 else []
        ),
        name="no-answer",
        rows=(1, 1),
    ),
    "lengths beyond the datagram": Fault(
        behave=lambda _table, _asked, _agent: [b"\x30\x84\xff\xff\xff\xff" + bytes(1000)], name="malformed", rows=(0, 0)
    ),
    "nested without end": Fault(behave=lambda _table, _asked, _agent: [nested()], name="malformed", rows=(0, 0)),
}


def nested():
    data = b"\x05\x00"
    while len(data) < 60_000:
        data = tlv(0x30, data)
    return data


@pytest.fixture(scope="module")
def table(request):
    """60 rows of a name and a counter, and a little after them."""
    rows = [((*NAMES, row), v2c.OctetString(b"port %d" % row)) for row in range(1, ROWS + 1)]
    rows += [((*COUNTS, row), v2c.Counter32(row)) for row in range(1, ROWS + 1)]
    rows += [((*NEXT, row), v2c.Counter32(row)) for row in range(1, ROWS + 1)]
    return rows


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_agent_is_walked_to_its_fault_and_no_further(name, table, agent, snmp):
    fault, rows = FAULTS[name], snmp.Table(table)
    port = agent(lambda asked, made: fault.behave(rows, asked, made)).port
    settings = {"timeout": 0.05, "retries": 3, "deadline": DEADLINE}
    begun = time.monotonic()
    with snmp.session(port, **settings) as session:
        session.connect()
        found = walk(session, fault.columns, 500, SystemClock())
    assert time.monotonic() - begun < DEADLINE + 1
    least, most = fault.rows
    assert (found.fault, bool(found.reason)) == (fault.name, fault.name is not None)
    assert least <= len(found.cells[NAMES]) <= most
    assert sorted(found.cells[NAMES]) == [(row,) for row in sorted(row for (row,) in found.cells[NAMES])]
    assert found.size == sum(map(len, found.cells.values()))
