"""Imports from a roster: how many students and staff a OneRoster export names (1EdTech, CSV binding 1.1 and 1.2), never who.

Of users.csv and roles.csv only ids, status, enabledUser, role and organisation are looked at; names, addresses and days of
birth are passed over, and demographics.csv is not opened. A person's id is kept as a digest while the file is read, then thrown
away. No refusal repeats what stands in a cell: in a file whose columns have slipped it could be a name.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC
from hashlib import blake2b
from pathlib import Path

from collectors.imports import files, grid, roster_zip
from collectors.imports.cells import was_made_a_number
from collectors.imports.roster_people import NOT_COUNTED, OWN, STAFF, STUDENT, Crowd
from netready.clock import Clock
from netready.refusal import Unfit, either, quoted
from netready.roster import Roster
from netready.text import clean

# Columns by what we call them.
_ABOUT = {"id": "sourcedId", "status": "status", "enabled": "enabledUser"}
_ROLE_HERE = {"role": "role", "orgs": "orgSourcedIds"}
_ROLES = {"user": "userSourcedId", "status": "status", "role": "role", "orgs": "orgSourcedId"}
_ORGS = {"id": "sourcedId", "identifier": "identifier"}
_MANIFEST = {"name": "propertyName", "value": "value"}
_FILES = ("manifest.csv", "orgs.csv", "users.csv", "roles.csv")

_GONE = frozenset({"tobedeleted", "inactive"})  # the second is 1.0's
_STALE_DAYS = 180  # no export of last school year is this young in the middle of the next


def read_roster(path: Path | str, *, clock: Clock, school: str = "") -> Roster:
    """The number of people in an export, each once: who is active, and is a student or works at the school.

    path    a zip, the folder with its files, or the file of users, beside which the others lie if there are any
    school  sourcedId or identifier of the organisation whose people are counted; "" counts everybody

    Who is a student and staff is staff. A person may stand in a row for each school, but not with two roles or two statuses.
    Raises Unfit with file, line, column and what was expected; then nothing was counted. Needs about 60 MiB for 200,000 people.
    """
    path = Path(path)
    with _export(path) as export:
        if "users.csv" not in export:
            raise Unfit(clean(str(path), limit=300), "", "expected a OneRoster export; it has no users.csv")
        if "manifest.csv" in export:
            _refuse_changes(export["manifest.csv"])
        users = export["users.csv"]
        crowd = Crowd(_org(export, school) if school else "")
        _read_users(users, export.get("roles.csv"), crowd)
    now = clock.now()
    students, staff = crowd.counts()
    if not students:
        whose = f" of {quoted(school)}" if school else ""
        raise Unfit(users.name, "", f"expected at least one active student{whose}; it has none")
    days = (now - users.written).days
    old = (f"the export was written {days:,} days ago, on {users.written.date().isoformat()}",) if days >= _STALE_DAYS else ()
    return Roster(
        file=clean(path.absolute().name),
        counted=now.astimezone(UTC),
        written=users.written,
        students=students,
        staff=staff,
        school=clean(school),
        notes=(*old, *crowd.notes()),
    )


@contextmanager
def _export(path: Path) -> Iterator[dict[str, files.Opened]]:
    """The files we look at, of those that are there."""
    name = clean(str(path), limit=300)
    try:
        if not path.exists():
            raise Unfit(name, "", "no such file")
        source: AbstractContextManager[dict[str, files.Opened]]
        if path.is_dir():
            source = nullcontext(_looked(_lying(path, name)))
        elif path.is_file() and _is_zip(path):
            source = roster_zip.opened(path, name, _FILES)
        elif path.is_file() and path.suffix.lower() == ".csv":
            source = nullcontext(_looked(_lying(path.parent, name) | {"users.csv": path}))
        else:
            raise Unfit(name, "", "expected a OneRoster export: a zip, the folder with its CSV files, or its users.csv")
        with source as export:
            yield export
    except OSError as error:
        raise Unfit(name, "", f"cannot be read: {error.strerror}") from None


def _looked(found: dict[str, Path]) -> dict[str, files.Opened]:
    return {short: files.look(path) for short, path in found.items()}


def _lying(folder: Path, name: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for each in folder.iterdir():
        short = each.name.lower()
        if short in _FILES:
            if short in found:
                raise Unfit(name, short, "expected one file of this name; the folder has several")
            found[short] = each
    return found


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _rows(opened: files.Opened, wanted: dict[str, str]) -> tuple[grid.Header, dict[str, int], Iterator[grid.Row]]:
    """Header, columns and rows of a file; raises Unfit when a wanted column is missing or stands twice."""
    head = grid.header(opened)
    where, columns = f"line {head.before + 1}", {}
    for field, name in wanted.items():
        places = [index for index, folded in enumerate(head.folded) if folded == grid.folded(name)]
        if not places:
            expected = f"expected a header with the columns {', '.join(wanted.values())}; {name} is missing"
            raise Unfit(opened.name, where, expected)
        if len(places) > 1:
            twice = grid.place(head, head.before + 1, places[1])
            raise Unfit(opened.name, twice, f"expected a name that stands once; column {places[0] + 1} has it too")
        columns[field] = places[0]
    return head, columns, grid.rows(opened, head, tuple(columns.items()))


def _refuse_changes(opened: files.Opened) -> None:
    """Raises Unfit when an export says that it holds what changed since the last one: nobody can be counted from that."""
    _head, _columns, rows = _rows(opened, _MANIFEST)
    for row in rows:
        name, value = row.cells.get("name", "").lower(), row.cells.get("value", "").lower()
        if name in {"file.users", "file.roles"} and value == "delta":
            raise Unfit(opened.name, f"line {row.line}", "expected a bulk export; this one holds only what changed (delta)")


def _org(export: dict[str, files.Opened], school: str) -> str:
    """The sourcedId of the organisation that is asked for; raises Unfit when there is none, or more than one."""
    if "orgs.csv" not in export:
        return school
    opened = export["orgs.csv"]
    found: dict[str, int] = {}
    for row in _rows(opened, _ORGS)[2]:
        one = row.cells.get("id", "")
        if one == school:
            return school
        if one and row.cells.get("identifier") == school:
            found.setdefault(one, row.line)
    if not found:
        raise Unfit(opened.name, "", f"expected an organisation with the sourcedId or identifier {quoted(school)}; it has none")
    if len(found) > 1:
        first, second = list(found.values())[:2]
        expected = f"expected the identifier {quoted(school)} once; line {first} has it too: give the school's sourcedId"
        raise Unfit(opened.name, f"line {second}", expected)
    return next(iter(found))


def _read_users(users: files.Opened, roles: files.Opened | None, crowd: Crowd) -> None:
    """Take in everybody, with their roles: those of users.csv itself (1.1), or those of roles.csv (1.2)."""
    head = grid.header(users)
    here = grid.folded("role") in head.folded
    if here and roles is not None:
        raise Unfit(users.name, f"line {head.before + 1}", "expected roles here (1.1) or in roles.csv (1.2), not in both")
    if not here and roles is None:
        raise Unfit(users.name, f"line {head.before + 1}", "expected a column role (1.1), or roles.csv beside this file (1.2)")
    head, columns, rows = _rows(users, {**_ABOUT, **(_ROLE_HERE if here else {})})
    for row in rows:
        said = _Said(users.name, head, columns, row)
        active = said.active() and said.enabled()
        role = said.role() if here else ""
        one = said.digest("id")
        crowd.person(users.name, row.line, one, active=active, role=role)
        if here:
            crowd.role(one, role, said.orgs())
    if roles is not None:
        head, columns, rows = _rows(roles, _ROLES)
        for row in rows:
            said = _Said(roles.name, head, columns, row)
            if said.active():
                crowd.role(said.digest("user"), said.role(), said.orgs())


class _Said:
    """One row, read strictly."""

    def __init__(self, name: str, head: grid.Header, columns: dict[str, int], row: grid.Row) -> None:
        self._name, self._head, self._columns, self._row = name, head, columns, row

    def active(self) -> bool:
        """Whether the row is to stay; blank in a bulk export means it is."""
        status = self._row.cells.get("status", "").lower()
        if status not in _GONE and status not in {"", "active"}:
            raise self._unfit("status", "active, tobedeleted or nothing")
        return status not in _GONE

    def enabled(self) -> bool:
        """Whether the person may log in."""
        enabled = self._row.cells.get("enabled", "").lower()
        if enabled not in {"", "true", "false", "1", "0"}:
            raise self._unfit("enabled", "true or false")
        return enabled not in {"false", "0"}

    def role(self) -> str:
        """The role in lower case."""
        role: str = self._row.cells.get("role", "").lower()
        if role == STUDENT or role in STAFF or role in NOT_COUNTED:
            return role
        if role.startswith(OWN):
            return OWN
        raise self._unfit("role", f"one of {either({STUDENT, *STAFF, *NOT_COUNTED})}")

    def orgs(self) -> list[str]:
        """The organisations that the role is held at."""
        return [one.strip() for one in self._row.cells.get("orgs", "").split(",")]

    def digest(self, field: str) -> bytes:
        """What a person is known by while the file is read: 128 bits of the id's digest."""
        one = self._row.cells.get(field, "")
        if not one:
            raise self._unfit(field, "an id")
        if was_made_a_number(one):
            raise self._unfit(field, "an id; a spreadsheet made a number of it, so that people can no longer be told apart")
        return blake2b(one.encode(), digest_size=16).digest()

    def _unfit(self, field: str, expected: str) -> Unfit:
        return Unfit(self._name, grid.place(self._head, self._row.line, self._columns[field]), f"expected {expected}")
