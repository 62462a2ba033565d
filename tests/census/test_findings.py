from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_network
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from census.answers import School, answers
from census.coverage import busy_hour
from census.findings import ORDER, Basis, findings
from census.kinds import Naming
from census.merge import count
from census.ports import Names
from census.power import headroom
from census.specification import named
from census.unseen import Looked, unseen
from netready.device import Sighting
from netready.finding import Trouble
from netready.measurement import Measurement
from netready.room_plan import RoomPlan

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)
NAMING = Naming(student=("chromebook-*",), staff=("staff-*",))
PHONE, PC, POINT = "80:5e:c0:00:00:01", "b8:ca:3a:00:00:01", "24:a4:3c:00:00:01"


def seen(source, mac=None, address=None, name=None, **facts):
    return Sighting(source=source, at=AT, mac=mac, address=address, name=name, facts=facts)


def card(number):
    return f"3c:a9:f4:00:00:{number:02x}"


def learned(port, mac, vlan="10"):
    return seen("fdb", mac, switch="10.20.0.2", port=str(port), vlan=vlan)


def measured(metric, target, value, at=AT, **details):
    return Measurement.of(metric, target, at, value, "snmp/2", **details)


SWITCH = seen("snmp", "70:10:6f:aa:00:00", "10.20.0.2", "switch-1", sysdescr="HP 2530 Switch", services="2")


def found(*sightings, plan=None, **basis):
    census = count(sightings, NAMING, plan)
    return findings(Basis(census=census, sightings=sightings, plan=plan or RoomPlan(), **basis), TODAY, UTC)


def only(trouble, *sightings, **basis):
    return [each for each in found(*sightings, **basis) if each.trouble is trouble]


def test_a_quiet_network_has_no_findings():
    assert found(SWITCH, learned(5, PC), seen("arp", PC, "10.20.0.50")) == ()


def test_every_trouble_has_its_rank():
    assert sorted(ORDER) == sorted(Trouble)


# --- ports -------------------------------------------------------------------------------------------------------------------


def test_half_duplex_is_said_with_the_ports_room_and_device():
    plan = RoomPlan(ports={("switch-1", "5"): "007"})
    (one,) = only(
        Trouble.HALF_DUPLEX,
        SWITCH,
        learned(5, PC),
        plan=plan,
        measurements=[
            measured("interface_half_duplex", "10.20.0.2 5", 1.0),
            measured("interface_half_duplex", "10.20.0.2 6", 0.0),
        ],
    )
    assert one.where == "switch-1 port 5"
    assert one.devices == (PC,)
    assert one.room == "007"
    assert "half duplex, where full duplex is expected" in one.says


def test_broken_packets_are_counted_since_the_last_survey_and_as_a_share():
    before = [measured("interface_errors_received", "10.20.0.2 5", 1000.0, AT - timedelta(days=30), packets=10**6, uptime=1e7)]
    now = [measured("interface_errors_received", "10.20.0.2 5", 1500.0, packets=2 * 10**6, uptime=1e7 + 30 * 86400)]
    (one,) = only(Trouble.PORT_ERRORS, SWITCH, measurements=now, before=before)
    assert "received 500 of 1,000,000 packets broken (0.05 %) since 3 October" in one.says


def test_a_few_broken_packets_or_a_small_share_are_no_trouble():
    few = [measured("interface_errors_received", "10.20.0.2 5", 15.0, packets=100)]
    rare = [measured("interface_errors_received", "10.20.0.2 6", 500.0, packets=10**8)]
    assert only(Trouble.PORT_ERRORS, SWITCH, measurements=few + rare) == []


def test_a_counter_that_began_anew_counts_by_itself():
    before = [measured("interface_errors_received", "10.20.0.2 5", 9000.0, AT - timedelta(days=1), packets=10**6, uptime=1e6)]
    now = [measured("interface_errors_received", "10.20.0.2 5", 300.0, packets=10**5, uptime=600.0)]
    (one,) = only(Trouble.PORT_ERRORS, SWITCH, measurements=now, before=before)
    assert "300 of 100,000 packets broken (0.30 %) since the counter began" in one.says


def test_where_packets_are_not_told_errors_count_by_the_hour():
    quick = [measured("interface_errors_received", "10.20.0.2 5", 300.0, uptime=3600.0)]
    slow = [measured("interface_errors_received", "10.20.0.2 6", 300.0, uptime=3600.0 * 1000)]
    assert [one.where for one in only(Trouble.PORT_ERRORS, SWITCH, measurements=quick + slow)] == ["switch-1 port 5"]


