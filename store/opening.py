"""Opening the database: a write-ahead log, numbered migrations, and no quarrel with other people's files.

WAL with synchronous=FULL: a row that was acknowledged survives a power cut. A file that is not ours is never written to.
"""

import sqlite3
from importlib.resources import files
from pathlib import Path

from store.sqlite import Store, StoreError, sentence

APPLICATION_ID = 0x6E726479  # "nrdy": written into the file's header, so that a foreign database is recognised
BUSY_SECONDS = 10.0


def open_store(path: Path) -> Store:
    """Open or create the database at `path` and bring its schema up to date; StoreError when it is not ours to use."""
    made = False
    with sentence(path):
        if path.exists() and not path.is_file():
            msg = f"{path}: expected a database file, and this is none; name another in [store] path"
            raise StoreError(msg)
        if path.exists() and path.stat().st_size:
            _recognise(path)
        elif not path.parent.is_dir():
            msg = f"{path}: the folder {path.parent} does not exist"
            raise StoreError(msg)
        else:
            made = not path.exists()
            path.touch(mode=0o600)  # before SQLite makes it with the umask's rights
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            if made:  # half a database would be taken for another program's the next time
                for ending in ("", "-wal", "-shm"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
            raise
        return Store(connection, path)


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every schema step, in order."""
    folder = files("store") / "schema"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), (folder / name).read_text()) for name in found]


def _recognise(path: Path) -> None:
    """Refuse a file that is not our database, without writing to it."""
    with path.open("rb"):  # SQLite says of a file that may not be read only that it cannot be opened
        pass
    looker = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    try:
        (found,) = looker.execute("PRAGMA application_id").fetchone()
        (version,) = looker.execute("PRAGMA user_version").fetchone()
    finally:
        looker.close()
    if found != APPLICATION_ID:
        msg = f"{path}: this is a database of another program; name another file in [store] path"
        raise StoreError(msg)
    newest = migrations()[-1][0]
    if version > newest:
        msg = f"{path}: written by a newer netready (schema {version}, this program knows {newest}); upgrade netready"
        raise StoreError(msg)


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten, not only unlinked
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for number, sql in migrations():
        if number <= version:
            continue
        # executescript commits whatever is open, so the transaction is part of the script.
        try:
            db.executescript(
                f"BEGIN IMMEDIATE; {sql}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
            )
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
