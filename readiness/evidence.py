"""Evidence: what is known about one number or one answer, how it came about, and how sure it is."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.device import Kind
from netready.measurement import Measurement
from netready.refusal import Unfit, decode, item, quoted
from netready.site import Role
from readiness.roadmap import EvidenceKind, Roadmap


class Grade(StrEnum):
    """How far evidence carries."""

    CONCLUSIVE = "conclusive"
    PROVISIONAL = "provisional"  # too few school days for a decision that lasts
    LIMITED = "limited"  # something other than the line kept the number down


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One number with its pedigree, in the metric's base unit; `value` None means nothing is known, and `note` says why.

    interval   95 %, same unit; of devices_in_support, the range that the devices without a date leave open
    at_least   the true value is this or more: a test proves no upper bound, and what was off was not counted
    at_most    the true value is this or less: it was divided by such a count
    samples    readings behind the value; failures: readings that did not succeed
    days       distinct school days with readings; first_at/last_at bound the window
    methods    instrument/version words; two throughput methods are never averaged
    surveys    ids of the surveys the readings came from
    """

    kind: EvidenceKind
    metric: str
    value: float | None
    role: Role | None = None
    device: Kind | None = None
    target: str = ""
    interval: tuple[float, float] | None = None
    at_least: bool = False
    at_most: bool = False
    samples: int = 0
    failures: int = 0
    days: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    methods: tuple[str, ...] = ()
    grade: Grade = Grade.PROVISIONAL
    limited_by: tuple[str, ...] = ()
    surveys: tuple[str, ...] = ()
    note: str = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A measurement and the survey it belongs to, as the store hands it over."""

    survey: str
    measurement: Measurement


class Attestation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person vouches for a criterion: who, in what role, when, on what document, until when.

    document     its title; document_on its date, sha256 of its file, kept where it lies
    """

    criterion: Annotated[str, Meta(min_length=1)]
    answer: bool
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    role: Annotated[str, Meta(min_length=1, max_length=120)]
    on: date
    until: date
    document: Annotated[str, Meta(max_length=300)] = ""
    document_on: date | None = None
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    kept: Annotated[str, Meta(max_length=300)] = ""
    note: Annotated[str, Meta(max_length=500)] = ""

    def __post_init__(self) -> None:
        if self.until <= self.on:
            msg = f"until {self.until} must be later than on {self.on}"
            raise ValueError(msg)

    def counts(self, today: date) -> bool:
        """Whether it counts on `today`, the site's own date: it has been given, and has not run out."""
        return self.on <= today <= self.until


class _Attestations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    attestations: tuple[Attestation, ...] = ()


def parse_attestations(data: bytes, name: str, roadmap: Roadmap, today: date) -> tuple[Attestation, ...]:
    """The `[[attestations]]` of a file, in its order; raises Unfit. `today` is the site's own date.

    One that has expired is accepted: that it once held is on the record, and the judgement says that it no longer counts.
    """
    attestations = decode(data, name, _Attestations).attestations
    known = {criterion.id for criterion in roadmap.criteria}
    seen: dict[str, int] = {}
    for index, one in enumerate(attestations):
        path = item("attestations", index, one.criterion)
        if one.criterion not in known:
            raise Unfit(
                name, f"{path}.criterion", f"{quoted(one.criterion)} is not a criterion of {roadmap.id} {roadmap.version}"
            )
        if one.on > today:
            raise Unfit(
                name, f"{path}.on", f"expected {today} or earlier; nobody can vouch on {one.on}, which is still to come"
            )
        if one.criterion in seen:
            first = seen[one.criterion]
            raise Unfit(
                name, f"{path}.criterion", f"expected one answer for each criterion; attestations[{first}] gives one too"
            )
        seen[one.criterion] = index
    return attestations
