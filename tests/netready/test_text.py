import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.text import LIMIT, clean, safe_cell


@given(st.text(st.characters()) | st.binary())
def test_whatever_comes_in_valid_bounded_printable_single_line_text_comes_out(stranger):
    kept = clean(stranger)
    kept.encode()  # no lone surrogate
    assert len(kept) <= LIMIT
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in kept)
    assert clean(kept) == kept


def test_a_long_text_is_cut_and_says_so():
    assert clean("a" * 64_000) == "a" * (LIMIT - 1) + "…"


def test_direction_overrides_and_escapes_become_spaces():
    assert clean("printer\u202egnp.exe\x1b[31m") == "printer gnp.exe [31m"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\N{FULLWIDTH EQUALS SIGN}1"])
def test_a_cell_that_looks_like_a_formula_is_made_text(cell):
    assert str(safe_cell(cell)).startswith("'")


@pytest.mark.parametrize("cell", [-3, -0.5, 4e8])
def test_a_number_stays_a_number(cell):
    assert safe_cell(cell) == cell
