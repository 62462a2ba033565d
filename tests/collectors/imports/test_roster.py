"""Users counted from a OneRoster export: who counts, and what is refused. The people in the samples are invented."""

import csv
import io
import os
import re
import struct
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.imports import roster_zip
from collectors.imports.roster import read_roster
from netready.refusal import Unfit

ROSTERS = Path(__file__).parent / "rosters"
NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
HEADER = "sourcedId,status,enabledUser,orgSourcedIds,role\n"
STUDENT = "u-1,,true,org-hs,student\n"
NEEDED = "sourcedId, status, enabledUser, role, orgSourcedIds"
MANGLED = "a spreadsheet made a number of it, so that people can no longer be told apart"
VOCABULARY = (
    "administrator, aide, counselor, districtadministrator, guardian, parent, principal, proctor, relative, "
    "siteadministrator, student, systemadministrator, teacher"
)


def sample(version):
    return {path.name: path.read_bytes() for path in (ROSTERS / version).iterdir()}


@pytest.fixture
def folder(tmp_path):
    """Write an export as a folder."""

    def write(files, name="oneroster"):
        (tmp_path / name).mkdir()
        for short, data in files.items():
            path = tmp_path / name / short
            path.write_bytes(data.encode() if isinstance(data, str) else data)
            os.utime(path, (NOW.timestamp(),) * 2)
        return tmp_path / name

    return write


@pytest.fixture
def pack(tmp_path):
    """Write an export as a zip; a list of pairs may name a member twice."""

    def write(files, how=zipfile.ZIP_DEFLATED):
        path = tmp_path / "oneroster.zip"
        with zipfile.ZipFile(path, "w", how) as archive:
            for name, data in files.items() if isinstance(files, dict) else files:
                archive.writestr(name, data)
        os.utime(path, (NOW.timestamp(),) * 2)
        return path

    return write


@pytest.fixture
def count(clock_at):
    return lambda path, **options: read_roster(path, clock=clock_at(NOW), **options)


@pytest.fixture
def refusal(count):
    """The sentence without the folder it begins with."""

    def run(path, **options):
        with pytest.raises(Unfit) as refused:
            count(path, **options)
        assert str(refused.value).startswith(str(path))
        return str(refused.value).removeprefix(f"{path.parent}/")

    return run


@pytest.mark.parametrize(
    ("school", "people"),
    [("", (4, 4)), ("org-hs", (3, 2)), ("990000001234", (3, 2)), ("org-ms", (2, 2)), ("990000005678", (2, 2))],
)
def test_one_role_in_users_csv_as_in_1_1(folder, count, school, people):
    found = count(folder(sample("1_1")), school=school)
    assert (found.students, found.staff) == people
    assert found.notes == ()


@pytest.mark.parametrize(("school", "people"), [("", (2, 4)), ("org-hs", (3, 0)), ("990000005678", (1, 3))])
def test_several_roles_in_roles_csv_as_in_1_2(folder, count, school, people):
    found = count(folder(sample("1_2")), school=school)
    assert (found.students, found.staff) == people


def test_what_was_left_out_is_said(folder, count):
    assert count(folder(sample("1_2"))).notes == (
        "left out: rows of roles.csv that belong to nobody in users.csv: 1",
        "left out: active people without a role: 2",
        "left out: active people with only a role of the export's own (ext:…): 1",
    )


def test_a_zip_counts_as_its_folder_does(pack, folder, count):
    for version in ("1_1", "1_2"):
        whole = count(folder(sample(version), version))
        assert msgspec.structs.replace(count(pack(sample(version))), file=version) == whole
        inside = {f"Export 2026/{name.upper()}": data for name, data in sample(version).items()}
        assert msgspec.structs.replace(count(pack(inside)), file=version) == whole


def test_it_is_said_where_the_number_comes_from(pack, count):
    found = count(pack(sample("1_1")))
    assert found.said(UTC) == "4 students and 4 staff counted from oneroster.zip, written on 2026-11-22, counted on 2026-11-22"
    assert found.said(timezone(timedelta(hours=9))).endswith("written on 2026-11-23, counted on 2026-11-23")
    at_school = count(pack(sample("1_1")), school="org-hs").said(UTC)
    assert at_school == (
        '3 students and 2 staff counted from oneroster.zip for "org-hs", written on 2026-11-22, counted on 2026-11-22'
    )


def test_an_export_of_last_year_is_said_to_be_old(folder, count):
    path = folder({"users.csv": HEADER + STUDENT})
    old = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
    os.utime(path / "users.csv", (old, old))
    assert count(path).notes == ("the export was written 321 days ago, on 2026-01-05",)


