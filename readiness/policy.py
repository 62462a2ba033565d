"""The policy: what must hold for each wave of a rollout, and on which terms a risk may be accepted. Data, strictly read."""

import hashlib
from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from netready.device import Kind
from netready.refusal import Unfit, decode, either, item, quoted, unique, unstamped
from netready.site import Role
from readiness import demand
from readiness.demand import DAILY
from readiness.roadmap import MACHINE, Roadmap
from readiness.stages import demanded

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

    @property
    def may_be_waived(self) -> bool:
        """Whether anybody may accept the risk of going without it."""
        return self.level is Level.SOFT and self.waivable


class Wave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of a rollout and its rules. `scope` "lea": it reaches further than the one site that is judged."""

    id: Text
    title: Text
    scope: Literal["site", "lea"] = "site"
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1)]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold, as data.

    longest_waiver_days   for which a risk may be accepted at a time
    silent_renewals       how often it may be accepted again before a plan with a date is asked for
    approver_after_days   a waiver that runs longer wants a second person; 0: every waiver does; unset: none
    """

    id: Text
    version: Text
    title: Text
    platform: Text
    longest_waiver_days: Annotated[int, Meta(ge=1, le=366)] = 90
    silent_renewals: Annotated[int, Meta(ge=0, le=12)] = 1
    approver_after_days: Annotated[int, Meta(ge=0, le=366)] | None = None
    waves: Annotated[tuple[Wave, ...], Meta(min_length=1)]
    digest: str = ""  # SHA-256 of the file's bytes, hex; set by `parse_policy`

    def wave(self, name: str) -> Wave:
        """The wave called `name`; LookupError lists those there are."""
        for wave in self.waves:
            if wave.id == name:
                return wave
        msg = f"{self.id} has no wave {quoted(name)}; its waves are {', '.join(wave.id for wave in self.waves)}"
        raise LookupError(msg)


def parse_policy(data: bytes, name: str, roadmap: Roadmap, metrics: Collection[str]) -> Policy:
    """The policy in a file's bytes, checked against the roadmap and the metrics it speaks of. Raises Unfit.

    Rule ids are unique over all waves, so that a risk accepted for a pilot room is not accepted for the whole school.
    """
    policy = decode(data, name, Policy)
    unstamped(name, policy.digest)
    unique(name, "waves", (wave.id for wave in policy.waves))
    seen: dict[str, str] = {}
    for number, wave in enumerate(policy.waves):
        for index, rule in enumerate(wave.rules):
            path = f"{item('waves', number, wave.id)}.{item('rules', index, rule.id)}"
            if rule.id in seen:
                raise Unfit(name, f"{path}.id", f"expected an id that is used once; wave {seen[rule.id]} has it too")
            seen[rule.id] = wave.id
            _check_rule(rule, name, path, roadmap, metrics)
    return msgspec.structs.replace(policy, digest=hashlib.sha256(data).hexdigest())


def _check_rule(rule: Rule, name: str, path: str, roadmap: Roadmap, metrics: Collection[str]) -> None:
    forms = [form for form in ("criterion", "dimension", "metric") if getattr(rule, form) is not None]
    if len(forms) != 1:
        got = " and ".join(forms) or "none"
        raise Unfit(name, path, f"expected exactly one of criterion, dimension and metric; got {got}")
    if rule.stage is not None and rule.dimension is None:
        raise Unfit(name, f"{path}.stage", "expected no stage; only a rule about a dimension has one")
    if rule.by_machine and rule.metric is not None:
        raise Unfit(name, f"{path}.by_machine", "expected no by_machine; a metric is always a machine's")
    if rule.criterion is not None:
        _check_criterion(rule, rule.criterion, name, path, roadmap)
    if rule.dimension is not None:
        _check_dimension(rule, rule.dimension, name, path, roadmap)
    _check_metric(rule, name, path, metrics)


def _check_criterion(rule: Rule, asked: str, name: str, path: str, roadmap: Roadmap) -> None:
    found = next((one for one in roadmap.criteria if one.id == asked), None)
    if found is None:
        raise Unfit(name, f"{path}.criterion", f"{quoted(asked)} is not a criterion of {roadmap.id} {roadmap.version}")
    if rule.by_machine and found.primary not in MACHINE:
        raise Unfit(
            name, f"{path}.by_machine", f"expected false; {asked} is decided by what is {found.primary}, never by a machine"
        )


def _check_dimension(rule: Rule, asked: str, name: str, path: str, roadmap: Roadmap) -> None:
    dimensions = {dimension.id for dimension in roadmap.dimensions}
    if asked not in dimensions:
        raise Unfit(name, f"{path}.dimension", f"expected one of {either(dimensions)}; got {quoted(asked)}")
    if rule.stage is None:
        raise Unfit(name, f"{path}.stage", "expected a stage, 1 to 4, for the dimension")
    reachable = max((one.stage for one in demanded(roadmap, asked)), default=1)
    if rule.stage > reachable:
        raise Unfit(name, f"{path}.stage", f"expected at most {reachable}; {roadmap.id} demands nothing of {asked} beyond it")


def _check_metric(rule: Rule, name: str, path: str, metrics: Collection[str]) -> None:
    if rule.metric is None:
        for field in ("role", "kind", "at_least", "at_most"):
            if getattr(rule, field) is not None:
                raise Unfit(name, f"{path}.{field}", f"expected no {field}; only a rule about a metric has one")
        for field in ("min_samples", "min_days"):
            if getattr(rule, field) != 1:
                raise Unfit(name, f"{path}.{field}", f"expected no {field}; only a rule about a metric has one")
        return
    demand.check(
        name,
        path,
        metric=rule.metric,
        metrics=metrics,
        role=rule.role,
        kind=rule.kind,
        at_least=rule.at_least,
        at_most=rule.at_most,
        min_days=rule.min_days,
    )
    if rule.min_samples > 1 and rule.metric not in DAILY:
        raise Unfit(name, f"{path}.min_samples", f"expected 1; {rule.metric} is counted once, not day by day")
