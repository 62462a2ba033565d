"""What decisions were made from, and accepted risks: kept once, in order, and never changed."""

import hashlib
import os
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from store import StoreError, open_store
from store.opening import APPLICATION_ID, migrations

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def named(*parts: bytes) -> dict[str, bytes]:
    return {hashlib.sha256(part).hexdigest(): part for part in parts}


def add(store, inputs) -> int:
    return store.add_decision(decided_at=NOW, wave="pilot", answer="GO", body=b"{}", inputs=inputs)


def test_inputs_come_back_as_they_went_in_and_what_two_decisions_share_is_kept_once(tmp_path):
    shared, first, second = b"policy " * 900, b"", os.urandom(4096)
    with open_store(tmp_path / "a.sqlite") as store:
        assert add(store, named(shared, first)) == 1
        assert add(store, named(shared, second)) == 2
        assert add(store, {}) == 3
    with open_store(tmp_path / "a.sqlite") as store:
        wanted = named(shared, first, second)
        assert store.decision_inputs([*wanted, "0" * 64]) == wanted
        assert store.decision_inputs([]) == {}
        rows = store._db.execute("SELECT sum(length(body)), count(*) FROM decision_input").fetchone()
        assert rows[1] == 3
        assert rows[0] < len(shared) + len(second)


def test_an_input_that_somebody_damaged_is_handed_on_for_its_digest_to_tell(tmp_path):
    inputs = named(b"policy")
    with open_store(tmp_path / "a.sqlite") as store:
        add(store, inputs)
        store._db.execute("DROP TRIGGER decision_input_kept")
        store._db.execute("UPDATE decision_input SET body = x'00ff'")
        assert list(store.decision_inputs(inputs).values()) == [b"\x00\xff"]


def test_a_decision_whose_inputs_cannot_be_kept_is_not_kept_either(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        with pytest.raises(StoreError):
            add(store, {None: b"x"})
        store._db.execute("DROP TABLE decision_input")
        with pytest.raises(StoreError, match="no such table: decision_input"):
            add(store, named(b"x"))
        assert store.decisions() == []


def test_accepted_risks_come_back_in_the_order_in_which_they_were_written(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        store.waive(NOW + timedelta(days=1), "b", b'{"n":1}')
        store.waive(NOW, "a", b'{"n":2}')
        assert store.waived() == [(NOW + timedelta(days=1), b'{"n":1}'), (NOW, b'{"n":2}')]


def test_a_store_of_an_earlier_version_keeps_its_decisions(tmp_path):
    """Without inputs, because nobody kept them then."""
    path = tmp_path / "a.sqlite"
    db = sqlite3.connect(path)
    for number, sql in migrations():
        if number < 6:
            db.executescript(f"{sql}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};")
    db.execute("INSERT INTO decision (decided_at, wave, answer, body) VALUES ('2026-03-02', 'pilot', 'GO', '{}')")
    db.commit()
    db.close()
    with open_store(path) as store:
        assert store.decisions() == [(1, b"{}")]
        assert store.waived() == []
