"""Keys for pseudonyms: one a period, made once, kept from others, and gone when they are destroyed."""

from datetime import date

import pytest

from agent.config import ConfigError
from agent.keys import Keys
from netready.privacy import Change, period


def test_a_period_keeps_its_key_and_another_period_has_another(tmp_path):
    keys = Keys(tmp_path / "keys")
    november = keys.of("2026-11")
    assert len(november) == 32
    assert keys.of("2026-12") != november
    assert Keys(tmp_path / "keys").of("2026-11") == november
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


def test_old_keys_are_destroyed_and_those_of_other_lengths_of_period_stay(tmp_path):
    keys = Keys(tmp_path / "keys")
    old = keys.of("2026-09")
    new = keys.of("2026-11")
    week = keys.of("2026-W40")
    assert keys.keep_from("2026-10") == ("2026-09",)
    assert keys.of("2026-11") == new
    assert keys.of("2026-W40") == week
    assert keys.of("2026-09") != old
    assert old.hex() not in (tmp_path / "keys").read_text()


def test_the_old_file_is_overwritten_and_not_only_unlinked(tmp_path):
    keys = Keys(tmp_path / "keys")
    old = keys.of("2026-09")
    with (tmp_path / "keys").open("rb") as held:  # keeps the old blocks readable
        keys.of("2026-10")
        assert old.hex().encode() not in held.read()
    with (tmp_path / "keys").open("rb") as held:
        assert keys.destroy()
        assert set(held.read()) == {0}
    assert list(tmp_path.iterdir()) == []
    assert not keys.destroy()


@pytest.mark.parametrize(
    "text", ["", "{", '{"version":1,"keys":{"2026-11":"zz"}}', '{"version":1,"keys":{"2026-11":"00"}}', "[]"]
)
def test_a_file_that_is_none_of_ours_is_refused_in_one_sentence_and_left(tmp_path, text):
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ConfigError, match="expected the keys that netready wrote"):
        Keys(path).of("2026-11")
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("change", "day", "label"),
    [
        (Change.WEEK, date(2026, 11, 22), "2026-W47"),
        (Change.WEEK, date(2027, 1, 1), "2026-W53"),
        (Change.MONTH, date(2026, 11, 22), "2026-11"),
        (Change.YEAR, date(2026, 11, 22), "2026"),
    ],
)
def test_periods_have_labels_that_sort_by_time(change, day, label):
    assert period(change, day) == label
