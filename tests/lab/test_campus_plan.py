import csv
import io
import socket
from collections import Counter
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.lldp import LLDPDUPortID, LLDPDUSystemCapabilities, LLDPDUSystemName
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6ND_NA, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP, Ether

from lab import CAMPUS, Plan, lists, lldp, six
from lab.campus import LAYOUT, STUDENTS, Outlet
from lab.campus_wiring import outlet_of
from lab.host_frames import answers, ask_for_router, neighbour, places, said_unasked
from lab.lldp_walk import lldp_rows
from lab.population import ENROLLED_NOT_SEEN, LEAVERS, NEWCOMERS, SEEN_NOT_ENROLLED
from lab.truth import truth
from netready.device import Kind

EVERYBODY = truth(CAMPUS).hosts
PLACES = {place.host.name: place for place in places(CAMPUS, LAYOUT)}


def moved(name, **changes):
    return tuple(msgspec.structs.replace(one, **changes) if one.name == name else one for one in CAMPUS.hosts)


def test_the_plan_has_hosts_of_every_kind_and_no_two_are_alike():
    for what in ("name", "mac", "address"):
        words = [getattr(one, what) for one in EVERYBODY]
        assert len(set(words)) == len(words)
    kinds = {one.kind for one in EVERYBODY}
    assert kinds <= {str(kind) for kind in Kind}
    assert {"router", "switch", "access-point", "student-device", "staff-device", "printer", "camera", "phone"} <= kinds
    for one in EVERYBODY:
        if one.vlan:
            assert ip_address(one.address) in ip_network(LAYOUT.vlan(one.vlan).network)


def test_the_truth_has_a_room_and_a_port_for_every_host_and_an_access_point_for_every_wireless_one():
    for one in EVERYBODY:
        assert one.room
        assert bool(one.port) == (one.kind != "switch")
    ports = Counter((one.switch, one.port) for one in EVERYBODY if one.port and not one.point)
    assert {key: number for key, number in ports.items() if number > 1} == {("switch-1", "4"): 2, ("switch-1", "13"): 4}
    assert {one.room for one in EVERYBODY if one.point == "ap-102"} == {"102"}


@pytest.mark.parametrize(
    ("hosts", "sentence"),
    [
        (moved("ups", port=20), "ups: switch-1 has no cable at port 20"),
        (moved("ups", switch="switch-9"), "ups: the campus has no switch 'switch-9'"),
        (moved("ups", port=24), "ups: port 24 of switch-1 is taken by the network itself"),
        (moved("ups", vlan=STUDENTS), "ups: port 2 of switch-1 does not carry VLAN 20"),
        (moved("chromebook-01", point="ap-9"), "chromebook-01: there is no access point 'ap-9'"),
        (moved("chromebook-01", point="ups"), "chromebook-01: there is no access point 'ups'"),
        (moved("ups", address="10.22.0.10"), "two hosts have the address 10.22.0.10"),
    ],
)
def test_a_host_that_cannot_be_where_it_is_said_to_be_is_refused_in_one_sentence(hosts, sentence):
    with pytest.raises(ValueError, match="^" + sentence.replace(".", r"\.") + "$"):
        msgspec.structs.replace(CAMPUS, hosts=hosts)


def test_a_campus_survives_the_way_to_the_lab():
    assert msgspec.json.decode(msgspec.json.encode(CAMPUS), type=Plan) == CAMPUS


def test_those_who_come_fit_and_those_who_go_are_there():
    later = msgspec.structs.replace(CAMPUS, hosts=(*CAMPUS.hosts, *NEWCOMERS))
    assert len(truth(later).hosts) == len(EVERYBODY) + 3
    assert set(LEAVERS) <= {one.name for one in EVERYBODY}


def test_a_cables_name_says_its_port_and_vlan():
    assert outlet_of("p24v10") == (24, 10)
    assert [outlet_of(name) for name in ("vlan10", "lo", "p24", "pv10", "portv1")] == [None] * 5


def test_the_room_plan_has_every_socket_and_access_point_once_and_agrees_with_the_truth():
    rows = list(csv.DictReader(io.StringIO(lists.rooms(CAMPUS, LAYOUT))))
    sockets = {(row["switch"], row["port"]): row["room"] for row in rows if row["port"]}
    points = {row["access_point"]: row["room"] for row in rows if row["access_point"]}
    assert len(sockets) + len(points) == len(rows)
    for one in EVERYBODY:
        if one.port:
            assert sockets[one.switch, one.port] == one.room
        if one.point:
            assert points[one.point] == one.room
    people = {row["room"]: row["people"] for row in rows}
    assert people["101"] == "29"
    assert people["gate"] == ""


def test_the_asset_list_is_wrong_about_three_chromebooks_and_about_no_other():
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    rows = {row["serialNumber"]: row for row in csv.DictReader(io.StringIO(lists.google_admin(CAMPUS, now)))}
    there = {one.serial: one for one in CAMPUS.hosts if one.name.startswith("chromebook-")}
    assert set(rows) - set(there) == {one.serial for one in ENROLLED_NOT_SEEN}
    assert {there[serial].name for serial in set(there) - set(rows)} == set(SEEN_NOT_ENROLLED)
    for serial in set(rows) & set(there):
        assert rows[serial]["macAddress"] == there[serial].mac.replace(":", "")
        assert rows[serial]["lastSync"] == "2026-03-02T09:00:00.000Z"


