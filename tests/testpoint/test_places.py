"""Who may test, and how much: the account of each client."""

import threading

import pytest

from testpoint.address import client_of
from testpoint.limits import Limits
from testpoint.places import Place, Places

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def ended():
    return []


@pytest.fixture
def places(ended):
    def make(**limits):
        return Places(Limits(**limits), ended.append)

    return make


def test_an_ipv6_client_is_a_site_and_an_ipv4_client_an_address():
    assert client_of("2001:db8:1:2:3:4:5:6") == client_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert client_of("2001:db8:1:3::9") != client_of("2001:db8:1:2::9")
    assert client_of("192.0.2.1") == "192.0.2.1"


def test_one_client_has_its_places_and_all_together_have_theirs(places, ended):
    door = places(tests=3, client_tests=2)
    first, second = (door.enter(HERE, "ndt7", "", 0.0) for _ in range(2))
    refused = door.enter(HERE, "ndt7", "", 0.0)
    assert (refused.reason, refused.status) == ("client_tests", 429)
    third = door.enter(THERE, "ndt7", "", 0.0)
    assert isinstance(third, Place)
    refused = door.enter("192.0.2.3", "ndt7", "", 0.0)
    assert (refused.reason, refused.status) == ("tests", 503)
    assert refused.retry_after > 0
    door.leave(first, 1.0)
    assert ended == [first]
    assert isinstance(door.enter(THERE, "ndt7", "", 1.0), Place)
    assert door.running(1.0) == 3
    assert second.members == 1


def test_connections_of_one_group_share_a_place_and_other_clients_do_not(places, ended):
    door = places(tests=2, streams=3)
    streams = [door.enter(HERE, "throughput1", "abc", 0.0) for _ in range(3)]
    assert streams[0] is streams[1] is streams[2]
    assert door.running(0.0) == 1
    refused = door.enter(HERE, "throughput1", "abc", 0.0)
    assert (refused.reason, refused.status) == ("streams", 429)
    assert door.enter(THERE, "throughput1", "abc", 0.0) is not streams[0]
    assert door.enter(HERE, "librespeed", "abc", 0.0).reason == "tests"
    for stream in streams:
        assert not ended
        door.leave(stream, 2.0)
    assert len(ended) == 1
    assert ended[0].seconds == 2.0


def test_a_group_keeps_its_place_between_short_requests(places, ended):
    door = places(tests=1)
    place = door.enter(HERE, "librespeed", "x", 0.0)
    door.moved(place, 1000, 0.5)
    door.leave(place, 1.0, keep=2.0)
    assert door.enter(THERE, "ndt7", "", 2.9).reason == "tests"
    assert door.enter(HERE, "librespeed", "x", 2.9) is place
    door.leave(place, 3.4, keep=2.0, result="client-closed")
    assert isinstance(door.enter(THERE, "ndt7", "", 5.5), Place)
    assert ended == [place]
    assert (place.moved, place.result) == (1000, "client-closed")
    assert place.seconds == pytest.approx(1.5)


def test_bytes_are_counted_over_tests_until_the_day_is_over(places):
    door = places(client_bytes=1000, period=100.0)
    place = door.enter(HERE, "ndt7", "", 10.0)
    assert door.moved(place, 999, 20.0) is None
    refused = door.moved(place, 1, 30.0)
    assert (refused.reason, refused.status, refused.retry_after) == ("client_bytes", 429, 80)
    door.leave(place, 31.0)
    refused = door.enter(HERE, "ndt7", "", 60.5)
    assert refused.retry_after == 50
    assert "1000 bytes" in refused.sentence
    assert isinstance(door.enter(THERE, "ndt7", "", 61.0), Place)
    assert isinstance(door.enter(HERE, "ndt7", "", 110.0), Place)


def test_seconds_are_counted_while_a_test_runs_and_over_tests(places):
    door = places(client_seconds=10.0, period=100.0)
    first = door.enter(HERE, "ndt7", "", 0.0)
    door.leave(first, 6.0)
    second = door.enter(HERE, "ndt7", "", 50.0)
    assert door.moved(second, 1, 53.9) is None
    assert door.moved(second, 1, 54.0).reason == "client_seconds"
    door.leave(second, 54.5)
    assert door.enter(HERE, "ndt7", "", 99.0).reason == "client_seconds"
    assert isinstance(door.enter(HERE, "ndt7", "", 100.0), Place)


def test_a_test_over_the_end_of_the_day_counts_for_the_new_day_from_there(places):
    door = places(client_seconds=10.0, client_bytes=100, period=100.0)
    door.leave(door.enter(HERE, "ndt7", "", 0.0), 1.0)
    place = door.enter(HERE, "ndt7", "", 95.0)
    assert door.moved(place, 99, 99.0) is None
    assert door.moved(place, 99, 103.0) is None
    assert door.moved(place, 0, 112.9) is None
    assert door.moved(place, 0, 113.1).reason == "client_seconds"


def test_zero_is_no_limit(places):
    door = places(client_bytes=0, client_seconds=0.0)
    place = door.enter(HERE, "ndt7", "", 0.0)
    assert door.moved(place, 10**15, 80_000.0) is None


def test_memory_is_bounded_and_a_client_that_tests_is_not_forgotten(places):
    door = places(clients=100, client_bytes=10)
    place = door.enter(HERE, "ndt7", "", 0.0)
    used_up = door.enter(THERE, "ndt7", "", 0.0)
    door.moved(used_up, 10, 0.0)
    door.leave(used_up, 0.0)
    for number in range(1000):
        door.leave(door.enter(client_of(f"2001:db8:0:{number:x}::1"), "ndt7", "", 1.0), 1.0)
        if number < 50:
            assert door.enter(THERE, "ndt7", "", 1.0).reason == "client_bytes"  # who asks is not forgotten, either
    assert door.clients == 100
    assert door.moved(place, 10, 2.0).reason == "client_bytes"
    door.leave(place, 3.0)
    assert door.running(3.0) == 0


def test_many_threads_never_get_more_places_than_there_are(places):
    door = places(tests=5, client_tests=5)
    most = []

    def come_and_go():
        for _ in range(300):
            place = door.enter(HERE, "ndt7", "", 0.0)
            most.append(door.running(0.0))
            if isinstance(place, Place):
                door.moved(place, 1, 0.0)
                door.leave(place, 0.0)

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 5
    assert door.running(0.0) == 0
