"""One number against one bound: met, not met or unknown, never a guess."""

import pytest

from netready.device import Kind
from netready.site import Role
from readiness.evidence import Fact, Grade
from readiness.judgement import Outcome
from readiness.roadmap import Bound, EvidenceKind
from readiness.weigh import index, weigh

MET, NOT_MET, UNKNOWN = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN
DOWN = "internet_down_per_1000"


def bound(metric=DOWN, **fields) -> Bound:
    return Bound(evidence=EvidenceKind.MEASURED, metric=metric, source="[prop] made up", **fields)


def fact(value, metric=DOWN, **fields) -> Fact:
    return Fact(kind=EvidenceKind.MEASURED, metric=metric, value=value, **fields)


def line(value, days=10, **fields) -> Fact:
    grade = Grade.CONCLUSIVE if days >= 10 else Grade.PROVISIONAL
    return fact(value, days=days, samples=max(days, 1), at_least=True, grade=grade, **fields)


ASKED = bound(at_least=100e6)
WEEK = bound(at_least=100e6, min_days=5)
COUNT = {"metric": "devices", "at_least": True, "device": Kind.SWITCH, "note": "seen so far"}
SWITCHES = {"metric": "devices", "kind": Kind.SWITCH}

TABLE = {
    "exactly the bound is met": (ASKED, line(100e6), MET, "100 Mbps per 1,000 users; asked for is at least 100", False),
    "a hair below is not, and the digits show it": (
        ASKED,
        line(99.999999e6),
        NOT_MET,
        "at least 99.9 Mbps per 1,000 users; asked for is at least 100 Mbps",
        False,
    ),
    "above at_most is not met": (
        bound("platform_time_p95", at_most=3.0, role=Role.LMS),
        fact(3.5, "platform_time_p95", role=Role.LMS, days=10),
        NOT_MET,
        "3.5 s; asked for is at most 3 s",
        False,
    ),
    "between two limits": (
        bound("labs_and_carts", at_least=1, at_most=3),
        fact(2.0, "labs_and_carts", grade=Grade.CONCLUSIVE),
        MET,
        "2; asked for is 1 to 3",
        False,
    ),
    "an interval that straddles settles nothing": (
        ASKED,
        line(101e6, interval=(99e6, 103e6)),
        UNKNOWN,
        "inconclusive: the 95 % interval, 99 Mbps per 1,000 users to 103 Mbps per 1,000 users, straddles 100 Mbps",
        False,
    ),
    "an interval that straddles from below": (ASKED, line(99e6, interval=(97e6, 100e6)), UNKNOWN, "inconclusive", False),
    "an interval that begins at the bound is met": (ASKED, line(101e6, interval=(100e6, 103e6)), MET, "at least 101", False),
    "an interval wholly below is not met": (ASKED, line(98e6, interval=(97e6, 99.9e6)), NOT_MET, "98 Mbps", False),
    "too few days for what holds": (
        WEEK,
        line(184e6, days=1),
        UNKNOWN,
        "met so far, on 1 of 5 school days: at least 184",
        True,
    ),
    "no day in school hours at all": (ASKED, line(184e6, days=0), UNKNOWN, "met so far, on 0 of 1 school day", True),
    "enough days, but not for a lasting decision": (WEEK, line(184e6, days=5), MET, "at least 184", True),
    "ten days last": (WEEK, line(184e6, days=10), MET, "at least 184", False),
    "a miss on few days is a miss, provisionally": (WEEK, line(84e6, days=1), NOT_MET, "at least 84", True),
    "a miss kept down by this machine is unknown": (
        ASKED,
        line(94e6, limited_by=("interface",)),
        UNKNOWN,
        "limited by this machine's network card: at least 94",
        False,
    ),
    "a miss kept down by the line is a miss": (ASKED, line(94e6, limited_by=("link",)), NOT_MET, "at least 94", False),
    "what holds though it was limited is met": (ASKED, line(194e6, limited_by=("cpu",)), MET, "at least 194", False),
    "a test inside this machine met no line": (
        ASKED,
        line(9e9, limited_by=("loopback",)),
        UNKNOWN,
        "the test ran inside this machine and met no line",
        False,
    ),
    "a limit without a name of ours is printed": (
        ASKED,
        line(94e6, limited_by=("sunspots",)),
        UNKNOWN,
        "limited by sunspots",
        False,
    ),
    "no value": (ASKED, fact(None, note="3 tests failed: timeout"), UNKNOWN, "not known: 3 tests failed: timeout", False),
    "a count that reaches at_least": (
        bound(at_least=3, **SWITCHES),
        fact(3.0, grade=Grade.CONCLUSIVE, **COUNT),
        MET,
        "at least 3",
        False,
    ),
    "a count that falls short may be one short": (
        bound(at_least=4, **SWITCHES),
        fact(3.0, grade=Grade.CONCLUSIVE, **COUNT),
        UNKNOWN,
        "at least 3; asked for is at least 4; seen so far",
        False,
    ),
    "a count above at_most is too many": (
        bound(at_most=2, **SWITCHES),
        fact(3.0, grade=Grade.CONCLUSIVE, **COUNT),
        NOT_MET,
        "at least 3",
        False,
    ),
    "a count below at_most proves nothing": (
        bound(at_most=5, **SWITCHES),
        fact(3.0, grade=Grade.CONCLUSIVE, **COUNT),
        UNKNOWN,
        "at least 3",
        False,
    ),
    "at most one student a device holds for certain": (
        bound("students_per_device", at_most=1.0),
        fact(0.9, "students_per_device", at_most=True, grade=Grade.CONCLUSIVE),
        MET,
        "at most 0.9",
        False,
    ),
    "more students than devices seen may be too few seen": (
        bound("students_per_device", at_most=1.0),
        fact(1.4, "students_per_device", at_most=True, grade=Grade.CONCLUSIVE, note="seen so far"),
        UNKNOWN,
        "at most 1.4",
        False,
    ),
    "days tested so far": (
        bound("test_days", at_least=10),
        fact(1.0, "test_days", at_least=True, days=1, grade=Grade.CONCLUSIVE),
        UNKNOWN,
        "so far 1 day; asked for is at least 10 days",
        False,
    ),
    "an estimate is provisional": (
        bound("clients_per_access_point", at_most=30),
        fact(12.0, "clients_per_access_point"),
        MET,
        "12; asked for is at most 30",
        True,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_weighs(name):
    asked, known, outcome, reason, provisional = TABLE[name]
    found = weigh(asked, index([known]))
    assert found.outcome is outcome
    assert reason in found.reason
    assert found.provisional is provisional


def test_a_role_nobody_listed_is_named():
    found = weigh(bound("platform_success", at_least=0.99, role=Role.LMS), {})
    assert found.outcome is UNKNOWN
    assert found.reason == "the learning platform is not listed in the site's configuration (an endpoint with role lms)"


def test_a_fact_of_another_role_is_not_taken_for_it():
    other = fact(1.0, "platform_success", role=Role.SIS, days=10)
    assert weigh(bound("platform_success", at_least=0.99, role=Role.LMS), index([other])).outcome is UNKNOWN


def test_says_what_would_settle_it():
    assert weigh(WEEK, index([line(184e6, days=1)])).missing == "4 more school days of tests"
    assert weigh(ASKED, index([line(184e6, days=1)])).missing == "9 more school days of tests"
    so_far = fact(1.0, "test_days", at_least=True, days=1, grade=Grade.CONCLUSIVE)
    assert weigh(bound("test_days", at_least=10), index([so_far])).missing == "9 more school days of tests in both directions"
    limited = weigh(ASKED, index([line(94e6, limited_by=("interface",))]))
    assert limited.missing == "a test that is not limited by this machine's network card"


def test_the_fact_it_hands_on_is_of_the_kind_that_was_asked_for():
    found = weigh(
        Bound(evidence=EvidenceKind.PROBED, metric="platform_success", role=Role.LMS, at_least=0.9, source="made up"),
        index([fact(1.0, "platform_success", role=Role.LMS, days=10)]),
    )
    assert found.fact is not None
    assert found.fact.kind is EvidenceKind.PROBED
