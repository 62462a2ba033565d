from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from census.kinds import Naming
from census.merge import count
from netready.device import Kind, Sighting

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def seen(source, mac=None, address=None, name=None, **facts):
    return Sighting(source=source, at=AT, mac=mac, address=address, name=name, facts=facts)


def devices(*sightings):
    return count(sightings, Naming()).devices


def test_one_device_seen_by_three_sources_is_counted_once_whatever_the_order():
    sightings = [
        seen("arp", "00:00:5e:00:53:01", "10.20.0.7"),
        seen("mdns", "00:00:5e:00:53:01", "10.20.0.7", "office-printer"),
        seen("snmp", None, "10.20.0.7", "office-printer", location="Room 7"),
    ]
    counted, *others = [devices(*order) for order in permutations(sightings)]
    assert all(other == counted for other in others)
    (device,) = counted
    assert device.names == ("office-printer",)
    assert device.room == "Room 7"
    assert device.how == ("arp", "mdns", "snmp")
    assert device.merged == (
        "same MAC in arp, mdns",
        "address 10.20.0.7 belonged to 00:00:5e:00:53:01 in its ARP answer, mdns",
    )


def test_an_address_that_two_devices_claim_is_no_third_device():
    census = count(
        [
            seen("arp", "00:00:5e:00:53:01", "10.20.0.7"),
            seen("arp", "00:00:5e:00:53:02", "10.20.0.7"),
            seen("snmp", None, "10.20.0.7", "who"),
        ],
        Naming(),
    )
    assert [device.key for device in census.devices] == ["00:00:5e:00:53:01", "00:00:5e:00:53:02"]
    assert census.joined.claims == {"10.20.0.7": ("00:00:5e:00:53:01", "00:00:5e:00:53:02")}
    assert "What snmp said of 10.20.0.7 is left out: several devices hold that address." in census.notes


def test_a_made_up_address_is_marked():
    (device,) = devices(seen("arp", "02:00:00:00:00:01", "10.20.0.9"))
    assert device.random
    assert device.vendor is None
    assert device.kind is Kind.UNKNOWN


def test_devices_are_in_order_of_address():
    found = devices(*(seen("arp", f"00:00:5e:00:53:{i:02x}", f"10.20.0.{i}") for i in (9, 100, 10)))
    assert [device.addresses[0] for device in found] == ["10.20.0.9", "10.20.0.10", "10.20.0.100"]


ROUTER = seen(
    "snmp",
    "00:1b:21:00:00:01",
    "10.20.0.1",
    "router",
    macs="00:1b:21:00:00:01 00:1b:21:00:00:02 00:1b:21:00:00:03",
    addresses="10.20.0.1 10.21.0.1 10.22.0.1 192.168.9.1 127.0.0.1",
)


def test_a_router_with_five_addresses_and_three_cards_counts_once():
    found = devices(
        ROUTER,
        seen("arp", "00:1b:21:00:00:01", "10.20.0.1"),
        seen("fdb", "00:1b:21:00:00:02", switch="10.20.0.2", port="1"),
        seen("icmp", None, "10.22.0.1", router="yes"),
        seen("nd", "00:1b:21:00:00:03", "2001:db8::1", router="yes"),
        seen("mdns", None, "192.168.9.1", "router"),
    )
    assert len(found) == 1
    assert found[0].addresses == ("10.20.0.1", "10.21.0.1", "10.22.0.1", "192.168.9.1", "2001:db8::1")
    assert "10.22.0.1 is one of its own addresses" in found[0].merged
    assert "00:1b:21:00:00:02 is one of its own interfaces, says 10.20.0.1" in found[0].merged


def test_a_router_asked_at_two_of_its_addresses_is_one():
    other = seen("snmp", None, "10.21.0.1", "router", addresses="10.20.0.1 10.21.0.1")
    assert len(devices(ROUTER, other)) == 1


