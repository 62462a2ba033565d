"""The jobs that tools do, taken together: none is covered by another, and one that nobody checked is not forgotten."""

from datetime import timedelta

import msgspec
import pytest

from netready.failure import Failure
from netready.site import Endpoint, Role
from readiness import jobs
from readiness.evidence import Fact, Grade
from readiness.gather import gather
from readiness.jobs import FIVE, SEVEN
from readiness.judgement import Outcome
from readiness.roadmap import Bound, EvidenceKind
from readiness.weigh import index, weigh


def url(role):
    return f"https://{role}.example.test/"


@pytest.fixture
def equipped(school):
    return msgspec.structs.replace(school, endpoints=tuple(Endpoint(name=role, url=url(role), role=role) for role in SEVEN))


@pytest.fixture
def checked(pages, monday):
    """Checks of each role on so many days; of those in `failing`, one in two fails."""

    def make(roles, days=1, failing=()):
        readings = []
        for role in roles:
            for day in range(days):
                times = [0.5, Failure.TIMEOUT] if role in failing else [0.5, 0.5]
                readings += pages(times, target=url(role), role=role, start=monday + timedelta(days=day))
        return readings

    return make


def of(site, readings, monday, metric):
    facts = index(gather(site, readings, [], now=monday + timedelta(days=5)).facts)
    bound = Bound(evidence=EvidenceKind.PROBED, metric=metric, at_least=0.99, source="[prop] test")
    return facts[(metric, None, None)], weigh(bound, facts)


def test_jobs_are_done_when_each_is(equipped, checked, monday):
    for metric, roles in (("five_jobs_success", FIVE), ("seven_jobs_success", SEVEN)):
        fact, weighed = of(equipped, checked(roles), monday, metric)
        assert (fact.value, fact.at_most, fact.role) == (1.0, False, None)
        assert weighed.outcome is Outcome.MET


def test_the_job_that_is_done_least_counts_and_is_named(equipped, checked, monday):
    fact, weighed = of(equipped, checked(SEVEN, failing=(Role.ANALYTICS,)), monday, "five_jobs_success")
    assert (fact.value, weighed.outcome) == (0.5, Outcome.NOT_MET)
    assert weighed.reason == "50 %; asked for is at least 99 %; the lowest is that of the analysis tool"


def test_the_five_jobs_are_judged_without_the_other_two(equipped, checked, monday):
    readings = checked(SEVEN, failing=(Role.SIS,))
    assert of(equipped, readings, monday, "five_jobs_success")[1].outcome is Outcome.MET
    assert of(equipped, readings, monday, "seven_jobs_success")[1].outcome is Outcome.NOT_MET


def test_a_job_that_nobody_checked_leaves_it_open_but_hides_no_fault(equipped, checked, monday):
    fact, weighed = of(equipped, checked(FIVE[1:], days=2), monday, "five_jobs_success")
    assert (weighed.outcome, fact.days, fact.grade) == (Outcome.UNKNOWN, 2, Grade.PROVISIONAL)
    assert weighed.missing.endswith("nothing is known of the data exchange")
    assert of(equipped, checked(FIVE[1:], failing=(Role.LMS,)), monday, "five_jobs_success")[1].outcome is Outcome.NOT_MET


def test_with_a_job_that_nobody_checked_no_number_of_days_is_enough():
    pages = [
        Fact(kind=EvidenceKind.MEASURED, metric="platform_success", role=role, value=1.0, days=12, grade=Grade.CONCLUSIVE)
        for role in FIVE
    ]
    assert jobs.facts(pages)[0].grade is Grade.CONCLUSIVE
    assert jobs.facts(pages[1:])[0].grade is Grade.PROVISIONAL


def test_it_is_as_sure_as_the_job_with_the_fewest_days(equipped, checked, monday):
    readings = [*checked(FIVE[1:], days=4), *checked(FIVE[:1])]
    fact, _ = of(equipped, readings, monday, "five_jobs_success")
    assert (fact.days, fact.grade) == (1, Grade.PROVISIONAL)


def test_nothing_is_known_before_the_first_check(equipped, monday):
    fact, weighed = of(equipped, [], monday, "five_jobs_success")
    assert (fact.value, weighed.outcome) == (None, Outcome.UNKNOWN)
    assert fact.note.startswith("nothing is known of the data exchange, the assessment platform, ")
