"""The file of attestations: who vouched for what, read strictly."""

from datetime import date

import pytest

from netready.refusal import Unfit
from readiness.evidence import parse_attestations

TODAY = date(2026, 3, 31)
ONE = """[[attestations]]
criterion = "P.2"
answer = true
name = "A. Head"
role = "principal"
on = 2026-01-05
until = 2026-12-31
"""


def test_reads_them_in_order(roadmap):
    found = parse_attestations((ONE + ONE.replace("P.2", "L.3")).encode(), "attestations.toml", roadmap, TODAY)
    assert [one.criterion for one in found] == ["P.2", "L.3"]
    assert found[0].on == date(2026, 1, 5)


def test_an_empty_file_attests_nothing(roadmap):
    assert parse_attestations(b"", "attestations.toml", roadmap, TODAY) == ()


def test_one_that_has_run_out_is_still_on_the_record(roadmap):
    old = ONE.replace("2026-12-31", "2026-02-01").encode()
    assert len(parse_attestations(old, "attestations.toml", roadmap, TODAY)) == 1


@pytest.mark.parametrize(
    ("today", "counts"),
    [(date(2026, 1, 4), False), (date(2026, 1, 5), True), (date(2026, 12, 31), True), (date(2027, 1, 1), False)],
)
def test_a_word_counts_from_its_first_day_to_its_last(attest, today, counts):
    assert attest("P.2").counts(today) is counts


CASES = {
    "an unknown criterion": (
        ONE.replace("P.2", "P.9"),
        'attestations.toml: attestations[0] (P.9).criterion: "P.9" is not a criterion of small 1',
    ),
    "a day that is still to come": (
        ONE.replace("2026-01-05", "2026-04-01"),
        (
            "attestations.toml: attestations[0] (P.2).on: expected 2026-03-31 or earlier; "
            "nobody can vouch on 2026-04-01, which is still to come"
        ),
    ),
    "an end before its beginning": (
        ONE.replace("2026-12-31", "2026-01-05"),
        "attestations.toml: attestations[0] (P.2): until 2026-01-05 must be later than on 2026-01-05",
    ),
    "two answers to one criterion": (
        ONE + ONE.replace("true", "false"),
        (
            "attestations.toml: attestations[1] (P.2).criterion: expected one answer for each criterion; "
            "attestations[0] gives one too"
        ),
    ),
    "a yes that is a word": (
        ONE.replace("true", '"yes"'),
        "attestations.toml: attestations[0] (P.2).answer: expected true or false; got text",
    ),
    "a date that is none": (
        ONE.replace("2026-01-05", '"January"'),
        "attestations.toml: attestations[0] (P.2).on: expected a date such as 2026-03-02",
    ),
    "a nameless witness": (
        ONE.replace("A. Head", ""),
        "attestations.toml: attestations[0] (P.2).name: expected text that is not empty",
    ),
    "an unknown table": (
        ONE.replace("[[attestations]]", "[[attestation]]"),
        "attestations.toml: attestation: unknown field; did you mean attestations?",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refuses_in_one_sentence(roadmap, name):
    text, sentence = CASES[name]
    with pytest.raises(Unfit) as caught:
        parse_attestations(text.encode(), "attestations.toml", roadmap, TODAY)
    assert str(caught.value) == sentence
