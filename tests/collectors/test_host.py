from typing import NamedTuple

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import host
from netready.failure import Failure


class Stat(NamedTuple):
    isup: bool
    speed: int
    flags: str


class Counter(NamedTuple):
    bytes_recv: int
    bytes_sent: int


def read(context, **settings):
    return list(host.read(host.Settings(**{"seconds": 0.1} | settings), context))


def test_this_machine_tells_all_four_of_its_figures(context, tmp_path):
    found = {each.metric: each for each in read(context, path=str(tmp_path)) if each.target == "host"}
    assert 0 <= found["host_cpu_busy"].value <= 1
    assert 0 < found["host_memory_available"].value <= psutil.virtual_memory().total
    assert 0 < found["host_disk_free"].value <= found["host_disk_free"].details["total"]
    assert found["host_uptime"].value > 0
    assert all(each.details["source"] == "host" for each in found.values())


def test_a_path_that_is_not_there_fails_alone(context):
    found = {each.metric: each for each in read(context, path="/no/such/place")}
    assert found["host_disk_free"].failure is Failure.NOT_SUPPORTED
    assert "/no/such/place" in found["host_disk_free"].details["reason"]
    assert found["host_uptime"].value > 0


def test_interfaces_that_are_down_or_loopback_are_left_out_and_an_unknown_speed_is_no_zero():
    stats = {
        "lo": Stat(isup=True, speed=0, flags="up,loopback,running"),
        "eth0": Stat(isup=True, speed=1000, flags="up,broadcast,running"),
        "eth1": Stat(isup=False, speed=1000, flags="broadcast"),
        "wg0": Stat(isup=True, speed=65535, flags="up,pointopoint"),
        "gone": Stat(isup=True, speed=10, flags="up"),
    }
    counters = {name: Counter(bytes_recv=5, bytes_sent=7) for name in stats if name != "gone"}
    found = list(host.ports(stats, counters))
    assert [(port.name, port.speed, port.received, port.sent) for port in found] == [("eth0", 1e9, 5, 7), ("wg0", None, 5, 7)]


def test_an_interface_becomes_three_measurements(hand_clock):
    port = host.Port(name="wg\x00 0", speed=None, received=5, sent=7)
    speed, received, sent = host.emit(port, hand_clock.now())
    assert (speed.metric, speed.failure) == ("interface_speed", Failure.NOT_SUPPORTED)
    assert (received.value, sent.value) == (5, 7)
    assert received.target == "wg 0"


def test_waiting_for_a_disk_is_not_being_busy_and_guests_count_once():
    before = {"user": 10.0, "guest": 5.0, "system": 0.0, "idle": 100.0, "iowait": 0.0}
    after = {"user": 12.0, "guest": 7.0, "system": 0.0, "idle": 105.0, "iowait": 1.0}
    assert host.busy(before, after) == pytest.approx(0.25)
    assert host.busy(before, before) is None


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), min_size=4, max_size=4))
def test_busy_is_a_share_also_when_a_clock_goes_back(pairs):
    names = ("user", "system", "idle", "iowait")
    share = host.busy(
        dict(zip(names, (a for a, _ in pairs), strict=True)), dict(zip(names, (b for _, b in pairs), strict=True))
    )
    assert share is None or -1e-9 <= share <= 1 + 1e-9
