"""The roadmap as data: stages, dimensions, criteria, and the strict reader of the file they live in."""

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

Text = Annotated[str, Meta(min_length=1)]
StageNumber = Annotated[int, Meta(ge=1, le=4)]


class EvidenceKind(StrEnum):
    """The kinds of evidence a criterion may ask for."""

    MEASURED = "measured"
    INVENTORIED = "inventoried"
    PROBED = "probed"
    ATTESTED = "attested"


class Who(StrEnum):
    """Who takes a criterion's next step."""

    IT = "it"
    LEADERSHIP = "leadership"
    DISTRICT = "district"


MACHINE = frozenset({EvidenceKind.MEASURED, EvidenceKind.INVENTORIED, EvidenceKind.PROBED})


class Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one number must satisfy. `at_least` and `at_most` are in the metric's base unit and inclusive.

    role or kind narrows a metric that is counted by endpoint role or device kind. min_days is the number of school days
    with readings below which a met bound is provisional. `source` says where the number comes from: "[std] ..." for a
    published standard, "[prop] ..." for our own proposal, which a school may change. `partial`: it covers only a part of the
    statement, so that it can deny and not affirm; the rest a person vouches for.
    """

    evidence: EvidenceKind
    metric: Text
    at_least: float | None = None
    at_most: float | None = None
    role: Role | None = None
    kind: Kind | None = None
    min_days: Annotated[int, Meta(ge=1, le=366)] = 1
    partial: bool = False
    source: Text


class Criterion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement of the continuum.

    evidence    kinds that count, the primary one first
    bounds      what a machine can check today, at most one for each machine kind in `evidence`
    deficit     describes the lack that defines Entry; never required to be true
    required    counts towards the stage (false for deficits and for what is outside a school's control)
    confidence  how sure the placement in this stage is: the original's column heads were not all recoverable
    who         takes the next step, where that is not whoever it is for the scope and the dimension
    """

    id: Text
    dimension: Text
    stage: StageNumber
    what: Text
    why: Text
    remedy: Text
    evidence: Annotated[tuple[EvidenceKind, ...], Meta(min_length=1)]
    bounds: tuple[Bound, ...] = ()
    deficit: bool = False
    required: bool = True
    scope: Literal["site", "lea"] = "site"
    confidence: Literal["high", "medium", "low"]
    wanted: Text  # what documents or data would show it, in words
    who: Who | None = None

    @property
    def primary(self) -> EvidenceKind:
        """The kind that decides: the first that has a voice."""
        return (*self.voices, *self.evidence)[0]

    @property
    def voices(self) -> tuple[EvidenceKind, ...]:
        """The kinds that can say anything of this criterion today, in order; the first of them decides. May be empty.

        A machine kind for which the roadmap sets no bound has no voice yet. Where a person's word counts too, it stands in. So
        it does where the bound is partial: that kind speaks after the others.
        """
        partial = {one.evidence: one.partial for one in self.bounds} | {EvidenceKind.ATTESTED: False}
        return tuple(kind for late in (False, True) for kind in self.evidence if partial.get(kind) is late)


class Dimension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the readiness profile."""

    id: Text
    title: Text
    domain: Text
    question: Text
    gates: bool = False  # a network gate looks at it; such rows come first on page 1
    who: Who = Who.LEADERSHIP  # takes the next step for criteria of one site that name nobody else


class StageName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage's name is data: the original's third column head had to be inferred."""

    number: StageNumber
    name: Text
    meaning: Text


class Roadmap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The continuum: 14 dimensions, four stages, 187 criteria in the shipped file."""

    id: Text
    version: Text
    title: Text
    source: Text
    stages: tuple[StageName, ...]
    dimensions: tuple[Dimension, ...]
    criteria: tuple[Criterion, ...]
    digest: str = ""  # SHA-256 of the file's bytes, hex; set by `parse`

    def stage_name(self, number: int) -> str:
        """The stage's name."""
        return next(stage.name for stage in self.stages if stage.number == number)


def parse(data: bytes, name: str, metrics: Collection[str]) -> Roadmap:
    """The roadmap in a file's bytes; `metrics` are the names a bound may ask for. Raises Unfit.

    A criterion that could never be judged - a metric nobody measures, a dimension nobody described, two bounds for one
    kind of evidence - is refused here and not met with silence later.
    """
    roadmap = decode(data, name, Roadmap)
    unstamped(name, roadmap.digest)
    _check_stages(roadmap, name)
    unique(name, "dimensions", (dimension.id for dimension in roadmap.dimensions))
    unique(name, "criteria", (criterion.id for criterion in roadmap.criteria))
    dimensions = {dimension.id for dimension in roadmap.dimensions}
    if not dimensions:
        raise Unfit(name, "dimensions", "expected at least one")
    for index, criterion in enumerate(roadmap.criteria):
        path = item("criteria", index, criterion.id)
        if criterion.dimension not in dimensions:
            msg = f"expected one of {either(dimensions)}; got {quoted(criterion.dimension)}"
            raise Unfit(name, f"{path}.dimension", msg)
        _check_criterion(criterion, name, path, metrics)
    return msgspec.structs.replace(roadmap, digest=hashlib.sha256(data).hexdigest())


def _check_stages(roadmap: Roadmap, name: str) -> None:
    seen: set[int] = set()
    for index, stage in enumerate(roadmap.stages):
        if stage.number in seen:
            raise Unfit(name, f"{item('stages', index)}.number", f"expected each stage once; {stage.number} stands here again")
        seen.add(stage.number)
    if missing := sorted({1, 2, 3, 4} - seen):
        raise Unfit(name, "stages", f"expected the stages 1 to 4; {', '.join(map(str, missing))} is not described")


def _check_criterion(criterion: Criterion, name: str, path: str, metrics: Collection[str]) -> None:
    if criterion.deficit and criterion.required:
        raise Unfit(name, f"{path}.required", "expected false; a deficit is never required to be true")
    if len(set(criterion.evidence)) < len(criterion.evidence):
        raise Unfit(name, f"{path}.evidence", "expected each kind of evidence once")
    kinds: set[EvidenceKind] = set()
    for index, bound in enumerate(criterion.bounds):
        at = f"{path}.bounds[{index}]"
        if bound.evidence not in MACHINE:
            raise Unfit(name, f"{at}.evidence", f"expected one of {either(MACHINE)}; a person's word has no bound")
        if bound.evidence not in criterion.evidence:
            raise Unfit(
                name, f"{at}.evidence", f"expected a kind that the criterion's evidence lists; got {quoted(bound.evidence)}"
            )
        if bound.evidence in kinds:
            raise Unfit(name, f"{at}.evidence", f"expected at most one bound for each kind; {quoted(bound.evidence)} has two")
        if bound.partial and EvidenceKind.ATTESTED not in criterion.evidence:
            raise Unfit(name, f"{at}.partial", 'expected "attested" among the evidence; nobody could vouch for the rest')
        kinds.add(bound.evidence)
        demand.check(
            name,
            at,
            metric=bound.metric,
            metrics=metrics,
            role=bound.role,
            kind=bound.kind,
            at_least=bound.at_least,
            at_most=bound.at_most,
            min_days=bound.min_days,
        )
