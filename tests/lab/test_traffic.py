"""Other people's traffic over the line while it is measured."""

import itertools
import math
import statistics
import time

import pytest

from lab import LabFailed
from lab.crossing import Datagrams
from lab.traffic import departures

PLAIN = {"target": ("", 0), "size": 1500, "duty": 0.25, "burst": 0.1, "seed": 9}


def moments(count, **sent):
    return list(itertools.islice(departures(Datagrams(**PLAIN | sent)), count))


def test_constant_traffic_is_evenly_spaced():
    seen = moments(1000, rate=12e6, shape="constant")
    assert seen[-1] == pytest.approx(0.999)
    assert all(b - a == pytest.approx(0.001) for a, b in itertools.pairwise(seen))


def test_poisson_traffic_has_the_rate_and_the_gaps_of_its_name():
    seen = moments(40_000, rate=12e6, shape="poisson")
    gaps = [b - a for a, b in itertools.pairwise(seen)]
    assert statistics.mean(gaps) == pytest.approx(0.001, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(0.001, rel=0.03)


def test_bursts_have_the_rate_in_the_long_run_and_a_higher_one_within():
    seen = moments(400_000, rate=12e6, shape="bursts")  # 400 s: a thousand bursts
    assert len(seen) / seen[-1] == pytest.approx(1000, rel=4 * math.sqrt(2 * 0.75 / 1000))
    gaps = [b - a for a, b in itertools.pairwise(seen)]
    assert statistics.median(gaps) == pytest.approx(0.00025)
    assert sum(gap > 0.01 for gap in gaps) == pytest.approx(1000, rel=0.2)


@pytest.mark.namespaces
def test_datagrams_cross_the_line_at_the_rate_and_are_counted_there(line):
    lab = line(down=20e6, up=20e6)
    for way, other, shape in (("down", "up", "poisson"), ("up", "down", "constant")):
        before = lab.line()
        with lab.cross(way, rate=6e6, shape=shape) as crossing:
            time.sleep(1.2)
            now = time.time()
            assert crossing.carried(now - 1, now - 0.1) == pytest.approx(6e6, rel=0.15)
        after = lab.line()
        mean = crossing.carried(now - 1, now)
        assert mean == pytest.approx(6e6, rel=0.15)  # a busy machine may keep the source waiting; what counts is what arrived
        assert lab.carried(way, now - 1, now) == pytest.approx(mean, rel=0.02)
        assert after[way]["out_bytes"] - before[way]["out_bytes"] > 0.9 * 6e6 / 8
        assert after[other]["out_packets"] - before[other]["out_packets"] < 20  # nobody answers


@pytest.mark.namespaces
def test_more_datagrams_than_the_line_carries_are_cut_to_its_rate(line):
    lab = line(down=5e6, buffer=0.05)
    with lab.cross("down", rate=9e6, host="router") as crossing:
        time.sleep(1.2)
    now = crossing.ended
    assert crossing.carried(now - 0.9, now) == pytest.approx(5e6, rel=0.03)


@pytest.mark.namespaces
@pytest.mark.parametrize("way", ["down", "up"])
def test_streams_take_the_whole_line_when_they_are_alone(line, way):
    lab = line(down=30e6, up=30e6, delay=0.002)
    best, until = 0.0, time.monotonic() + 10  # other work on the machine can only slow TCP down: one good window is proof
    with lab.cross(way, streams=2, congestion="cubic") as crossing:
        while best < 29.4e6 and time.monotonic() < until:
            time.sleep(0.8)
            now = time.time()
            carried = lab.carried(way, now - 0.5, now)
            assert carried <= 30.6e6
            best = max(best, carried)
    assert best >= 29.4e6
    all_of_it = lab.carried(way, crossing.began, crossing.ended)  # what was sent twice included
    assert crossing.carried() == pytest.approx(all_of_it, rel=0.05)


@pytest.mark.namespaces
def test_traffic_that_cannot_be_is_refused_and_windows_outside_it_too(line):
    lab = line()
    with pytest.raises(ValueError, match="either a rate or a number of streams"):
        lab.cross("down")
    with pytest.raises(LabFailed, match="no host 'nobody'"), lab.cross("down", rate=1e6, host="nobody"):
        pass
    with lab.cross("up", rate=1e6) as crossing:
        time.sleep(0.1)
    with pytest.raises(ValueError, match="this traffic was counted from"):
        crossing.carried(0.0, time.time())
