"""A year of five-minute rows of one school, read from the SQLite store and gathered."""

import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from netready.measurement import Measurement
from netready.site import Circuit, Site
from netready.survey import Survey
from readiness.evidence import Reading
from readiness.gather import gather
from store import open_store

DAYS, A_DAY = 365, 288  # rows five minutes apart
STEP = timedelta(minutes=5)
RUNS = 5
COUNTER = "10.20.0.1 wan0"


def year(now: datetime) -> Iterator[tuple[str, str, str]]:
    """What reading them takes, what gathering them takes, and both: medians of five runs, ms."""
    site = Site(
        name="Bench",
        students=480,
        staff=40,
        classrooms=24,
        circuits=(Circuit(name="Fibre", contracted_down=3e8, contracted_up=3e8, counter=COUNTER),),
    )
    since = now - timedelta(days=DAYS)
    took: list[tuple[float, float]] = []
    with TemporaryDirectory() as folder, open_store(Path(folder) / "netready.sqlite") as store:
        for day in range(DAYS):
            first = now - timedelta(days=DAYS - day) + STEP
            rows = tuple(_row(first + STEP * place, day * A_DAY + place) for place in range(A_DAY))
            store.add(
                Survey(
                    id=f"s{day}", site="Bench", software="-", started_at=first, finished_at=rows[-1].taken_at, measurements=rows
                )
            )
        count = 0
        for _ in range(RUNS):
            begun = time.perf_counter()
            readings = [Reading(survey=name, measurement=measurement) for name, measurement in store.readings(since, now)]
            read = time.perf_counter()
            found = gather(site, readings, (), now=now, window_days=DAYS)
            took.append((read - begun, time.perf_counter() - read))
            count = len(readings)
        if found.down.used.value is None:
            raise RuntimeError(found.down.used.how)
    yield ("read a year of five-minute rows from SQLite", f"{count:,}", f"{statistics.median(a for a, _ in took) * 1e3:.0f}")
    yield ("gather them", f"{count:,}", f"{statistics.median(b for _, b in took) * 1e3:.0f}")
    yield ("both", f"{count:,}", f"{statistics.median(a + b for a, b in took) * 1e3:.0f}")


def _row(at: datetime, number: int) -> Measurement:
    return Measurement.of("interface_received", COUNTER, at, number * 1e9, "snmp/1", uptime=number * 300.0)
