"""The decision: the gate's answer for one wave of one site, what became of each rule, and what it all rests on."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from readiness.policy import Level
from readiness.waiver import Waiver


class RuleOutcome(StrEnum):
    """What became of a rule."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


class RuleVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's outcome and the sentence that explains it; `missing` says what would settle it, `remedy` what to do."""

    rule: str
    title: str
    level: Level
    outcome: RuleOutcome
    reason: str
    provisional: bool = False
    missing: str = ""
    remedy: str = ""
    waivable: bool = False


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver that runs on the day of the decision. `counts`: the rule is waived by it; `why` or why not, in words."""

    waiver: Waiver
    counts: bool
    why: str


class Answer(StrEnum):
    """The decision."""

    GO = "GO"
    GO_WITH_CONDITIONS = "GO_WITH_CONDITIONS"
    NO_GO = "NO_GO"
    INDETERMINATE = "INDETERMINATE"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's answer for one wave of one site, with everything it rests on.

    scope          "lea": the wave reaches further than this site; judged_from says from whose records it was judged
    valid_until    the last day on which the answer may open a wave; when_expired says what happens after it
    provisional    a rule rests on too few school days for an answer that lasts
    conditions     what a conditional yes is bound to; missing: what would settle what is not known
    waivers        those that run that day for a rule of this wave, whether they count or not
    inputs         name to SHA-256, hex, of each thing it was made from; empty when they were not kept
    """

    version: Literal[1] = 1
    answer: Answer
    site: str
    wave: str
    wave_title: str
    platform: str
    decided_at: Annotated[datetime, Meta(tz=True)]
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
    scope: Literal["site", "lea"] = "site"
    judged_from: str = ""
    when_expired: str = ""
    expired_stops: Literal["new-waves-only"] = "new-waves-only"
    waivers: tuple[Acceptance, ...] = ()
    software: str = ""
    inputs: dict[str, str] = {}


_EXIT = {Answer.GO: 0, Answer.GO_WITH_CONDITIONS: 0, Answer.NO_GO: 1, Answer.INDETERMINATE: 3}


def exit_status(answer: Answer) -> int:
    """0 the gate is open, 1 it is closed, 3 nobody can say."""
    return _EXIT[answer]
