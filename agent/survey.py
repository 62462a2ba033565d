"""One survey: the only place where instruments are run. It says what it will do, does it, and reports on itself."""

import sys
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from agent.capabilities import held
from agent.census import count
from agent.config import Config, authority
from collectors.kinds import Naming
from netready import __version__
from netready.authority import Refused
from netready.clock import Clock
from netready.device import Sighting
from netready.instrument import Capability, Chance, Context, Instrument
from netready.measurement import Measurement
from netready.survey import Run, Survey

ASSUMED_RATE = 100e6  # bit/s: foretells the data a throughput test moves when no contract says how fast the line is


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a survey will do with one instrument, said before it begins. `skipped` says why it will not run."""

    instrument: str
    does: str
    seconds: float
    bytes: float
    skipped: str | None = None


def plan(config: Config, rows: Iterable[Instrument], rights: frozenset[Capability]) -> tuple[Step, ...]:
    """The survey's steps in order, with about how long each takes (s) and how much it moves (bytes)."""
    down, up = config.site.contracted_down or ASSUMED_RATE, config.site.contracted_up or ASSUMED_RATE
    steps = []
    for row in rows:
        settings = config.settings(row)
        reason = _reason(row, settings, config, rights)
        steps.append(
            Step(
                instrument=row.name,
                does=row.does,
                seconds=0.0 if reason else row.seconds(settings),
                bytes=0.0 if reason else row.load(settings, (down + up) / 2),
                skipped=reason,
            )
        )
    return tuple(steps)


def take(
    config: Config,
    rows: Iterable[Instrument],
    *,
    clock: Clock,
    chance: Chance,
    say: Callable[[str], None],
    rights: frozenset[Capability] | None = None,
) -> Survey:
    """Make one survey. A network that fails is in it as data; an instrument that breaks costs its own line.

    Raises Refused, before anything is sent, when the config asks for a target that nobody authorised.
    """
    rows = tuple(rows)
    allowed = held() if rights is None else rights
    context = Context(clock=clock, chance=chance, authority=authority(config, rows), say=say)
    for row in rows:
        settings = config.settings(row)
        for host in () if _reason(row, settings, config, allowed) else row.targets(settings):
            context.authority.allow_host(host)
    started = clock.now()
    measurements: list[Measurement] = []
    sightings: list[Sighting] = []
    runs: list[Run] = []
    for row in rows:
        settings = config.settings(row)
        reason = _reason(row, settings, config, allowed)
        if reason is not None:
            runs.append(Run(instrument=row.name, method=row.method, ok=True, seconds=0.0, skipped=reason))
            continue
        say(f"{row.name}: {row.does}")
        runs.append(_run(row, settings, context, measurements, sightings))
    finished = clock.now()
    naming = Naming(student=config.inventory.student_names, staff=config.inventory.staff_names)
    return Survey(
        id=survey_id(started, chance),
        site=config.site.name,
        software=f"netready {__version__}",
        started_at=started,
        finished_at=finished,
        measurements=tuple(measurements),
        devices=count(sightings, naming),
        runs=tuple(runs),
        bytes_sent=_total(measurements, "bytes_sent"),
        bytes_received=_total(measurements, "bytes_received"),
    )


def survey_id(started: datetime, chance: Chance) -> str:
    """A name for a survey that sorts by time and collides with nobody's: UTC second and 40 random bits."""
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{chance.getrandbits(40):010x}"


def read(row: Instrument, settings: object, context: Context) -> tuple[list[Measurement], list[Sighting]]:
    """Everything one instrument yields. An instrument that breaks raises."""
    measurements: list[Measurement] = []
    sightings: list[Sighting] = []
    _gather(row, settings, context, measurements, sightings)
    return measurements, sightings


def _run(
    row: Instrument, settings: object, context: Context, measurements: list[Measurement], sightings: list[Sighting]
) -> Run:
    """Run one instrument into the survey's lists; what it gave before it broke is kept."""
    begun = context.clock.monotonic()
    before = len(measurements), len(sightings)
    broke = None
    try:
        _gather(row, settings, context, measurements, sightings)
    except Refused:
        raise
    except Exception as error:  # noqa: BLE001 - the one place where a broken instrument is kept from spoiling the others
        traceback.print_exc(file=sys.stderr)
        broke = f"{type(error).__name__}: {error}"[:300]
    return Run(
        instrument=row.name,
        method=row.method,
        ok=broke is None,
        seconds=context.clock.monotonic() - begun,
        measurements=len(measurements) - before[0],
        sightings=len(sightings) - before[1],
        error=broke,
    )


def _gather(
    row: Instrument, settings: object, context: Context, measurements: list[Measurement], sightings: list[Sighting]
) -> None:
    for reading in row.read(settings, context):
        match reading:
            case Measurement():
                measurements.append(reading)
            case Sighting():
                sightings.append(reading)


def _reason(row: Instrument, settings: object, config: Config, rights: frozenset[Capability]) -> str | None:
    if row.name in config.survey.skip:
        return "left out by survey.skip in the config"
    if (reason := row.missing(settings)) is not None:
        return reason
    lacking = sorted(row.needs - rights)
    return f"this machine does not allow it ({', '.join(lacking)}); `netready doctor` says how to" if lacking else None


def _total(measurements: Iterable[Measurement], name: str) -> int:
    return int(sum(each.detail(name) or 0.0 for each in measurements))
