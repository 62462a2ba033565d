"""The judgement's shape: what every report, metric and gate reads, and none of them computes again."""

from datetime import datetime
from enum import StrEnum

import msgspec

from readiness.evidence import Attestation, Fact, Grade


class Outcome(StrEnum):
    """What became of a criterion."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion's outcome, twice: with everything, and by machine evidence alone.

    contradicted   the kinds of evidence disagree
    sides          then: what the evidence that decided says, and what the other says, a sentence each
    provisional    what decided was seen on too few school days for an answer that lasts
    missing        what would settle an unknown outcome, or make a provisional one last, in words
    """

    criterion: str
    outcome: Outcome
    by_machine: Outcome
    reason: str
    facts: tuple[Fact, ...] = ()
    attestation: Attestation | None = None
    contradicted: bool = False
    sides: tuple[str, ...] = ()
    provisional: bool = False
    missing: str = ""


class StageVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One dimension's stage, twice. `by_machine` is None when no machine decides anything in it: "attested only".

    counts     of required criteria above Entry: met, not_met, unknown
    checkable  required criteria above Entry for which some machine evidence counts; machine_met: those it says are met
    missing    ids of the required criteria between this stage (with attestations) and the next
    """

    dimension: str
    with_attestations: int
    by_machine: int | None
    met: int
    not_met: int
    unknown: int
    checkable: int
    machine_met: int
    machine_not_met: int
    missing: tuple[str, ...] = ()


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """A rate in bit/s and how it is known. `value` None: not known, and `how` says why."""

    value: float | None
    how: str
    interval: tuple[float, float] | None = None
    at_least: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One per-1,000-users target against one direction. Rates in bit/s; `shortfall` is for the whole site."""

    id: str
    title: str
    per_1000: float
    needed: float
    outcome: Outcome
    shortfall: float | None
    reason: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """The Internet line in one direction: four quantities that are never mixed, and the figure this project exists for."""

    direction: str  # "down" or "up"
    users: int
    contracted: Quantity
    available: Quantity
    used: Quantity
    load_during: Quantity
    per_1000: Quantity
    layer: str  # whose bytes were counted, in words
    targets: tuple[Target, ...]
    methods: tuple[str, ...] = ()
    samples: int = 0
    days: int = 0
    last_at: datetime | None = None
    grade: Grade = Grade.PROVISIONAL
    limited_by: tuple[str, ...] = ()


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The whole. Everything it rests on travels with it.

    since, until       the window that was looked at
    first_at, last_at  the first and the last reading in it; None when there is none
    """

    version: int = 1
    site: str
    students: int
    staff: int
    judged_at: datetime
    since: datetime
    until: datetime
    school_days: int  # distinct school days with readings in the window
    roadmap: str
    roadmap_version: str
    roadmap_digest: str
    down: Line
    up: Line
    verdicts: tuple[Verdict, ...]
    stages: tuple[StageVerdict, ...]
    weakest: str  # dimension id
    provisional: tuple[str, ...]  # why this is not yet final, one sentence each
    surveys: tuple[str, ...]
    first_at: datetime | None = None
    last_at: datetime | None = None
    facts: tuple[Fact, ...] = ()  # every derived number, for those who want to check
