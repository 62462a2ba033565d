from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failure
from netready.measurement import Measurement

NOW = datetime(2026, 3, 2, 9, 14, 7, 120000, tzinfo=UTC)


def reading(**changes):
    return Measurement(
        **(
            {"metric": "throughput_down", "target": "a", "taken_at": NOW, "value": 1.0, "failure": None, "method": "x/1"}
            | changes
        )
    )


def test_a_value_and_a_failure_together_are_refused():
    with pytest.raises(ValueError, match="never both, never neither"):
        reading(failure=Failure.TIMEOUT)


def test_neither_value_nor_failure_is_refused():
    with pytest.raises(ValueError, match="never both, never neither"):
        reading(value=None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_cannot_be_cited_is_refused(value):
    with pytest.raises(ValueError, match="not a number that can be cited"):
        reading(value=value)


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        reading(taken_at=datetime(2026, 3, 2, 9, 14))  # noqa: DTZ001 - the point of the test


def test_a_metric_outside_the_catalogue_is_refused():
    with pytest.raises(ValueError, match="'speed' is not in the catalogue"):
        reading(metric="speed")


def test_the_documented_json_is_what_is_written():
    written = msgspec.json.encode(reading(value=312500000.0, method="netready/1", target="192.0.2.10:4433"))
    assert written == (
        b'{"metric":"throughput_down","target":"192.0.2.10:4433","taken_at":"2026-03-02T09:14:07.120000Z",'
        b'"value":312500000.0,"failure":null,"method":"netready/1","details":{}}'
    )


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(list(Failure)), st.booleans())
def test_json_round_trip(value, failure, failed):
    made = reading(value=None, failure=failure) if failed else reading(value=value)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Measurement) == made


@given(st.recursive(st.none() | st.text() | st.floats() | st.integers(), st.lists, max_leaves=4))
def test_interval_is_a_pair_of_numbers_or_nothing(found):
    made = reading(details={"interval": found})
    if made.interval is not None:
        low, high = made.interval
        assert isinstance(low, float)
        assert isinstance(high, float)
