"""Compared: how much of the fit-gap analysis stands: hardware in classrooms, the wireless network, the line, servers, growth.

A comparison needs what is there and what is wanted. What is wanted is in the roadmap and in the site's own numbers; what is
there must have been counted or measured. So each fact says how many of its parts are known, and names those that are not.
Parts may stand on paper of which we know nothing: the number is a lower bound, and never denies that the school has compared.
"""

from collections.abc import Sequence

import msgspec

from netready.device import Kind
from netready.site import Site
from readiness.demand import COMPARISONS
from readiness.evidence import Fact, Grade
from readiness.inventory import Stock, Told
from readiness.judgement import Line
from readiness.roadmap import EvidenceKind
from readiness.sample import grade

# Of the devices, the share whose kind may be unknown; of the student devices, the share whose end of support must be known.
# Both are our own proposals: a plan survives a tenth of unknowns, and the years of half the devices show the others'.
MOST_UNKNOWN = 0.1
LEAST_DATED = 0.5


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a comparison needs, in words, and whether it is known."""

    name: str
    known: bool


def facts(site: Site, found: Stock, told: Told, line: Line, used_days: int) -> tuple[Fact, ...]:
    """One fact for each comparison. `line` is that towards the school; `used_days`: school days on which its use was read."""
    students = found.counts.get(Kind.STUDENT_DEVICE, 0) if found.known else 0
    contract = Part(name="the contracted rate", known=line.contracted.value is not None)
    use = Part(name="the rate used in the busiest minutes", known=line.used.value is not None)
    sorted_out = Part(name="the kind of nine in ten devices", known=found.known and _few_unknown(found))
    hardware = (
        Part(name="the number of student devices", known=students > 0),
        sorted_out,
        Part(
            name="the end of support of half the student devices",
            known=students > 0 and told.dated >= LEAST_DATED * students,
        ),
    )
    wireless = (
        Part(name="the number of access points", known=_any(found, Kind.ACCESS_POINT)),
        Part(name="switches and routers", known=_any(found, Kind.SWITCH, Kind.ROUTER, Kind.FIREWALL)),
        Part(name="the clients of the access points, told by them or their controller", known=told.served is not None),
    )
    tested = Part(name="the rate of the line, tested in school hours", known=line.days > 0)
    servers = (sorted_out, Part(name="the list of online systems", known=bool(site.endpoints)))
    return (
        _counted("fit_gap_hardware", hardware, found),
        msgspec.structs.replace(_counted("fit_gap_wireless", wireless, found), kind=EvidenceKind.MEASURED),
        _of_the_line("fit_gap_line", (tested, contract, use), line, min(line.days, used_days)),
        _counted("fit_gap_servers", servers, found),
        _of_the_line("fit_gap_growth", (use, contract), line, used_days),
    )


def _few_unknown(found: Stock) -> bool:
    return found.counts.get(Kind.UNKNOWN, 0) <= MOST_UNKNOWN * found.total


def _any(found: Stock, *kinds: Kind) -> bool:
    return found.known and any(found.counts.get(kind, 0) for kind in kinds)


def _fact(metric: str, parts: Sequence[Part]) -> Fact:
    missing = [part.name for part in parts if not part.known]
    about = COMPARISONS[metric]
    return Fact(
        kind=EvidenceKind.INVENTORIED,
        metric=metric,
        value=float(len(parts) - len(missing)),
        at_least=True,
        note=f"to compare {about}, not known yet: {', '.join(missing)}"
        if missing
        else f"known for {about}: {', '.join(part.name for part in parts)}",
    )


def _counted(metric: str, parts: Sequence[Part], found: Stock) -> Fact:
    fact = _fact(metric, parts)
    if not found.known:
        return msgspec.structs.replace(fact, value=None, at_least=False, note=found.note)
    return msgspec.structs.replace(
        fact, samples=1, first_at=found.at, last_at=found.at, methods=("inventory",), grade=Grade.CONCLUSIVE
    )


def _of_the_line(metric: str, parts: Sequence[Part], line: Line, days: int) -> Fact:
    """As sure as the school days behind it are many."""
    return msgspec.structs.replace(
        _fact(metric, parts),
        kind=EvidenceKind.MEASURED,
        samples=line.samples,
        days=days,
        last_at=line.last_at,
        methods=line.methods,
        grade=grade(days),
    )
