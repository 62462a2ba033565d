from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.load import FRAMING, Sample, annotate, noted, on_the_wire, span
from netready.measurement import Measurement

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND = 12_500_000  # bytes at 100 Mbit/s


def reading(metric="throughput_down", moved=SECOND * 2, **details):
    counted = "bytes_received" if "down" in metric else "bytes_sent"
    given = {"ip_rate": 96e6 * 1.03, counted: moved, "load_during": 1.0} | details
    return Measurement.of(metric, "t:1", AT, 96e6, "netready/1", **given)


def samples(others, own, seconds=4.0, *, up=False):
    """Two samples with that many bytes of others and of the test, in one direction."""
    frames = own // 1500
    if up:
        return Sample(at=0, down=0, up=0), Sample(at=seconds, down=0, up=others + own, own_up=own, own_up_packets=frames)
    return Sample(at=0, down=0, up=0), Sample(at=seconds, down=others + own, up=0, own_down=own, own_down_packets=frames)


@pytest.mark.parametrize("direction", ["down", "up"])
def test_what_others_moved_is_the_load(direction):
    first, last = samples(4 * SECOND // 4, 2 * SECOND, up=direction == "up")
    found = span(first, last, direction, ended=4.0, active=2.0, before=25e6, step=0.2)
    details = annotate(reading(f"throughput_{direction}", moved=int(1.9 * SECOND)), found, "router r wan0").details
    own = 8 * 2 * SECOND * FRAMING / 2
    assert details["load_during"] == pytest.approx(25e6 - own, rel=1e-6)
    assert details["load_during_from"] == "router r wan0"
    assert details["load_resolution"] == pytest.approx(own + 2 * 0.2 * 25e6 / 2)
    assert details["load_seconds"] == 4.0


def test_others_who_gave_way_are_not_counted_at_their_former_rate():
    outside = 2 * 25e6 / 8  # for two of four seconds they had 25 Mbit/s, and 5 during the test
    first, last = samples(int(outside + 2 * 5e6 / 8), 2 * SECOND)
    found = span(first, last, "down", ended=4.0, active=2.0, before=25e6, step=0.2)
    assert annotate(reading(moved=int(1.9 * SECOND)), found, "r").details["load_during"] == pytest.approx(4e6, rel=0.01)


def test_what_may_have_come_behind_the_test_is_no_sure_load():
    # 17 Mbit/s during the test, and 90 in the two seconds until the counter shows it.
    first, last = samples(int((17e6 * 6 + 90e6 * 2) / 8), int(80e6 * 6 / 8), seconds=8.0)
    found = span(first, last, "down", ended=6.0, active=6.0, before=30e6, step=0.2)
    details = annotate(reading(moved=int(78e6 * 6 / 8), ip_rate=80e6 * 96 / 96), found, "r").details
    assert details["load_during"] > 35e6
    assert 0 <= details["load_during"] - details["load_resolution"] < 17e6


@given(st.floats(1e6, 60e6), st.floats(0, 95e6), st.floats(0.5, 8), st.floats(0, 5), st.floats(0, 60e6))
def test_the_sure_load_is_never_more_than_there_was(during, behind, active, after, before):
    """Whatever others do behind the test on a line that carries no more than it did, and no more than FRAMING is miscounted."""
    rate = 95e6 - during
    others = during * active + behind * after + before * 0.5
    first, last = samples(int(others / 8), int(rate * active / 8), seconds=active + after + 0.5)
    found = span(first, last, "down", ended=0.5 + active, active=active, before=before, step=0.2)
    one = msgspec.structs.replace(reading(moved=int(rate * active / 8)), value=rate / 1.03)
    details = annotate(msgspec.structs.replace(one, details=one.details | {"ip_rate": rate}), found, "r").details
    assert details["load_during"] - details["load_resolution"] <= during + 1


def test_a_load_is_never_negative():
    first, last = samples(0, 2 * SECOND)
    found = span(first, last, "down", ended=4.0, active=2.0, before=0, step=0.2)
    assert annotate(reading(moved=int(1.9 * SECOND)), found, "r").details["load_during"] == 0.0


def test_packets_that_came_after_the_test_had_stopped_are_not_others():
    first, last = samples(0, 2 * SECOND)
    found = span(first, last, "down", ended=4.0, active=2.0, before=0, step=0.2)
    assert annotate(reading(moved=SECOND), found, "r").details["load_during"] == 0.0


def test_a_counter_that_does_not_show_the_test_is_not_believed():
    found = span(*samples(0, 0), "down", ended=4.0, active=2.0, before=0, step=0.2)
    details = annotate(reading(), found, "router r wan0").details
    assert details["load_during"] == 1.0
    assert details["load_during_from"] == "this machine's interface"
    assert details["load_during_note"] == (
        "router r wan0: the counter grew by 0.0 MB while the test moved 25.0 MB; "
        "it is refreshed too slowly, or counts another line"
    )


def test_a_counter_of_the_schools_side_is_recognised():
    found = span(*samples(0, 2 * SECOND, up=True), "down", ended=4.0, active=2.0, before=0, step=0.2)
    assert "faces the school" in annotate(reading(), found, "r").details["load_during_note"].replace("to face", "faces")


def test_headers_that_a_driver_did_not_count_are_added():
    frames = 1000
    assert on_the_wire(frames * 1514, frames) == frames * 1514
    bundles = frames // 20
    assert on_the_wire(frames * 1448 + bundles * 66, bundles) == pytest.approx(frames * 1514)


def test_a_strangers_rate_cannot_explain_the_load_away():
    first, last = samples(4 * SECOND, 0)
    found = span(first, last, "down", ended=4.0, active=4.0, before=0, step=0.2)
    told = annotate(reading(moved=SECOND, ip_rate=1e15), found, "r").details
    assert told["load_during"] >= 8 * (4 * SECOND - 2 * SECOND * (1 + FRAMING)) / 4


def test_without_a_router_the_load_says_whose_it_is():
    assert noted(reading(), "").details["load_during_from"] == "this machine's interface"
    bare = Measurement.of("throughput_down", "t:1", AT, 1e6, "x/1")
    assert noted(bare, "").details == {}
    assert noted(bare, "why").details == {"load_during_note": "why"}
