from datetime import UTC, date, datetime
from ipaddress import ip_network

import pytest

from census.answers import School, answers
from census.coverage import busy_hour
from census.kinds import Naming
from census.merge import count
from census.unseen import Looked, unseen
from netready.device import Kind, Sighting
from netready.failure import Failure
from netready.measurement import Measurement
from netready.room_plan import RoomPlan
from netready.survey import Run

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)
PLAN = RoomPlan(
    ports={("switch-1", "5"): "007", ("switch-1", "6"): "office"},
    points={"ap-7": "007"},
    people={"007": 28, "office": 2, "ICT lab": 24},
)
SWITCH = Sighting(
    source="snmp", at=AT, mac="70:10:6f:aa:00:00", address="10.20.0.2", name="switch-1", facts={"sysdescr": "HP 2530 Switch"}
)


def seen(source, mac=None, address=None, name=None, **facts):
    return Sighting(source=source, at=AT, mac=mac, address=address, name=name, facts=facts)


def card(number):
    return f"3c:a9:f4:00:00:{number:02x}"


def school(*sightings):
    naming = Naming(student=("chromebook-*",))
    return count(sightings, naming, PLAN)


def classroom():
    rows = [SWITCH, seen("lldp", "24:a4:3c:00:00:01", None, "ap-7", switch="10.20.0.2", port="5", capabilities="wlan-ap")]
    for number in range(12):
        rows += [
            seen("dhcp", card(number), f"10.20.0.{100 + number}", f"chromebook-{number}"),
            seen("wifi", card(number), point="ap-7"),
            seen(
                "google", card(number), serial=f"5CD0000{number:02}", owner="student", cart="Cart A" if number < 6 else "Cart B"
            ),
        ]
    rows += [seen("google", card(200 + number), serial=f"5CD0002{number:02}", owner="student") for number in range(3)]
    rows += [seen("arp", card(99), "10.20.0.99"), seen("fdb", card(99), switch="10.20.0.2", port="6")]
    return school(*rows)


def test_the_figures_a_school_asks_for():
    found = answers(classroom(), School(students=60, classrooms=4, plan=PLAN), TODAY)
    assert found.kinds[Kind.STUDENT_DEVICE] == 12
    assert found.enrolled == 15
    assert found.devices_per_student == pytest.approx(0.2)
    assert found.students_each == pytest.approx(5)
    assert found.students_each_enrolled == pytest.approx(4)
    assert found.student_devices_per_classroom == pytest.approx(3)
    assert found.access_points_per_classroom == pytest.approx(0.25)
    assert found.labs == ("ICT lab",)
    assert found.carts == {"Cart A": 6, "Cart B": 6}
    assert found.clients == {"ap-7": 12}
    assert found.horizon.unknown[Kind.STUDENT_DEVICE] == 12


def test_rooms_with_fewer_than_five_people_have_no_counts_of_what_people_carry():
    found = answers(classroom(), School(students=60, classrooms=4, plan=PLAN), TODAY)
    rows = {row.room: row for row in found.rooms}
    assert (rows["007"].student_devices, rows["007"].access_points, rows["007"].clients) == (12, 1, 12)
    assert (rows["office"].student_devices, rows["office"].other_devices, rows["office"].clients) == (None, None, None)
    assert found.suppressed == 1


def test_where_nobody_says_how_many_people_sit_in_a_room_the_devices_must_tell():
    census = school(seen("google", card(1), serial="5CD00001", room="A1"), seen("arp", card(1), "10.20.0.5"))
    (row,) = [row for row in answers(census, School(students=1, classrooms=1), TODAY).rooms if row.room == "A1"]
    assert row.other_devices is None


def test_the_busy_hour_replaces_the_moments_count():
    history = [Measurement.of("access_point_clients", "10.20.0.9 ap-7", AT, 31.0, "snmp/2")]
    found = answers(classroom(), School(students=60, classrooms=4), TODAY, busy=busy_hour(history, UTC))
    assert found.clients == {"ap-7": 31}
    assert found.busy_hour == 9


def test_without_a_list_nothing_is_said_of_enrolment():
    found = answers(school(seen("arp", card(1), "10.20.0.5")), School(students=10, classrooms=2), TODAY)
    assert found.enrolled is None
    assert found.students_each is None


# --- what could not be seen --------------------------------------------------------------------------------------------------


