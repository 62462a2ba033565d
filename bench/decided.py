"""What it takes to keep decisions with all they were made from, and to make one again."""

import sqlite3
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from agent import assessment, deciding
from agent.config import load
from netready.measurement import Measurement
from netready.survey import Survey
from store import Store, open_store

DAYS, EVERY = 90, timedelta(hours=6)
RUNS = 11
SITE = """
[site]
name = "Bench"
students = 480
staff = 40
classrooms = 24
[[site.circuits]]
name = "Fibre"
contracted_down = "300M"
contracted_up = "300M"
[[site.endpoints]]
name = "LMS"
url = "https://lms.example.test/"
role = "lms"
"""
_SHARED = ("roadmap", "policy")  # of these the store has one for each version
Row = tuple[str, ...]


def decisions() -> Iterator[Row]:
    """A term of surveys every six hours, judged: the bytes that the decisions of one moment take in the store, and the time."""
    now = datetime.fromisoformat("2026-03-31T12:00:00+00:00")
    yield ("what", "figure")
    with TemporaryDirectory() as folder:
        file, path = Path(folder) / "netready.toml", Path(folder) / "netready.sqlite"
        file.write_text(SITE)
        config = load(file, ())
        with open_store(path) as store:
            _term(store, now)
            data = assessment.rules(config, now=now)
            assessed = assessment.assess(config, store, data, now=now)
            begun = time.perf_counter()
            kept = [deciding.keep(store, assessed, decision) for decision in assessed.decisions]
            took = (time.perf_counter() - begun) * 1e3
            with sqlite3.connect(path) as looker:
                stored = dict(looker.execute("SELECT sha256, length(body) FROM decision_input"))
            names = kept[0][1].inputs
            shared = sum(stored[names[part]] for part in _SHARED)
            bodies = [deciding.numbered(store, number) for number, _ in kept]
            again = deciding.complete(store, bodies[0], "bench")
            replays = [_replayed(again, data) for _ in range(RUNS)]
    surveys = len(msgspec.json.encode(kept[0][1].surveys))
    yield ("surveys", f"{len(kept[0][1].surveys):,}")
    yield ("inputs of one moment, which its waves share", f"{(sum(stored.values()) - shared) / 1e3:.1f} kB")
    yield ("roadmap and policy, once for each version", f"{shared / 1e3:.1f} kB")
    yield ("a decision's JSON, by wave", f"{min(map(len, bodies)) / 1e3:.1f} to {max(map(len, bodies)) / 1e3:.1f} kB")
    yield ("of it the names of surveys", f"{surveys / 1e3:.1f} kB")
    yield (f"keep {len(kept)} decisions", f"{took:.0f} ms")
    yield ("make one again", f"{statistics.median(replays):.0f} ms")


def _term(store: Store, now: datetime) -> None:
    for number in range(int(timedelta(days=DAYS) / EVERY)):
        at = now - timedelta(days=DAYS) + number * EVERY + timedelta(minutes=1)
        rows = (
            Measurement.of("throughput_down", "far:4433", at, 2.6e8 + number * 1e4, "netready/1", bytes_received=3e7),
            Measurement.of("throughput_up", "far:4433", at, 2.5e8 + number * 1e4, "netready/1", bytes_sent=3e7),
            Measurement.of("http_total_time", "https://lms.example.test/", at, 0.4, "http_fetch/1", role="lms"),
        )
        name = f"{at:%Y%m%dT%H%M%SZ}-{number:010x}"
        store.add(Survey(id=name, site="Bench", software="-", started_at=at, finished_at=at, measurements=rows))


def _replayed(kept: deciding.Kept, data: assessment.Rules) -> float:
    begun = time.perf_counter()
    found = deciding.again(kept, "bench", data.roadmap)
    if found.outcome != "same":
        raise RuntimeError(found.differs)
    return (time.perf_counter() - begun) * 1e3
