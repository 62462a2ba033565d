"""A report: one judgement with its decisions, and everything a reader needs to understand and check it. Content, no format."""

import hashlib
from datetime import datetime
from typing import Literal

import msgspec

from netready.device import INFRASTRUCTURE, Device
from netready.roster import Users
from netready.site import Site
from netready.survey import Survey
from readiness.fit_gap import Bill
from readiness.gaps import Item
from readiness.gate import Answer, Decision
from readiness.judgement import Judgement
from readiness.next_steps import Advance
from readiness.roadmap import Roadmap
from readiness.standards import Comparison

OPEN = frozenset({Answer.GO, Answer.GO_WITH_CONDITIONS})


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What the judgement means for the school: nothing in it is judged again.

    users       where the number of students and staff comes from
    standards   the roadmap's two thresholds and the standard that the school chose, each with its denominator
    next_steps  for each dimension, easiest first
    fit_gap     what there is, what is wanted, what is missing; bills: what each goal would cost together
    """

    users: Users | None = None
    standards: tuple[Comparison, ...] = ()
    next_steps: tuple[Advance, ...] = ()
    fit_gap: tuple[Item, ...] = ()
    bills: tuple[Bill, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What every renderer explains and none of them changes.

    report_id   SHA-256, hex, of this structure's canonical JSON with `report_id` left empty
    decisions   one for each wave of the policy, in the policy's order
    wave        id of the wave that the first page is about
    survey      the last one; devices that may belong to a person are only counted in it (see `report`)
    lang        BCP 47 tag of the words around the data
    """

    version: Literal[1] = 1
    report_id: str
    generated_at: datetime
    software: str
    lang: Literal["en"] = "en"
    site: Site
    wave: str
    decisions: tuple[Decision, ...]
    judgement: Judgement
    outlook: Outlook
    roadmap: Roadmap
    survey: Survey | None

    @property
    def decision(self) -> Decision:
        """The decision that the first page is about."""
        return next(decision for decision in self.decisions if decision.wave == self.wave)


def report(
    *,
    judgement: Judgement,
    outlook: Outlook,
    decisions: tuple[Decision, ...],
    roadmap: Roadmap,
    site: Site,
    survey: Survey | None,
    generated_at: datetime,
    software: str,
    wave: str | None = None,
) -> Report:
    """A report about `wave`; when none is asked for, about the first wave that is not open, else about the last.

    Devices outside `INFRASTRUCTURE` lose addresses, names, rooms and ports here, before any format sees them: a device list
    that points at people is personal data, a count is not. Raises ValueError when the parts do not belong together.
    """
    _check(judgement, decisions, roadmap)
    asked = wave if wave is not None else _first_closed(decisions)
    if asked not in {decision.wave for decision in decisions}:
        known = ", ".join(decision.wave for decision in decisions)
        raise ValueError(f"wave {asked!r} is not in the policy; it has {known}")
    content = Report(
        report_id="",
        generated_at=generated_at,
        software=software,
        site=site,
        wave=asked,
        decisions=decisions,
        judgement=judgement,
        outlook=outlook,
        roadmap=roadmap,
        survey=None if survey is None else without_people(survey),
    )
    return msgspec.structs.replace(content, report_id=digest(content))


def digest(content: Report) -> str:
    """The id that `content` should carry: SHA-256, hex, of its canonical JSON with `report_id` left empty."""
    return hashlib.sha256(canonical(msgspec.structs.replace(content, report_id=""))).hexdigest()


def canonical(content: Report) -> bytes:
    """JSON with sorted keys and no white space, in UTF-8: the same content always gives the same bytes."""
    return msgspec.json.encode(content, order="sorted")


def without_people(survey: Survey) -> Survey:
    """`survey` with what could point at a person taken off its devices. Their number, kinds and makers stay."""
    kept = [device for device in survey.devices if device.kind in INFRASTRUCTURE]
    # Sorted before they are numbered, so that the order of addresses does not shine through.
    others = sorted(
        (device for device in survey.devices if device.kind not in INFRASTRUCTURE),
        key=lambda device: (device.kind, device.vendor or "", device.how, device.random),
    )
    counted = [_counted(number, device) for number, device in enumerate(others, start=1)]
    return msgspec.structs.replace(survey, devices=(*kept, *counted))


def _counted(number: int, device: Device) -> Device:
    return Device(
        key=f"counted-{number}",
        mac=None,
        addresses=(),
        names=(),
        kind=device.kind,
        vendor=device.vendor,
        random=device.random,
        how=device.how,
    )


def _check(judgement: Judgement, decisions: tuple[Decision, ...], roadmap: Roadmap) -> None:
    if not decisions:
        raise ValueError("a report needs at least one decision")
    if judgement.roadmap_digest != roadmap.digest:
        raise ValueError(f"the judgement was made with roadmap {judgement.roadmap_digest}, not with {roadmap.digest}")
    judged = {verdict.criterion for verdict in judgement.verdicts}
    known = {criterion.id for criterion in roadmap.criteria}
    if judged != known:
        differing = ", ".join(sorted(judged ^ known)[:5])
        raise ValueError(f"judgement and roadmap do not list the same criteria: {differing}")


def _first_closed(decisions: tuple[Decision, ...]) -> str:
    closed = (decision.wave for decision in decisions if decision.answer not in OPEN)
    return next(closed, decisions[-1].wave)
