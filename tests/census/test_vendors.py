import csv
import subprocess
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census import vendors
from census.vendors import is_local, table_date, vendor

BUILDER = Path(__file__).resolve().parents[2] / "docs" / "vendors.py"


@pytest.mark.parametrize(
    ("mac", "expected"),
    [
        ("b8:27:eb:00:00:01", "Raspberry Pi Foundation"),
        ("00:1b:21:aa:bb:cc", "Intel Corporate"),
        ("ac:cc:8e:11:22:33", "Axis Communications AB"),
    ],
)
def test_the_maker_of_a_card_is_known(mac, expected):
    assert vendor(mac) == expected


def test_a_made_up_address_has_no_maker():
    assert is_local("02:1b:21:aa:bb:cc")
    assert vendor("02:1b:21:aa:bb:cc") is None


def test_a_block_that_the_registry_divides_names_who_has_the_part_and_never_the_registry():
    assert vendor("70:b3:d5:00:00:01") is None
    assert vendor("70:b3:d5:f2:f1:23") == "Teleplatforms"
    assert not any("registration authority" in name.lower() for name in vendors._table().names)
    sizes = {size: len(keys) for size, keys, _ in vendors._table().blocks}
    assert sizes[6] > 39_000
    assert sizes[7] > 6_000
    assert sizes[9] > 11_000


def test_the_table_says_its_date_and_is_small():
    assert table_date() >= date(2026, 10, 1)
    assert len(files("census").joinpath(vendors.DATA).read_bytes()) <= 400_000


@given(st.binary(min_size=6, max_size=6))
def test_every_address_has_a_name_or_none(raw):
    found = vendor(raw.hex(":"))
    assert found is None or (found.isprintable() and found == found.strip() and found)
    assert not (is_local(raw.hex(":")) and found)


def test_looking_up_a_vendor_loads_no_event_loop():
    program = "import sys\nfrom census.vendors import vendor\nvendor('00:1b:21:aa:bb:cc')\nprint('asyncio' in sys.modules)"
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{program}"], capture_output=True, check=True
    )
    assert done.stdout.strip() == b"False"


def write(folder, **rows):
    folder.mkdir()
    for name in ("oui", "mam", "oui36", "iab"):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Registry", "Assignment", "Organization Name", "Organization Address"])
            writer.writerows([["", prefix, maker, "somewhere"] for prefix, maker in rows.get(name, {}).items()])
    return folder


def build(tmp_path, *more):
    (tmp_path / "census" / "data").mkdir(parents=True, exist_ok=True)
    paths = ":".join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, BUILDER, "--date", "2027-01-01", *more],
        cwd=tmp_path,
        env={"PYTHONPATH": paths, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_table_that_is_built_anew_answers_as_the_listing_says(tmp_path, monkeypatch):
    names = {f"{number:06X}": f"Maker {number}" for number in range(0, 4096, 4)}
    listing = write(
        tmp_path / "new",
        oui=names | {"F8E43B": "Zebra Ästhetik", "F8E43C": "IEEE Registration Authority", "020000": "A company number"},
        mam={"F8E43C1": "Zebra"},
        oui36={"F8E43C2FF": "Zebra\x00 \nLittle"},
    )
    done = build(tmp_path, str(listing))
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(vendors, "files", lambda _package: tmp_path / "census")
    vendors._table.cache_clear()
    try:
        look = vendor.__wrapped__
        assert table_date() == date(2027, 1, 1)
        assert look("f8:e4:3b:00:00:00") == "Zebra Ästhetik"
        assert look("f8:e4:3c:1f:ff:ff") == "Zebra"
        assert look("f8:e4:3c:2f:f0:01") == "Zebra Little"
        assert look("f8:e4:3c:30:00:00") is None
        assert look("00:00:04:00:00:00") == "Maker 4"
        assert look("00:00:05:00:00:00") is None
    finally:
        vendors._table.cache_clear()


def test_a_listing_that_lacks_what_an_older_one_had_is_refused(tmp_path):
    older = write(tmp_path / "old", oui={"F8E43B": "Zebra", "F8E43C": "Yak"})
    newer = write(tmp_path / "new", oui={"F8E43B": "Zebra"})
    done = build(tmp_path, "--check", str(older), str(newer))
    assert done.returncode == 1
    assert "is this the whole listing?" in done.stderr
    assert not (tmp_path / "census" / "data" / "vendors.bin").exists()


def test_a_file_that_is_no_table_is_refused_by_name(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "vendors.bin").write_bytes(b"hello\n")
    monkeypatch.setattr(vendors, "files", lambda _package: tmp_path)
    vendors._table.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"census/data/vendors\.bin is not a table of vendors"):
            table_date()
    finally:
        vendors._table.cache_clear()
