"""Ports, VLANs, neighbours and power of switches, by walks written after their MIBs."""


def ports(seen, source):
    return {each.mac: each.facts for each in seen.of(source)}


# --- What has been learned ------------------------------------------------------------------------------------------------


def test_only_what_was_learned_is_told_with_its_port_and_vlan(replay):
    found = ports(replay("hp-poe"), "fdb")
    assert found == {
        "02:cc:00:00:01:01": {"switch": "127.0.0.1", "port": "4", "vlan": "20", "vlan_name": "students"},
        "02:cc:00:00:01:02": {"switch": "127.0.0.1", "port": "4", "vlan": "20", "vlan_name": "students"},
        "02:ab:00:00:00:01": {"switch": "127.0.0.1", "port": "1", "vlan": "30", "vlan_name": "phones"},
    }, "neither its own cards, nor what somebody entered, nor groups"


def test_an_older_cisco_switch_is_asked_for_one_vlan_after_the_other(replay):
    seen = replay("cisco-vlans", "1", "10", "20")
    found = ports(seen, "fdb")
    assert found["02:cc:00:00:02:01"] == {"switch": "127.0.0.1", "port": "Gi1/0/1", "vlan": "10", "vlan_name": "students"}
    assert found["02:cc:00:00:02:02"]["port"] == "Gi1/0/2"
    assert found["02:cc:00:00:02:03"] == {"switch": "127.0.0.1", "port": "Gi1/0/3", "vlan": "20", "vlan_name": "staff"}
    assert seen.details("device_uptime")["fault"] is None


def test_a_cisco_switch_that_knows_no_such_contexts_is_asked_once(agent_of, collect):
    agent = agent_of("cisco-vlans")
    seen = collect(agent, timeout=0.1, retries=1)
    assert seen.of("fdb") == []
    assert seen.details("device_uptime")["left"] == ["bridge of VLAN 1"]
    assert seen.details("device_uptime")["fault"] is None
    assert seen.sent.frames == agent.requests + 2


def test_a_filtering_database_of_several_vlans_tells_no_vlan(replay):
    found = ports(replay("stack"), "fdb")
    assert found["02:cc:00:00:03:01"] == {"switch": "127.0.0.1", "port": "1/1/1"}
    assert found["02:cc:00:00:03:09"] == {"switch": "127.0.0.1", "port": "1/1/1", "vlan": "40"}


def test_without_vlans_in_the_table_a_port_in_one_vlan_tells_it_and_a_trunk_does_not(replay):
    found = ports(replay("netgear-bridge"), "fdb")
    assert found["02:cc:00:00:04:01"] == {"switch": "127.0.0.1", "port": "g1", "vlan": "20"}
    assert found["02:cc:00:00:04:02"] == {"switch": "127.0.0.1", "port": "g2"}
    assert found["02:cc:00:00:04:03"] == {"switch": "127.0.0.1", "port": "port 7"}, "a port that stands in no table"


# --- Routers' tables --------------------------------------------------------------------------------------------------------


def test_a_routers_neighbours_of_both_families_are_told_with_their_vlan(replay):
    found = {each.address: (each.mac, each.facts) for each in replay("stack").of("router")}
    assert found == {
        "10.20.0.60": (
            "02:cc:00:00:03:01",
            {"router": "127.0.0.1", "interface": "vlan20", "vlan": "20", "vlan_name": "students"},
        ),
        "2001:db8:10::3d": (
            "02:cc:00:00:03:02",
            {"router": "127.0.0.1", "interface": "vlan30", "vlan": "30", "vlan_name": "staff"},
        ),
        "fe80::9": (
            "02:cc:00:00:03:03",
            {"router": "127.0.0.1", "interface": "vlan30", "vlan": "30", "vlan_name": "staff"},
        ),
    }, "neither its own addresses nor those that never answered"


def test_older_routers_tell_ipv4_and_ipv6_in_tables_of_their_own(replay):
    seen = replay("mikrotik")
    assert {each.address: each.mac for each in seen.of("router")} == {
        "10.20.0.50": "02:cc:00:00:00:50",
        "2001:db8:10::32": "02:cc:00:00:00:50",
        "2001:db8:10::34": "02:cc:00:00:00:52",
    }
    assert {each.facts["vlan"] for each in seen.of("router")} == {"20"}


# --- Neighbours -------------------------------------------------------------------------------------------------------------


def test_lldp_tells_each_neighbour_once_whatever_its_time_mark(replay):
    found = replay("hp-poe").of("lldp")
    assert [each.name for each in found] == ["SEP02AB00000001", "sw-core", "ap-hall"]
    phone, core, point = found
    assert (phone.mac, phone.address) == ("02:ab:00:00:00:01", "10.30.0.9"), "a chassis that is called by its address"
    assert phone.facts == {
        "switch": "127.0.0.1", "port": "1", "remote_port": "02:ab:00:00:00:01", "capabilities": "bridge telephone",
        "description": "IP Phone", "class": "3", "model": "CP-8841", "serial": "FCH0001PHON",
        "maker": "Cisco Systems, Inc.", "firmware": "boot 7", "software": "sip.12-5",
    }  # fmt: skip
    assert (core.address, core.facts["remote_port"]) == ("2001:db8:10::2", "1/1/24")
    assert core.facts["capabilities"] == "bridge router", "a BITS: the first bit is the highest"
    assert point.facts["capabilities"] == "bridge wlan-ap", "and some agents copy the number off the wire"
    assert (point.address, point.facts["port"]) == ("10.40.0.51", "2")


