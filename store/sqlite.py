"""The SQLite store: what is kept and how it is read again, one transaction a write. `opening` makes the connection."""

import contextlib
import lzma
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from netready.device import Device
from netready.failure import Failure
from netready.finding import Finding
from netready.measurement import Detail, Measurement
from netready.privacy import is_clear
from netready.survey import Run, Survey

_DETAILS = msgspec.json.Decoder(dict[str, Detail])  # made once: making it takes longer than reading a row's details


class StoreError(Exception):
    """The database cannot be used; the message is one sentence with the file's name."""


class Store:
    """An open database. One thread at a time; close it, or use it as a context manager."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def add(self, survey: Survey) -> None:
        """Keep a survey whole, or not at all."""
        with sentence(self.path), _transaction(self._db):
            self._db.execute(
                "INSERT INTO survey VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    survey.id,
                    survey.site,
                    survey.software,
                    _text(survey.started_at),
                    _text(survey.finished_at),
                    _json(survey.runs),
                    survey.bytes_sent,
                    survey.bytes_received,
                    _json(survey.findings),
                    _json(survey.unseen),
                    survey.period,
                    _json(survey.forgotten),
                    _json(survey.answers),
                ),
            )
            self._db.executemany(
                "INSERT INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (survey.id, seq, m.metric, m.target, _text(m.taken_at), m.value, m.failure, m.method, _json(m.details))
                    for seq, m in enumerate(survey.measurements)
                ),
            )
            self._db.executemany(
                "INSERT INTO device VALUES (?, ?, ?, ?, ?)",
                (
                    (survey.id, seq, device.key, _json(device), not is_clear(device))
                    for seq, device in enumerate(survey.devices)
                ),
            )

    def readings(self, since: datetime, until: datetime, *metrics: str) -> Iterator[tuple[str, Measurement]]:
        """(survey id, measurement) taken in [since, until], oldest first; of all metrics, or of those named."""
        with sentence(self.path):
            rows = self._db.execute(
                "SELECT survey, metric, target, taken_at, value, failure, method, details FROM measurement"
                " WHERE taken_at BETWEEN ?1 AND ?2 AND (?3 = '[]' OR metric IN (SELECT value FROM json_each(?3)))"
                " ORDER BY taken_at, survey, seq",
                (_text(since), _text(until), _json(metrics)),
            )
            for row in rows:
                yield row[0], _measurement(row[1:])

    def surveys(self, since: datetime, until: datetime) -> list[tuple[str, datetime]]:
        """(id, started_at) of the surveys started in [since, until], oldest first."""
        with sentence(self.path):
            rows = self._db.execute(
                "SELECT id, started_at FROM survey WHERE started_at BETWEEN ? AND ? ORDER BY started_at, id",
                (_text(since), _text(until)),
            )
            return [(row[0], datetime.fromisoformat(row[1])) for row in rows]

    def last_survey(self) -> Survey | None:
        """The newest survey, whole; None when there is none yet."""
        with sentence(self.path):
            row = self._db.execute("SELECT id FROM survey ORDER BY started_at DESC, id DESC LIMIT 1").fetchone()
        return None if row is None else self.survey(row[0])

    def survey(self, name: str) -> Survey | None:
        """The survey with this id, whole; None when there is none."""
        with sentence(self.path):
            row = self._db.execute(
                "SELECT id, site, software, started_at, finished_at, runs, bytes_sent, bytes_received,"
                " findings, unseen, period, forgotten, answers FROM survey WHERE id = ?",
                (name,),
            ).fetchone()
            if row is None:
                return None
            measurements = self._db.execute(
                "SELECT metric, target, taken_at, value, failure, method, details FROM measurement"
                " WHERE survey = ? ORDER BY seq",
                (name,),
            ).fetchall()
            devices = self._db.execute("SELECT body FROM device WHERE survey = ? ORDER BY seq", (name,)).fetchall()
        return Survey(
            id=row[0],
            site=row[1],
            software=row[2],
            started_at=datetime.fromisoformat(row[3]),
            finished_at=datetime.fromisoformat(row[4]),
            runs=msgspec.json.decode(row[5], type=tuple[Run, ...]),
            bytes_sent=row[6],
            bytes_received=row[7],
            findings=msgspec.json.decode(row[8], type=tuple[Finding, ...]),
            unseen=msgspec.json.decode(row[9], type=tuple[str, ...]),
            period=row[10],
            forgotten=msgspec.json.decode(row[11], type=dict[str, int]),
            answers=msgspec.json.decode(row[12], type=tuple[tuple[str, str], ...]),
            measurements=tuple(_measurement(found) for found in measurements),
            devices=tuple(msgspec.json.decode(found[0], type=Device) for found in devices),
        )

    def devices(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, str, Device]]:
        """(when its survey began, that survey's key period, device) of the surveys started in [since, until], oldest first."""
        with sentence(self.path):
            rows = self._db.execute(
                "SELECT started_at, period, body FROM device JOIN survey ON survey.id = device.survey"
                " WHERE started_at BETWEEN ? AND ? ORDER BY started_at, survey, seq",
                (_text(since), _text(until)),
            )
            for started, period, body in rows:
                yield datetime.fromisoformat(started), period, msgspec.json.decode(body, type=Device)

    def forget_clients(self, before: datetime) -> int:
        """Forget devices that may be a person's, of surveys begun before a moment, but for their number by kind; how many."""
        with sentence(self.path), _transaction(self._db):
            old = self._db.execute(
                "SELECT survey, json_extract(body, '$.kind'), count(*) FROM device JOIN survey ON survey.id = device.survey"
                " WHERE client = 1 AND started_at < ? GROUP BY 1, 2",
                (_text(before),),
            ).fetchall()
            numbers: dict[str, dict[str, int]] = {}
            for name, kind, number in old:
                numbers.setdefault(name, {})[kind] = number
            for name, kinds in numbers.items():
                self._db.execute("UPDATE survey SET forgotten = ? WHERE id = ?", (_json(kinds), name))
                self._db.execute("DELETE FROM device WHERE client = 1 AND survey = ?", (name,))
        if numbers:
            with sentence(self.path):  # the log still holds the pages as they were
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return sum(sum(kinds.values()) for kinds in numbers.values())

    def keep_list(self, path: str, form: str, at: datetime) -> None:
        """Have every survey read an asset list or a lease file; a path that is known already gets the new format."""
        with sentence(self.path), _transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO asset_list VALUES (?, ?, ?)", (path, form, _text(at)))

    def drop_list(self, path: str) -> bool:
        """Have surveys read it no more; whether it was known."""
        with sentence(self.path), _transaction(self._db):
            return self._db.execute("DELETE FROM asset_list WHERE path = ?", (path,)).rowcount > 0

    def lists(self) -> list[tuple[str, str]]:
        """(path, format) of the asset lists and lease files, in order of path."""
        with sentence(self.path):
            return self._db.execute("SELECT path, format FROM asset_list ORDER BY path").fetchall()

    def add_decision(
        self, *, decided_at: datetime, wave: str, answer: str, body: bytes, inputs: Mapping[str, bytes] | None = None
    ) -> int:
        """Keep a gate decision and what it was made from; its number. `body` is its JSON, `inputs` are SHA-256 (hex) to bytes.

        An input that another decision was made from too is kept once.
        """
        with sentence(self.path), _transaction(self._db):
            kept = self._db.execute(
                "SELECT sha256 FROM decision_input WHERE sha256 IN (SELECT value FROM json_each(?))",
                (_json(tuple(inputs or ())),),
            ).fetchall()
            known = {name for (name,) in kept}
            self._db.executemany(
                "INSERT INTO decision_input VALUES (?, ?)",
                ((name, lzma.compress(part)) for name, part in (inputs or {}).items() if name not in known),
            )
            made = self._db.execute(
                "INSERT INTO decision (decided_at, wave, answer, body) VALUES (?, ?, ?, ?)",
                (_text(decided_at), wave, answer, body.decode()),
            )
            return made.lastrowid or 0

    def decisions(self) -> list[tuple[int, bytes]]:
        """(number, JSON) of every decision, oldest first."""
        with sentence(self.path):
            rows = self._db.execute("SELECT seq, body FROM decision ORDER BY seq")
            return [(number, body.encode()) for number, body in rows]

    def decision_inputs(self, names: Iterable[str]) -> dict[str, bytes]:
        """SHA-256 (hex) to bytes of those inputs of decisions that are kept."""
        with sentence(self.path):
            rows = self._db.execute(
                "SELECT sha256, body FROM decision_input WHERE sha256 IN (SELECT value FROM json_each(?))",
                (_json(tuple(names)),),
            )
            return {name: _expanded(body) for name, body in rows}

    def waive(self, at: datetime, rule: str, body: bytes) -> None:
        """Write down that somebody accepted a risk; `body` is the waiver's JSON."""
        with sentence(self.path), _transaction(self._db):
            self._db.execute("INSERT INTO waiver (at, rule, body) VALUES (?, ?, ?)", (_text(at), rule, body.decode()))

    def waived(self) -> list[tuple[datetime, bytes]]:
        """(when it was written down, JSON) of every waiver, oldest first."""
        with sentence(self.path):
            rows = self._db.execute("SELECT at, body FROM waiver ORDER BY seq")
            return [(datetime.fromisoformat(at), body.encode()) for at, body in rows]

    def vouch(self, at: datetime, source: str, bodies: Iterable[tuple[str, bytes]]) -> None:
        """Write down attestations, (criterion, JSON), all or none; `source` is where they came from."""
        with sentence(self.path), _transaction(self._db):
            self._db.executemany(
                "INSERT INTO attestation (at, source, criterion, body) VALUES (?, ?, ?, ?)",
                ((_text(at), source, criterion, body.decode()) for criterion, body in bodies),
            )

    def vouched(self) -> list[tuple[datetime, str, bytes]]:
        """(when it was written down, where it came from, JSON) of every attestation, oldest first."""
        with sentence(self.path):
            rows = self._db.execute("SELECT at, source, body FROM attestation ORDER BY seq")
            return [(datetime.fromisoformat(at), source, body.encode()) for at, source, body in rows]

    def spend(self, at: datetime, what: str, amount: int) -> int:
        """Write down a use of the line before it begins, with the bytes foretold; the entry's number for `settle`."""
        with sentence(self.path), _transaction(self._db):
            made = self._db.execute("INSERT INTO spent (at, what, bytes) VALUES (?, ?, ?)", (_text(at), what, amount))
            return made.lastrowid or 0

    def settle(self, number: int, amount: int) -> None:
        """Replace what was foretold by what was counted."""
        with sentence(self.path), _transaction(self._db):
            self._db.execute("UPDATE spent SET bytes = ? WHERE seq = ?", (amount, number))

    def bytes_moved(self, since: datetime, until: datetime) -> int:
        """Bytes written down for [since, until), both ways."""
        with sentence(self.path):
            (amount,) = self._db.execute(
                "SELECT coalesce(sum(bytes), 0) FROM spent WHERE at >= ? AND at < ?", (_text(since), _text(until))
            ).fetchone()
            return int(amount)

    def uses(self, what: str, since: datetime, until: datetime) -> list[datetime]:
        """When `what` was used in [since, until], oldest first."""
        with sentence(self.path):
            rows = self._db.execute(
                "SELECT at FROM spent WHERE what = ? AND at BETWEEN ? AND ? ORDER BY at", (what, _text(since), _text(until))
            )
            return [datetime.fromisoformat(row[0]) for row in rows]


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # A full disk makes SQLite roll back by itself; asking again would hide the first error.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextlib.contextmanager
def sentence(path: Path) -> Iterator[None]:
    """Whatever SQLite or the disk says of the file, as a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        msg = f"{path}: the database cannot be used ({error})"
        raise StoreError(msg) from error
    except OSError as error:
        msg = f"{path}: {error.strerror or error}"
        raise StoreError(msg) from error


def _expanded(body: bytes) -> bytes:
    """A kept input as it was. One that somebody damaged is handed on as it is: its digest tells."""
    try:
        return lzma.decompress(body)
    except lzma.LZMAError:
        return body


def _measurement(row: tuple[str, str, str, float | None, str | None, str, str]) -> Measurement:
    metric, target, taken_at, value, failure, method, details = row
    return Measurement(
        metric=metric,
        target=target,
        taken_at=datetime.fromisoformat(taken_at),
        value=value,
        failure=None if failure is None else Failure(failure),
        method=method,
        details=_DETAILS.decode(details),
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
