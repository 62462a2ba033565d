"""Published standards against one school: the denominator is never left out."""

from datetime import UTC, datetime

import msgspec
import pytest

from netready.refusal import Unfit
from readiness.gather import gather
from readiness.judgement import Outcome
from readiness.standards import ALWAYS, choose, compare, parse

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)

ONE = """version = "1"
[[standards]]
id = "x"
who = "X"
title = "X"
per = "students-and-staff"
link = "internet"
down = 1e6
quantity = "achieved"
source = "made up"
verified = "primary"
"""


def standard(**fields) -> str:
    text = ONE
    for name, value in fields.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{name} =")]
        if value is not None:
            lines.append(f"{name} = {value}")
        text = "\n".join(lines) + "\n"
    return text


def against(site, text, readings=()):
    found = gather(site, readings, [], now=NOW)
    (one,) = compare(site, found.down, found.up, parse(text.encode(), "standards.toml"))
    return one


def test_students_and_staff(school, throughput):
    one = against(school, standard(), throughput([520e6], load_during=1e6))
    assert (one.count, one.denominator, one.needed_down, one.outcome) == (520, "520 students and staff", 520e6, Outcome.MET)
    assert one.reason == "for 520 students and staff: 520 Mbps needed towards the school, carried, at least 521 Mbps"


def test_students_only_is_another_number(school, throughput):
    one = against(school, standard(per='"students"'), throughput([470e6]))
    assert (one.needed_down, one.outcome, one.shortfall_down) == (480e6, Outcome.NOT_MET, 10e6)


def test_per_site_both_ways(school, throughput):
    both = throughput([200e6]) + throughput([20e6], direction="up")
    one = against(school, standard(per='"site"', down=100e6, up=30e6), both)
    assert (one.needed_down, one.needed_up) == (100e6, 30e6)
    assert (one.shortfall_down, one.shortfall_up, one.outcome) == (0.0, 10e6, Outcome.NOT_MET)


@pytest.mark.parametrize(
    ("quantity", "compared", "outcome"),
    [
        ("provisioned", "contracted", Outcome.NOT_MET),
        ("unused", "available", Outcome.NOT_MET),
        ("minimum", "carried, at least", Outcome.MET),
    ],
)
def test_holds_the_right_quantity_against_it(school, throughput, quantity, compared, outcome):
    one = against(school, standard(quantity=f'"{quantity}"'), throughput([510e6], load_during=20e6))
    assert (one.compared, one.outcome) == (compared, outcome)


def test_floor_and_cap(school):
    assert against(school, standard(floor_down=900e6)).needed_down == 900e6
    assert against(school, standard(cap_down=100e6)).needed_down == 100e6


def test_unknown_stays_unknown(school, throughput):
    one = against(school, standard())
    assert (one.outcome, one.shortfall_down) == (Outcome.UNKNOWN, None)
    straddling = against(school, standard(), throughput([521e6], interval=[500e6, 540e6]))
    assert straddling.outcome is Outcome.UNKNOWN
    limited = against(school, standard(), throughput([94e6], limited_by="interface"))
    assert limited.outcome is Outcome.UNKNOWN
    inside = against(school, standard(), throughput([9e9], limited_by="loopback"))
    assert inside.outcome is Outcome.UNKNOWN
    assert limited.reason.endswith("but the test was limited by this machine's network card")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"per": '"concurrent-testers"'},
            (
                "the site's configuration does not give the number of students who are tested at the same time "
                "(site.concurrent_testers)"
            ),
        ),
        (
            {"per": '"students-staff-and-guests"'},
            "the site's configuration does not give the number of students, staff and guests (site.guests)",
        ),
        ({"link": '"wan"'}, "it is about the line between schools, which is not measured here"),
        ({"min_students": 1000}, "it is for 1,000 students or more; this one has 480"),
        ({"max_students": 400}, "it is for up to 400 students; this one has 480"),
        ({"down": None}, "it asks for no rate that could be compared"),
    ],
)
def test_does_not_apply_and_says_why(school, fields, reason):
    one = against(school, standard(**fields))
    assert (one.outcome, one.reason, one.needed_down) == (Outcome.NOT_APPLICABLE, reason, None)


@pytest.mark.parametrize(
    ("per", "given", "denominator"),
    [
        ("students-staff-and-guests", {"guests": 30}, "550 students, staff and guests"),
        ("students-staff-and-guests", {"guests": 0}, "520 students, staff and guests"),
        ("students-in-the-busiest-shift", {"busiest_shift": 260}, "260 students in the busiest shift"),
        ("concurrent-testers", {"concurrent_testers": 90}, "90 students who are tested at the same time"),
    ],
)
def test_a_standard_applies_once_the_site_gives_its_denominator(school, throughput, per, given, denominator):
    site = msgspec.structs.replace(school, **given)
    one = against(site, standard(per=f'"{per}"'), throughput([400e6]))
    count = int(denominator.partition(" ")[0])
    assert (one.count, one.denominator, one.needed_down) == (count, denominator, count * 1e6)
    assert one.reason.startswith(f"for {denominator}: ")


def test_the_roadmaps_two_thresholds_stand_beside_the_chosen_standard_whatever_it_is():
    from agent import shelf

    shipped = shelf.standards()
    named = [each.id for each in choose(shipped, ("setda-2012-2014-15",), "f", "x")]
    assert named == [*ALWAYS, "setda-2012-2014-15"]
    assert [each.id for each in choose(shipped, (ALWAYS[1],), "f", "x")] == list(ALWAYS)
    assert [each.id for each in choose(shipped, (), "f", "x")] == list(ALWAYS)


def test_a_standard_that_is_in_no_list_is_refused():
    with pytest.raises(Unfit) as caught:
        choose(parse(ONE.encode(), "standards.toml"), ("y",), "netready.toml", "readiness.standard")
    assert str(caught.value) == 'netready.toml: readiness.standard: no standard is called "y"; expected one of x'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (standard(down=0), "standards.toml: standards[0] (x).down: expected a finite rate above 0, in bit/s"),
        (
            standard(down=None, cap_down=1),
            "standards.toml: standards[0] (x).cap_down: expected down beside it; a cap bounds that rate",
        ),
        (standard(floor_down=3, cap_down=2), "standards.toml: standards[0] (x).floor_down: expected at most cap_down"),
        (
            standard(min_students=3, max_students=2),
            "standards.toml: standards[0] (x).min_students: expected at most 2, which is max_students; got 3",
        ),
        (
            standard() + ONE.split("\n", 1)[1],
            "standards.toml: standards[1] (x).id: expected an id that is used once; standards[0] has it too",
        ),
        (
            standard(per='"heads"'),
            (
                "standards.toml: standards[0] (x).per: expected one of concurrent-testers, site, students, students-and-staff, "
                'students-in-the-busiest-shift, students-staff-and-guests; got "heads"'
            ),
        ),
    ],
)
def test_refuses_in_one_sentence(text, sentence):
    with pytest.raises(Unfit) as caught:
        parse(text.encode(), "standards.toml")
    assert str(caught.value) == sentence


def test_the_same_site_twice_is_the_same_bytes(school, throughput):
    found = gather(school, throughput([300e6]), [], now=NOW)
    standards = parse(ONE.encode(), "standards.toml")
    first, second = (msgspec.json.encode(compare(school, found.down, found.up, standards)) for _ in range(2))
    assert first == second
