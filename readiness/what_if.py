"""What if: the same evidence with a few numbers supposed instead of known, and what would then be judged otherwise.

A supposition is never evidence. It is taken as exact, fresh and seen for as long as any rule asks, because the question is
what would follow if it were so; nothing of it is kept.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from netready.device import Kind
from netready.rate import rate
from netready.refusal import Unfit, either, quoted
from netready.site import Site
from readiness.evidence import Fact, Grade
from readiness.gate import Decision
from readiness.gather import Gathered
from readiness.inventory import CLIENTS
from readiness.judgement import Judgement
from readiness.roadmap import EvidenceKind, Roadmap
from readiness.weigh import Key, index

OPTION = "--what-if"
_MOST_RATE = 1e13  # bit/s, as in the config
_RATE = "a rate such as 300M or 1G"
# What can be supposed: counts with the least and the most they may be, and rates with the numbers they stand for.
COUNTS = {
    "students": (1, 1_000_000),
    "staff": (0, 200_000),
    "classrooms": (1, 20_000),
    "student_devices": (0, 1_000_000),
    "access_points": (0, 100_000),
}
RATES = {
    "contracted": ("contracted_down_per_1000", "contracted_up_per_1000"),
    "contracted_down": ("contracted_down_per_1000",),
    "contracted_up": ("contracted_up_per_1000",),
    "measured": ("internet_down_per_1000", "internet_up_per_1000"),
    "measured_down": ("internet_down_per_1000",),
    "measured_up": ("internet_up_per_1000",),
}
_SITE = ("students", "staff", "classrooms")
_ENOUGH = 366  # school days and readings: more than a bound or a rule can ask for


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One supposition: a count, or a rate for the whole site in bit/s; `text` is how it was put."""

    name: str
    value: float
    text: str


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Something that would be judged otherwise, in the judgement's own words; `why` is the reason it would then give."""

    id: str
    title: str
    now: str
    then: str
    why: str = ""


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What would change, and nothing else. `note` says that none of it is a finding."""

    supposition: bool = True
    note: str
    changes: tuple[Change, ...]
    stages: tuple[Moved, ...]
    by_machine: tuple[Moved, ...]
    criteria: tuple[Moved, ...]
    gate: tuple[Moved, ...]


def parse(text: str) -> tuple[Change, ...]:
    """The changes in "contracted=1G,staff=80"; raises Unfit with the list of what can be supposed."""
    known = {*COUNTS, *RATES}
    found: list[Change] = []
    taken: dict[str, str] = {}
    for part in text.split(","):
        name, equals, given = (each.strip() for each in part.partition("="))
        if name not in known:
            raise Unfit(OPTION, "", f"{quoted(name)} cannot be supposed; what can be is {either(known)}")
        if not equals or not given:
            raise Unfit(OPTION, name, f"expected {name}=VALUE, {_wanted(name)}")
        for about in RATES.get(name, (name,)):
            if about in taken:
                raise Unfit(OPTION, name, f"expected each thing supposed once; {taken[about]} says it too")
            taken[about] = name
        found.append(Change(name=name, value=_value(name, given), text=f"{name}={given}"))
    return tuple(found)


def supposed_site(site: Site, changes: Iterable[Change]) -> Site:
    """The site with other numbers of people and rooms."""
    numbers = {change.name: int(change.value) for change in changes if change.name in _SITE}
    students = numbers.get("students", site.students)
    for name in ("busiest_shift", "concurrent_testers"):  # a part is never supposed to be more than the whole
        part: int | None = getattr(site, name)
        if part is not None:
            numbers[name] = min(part, students)
    return msgspec.structs.replace(site, **numbers)


def supposed_facts(gathered: Gathered, site: Site, changes: Sequence[Change], now: datetime) -> Gathered:
    """What is known of `site` (with its supposed numbers), and in its place what is supposed of lines and devices."""
    facts = index(gathered.facts)
    for change in changes:
        exact = _exact(f"supposed: {change.text}", now)
        for metric in RATES.get(change.name, ()):
            kind = EvidenceKind.MEASURED if change.name.startswith("measured") else EvidenceKind.INVENTORIED
            value = change.value * 1000 / site.users
            facts[metric, None, None] = msgspec.structs.replace(exact, kind=kind, metric=metric, value=value)
    _devices(facts, site, changes, now)
    return msgspec.structs.replace(gathered, facts=tuple(facts.values()))


def compare(
    roadmap: Roadmap,
    changes: tuple[Change, ...],
    now: tuple[Judgement, Sequence[Decision]],
    then: tuple[Judgement, Sequence[Decision]],
) -> WhatIf:
    """Two judgements of one roadmap, and the decisions that rest on them, side by side; only what differs."""
    titles = {one.id: one.title for one in roadmap.dimensions}
    texts = {one.id: one.what for one in roadmap.criteria}
    names = {one.number: one.name for one in roadmap.stages}
    stages, by_machine = [], []
    for old, new in zip(now[0].stages, then[0].stages, strict=True):
        title = titles[old.dimension]
        if old.with_attestations != new.with_attestations:
            was, would = names[old.with_attestations], names[new.with_attestations]
            stages.append(Moved(id=old.dimension, title=title, now=was, then=would))
        if old.by_machine is not None and new.by_machine is not None and old.by_machine != new.by_machine:
            was, would = names[old.by_machine], names[new.by_machine]
            by_machine.append(Moved(id=old.dimension, title=title, now=was, then=would))
    verdicts = zip(now[0].verdicts, then[0].verdicts, strict=True)
    decisions = zip(now[1], then[1], strict=True)
    return WhatIf(
        note=f"A supposition, not a finding: nothing of {', '.join(change.text for change in changes)} was measured or kept.",
        changes=changes,
        stages=tuple(stages),
        by_machine=tuple(by_machine),
        criteria=tuple(
            Moved(id=old.criterion, title=texts[old.criterion], now=old.outcome, then=new.outcome, why=new.reason)
            for old, new in verdicts
            if old.outcome is not new.outcome
        ),
        gate=tuple(
            Moved(id=old.wave, title=old.wave_title, now=old.answer, then=new.answer, why=_why(old, new))
            for old, new in decisions
            if old.answer is not new.answer
        ),
    )


def _why(old: Decision, new: Decision) -> str:
    """The rules that would end otherwise."""
    moved = [(was, would) for was, would in zip(old.rules, new.rules, strict=True) if was.outcome is not would.outcome]
    return "; ".join(f"{would.title}: {was.outcome}, then {would.outcome}" for was, would in moved)


def _wanted(name: str) -> str:
    if name in RATES:
        return _RATE
    least, most = COUNTS[name]
    return f"a whole number from {least:,} to {most:,}"


def _value(name: str, given: str) -> float:
    unfit = Unfit(OPTION, name, f"expected {_wanted(name)}; got {quoted(given)}")
    if name in RATES:
        try:
            value = rate(given)
        except ValueError:
            raise unfit from None
        if not 0 < value <= _MOST_RATE:
            raise unfit
        return value
    least, most = COUNTS[name]
    if not (given.isascii() and given.isdigit() and len(given) <= len(str(most)) and least <= int(given) <= most):
        raise unfit
    return float(given)


def _exact(note: str, now: datetime) -> Fact:
    """A number as sure and as fresh as one can be; its metric and value are still to be filled in."""
    return Fact(
        kind=EvidenceKind.INVENTORIED,
        metric="",
        value=None,
        samples=_ENOUGH,
        days=_ENOUGH,
        first_at=now,
        last_at=now,
        methods=("supposed",),
        grade=Grade.CONCLUSIVE,
        note=note,
    )


def _devices(facts: dict[Key, Fact], site: Site, changes: Sequence[Change], now: datetime) -> None:
    """The counts that are supposed, and the quotients that follow from them; what else was counted stays as it was."""
    given = {change.name: change for change in changes}
    clients = [facts.get(("devices", None, kind)) for kind in CLIENTS if kind is not Kind.STUDENT_DEVICE]
    others = sum(fact.value or 0.0 for fact in clients if fact is not None)

    def put(metric: str, value: float, note: str, kind: Kind | None = None) -> None:
        facts[metric, None, kind] = msgspec.structs.replace(_exact(note, now), metric=metric, value=value, device=kind)

    if students := given.get("student_devices"):
        note = f"supposed: {students.text}"
        put("devices", students.value, note, Kind.STUDENT_DEVICE)
        put("student_devices_per_classroom", students.value / site.classrooms, note)
        if students.value:
            put("students_per_device", site.students / students.value, note)
        else:
            facts.pop(("students_per_device", None, None), None)
    if points := given.get("access_points"):
        note = f"supposed: {points.text}"
        put("devices", points.value, note, Kind.ACCESS_POINT)
        put("access_points_per_classroom", points.value / site.classrooms, note)
    if students or points:
        _clients(facts, others, ", ".join(one.text for one in (students, points) if one), now)


def _clients(facts: dict[Key, Fact], others: float, text: str, now: datetime) -> None:
    """Clients for each access point, where both counts are known by now."""
    counted = [facts.get(("devices", None, kind)) for kind in (Kind.STUDENT_DEVICE, Kind.ACCESS_POINT)]
    students, points = (fact.value if fact else None for fact in counted)
    key = ("clients_per_access_point", None, None)
    if students is None or not points:
        facts.pop(key, None)
        return
    exact = _exact(f"supposed: {text}", now)
    facts[key] = msgspec.structs.replace(exact, metric=key[0], value=(students + others) / points)
