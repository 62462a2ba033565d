"""The real clock and real chance: the only place in the program where either is made."""

import random
import time
from datetime import UTC, datetime


class SystemClock:
    """This machine's clocks; see `netready.clock.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def system_chance() -> random.Random:
    """Unpredictable numbers from the operating system."""
    return random.SystemRandom()