def test_a_switch_with_48_ports_that_a_neighbour_hears_counts_once():
    cards = [f"70:10:6f:aa:00:{port:02x}" for port in range(1, 49)]
    found = devices(
        seen("snmp", None, "10.20.0.2", "switch-1", macs=" ".join(cards), bridge="70:10:6f:aa:00:00"),
        *(seen("fdb", card, switch="10.20.0.3", port="24") for card in cards),
        seen("lldp", "70:10:6f:aa:00:00", None, "switch-1", switch="10.20.0.3", port="24", capabilities="bridge"),
        seen("arp", "70:10:6f:aa:00:00", "10.20.0.2"),
    )
    assert len(found) == 1
    assert "70:10:6f:aa:00:00 is its bridge MAC, says 10.20.0.2" in found[0].merged


def test_an_address_that_routers_share_joins_none_of_them_and_is_no_device():
    shared = "00:00:5e:00:01:07"
    census = count(
        [
            seen(
                "snmp",
                "00:1b:21:00:00:01",
                "10.20.0.2",
                "left",
                macs=f"00:1b:21:00:00:01 {shared}",
                addresses="10.20.0.1 10.20.0.2",
            ),
            seen(
                "snmp",
                "00:1b:21:00:00:02",
                "10.20.0.3",
                "right",
                macs=f"00:1b:21:00:00:02 {shared}",
                addresses="10.20.0.1 10.20.0.3",
            ),
            seen("arp", shared, "10.20.0.1"),
            seen("fdb", shared, switch="10.20.0.9", port="1"),
        ],
        Naming(),
    )
    assert [device.names for device in census.devices] == [("left",), ("right",)]
    assert "10.20.0.1 is a VRRP address that routers share, and no device of its own." in census.notes


def test_two_switches_with_the_same_factory_address_stay_two():
    found = devices(
        seen("snmp", "70:10:6f:aa:00:00", "10.20.0.2", "switch", addresses="10.20.0.2 192.168.1.1"),
        seen("snmp", "70:10:6f:bb:00:00", "10.20.0.3", "switch", addresses="10.20.0.3 192.168.1.1"),
    )
    assert len(found) == 2


def test_two_servers_with_the_same_container_bridge_stay_two():
    docker = "02:42:ac:11:00:02"
    found = devices(
        seen("snmp", "b8:ca:3a:00:00:01", "10.20.0.5", macs=f"b8:ca:3a:00:00:01 {docker}"),
        seen("snmp", "b8:ca:3a:00:00:02", "10.20.0.6", macs=f"b8:ca:3a:00:00:02 {docker}"),
    )
    assert len(found) == 2


def test_two_firewalls_that_list_the_same_cards_stay_two_when_their_serial_numbers_differ():
    cards = "00:09:0f:09:00:01 00:09:0f:09:00:02"
    found = devices(
        seen("snmp", None, "10.20.0.5", "fw", macs=cards, serial="FG100E0001"),
        seen("snmp", None, "10.20.0.6", "fw", macs=cards, serial="FG100E0002"),
    )
    assert len(found) == 2


def test_an_address_of_a_managed_device_that_another_card_holds_is_not_its_own():
    found = devices(
        seen("snmp", "70:10:6f:aa:00:00", "10.20.0.2", "switch", macs="70:10:6f:aa:00:00", addresses="10.20.0.2 192.168.1.1"),
        seen("arp", "c8:3a:35:00:00:01", "192.168.1.1"),
    )
    assert [device.addresses for device in found] == [("10.20.0.2",), ("192.168.1.1",)]


def test_a_serial_number_joins_an_asset_list_with_what_the_network_tells():
    (phone,) = devices(
        seen("lldp", "80:5e:c0:00:00:01", None, "phone", serial=" fch2033d0aa ", switch="10.20.0.2", port="4"),
        seen("snipe-it", None, None, "asset-17", serial="FCH2033D0AA", room="12"),
    )
    assert phone.room == "12"
    assert phone.enrolled == ("snipe-it",)
    assert phone.merged == ("same serial number",)


def test_wi_fi_and_ethernet_of_one_asset_row_are_one_device():
    rows = [
        seen("google", "3c:a9:f4:00:00:01", None, serial="5CD1234XYZ", owner="student", updates_until="2031-06-30"),
        seen("google", "00:e0:4c:00:00:01", None, serial="5CD1234XYZ", owner="student", updates_until="2031-06-30"),
    ]
    wired = seen("arp", "00:e0:4c:00:00:01", "10.20.0.50")
    wireless = seen("arp", "3c:a9:f4:00:00:01", "10.20.0.51")
    keys = {devices(*rows, *now)[0].key for now in ([wired], [wireless], [wired, wireless])}
    assert len(keys) == 1, "the device is called the same whichever card it is seen with"
    (device,) = devices(*rows, wired, wireless)
    assert device.facts["updates_until"] == "2031-06-30"
    assert device.addresses == ("10.20.0.50", "10.20.0.51")


