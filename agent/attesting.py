"""What people vouch for: the config's file and the store's own record, and how new answers come into it."""

import hashlib
from datetime import date, datetime
from pathlib import Path

import msgspec

from agent import shelf
from agent.config import Config, ConfigError
from readiness import attestation_form
from readiness.attestation_form import asked
from readiness.evidence import Attestation
from readiness.judge import newest_last
from readiness.roadmap import Criterion, Roadmap
from store import Store


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An attestation with where it stands: in the config's file, or written down in the store, and when."""

    attestation: Attestation
    source: str
    at: datetime | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion that a person can vouch for, with the answer that stands, if any, and whether it still counts."""

    criterion: Criterion
    stage: str
    answer: Entry | None
    counts: bool
    history: int


def entries(config: Config, store: Store, roadmap: Roadmap, today: date) -> tuple[Entry, ...]:
    """Everything that was ever vouched for: the config's file first, then the store's record, oldest first."""
    file = config.readiness.attestations
    ours = [Entry(attestation=one, source=file) for one in shelf.attestations(config, roadmap, today)]
    kept = [
        Entry(attestation=msgspec.json.decode(body, type=Attestation), source=source, at=at)
        for at, source, body in store.vouched()
    ]
    return (*ours, *kept)


def vouched(config: Config, store: Store, roadmap: Roadmap, today: date) -> tuple[Attestation, ...]:
    """All attestations, for the judgement; of criteria that the roadmap does not have any more there are none."""
    known = {criterion.id for criterion in roadmap.criteria}
    return tuple(entry.attestation for entry in entries(config, store, roadmap, today) if entry.attestation.criterion in known)


def questions(config: Config, store: Store, roadmap: Roadmap, today: date) -> tuple[Question, ...]:
    """Every question with the newest answer."""
    given: dict[str, list[Entry]] = {}
    for entry in entries(config, store, roadmap, today):
        given.setdefault(entry.attestation.criterion, []).append(entry)
    found = []
    for criterion in asked(roadmap):
        answers = sorted(given.get(criterion.id, ()), key=lambda entry: newest_last(entry.attestation))
        newest = answers[-1] if answers else None
        found.append(
            Question(
                criterion=criterion,
                stage=roadmap.stage_name(criterion.stage),
                answer=newest,
                counts=newest is not None and newest.attestation.counts(today),
                history=len(answers),
            )
        )
    return tuple(found)


def read_form(path: Path, roadmap: Roadmap, today: date) -> tuple[tuple[Attestation, ...], str]:
    """The answers of a filled-in form, and its name with its digest; raises Unfit and ConfigError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    found = attestation_form.parse(data, str(path), roadmap, today)
    return found, f"{path.name}, SHA-256 {hashlib.sha256(data).hexdigest()}"


def keep(store: Store, found: tuple[Attestation, ...], *, source: str, at: datetime) -> tuple[Attestation, ...]:
    """Write down those that say anything new; which they are."""
    newest: dict[str, bytes] = {}
    for _, _, body in store.vouched():
        newest[msgspec.json.decode(body, type=Attestation).criterion] = body
    new = tuple(one for one in found if newest.get(one.criterion) != msgspec.json.encode(one))
    store.vouch(at, source, [(one.criterion, msgspec.json.encode(one)) for one in new])
    return new