def test_the_second_edition_of_lldp_is_read_where_the_first_is_missing(replay):
    (found,) = replay("stack").of("lldp")
    assert (found.mac, found.name) == ("02:ef:00:00:00:09", "sw-annexe")
    assert found.facts["port"] == "1/1/1"
    assert found.facts["capabilities"] == "bridge"


def test_cdp_tells_telephones_by_their_name_and_others_by_their_address(replay):
    phone, camera = replay("hp-poe").of("cdp")
    assert (phone.mac, phone.address, phone.name) == ("02:ab:00:00:00:01", "10.30.0.9", "SEP02AB00000001")
    assert phone.facts["capabilities"] == "host telephone"
    assert phone.facts["platform"] == "Cisco IP Phone 8841"
    assert (camera.mac, camera.name, camera.facts["port"]) == ("02:ab:00:00:00:77", None, "3")


# --- Interfaces and power ---------------------------------------------------------------------------------------------------


def test_errors_and_duplex_of_each_port_are_measured(replay):
    seen = replay("hp-poe")
    assert seen.value("interface_errors_received", "127.0.0.1 3") == 5123
    assert seen.value("interface_errors_sent", "127.0.0.1 3") == 17
    details = seen.details("interface_errors_received", "127.0.0.1 3")
    assert (details["packets"], details["discards"], details["fcs"], details["discontinuity"]) == (400000, 3, 5100, 0)
    assert seen.targets("interface_half_duplex") == {
        "127.0.0.1 1": 0, "127.0.0.1 2": 0, "127.0.0.1 3": 1, "127.0.0.1 4": 0,
    }, "port 5 does not say, port 6 is unplugged"  # fmt: skip
    assert "127.0.0.1 6" not in seen.targets("interface_errors_received"), "unplugged, and without errors"
    assert "127.0.0.1 DEFAULT_VLAN" not in seen.targets("interface_errors_received"), "no socket"


def test_the_power_budget_and_the_watts_of_each_port_are_measured(replay):
    seen = replay("hp-poe")
    assert seen.value("poe_power_available", "127.0.0.1 supply 1") == 195
    assert seen.value("poe_power_used", "127.0.0.1 supply 1") == 171
    details = seen.details("poe_power_used", "127.0.0.1 supply 1")
    assert details["classes"] == {"class 2": 1, "class 4": 1}
    assert (details["ports"], details["powered"], details["faulty"], details["threshold"]) == (6, 2, ["4"], 0.8)
    assert details["ports_told"] is True
    assert seen.targets("poe_port_power") == {"127.0.0.1 1": 4.3, "127.0.0.1 2": 14.8, "127.0.0.1 4": 0}
    assert seen.details("poe_port_power", "127.0.0.1 4")["state"] == "fault"


def test_cisco_tells_which_part_of_the_chassis_a_powered_port_is(replay):
    seen = replay("cisco-vlans", "1", "10", "20")
    assert seen.targets("poe_port_power") == {"127.0.0.1 Gi1/0/1": 15.4, "127.0.0.1 Gi1/0/2": 4.1}
    assert seen.details("poe_port_power", "127.0.0.1 Gi1/0/1")["available"] == 30
    assert seen.details("poe_port_power", "127.0.0.1 Gi1/0/1")["class"] == "4"


# --- Who it is --------------------------------------------------------------------------------------------------------------


def test_each_switch_of_a_stack_is_a_thing_of_its_own(replay):
    first, second, third = replay("stack").of("snmp")
    assert (first.facts["serial"], first.facts["model"], first.facts["maker"]) == ("SG00000001", "JL661A", "HP")
    assert (second.name, second.mac, second.address) == ("core member 2", None, None)
    assert (second.facts["serial"], second.facts["member"], second.facts["location"]) == ("SG00000002", "2", "Server room")
    assert third.facts["model"] == "JL662A"


def test_a_devices_own_addresses_are_told_without_broadcasts_and_loopback(replay):
    assert replay("stack").sightings[0].facts["addresses"] == "10.20.0.1 2001:db8:10::1"
    assert replay("mikrotik").sightings[0].facts["addresses"] == "10.20.0.1"


def test_a_router_of_mikrotik_names_itself_in_its_own_corner(replay):
    facts = replay("mikrotik").sightings[0].facts
    assert (facts["maker"], facts["model"], facts["serial"]) == ("MikroTik", "RB4011iGS+5HacQ2HnD", "B8E40C1A2B3C")