def test_the_cards_of_a_row_without_a_serial_number_join_by_the_schools_own_number():
    rows = [seen("snipe-it", f"3c:a9:f4:00:00:0{i}", asset="0017") for i in (1, 2)]
    (device,) = devices(*rows, seen("arp", "3c:a9:f4:00:00:02", "10.20.0.5"))
    assert "same row of an asset list" in device.merged
    twice = [seen("snipe-it", f"3c:a9:f4:00:00:0{i}", asset="0017", serial=f"AB1234{i}") for i in (1, 2)]
    assert len(count(twice, Naming()).enrolled_unseen) == 2, "a number that was given twice joins nothing"


def test_an_adapter_that_two_rows_share_joins_neither():
    adapter = "00:e0:4c:00:00:09"
    census = count(
        [
            seen("google", "3c:a9:f4:00:00:01", None, serial="5CD0000001"),
            seen("google", adapter, None, serial="5CD0000001"),
            seen("google", "3c:a9:f4:00:00:02", None, serial="5CD0000002"),
            seen("google", adapter, None, serial="5CD0000002"),
            seen("arp", adapter, "10.20.0.60"),
            seen("arp", "3c:a9:f4:00:00:01", "10.20.0.61"),
        ],
        Naming(),
    )
    assert [(device.key, device.enrolled) for device in census.devices] == [(adapter, ()), ("3c:a9:f4:00:00:01", ("google",))]
    assert [device.key for device in census.enrolled_unseen] == ["3c:a9:f4:00:00:02"]


def test_a_serial_number_that_nobody_filled_in_joins_nothing():
    found = devices(
        *(
            seen("arp", f"00:00:5e:00:53:{i:02x}", f"10.20.0.{i}", serial=text)
            for i, text in enumerate(
                ["To be filled by O.E.M.", "to be filled by O.E.M. ", "000000000", "000000000", "N/A", "N/A"], 1
            )
        )
    )
    assert len(found) == 6


def test_a_row_that_the_network_did_not_see_is_kept_apart():
    census = count([seen("intune", "00:00:5e:00:53:01", None, "pc", serial="AB12345")], Naming())
    assert census.devices == ()
    (device,) = census.enrolled_unseen
    assert device.enrolled == ("intune",)
    assert device.how == ()


def test_a_row_with_neither_card_nor_serial_number_is_said():
    census = count([seen("glpi", None, None, "pc-1"), seen("glpi", None, None, "pc-2")], Naming())
    assert census.devices == census.enrolled_unseen == ()
    assert census.notes == ("2 rows of the asset lists have neither a hardware address nor a serial number.",)


def test_names_join_nothing():
    found = devices(
        seen("dhcp", "00:00:5e:00:53:01", "10.20.0.1", "iPhone"),
        seen("dhcp", "00:00:5e:00:53:02", "10.20.0.2", "iPhone"),
        seen("mdns", None, "10.20.0.3", "iPhone"),
        seen("lldp", None, None, "iPhone", switch="10.20.0.9", port="1"),
    )
    assert len(found) == 3


def test_made_up_addresses_join_by_a_dhcp_client_id_and_by_nothing_less():
    same = {"parameters": "1,121,3,6,15", "vendor_class": "x"}
    apart = devices(
        seen("dhcp", "02:00:00:00:00:01", "10.20.0.1", "iPhone", **same),
        seen("dhcp", "02:00:00:00:00:02", "10.20.0.1", "iPhone", **same),
    )
    assert len(apart) == 2
    (device,) = devices(
        seen("dhcp", "02:00:00:00:00:01", "10.20.0.1", client_id="ff0000000100010001deadbeef0011"),
        seen("dhcp", "02:00:00:00:00:02", "10.20.0.2", client_id="ff0000000200010001deadbeef0011"),
    )
    assert "same DHCP client id" in device.merged