def test_three_devices_on_one_socket_are_a_switch_that_nobody_manages():
    (one,) = only(Trouble.UNMANAGED_SWITCH, SWITCH, *(learned(5, card(number)) for number in range(3)))
    assert one.says == "Three devices hang on switch-1 port 5, where one is expected: probably a switch that nobody manages."
    assert one.devices == (card(0), card(1), card(2))


def test_many_made_up_addresses_on_one_socket_are_an_access_point_that_nobody_listed():
    (one,) = only(Trouble.UNMANAGED_SWITCH, SWITCH, *(learned(5, f"02:00:00:00:00:0{number}") for number in range(5)))
    assert "an access point that nobody listed" in one.says


def test_an_access_point_a_telephone_with_a_computer_and_virtual_machines_are_no_unmanaged_switches():
    rows = [
        SWITCH,
        seen("lldp", POINT, None, "ap-1", switch="10.20.0.2", port="5", capabilities="wlan-ap"),
        *(learned(5, card(number)) for number in range(9)),
        learned(6, PHONE, "20"),
        learned(6, PC),
        *(learned(7, f"52:54:00:00:00:0{number}") for number in range(4)),
        learned(7, "b8:ca:3a:00:00:09"),
    ]
    assert only(Trouble.UNMANAGED_SWITCH, *rows) == []


def test_a_switch_that_hears_itself_has_a_loop():
    rows = [SWITCH, learned(5, PC), seen("lldp", "70:10:6f:aa:00:00", None, "switch-1", switch="10.20.0.2", port="9")]
    (one,) = only(Trouble.LOOP, *rows)
    assert one.says == "switch-1 hears its own announcements on port 9: a cable leads back to it."


def test_devices_on_two_sockets_in_one_survey_are_a_loop():
    rows = [SWITCH, *(learned(port, card(number)) for port in (5, 6) for number in range(2))]
    (one,) = only(Trouble.LOOP, *rows)
    assert one.where == "switch-1 port 5 and switch-1 port 6"
    assert one.says.startswith("Two devices were heard on switch-1 port 5 and switch-1 port 6 in one survey: there is a loop")


def test_one_device_on_two_sockets_may_have_been_moved():
    (one,) = only(Trouble.LOOP, SWITCH, learned(5, PC), learned(6, PC))
    assert one.says.endswith("it was moved, or there is a loop.")


# --- addresses ---------------------------------------------------------------------------------------------------------------


def test_one_address_on_two_cards_is_a_duplicate_and_a_lease_of_last_week_is_none():
    rows = [seen("arp", PC, "10.20.0.50"), seen("router", card(1), "10.20.0.50"), seen("lease", card(2), "10.20.0.50")]
    (one,) = only(Trouble.DUPLICATE_ADDRESS, *rows)
    assert one.where == "10.20.0.50"
    assert set(one.devices) == {PC, card(1)}
    assert one.known_by == ("ARP", "a router's table")
    assert only(Trouble.DUPLICATE_ADDRESS, seen("lease", PC, "10.20.0.50"), seen("lease", card(1), "10.20.0.50")) == []


def test_answers_on_behalf_of_others_are_said_and_not_counted():
    rows = [seen("arp", PC, "10.20.0.1"), *(seen("arp", PC, f"10.20.0.{number}", proxy="yes") for number in range(50, 62))]
    (one,) = only(Trouble.PROXY_ARP, *rows)
    assert one.says.startswith("b8:ca:3a:00:00:01 answers for 12 addresses of others (proxy ARP)")


def test_a_dhcp_server_that_is_not_the_schools_is_found_with_its_socket():
    rows = [
        SWITCH,
        learned(7, "c8:3a:35:00:00:01"),
        seen("dhcp-server", "00:1b:21:00:00:01", "10.20.0.1", interface="eth0", serves="10.20.0.77"),
        seen("dhcp-server", "c8:3a:35:00:00:01", "192.168.0.1", interface="eth0", serves="192.168.0.100"),
    ]
    (one,) = only(Trouble.ROGUE_DHCP, *rows, dhcp_servers=("10.20.0.1",))
    assert one.says == (
        "192.168.0.1 gives out addresses such as 192.168.0.100 on switch-1 port 7: it is not in inventory.dhcp_servers."
    )
    assert one.devices == ("c8:3a:35:00:00:01",)


