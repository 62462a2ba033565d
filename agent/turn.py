"""A turn on the line: whether an instrument may have it now, and what it cost.

Every instrument is run through `Turn.readings`. One that fills the line waits while others use it, keeps quiet in quiet hours,
stays within the data budget, and gets the line's load put beside its figures. The others are only counted.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from agent import budget
from agent.budget import Book, Left
from agent.config import Config
from agent.mlab import LOCATE, Ration, asked, by_locate
from agent.watching import Watch
from netready.failure import Failed, Failure
from netready.instrument import Context, Instrument, Reading
from netready.measurement import Measurement
from probes.throughput.settings import Throughput
from store import StoreError


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What turns rest on.

    book          where bytes and requests are written down; None when there is no store
    tries         how often a busy line is looked at before a test is given up
    even_if_busy  a person wants the test now: busy lines and quiet hours are said, and do not stop it
    ration        M-Lab's limits on its Locate service
    """

    config: Config
    book: Book | None
    tries: int = 1
    even_if_busy: bool = False
    ration: Ration = msgspec.field(default_factory=Ration)


def fills(row: Instrument) -> bool:
    """Whether the instrument's business is to load the line."""
    return row.alone and any(name.startswith("throughput_") for name in row.metrics)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's turn. Without terms nothing is asked and nothing is counted."""

    row: Instrument
    settings: Any
    context: Context
    terms: Terms | None = None

    def readings(self) -> Iterator[Reading]:
        """What the instrument yields, or its failure words where it may not have a turn."""
        if self.terms is None:
            yield from self.row.read(self.settings, self.context)
            return
        try:
            settings, readings = self._admitted(self.terms)
            number = self._foretell(self.terms, settings)
        except Failed as refused:
            yield from self._refused(refused)
            return
        kept: list[Measurement] = []
        for reading in readings:
            if isinstance(reading, Measurement):
                kept.append(reading)
            yield reading
        self._count(self.terms, number, kept)

    def refusal(self) -> Failed | None:
        """Why it cannot have a turn now, known without looking at the line; None when it can."""
        if self.terms is None or not fills(self.row):
            return None
        config, now = self.terms.config, self.context.clock.now()
        at = None if self.terms.even_if_busy else now
        if reason := budget.forbidden(self.row, self.settings, config.budget.rules, at, config.site):
            return Failed(Failure.DATA_BUDGET, reason)
        if not budget.is_target(self.row, self.settings) and (reason := self._quiet(self.terms)):
            return Failed(Failure.LINE_BUSY, reason)
        if by_locate(self.row, self.settings) and (reason := self.terms.ration.refusal(self.terms.book, now)):
            return Failed(Failure.SERVER_BUSY, reason)
        return None

    def _admitted(self, terms: Terms) -> tuple[Any, Iterator[Reading]]:
        """Settings that fit the budget, and the readings to come with them; raises Failed."""
        site = terms.config.site
        fitted = budget.fitted(self.row, self.settings, site, self._left(terms))
        if not fills(self.row):
            return fitted, self.row.read(fitted, self.context)
        if (refusal := self.refusal()) is not None:
            raise refusal
        watch = Watch(self.row, fitted, self.context, terms.config)
        watch.wait(terms.tries, even_if_busy=terms.even_if_busy, quiet=lambda: self._quiet(terms))
        return fitted, watch.readings()

    def _quiet(self, terms: Terms) -> str | None:
        """The quiet hours that forbid filling the line now, as a sentence; None outside them."""
        hours = terms.config.line.quiet_now(terms.config.site, self.context.clock.now())
        if hours is None:
            return None
        if terms.even_if_busy:
            self._say(f"these are quiet hours ({hours.text}, line.quiet); tested all the same, as asked")
            return None
        return f"quiet hours, {hours.text} (line.quiet)"

    def _left(self, terms: Terms) -> Left:
        """What is left of the budget, when it matters; Failed when there is a cap and nobody can tell."""
        config = terms.config
        if not config.budget.capped or budget.foretold(self.row, self.settings, config.site) < budget.SMALL:
            return Left()
        if terms.book is None:
            raise Failed(Failure.DATA_BUDGET, "there is a cap, and no database to count in")
        try:
            return budget.left(config.budget, config.site, terms.book, self.context.clock.now())
        except StoreError as error:
            raise Failed(Failure.DATA_BUDGET, f"there is a cap, and what was moved cannot be read: {error}") from error

    def _foretell(self, terms: Terms, settings: Any) -> int | None:
        """Write down what will be moved, and a request to Locate; the entry's number, or None when it is too small."""
        ahead = round(budget.foretold(self.row, settings, terms.config.site))
        located = by_locate(self.row, settings)
        if terms.book is None or (ahead < budget.SMALL and not located):
            return None
        now = self.context.clock.now()
        try:
            if located:
                terms.book.spend(now, LOCATE, 0)
            return terms.book.spend(now, self.row.method, ahead)
        except StoreError as error:
            if terms.config.budget.capped or located:
                raise Failed(Failure.DATA_BUDGET, f"there is a cap, and nothing can be written down: {error}") from error
            self._say(f"its bytes are not counted: {error}")
            return None

    def _count(self, terms: Terms, number: int | None, kept: list[Measurement]) -> None:
        """Write down what was moved. A turn that broke before this leaves what was foretold."""
        if terms.book is None:
            return
        moved, now = budget.counted(kept), self.context.clock.now()
        try:
            for _ in range(asked(kept) - 1):  # the first was written down before it was made
                terms.book.spend(now, LOCATE, 0)
            if number is not None:
                terms.book.settle(number, moved)
            elif moved:
                terms.book.spend(now, self.row.method, moved)
        except StoreError as error:
            self._say(f"its bytes are not counted: {error}")

    def _refused(self, refused: Failed) -> Iterator[Measurement]:
        """The failure word for each metric that was asked for."""
        metrics, target, settings = self.row.metrics, self.row.name, self.settings
        if isinstance(settings, Throughput):
            ending = "_reaches" if budget.is_target(self.row, settings) else ""
            metrics = tuple(f"throughput_{direction.value}{ending}" for direction in settings.directions)
            target = settings.server or target
        self._say(f"{refused.failure}: {refused.reason}")
        now = self.context.clock.now()
        for name in metrics:
            yield Measurement.failed(name, target, now, refused.failure, self.row.method, reason=refused.reason)

    def _say(self, text: str) -> None:
        self.context.say(f"{self.row.name}: {text}")
