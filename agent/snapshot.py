"""The last survey as a scrape sees it: families rendered once, when a survey is published, and counts that only grow."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec
from prometheus_client.core import Metric

from agent.exposition import Page, decision_page, judgement_page, survey_page
from netready import __version__
from netready.failure import Failure
from netready.survey import Survey
from readiness.gate import Decision
from readiness.judgement import Judgement


class _Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What only grows while the agent runs, and the moment each metric was last measured with success."""

    surveys: int = 0
    failures: int = 0
    overruns: int = 0
    measurements: int = 0
    failed: dict[str, int] = {}
    dropped: dict[str, int] = {}
    last_success: dict[str, float] = {}


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one scrape sees: families of the last survey, and the counts at the same moment."""

    survey: tuple[Metric, ...] = ()
    counts: _Counts = _Counts()
    finished_at: datetime | None = None


class State:
    """The last survey, ready to be scraped. Every method may be called from any thread."""

    def __init__(self, *, interval: float | None = None) -> None:
        """`interval` is the planned time between surveys in seconds, for alerts that must know what "late" is."""
        self._interval = interval
        self._writing = threading.Lock()
        self._snapshot = _Snapshot()  # swapped whole; readers take the reference once and need no lock

    def publish(
        self, survey: Survey, judgement: Judgement | None, decisions: Sequence[Decision], *, fresh: bool = True
    ) -> None:
        """Replace what is scraped. Without a judgement the families of the one before are gone: they were of another survey.

        A survey that is not `fresh`, because an earlier run of the agent took it, is shown but not counted.
        """
        page = Page()
        survey_page(page, survey)
        if judgement is not None:
            judgement_page(page, judgement)
        decision_page(page, decisions)
        families = page.families()
        with self._writing:
            counts = _counted(self._snapshot.counts, survey, page.dropped, fresh=fresh)
            self._snapshot = _Snapshot(survey=families, counts=counts, finished_at=survey.finished_at)

    def survey_failed(self) -> None:
        """Count a survey that broke off."""
        with self._writing:
            counts = self._snapshot.counts
            counts = msgspec.structs.replace(counts, failures=counts.failures + 1)
            self._snapshot = msgspec.structs.replace(self._snapshot, counts=counts)

    def survey_overran(self, missed: int = 1) -> None:
        """Count planned surveys that were left out because the one before was still running."""
        with self._writing:
            counts = self._snapshot.counts
            counts = msgspec.structs.replace(counts, overruns=counts.overruns + missed)
            self._snapshot = msgspec.structs.replace(self._snapshot, counts=counts)

    @property
    def finished_at(self) -> datetime | None:
        """When the last survey ended; None before the first."""
        return self._snapshot.finished_at

    def families(self) -> tuple[Metric, ...]:
        """What a scrape gets, without the families of the process and of the scrape itself."""
        snapshot = self._snapshot
        return (*self._agent_page(snapshot.counts).families(), *snapshot.survey)

    def _agent_page(self, counts: _Counts) -> Page:
        page = Page()
        page.put_own("build", 1, __version__)
        page.put_own("survey_interval", self._interval)
        page.put_own("surveys", counts.surveys)
        page.put_own("survey_failures", counts.failures)
        page.put_own("survey_overruns", counts.overruns)
        page.put_own("measurements", counts.measurements)
        for failure in Failure:
            page.put_own("measurements_failed", counts.failed.get(failure, 0), failure)
        for reason in page.dropped:
            page.put_own("series_dropped", counts.dropped.get(reason, 0), reason)
        for metric, moment in counts.last_success.items():
            page.put_own("measurement_timestamp_seconds", moment, metric)
        return page


def _counted(before: _Counts, survey: Survey, dropped: dict[str, int], *, fresh: bool) -> _Counts:
    last_success = dict(before.last_success)
    for reading in survey.measurements:
        if reading.failure is None:
            moment = reading.taken_at.timestamp()
            last_success[reading.metric] = max(moment, last_success.get(reading.metric, moment))
    if not fresh:
        return msgspec.structs.replace(before, last_success=last_success)
    failed = Counter(before.failed)
    failed.update(reading.failure.value for reading in survey.measurements if reading.failure is not None)
    return msgspec.structs.replace(
        before,
        surveys=before.surveys + 1,
        measurements=before.measurements + len(survey.measurements),
        failed=dict(failed),
        dropped=dict(Counter(before.dropped) + Counter(dropped)),
        last_success=last_success,
    )