def test_nothing_of_a_person_is_kept_or_repeated(pack, count):
    for version in ("1_1", "1_2"):
        kept = msgspec.json.encode(count(pack(sample(version)))).decode()
        with (ROSTERS / version / "users.csv").open(newline="") as file:
            for person in csv.DictReader(file):
                for field in ("sourcedId", "username", "givenName", "familyName", "email", "sms"):
                    assert not person[field] or person[field] not in kept


def test_what_is_not_asked_for_is_not_opened(pack, count):
    others = {"demographics.csv": b"\0" * (40 << 20), "enrollments.csv": b"\xff\x00", "more.zip": b"PK\x03\x04rubbish"}
    assert count(pack({**sample("1_1"), **others})).students == 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_order_of_columns_alphabet_and_separator_make_no_difference(pack, count, encoding, separator):
    table = list(csv.DictReader(io.StringIO(sample("1_1")["users.csv"].decode())))
    table[0]["givenName"] = "Éloïse"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(reversed(table[0])), delimiter=separator)
    writer.writeheader()
    writer.writerows(table)
    found = count(pack({"users.csv": out.getvalue().encode(encoding)}))
    assert (found.students, found.staff) == (4, 4)


def test_the_same_person_is_counted_once_and_it_is_said(folder, count):
    again = "u-1,active,TRUE,org-ms,Student\n"
    path = folder({"users.csv": HEADER + STUDENT + STUDENT + again})
    note = ("rows of users.csv that tell of a person again, who was counted once: 2",)
    assert (count(path).students, count(path).notes) == (1, note)
    assert count(path, school="org-ms").students == count(path, school="org-hs").students == 1


@pytest.mark.parametrize(
    "second", ["u-1,,true,org-hs,teacher", "u-1,,false,org-hs,student", "u-1,tobedeleted,true,org-hs,student"]
)
def test_rows_that_contradict_each_other_are_refused_with_both_lines(folder, refusal, second):
    said = refusal(folder({"users.csv": f"{HEADER}{STUDENT}u-2,,true,org-hs,student\n{second}\n"}))
    same = "expected the role, status and enabledUser that line 2 has for the same sourcedId"
    assert said == f"oneroster/users.csv: line 4: {same}"


def test_a_contradiction_in_1_2_is_refused_too(folder, refusal):
    users = "sourcedId,status,enabledUser\np-1,,true\np-1,,false\n"
    said = refusal(folder({"users.csv": users, "roles.csv": "userSourcedId,status,role,orgSourcedId\n"}))
    assert said == "oneroster/users.csv: line 3: expected the status and enabledUser that line 2 has for the same sourcedId"


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (f"{HEADER}u-1,gone,true,org-hs,student\n", "line 2, column 2 (status): expected active, tobedeleted or nothing"),
        (f"{HEADER}u-1,,Perpetua,org-hs,student\n", "line 2, column 3 (enabledUser): expected true or false"),
        (
            f"{HEADER}{STUDENT}u-2,,true,org-hs,Quillfeather\n",
            f"line 3, column 5 (role): expected one of {VOCABULARY}",
        ),
        (f"{HEADER},,true,org-hs,student\n", "line 2, column 1 (sourcedId): expected an id"),
        (
            f"{HEADER}3.43E+11,,true,org-hs,student\n",
            f"line 2, column 1 (sourcedId): expected an id; {MANGLED}",
        ),
        (f"{HEADER}u-1,,true,org-hs\n", "line 2: expected 5 cells, as the header has; got 4"),
        (
            "sourcedId,status,orgSourcedIds,role\nu-1,,org-hs,student\n",
            f"line 1: expected a header with the columns {NEEDED}; enabledUser is missing",
        ),
        (
            "sourcedId,status,enabledUser,orgSourcedIds,role,Role\nu-1,,true,org-hs,student,student\n",
            "line 1, column 6 (Role): expected a name that stands once; column 5 has it too",
        ),
        ("sourcedId,status,enabledUser\n", "line 1: expected a column role (1.1), or roles.csv beside this file (1.2)"),
        (HEADER, "expected at least one active student; it has none"),
        (f"{HEADER}u-1,,true,org-hs,teacher\n", "expected at least one active student; it has none"),
        ("", "expected a list; the file is empty"),
        (b"PK\x03\x04", "expected text; this is a zip archive or an Excel workbook; save the sheet as CSV"),
    ],
)
def test_what_is_no_roster_is_refused_with_its_place(folder, refusal, users, expected):
    said = refusal(folder({"users.csv": users}))
    assert said == f"oneroster/users.csv: {expected}"


def test_roles_in_both_places_are_refused(folder, refusal):
    both = {"users.csv": HEADER + STUDENT, "roles.csv": "userSourcedId,status,role,orgSourcedId\nu-1,,teacher,org-hs\n"}
    said = refusal(folder(both))
    assert said == "oneroster/users.csv: line 1: expected roles here (1.1) or in roles.csv (1.2), not in both"


