"""A walk over columns of tables that no agent can lead astray.

RFC 3416 section 4.2.3 trusts agents to behave. This walk does not: it ends also when an agent repeats its object identifiers,
goes round in circles, says that all is too big, or falls silent half-way. What was read until then is kept, and the fault has
a name.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from collectors.snmp.ber import Bind, Oid, Value, name, numbers, oid_of, parts
from collectors.snmp.message import Answer, Reply, Status, status_word
from netready.clock import Clock
from netready.failure import Failed, Failure, classify

START = 10  # rows asked for at first
MOST = 100  # rows asked for at last
FULL = 60  # values asked for at first, where the columns are many
FRAME = (
    1400  # bytes of an answer that one Ethernet frame carries with room to spare: what is larger is lost whole if one part is
)
SLOW = 0.25  # s; an agent that takes so long for an answer is asked for no more than that
SILENCES = 2  # requests without an answer, each with all its repeats, after which a walk gives up


class Fault(StrEnum):
    """What cut a walk short, as a closed list: these words, and the failure words of requests that came to nothing.

    oid-not-increasing  a row came twice, or out of order, or the agent began again at the front; the column ends there
    row-cap             there was more than [snmp] max_rows allows
    empty-answer        an answer without a value
    too-big             not even one value fits an answer, says the agent; the column ends there
    agent-error         the agent answered with an error status for one value; the column ends there
    no-answer, timeout, malformed, refused ...   as `netready.failure.Failure`: two requests in a row came to nothing, the
                        device's time was over, or there is no way to it
    """

    NOT_INCREASING = "oid-not-increasing"
    ROW_CAP = "row-cap"
    EMPTY = "empty-answer"
    TOO_BIG = "too-big"
    AGENT_ERROR = "agent-error"


class Asked(Protocol):
    """Who is asked for the next rows: a session."""

    def ask(self, names: Sequence[bytes], repetitions: int) -> None: ...

    def answer(self) -> Answer: ...


class Table(msgspec.Struct, kw_only=True):
    """What a walk has read.

    cells   by column and row
    seen    when each row was first seen
    most    cells that may be read
    size    cells that were read
    fault   the first thing that went wrong, a word of `Fault` or of `Failure`; `reason` is a sentence about it
    faults  the same for each column that was cut short; the others are whole
    """

    cells: dict[Oid, dict[Oid, Value]]
    seen: dict[Oid, datetime]
    most: int
    size: int = 0
    fault: str | None = None
    reason: str = ""
    faults: dict[Oid, str] = {}


class _Column:
    """How far one column is read: its last object identifier as on the wire, and that one's row."""

    __slots__ = ("cells", "last", "oid", "prefix", "row")

    def __init__(self, oid: Oid, cells: dict[Oid, Value]) -> None:
        self.oid = oid
        self.cells = cells
        self.last = self.prefix = name(oid)
        self.row: Oid = ()

    def go_back(self) -> None:
        """To the last row that was taken in."""
        self.last = self.prefix + parts(self.row)


def walk(session: Asked, columns: Sequence[Oid], most: int, clock: Clock) -> Table:
    """All cells of `columns`, at most `most`, several columns in one request.

    It ends when every column is done or cut short, and then `fault` says why.
    """
    table = Table(cells={column: {} for column in columns}, seen={}, most=most)
    _Walk(session, table, clock).run()
    return table


