"""Two surveys compared: which two are meant, and what has changed between them."""

from datetime import UTC, datetime, tzinfo

from agent.config import ConfigError
from census.changes import Changes, changes
from netready.survey import Survey
from store import Store


def compared(store: Store, before: str | None, after: str | None, *, zone: tzinfo) -> Changes | None:
    """The last two surveys that looked for devices, or those named by their ids; None when there are not two."""
    if before is not None or after is not None:
        return _pair(store, before, after, zone)
    names = [name for name, _ in store.surveys(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))]
    found: list[Survey] = []
    for name in reversed(names):
        survey = store.survey(name)
        if survey is not None and survey.devices:
            found.append(survey)
        if len(found) == 2:
            return changes(found[1], found[0], zone)
    return None


def _pair(store: Store, before: str | None, after: str | None, zone: tzinfo) -> Changes | None:
    one = store.survey(before) if before else None
    other = store.survey(after) if after else store.last_survey()
    for name, survey in ((before, one), (after, other)):
        if name is not None and survey is None:
            raise ConfigError(f"no survey is called {name}; `netready inventory diff --json` names the last two")
    return None if one is None or other is None else changes(one, other, zone)
