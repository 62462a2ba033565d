"""Decisions on record: kept with what they were made from, listed, made again, and handed on as a file."""

from datetime import date, datetime
from pathlib import Path

import msgspec

from agent import files
from agent.assessment import PROGRAM, Assessment
from agent.config import ConfigError
from netready.refusal import Unfit
from netready.text import clean
from readiness import record
from readiness.decision import Decision
from readiness.record import Kept, Replay
from readiness.roadmap import Roadmap
from store import Store


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A decision on record. `expired`: it opens no new wave any more; `replayable`: what it was made from is kept too."""

    number: int
    decided_at: datetime
    wave: str
    answer: str
    valid_until: date
    expired: bool
    replayable: bool


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a decision that every version of the program wrote alike."""

    decided_at: datetime
    wave: str
    answer: str
    valid_until: date
    inputs: dict[str, str] = {}


def keep(store: Store, assessed: Assessment, decision: Decision) -> tuple[int, Decision]:
    """Put a decision on record with all it was made from; its number, and the decision that names its inputs."""
    whole = record.stamped(decision, assessed.inputs)
    number = store.add_decision(
        decided_at=whole.decided_at,
        wave=whole.wave,
        answer=whole.answer,
        body=msgspec.json.encode(whole),
        inputs={record.digest(part): part for part in record.parts(assessed.inputs).values()},
    )
    return number, whole


def listed(store: Store, today: date) -> tuple[Listed, ...]:
    """Every decision on record, oldest first. `today` is the site's own date."""
    found = []
    for number, body in store.decisions():
        head = msgspec.json.decode(body, type=_Head)
        found.append(
            Listed(
                number=number,
                decided_at=head.decided_at,
                wave=head.wave,
                answer=head.answer,
                valid_until=head.valid_until,
                expired=head.valid_until < today,
                replayable=bool(head.inputs),
            )
        )
    return tuple(found)


def write(path: Path, assessed: Assessment, decision: Decision) -> None:
    """Hand a decision on: it and everything it was made from in one file, which `replay` reads anywhere."""
    inputs = {name: part.decode() for name, part in record.parts(assessed.inputs).items()}
    kept = Kept(decision=msgspec.Raw(msgspec.json.encode(decision)), inputs=inputs)
    # It names people: who may read it is for its owner to say.
    files.replace(path, msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n", mode=files.OWNER)


def numbered(store: Store, number: int) -> bytes:
    """The JSON of a decision on record; ConfigError when there is none of this number."""
    found = store.decisions()
    for one, body in found:
        if one == number:
            return body
    there = f"there are {found[0][0]} to {found[-1][0]}" if found else "there is none yet"
    raise ConfigError(f"{store.path}: no decision has the number {number}; {there}")


def from_file(path: Path) -> Kept:
    """What a file hands on: a decision with its inputs, or the decision alone as `netready gate --json` prints it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        return msgspec.json.decode(data, type=Kept) if "decision" in fields else Kept(decision=msgspec.Raw(data))
    except (msgspec.DecodeError, RecursionError) as error:
        expected = "expected a decision as `netready gate --json` or `netready gate --record` writes it"
        raise Unfit(str(path), "", f"{expected}; {clean(str(error))}") from None


def complete(store: Store, decision: bytes, name: str) -> Kept:
    """A decision with those of its inputs that the store holds; raises Unfit for what is no decision."""
    names = record.read(decision, name).inputs
    held = store.decision_inputs(names.values())
    inputs = {part: held[digest].decode(errors="replace") for part, digest in names.items() if digest in held}
    return Kept(decision=msgspec.Raw(decision), inputs=inputs)


def again(kept: Kept, name: str, roadmap: Roadmap) -> Replay:
    """Make a kept decision again and compare. `roadmap` is the one in use here; raises Unfit for what is no decision."""
    inputs = {part: text.encode() for part, text in kept.inputs.items()}
    found = record.replay(bytes(kept.decision), inputs, name=name, program=PROGRAM)
    decision = record.read(bytes(kept.decision), name)
    if decision.roadmap_digest == roadmap.digest:
        return found
    theirs = f"{clean(decision.roadmap)} {clean(decision.roadmap_version)} ({decision.roadmap_digest[:12]})"
    note = f"it was made with roadmap {theirs}; the one in use here is {roadmap.id} {roadmap.version} ({roadmap.digest[:12]})"
    return msgspec.structs.replace(found, notes=(*found.notes, note))
