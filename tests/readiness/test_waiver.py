"""What keeps a waiver from counting, which of several stands, and that none of them ever opens what is unknown."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.refusal import Unfit
from readiness.policy import Level, Policy, Rule, Wave
from readiness.waiver import Category, Waiver, cleaned, objection, parse_waivers, standing

ON = date(2026, 3, 2)


def rule(name: str, level: Level, *, waivable: bool = True) -> Rule:
    return Rule(id=name, title=name, level=level, why="-", remedy="-", criterion="P.2", waivable=waivable)


POLICY = Policy(
    id="cbe",
    version="1",
    title="-",
    platform="-",
    longest_waiver_days=90,
    silent_renewals=1,
    approver_after_days=30,
    waves=(
        Wave(
            id="room",
            title="-",
            rules=(
                rule("named", Level.SOFT),
                rule("wide", Level.HARD),
                rule("fresh", Level.SOFT, waivable=False),
                rule("advice", Level.ADVISORY),
            ),
        ),
    ),
)


def waiver(**changes) -> Waiver:
    given_in = {"rule": "named", "on": ON, "until": ON + timedelta(days=30), "owner": "B. Board", "reason": "in training"}
    return Waiver(**given_in | changes)


def days(count: int) -> date:
    return ON + timedelta(days=count)


REFUSED = {
    "an unknown rule": (
        {"rule": "nemed"},
        ("rule", '"nemed" is not a rule of cbe 1; did you mean named?'),
    ),
    "a rule that is like none": ({"rule": "xyz"}, ("rule", '"xyz" is not a rule of cbe 1; expected one of named')),
    "a hard rule": ({"rule": "wide"}, ("rule", "expected a soft rule; wide is hard and cannot be waived")),
    "advice": ({"rule": "advice"}, ("rule", "expected a soft rule; advice is advisory and cannot be waived")),
    "a soft rule that is marked": ({"rule": "fresh"}, ("rule", "expected a rule that may be waived; cbe says fresh may not")),
    "an end on its first day": (
        {"until": ON},
        ("until", "expected a date later than 2026-03-02, on which it begins; got 2026-03-02"),
    ),
    "a day too long": (
        {"until": days(91), "approver": "C. Chair"},
        ("until", "expected 2026-05-31 or earlier, because cbe allows 90 days; got 2026-06-01"),
    ),
    "no owner": ({"owner": ""}, ("owner", "expected the name of somebody who answers for the risk")),
    "no reason": ({"reason": ""}, ("reason", "expected why the risk is accepted")),
    "nobody else for long": (
        {"until": days(31)},
        ("approver", "expected the name of a second person, whom cbe wants for a waiver of more than 30 days"),
    ),
    "the owner approves": ({"approver": "b board"}, ("approver", "expected somebody else than the owner, B. Board")),
    "who asked approves": (
        {"approver": "A. Head", "asked_by": "a head"},
        ("approver", "expected somebody else than who asked, a head"),
    ),
    "mitigated by nothing": (
        {"category": Category.MITIGATED},
        ("mitigation", "expected what keeps the risk small meanwhile, because the category is mitigated"),
    ),
    "a mitigation that is none": (
        {"mitigation": "at most 60 at once"},
        ("category", "expected mitigated, because a mitigation is given"),
    ),
    "a plan without a day": ({"plan": "train"}, ("plan_on", "expected the date by which the plan is carried out")),
    "a day without a plan": ({"plan_on": days(9)}, ("plan", "expected what will be done by the plan's date")),
    "a plan for yesterday": (
        {"plan": "train", "plan_on": ON},
        ("plan_on", "expected a date later than 2026-03-02, on which the waiver begins; got 2026-03-02"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_count_is_said_in_one_sentence(name):
    changes, said = REFUSED[name]
    assert objection(waiver(**changes), POLICY, ()) == said


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"until": days(1)},
        {"until": days(90), "approver": "C. Chair"},
        {"approver": "C. Chair", "asked_by": "A. Head"},
        {"category": Category.MITIGATED, "mitigation": "at most 60 at once"},
        {"plan": "train", "plan_on": days(1)},
    ],
)
def test_what_counts(changes):
    assert objection(waiver(**changes), POLICY, ()) is None


def test_a_policy_may_want_two_people_always_or_never():
    always = msgspec.structs.replace(POLICY, approver_after_days=0)
    assert objection(waiver(until=days(1)), always, ()) == (
        "approver",
        "expected the name of a second person, whom cbe wants for every waiver",
    )
    never = msgspec.structs.replace(POLICY, approver_after_days=None)
    assert objection(waiver(until=days(90)), never, ()) is None


def test_the_first_renewal_is_silent_and_the_second_wants_a_plan():
    first, second, third = (waiver(on=days(start), until=days(start + 20)) for start in (0, 21, 42))
    history = (third, first, second)
    assert [objection(one, POLICY, history) for one in (first, second)] == [None, None]
    said = ("plan", "expected a plan and its date: this is renewal 2 of named, and 1 renewal may do without")
    assert objection(third, POLICY, history) == said
    planned = msgspec.structs.replace(third, plan="train the substitute", plan_on=days(60))
    assert objection(planned, POLICY, history) is None
    strict = msgspec.structs.replace(POLICY, silent_renewals=0)
    assert objection(first, strict, history) is None
    assert objection(second, strict, history) == (said[0], said[1].replace("2 of", "1 of").replace("1 renewal", "0 renewals"))


def test_a_correction_of_the_same_day_and_another_rules_waiver_are_no_renewals():
    first = waiver()
    others = (first, waiver(until=days(3)), waiver(rule="wide", on=days(-3)), waiver(rule="wide", on=days(-9)))
    strict = msgspec.structs.replace(POLICY, silent_renewals=0)
    assert objection(first, strict, others) is None


def test_of_several_that_run_the_newest_stands_and_of_one_day_the_shorter():
    old, new = waiver(until=days(40)), waiver(on=days(2), until=days(9))
    short = waiver(on=days(2), until=days(5))
    assert standing([new, old], days(1)) == {"named": old}
    assert standing([old, new], days(2)) == {"named": new}
    assert standing([old, short, new], days(3)) == standing([new, short, old], days(3)) == {"named": short}
    assert standing([old, new], days(9)) == {"named": new}
    assert standing([old, new], days(-1)) == {}


def test_a_waiver_that_a_newer_one_cut_short_does_not_stand_again():
    old, new, other = waiver(until=days(40)), waiver(on=days(2), until=days(9)), waiver(rule="wide", until=days(40))
    assert standing([old, other, new], days(10)) == standing([new, other, old], days(10)) == {"wide": other}


def test_texts_are_cleaned_and_what_is_then_empty_is_no_text():
    made = cleaned(waiver(owner="  \x1b[31mB.\u202e Board ", reason="\t"))
    assert made.owner == "[31mB. Board"
    assert objection(made, POLICY, ()) == ("reason", "expected why the risk is accepted")


class TestFile:
    ONE = """[[waivers]]
