"""What if: which suppositions are taken, what they change, and that nothing else changes."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from netready.device import Kind
from netready.metric import CATALOGUE
from netready.refusal import Unfit
from readiness.gate import decide, parse_policy
from readiness.gather import gather
from readiness.judge import judge
from readiness.judgement import Outcome
from readiness.weigh import index
from readiness.what_if import COUNTS, RATES, Change, compare, parse, supposed_facts, supposed_site

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
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
why = "pages load"
remedy = "buy more"
metric = "internet_down_per_1000"
at_least = 100e6
min_days = 30
min_samples = 50
max_age_days = 1
[[waves.rules]]
id = "paid"
title = "Paid for"
level = "hard"
why = "pages load"
remedy = "buy more"
metric = "contracted_down_per_1000"
at_least = 100e6
[[waves]]
id = "people"
title = "the people"
[[waves.rules]]
id = "named"
title = "Somebody is named"
level = "hard"
why = "somebody must know"
remedy = "name somebody"
criterion = "P.2"
"""


@pytest.fixture
def asked(*, roadmap, school, throughput, attest):
    """What a supposition would change in a school whose line of 40 Mbps was tested on twelve days."""

    def make(text: str, *, rates=(40e6,) * 12, devices=()):
        policy = parse_policy(POLICY, "policy.toml", roadmap, CATALOGUE)
        words = [attest("P.2", on=date(2026, 1, 5))]
        readings = throughput(rates)

        def judged(site, gathered):
            found = judge(roadmap, site, gathered, words, now=NOW)
            return found, [decide(policy, wave.id, found, roadmap, (), now=NOW) for wave in policy.waves]

        changes = parse(text)
        site = supposed_site(school, changes)
        then = supposed_facts(gather(site, readings, devices, now=NOW), site, changes, NOW)
        return compare(roadmap, changes, judged(school, gather(school, readings, devices, now=NOW)), judged(site, then))

    return make


def facts_with(text, school, devices, **site):
    changes = parse(text)
    supposed = supposed_site(school, changes)
    return index(supposed_facts(gather(supposed, [], devices, now=NOW), supposed, changes, NOW).facts)


def test_counts_and_rates_are_read_as_people_write_them():
    assert parse(" contracted = 1G , staff=80") == (
        Change(name="contracted", value=1e9, text="contracted=1G"),
        Change(name="staff", value=80.0, text="staff=80"),
    )


EVERYTHING = (
    "access_points, classrooms, contracted, contracted_down, contracted_up, measured, measured_down, measured_up, staff, "
    "student_devices, students"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speed=1G", f'--what-if: "speed" cannot be supposed; what can be is {EVERYTHING}'),
        ("", f'--what-if: "" cannot be supposed; what can be is {EVERYTHING}'),
        ("staff=80,", f'--what-if: "" cannot be supposed; what can be is {EVERYTHING}'),
        ("staff", "--what-if: staff: expected staff=VALUE, a whole number from 0 to 200,000"),
        ("staff=", "--what-if: staff: expected staff=VALUE, a whole number from 0 to 200,000"),
        ("staff=many", '--what-if: staff: expected a whole number from 0 to 200,000; got "many"'),
        ("staff=-1", '--what-if: staff: expected a whole number from 0 to 200,000; got "-1"'),
        ("staff=200001", '--what-if: staff: expected a whole number from 0 to 200,000; got "200001"'),
        ("staff=²", '--what-if: staff: expected a whole number from 0 to 200,000; got "²"'),
        (f"staff={'9' * 5000}", None),
        ("students=0", '--what-if: students: expected a whole number from 1 to 1,000,000; got "0"'),
        ("contracted=fast", '--what-if: contracted: expected a rate such as 300M or 1G; got "fast"'),
        ("contracted=0", '--what-if: contracted: expected a rate such as 300M or 1G; got "0"'),
        ("contracted=11T", '--what-if: contracted: expected a rate such as 300M or 1G; got "11T"'),
        ("staff=1,staff=2", "--what-if: staff: expected each thing supposed once; staff says it too"),
        (
            "contracted=1G,contracted_up=1M",
            "--what-if: contracted_up: expected each thing supposed once; contracted says it too",
        ),
    ],
)
def test_what_cannot_be_supposed_is_refused_in_one_sentence(text, said):
    with pytest.raises(Unfit) as refused:
        parse(text)
    assert said is None or str(refused.value) == said
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("text", ["students=1", "students=1000000", "staff=0", "staff=200000", "contracted=10T"])
def test_the_least_and_the_most_can_be_supposed(text):
    assert parse(text)[0].text == text