def test_the_tag_that_an_asset_list_gives_a_device_stays_with_it():
    (device,) = devices(
        seen("arp", "b8:ca:3a:00:00:01", "10.20.0.1"),
        seen("snipe-it", "b8:ca:3a:00:00:01", asset="SCH-0042", model="Latitude 3190"),
    )
    assert (device.facts["asset"], device.facts["model"]) == ("SCH-0042", "Latitude 3190")


def test_clones_of_one_image_stay_apart():
    found = devices(
        seen("dhcp", "b8:ca:3a:00:00:01", "10.20.0.1", client_id="ff00000001000100aadeadbeef0011"),
        seen("dhcp", "b8:ca:3a:00:00:02", "10.20.0.2", client_id="ff00000001000100aadeadbeef0011"),
    )
    assert len(found) == 2


def test_a_client_id_that_repeats_the_hardware_address_says_nothing_new():
    found = devices(
        seen("dhcp", "02:00:00:00:00:01", "10.20.0.1", client_id="01:02:00:00:00:00:01"),
        seen("dhcp", "02:00:00:00:00:02", "10.20.0.2", client_id="01:02:00:00:00:00:02"),
    )
    assert len(found) == 2


def test_addresses_of_both_families_belong_to_one_card():
    (device,) = devices(
        seen("arp", "00:00:5e:00:53:01", "10.20.0.1"),
        seen("nd", "00:00:5e:00:53:01", "2001:db8::7"),
        seen("nd", "00:00:5e:00:53:01", "fe80::7"),
        seen("mdns", None, "2001:db8::200:5eff:fe00:5301", "printer"),
    )
    assert device.addresses == ("10.20.0.1", "2001:db8::200:5eff:fe00:5301", "2001:db8::7", "fe80::7")
    assert device.names == ("printer",)


def test_an_answer_on_behalf_of_others_is_no_device():
    proxied = [seen("arp", "00:1b:21:00:00:01", f"10.20.0.{i}", proxy="yes") for i in range(50, 60)]
    found = devices(seen("arp", "00:1b:21:00:00:01", "10.20.0.1"), *proxied, seen("icmp", None, "10.20.0.50"))
    assert [device.addresses for device in found] == [("10.20.0.1",), ("10.20.0.50",)]


def test_a_lease_that_ran_out_is_nobody_and_one_that_was_given_on_is_its_new_holders():
    found = devices(
        seen("lease", "00:00:5e:00:53:01", "10.20.0.1", expires=(AT - timedelta(days=1)).isoformat()),
        seen("lease", "00:00:5e:00:53:02", "10.20.0.2", expires=(AT + timedelta(days=1)).isoformat()),
        seen("arp", "00:00:5e:00:53:03", "10.20.0.2"),
        seen("icmp", None, "10.20.0.2"),
    )
    assert {device.key: device.addresses for device in found} == {"00:00:5e:00:53:02": (), "00:00:5e:00:53:03": ("10.20.0.2",)}


def test_the_chassis_of_lldp_and_the_card_at_its_address_are_one():
    (device,) = devices(
        seen("lldp", "70:10:6f:aa:00:00", "10.20.0.2", "switch", switch="10.20.0.3", port="24", capabilities="bridge"),
        seen("arp", "70:10:6f:aa:00:19", "10.20.0.2"),
    )
    assert "LLDP chassis 70:10:6f:aa:00:00 announces it at 10.20.0.2" in device.merged


def test_two_access_points_that_announce_one_factory_address_stay_two():
    census = count(
        [seen("lldp", f"24:a4:3c:00:00:0{i}", "192.168.1.20", "ubnt", switch="10.20.0.3", port=str(i)) for i in (1, 2)],
        Naming(),
    )
    assert len(census.devices) == 2


def test_group_addresses_are_nobody():
    assert devices(seen("fdb", "01:00:5e:00:00:fb", switch="10.20.0.2", port="1"), seen("arp", "ff:ff:ff:ff:ff:ff")) == ()


# --- whatever comes ---------------------------------------------------------------------------------------------------------

