"""What the import tests share: sample files, and a clock that stands still."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.imports.format import Units
from collectors.imports.read import Import, read_file

SAMPLES = Path(__file__).parent / "samples"
UNITS = Units(student=("/Students/*", "students", "*élèves*"), staff=("/Staff/*", "staff"))


class StoppedClock:
    """It is always the same moment."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"a file is read without waiting, not {seconds} s")


@pytest.fixture(scope="session")
def clock_at() -> Callable[[datetime], StoppedClock]:
    return StoppedClock


@pytest.fixture
def read(tmp_path) -> Callable[..., Import]:
    """Read a file of `samples`, or one with the bytes given, as if it had been written just now."""

    def run(
        what: str | bytes, *, at: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC), name: str = "list.csv", **options
    ) -> Import:
        path = tmp_path / (what if isinstance(what, str) else name)
        if isinstance(what, str):
            shutil.copy(SAMPLES / what, path)
        else:
            path.write_bytes(what)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return read_file(path, clock=StoppedClock(at), **{"units": UNITS, **options})

    return run
