"""Time as an argument. The real clock lives in `agent`; tests move theirs by hand."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What an instrument may ask about time."""

    def now(self) -> datetime:
        """Wall-clock time, aware, in UTC. For stamps, never for durations."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that is never set back. For durations, never for stamps."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