def said(sightings=(), networks=(), measurements=(), runs=()):
    looked = Looked(
        census=school(*sightings),
        networks=[ip_network(network) for network in networks],
        sightings=sightings,
        measurements=measurements,
        runs=runs,
    )
    return unseen(looked)


def swept(target, **details):
    return Measurement.of("arp_hosts", target, AT, 5.0, "arp_sweep/2", **details)


def test_each_authorised_network_is_said_by_how_it_was_seen():
    lines = said(
        [
            seen("router", card(1), "10.21.0.5", router="10.20.0.1"),
            seen("mdns", card(2), "10.22.0.5"),
        ],
        ["10.20.0.0/24", "10.21.0.0/24", "10.22.0.0/24", "10.23.0.0/24", "10.32.0.0/16", "2001:db8::/64"],
        [swept("10.20.0.0/24"), swept("10.32.0.0/16", swept="10.32.4.0/22")],
    )
    assert [line.partition(":")[0] for line in lines[:4]] == [
        "10.21.0.0/24 is known from routers' tables alone",
        "10.22.0.0/24 was not swept; only what announced itself or a switch told is known of it.",
        "10.23.0.0/24 was not seen at all",
        "Of 10.32.0.0/16 only 10.32.4.0/22 was swept, which this machine is in.",
    ]
    assert not any("10.20.0.0/24" in line for line in lines)
    assert any(line.startswith("2001:db8::/64 was not seen at all") for line in lines)


def test_switches_that_did_not_answer_and_those_that_answered_in_part_are_named():
    lines = said(
        measurements=[
            Measurement.failed("device_uptime", "10.20.0.3", AT, Failure.TIMEOUT, "snmp/2"),
            Measurement.failed("device_uptime", "10.20.0.4", AT, Failure.TIMEOUT, "snmp/2"),
            Measurement.failed("device_uptime", "10.20.0.6", AT, Failure.NOT_SUPPORTED, "snmp/2"),
            Measurement.of("device_uptime", "10.20.0.5", AT, 9.0, "snmp/2", faults={"bridge": "the agent repeats itself"}),
        ]
    )
    assert (
        "10.20.0.3, 10.20.0.4 did not answer SNMP (timeout): the port and the room of what hangs there are not known." in lines
    )
    assert "10.20.0.5 answered SNMP in part only (bridge: the agent repeats itself)." in lines
    assert not any("10.20.0.6" in line for line in lines)


def test_instruments_that_were_left_out_or_broke_are_named():
    lines = said(
        runs=[
            Run(instrument="arp_sweep", method="arp_sweep/2", ok=True, seconds=0, skipped="exam mode"),
            Run(instrument="snmp", method="snmp/2", ok=False, seconds=1, error="ValueError: x"),
            Run(instrument="listen", method="listen/2", ok=True, seconds=4),
        ]
    )
    assert "arp_sweep was not run: exam mode." in lines
    assert "snmp broke off, so what it sees is missing (ValueError: x)." in lines
    assert not any(line.startswith("listen ") for line in lines)


def test_the_share_of_the_switches_tables_that_is_known_otherwise_is_said():
    rows = [SWITCH, *(seen("fdb", card(number), switch="10.20.0.2", port=str(number)) for number in range(10))]
    rows += [seen("arp", card(number), f"10.20.0.{50 + number}") for number in range(9)]
    line = "90 % of the 10 hardware addresses in the switches' tables have an address; one device only a switch heard."
    assert line in said(rows)


def test_without_tables_and_without_wi_fi_lists_that_is_said():
    lines = said()
    assert "No switch told its forwarding table: which port a device hangs on is not known." in lines
    assert any(line.startswith("No access point or controller told its clients.") for line in lines)
    assert lines[-1] == "What was switched off or asleep during the survey is not counted."


def test_a_switch_that_was_not_asked_and_frames_that_were_lost_are_said():
    rows = [
        SWITCH,
        seen("fdb", card(1), switch="10.20.0.2", port="9"),
        seen("lldp", "00:1b:21:00:00:09", None, "cupboard", switch="10.20.0.2", port="9", capabilities="bridge"),
    ]
    lines = said(rows, measurements=[Measurement.of("listen_dropped", "eth0", AT, 12.0, "listen/2")])
    assert "Behind switch-1 port 9 is cupboard, which was not asked; what hangs there is placed at that port." in lines
    assert "12 frames were lost while listening: this machine was too slow for them." in lines
