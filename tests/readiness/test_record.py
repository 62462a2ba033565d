"""A decision made again from what it was made from: the same bytes, or which input or field is not as it was."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netready.metric import CATALOGUE
from netready.refusal import Unfit
from readiness import record
from readiness.decision import Answer, Decision
from readiness.gather import gather
from readiness.policy import parse_policy
from readiness.record import PARTS, Inputs, Sameness, conclude, parts, replay, stamped
from readiness.roadmap import parse as parse_roadmap
from readiness.waiver import Waiver

NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
PROGRAM = "netready 9.9"
POLICY = b"""
id = "cbe"
version = "1"
title = "A platform"
platform = "the LMS"
[[waves]]
id = "room"
title = "one room"
[[waves.rules]]
id = "wide"
title = "Wide enough"
level = "hard"
why = "-"
remedy = "-"
metric = "internet_down_per_1000"
at_least = 100e6
[[waves.rules]]
id = "named"
title = "Somebody is named"
level = "soft"
why = "-"
remedy = "-"
criterion = "P.2"
[[waves]]
id = "all"
title = "all schools"
scope = "lea"
[[waves.rules]]
id = "line"
title = "The line scales"
level = "hard"
why = "-"
remedy = "-"
dimension = "line"
stage = 2
"""


@pytest.fixture
def inputs(roadmap_text, school, throughput, pages, attest) -> Inputs:
    site = msgspec.structs.replace(school, time_zone="Europe/Berlin", ids={"nces": "1", "urn": "2"})
    waiver = Waiver(rule="named", until=date(2026, 4, 30), owner="B. Board", reason="in training", on=date(2026, 3, 31))
    return Inputs(
        program=PROGRAM,
        moment=NOW,
        site=site,
        evidence=gather(site, throughput([60e6] * 12, interval=[59e6, 61e6]) + pages([0.5] * 9), [], now=NOW, audits=[NOW]),
        attestations=(attest("P.2", answer=False), attest("L.3")),
        waivers=(waiver,),
        roadmap=roadmap_text,
        policy=POLICY,
    )


def decided(inputs: Inputs, wave: str = "room") -> Decision:
    roadmap = parse_roadmap(inputs.roadmap, "roadmap", CATALOGUE)
    _, decisions = conclude(inputs, roadmap, parse_policy(inputs.policy, "policy", roadmap, CATALOGUE))
    return stamped(next(one for one in decisions if one.wave == wave), inputs)


def again(kept: Decision | bytes, given_in: dict[str, bytes], program: str = PROGRAM):
    body = kept if isinstance(kept, bytes) else msgspec.json.encode(kept)
    return replay(body, given_in, name="decision 1", program=program)


@pytest.mark.parametrize("wave", ["room", "all"])
def test_the_same_inputs_give_the_same_bytes(inputs, wave):
    made = decided(inputs, wave)
    found = again(made, parts(inputs))
    assert (found.outcome, found.differs, found.notes) == (Sameness.SAME, (), ())
    assert found.size == len(msgspec.json.encode(made))
    assert set(made.inputs) == set(PARTS)
    assert made.inputs["policy"] == made.policy_digest
    assert made.inputs["roadmap"] == made.roadmap_digest


def test_dates_are_the_sites_own(inputs):
    """A waiver until 30 April ends with that day in Berlin, two hours before it does in UTC."""
    made = decided(inputs)
    assert made.answer is Answer.GO_WITH_CONDITIONS
    assert made.decided_at.isoformat() == "2026-04-01T01:30:00+02:00"
    later = msgspec.structs.replace(inputs, moment=datetime(2026, 4, 30, 21, 59, tzinfo=UTC))
    assert decided(later).waivers[0].counts, "the last minute of 30 April in Berlin"
    over = msgspec.structs.replace(inputs, moment=datetime(2026, 4, 30, 22, 0, tzinfo=UTC))
    assert decided(over).answer is Answer.NO_GO


def test_white_space_between_values_does_not_count(inputs):
    pretty = msgspec.json.format(msgspec.json.encode(decided(inputs)), indent=2)
    assert again(pretty, parts(inputs)).outcome is Sameness.SAME


def test_every_input_reads_back_to_what_it_was(inputs):
    made = parts(inputs)
    for field in msgspec.structs.fields(Inputs):
        if field.name not in {"roadmap", "policy"}:
            assert msgspec.json.decode(made[field.name], type=field.type) == getattr(inputs, field.name)


CHANGES = {
    "program": "netready 1.0",
    "moment": NOW + timedelta(seconds=1),
    "attestations": (),
    "waivers": (),
    "policy": POLICY.replace(b"100e6", b"10e6"),
}


@pytest.mark.parametrize("part", [*CHANGES, "site", "evidence", "roadmap"])
def test_an_input_that_is_not_what_it_was_is_named(inputs, part):
    changed = CHANGES.get(part)
    match part:
        case "site":
            changed = msgspec.structs.replace(inputs.site, students=1)
        case "evidence":
            changed = msgspec.structs.replace(inputs.evidence, facts=inputs.evidence.facts[1:])
        case "roadmap":
            changed = inputs.roadmap + b"\n"
    made, other = decided(inputs), parts(msgspec.structs.replace(inputs, **{part: changed}))
    found = again(made, other)
    assert found.outcome is Sameness.DIFFERS
    now, then = record.digest(other[part]), made.inputs[part]
    assert found.differs == (f"{part}: SHA-256 {now}, and the decision was made from {then}",)


def test_a_decision_that_does_not_follow_from_its_inputs_is_told_by_the_field(inputs):
    forged = msgspec.structs.replace(decided(inputs), answer=Answer.GO, conditions=())
    found = again(forged, parts(inputs))
    assert found.outcome is Sameness.DIFFERS
    assert [text.partition(":")[0] for text in found.differs] == ["answer", "conditions"]
    assert found.differs[0] == 'answer: kept is "GO"; made again it is "GO_WITH_CONDITIONS"'


def test_a_field_that_was_added_or_taken_away_is_named(inputs):
    fields = msgspec.json.decode(msgspec.json.encode(decided(inputs)), type=dict[str, msgspec.Raw])
    added = msgspec.json.encode(fields | {"approved": msgspec.Raw(b"true")})
    assert again(added, parts(inputs)).differs == ("approved: kept is true; made again it is nothing",)
    taken = msgspec.json.encode({name: value for name, value in fields.items() if name != "scope"})
    assert again(taken, parts(inputs)).differs == ('scope: kept is nothing; made again it is "site"',)
    turned = msgspec.json.encode(dict(reversed(fields.items())))
    assert again(turned, parts(inputs)).differs == ("the order of its fields",)


def test_a_wave_that_the_policy_does_not_have(inputs):
    found = again(msgspec.structs.replace(decided(inputs), wave="county"), parts(inputs))
    assert (found.outcome, found.differs) == (Sameness.DIFFERS, ("wave: county is none of the policy's",))


def test_another_version_of_the_program_is_told_beside_the_result(inputs):
    found = again(decided(inputs), parts(inputs), program="netready 10")
    assert (found.outcome, found.notes) == (Sameness.SAME, ("it was made by netready 9.9; this is netready 10",))


def test_what_is_no_longer_there_leaves_nothing_to_say(inputs):
    some = {name: part for name, part in parts(inputs).items() if name not in {"evidence", "policy"}}
    found = again(decided(inputs), some)
    assert (found.outcome, found.differs) == (Sameness.CANNOT_SAY, ())
    assert found.notes == ("no longer there of its inputs: evidence, policy",)
    bare = msgspec.structs.replace(decided(inputs), inputs={}, software="")
    assert again(bare, parts(inputs)).notes == ("its inputs were not kept with it",)


@pytest.mark.parametrize(
    ("part", "data"),
    [
        ("roadmap", b"id = 1"),
        ("policy", b"\xff"),
        ("site", b'{"name":"S"}'),
        ("moment", b'"2026-03-31T12:00:00"'),
        ("evidence", b"[]"),
        ("waivers", b'[{"rule":"named"}]'),
    ],
)
def test_inputs_that_fit_their_digest_and_make_no_sense_leave_nothing_to_say(inputs, part, data):
    """A file from elsewhere may be made up from end to end, digests included."""
    made = decided(inputs)
    forged = msgspec.structs.replace(made, inputs=made.inputs | {part: record.digest(data)})
    found = again(forged, parts(inputs) | {part: data})
    assert found.outcome in {Sameness.CANNOT_SAY, Sameness.DIFFERS}
    if part != "moment":
        assert found.notes[0].startswith("this program can decide nothing from its inputs: ")


def test_a_number_that_no_program_measures_leaves_nothing_to_say(inputs):
    made = decided(inputs)
    data = parts(inputs)["evidence"].replace(b"internet_down_per_1000", b"speed")
    forged = msgspec.structs.replace(made, inputs=made.inputs | {"evidence": record.digest(data)})
    assert again(forged, parts(inputs) | {"evidence": data}).outcome in {Sameness.CANNOT_SAY, Sameness.DIFFERS}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "file.json: expected JSON; Input data was truncated"),
        (b"[]", "file.json: expected a decision as `netready gate --json` prints it; Expected `object`, got `array`"),
        (b'{"answer":"YES"}', "file.json: expected a decision as `netready gate --json` prints it; "),
    ],
)
def test_what_is_no_decision_is_refused_in_one_sentence(data, said):
    with pytest.raises(Unfit) as caught:
        replay(data, {}, name="file.json", program=PROGRAM)
    assert str(caught.value).startswith(said)


@settings(max_examples=60)
@given(data=st.data())
def test_no_changed_byte_of_a_decision_or_of_its_inputs_passes_for_the_same(inputs, data):
    made, given_in = msgspec.json.encode(decided(inputs)), parts(inputs)
    name = data.draw(st.sampled_from(["decision", *PARTS]))
    target = made if name == "decision" else given_in[name]
    place = data.draw(st.integers(0, len(target) - 1))
    other = data.draw(st.integers(33, 126).filter(lambda code: code != target[place]))  # visible: white space may differ
    changed = target[:place] + bytes([other]) + target[place + 1 :]
    try:
        found = again(changed, given_in) if name == "decision" else again(made, given_in | {name: changed})
    except Unfit:
        return
    assert found.outcome is not Sameness.SAME