rule = "named"
until = 2026-03-30
owner = "B. Board"
reason = "a substitute is trained"
on = 2026-03-01
"""

    @pytest.mark.parametrize(
        ("old", "new", "sentence"),
        [
            (
                "until = 2026-03-30",
                "until = 2026-06-30",
                "(named).until: expected 2026-05-30 or earlier, because cbe allows 90 days; got 2026-06-30",
            ),
            ('owner = "B. Board"\n', "", "(named).owner: expected a value; the field is missing"),
            ('"named"', '"fresh"', "(fresh).rule: expected a rule that may be waived; cbe says fresh may not"),
            ("\non = ", '\napprover = "B. BOARD"\non = ', "(named).approver: expected somebody else than the owner, B. Board"),
            (
                "\non = ",
                '\ncategory = "forgotten"\non = ',
                '(named).category: expected one of mitigated, waiver; got "forgotten"',
            ),
            ("\non = ", '\nwave = "room"\non = ', "(named).wave: unknown field"),
        ],
    )
    def test_one_row_that_is_unfit_refuses_the_file_with_the_row_and_the_reason(self, old, new, sentence):
        assert old in self.ONE
        before = self.ONE.replace("2026-03", "2026-01")
        with pytest.raises(Unfit) as caught:
            parse_waivers((before + self.ONE.replace(old, new)).encode(), "w.toml", POLICY)
        assert str(caught.value).startswith(f"w.toml: waivers[1] {sentence}")

    def test_the_plan_is_asked_for_in_a_file_too(self):
        text = "".join(self.ONE.replace("2026-03", f"2026-0{month}") for month in (3, 4, 5))
        with pytest.raises(Unfit) as caught:
            parse_waivers(text.encode(), "w.toml", POLICY)
        assert str(caught.value) == (
            "w.toml: waivers[2] (named).plan: expected a plan and its date: this is renewal 2 of named, and 1 renewal may do"
            " without"
        )
        assert len(parse_waivers(f'{text}plan = "train"\nplan_on = 2026-06-01\n'.encode(), "w.toml", POLICY)) == 3


DAYS = st.integers(-40, 120).map(days)


@given(st.lists(st.builds(waiver, on=DAYS, until=DAYS), max_size=6), DAYS, st.randoms(use_true_random=False))
def test_what_stands_runs_that_day_and_never_depends_on_the_order(waivers, today, chance):
    stands = standing(waivers, today)
    assert stands.keys() <= {"named"}
    for one in stands.values():
        assert one.on <= today <= one.until
    begun = [one for one in waivers if one.on <= today]
    newest = [one for one in begun if one.on == max(each.on for each in begun)]
    assert bool(stands) == (bool(newest) and today <= min(one.until for one in newest))
    chance.shuffle(waivers)
    assert standing(waivers, today) == stands
