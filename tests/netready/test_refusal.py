"""What a refusal proposes: the word that was meant, or a choice that is short enough to be read."""

import pytest

from netready.refusal import MOST_SHOWN, near


def test_what_was_plainly_meant_is_proposed():
    assert near("acess_point", ["access_point", "server"]) == "did you mean access_point?"


@pytest.mark.parametrize(("number", "said"), [(2, "expected one of w00, w01"), (0, "")])
def test_else_the_choice_is_shown(number, said):
    assert near("zzz", [f"w{index:02}" for index in range(number)]) == said


def test_a_long_choice_is_counted():
    whole = [f"w{index:02}" for index in range(MOST_SHOWN)]
    assert near("zzz", whole).endswith("w38, w39")
    assert near("zzz", [*whole, "w40"]) == "expected one of 41, such as w00 or w40"