def test_a_wider_line_moves_the_criterion_the_stage_and_the_gate(asked):
    found = asked("measured_down=60M")
    assert [(one.id, one.now, one.then) for one in found.stages] == [("line", "Entry", "Emerging")]
    assert [(one.id, one.now, one.then) for one in found.by_machine] == [("line", "Entry", "Emerging")]
    assert [(one.id, one.now, one.then) for one in found.criteria] == [("L.2", Outcome.NOT_MET, Outcome.MET)]
    (gate,) = found.gate
    assert (gate.id, gate.now, gate.then) == ("room", "INDETERMINATE", "GO")
    assert gate.why == "Wide enough: unknown, then pass"  # the last test is older than the rule allows


def test_more_people_close_a_gate_that_was_open_and_every_other_number_follows(asked):
    assert asked("staff=40").criteria == ()
    found = asked("students=60,staff=0,measured_down=40M")
    assert [(one.id, one.then) for one in found.criteria] == [("L.2", Outcome.MET)]
    found = asked("students=30000,measured_down=60M")
    assert [(one.id, one.then) for one in found.gate] == [("room", "NO_GO")]
    (criterion,) = asked("students=4961", rates=[60e6] * 12).criteria  # 500 Mbps for 5,001 people
    assert (criterion.id, criterion.now, criterion.then) == ("L.2", Outcome.MET, Outcome.NOT_MET)
    assert "asked for is at least 100 Mbps per 1,000 users" in criterion.why


def test_a_supposition_says_that_it_is_one(asked):
    found = asked("contracted=1M")
    assert found.supposition
    assert found.note == "A supposition, not a finding: nothing of contracted=1M was measured or kept."


def test_a_supposition_that_changes_nothing_says_nothing(asked):
    found = asked("staff=40,contracted_down=500M")
    assert (found.stages, found.by_machine, found.criteria, found.gate) == ((), (), (), ())


def test_every_supposed_rate_is_for_the_whole_site(school):
    for name, metrics in RATES.items():
        found = facts_with(f"{name}=52M", school, [])
        for metric in metrics:
            fact = found[metric, None, None]
            assert (fact.value, fact.note, fact.at_least) == (100e6, f"supposed: {name}=52M", False)
        others = {metric for both in RATES.values() for metric in both} - set(metrics)
        assert not any(found[metric, None, None].note.startswith("supposed") for metric in others)


def test_supposed_devices_are_counted_in_every_quotient(school, devices):
    seen = devices(staff_device=10, printer=3)
    found = facts_with("student_devices=240,access_points=25", school, seen)
    assert found["devices", None, Kind.STUDENT_DEVICE].value == 240
    assert found["devices", None, Kind.ACCESS_POINT].value == 25
    assert found["devices", None, Kind.PRINTER].value == 3
    assert found["student_devices_per_classroom", None, None].value == 12
    assert found["access_points_per_classroom", None, None].value == 1.25
    assert found["students_per_device", None, None].value == 2
    assert found["clients_per_access_point", None, None].value == 10


def test_supposed_devices_divide_by_supposed_rooms_and_students(school):
    found = facts_with("student_devices=100,classrooms=10,students=50", school, [])
    assert found["student_devices_per_classroom", None, None].value == 10
    assert found["students_per_device", None, None].value == 0.5
    assert ("clients_per_access_point", None, None) not in found  # nobody knows how many access points there are


def test_only_one_of_two_counts_supposed_leaves_the_other_as_it_was_seen(school, devices):
    seen = devices(student_device=30, access_point=2)
    assert facts_with("access_points=10", school, seen)["clients_per_access_point", None, None].value == 3
    assert facts_with("student_devices=50", school, seen)["clients_per_access_point", None, None].value == 25
    assert facts_with("access_points=10", school, seen)["students_per_device", None, None].value == 16


def test_no_device_at_all_leaves_no_quotient_to_judge(school, devices):
    found = facts_with("student_devices=0,access_points=0", school, devices(student_device=30, access_point=2))
    assert found["student_devices_per_classroom", None, None].value == 0
    assert ("students_per_device", None, None) not in found
    assert ("clients_per_access_point", None, None) not in found


def test_everything_that_can_be_supposed_at_once_is_judged(asked):
    counts = ",".join(f"{name}=7" for name in COUNTS)
    found = asked(f"{counts},contracted=1G,measured=1G")
    assert len(found.changes) == len(COUNTS) + 2
    assert [(one.id, one.then) for one in found.gate] == [("room", "GO")]


def test_fewer_students_are_supposed_with_no_shift_larger_than_all_of_them(school):
    shifts = msgspec.structs.replace(school, busiest_shift=300, concurrent_testers=120)
    fewer = supposed_site(shifts, parse("students=200"))
    assert (fewer.students, fewer.busiest_shift, fewer.concurrent_testers) == (200, 200, 120)
