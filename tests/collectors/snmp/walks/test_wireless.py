"""Access points and clients of each maker, by walks written after its MIB."""

import pytest


def points(seen):
    return {each.name: each for each in seen.of("controller")}


def test_aruba_instant_tells_its_points_radios_and_clients(replay):
    seen = replay("aruba-instant")
    found = points(seen)
    assert set(found) == {"ap-library", "ap-room-12"}
    assert found["ap-library"].address == "10.40.0.11"
    assert found["ap-library"].facts == {
        "controller": "127.0.0.1", "model": "315", "serial": "CNABCD0001", "state": "up", "clients": "13",
    }  # fmt: skip
    assert "clients" not in found["ap-room-12"].facts, "it is down"
    assert seen.targets("access_point_clients") == {"127.0.0.1 ap-library": 13}
    assert seen.targets("radio_utilisation") == {
        "127.0.0.1 ap-library radio 0": 0.62,
        "127.0.0.1 ap-library radio 1": 0.18,
    }
    one, other = seen.of("wifi")
    assert (one.mac, one.address, one.name) == ("02:cc:00:00:00:01", "10.41.0.21", None)
    assert one.facts == {"point": "ap-library", "ssid": "students", "os": "Chrome OS"}
    assert other.facts["ssid"] == "staff"


@pytest.mark.parametrize(
    ("walk", "name", "facts"),
    [
        (
            "ruckus-zone",
            "ap-gym",
            {"model": "R550", "serial": "391703001234", "location": "Sports hall", "state": "Connect", "clients": "37"},
        ),
        ("ruckus-director", "ap-canteen", {"model": "r510", "serial": "401503000001", "state": "connected", "clients": "2"}),
        ("ruckus-unleashed", "ap-annexe", {"model": "R350", "serial": "502003000001", "state": "connected", "clients": "5"}),
    ],
)
def test_ruckus_controllers_tell_their_points(replay, walk, name, facts):
    seen = replay(walk)
    found = points(seen)[name]
    assert facts.items() <= found.facts.items()
    assert found.mac.startswith("02:bb:00:00:0")
    assert seen.value("access_point_clients", f"127.0.0.1 {name}") == float(facts["clients"])


def test_a_point_that_lost_its_controller_is_listed_but_counts_no_clients(replay):
    for walk, lost in (("ruckus-zone", "ap-old-lab"), ("ruckus-director", "ap-hall")):
        seen = replay(walk)
        assert points(seen)[lost].facts["state"] in {"Disconnect", "disconnected"}
        assert f"127.0.0.1 {lost}" not in seen.targets("access_point_clients")


def test_a_zone_director_tells_its_clients_but_nobodys_name(replay):
    seen = replay("ruckus-director")
    clients = {each.mac: each for each in seen.of("wifi")}
    assert clients["02:cc:00:00:00:11"].facts == {"point": "ap-canteen", "ssid": "students"}
    assert clients["06:cc:00:00:00:12"].address == "10.43.0.9", "an address that begins like a length is none"
    assert "maria" not in str(seen.sightings)


def test_a_unifi_access_point_tells_of_itself(replay):
    seen = replay("unifi")
    facts = seen.sightings[0].facts
    assert (facts["maker"], facts["model"], facts["software"]) == ("Ubiquiti", "UAP-AC-Pro-Gen2", "4.3.20.11298")
    assert facts["clients"] == "34"
    assert seen.value("access_point_clients") == 34
    assert seen.targets("radio_utilisation") == {"127.0.0.1 wifi0": 0.71, "127.0.0.1 wifi1": 0.22}


def test_a_ruckus_access_point_alone_tells_how_many_clients_it_has(replay):
    seen = replay("ruckus-ap")
    assert seen.sightings[0].facts["model"] == "T310d"
    assert seen.value("access_point_clients") == 17


def test_a_mikrotik_router_tells_its_clients_by_their_radio(replay):
    seen = replay("mikrotik")
    assert seen.value("access_point_clients") == 2
    clients = seen.of("wifi")
    assert {each.mac for each in clients} == {"02:cc:00:00:00:21", "06:cc:00:00:00:22"}
    assert all(each.facts == {"point": "gateway", "ssid": "office"} for each in clients)


def test_no_column_of_names_is_ever_asked_for(agent_of, collect):
    """User names of Instant and ZoneDirector, and sysContact."""
    forbidden = [
        (1, 3, 6, 1, 4, 1, 14823, 2, 3, 3, 1, 2, 4, 1, 5),
        (1, 3, 6, 1, 4, 1, 25053, 1, 2, 2, 1, 1, 3, 1, 1, 5),
        (1, 3, 6, 1, 2, 1, 1, 4),
    ]
    for walk in ("aruba-instant", "ruckus-director"):
        agent = agent_of(walk)
        collect(agent)
        assert not [oid for oid in agent.asked for column in forbidden if oid[: len(column)] == column]
