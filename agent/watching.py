"""Watching the line round a test: waiting until others leave it room, and putting their load beside the test's figures."""

from collections.abc import Callable, Iterator
from typing import Any

from agent import load, meter
from agent.budget import is_target
from agent.config import Config
from agent.line import busy
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument, Reading
from netready.measurement import Measurement
from probes.throughput.settings import Throughput

# Between two figures of one test no line is filled: what comes this soon after another belongs to the same load.
INSTANT = 0.1  # s
NOWHERE = "192.0.2.1"  # RFC 5737; only the routing table is asked for it, when the test server is not known beforehand


class Watch:
    """One test's view of the line: the router's counters where they can be read, else this machine's, else nothing.

    `note` says why it is not the router although one is named. It costs the test its load, never its figure.
    """

    def __init__(self, row: Instrument, settings: Any, context: Context, config: Config) -> None:
        self._row = row
        self._settings = settings
        self._context = context
        self._config = config
        self._seen: meter.Watched | None = None
        self._router: meter.Routers | None = None
        self._note = ""
        self._here = meter.here(next(iter(row.hosts(settings)), "") or NOWHERE, context.clock)
        if self._here is not None:
            found = meter.routers(config, context, self._here)
            if isinstance(found, str):
                self._doubt(found)
            else:
                self._router = found

    def wait(self, tries: int, *, even_if_busy: bool, quiet: Callable[[], str | None]) -> None:
        """Look at the line until it is free; Failed(line-busy) when it stays busy, or when quiet hours begin meanwhile."""
        rules, site, settings = self._config.line, self._config.site, self._settings
        directions = tuple(each.value for each in settings.directions) if isinstance(settings, Throughput) else ("down", "up")
        wanted = settings.at_least if is_target(self._row, settings) else 0.0
        for attempt in range(1, tries + 1):
            self._look()
            reason = None if self._seen is None else busy(self._seen.use, directions, site, rules.busy, wanted=wanted)
            if reason is None:
                return
            if even_if_busy:
                self._say(f"the line is busy: {reason}; tested all the same, as asked")
                return
            if attempt == tries:
                looks = f"; looked {tries} times, {rules.wait:.0f} s apart" if tries > 1 else ""
                raise Failed(Failure.LINE_BUSY, reason + looks)
            self._say(f"put off for {rules.wait:.0f} s: {reason}")
            self._context.clock.sleep(rules.wait)
            if not wanted and (hours := quiet()) is not None:
                raise Failed(Failure.LINE_BUSY, hours)

    def readings(self) -> Iterator[Reading]:
        """The instrument's readings, with the line's load beside each throughput that was measured."""
        clock = self._context.clock
        first = last = None if self._seen is None else self._seen.last
        active, began, ended = 0.0, clock.monotonic(), 0.0
        for reading in self._row.read(self._settings, self._context):
            if not isinstance(reading, Measurement) or not reading.metric.startswith("throughput_") or reading.value is None:
                yield reading
                continue
            direction = "down" if reading.metric.startswith("throughput_down") else "up"
            passed = clock.monotonic() - began
            before = 0.0 if self._seen is None else self._seen.use.of(direction)
            if self._router is not None and last is not None and (first is last or passed >= INSTANT):
                ended = began + passed
                try:
                    first, last, active = last, meter.settle(self._router, clock, last, direction, before), passed
                except (Failed, OSError) as error:
                    self._lose(self._router, error)
                began = clock.monotonic()
            if self._router is None or self._seen is None or first is None or last is None:
                yield load.noted(reading, self._note)
                continue
            found = load.span(first, last, direction, ended=ended, active=active, before=before, step=meter.POLL)
            yield load.annotate(reading, found, self._router.source)

    def _look(self) -> None:
        """At the router, else at this machine's interface, else at nothing."""
        clock, longest = self._context.clock, self._config.line.look
        self._seen = None
        if self._router is not None:
            self._say(f"looking at the line for up to {longest:.0f} s ({self._router.source})")
            try:
                self._seen = meter.watch(self._router, clock, longest)
            except (Failed, OSError) as error:
                self._lose(self._router, error)
            else:
                if self._seen.slow:
                    self._doubt(f"{self._router.source}: its counters are refreshed too seldom, once in {longest:.0f} s")
                    self._router = None
        if self._seen is None and self._here is not None:
            try:
                self._seen = meter.watch(self._here, clock, meter.HERE_SECONDS)
            except Failed as error:
                self._doubt(f"{self._here.source}: {error}")

    def _lose(self, router: meter.Routers, error: Failed | OSError) -> None:
        """Go on without the router; raises what is our own bug."""
        if classify(error) is None:
            raise error
        self._router = None
        self._doubt(f"{router.source}: {error}")

    def _doubt(self, note: str) -> None:
        self._note = note
        self._say(f"{note}; only this machine's own traffic is seen")

    def _say(self, text: str) -> None:
        self._context.say(f"{self._row.name}: {text}")
