import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from netready.device import Device, Kind
from netready.failure import Failure
from netready.measurement import Measurement
from netready.survey import Run, Survey
from store import StoreError, open_store
from store.opening import migrations

__all__ = ["Path"]  # for the child processes
NOW = datetime(2026, 3, 2, 9, 0, 0, 250, tzinfo=UTC)


def survey(name="s1", at=NOW, count=3):
    return Survey(
        id=name,
        site="Lincoln",
        software="netready test",
        started_at=at,
        finished_at=at + timedelta(seconds=30),
        measurements=(
            *(
                Measurement.of("throughput_down", f"t{i}", at + timedelta(seconds=i), 1e8 + i, "ndt7/1", interval=[1e8, 2e8])
                for i in range(count)
            ),
            Measurement.failed("throughput_up", "t", at, Failure.REFUSED, "ndt7/1", reason="no one home"),
        ),
        devices=(
            Device(key="a", mac="00:00:5e:00:53:01", addresses=("10.0.0.1",), names=("x",), kind=Kind.PRINTER, vendor=None),
        ),
        runs=(Run(instrument="ndt7", method="ndt7/1", ok=True, seconds=1.5, measurements=count + 1),),
        bytes_sent=10,
        bytes_received=20,
    )


def test_a_survey_comes_back_as_it_went_in(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        store.add(survey())
    with open_store(tmp_path / "a.sqlite") as store:
        assert store.last_survey() == survey()
        assert [name for name, _ in store.readings(NOW, NOW + timedelta(days=1))] == ["s1"] * 4


def test_the_window_is_inclusive_and_ordered(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        for day in (2, 0, 1):
            store.add(survey(f"s{day}", NOW + timedelta(days=day), count=1))
        found = [(name, m.taken_at) for name, m in store.readings(NOW, NOW + timedelta(days=1))]
        assert [name for name, _ in found] == ["s0", "s0", "s1", "s1"]
        assert [name for name, _ in store.surveys(NOW, NOW + timedelta(days=5))] == ["s0", "s1", "s2"]
        assert store.last_survey().id == "s2"


def test_the_same_survey_twice_is_refused_and_nothing_of_it_is_kept(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        store.add(survey())
        with pytest.raises(StoreError, match="UNIQUE"):
            store.add(survey(count=50))
        assert len(list(store.readings(NOW, NOW + timedelta(days=1)))) == 4


def test_a_database_of_another_program_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "other.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"other.sqlite: this is a database of another program"):
        open_store(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_no_database_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes " * 100)
    with pytest.raises(StoreError, match=r"notes.txt: the database cannot be used \(file is not a database\)"):
        open_store(path)
    assert path.read_text() == "these are my notes " * 100


def test_a_database_of_a_newer_program_is_refused(tmp_path):
    path = tmp_path / "a.sqlite"
    open_store(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 9999")
    db.close()
    with pytest.raises(StoreError, match="written by a newer netready"):
        open_store(path)


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises(StoreError, match="expected a database file, and this is none"):
        open_store(tmp_path)


def test_a_file_that_may_not_be_read_is_said_to_be_so(tmp_path):
    path = tmp_path / "a.sqlite"
    open_store(path).close()
    path.chmod(0)
    script = f"import sys; sys.path[:0] = {sys.path!r}\nfrom pathlib import Path\nfrom store import open_store\n"
    script += f"open_store(Path({str(path)!r}))"
    argv = [sys.executable, "-c", script]
    if os.geteuid() == 0:  # root may read everything, unless it gives that up
        argv = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *argv]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == f"store.sqlite.StoreError: {path}: Permission denied"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match="the folder .*/nowhere does not exist"):
        open_store(tmp_path / "nowhere" / "a.sqlite")


def test_only_the_owner_may_read_it(tmp_path):
    open_store(tmp_path / "a.sqlite").close()
    assert (tmp_path / "a.sqlite").stat().st_mode & 0o077 == 0


def test_migrations_are_numbered_without_gaps():
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_full_disk_costs_the_new_survey_and_nothing_else(tmp_path):
    path = tmp_path / "a.sqlite"
    with open_store(path) as store:
        store.add(survey("first"))
    script = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.path[:0] = {sys.path!r}
import importlib.util as u
spec = u.spec_from_file_location("t", {__file__!r})
t = u.module_from_spec(spec)
spec.loader.exec_module(t)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
store = t.open_store(t.Path({str(path)!r}))
try:
    store.add(t.survey("big", count=20_000))
except t.StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "the database cannot be used" in done.stdout
    with open_store(path) as store:
        assert store.last_survey().id == "first"
        store.add(survey("after", NOW + timedelta(days=1)))
        assert store.last_survey().id == "after"


def test_a_kill_loses_no_survey_that_was_acknowledged(tmp_path):
    path = tmp_path / "a.sqlite"
    script = f"""
import sys
sys.path[:0] = {sys.path!r}
import importlib.util as u
spec = u.spec_from_file_location("t", {__file__!r})
t = u.module_from_spec(spec)
spec.loader.exec_module(t)
with t.open_store(t.Path({str(path)!r})) as store:
    for i in range(10_000):
        store.add(t.survey(f"s{{i:05}}", t.NOW + t.timedelta(seconds=i)))
        print(i, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    for _ in range(40):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    acknowledged = 39 + len(child.stdout.read().split())
    child.wait()
    child.stdout.close()
    with open_store(path) as store:
        kept = store.surveys(NOW, NOW + timedelta(days=1))
        assert len(kept) in {acknowledged + 1, acknowledged + 2}
        assert len(list(store.readings(NOW, NOW + timedelta(days=1)))) == 4 * len(kept)


def test_a_decision_is_kept_to_the_byte(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        store.add_decision(decided_at=NOW, wave="pilot", answer="GO", body=b'{"answer":"GO"}')
        assert store.decisions() == [(1, b'{"answer":"GO"}')]


def test_what_was_spent_is_summed_by_time_and_may_be_settled(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        number = store.spend(NOW, "netready/1", 1000)
        store.spend(NOW + timedelta(hours=1), "ndt7/1", 200)
        assert store.bytes_moved(NOW, NOW + timedelta(hours=1)) == 1000
        assert store.bytes_moved(NOW, NOW + timedelta(hours=2)) == 1200
        store.settle(number, 30)
    with open_store(tmp_path / "a.sqlite") as store:
        assert store.bytes_moved(NOW, NOW + timedelta(hours=2)) == 230
        assert store.bytes_moved(NOW + timedelta(days=1), NOW + timedelta(days=2)) == 0


def test_uses_of_a_service_come_in_order(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        for hours in (3, 1, 2):
            store.spend(NOW + timedelta(hours=hours), "M-Lab Locate", 0)
        store.spend(NOW, "another", 0)
        assert store.uses("M-Lab Locate", NOW, NOW + timedelta(hours=2)) == [NOW + timedelta(hours=hours) for hours in (1, 2)]


PUPIL = "5a:3c:10:10:00:71"


def first_schema(path):
    """A database as the first release left it: one survey, a printer and a pupil's telephone, both in clear."""
    number, sql = migrations()[0]
    body = '{{"key":"{0}","mac":"{0}","addresses":["10.0.0.{1}"],"names":["{2}"],"kind":"{3}","vendor":null,"port":null}}'
    with sqlite3.connect(path) as db:
        db.executescript(f"{sql}; PRAGMA application_id = {0x6E726479}; PRAGMA user_version = {number};")
        db.execute(
            "INSERT INTO survey VALUES ('s1', 'Lincoln', 'netready 0', ?, ?, ?, 10, 20)",
            (NOW.isoformat(timespec="microseconds"), NOW.isoformat(timespec="microseconds"), "[]"),
        )
        for seq, device in enumerate((("00:00:5e:00:53:01", 1, "office", "printer"), (PUPIL, 2, "annas-phone", "phone"))):
            db.execute("INSERT INTO device VALUES ('s1', ?, ?, ?)", (seq, device[0], body.format(*device)))
    db.close()


def test_a_database_of_the_first_schema_keeps_its_surveys_and_forgets_whose_devices_they_were(tmp_path):
    path = tmp_path / "a.sqlite"
    first_schema(path)
    assert PUPIL.encode() in path.read_bytes()
    with open_store(path) as store:
        kept = store.last_survey()
        assert [device.names for device in kept.devices] == [("office",)]
        assert kept.forgotten == {"phone": 1}
        assert store.bytes_moved(NOW, NOW + timedelta(days=1)) == 30
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert PUPIL.encode() not in left
    assert b"annas-phone" not in left


def test_devices_of_persons_are_forgotten_but_for_their_number(tmp_path):
    path = tmp_path / "a.sqlite"
    client = Device(key="mac-12", mac=None, addresses=("address-34",), names=(), kind=Kind.COMPUTER, vendor="Dell")
    old = msgspec.structs.replace(
        survey("old", NOW - timedelta(days=40)), devices=(*survey().devices, client), period="2026-01"
    )
    new = msgspec.structs.replace(survey("new"), devices=(*survey().devices, client), period="2026-03")
    with open_store(path) as store:
        store.add(old)
        store.add(new)
        assert store.forget_clients(NOW - timedelta(days=30)) == 1
        assert store.forget_clients(NOW - timedelta(days=30)) == 0
        assert store.survey("old").devices == survey().devices
        assert store.survey("old").forgotten == {"computer": 1}
        assert store.survey("new") == new
        seen = list(store.devices(NOW - timedelta(days=60), NOW))
        assert [(period, device.kind) for _, period, device in seen] == [
            ("2026-01", Kind.PRINTER),
            ("2026-03", Kind.PRINTER),
            ("2026-03", Kind.COMPUTER),
        ]


def test_a_file_that_surveys_read_is_known_once_and_can_be_dropped(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        store.keep_list("/lists/b.csv", "glpi", NOW)
        store.keep_list("/lists/a.csv", "google", NOW)
        store.keep_list("/lists/b.csv", "snipe-it", NOW)
        assert store.lists() == [("/lists/a.csv", "google"), ("/lists/b.csv", "snipe-it")]
        assert store.drop_list("/lists/a.csv")
        assert not store.drop_list("/lists/a.csv")
        assert store.lists() == [("/lists/b.csv", "snipe-it")]


def test_a_database_that_could_not_be_begun_leaves_nothing_behind(tmp_path, monkeypatch):
    import store.opening

    broken = [*migrations(), (len(migrations()) + 1, "CREATE TABLE half (x); CREATE TABLE half (x)")]
    monkeypatch.setattr(store.opening, "migrations", lambda: broken)
    with pytest.raises(StoreError, match="half already exists"):
        open_store(tmp_path / "a.sqlite")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    open_store(tmp_path / "a.sqlite").close()
