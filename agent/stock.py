"""Stock: what the census works out of a survey's devices, for the judgement, which knows no census."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date

from agent.config import Config
from census.coverage import CLIENTS, busy_hour
from census.lifecycle import End, end_of
from census.specification import Specification, lacks, named, untold
from netready.device import Device, Kind
from netready.measurement import Measurement
from netready.survey import Survey
from readiness.inventory import Served, Told

_DATING = ("updates_until", "model", "os", "os_version")  # the facts that `end_of` asks for


def told(config: Config, survey: Survey | None, readings: Iterable[Measurement], today: date) -> Told:
    """What the judgement is told of the latest survey's devices, and of the clients of access points among `readings`.

    `today` is the site's own date: support that ended yesterday has ended, even if it had not when the devices were seen.
    """
    devices = () if survey is None else survey.devices
    ends = [(device, end) for device, end in _ends(devices) if end is not None]
    ended = sum(end.day < today for _, end in ends)
    wanted = named(config.inventory.specification) if config.inventory.specification else None
    held, meeting = _held(devices, wanted)
    return Told(
        forgotten={} if survey is None else survey.forgotten,
        lasting=len(ends) - ended,
        ended=ended,
        dated=sum(device.kind is Kind.STUDENT_DEVICE for device, _ in ends),
        specification="" if wanted is None else wanted.title,
        held=held,
        meeting=meeting,
        served=served(config, readings),
    )


def _ends(devices: Iterable[Device]) -> Iterator[tuple[Device, End | None]]:
    """A school has many devices and few models, and the table is long."""
    known: dict[tuple[str, ...], End | None] = {}
    for device in devices:
        key = tuple(device.facts.get(name, "") for name in _DATING)
        if key not in known:
            known[key] = end_of(device) if any(key) else None
        yield device, known[key]


def _held(devices: Iterable[Device], wanted: Specification | None) -> tuple[int, int]:
    """Student devices of which enough is told to hold them against it, and those of them that lack nothing."""
    if wanted is None:
        return 0, 0
    students = [device for device in devices if device.kind is Kind.STUDENT_DEVICE and not untold(device, wanted)]
    return len(students), sum(not lacks(device, wanted) for device in students)


def served(config: Config, readings: Iterable[Measurement]) -> Served | None:
    """Clients of each access point in the busy hour of school days; at any hour where none was read in school hours."""
    site = config.site
    told_of = (each for each in readings if each.metric == CLIENTS and each.value is not None)
    every = [(each.taken_at.astimezone(site.zone), each) for each in told_of]
    in_school = [(at, each) for at, each in every if site.calendar.in_session(at.date(), at.time())]
    busy = busy_hour((each for _, each in in_school or every), site.zone)
    if busy is None:
        return None
    counted = [(at, each) for at, each in in_school or every if at.hour == busy.hour]
    moments = sorted(at for at, _ in counted)
    return Served(
        clients=busy.clients,
        hour=busy.hour,
        readings=busy.readings,
        days=len({at.date() for at, _ in in_school if at.hour == busy.hour}),
        first_at=moments[0].astimezone(UTC),
        last_at=moments[-1].astimezone(UTC),
        methods=tuple(sorted({each.method for _, each in counted})),
    )
