"""The record: all that a decision was made from, kept beside it, so that anybody can make it again and compare the bytes."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from netready.metric import CATALOGUE
from netready.refusal import Unfit
from netready.site import Site
from netready.text import clean
from readiness.decision import Decision
from readiness.evidence import Attestation
from readiness.gate import decide
from readiness.gather import Gathered
from readiness.judge import judge
from readiness.judgement import Judgement
from readiness.policy import Policy, parse_policy
from readiness.roadmap import Roadmap
from readiness.roadmap import parse as parse_roadmap
from readiness.waiver import Waiver

_SHOWN = 120  # characters of a value that differs
# What comes of inputs that no program of ours wrote, though their digests fit: a file may come from anywhere.
_UNREADABLE = (Unfit, msgspec.DecodeError, ArithmeticError, LookupError, TypeError, ValueError)


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions of one moment are made from. `roadmap` and `policy` are their files' bytes.

    Pure data: the same inputs give the same decisions, byte for byte, on any machine with the same program.
    """

    program: str  # "netready" and its version
    moment: datetime
    site: Site
    evidence: Gathered
    attestations: tuple[Attestation, ...]
    waivers: tuple[Waiver, ...]
    roadmap: bytes
    policy: bytes


PARTS: tuple[str, ...] = Inputs.__struct_fields__
_FILES = frozenset({"roadmap", "policy"})


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as a file hands it on: its JSON, and the text of every input by name."""

    decision: msgspec.Raw
    inputs: dict[str, str] = {}


class Sameness(StrEnum):
    """What came of making a decision again."""

    SAME = "same"
    DIFFERS = "differs"
    CANNOT_SAY = "cannot say"


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A kept decision and what came of making it again.

    size       bytes of the kept decision
    differs    what is not as the decision says: an input by its name, or, when all inputs are, a field of the decision
    notes      what a reader must know beside it, such as another version of the program
    """

    outcome: Sameness
    wave: str
    answer: str
    decided_at: datetime
    size: int
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def parts(inputs: Inputs) -> dict[str, bytes]:
    """Each input's bytes, in a form that reads back to the same value."""
    values = {name: getattr(inputs, name) for name in PARTS}
    return {name: value if name in _FILES else msgspec.json.encode(value) for name, value in values.items()}


def settled(evidence: Gathered) -> Gathered:
    """The evidence as it will be read again, so that no number's type can tell today's decision from its replay."""
    return msgspec.json.decode(msgspec.json.encode(evidence), type=Gathered)


def digest(part: bytes) -> str:
    """The name under which an input is kept and referred to: SHA-256, hex."""
    return hashlib.sha256(part).hexdigest()


def conclude(inputs: Inputs, roadmap: Roadmap, policy: Policy) -> tuple[Judgement, tuple[Decision, ...]]:
    """The judgement and the decision for every wave. `roadmap` and `policy` are the inputs' own, already read.

    Dates are the site's own: a waiver that runs until Friday ends with Friday there.
    """
    judgement = judge(roadmap, inputs.site, inputs.evidence, inputs.attestations, now=inputs.moment)
    local = inputs.moment.astimezone(inputs.site.zone)
    return judgement, tuple(decide(policy, wave.id, judgement, roadmap, inputs.waivers, now=local) for wave in policy.waves)


def stamped(decision: Decision, inputs: Inputs) -> Decision:
    """The decision with the names of what it was made from."""
    named = {name: digest(part) for name, part in parts(inputs).items()}
    return msgspec.structs.replace(decision, software=inputs.program, inputs=named)


def read(kept: bytes, name: str) -> Decision:
    """A decision's JSON; raises Unfit when it is none, or one of another shape than this program makes."""
    try:
        return msgspec.json.decode(kept, type=Decision)
    except msgspec.DecodeError as error:
        raise Unfit(name, "", f"expected a decision as `netready gate --json` prints it; {clean(str(error))}") from None


def replay(kept: bytes, given: Mapping[str, bytes], *, name: str, program: str) -> Replay:
    """Make a decision again from its inputs' bytes, and compare. `program` is this one; raises Unfit for what is no decision.

    kept       the decision's JSON; white space between its values does not count
    given      the inputs by name, as far as there are any
    """
    kept = _compact(kept, name)
    decision = read(kept, name)

    def found(outcome: Sameness, differs: tuple[str, ...], *notes: str) -> Replay:
        return Replay(
            outcome=outcome,
            wave=decision.wave,
            answer=decision.answer,
            decided_at=decision.decided_at,
            size=len(kept),
            differs=differs,
            notes=(*_versions(decision, program), *notes),
        )

    if not decision.inputs:
        return found(Sameness.CANNOT_SAY, (), "its inputs were not kept with it")
    if missing := [part for part in PARTS if part not in given or part not in decision.inputs]:
        return found(Sameness.CANNOT_SAY, (), f"no longer there of its inputs: {', '.join(missing)}")
    changed = tuple(
        f"{part}: SHA-256 {digest(given[part])}, and the decision was made from {decision.inputs[part]}"
        for part in PARTS
        if digest(given[part]) != decision.inputs[part]
    )
    if changed:
        return found(Sameness.DIFFERS, changed)
    try:
        made = _again(decision, given)
    except _UNREADABLE as error:
        return found(
            Sameness.CANNOT_SAY, (), f"this program can decide nothing from its inputs: {clean(str(error), limit=300)}"
        )
    if made is None:
        return found(Sameness.DIFFERS, (f"wave: {decision.wave} is none of the policy's",))
    if made != kept:
        return found(Sameness.DIFFERS, _differing(kept, made))
    return found(Sameness.SAME, ())


def _again(decision: Decision, given: Mapping[str, bytes]) -> bytes | None:
    """The same wave's decision from the inputs; None when the policy has no such wave."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Inputs):
        part = given[field.name]
        values[field.name] = part if field.name in _FILES else msgspec.json.decode(part, type=field.type)
    inputs = Inputs(**values)
    roadmap = parse_roadmap(inputs.roadmap, "roadmap", CATALOGUE)
    policy = parse_policy(inputs.policy, "policy", roadmap, CATALOGUE)
    _, decisions = conclude(inputs, roadmap, policy)
    return next((msgspec.json.encode(stamped(one, inputs)) for one in decisions if one.wave == decision.wave), None)


def _compact(kept: bytes, name: str) -> bytes:
    try:
        return msgspec.json.format(kept, indent=-1)
    except msgspec.DecodeError as error:
        raise Unfit(name, "", f"expected JSON; {clean(str(error))}") from None


def _versions(decision: Decision, program: str) -> tuple[str, ...]:
    if not decision.software or decision.software == program:
        return ()
    return (f"it was made by {clean(decision.software)}; this is {program}",)


def _differing(kept: bytes, made: bytes) -> tuple[str, ...]:
    """The fields of the decision that come out otherwise, with both values."""
    old = msgspec.json.decode(kept, type=dict[str, msgspec.Raw])
    new = msgspec.json.decode(made, type=dict[str, msgspec.Raw])
    found = []
    for field in dict.fromkeys([*old, *new]):
        was, would = bytes(old.get(field, b"nothing")), bytes(new.get(field, b"nothing"))
        if was != would:
            found.append(f"{clean(field)}: kept is {clean(was, limit=_SHOWN)}; made again it is {clean(would, limit=_SHOWN)}")
    return tuple(found) or ("the order of its fields",)