def test_an_export_of_changes_is_refused(folder, refusal):
    files = sample("1_1") | {"manifest.csv": "propertyName,value\nfile.orgs,bulk\nfile.users,delta\n"}
    said = refusal(folder(files))
    assert said == "oneroster/manifest.csv: line 3: expected a bulk export; this one holds only what changed (delta)"


def test_a_school_that_is_not_there_or_there_twice_is_refused(folder, refusal):
    path = folder(sample("1_1"))
    unknown = 'expected an organisation with the sourcedId or identifier "org-x"; it has none'
    assert refusal(path, school="org-x") == f"oneroster/orgs.csv: {unknown}"
    (path / "orgs.csv").write_text("sourcedId,identifier\norg-hs,77\norg-ms,77\n")
    twice = 'line 3: expected the identifier "77" once; line 2 has it too: give the school\'s sourcedId'
    assert refusal(path, school="77") == f"oneroster/orgs.csv: {twice}"
    (path / "orgs.csv").unlink()
    nobody = 'expected at least one active student of "org-x"; it has none'
    assert refusal(path, school="org-x") == f"oneroster/users.csv: {nobody}"


def test_the_file_of_users_may_be_named_instead_of_its_folder(folder, count):
    whole = folder({"users.csv": HEADER + STUDENT, "Copy.csv": HEADER + STUDENT.replace("u-1", "u-2") + STUDENT})
    assert count(whole / "users.csv").students == count(whole).students == 1
    assert count(whole / "Copy.csv").students == 2
    with_roles = folder(
        {
            "users.csv": "sourcedId,status,enabledUser\nu-1,,true\n",
            "roles.csv": "userSourcedId,status,role,orgSourcedId\nu-1,,student,org-hs\n",
        },
        "newer",
    )
    assert count(with_roles / "users.csv").students == 1


def test_what_is_no_export_is_refused(tmp_path, folder, refusal):
    assert refusal(tmp_path / "none.zip") == "none.zip: no such file"
    (tmp_path / "users.ods").write_text(HEADER + STUDENT)
    one = "expected a OneRoster export: a zip, the folder with its CSV files, or its users.csv"
    assert refusal(tmp_path / "users.ods") == f"users.ods: {one}"
    assert refusal(folder({"pupils.csv": ""}, "other")) == "other: expected a OneRoster export; it has no users.csv"
    said = refusal(folder({"users.csv": HEADER + STUDENT, "Users.CSV": HEADER}, "two"))
    assert said.endswith("expected one file of this name; the folder has several")


# --- archives that are meant badly -------------------------------------------------------------------------------------


def test_a_bomb_is_refused_before_it_is_unpacked(pack, refusal, monkeypatch):
    path = pack({"users.csv": HEADER.encode() + b"x" * (8 << 20)})
    said = refusal(path)
    assert re.fullmatch(r"oneroster\.zip/users\.csv: expected a file that shrinks to no less than 1/100; .* to 1/[\d,]+", said)
    monkeypatch.setattr(roster_zip, "MOST_UNPACKED", 4 << 20)
    assert refusal(path) == "oneroster.zip/users.csv: expected at most 4 MiB; unpacked it has 8 MiB"


def test_a_member_that_is_larger_than_it_says_is_refused_at_the_size_it_says(pack, refusal):
    path = pack({"users.csv": HEADER.encode() + b"x" * (8 << 20)})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    assert struct.unpack_from("<L", data, at + 24) == (len(HEADER) + (8 << 20),)
    struct.pack_into("<L", data, at + 24, 500)
    path.write_bytes(data)
    assert refusal(path) == "oneroster.zip: expected a zip that is whole; Bad CRC-32 for file 'users.csv'"


def test_more_members_than_a_roster_has_are_refused(pack, refusal, monkeypatch):
    path = pack({f"{number}.csv": "" for number in range(1_001)})
    assert refusal(path) == "oneroster.zip: expected at most 1,000 members; it has 1,001"
    monkeypatch.setattr(roster_zip, "_MOST_READ", 40 << 10)
    assert refusal(path) == "oneroster.zip: expected a zip that is whole; its list of members is too long"


def test_an_archive_in_the_archive_stays_closed(pack, refusal):
    inner = pack(sample("1_1")).read_bytes()
    said = refusal(pack({"roster/inner.zip": inner}))
    assert said == "oneroster.zip: expected CSV files; it holds another archive, which is not opened"


@pytest.mark.parametrize("name", ["../users.csv", "/users.csv", "a/../../users.csv", "..\\users.csv", "C:\\users.csv"])
def test_a_path_that_leads_out_is_passed_over(pack, count, refusal, name):
    assert refusal(pack({name: HEADER + STUDENT})) == "oneroster.zip: expected a OneRoster export; it has no users.csv"
    bad = HEADER + "".join(f"x-{number},,true,org-hs,student\n" for number in range(50))
    path = pack([(name, bad), ("__MACOSX/users.csv", bad), ("._users.csv", bad), *sample("1_1").items()])
    assert count(path).students == 4
    assert sorted(each.name for each in path.parent.iterdir()) == ["oneroster.zip"], "nothing was unpacked"


