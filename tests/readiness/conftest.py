"""One small school, one small roadmap, and readings made by hand."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from netready.device import Device, Kind
from netready.failure import Failure
from netready.measurement import Measurement
from netready.metric import CATALOGUE
from netready.site import Circuit, Endpoint, Role, Site
from readiness import roadmap as roadmaps
from readiness.evidence import Attestation, Reading
from readiness.roadmap import Roadmap

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday in school hours; the site below lives in UTC

ROADMAP = b"""
id = "small"
version = "1"
title = "A small roadmap"
source = "made for the tests"

[[stages]]
number = 1
name = "Entry"
meaning = "the start"
[[stages]]
number = 2
name = "Emerging"
meaning = "some"
[[stages]]
number = 3
name = "Scaling"
meaning = "much"
[[stages]]
number = 4
name = "Transforming"
meaning = "all"

[[dimensions]]
id = "line"
title = "Line"
domain = "Technology"
question = "Is the line wide enough?"
gates = true
[[dimensions]]
id = "people"
title = "People"
domain = "Capacity"
question = "Do people know?"

[[criteria]]
id = "L.1"
dimension = "line"
stage = 1
what = "no plan"
why = "it is where one starts"
remedy = "plan"
evidence = ["attested"]
deficit = true
required = false
confidence = "high"
wanted = "a note"
[[criteria]]
id = "L.2"
dimension = "line"
stage = 2
what = "a hundred"
why = "pages load"
remedy = "buy more"
evidence = ["measured", "inventoried", "attested"]
confidence = "high"
wanted = "tests"
bounds = [
  { evidence = "measured", metric = "internet_down_per_1000", at_least = 100e6, min_days = 5, source = "[std] made up" },
  { evidence = "inventoried", metric = "contracted_down_per_1000", at_least = 100e6, source = "[std] made up" },
]
[[criteria]]
id = "L.3"
dimension = "line"
stage = 3
what = "the platform answers"
why = "lessons need it"
remedy = "ask the provider"
evidence = ["attested", "probed"]
confidence = "high"
wanted = "checks"
bounds = [{ evidence = "probed", metric = "platform_success", role = "lms", at_least = 0.99, source = "[prop] made up" }]
[[criteria]]
id = "P.2"
dimension = "people"
stage = 2
what = "somebody is named"
why = "somebody must know"
remedy = "name somebody"
evidence = ["attested"]
confidence = "low"
wanted = "a name"
[[criteria]]
id = "P.4"
dimension = "people"
stage = 4
what = "everybody knows"
why = "so that it lasts"
remedy = "teach"
evidence = ["attested"]
confidence = "low"
wanted = "a list"
"""


@pytest.fixture
def monday() -> datetime:
    return MONDAY


@pytest.fixture
def roadmap_text() -> bytes:
    return ROADMAP


@pytest.fixture
def roadmap() -> Roadmap:
    return roadmaps.parse(ROADMAP, "roadmap.toml", CATALOGUE)


@pytest.fixture
def school() -> Site:
    return Site(
        name="Small School",
        students=480,
        staff=40,
        classrooms=20,
        labs=1,
        carts=2,
        circuits=(Circuit(name="main", contracted_down=500e6, contracted_up=100e6, counter="10.20.0.1 wan0"),),
        endpoints=(Endpoint(name="LMS", url="https://lms.example.test/", role=Role.LMS),),
    )


@pytest.fixture
def throughput() -> Callable[..., list[Reading]]:
    """Tests on consecutive school days: `rates` in bit/s, one a day, starting on Monday 2 March 2026 at ten."""

    def make(
        rates: Iterable[float | Failure],
        *,
        direction: str = "down",
        method: str = "netready/1",
        start: datetime = MONDAY,
        **details,
    ) -> list[Reading]:
        made = []
        for number, one in enumerate(rates):
            at = start + timedelta(days=number + 2 * (number // 5))
            metric = f"throughput_{direction}"
            taken = (
                Measurement.failed(metric, "192.0.2.10:4433", at, one, method)
                if isinstance(one, Failure)
                else Measurement.of(metric, "192.0.2.10:4433", at, one, method, **details)
            )
            made.append(Reading(survey=f"s-{at:%m%d%H}", measurement=taken))
        return made

    return make


@pytest.fixture
def pages() -> Callable[..., list[Reading]]:
    """Page times in seconds, or failures, of one endpoint, five minutes apart."""

    def make(
        times: Iterable[float | Failure],
        *,
        target: str = "https://lms.example.test/",
        role: str = "lms",
        start: datetime = MONDAY,
    ) -> list[Reading]:
        made = []
        for number, one in enumerate(times):
            at = start + timedelta(minutes=5 * number)
            taken = (
                Measurement.failed("http_total_time", target, at, one, "http_fetch/1", role=role)
                if isinstance(one, Failure)
                else Measurement.of("http_total_time", target, at, one, "http_fetch/1", role=role)
            )
            made.append(Reading(survey=f"s-{at:%m%d%H}", measurement=taken))
        return made

    return make


@pytest.fixture
def counters() -> Callable[..., list[Reading]]:
    """Counter readings of the WAN interface in bytes, five minutes apart."""

    def make(
        values: Iterable[float],
        *,
        metric: str = "interface_received",
        target: str = "10.20.0.1 wan0",
        start: datetime = MONDAY,
        step: timedelta = timedelta(minutes=5),
        uptimes: Iterable[float] = (),
    ) -> list[Reading]:
        ups = list(uptimes)
        made = []
        for number, value in enumerate(values):
            details = {"uptime": ups[number]} if ups else {}
            taken = Measurement.of(metric, target, start + step * number, float(value), "snmp/1", **details)
            made.append(Reading(survey="s-counters", measurement=taken))
        return made

    return make


@pytest.fixture
def devices() -> Callable[..., list[Device]]:
    def make(**counts: int) -> list[Device]:
        made = []
        for name, count in counts.items():
            kind = Kind(name.replace("_", "-"))
            made += [
                Device(key=f"{kind}-{number}", mac=None, addresses=(), names=(), kind=kind, vendor=None)
                for number in range(count)
            ]
        return made

    return make


@pytest.fixture
def attest() -> Callable[..., Attestation]:
    def make(
        criterion: str, *, answer: bool = True, on: date = date(2026, 1, 5), until: date = date(2026, 12, 31)
    ) -> Attestation:
        return Attestation(criterion=criterion, answer=answer, name="A. Head", role="principal", on=on, until=until)

    return make
