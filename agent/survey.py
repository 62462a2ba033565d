"""One survey: the only place where instruments are run. It says what it will do, does it, and reports on itself."""

import sys
import traceback
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from agent import budget
from agent.budget import Left
from agent.capabilities import held
from agent.config import Config, authority
from agent.counting import NO_LISTS, NO_PAST, Lists, Past, Readings, counted, naming, reckoned, thrown_away
from agent.turn import Terms, Turn, fills
from netready import __version__
from netready.authority import Refused
from netready.clock import Clock
from netready.device import Sighting
from netready.failure import Failed
from netready.instrument import Capability, Chance, Context, Instrument
from netready.measurement import Measurement
from netready.privacy import Veil
from netready.sent import Sent
from netready.survey import Run, Survey

NO_CAP = Left()
EXAM = "exam mode: only what sends nothing runs"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a survey will do with one instrument, said before it begins. `skipped` says why it will not run."""

    instrument: str
    does: str
    seconds: float
    bytes: float
    skipped: str | None = None


def plan(
    config: Config,
    rows: Iterable[Instrument],
    rights: frozenset[Capability],
    *,
    left: Left = NO_CAP,
    now: datetime | None = None,
    exam: bool = False,
) -> tuple[Step, ...]:
    """The survey's steps in order, with about how long each takes (s) and how much it moves on the line (bytes).

    What is `left` of the data budget falls from step to step; `now` matters to quiet hours and to a profile that tests only at
    night; without it the plan is for any time.
    """
    steps = []
    for row in rows:
        settings = config.settings(row)
        if not row.wanted(settings):
            continue
        reason = why_not(row, settings, rights, exam=exam, skip=config.survey.skip)
        if reason is None and fills(row):
            reason = budget.forbidden(row, settings, config.budget.rules, now, config.site)
            hours = None if now is None or budget.is_target(row, settings) else config.line.quiet_now(config.site, now)
            reason = reason or (None if hours is None else f"quiet hours, {hours.text} (line.quiet)")
        if reason is None:
            try:
                settings = budget.fitted(row, settings, config.site, left)
            except Failed as failed:
                reason = f"{failed.failure}: {failed.reason}"
        moved = 0.0 if reason else budget.foretold(row, settings, config.site)
        left = left.after(moved)
        seconds = 0.0 if reason else row.seconds(settings)
        steps.append(Step(instrument=row.name, does=row.does, seconds=seconds, bytes=moved, skipped=reason))
    return tuple(steps)


def take(
    config: Config,
    rows: Iterable[Instrument],
    *,
    clock: Clock,
    chance: Chance,
    say: Callable[[str], None],
    rights: frozenset[Capability] | None = None,
    terms: Terms | None = None,
    exam: bool = False,
    own: Lists = NO_LISTS,
    before: Past = NO_PAST,
    cover: Veil | None = None,
) -> Survey:
    """Make one survey. A network that fails is in it as data; an instrument that breaks costs its own line.

    `own` is what the school's lists and room plan say, `before` what earlier surveys left, and `cover` the veil under which
    clients are kept; without it a key is made that nobody keeps. With `terms`, tests that fill the line wait for their turn
    and keep to the data budget; with `exam` only what sends nothing runs. Raises Refused, before anything is sent, when the
    config asks for a target that nobody authorised.
    """
    rows = tuple(rows)
    allowed = held() if rights is None else rights
    context = Context(clock=clock, chance=chance, authority=authority(config, rows), say=say)
    chosen = [
        (row, settings, why_not(row, settings, allowed, exam=exam, skip=config.survey.skip))
        for row in rows
        if row.wanted(settings := config.settings(row))
    ]
    started = clock.now()
    readings = run(chosen, context, known=own.sightings, terms=terms)
    finished = clock.now()
    veil = cover or thrown_away(config.site)
    kept = reckoned(
        counted(readings.sightings, own, naming(config), config.site.authorised),
        readings,
        config,
        own=own,
        before=before,
        cover=veil,
        now=finished,
    )
    return Survey(
        id=survey_id(started, chance),
        site=config.site.name,
        software=f"netready {__version__}",
        started_at=started,
        finished_at=finished,
        measurements=tuple(readings.measurements),
        devices=kept.devices,
        runs=tuple(readings.runs),
        findings=kept.findings,
        unseen=kept.unseen,
        answers=kept.answers,
        period=veil.period,
        bytes_sent=_total(readings.measurements, "bytes_sent"),
        bytes_received=_total(readings.measurements, "bytes_received"),
    )


def survey_id(started: datetime, chance: Chance) -> str:
    """A name for a survey that sorts by time and collides with nobody's: UTC second and 40 random bits."""
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{chance.getrandbits(40):010x}"


