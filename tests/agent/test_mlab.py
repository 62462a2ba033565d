import random
from datetime import timedelta

import msgspec
import pytest

from agent.mlab import LOCATE, Ration, asked, by_locate
from netready.measurement import Measurement
from probes.throughput import METHODS, locate
from probes.throughput.settings import Throughput
from store import open_store


@pytest.fixture
def book(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        yield store


def test_the_fortieth_request_is_the_last_within_twelve_hours(book, hand_clock):
    first = hand_clock.now()
    for _ in range(locate.LOCATE_MOST):
        assert Ration().refusal(book, hand_clock.now()) is None
        book.spend(hand_clock.now(), LOCATE, 0)
        hand_clock.advance(60)
    assert Ration().refusal(book, hand_clock.now()) == (
        "M-Lab's Locate service may be asked 40 times in 12 hours, and was; again from 2026-03-02 21:00 UTC"
    )
    hand_clock.advance((first + timedelta(hours=12) - hand_clock.now()).total_seconds())
    assert Ration().refusal(book, hand_clock.now()) is None


def test_without_a_book_locate_is_not_asked(hand_clock):
    assert "counted" in Ration().refusal(None, hand_clock.now())


def test_the_agents_tests_keep_to_the_memoryless_schedule(book, hand_clock):
    ration = Ration(random.Random(3))
    gaps = []
    last = hand_clock.now()
    for _ in range(400 * 36):  # every ten minutes for a hundred days
        if ration.refusal(book, hand_clock.now()) is None:
            gaps.append((hand_clock.now() - last).total_seconds())
            last = hand_clock.now()
            book.spend(last, LOCATE, 0)
        hand_clock.advance(600)
    gaps = gaps[1:]
    assert min(gaps) >= locate.LEAST
    assert max(gaps) <= locate.MOST + 600
    mean = sum(gaps) / len(gaps)
    assert locate.MEAN * 0.85 < mean < locate.MEAN * 1.15  # clamped below and above, and late by half a step


def test_asking_often_does_not_bring_the_next_test_nearer(book, hand_clock):
    ration = Ration(random.Random(3))
    book.spend(hand_clock.now(), LOCATE, 0)
    said = {ration.refusal(book, hand_clock.now() + timedelta(seconds=second)) for second in range(2000)}
    assert len(said) == 1


def test_only_ndt7_asks_locate():
    settings = Throughput(locate=True, accept_mlab_policy=True)
    assert by_locate(METHODS["ndt7"], settings)
    assert not by_locate(METHODS["netready"], settings)
    assert not by_locate(METHODS["ndt7"], msgspec.structs.replace(settings, locate=False))


def test_requests_that_a_test_took_are_counted(hand_clock):
    found = [
        Measurement.of("throughput_down", "t", hand_clock.now(), 1.0, "ndt7/1", locate_requests=2),
        Measurement.of("throughput_up", "t", hand_clock.now(), 1.0, "ndt7/1", locate_requests=1),
        Measurement.of("latency_rtt", "t", hand_clock.now(), 1.0, "latency/1"),
    ]
    assert asked(found) == 3
