"""Files that are wrong, strange or meant badly: read as they were meant, or refused with the place, all or nothing."""

import contextlib
import csv
import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.imports import cells, files, grid
from collectors.imports.read import FORMATS, read_file
from collectors.imports.room_plan import read_plan
from netready.refusal import Unfit
from netready.text import clean

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADER = "serialNumber,macAddress,orgUnitPath,annotatedLocation\n"
ROW = "5CD2346KLM,3c286d1a2b01,/Students/Year 7,Café 1\n"


def refusal(read, data, **options):
    with pytest.raises(Unfit) as refused:
        read(data, **options)
    return str(refused.value).partition("list.csv: ")[2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_alphabets_separators_and_line_ends_make_no_difference(read, encoding, separator, end):
    text = (HEADER + ROW).replace(",", separator).replace("\n", end)
    found = read(text.encode(encoding))
    (one,) = found.sightings
    assert (one.mac, one.facts["serial"], one.facts["room"]) == ("3c:28:6d:1a:2b:01", "5CD2346KLM", "Café 1")
    assert found.notes == (("the file is not in UTF-8; it was read as Windows-1252",) if encoding == "cp1252" else ())


def test_utf_16_of_the_other_byte_order(read):
    data = b"\xfe\xff" + (HEADER + ROW).encode("utf-16-be")
    assert read(data).sightings[0].facts["room"] == "Café 1"


@pytest.mark.parametrize(
    "header",
    [
        "SERIALNUMBER,Mac Address,org_unit_path,AnnotatedLocation\n",
        '" Serial-Number ","mac_address",ORGUNITPATH,annotated location\n',
    ],
)
def test_names_of_columns_are_compared_without_case_spaces_and_marks(read, header):
    assert read((header + ROW).encode()).sightings == read((HEADER + ROW).encode()).sightings


def test_lines_above_the_header_blank_lines_and_rows_of_nothing_are_passed_over(read):
    text = f"sep=,\r\n\r\n{HEADER}\r\n{ROW}\r\n,,,\r\n{ROW}"
    assert len(read(text.encode()).sightings) == 2
    assert len(read(f"#TYPE System.Object\n{HEADER}{ROW}".encode()).sightings) == 1


def test_a_cell_may_go_over_lines_and_the_line_of_a_refusal_is_still_right(read):
    text = f'{HEADER}A1B2C3,,,"Room 1,\nupstairs"\nA1B2C4,,\n'
    assert refusal(read, text.encode()) == "line 4: expected 4 cells, as the header has; got 3"


def test_formulas_are_plain_text(read):
    text = (
        f'{HEADER}=1+1,,,"=HYPERLINK(""http://x.example"",""Room 1"")"\n+A1B2C,,,-12\n@SUM1,,,\t=cmd\n="00123",3c286d1a2b01,,\n'
    )
    found = read(text.encode()).sightings
    assert [each.facts["serial"] for each in found] == ["=1+1", "+A1B2C", "@SUM1", "00123"]
    assert [each.facts.get("room") for each in found] == ['=HYPERLINK("http://x.example","Room 1")', "-12", "=cmd", None]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "expected a list; the file is empty"),
        (b"\n\r\n  \n", "expected a list; the file has only blank lines"),
        (b"PK\x03\x04rest", "expected text; this is a zip archive or an Excel workbook; save the sheet as CSV"),
        (b"\x1f\x8b\x08", "expected text; this is a gzip archive; unpack it first"),
        ((HEADER + ROW).encode("utf-32"), "expected text; this is text in UTF-32; save it as UTF-8"),
        ((HEADER + ROW + "a\0b").encode(), "line 3: expected text; a NUL stands here (UTF-16 needs its byte order mark)"),
        ((HEADER + ROW).encode("utf-16-le"), "line 1: expected text; a NUL stands here (UTF-16 needs its byte order mark)"),
        ((HEADER + ROW).encode() + b"\xed\xa0\x80", "line 3: expected text; half of a surrogate pair stands here"),
        (b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\x00\xd8a\x00", "line 2: expected text in UTF-16"),
        (
            (HEADER + ROW).encode() + b"\xe9\x81",
            "line 3: expected text in UTF-8, in UTF-16 with a byte order mark, or in Windows-1252",
        ),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"\xe9", "line 2: expected text in UTF-8"),
        ((HEADER + "a,b\n").encode(), "line 2: expected 4 cells, as the header has; got 2"),
        ((HEADER + ROW + "a,b,c,d,e\n").encode(), "line 3: expected 4 cells, as the header has; got 5"),
        ((HEADER + '"a,b,c,d\n').encode(), "line 2: expected a row of a CSV file; unexpected end of data"),
        ((HEADER + '"a"b,c,d,e\n').encode(), "line 2: expected a row of a CSV file; ',' expected after '\"'"),
        (
            (HEADER + f"a,b,{'x' * 65_536},d\n").encode(),
            "line 2, column 3: expected a cell of at most 32,767 characters; got 65,536",
        ),
        ((HEADER + "x" * (2 << 20)).encode(), "line 2: expected a line of at most 1,048,576 characters"),
        (
            (HEADER + '"' + "x\n" * 100_000).encode(),
            "line 2: expected a row of a CSV file; field larger than field limit (131072)",
        ),
        (b"," * 1_000, "line 1: expected at most 1,000 columns; got 1,001"),
        (
            b"serialNumber,Serial Number,orgUnitPath\na,b,c\n",
            "line 1, column 2 (Serial Number): expected a name that stands once; column 1 has it too",
        ),
        (
            b"orgUnitPath,model\n/x,y\n",
            'line 1: expected ChromeOS devices of Google Admin, with a column "serialNumber" or "macAddress"',
        ),
        (
            b"serialNumber,macAddress,orgUnitPath\nA1B2C3,3.43E+11,/x\n",
            (
                "line 2, column 2 (macAddress): expected what the list was exported with; a spreadsheet made a number of it, "
                "and its last digits are lost"
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(read, data, expected):
    assert refusal(read, data) == expected


def test_a_header_that_nobody_knows_is_told_what_is_known(read):
    said = refusal(read, b"colour,size,<b>shape</b>\nred,1,x\n")
    assert said.startswith("line 1: expected the header of one of: ChromeOS devices of Google Admin (orgUnitPath, ")
    assert all(row.what in said for row in FORMATS.values())
    assert said.endswith("; got colour, size, <b>shape</b>")


def test_a_beginning_of_nothing_but_blanks_takes_no_time(read):
    assert refusal(read, b" " * 20_000 + b"x").startswith("line 1: expected the header of one of")


def test_a_header_of_two_lists_at_once_is_left_to_the_user(read):
    text = b"serialNumber,orgUnitPath,Operating System - Name\nA1B2C3,/x,y\n"
    assert "it could be google-admin or glpi: name the format" in refusal(read, text)
    assert read(text, form="glpi").source == "glpi"


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("lease 10.20.0.7 { ends never;\n", None, "line 1: expected the } that ends the block begun in line 1"),
        ("lease 10.20.0.7 { ends soon;\n}\n", None, "line 1: expected a time such as 4 2026/03/05 10:00:00, or never"),
        ("lease 10.20.0.7 { ends never;\n}}\n", None, "line 2: expected no } here; no { stands before it"),
        ('lease 10.20.0.7 { uid "a\n"; }\n', None, 'line 1: expected the " that ends a text'),
        ("server-duid x;\nlease nobody { }\n", None, "line 2: expected lease and an address such as 10.20.0.7"),
        ("lease 10.20.0.7 " + "{" * 2_000, None, "line 1: expected at most 1,000 statements in a block"),
        ("lease 10.20.0.7 {" + "a;" * 2_000, None, "line 1: expected at most 1,000 statements in a block"),
        ("lease 10.20.0.7 {" + "a " * 2_000, None, "line 1: expected a statement of at most 1,000 words"),
        (
            "0 3c:28:6d:10:00:01 10.20.0.7 *\n",
            "dnsmasq",
            "line 1: expected 5 words: expiry, hardware address, address, name, id; got 4",
        ),
        (
            "0 3c:28:6d:10:00:01 10.20.0.7 * *\nx 3c:28:6d:10:00:01 10.20.0.7 * *\n",
            None,
            "line 2, word 1: expected the seconds since 1970",
        ),
        ("0 3c:28:6d:10:00:01 10.20.0.700 * *\n", None, "line 1, word 3: expected an address such as 10.20.0.7"),
        (
            "address,hwaddr,valid_lifetime,expire,subnet_id\n10.20.0.7,,60,x,1\n",
            None,
            "line 2, column 4 (expire): expected a whole number",
        ),
        (
            "address,hwaddr,valid_lifetime,expire,subnet_id\nhere,,60,1,1\n",
            None,
            "line 2, column 1 (address): expected an address",
        ),
        ("IPAddress,ClientId,AddressState\n10.20.0.,,\n", None, "line 2, column 1 (IPAddress): expected an address such as"),
    ],
)
def test_a_list_of_leases_that_breaks_off_is_refused(read, text, form, expected):
    assert refusal(read, text.encode(), form=form).startswith(expected)


