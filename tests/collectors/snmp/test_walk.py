import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SystemClock
from collectors.snmp import ber
from collectors.snmp.message import Answer, Reply, Status
from collectors.snmp.walk import FRAME, MOST, START, Fault, walk
from netready.failure import Failed, Failure

BASE = (1, 3, 6, 1, 2, 1, 2, 2, 1)
A, B, C = ((*BASE, leaf) for leaf in (2, 10, 300))


class School:
    """An honest agent in memory, with a session's two calls; its answers are cut to `room` values of `weight` bytes each."""

    def __init__(self, cells, *, room=10_000, weight=20, tries=1, seconds=0.001) -> None:
        self.cells = dict(sorted(cells.items()))
        self.oids = list(self.cells)
        self.room, self.weight, self.tries, self.seconds = room, weight, tries, seconds
        self.asked = []

    def ask(self, names, repetitions):
        self.asked.append(([ber.oid_of(name) for name in names], repetitions))

    def answer(self):
        current, repetitions = self.asked[-1]
        binds = []
        for _ in range(repetitions):
            following = [self.after(oid) for oid in current]
            binds += [
                (ber.name(oid), self.cells[oid] if oid > before else None)
                for before, oid in zip(current, following, strict=True)
            ]
            current = following
        return self.reply(binds[: self.room])

    def after(self, oid):
        at = bisect.bisect_right(self.oids, oid)
        return self.oids[at] if at < len(self.oids) else oid

    def reply(self, binds, **other):
        values = [b"\x82\x00" if value is None else ber.integer(value) for _, value in binds]
        entries = [ber.tlv(48, ber.tlv(6, wire), value) for (wire, _), value in zip(binds, values, strict=True)]
        starts = [sum(map(len, entries[:at])) for at in range(len(entries) + 1)]
        found = Reply(**{"number": 1, "status": 0, "index": 0, "data": b"".join(entries), "starts": starts} | other)
        size = 60 + self.weight * len(binds)
        return Answer(reply=found, size=size, tries=self.tries, seconds=self.seconds)


rows = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3).map(tuple)
tables = st.dictionaries(st.tuples(st.sampled_from([A, B, C, (*BASE, 9), (1, 3, 7)]), rows), st.integers(0, 9), max_size=60)


@given(tables, st.integers(1, 40), st.sampled_from([(A,), (A, B), (B, A, C), (C, (1, 3, 7))]))
def test_a_walk_of_an_honest_agent_reads_its_columns_and_nothing_else(table, room, columns):
    agent = School({(*column, *row): value for (column, row), value in table.items()}, room=room)
    found = walk(agent, columns, 10_000, SystemClock())
    assert found.fault is None
    assert found.faults == {}
    assert found.cells == {
        column: {row: value for (other, row), value in table.items() if other == column} for column in columns
    }
    assert found.size == sum(map(len, found.cells.values()))
    assert found.seen.keys() == {row for cells in found.cells.values() for row in cells}


@given(tables, st.integers(0, 30))
def test_a_walk_keeps_no_more_cells_than_it_may_and_says_so(table, most):
    agent = School({(*column, *row): value for (column, row), value in table.items()})
    found = walk(agent, (A, B), most, SystemClock())
    there = sum(column in {A, B} for column, _ in table)
    assert found.size == min(there, most)
    assert found.fault == (Fault.ROW_CAP if there > most else None)


def plain(rows):
    return {(*A, row): row for row in range(1, rows + 1)}


def repetitions(agent):
    return [number for _, number in agent.asked]


def test_more_is_asked_for_while_answers_come_whole_and_quick():
    agent = School(plain(2000))
    assert walk(agent, (A,), 5000, SystemClock()).size == 2000
    assert repetitions(agent)[:5] == [START, 2 * START, 4 * START, 65, 66]  # 65 values of 20 bytes are what a frame carries
    small = School(plain(2000), weight=8)
    walk(small, (A,), 5000, SystemClock())
    assert max(repetitions(small)) == MOST


