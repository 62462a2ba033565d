"""The gate: what must hold for a rollout wave, who accepted a risk until when, and the answer."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.device import Kind
from netready.site import Role

Text = Annotated[str, Meta(min_length=1)]


class Level(StrEnum):
    """How strongly a rule binds."""

    HARD = "hard"
    SOFT = "soft"
    ADVISORY = "advisory"


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One demand of a wave. Exactly one of `criterion`, `dimension` (with `stage`) and `metric` (with a bound) is given.

    min_samples, min_days, max_age_days say how much evidence the rule wants, and how fresh (only with `metric`).
    """

    id: Text
    title: Text
    level: Level
    why: Text
    remedy: Text
    criterion: str | None = None
    dimension: str | None = None
    stage: Annotated[int, Meta(ge=1, le=4)] | None = None
    by_machine: bool = False
    metric: str | None = None
    role: Role | None = None
    kind: Kind | None = None
    at_least: float | None = None
    at_most: float | None = None
    min_samples: Annotated[int, Meta(ge=1)] = 1
    min_days: Annotated[int, Meta(ge=1)] = 1
    max_age_days: Annotated[int, Meta(ge=1)] = 120
    waivable: bool = True


class Wave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of a rollout and its rules."""

    id: Text
    title: Text
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1)]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold, as data."""

    id: Text
    version: Text
    title: Text
    platform: Text
    waves: Annotated[tuple[Wave, ...], Meta(min_length=1)]
    digest: str = ""


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody accepted a risk, by name, until a date."""

    rule: Text
    until: date
    owner: Text
    reason: Text
    on: date


class RuleOutcome(StrEnum):
    """What became of a rule."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


class RuleVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's outcome and the sentence that explains it; `missing` says what would settle it."""

    rule: str
    title: str
    level: Level
    outcome: RuleOutcome
    reason: str
    provisional: bool = False
    missing: str = ""
    remedy: str = ""


class Answer(StrEnum):
    """The decision."""

    GO = "GO"
    GO_WITH_CONDITIONS = "GO_WITH_CONDITIONS"
    NO_GO = "NO_GO"
    INDETERMINATE = "INDETERMINATE"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's answer for one wave of one site, with everything it rests on."""

    version: int = 1
    answer: Answer
    site: str
    wave: str
    wave_title: str
    platform: str
    decided_at: datetime
    valid_until: date
    provisional: bool
    rules: tuple[RuleVerdict, ...]
    conditions: tuple[str, ...]
    missing: tuple[str, ...]
    policy: str
    policy_version: str
    policy_digest: str
    roadmap: str
    roadmap_version: str
    roadmap_digest: str
    surveys: tuple[str, ...]