@pytest.mark.parametrize("name", ["missing.csv", "", "folder", "a\0b"])
def test_what_is_no_file_is_refused(tmp_path, clock_at, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unfit, match="no such file|expected a file|expected the path of a file"):
        read_file(tmp_path / name, clock=clock_at(NOW))


def test_a_file_that_never_ends_is_refused_before_it_is_read(tmp_path, clock_at):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(Unfit, match="expected a file"):
            read_file(path, clock=clock_at(NOW))


def test_a_file_that_is_too_large_is_refused_by_its_size(tmp_path, clock_at):
    path = tmp_path / "list.csv"
    with path.open("wb") as file:
        file.truncate(files.MOST_BYTES + (1 << 20))
    with pytest.raises(Unfit, match=r"expected at most 512 MiB; it has 513 MiB"):
        read_file(path, clock=clock_at(NOW))


def test_a_file_with_too_many_rows_is_refused(read, monkeypatch):
    monkeypatch.setattr(grid, "MOST_ROWS", 3)
    assert refusal(read, (HEADER + ROW * 4).encode()) == "line 5: expected at most 3 rows"


ROWS_WITHIN = """
import resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from collectors.imports.read import read_file

class Clock:
    def now(self):
        return datetime(2026, 3, 2, tzinfo=UTC)

path = Path(sys.argv[1])
head = "Computer Name,Serial Number,MAC Address,Model,Total RAM MB,Last Check-in,Room,Username\\n"
with path.open("w") as file:
    file.write(head)
    for number in range(200_000):
        serial = "C%07d" % number if number < 1_000 else ""
        file.write(f"PC-{number},{serial},,MacBook Air,8192,2026-02-27 08:15:00,Room {number % 80},user{number}\\n")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = read_file(path, clock=Clock())
print(len(found.sightings), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, *found.notes, sep="|")
"""


