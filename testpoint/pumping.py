"""The thread that moves the load of all throughput1 streams. It ends when there is none, and begins with the next."""

import threading

from probes.throughput.channel import Now
from probes.throughput.pump import GLANCE, Pump, Rider
from probes.throughput.surroundings import Moment, cpu_share, read_moment
from probes.throughput.throughput1 import Machine

LOOK = 0.2  # s between readings of the processor's clocks


class Pumping:
    """One pump and its thread, for a whole server."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._pump = Pump(now)
        self._lock = threading.Lock()
        self._running = False
        self._before: Moment | None = None
        self.host = Machine()

    def add(self, rider: Rider) -> None:
        """Move this stream until it is lost or taken off by its own tick."""
        with self._lock:
            self._pump.add(rider)
            if not self._running:
                self._running = True
                self._before = None
                threading.Thread(target=self._run, name="pump", daemon=True).start()

    def remove(self, rider: Rider) -> None:
        """Leave this stream alone; only from its own `tick`, `hear` or `lost`."""
        self._pump.remove(rider)

    def _run(self) -> None:
        try:
            self._move()
        except BaseException:
            with self._lock:
                self._running = False  # the next stream begins another thread, which finds those of this one too
            raise

    def _move(self) -> None:
        while True:
            self._pump.turn(self._now() + GLANCE)
            self._look()
            if not len(self._pump):
                with self._lock:
                    if not len(self._pump):
                        self._running = False
                        return

    def _look(self) -> None:
        now = self._now()
        if self._before is not None and now - self._before.at < LOOK:
            return
        moment = read_moment(now, None)
        if self._before is not None:
            process, everybody = cpu_share(self._before, moment)
            self.host = Machine(Process=round(process, 3), All=round(everybody or 0.0, 3))
        self._before = moment