def test_one_dhcp_server_is_nobodys_trouble_until_somebody_says_which_is_the_schools():
    one = seen("dhcp-server", PC, "10.20.0.1", serves="10.20.0.77")
    other = seen("dhcp-server", card(1), "10.20.0.9", serves="10.20.0.78")
    assert only(Trouble.ROGUE_DHCP, one) == []
    assert len(only(Trouble.ROGUE_DHCP, one, other)) == 2


# --- power -------------------------------------------------------------------------------------------------------------------


def supply(available, used, **details):
    target = "10.20.0.2 supply 1"
    return [measured("poe_power_available", target, available, **details), measured("poe_power_used", target, used, **details)]


def test_power_that_is_nearly_used_up_is_said_with_what_still_fits():
    (one,) = only(Trouble.POE_SHORT, SWITCH, measurements=supply(370.0, 320.0, threshold=0.8, ports_told=True))
    assert one.says == (
        "switch-1 gives 320 of 370 W to devices on its ports; 50 W are left, enough for one more access point of 30 W."
    )
    (full,) = only(Trouble.POE_SHORT, SWITCH, measurements=supply(67.0, 40.0, faulty=["7"]))
    assert "enough for no further access point" in full.says
    assert "Power failed on port 7." in full.says
    assert "What each port takes is not told." in full.says


def test_power_that_nobody_takes_and_power_to_spare_are_no_trouble():
    assert only(Trouble.POE_SHORT, SWITCH, measurements=supply(370.0, 0.0)) == []
    assert only(Trouble.POE_SHORT, SWITCH, measurements=supply(370.0, 120.0)) == []


def test_headroom_tells_how_many_access_points_of_either_sort_fit():
    (one,) = headroom(supply(370.0, 120.0), Names(count([SWITCH], NAMING)))
    assert (one.switch, one.free, one.points, one.strong_points) == ("switch-1", 250.0, 8, 4)


# --- Wi-Fi -------------------------------------------------------------------------------------------------------------------


def test_the_busy_hour_is_the_one_with_most_clients_and_its_percentile_was_counted():
    history = [
        measured("access_point_clients", "10.20.0.21", value, datetime(2026, 10, day, hour, 30, tzinfo=UTC))
        for day in range(1, 21)
        for hour, value in ((8, float(day)), (9, 40.0 + day), (13, 5.0))
    ]
    busy = busy_hour(history, ZoneInfo("Europe/Berlin"))
    assert busy.hour == 11  # 09:30 UTC in summer time
    assert busy.clients == {"10.20.0.21": 59}
    assert busy_hour([], UTC) is None


def test_a_crowded_access_point_is_said_by_its_busy_hour():
    point = seen("snmp", POINT, "10.20.0.21", "ap-7", sysdescr="UAP-AC-Pro", location="Room 7")
    history = [measured("access_point_clients", "10.20.0.21", 47.0, AT - timedelta(days=day)) for day in range(20)]
    (one,) = only(Trouble.CROWDED_ACCESS_POINT, point, history=history)
    assert one.where == "ap-7"
    assert one.says == "Access point ap-7 serves 47 clients in the busy hour, from 9:00; more than 40 share its air badly."
    assert one.devices == (POINT,)
    assert one.room == "Room 7"


def test_without_readings_of_other_hours_the_crowd_of_this_moment_counts():
    rows = [seen("wifi", card(number), point="ap-7") for number in range(41)]
    (one,) = only(Trouble.CROWDED_ACCESS_POINT, *rows)
    assert "serves 41 clients now" in one.says


def test_rooms_in_which_people_are_taught_and_no_access_point_hangs_are_found():
    plan = RoomPlan(points={"ap-7": "007"}, people={"007": 28, "008": 26, "store": 0})
    rows = [seen("lldp", POINT, None, "ap-7", switch="10.20.0.2", port="5", capabilities="wlan-ap"), SWITCH]
    assert [one.room for one in only(Trouble.ROOM_WITHOUT_COVERAGE, *rows, plan=plan)] == ["008"]


def test_where_no_access_point_has_a_room_nothing_is_said_of_coverage():
    plan = RoomPlan(people={"007": 28})
    assert only(Trouble.ROOM_WITHOUT_COVERAGE, SWITCH, plan=plan) == []


