from datetime import UTC, datetime
from itertools import permutations

from census.kinds import Naming
from census.merge import count
from netready.device import Kind, Sighting

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def seen(source, mac=None, address=None, name=None, **facts):
    return Sighting(source=source, at=AT, mac=mac, address=address, name=name, facts=facts)


def test_one_device_seen_by_three_sources_is_counted_once_whatever_the_order():
    sightings = [
        seen("arp", "00:00:5e:00:53:01", "10.20.0.7"),
        seen("mdns", "00:00:5e:00:53:01", "10.20.0.7", "office-printer"),
        seen("snmp", None, "10.20.0.7", "office-printer", location="Room 7"),
    ]
    counted, *others = [count(order, Naming()) for order in permutations(sightings)]
    assert all(other == counted for other in others)
    (device,) = counted
    assert device.names == ("office-printer",)
    assert device.room == "Room 7"
    assert device.how == ("arp", "mdns", "snmp")


def test_an_address_that_two_devices_claim_belongs_to_neither():
    found = count(
        [
            seen("arp", "00:00:5e:00:53:01", "10.20.0.7"),
            seen("arp", "00:00:5e:00:53:02", "10.20.0.7"),
            seen("snmp", None, "10.20.0.7", "who"),
        ],
        Naming(),
    )
    assert sorted(device.key for device in found) == ["00:00:5e:00:53:01", "00:00:5e:00:53:02", "10.20.0.7"]


def test_a_random_address_is_marked():
    (device,) = count([seen("arp", "02:00:00:00:00:01", "10.20.0.9")], Naming())
    assert device.random
    assert device.vendor is None
    assert device.kind is Kind.UNKNOWN


def test_devices_are_in_order_of_address():
    found = count([seen("arp", f"00:00:5e:00:53:{i:02x}", f"10.20.0.{i}") for i in (9, 100, 10)], Naming())
    assert [device.addresses[0] for device in found] == ["10.20.0.9", "10.20.0.10", "10.20.0.100"]