def test_two_hundred_thousand_rows_need_no_more_memory_than_what_they_yield(tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    argv = [sys.executable, "-c", ROWS_WITHIN, str(tmp_path / "big.csv")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=env, timeout=120)
    count, kib, *notes = done.stdout.strip().split("|")
    assert int(count) == 1_000
    assert int(kib) < 16 << 10
    assert any(note.startswith("left out: rows with neither a serial number nor a hardware address: 199,000") for note in notes)


# --- invariants --------------------------------------------------------------------------------------------------------

_NAMES = sorted({name for row in FORMATS.values() for names in row.columns.values() for name in names})
_CELL = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["3c:28:6d:10:00:01", "10.20.0.7", "2026-02-27", "03/04/2026", "99/99/9999", "1e9999", "9" * 40, "4 GB", '="x"']
    ),
)


def _either(path, clock, form):
    """The import or the one kind of refusal; anything else is our bug."""
    found, said = None, f"{path}: "
    try:
        found = read_file(path, clock=clock, form=form)
    except Unfit as error:
        said = str(error)
    assert said.startswith(str(path))
    assert said.isprintable()
    for each in found.sightings if found else ():
        assert each.mac is None or cells.macs(each.mac) == (each.mac,)
        for text in (each.name, each.address, *each.facts.values()):
            assert text is None or text == clean(text) != ""
    for note in found.notes if found else ():
        assert note == clean(note, limit=400)