# --- lists -------------------------------------------------------------------------------------------------------------------


def test_enrolled_and_not_seen_is_counted_with_how_many_reported_lately():
    rows = [
        seen("google", card(number), serial=f"5CD00000{number}", owner="student", last_seen=day)
        for number, day in enumerate(("2026-10-20", "2026-08-01", "2026-11-01"))
    ]
    (one,) = only(Trouble.ENROLLED_NOT_SEEN, *rows, seen("arp", card(2), "10.20.0.50"))
    assert one.says == (
        "2 of 3 devices in the google list were not seen on the network. One of them reported to it in the last 30 days."
    )


def test_computers_that_no_list_has_are_found_once_there_is_a_list():
    stranger = seen("dhcp", PC, "10.20.0.50", "chromebook-99")
    made_up = seen("dhcp", "02:00:00:00:00:01", "10.20.0.51", "chromebook-98")
    assert only(Trouble.SEEN_NOT_ENROLLED, stranger) == []
    (one,) = only(Trouble.SEEN_NOT_ENROLLED, stranger, made_up, seen("google", card(1), serial="5CD000001"))
    assert one.says == "One student device was seen that no list of the school has (google)."
    assert one.devices == (PC,)


# --- whatever comes ----------------------------------------------------------------------------------------------------------

CARDS = ["70:10:6f:aa:00:00", PC, PHONE, POINT, "02:00:00:00:00:01", "00:00:5e:00:01:01"]
HOLDERS = ["10.20.0.2", "10.20.0.3", "10.20.0.50", "2001:db8::1", "not an address"]
words = st.sampled_from(["5", "6", "google", "yes", "bridge", "wlan-ap", "2026-10-01", "-1", "", "=1+1", "9" * 40])
sources = st.sampled_from(
    ["arp", "snmp", "fdb", "lldp", "cdp", "wifi", "controller", "router", "dhcp", "dhcp-server", "google"]
)
TOPOLOGY = ["switch", "port", "macs", "addresses", "capabilities", "point", "clients", "serves", "proxy", "location"]
LISTED = ["serial", "last_seen", "updates_until", "memory", "screen", "os", "os_version", "model", "room", "cart", "sysdescr"]
names = st.sampled_from([*TOPOLOGY, *LISTED])
anything = st.builds(
    Sighting,
    source=sources,
    at=st.just(AT),
    mac=st.none() | st.sampled_from(CARDS),
    address=st.none() | st.sampled_from(HOLDERS),
    name=st.none() | st.sampled_from(["switch-1", "chromebook-1", "ap-7"]),
    facts=st.dictionaries(names, words | st.sampled_from([*HOLDERS, *CARDS]), max_size=6),
)
readings = st.builds(
    measured,
    st.sampled_from(["interface_errors_received", "interface_half_duplex", "poe_power_available", "poe_power_used"])
    | st.sampled_from(["access_point_clients", "device_uptime", "arp_hosts", "listen_dropped"]),
    st.sampled_from(["10.20.0.2 5", "10.20.0.2", "10.20.0.9 ap-7", "x", "", "10.20.0.0/24", "::/0"]),
    st.sampled_from([0.0, 1.0, 1e9, -5.0]),
    packets=st.sampled_from([0, 5, 10**9, None]),
    uptime=st.sampled_from([0.0, 1e6, None]),
)


@settings(max_examples=80)
@given(
    st.lists(anything, max_size=14).flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))),
    st.lists(readings, max_size=6),
)
def test_whatever_was_seen_the_findings_come_out_and_the_order_does_not_matter(orders, measurements):
    told = []
    for sightings in orders:
        census = count(sightings, NAMING)
        basis = Basis(
            census=census,
            sightings=sightings,
            measurements=measurements,
            history=measurements,
            specification=named("classroom-2026"),
        )
        looked = Looked(
            census=census, networks=[ip_network("10.20.0.0/24")], sightings=sightings, measurements=measurements, runs=()
        )
        school = School(students=10, classrooms=2)
        told.append(
            (findings(basis, TODAY, UTC), unseen(looked), answers(census, school, TODAY, busy=busy_hour(measurements, UTC)))
        )
    assert told[0] == told[1]
    keys = {device.key for device in (*census.devices, *census.enrolled_unseen)}
    assert all(one.says.endswith(".") and set(one.devices) <= keys for one in told[0][0])