def run(
    chosen: Sequence[tuple[Instrument, Any, str | None]],
    context: Context,
    *,
    known: Sequence[Sighting] = (),
    terms: Terms | None = None,
) -> Readings:
    """Run instruments one after the other, each given with its settings and with why it will not run, if there is a reason.

    One that breaks costs its own line. `known` is what the school's lists say; an instrument may learn from them and from what
    those before it saw. Raises Refused, before anything is sent, for a target that nobody authorised.
    """
    for row, settings, reason in chosen:
        if reason is None:
            for host in row.targets(settings):
                context.authority.allow_host(host)
    readings = Readings()
    for row, settings, reason in chosen:
        turn = Turn(row=row, settings=row.learn(settings, (*known, *readings.sightings)), context=context, terms=terms)
        left_out = reason
        if left_out is None and (refusal := turn.refusal()) is not None:
            left_out = refusal.reason
        if left_out is not None:
            readings.runs.append(Run(instrument=row.name, method=row.method, ok=True, seconds=0.0, skipped=left_out))
            continue
        context.say(f"{row.name}: {row.does}")
        readings.runs.append(_run(turn, readings))
    return readings


def read(row: Instrument, settings: object, context: Context, terms: Terms | None = None) -> Readings:
    """Everything one instrument yields. An instrument that breaks raises."""
    readings = Readings()
    _gather(Turn(row=row, settings=settings, context=context, terms=terms), readings)
    return readings


def _run(turn: Turn, readings: Readings) -> Run:
    """Run one instrument into the lists; what it gave before it broke is kept."""
    clock = turn.context.clock
    begun = clock.monotonic()
    before = len(readings.measurements), len(readings.sightings), len(readings.sent)
    broke = None
    try:
        _gather(turn, readings)
    except Refused:
        raise
    except Exception as error:  # noqa: BLE001 - the one place where a broken instrument is kept from spoiling the others
        traceback.print_exc(file=sys.stderr)
        broke = f"{type(error).__name__}: {error}"[:300]
    return Run(
        instrument=turn.row.name,
        method=turn.row.method,
        ok=broke is None,
        seconds=clock.monotonic() - begun,
        measurements=len(readings.measurements) - before[0],
        sightings=len(readings.sightings) - before[1],
        sent=tuple(readings.sent[before[2] :]),
        error=broke,
    )


def _gather(turn: Turn, readings: Readings) -> None:
    for reading in turn.readings():
        match reading:
            case Measurement():
                readings.measurements.append(reading)
            case Sighting():
                readings.sightings.append(reading)
            case Sent():
                readings.sent.append(reading)


def exam_on(config: Config, now: datetime) -> bool:
    """Whether the config names today, at the site, as a day of examinations."""
    return now.astimezone(config.site.zone).date() in config.survey.exam_days


def why_not(
    row: Instrument, settings: object, rights: frozenset[Capability], *, exam: bool, skip: Container[str] = ()
) -> str | None:
    """Why an instrument will not run with these settings and `rights`, in a sentence; None when it will."""
    if exam and not row.silent:
        return EXAM
    if row.name in skip:
        return "left out by survey.skip in the config"
    if (reason := row.missing(settings)) is not None:
        return reason
    lacking = sorted(row.needs - rights)
    return f"this machine does not allow it ({', '.join(lacking)}); `netready doctor` says how to" if lacking else None


def _total(measurements: Iterable[Measurement], name: str) -> int:
    return int(sum(each.detail(name) or 0.0 for each in measurements))