def test_lldp_frames_are_what_scapy_reads_and_what_the_switch_reads():
    for name in ("ap-101", "phone-office"):
        said = neighbour(PLACES[name].host)
        frame = lldp.frame(PLACES[name].mac, said)
        assert lldp.read(frame) == said
        packet = Ether(frame)
        assert packet[LLDPDUSystemName].system_name.decode() == name
        assert packet[LLDPDUPortID].id in (said.port, PLACES[name].host.mac)
        able = packet[LLDPDUSystemCapabilities]
        assert (able.wlan_access_point_enabled, able.telephone_enabled) == ((1, 0) if name == "ap-101" else (0, 1))


def test_capabilities_are_turned_round_in_the_mib():
    assert lldp.mib_bits(lldp.BRIDGE) == b"\x20"
    assert lldp.mib_bits(lldp.POINT | lldp.BRIDGE) == b"\x30"
    assert lldp.mib_bits(lldp.TELEPHONE) == b"\x04"
    phone = neighbour(PLACES["phone-office"].host)
    rows = {row.oid: row.value for row in lldp_rows(LAYOUT.switches[0], [(4, phone)])}
    assert rows[1, 0, 8802, 1, 1, 2, 1, 5, 4795, 1, 3, 3, 1, 6, 4200, 4, 1] == b"SIP-T46U"


@given(st.binary(max_size=200))
def test_rubbish_for_lldp_is_no_neighbour_or_one(data):
    said = lldp.read(lldp.NEAREST_BRIDGE + bytes(6) + b"\x88\xcc" + data)
    assert said is None or len(said.chassis) == 6


def test_a_host_asks_for_its_router_and_answers_for_itself_alone():
    asked = Ether(ask_for_router(PLACES["ups"]))
    assert (asked[ARP].psrc, asked[ARP].pdst, asked[ARP].op) == ("10.22.0.11", "10.22.0.1", 1)
    here = [PLACES[name] for name in ("staff-desktop-1", "printer-staff")]
    question = bytes(Ether(src="00:1b:21:00:00:09", dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="10.20.0.9", pdst="10.20.0.33"))
    [answer] = map(Ether, answers(question, here))
    assert (answer.dst, answer[ARP].op, answer[ARP].hwsrc) == ("00:1b:21:00:00:09", 2, PLACES["printer-staff"].host.mac)
    nobody = bytes(Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="10.20.0.9", pdst="10.20.0.99"))
    assert list(answers(nobody, here)) == []


def test_a_host_with_ipv6_is_found_by_its_solicited_group_and_by_an_echo_to_all():
    place = PLACES["staff-desktop-1"]
    own, local = (socket.inet_ntop(socket.AF_INET6, address) for address in place.six)
    assert (own, local) == truth(CAMPUS).hosts[[one.name for one in EVERYBODY].index("staff-desktop-1")].others
    asked = Ether(six.ask_for(place.six[0], bytes.fromhex("020000000001"), IPv6Address("fe80::1").packed))
    assert asked[IPv6].dst == str(IPv6Address(six.group_of(place.six[0])))
    assert asked[ICMPv6ND_NS].tgt == own
    here = [place, PLACES["printer-staff"]]
    [answer] = map(Ether, answers(bytes(asked), here))
    assert (answer[IPv6].src, answer[ICMPv6ND_NA].tgt, answer[IPv6].hlim) == (own, own, 255)
    to_all = six.packet(
        (IPv6Address("fe80::1").packed, six.ALL_NODES), (bytes(6), b"\x33\x33\0\0\0\1"), six.ECHO, b"\0\1\0\2abc"
    )
    [answer] = map(Ether, answers(to_all, here))
    assert (answer[IPv6].src, answer[IPv6].dst) == (local, "fe80::1")
    assert (answer[ICMPv6EchoReply].id, answer[ICMPv6EchoReply].seq, answer[ICMPv6EchoReply].data) == (1, 2, b"abc")


@given(st.sampled_from([b"\x08\x06", b"\x08\x00", b"\x86\xdd", b"\x88\xcc"]), st.binary(max_size=120))
def test_rubbish_on_a_hosts_cable_is_answered_with_whole_frames_or_not_at_all(kind, data):
    here = [PLACES[name] for name in ("staff-desktop-1", "printer-staff")]
    for first in (here[0].mac, b"\xff" * 6):
        assert all(len(frame) >= 42 for frame in answers(first + bytes(6) + kind + data, here))


def test_an_outlet_of_the_network_itself_is_taken():
    assert Outlet(switch="switch-2", port=12) in LAYOUT.taken()


def test_a_router_from_home_offers_addresses_as_scapy_reads_it():
    place = PLACES["home-router"]
    said = [Ether(frame) for frame in said_unasked(place, loud=True)]
    [offer] = [packet for packet in said if packet.haslayer(BOOTP)]
    assert (offer.dst, offer[IP].src, offer[UDP].sport, offer[BOOTP].yiaddr) == (
        "ff:ff:ff:ff:ff:ff",
        place.host.address,
        67,
        "10.20.0.251",
    )
    options = dict(option for option in offer[DHCP].options if isinstance(option, tuple))
    assert (options["message-type"], options["server_id"], options["router"]) == (2, place.host.address, place.host.address)
