"""Imports, who counts: each person of a roster once, as student or as staff, by a digest of the id and nothing else."""

from collections.abc import Iterator

import msgspec

from netready.refusal import Unfit

# The vocabularies of OneRoster 1.1 and 1.2 together, in lower case.
STUDENT = "student"
STAFF = frozenset(
    {
        "administrator",
        "aide",
        "counselor",
        "districtadministrator",
        "principal",
        "proctor",
        "siteadministrator",
        "systemadministrator",
        "teacher",
    }
)
NOT_COUNTED = frozenset({"guardian", "parent", "relative"})
OWN = "ext:"  # how 1.2 begins a role that is not in its vocabulary


class _Person(msgspec.Struct, gc=False):
    """line and says are of the row that told of the person first; the others of all roles held where we count."""

    line: int
    active: bool
    says: str
    has_role: bool = False
    own: bool = False
    student: bool = False
    staff: bool = False


class Crowd:
    """Everybody so far, by the digest of the id. `org` is the only organisation whose roles count; "" is all."""

    def __init__(self, org: str) -> None:
        self._org = org
        self._people: dict[bytes, _Person] = {}
        self._again = 0
        self._nobody = 0

    def person(self, file: str, line: int, one: bytes, *, active: bool, role: str) -> None:
        """Take in a row about a person; raises Unfit when it contradicts an earlier one."""
        known = self._people.setdefault(one, _Person(line, active, role))
        if known.line == line:
            return
        self._again += 1
        if (known.active, known.says) != (active, role):
            same = "role, status and enabledUser" if known.says else "status and enabledUser"
            expected = f"expected the {same} that line {known.line} has for the same sourcedId"
            raise Unfit(file, f"line {line}", expected)

    def role(self, one: bytes, role: str, orgs: list[str]) -> None:
        """Take in a role of a person."""
        person = self._people.get(one)
        if person is None:
            self._nobody += 1
            return
        person.has_role = True
        if self._org and self._org not in orgs:
            return
        person.own |= role == OWN
        person.student |= role == STUDENT
        person.staff |= role in STAFF

    def counts(self) -> tuple[int, int]:
        """Students and staff."""
        active = [person for person in self._people.values() if person.active]
        staff = sum(person.staff for person in active)
        return sum(person.student and not person.staff for person in active), staff

    def notes(self) -> Iterator[str]:
        """What was taken for granted or left out."""
        active = [person for person in self._people.values() if person.active]
        if self._again:
            yield f"rows of users.csv that tell of a person again, who was counted once: {self._again:,}"
        if self._nobody:
            yield f"left out: rows of roles.csv that belong to nobody in users.csv: {self._nobody:,}"
        if bare := sum(not person.has_role for person in active):
            yield f"left out: active people without a role: {bare:,}"
        if own := sum(person.own and not person.student and not person.staff for person in active):
            yield f"left out: active people with only a role of the export's own ({OWN}…): {own:,}"
