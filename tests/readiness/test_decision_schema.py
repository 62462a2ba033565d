"""The schema that is handed to others says what a decision really holds."""

import json
from datetime import UTC, date, datetime

import msgspec
from jsonschema import Draft202012Validator, FormatChecker

from readiness.decision import Acceptance, Answer, Decision, RuleOutcome, RuleVerdict
from readiness.decision_schema import DIALECT, schema
from readiness.gate import Level, Waiver

WAIVER = Waiver(rule="r", until=date(2026, 3, 9), owner="B. Board", reason="-", on=date(2026, 3, 2), plan_on=date(2026, 3, 8))
FULL = Decision(
    answer=Answer.NO_GO,
    site="S",
    wave="w",
    wave_title="W",
    platform="P",
    decided_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    valid_until=date(2026, 3, 9),
    provisional=True,
    rules=(RuleVerdict(rule="r", title="R", level=Level.SOFT, outcome=RuleOutcome.WAIVED, reason="-"),),
    conditions=("c",),
    missing=("m",),
    policy="p",
    policy_version="1",
    policy_digest="0",
    roadmap="r",
    roadmap_version="1",
    roadmap_digest="0",
    surveys=("s",),
    waivers=(Acceptance(waiver=WAIVER, counts=True, why="-"),),
    inputs={"site": "0"},
)


def test_every_field_of_a_decision_and_of_what_is_in_it_is_described_and_required():
    found = schema()
    assert found["$schema"] == DIALECT
    for shape in (Decision, RuleVerdict, Acceptance, Waiver):
        described = found["$defs"][shape.__name__]
        assert set(described["properties"]) == set(described["required"]) == set(shape.__struct_fields__)
        assert described["description"]
    assert '"default"' not in json.dumps(found)


def test_a_decision_fits_and_one_that_lacks_anything_does_not():
    check = Draft202012Validator(schema(), format_checker=FormatChecker())
    made = json.loads(msgspec.json.encode(FULL))
    assert check.is_valid(made)
    for path in ((), ("rules", 0), ("waivers", 0), ("waivers", 0, "waiver")):
        for name in _at(made, path):
            other = json.loads(json.dumps(made))
            del _at(other, path)[name]
            assert not check.is_valid(other), (*path, name)


def _at(document, path):
    for step in path:
        document = document[step]
    return document