class _Walk:
    """The columns that are not done, and how much is asked for at a time."""

    def __init__(self, session: Asked, table: Table, clock: Clock) -> None:
        self._session = session
        self._table = table
        self._clock = clock
        self._open = [_Column(oid, cells) for oid, cells in table.cells.items()]
        self._silences = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._width = len(self._open)  # columns in one request
        self._repetitions = max(min(START, FULL // max(self._width, 1)), 1)
        self._limit = MOST  # what the agent says is not too big
        self._ceiling = MOST  # what came without being asked for twice; it rises slowly again

    def run(self) -> None:
        """Ask until nothing is open. What an answer held is taken in while the agent works on the next."""
        asked = self._ask()
        while self._open:
            try:
                answer = self._session.answer()
            except (Failed, OSError) as error:
                self._bear(error)
                asked = self._ask()
                continue
            if not any(column in self._open for column in asked):
                asked = self._ask()  # they were cut while the answer was on its way
            elif answer.reply.status:
                self._refused(asked, answer.reply)
                asked = self._ask()
            elif not len(answer.reply):
                self._cut(asked, Fault.EMPTY, "an answer held no value")
                asked = self._ask()
            else:
                asked = self._go_on(asked, answer)

    def _go_on(self, asked: list[_Column], answer: Answer) -> list[_Column]:
        """Ask for what follows an answer's last values, and then take in the answer; the columns that were asked for."""
        reply = answer.reply
        # Where the last cells are given out, they go to all columns alike.
        count = min(len(reply), self._table.most - self._table.size or len(reply))
        try:
            self._adapt(answer, len(asked))
            following = self._ask(but=_ended(asked, reply, count))
            self._take(asked, reply.binds[:count])
        except Failed as failed:
            for column in asked:
                column.go_back()
            if len(reply) <= len(asked):
                self._cut(_unreadable(asked, reply) or asked, failed.failure.value, failed.reason)
                self._begin_anew()
            else:
                self._bear(failed)
            return self._ask()
        self._silences = 0
        return following

    def _ask(self, but: Sequence[_Column] = ()) -> list[_Column]:
        """Ask for more of the open columns, without those of `but`; the columns that were asked for."""
        asked = [column for column in self._open if column not in but][: self._width]
        if asked:
            self._session.ask([column.last for column in asked], self._repetitions)
        return asked

    def _bear(self, error: Failed | OSError) -> None:
        """A request came to nothing: once it is tried again, for one row."""
        word = classify(error)
        if word is None:
            raise error
        self._silences += 1
        if self._silences < SILENCES and word in {Failure.NO_ANSWER, Failure.MALFORMED}:
            self._repetitions = 1
        else:
            self._cut(self._open, word.value, str(error))

    def _refused(self, asked: list[_Column], reply: Reply) -> None:
        """The agent answered with an error: ask for less; where less is impossible, leave out the column it is about."""
        self._silences = 0
        one = len(asked) == 1
        index = 0 if one else reply.index - 1 if 0 < reply.index <= len(asked) else None
        if reply.status == Status.NO_SUCH_NAME and index is not None:
            self._open = [column for column in self._open if column is not asked[index]]  # so version 1 says that it is done
        elif reply.status == Status.AUTHORIZATION:
            self._cut(self._open, Fault.AGENT_ERROR, "the agent does not let this user read that")
        elif self._repetitions > 1:
            self._limit = self._repetitions = self._repetitions // 2
        elif not one and (index is None or reply.status == Status.TOO_BIG):
            self._width = len(asked) // 2
        else:
            word = Fault.TOO_BIG if reply.status == Status.TOO_BIG else Fault.AGENT_ERROR
            self._cut([asked[index or 0]], word, f"the agent answered with the error {status_word(reply.status)}")
            self._begin_anew()

    def _take(self, asked: list[_Column], binds: list[Bind]) -> None:
        """Put an answer's values into the table and strike the columns that it ends."""
        at = self._clock.now()
        rows: dict[bytes, Oid] = {}
        for number, column in enumerate(asked):
            if column in self._open:
                before = len(column.cells)
                try:
                    self._read(column, binds[number :: len(asked)], rows, at)
                finally:
                    self._table.size += len(column.cells) - before

    def _read(self, column: _Column, binds: list[Bind], rows: dict[bytes, Oid], at: datetime) -> None:
        """One column's values; `rows` are those that this answer's other columns had, as on the wire."""
        cells, prefix, row, skip = column.cells, column.prefix, column.row, len(column.prefix)
        left, seen = self._table.most - self._table.size, self._table.seen.setdefault
        for wire, value in binds:
            if value is None or not wire.startswith(prefix):
                self._end(column, wire, value)
                return
            suffix = wire[skip:]
            following = rows.get(suffix)
            if following is None:
                following = rows[suffix] = numbers(suffix)
            # Each against the one before it, not against the request: some agents go round within one answer.
            if following <= row:
                self._cut([column], Fault.NOT_INCREASING, f"row {_dotted(following)} came after row {_dotted(row)}")
                return
            if not left:
                self._cut(self._open, Fault.ROW_CAP, f"there are more than {self._table.most:,} cells")
                return
            left -= 1
            seen(following, at)
            cells[following] = value
            row = column.row = following

    def _end(self, column: _Column, wire: bytes, value: Value) -> None:
        """The agent went on to something else, so the column is done; unless it went back."""
        if value is not None and oid_of(wire) <= (*column.oid, *column.row):
            self._cut([column], Fault.NOT_INCREASING, f"after row {_dotted(column.row)} the agent went back")
        else:
            self._open.remove(column)

    def _cut(self, columns: list[_Column], fault: str, reason: str) -> None:
        for column in columns:
            self._table.faults.setdefault(column.oid, str(fault))
        if self._table.fault is None:
            self._table.fault, self._table.reason = str(fault), reason
        self._open = [column for column in self._open if column not in columns]

    def _adapt(self, answer: Answer, width: int) -> None:
        """More rows at a time while answers come whole, quick and within a frame; fewer when they do not."""
        rows = max(len(answer.reply) // width, 1)
        fits = max(FRAME * rows // answer.size, 1)
        self._ceiling += 1
        if answer.tries > 1:
            wanted = self._repetitions // 2
            self._ceiling = max(wanted, START)
        elif rows < self._repetitions:
            wanted = rows + 1  # the agent gave what it had room for
        elif answer.seconds > SLOW:
            wanted = self._repetitions // 2
        else:
            wanted = 2 * self._repetitions
        self._repetitions = max(min(wanted, fits, self._ceiling, self._limit), 1)


def _ended(asked: list[_Column], reply: Reply, count: int) -> list[_Column]:
    """The columns that an answer of so many values ends, by its last value of each; more is asked of the others from there.

    Raises Failed(malformed).
    """
    ended = []
    for number, column in enumerate(asked[:count]):
        wire, value = reply.bind((count - 1 - number) // len(asked) * len(asked) + number)
        if value is None or not wire.startswith(column.prefix):
            ended.append(column)
        else:
            numbers(wire[len(column.prefix) :])  # nobody is asked for what no agent may send
            column.last = wire
    return ended


def _unreadable(asked: list[_Column], reply: Reply) -> list[_Column]:
    """The columns whose value in an answer of one row cannot be read."""
    found = []
    for at, column in zip(range(len(reply)), asked, strict=False):
        try:
            wire, _ = reply.bind(at)
            numbers(wire)
        except Failed:
            found.append(column)
    return found


def _dotted(row: Oid) -> str:
    return ".".join(map(str, row)) or "0"