FIXED = [f"00:1b:21:00:00:{i:02x}" for i in range(6)]
MADE_UP = [f"02:00:00:00:00:{i:02x}" for i in range(3)]
SPECIAL = ["00:00:5e:00:01:01", "01:00:5e:00:00:01", "00:00:00:00:00:00"]
ADDRESSES = [f"10.20.0.{i}" for i in range(5)] + ["2001:db8::1", "fe80::1", "127.0.0.1", "2001:db8::21b:21ff:fe00:2"]
SERIALS = ["AB12345", "CD12345", "none"]
macs = st.sampled_from(FIXED + MADE_UP + SPECIAL)
addresses = st.sampled_from(ADDRESSES)
facts = st.fixed_dictionaries(
    {},
    optional={
        "serial": st.sampled_from(SERIALS),
        "asset": st.sampled_from(["1", "2"]),
        "macs": st.lists(macs, max_size=4).map(" ".join),
        "addresses": st.lists(addresses, max_size=4).map(" ".join),
        "bridge": macs,
        "client_id": st.sampled_from(["ff0000000100010001deadbeef", "01021b21000000"]),
        "switch": addresses,
        "port": st.sampled_from(["1", "2", "24"]),
        "capabilities": st.sampled_from(["bridge", "wlan-ap", "bridge telephone"]),
        "proxy": st.just("yes"),
        "point": st.sampled_from(["ap-1", "ap-2"]),
        "expires": st.just("2026-01-01T00:00:00+00:00"),
    },
)
NETWORK = ["arp", "icmp", "nd", "snmp", "router", "fdb", "lldp", "cdp", "controller", "wifi", "dhcp", "dhcp-server", "mdns"]
sources = st.sampled_from([*NETWORK, "ssdp", "lease", "google", "intune"])
anything = st.builds(
    Sighting,
    source=sources,
    at=st.sampled_from([AT, AT + timedelta(seconds=1)]),
    mac=st.none() | macs,
    address=st.none() | addresses,
    name=st.none() | st.sampled_from(["a", "b"]),
    facts=facts,
)
SETTINGS = settings(max_examples=60)


@SETTINGS
@given(st.lists(anything, max_size=12).flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))))
def test_the_order_of_sightings_never_matters(orders):
    one, other = orders
    assert count(one, Naming()) == count(other, Naming())


@SETTINGS
@given(st.lists(anything, max_size=12))
def test_repeating_sightings_changes_nothing(sightings):
    assert count(sightings, Naming()) == count([*sightings, *sightings], Naming())


@SETTINGS
@given(st.lists(anything, max_size=14))
def test_there_are_never_more_devices_than_things_that_could_name_one(sightings):
    census = count(sightings, Naming())
    names = (
        {each.mac for each in sightings}
        | {each.address for each in sightings}
        | {each.facts.get("serial") for each in sightings}
    )
    found = (*census.devices, *census.enrolled_unseen)
    assert len(found) <= len(names - {None, "none"})
    assert len({device.key for device in found}) == len(found)


@SETTINGS
@given(st.lists(anything, max_size=14))
def test_every_card_that_was_seen_is_of_exactly_one_device(sightings):
    census = count(sightings, Naming())
    for mac in FIXED:
        homes = [group for group in census.joined.groups if mac in group.macs]
        assert len(homes) <= 1
    counted = [each for group in census.joined.groups for each in group.sightings]
    assert len(counted) <= len(sightings)


# Sources and facts of which none says that two cards are one device.
plain = st.builds(
    Sighting,
    source=st.sampled_from(["arp", "icmp", "nd", "router", "fdb", "wifi", "dhcp", "mdns", "ssdp", "lease", "google"]),
    at=st.just(AT),
    mac=st.none() | st.sampled_from(FIXED + MADE_UP),
    address=st.none() | addresses,
    name=st.none() | st.sampled_from(["a", "b"]),
    facts=st.fixed_dictionaries(
        {}, optional={"switch": addresses, "port": st.sampled_from(["1", "2"]), "parameters": st.just("1,3")}
    ),
)


@SETTINGS
@given(st.lists(plain, max_size=14))
def test_two_cards_that_nothing_joins_are_never_one_device(sightings):
    census = count(sightings, Naming())
    assert all(len(group.macs) + len(group.own) <= 1 for group in census.joined.groups)
