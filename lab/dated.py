"""THE VIRTUAL SCHOOL's calendar: netready's commands as if it were earlier. Packets are sent now and are real; the date moves.

A stage of the roadmap asks for tests on several school days, and a demonstration lasts seconds. Nothing but the wall clock that
stamps readings is moved; durations are never taken from it.
"""

import importlib
import sys
from datetime import datetime, timedelta
from typing import Any

import msgspec

from lab.stages import Turn

FINISHED = (0, 1, 3)  # exit statuses of an audit that was kept, whatever its answer


def main() -> int:
    """Run the turns that stand on standard input; the exit status of the first that is not done, else 0."""
    clock: Any = importlib.import_module("agent.clock").SystemClock
    program: Any = importlib.import_module("agent.cli").main
    real = clock.now
    for turn in msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[Turn, ...]):
        ago = timedelta(seconds=turn.ago)

        def moved(self: object, ago: timedelta = ago) -> datetime:
            found: datetime = real(self)
            return found - ago

        clock.now = moved
        sys.argv = ["netready", *turn.argv]
        try:
            status = program()
        except SystemExit as ended:
            status = ended.code
        if status not in (None, *FINISHED):
            return int(status)
    return 0


if __name__ == "__main__":
    sys.exit(main())