@given(data=st.binary(max_size=400), form=st.sampled_from([None, *FORMATS]))
def test_any_bytes_give_sightings_or_one_refusal(tmp_path, clock_at, data, form):
    path = tmp_path / "x"
    path.write_bytes(data)
    _either(path, clock_at(NOW), form)
    with contextlib.suppress(Unfit):
        read_plan(path)


@given(form=st.sampled_from(sorted(FORMATS)), data=st.data())
def test_any_table_gives_sightings_or_one_refusal(tmp_path, clock_at, form, data):
    columns = list(FORMATS[form].columns.values()) or [("x",)]
    header = [data.draw(st.sampled_from(names)) for names in columns]
    rows = data.draw(st.lists(st.tuples(*[_CELL] * len(header)), max_size=4))
    out = io.StringIO(newline="")
    csv.writer(out).writerows([header, *rows])
    path = tmp_path / "x"
    path.write_bytes(out.getvalue().encode("utf-8", "surrogatepass"))
    _either(path, clock_at(NOW), data.draw(st.sampled_from([None, form])))


@given(
    sample=st.sampled_from(sorted(path.name for path in SAMPLES.iterdir())),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=3),
)
def test_a_list_with_holes_and_rubbish_in_it_gives_sightings_or_one_refusal(tmp_path, clock_at, sample, cuts):
    data = (SAMPLES / sample).read_bytes()
    for where, length, instead in cuts:
        at = int(where * len(data))
        data = data[:at] + instead + data[at + length :]
    path = tmp_path / "x"
    path.write_bytes(data)
    _either(path, clock_at(NOW), None)
    with contextlib.suppress(Unfit):
        read_plan(path)


_SOUP = st.lists(
    st.sampled_from(
        [
            "lease",
            "10.20.0.7",
            "{",
            "}",
            ";",
            "\n",
            "ends",
            "never",
            "epoch",
            "4",
            "2026/13/45",
            "99:99:99",
            "hardware",
            "ethernet",
            "3c:28:6d:10:00:01",
            "uid",
            '"\\377\\"x"',
            '"',
            "binding",
            "state",
            "active",
            "set",
            "=",
            "#",
            "client-hostname",
            "\\",
        ]
    ),
    max_size=60,
)


@given(words=_SOUP, form=st.sampled_from(["isc-dhcp", "dnsmasq"]))
def test_any_words_of_a_lease_file_give_sightings_or_one_refusal(tmp_path, clock_at, words, form):
    path = tmp_path / "x"
    path.write_text(" ".join(words))
    _either(path, clock_at(NOW), form)


@given(order=st.permutations(range(8)), extra=st.integers(0, 7))
def test_the_order_of_the_columns_makes_no_difference(tmp_path, clock_at, order, extra):
    with (SAMPLES / "jamf_mobile.csv").open(newline="") as file:
        rows = [row[:8] for row in csv.reader(file)]
    shuffled = [[row[index] for index in order] for row in rows]
    for number, row in enumerate(shuffled):
        row.insert(extra, "extra" if number == 0 else "ada@school.example")
    found = []
    for table in (rows, shuffled):
        path = tmp_path / "x"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(table)
        os.utime(path, (NOW.timestamp(),) * 2)
        found.append(read_file(path, clock=clock_at(NOW)))
    assert found[0] == found[1]


