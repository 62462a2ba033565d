"""The agent's rounds: a survey, kept and judged, then shown; and what becomes of one that cannot be kept."""

import msgspec

from agent import assessment, counting, survey
from agent.keeping import sentence
from agent.mlab import Ration
from agent.session import Session, progress
from agent.snapshot import State
from agent.turn import Terms
from netready.clock import Clock
from netready.instrument import Chance
from netready.survey import Survey
from reports import lines
from store import StoreError, open_store


class Unkept(msgspec.Struct, frozen=True, kw_only=True):
    """A survey that could not be kept, and why."""

    survey: Survey
    error: StoreError


class Rounds:
    """What `netready run` does again and again. `made` counts the surveys that were shown."""

    def __init__(self, session: Session, data: assessment.Rules, state: State, *, clock: Clock, chance: Chance) -> None:
        self.made = 0
        self._session = session
        self._data = data
        self._state = state
        self._clock = clock
        self._chance = chance
        self._path = session.config.path(session.config.store.path)
        self._ration = Ration(chance)

    def resume(self) -> None:
        """Show what an earlier run found last; raises StoreError when the database cannot be used."""
        with open_store(self._path) as store:
            last = store.last_survey()
            if last is not None:
                found = assessment.assess(self._session.config, store, self._data, now=self._clock.now())
                self._state.publish(last, found.judgement, found.decisions, fresh=False)

    def take(self) -> Survey | Unkept:
        """Make a survey and keep it."""
        config = self._session.config
        with open_store(self._path) as store:
            taken = survey.take(
                config,
                self._session.instruments,
                clock=self._clock,
                chance=self._chance,
                say=progress,
                terms=Terms(config=config, book=store, tries=config.line.tries, ration=self._ration),
                exam=survey.exam_on(config, self._clock.now()),
                own=counting.lists(config, store.lists(), self._clock),
                before=counting.past(config, store, self._clock.now()),
                cover=counting.veil(config, self._clock.now()),
            )
            try:
                store.add(taken)
                counting.forget(config, store, self._clock.now())
            except StoreError as error:
                return Unkept(survey=taken, error=error)
        return taken

    def publish(self, taken: Survey | Unkept) -> None:
        """Judge and show; of a survey that was not kept, show the figures, write them to the log and raise StoreError."""
        self.made += 1
        if isinstance(taken, Unkept):
            for line in lines.measurements(taken.survey.measurements):
                progress(line)
            self._state.publish(taken.survey, None, ())
            raise StoreError(sentence(taken.error))
        with open_store(self._path) as store:
            found = assessment.assess(self._session.config, store, self._data, now=self._clock.now())
        self._state.publish(taken, found.judgement, found.decisions)
