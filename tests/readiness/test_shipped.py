"""The shipped roadmap, standards and policy, judged from one end to the other."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

import readiness
from netready.metric import CATALOGUE
from netready.site import Endpoint, Role
from readiness.gate import Answer, decide, exit_status, parse_policy
from readiness.gather import gather
from readiness.judge import judge
from readiness.judgement import Outcome
from readiness.roadmap import Roadmap, parse
from readiness.weigh import index

DATA = Path(readiness.__file__).parent / "data"
POLICIES = sorted((DATA / "policies").glob("*.toml"))
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def shipped() -> Roadmap:
    return parse((DATA / "roadmap.toml").read_bytes(), "roadmap.toml", CATALOGUE)


def test_every_bound_asks_for_a_fact_that_is_gathered(shipped, school):
    everywhere = tuple(Endpoint(name=role, url=f"https://{role}.example.test/", role=role) for role in Role)
    site = type(school)(name="S", students=10, staff=1, classrooms=1, endpoints=everywhere)
    known = index(gather(site, [], [], now=NOW).facts)
    asked = {(bound.metric, bound.role, bound.kind) for one in shipped.criteria for bound in one.bounds}
    assert asked <= set(known)


def test_a_school_that_nobody_measured_is_at_entry_and_nothing_is_failed(shipped, school):
    found = judge(shipped, school, gather(school, [], [], now=NOW), [], now=NOW)
    assert {one.with_attestations for one in found.stages} == {1}
    # The contract and the school's own list are in its configuration; nothing else is known.
    told = {"contracted_down_per_1000", "contracted_up_per_1000", "labs_and_carts"}
    decided = [one for one in found.verdicts if one.outcome is not Outcome.UNKNOWN]
    assert all({fact.metric for fact in one.facts if fact.value is not None} <= told for one in decided)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_no_wave_opens_for_a_school_that_nobody_measured(shipped, school, path):
    policy = parse_policy(path.read_bytes(), path.name, shipped, CATALOGUE)
    found = judge(shipped, school, gather(school, [], [], now=NOW), [], now=NOW)
    for wave in policy.waves:
        decision = decide(policy, wave.id, found, shipped, [], now=NOW)
        assert exit_status(decision.answer) != 0
        assert decision.answer is Answer.NO_GO or decision.missing


def test_there_is_a_policy_to_ship():
    assert POLICIES