def test_a_name_that_stands_twice_is_refused(pack, refusal):
    said = refusal(pack([("a/users.csv", HEADER + STUDENT), ("b/users.csv", HEADER + STUDENT)]))
    assert said == "oneroster.zip: users.csv: expected one file of this name; the archive has several"


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_refused(pack, refusal, how):
    said = refusal(pack({"users.csv": HEADER + STUDENT}, how))
    assert said == "oneroster.zip/users.csv: expected a member that is stored or deflated, as every zip program does by default"


def test_a_password_is_refused(pack, refusal):
    path = pack({"users.csv": HEADER + STUDENT})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert refusal(path) == "oneroster.zip/users.csv: expected a file without a password"


def test_a_zip_that_is_cut_short_is_refused(pack, refusal):
    path = pack(sample("1_1"))
    path.write_bytes(path.read_bytes()[:-40])
    assert refusal(path) == "oneroster.zip: expected a zip that is whole; File is not a zip file"


def test_an_offset_that_points_before_the_file_is_refused(pack, refusal):
    path = pack(sample("1_1"))
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    directory, length = struct.unpack_from("<L", data, end + 16)[0], struct.unpack_from("<L", data, end + 12)[0]
    struct.pack_into("<L", data, end + 12, directory + length + 9)
    path.write_bytes(data)
    assert refusal(path).startswith("oneroster.zip: expected a zip that is whole; ")


CUTS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=3)


def cut(data, cuts):
    """`data` with holes, and rubbish in them."""
    for where, length, instead in cuts:
        at = int(where * len(data))
        data = data[:at] + instead + data[at + length :]
    return data


@given(version=st.sampled_from(["1_1", "1_2"]), cuts=CUTS)
def test_a_zip_with_holes_and_rubbish_in_it_is_counted_or_refused(pack, clock_at, version, cuts):
    path = pack(sample(version), zipfile.ZIP_STORED)
    path.write_bytes(cut(path.read_bytes(), cuts))
    said = f"{path}: "
    try:
        assert read_roster(path, clock=clock_at(NOW)).students > 0
    except Unfit as error:
        said = str(error)
    assert said.startswith(str(path))
    assert said.isprintable()


@given(
    member=st.sampled_from([("1_1", "users.csv"), ("1_2", "users.csv"), ("1_2", "roles.csv"), ("1_2", "orgs.csv")]),
    cuts=CUTS,
)
def test_tables_with_holes_and_rubbish_in_them_are_counted_or_refused(pack, clock_at, member, cuts):
    files = sample(member[0])
    path = pack(files | {member[1]: cut(files[member[1]], cuts)}, zipfile.ZIP_STORED)
    said = f"{path}: "
    try:
        found = read_roster(path, clock=clock_at(NOW))
    except Unfit as error:
        said = str(error)
    else:
        assert 0 < found.students + found.staff <= len(files["users.csv"]) + 24
        said += " ".join(found.notes)
    assert said.startswith(str(path))
    assert said.isprintable()


@given(order=st.permutations(range(13)))
def test_the_order_of_the_people_makes_no_difference(pack, clock_at, order):
    head, *people = sample("1_1")["users.csv"].decode().splitlines()
    path = pack({"users.csv": "\n".join([head, *(people[index] for index in order)])})
    found = read_roster(path, clock=clock_at(NOW))
    assert (found.students, found.staff) == (4, 4)


# A district of 200,000, in a process of its own; the file is written and read there.
DISTRICT = """
import resource, sys, zipfile
from datetime import UTC, datetime
from io import TextIOWrapper
from collectors.imports.roster import read_roster

class Clock:
    def now(self): return datetime.now(UTC)
    def monotonic(self): return 0.0
    def sleep(self, seconds): raise AssertionError

with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive, TextIOWrapper(archive.open("users.csv", "w")) as file:
    file.write("sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName,email\\n")
    for number in range(200_000):
        role = "teacher" if number % 10 == 0 else "student"
        one = f"{number:08x}-77aa-4000-8000-{number * 7919:012x}"
        file.write(f"{one},,,true,org-{number % 90},{role},u{number},G,F,u{number}@x.example\\n")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = read_roster(sys.argv[1], clock=Clock())
print(found.students, found.staff, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_two_hundred_thousand_people_are_counted_in_bounded_memory(tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    argv = [sys.executable, "-c", DISTRICT, str(tmp_path / "district.zip")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=env, timeout=120)
    students, staff, kib = map(int, done.stdout.split())
    assert (students, staff) == (180_000, 20_000)
    assert kib < 80 << 10