def test_answers_larger_than_a_frame_are_asked_for_no_more():
    agent = School(plain(500), weight=400)
    walk(agent, (A,), 5000, SystemClock())
    assert repetitions(agent)[0] == START
    assert set(repetitions(agent)[1:]) == {FRAME // 400}
    assert walk(School(plain(5), weight=60_000), (A,), 5000, SystemClock()).size == 5


def test_many_columns_begin_with_few_rows():
    columns = [(*BASE, leaf) for leaf in range(1, 21)]
    agent = School({(*column, 1): 1 for column in columns})
    assert walk(agent, columns, 5000, SystemClock()).size == 20
    assert agent.asked[0][1] == 3


def test_a_slow_or_lossy_agent_is_asked_for_less():
    slow = School(plain(100), seconds=0.4)
    walk(slow, (A,), 5000, SystemClock())
    assert repetitions(slow)[:5] == [10, 5, 2, 1, 1]
    lossy = School(plain(100), tries=2)  # each answer had to be asked for twice
    walk(lossy, (A,), 5000, SystemClock())
    assert repetitions(lossy)[:4] == [10, 5, 2, 1]


def test_after_one_loss_the_rows_asked_for_grow_again(hand_clock):
    class Once(School):
        def answer(self):
            self.tries = 2 if len(self.asked) == 6 else 1
            return super().answer()

    agent = Once(plain(5000))
    walk(agent, (A,), 6000, hand_clock)
    assert repetitions(agent)[5] == 66
    assert repetitions(agent)[6:9] == [33, 34, 35]
    assert max(repetitions(agent)[9:]) == 66


def test_an_agent_that_gives_few_rows_is_asked_for_one_more_than_it_gave():
    agent = School(plain(40), room=4)
    assert walk(agent, (A,), 5000, SystemClock()).size == 40
    assert repetitions(agent)[:3] == [10, 5, 5]


class Refusing(School):
    """One that answers with an error when `refuse(columns, repetitions)` says so: (status, index)."""

    def __init__(self, cells, refuse) -> None:
        super().__init__(cells)
        self.refuse = refuse

    def answer(self):
        names, number = self.asked[-1]
        error = self.refuse(names, number)
        return super().answer() if error is None else self.reply([], status=error[0], index=error[1])


GRID = {(*column, row): row for column in (A, B, C) for row in range(1, 31)}


def below(column):
    return lambda oid: oid[: len(column)] == column


def test_too_big_halves_the_rows_and_then_the_columns():
    agent = Refusing(GRID, lambda names, number: (Status.TOO_BIG, 0) if len(names) * number > 1 else None)
    found = walk(agent, (A, B, C), 5000, SystemClock())
    assert (found.size, found.fault) == (90, None)
    assert [(len(names), number) for names, number in agent.asked[:6]] == [(3, 10), (3, 5), (3, 2), (3, 1), (1, 1), (1, 1)]


def test_one_value_that_is_too_big_ends_its_column_only():
    def refuse(names, number):
        rows = [(*oid[len(B) :], 0)[0] for oid in names if below(B)(oid)]
        return (Status.TOO_BIG, 0) if any(row < 7 <= row + number for row in rows) else None

    agent = Refusing(GRID, refuse)
    found = walk(agent, (A, B, C), 5000, SystemClock())
    assert (len(found.cells[A]), len(found.cells[B]), len(found.cells[C])) == (30, 6, 30)
    assert (found.fault, found.faults) == ("too-big", {B: "too-big"})


@pytest.mark.parametrize("indexed", [True, False])
def test_a_value_that_an_agent_stumbles_over_ends_its_column_only(indexed):
    def refuse(names, number):
        at = [index for index, oid in enumerate(names, 1) if below(C)(oid) and oid[-1] + number > 12 and oid != C]
        return (Status.GENERAL, at[0] if indexed else 0) if at else None

    found = walk(Refusing(GRID, refuse), (A, B, C), 5000, SystemClock())
    assert (len(found.cells[A]), len(found.cells[B]), len(found.cells[C])) == (30, 30, 12)
    assert found.faults == {C: "agent-error"}
    assert "genErr" in found.reason


def test_version_1_ends_each_column_with_no_such_name():
    def refuse(names, _number):
        at = [index for index, oid in enumerate(names, 1) if oid[-1] == 30]
        return (Status.NO_SUCH_NAME, at[0]) if at else None

    found = walk(Refusing(GRID, refuse), (A, B, C), 5000, SystemClock())
    assert (found.size, found.fault) == (90, None)


class Failing(School):
    """One whose answers to some requests, by number, fail."""

    def __init__(self, cells, failures) -> None:
        super().__init__(cells)
        self.failures = failures

    def answer(self):
        error = self.failures.get(len(self.asked))
        if error:
            raise error
        return super().answer()


SILENT, NONSENSE = Failed(Failure.NO_ANSWER, "no answer any more"), Failed(Failure.MALFORMED, "rubbish")


@pytest.mark.parametrize(
    ("failures", "fault", "size"),
    [
        ({2: SILENT}, None, 200),
        ({2: NONSENSE, 4: SILENT, 6: NONSENSE}, None, 200),
        ({2: SILENT, 3: SILENT}, "no-answer", 10),
        ({2: SILENT, 3: NONSENSE}, "malformed", 10),
        ({3: Failed(Failure.TIMEOUT, "the time for this device is over")}, "timeout", 30),
        ({1: ConnectionRefusedError(111, "Connection refused")}, "refused", 0),
    ],
)
def test_one_silence_is_borne_two_in_a_row_are_not(failures, fault, size):
    agent = Failing(plain(200), failures)
    found = walk(agent, (A,), 5000, SystemClock())
    assert (found.fault, found.size) == (fault, size)
    assert bool(found.reason) == bool(fault)
    if 2 in failures:
        assert repetitions(agent)[2] == 1


def test_a_bug_of_ours_is_not_taken_for_a_fault_of_the_agents():
    with pytest.raises(OSError, match="no such errno"):
        walk(Failing(plain(5), {1: OSError(0, "no such errno")}), (A,), 5000, SystemClock())


def test_the_next_request_is_on_its_way_while_an_answer_is_taken_in():
    """What is asked for next follows from an answer's last value; a fault that shows later is still a fault."""

    class Astray(School):
        def answer(self):
            if len(self.asked) == 2:
                return self.reply([(ber.name((*A, row)), row) for row in (11, 12, 12, 13)])
            return super().answer()

    agent = Astray(GRID)
    found = walk(agent, (A,), 5000, SystemClock())
    assert (found.fault, found.size, len(agent.asked)) == ("oid-not-increasing", 12, 3)
    assert found.reason == "row 12 came after row 12"
