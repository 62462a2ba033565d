"""The form that people fill in: exported, read back, and refused with its line and column."""

import contextlib
import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.refusal import Unfit
from readiness.attestation_form import COLUMNS, asked, export, parse
from readiness.evidence import Attestation

TODAY = date(2026, 3, 31)
SHA = "ab" * 32


def form(*rows, columns=tuple(COLUMNS), separator=","):
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=columns, extrasaction="ignore", delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def row(**changes):
    one = {
        "criterion": "P.2",
        "answer": "yes",
        "name": "A. Head",
        "role": "principal",
        "on": "2026-01-05",
        "until": "2026-12-31",
        "document": "Minutes",
        "document date": "2025-12-01",
        "sha-256": SHA,
        "kept where": "office",
    }
    return one | {name.replace("_", " "): value for name, value in changes.items()}


def read(data, roadmap):
    return parse(data, "form.csv", roadmap, TODAY)


ANSWER = Attestation(
    criterion="P.2",
    answer=True,
    name="A. Head",
    role="principal",
    on=date(2026, 1, 5),
    until=date(2026, 12, 31),
    document="Minutes",
    document_on=date(2025, 12, 1),
    sha256=SHA,
    kept="office",
)


def test_a_filled_in_form_is_read(roadmap):
    assert read(form(row()), roadmap) == (ANSWER,)


def test_what_is_exported_is_read_back_the_same(roadmap):
    text = export(roadmap, {"P.2": ANSWER})
    assert text.count("\r\n") == len(asked(roadmap)) + 1
    assert read(text.encode(), roadmap) == (ANSWER,)


def test_rows_without_an_answer_are_left_out_and_other_columns_do_not_matter(roadmap):
    data = form(row(answer=""), row(criterion="L.3", answer="NO"), columns=("note", "ours", *reversed(list(COLUMNS)[:-1])))
    (found,) = read(data, roadmap)
    assert (found.criterion, found.answer) == ("L.3", False)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_spreadsheets_of_other_countries_are_read(roadmap, separator, encoding):
    data = form(row(name="Á. Headmaster"), separator=separator).decode().encode(encoding)
    assert read(data, roadmap)[0].name == "Á. Headmaster"


@pytest.mark.parametrize("formula", ["=1+1", "\N{FULLWIDTH EQUALS SIGN}1+1"])
def test_a_text_that_looks_like_a_formula_goes_out_and_comes_back_as_text(roadmap, formula):
    note = Attestation(criterion="P.2", answer=True, name="A", role="b", on=ANSWER.on, until=ANSWER.until, note=formula)
    text = export(roadmap, {"P.2": note})
    assert f"'{formula}" in text
    assert read(text.encode(), roadmap) == (note,)


CASES = {
    "an unknown criterion": ([row(criterion="P.9")], 'line 2, column criterion: "P.9" is no criterion'),
    "a word for an answer": ([row(answer="maybe")], 'line 2, column answer: expected yes or no; got "maybe"'),
    "nobody who vouches": ([row(name=" ")], "line 2, column name: expected who vouches"),
    "a day to come": ([row(), row(criterion="L.3", on="2026-04-01")], "line 3, column on: expected 2026-03-31 or earlier"),
    "a document from the future": ([row(document_date="2027-01-01")], "line 2, column document date: expected 2026-03-31"),
    "no date": ([row(until="next year")], 'line 2, column until: expected a date such as 2026-03-02; got "next year"'),
    "an end before the beginning": ([row(until="2026-01-05")], "line 2, column until: expected a day after 2026-01-05"),
    "a formula": ([row(note="=HYPERLINK(1)")], 'line 2, column note: expected plain text, and "=HYPERLINK(1)" is a formula'),
    "a full-width formula": ([row(note="\N{FULLWIDTH PLUS SIGN}1")], "line 2, column note: expected plain text"),
    "no digest": ([row(**{"sha-256": "abc"})], "line 2, column sha-256: expected 64 hexadecimal digits"),
    "two answers": ([row(), row(answer="no")], "line 3, column criterion: expected one answer for P.2; line 2 has one too"),
    "a name without end": ([row(name="x" * 500)], "line 2, column name: expected"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_row_that_cannot_be_read_and_none_is(roadmap, case):
    rows, said = CASES[case]
    with pytest.raises(Unfit) as refused:
        read(form(*rows), roadmap)
    assert said in str(refused.value)
    assert str(refused.value).startswith("form.csv: ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "expected the columns"),
        (b"a,b\n1,2\n", 'line 1: expected the column "criterion"'),
        (b"criterion,answer,name,role,on\n", 'expected the column "until"'),
        (b"criterion,criterion\n", '"criterion" is there twice'),
        (b"\xff\xfe\x00\xd8", "expected UTF-8 text"),
        (b"\x80\x81", "expected UTF-8 text"),
        (form(row()).replace(b"P.2", b"P\x002"), "NUL"),
        (form(row()) + b'"open', "line 3"),
        (form(row()) + b"P.2,yes\n", "line 3: expected 14 cells"),
        (b"x" * (5 << 20), "at most 4 MiB"),
    ],
)
def test_a_file_that_is_no_form_is_refused(roadmap, data, said):
    with pytest.raises(Unfit) as refused:
        read(data, roadmap)
    assert said in str(refused.value)


@given(data=st.binary(max_size=300))
def test_any_bytes_are_answers_or_one_refusal(roadmap, data):
    with contextlib.suppress(Unfit):
        assert isinstance(read(b"criterion,answer,name,role,on,until\n" + data, roadmap), tuple)