@given(st.text())
def test_words_are_what_the_door_makes_of_them(text):
    assert cells.words(text) == clean(cells.bare(text))


@given(st.text())
def test_sizes_days_and_addresses_are_read_or_not_and_never_fail(text):
    cells.size(text, cells.mebibytes)
    cells.inches(text)
    cells.when(text, UTC)
    cells.macs(text)
    cells.names_owner(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2030-06-01", "2030-06-01"),
        ("2030-06-01T00:00:00.000Z", "2030-06-01"),
        ("1906502400000", "2030-06-01"),
        ("1906502400", "2030-06-01"),
        ("Jun 2030", "2030-06-01"),
        ("June 1, 2030", "2030-06-01"),
        ("1 Jun 2030", "2030-06-01"),
        ("2030-06", "2030-06-01"),
        ("2030/06/01 10:00", "2030-06-01"),
        ("01.06.2030 23:59:59", "2030-06-01"),
        ("13/06/2030 11:59 PM", "2030-06-13"),
        ("6/13/2030, 12:00:00 AM", "2030-06-13"),
        ("2026-02-27 09:12:33.0000000", "2026-02-27"),
        ("31/02/2030", None),
        ("soon", None),
        ("", None),
    ],
)
def test_days_as_lists_write_them(text, read):
    found = cells.when(text, UTC)
    assert (found.settled.date().isoformat() if found else None) == read


@pytest.mark.parametrize(
    ("text", "guess", "size"),
    [
        ("4294967296", None, 4 << 30),
        ("8192", cells.mebibytes, 8 << 30),
        ("4 GB", cells.mebibytes, 4 * 10**9),
        ("8192 Mio", None, 8 << 30),
        ("4", cells.memory, 4 << 30),
        ("8192", cells.memory, 8 << 30),
        ("4294967296", cells.memory, 4 << 30),
        ("4 XB", None, None),
        ("3,7 GiB", None, round(3.7 * 2**30)),
        ("242000", cells.storage, 242 * 10**9),
        ("238", cells.storage, 238 * 10**9),
        ("242000000000", cells.storage, 242 * 10**9),
        ("0", None, None),
        ("-4 GB", None, None),
        ("much", None, None),
        ("9" * 400, None, None),
    ],
)
def test_sizes_as_lists_write_them(text, guess, size):
    assert cells.size(text, guess) == size


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3C:28:6D:10:00:01", ("3c:28:6d:10:00:01",)),
        ("3c28.6d10.0001, 3C-28-6D-10-00-02", ("3c:28:6d:10:00:01", "3c:28:6d:10:00:02")),
        ("3c286d100001 3c286d100001", ("3c:28:6d:10:00:01",)),
        ("00:00:00:00:00:00 ff:ff:ff:ff:ff:ff 01:00:5e:00:00:01", ()),
        ("3c:28:6d:10:00:01:02:03", ()),
        ("x3c286d100001", ()),
        ("3c286d10000", ()),
    ],
)
def test_hardware_addresses_as_lists_write_them(text, found):
    assert cells.macs(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Ada's iPad",
        "Ada\N{RIGHT SINGLE QUOTATION MARK}s MacBook Pro",
        "James' laptop",
        "iPad de Ada",
        "iPhone von Grace Hopper",
        "ada@school.example",
        "Mrs. Hopper 4",
        "Ms Hopper",
        "call +1 555 010 0199",
        "555-010-0199",
    ],
)
def test_a_device_that_is_called_after_its_owner_has_no_name(text):
    assert cells.names_owner(text)


@pytest.mark.parametrize(
    "text",
    [
        "LAB-PC-04",
        "MS lab",
        "SR 12",
        "St. Mary's library",
        "Physics iPad 3",
        "Chromebook de l'aula 3",
        "10.20.0.7",
        "2026-02-27",
        "iPad-Cart-07",
    ],
)
def test_a_device_that_is_called_after_its_place_keeps_its_name(text):
    assert not cells.names_owner(text)
