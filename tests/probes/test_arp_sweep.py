from datetime import UTC, datetime
from ipaddress import IPv4Interface, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.authority import Refused
from netready.device import Sighting
from netready.failure import Failed, Failure
from netready.instrument import Capability
from netready.sent import Sent
from netready.site import Site
from probes import arp_ask, arp_sweep, icmp_sweep, segment, wire_arp
from probes.tries import CREDIT, Account
from probes.wire_ethernet import is_hosts, mac_bytes, mac_text

HERE = Path(__file__).parent
PORT = segment.Port(name="eth0", mac=bytes.fromhex("02aabbccdd01"), own=IPv4Interface("10.66.0.1/24"))
NOW = datetime(2026, 3, 2, tzinfo=UTC)
TO_EVERYBODY = 2


def fresh(*asked, known=None):
    """A sweep that has asked everybody about some addresses, or about all."""
    sweep = arp_ask.Sweep(part=ip_network("10.66.0.0/24"), port=PORT, account=Account(), known=known or {})
    for number in asked or range(256):
        sweep.note(int(sweep.part[number]), TO_EVERYBODY)
    return sweep


def reply(mac, address, to="10.66.0.1"):
    from scapy.layers.l2 import ARP, Ether

    return bytes(Ether(src=mac, dst="02:aa:bb:cc:dd:01") / ARP(op=2, hwsrc=mac, psrc=address, pdst=to))


def facts_of(sweep):
    readings = arp_sweep.emit("10.66.0.0/24", NOW, sweep)
    return {(each.address, each.mac): each.facts for each in readings if hasattr(each, "facts") and "self" not in each.facts}


@pytest.fixture(scope="module")
def swept(unshared):
    return unshared(HERE / "arp_segment.py")


def count_of(readings, target):
    return next(each for each in readings if each.get("metric") == "arp_hosts" and each["target"] == target)


def sighted(readings):
    return {each["address"]: each for each in readings if each.get("source") == "arp" and "self" not in each["facts"]}


@pytest.mark.namespaces
def test_every_host_is_found_also_those_that_are_slow_or_answer_only_the_second_question(swept):
    arp = [each for each in swept["first"] if each.get("source") == "arp"]
    honest = {each["address"] for each in arp if not {"self", "proxy"} & each["facts"].keys()}
    late = {f"10.66.0.{number}" for number in range(100, 140)}
    assert honest == {"10.66.0.10", "10.66.0.11", "10.66.0.12", "10.66.0.140", "10.66.0.141", "10.66.0.211", *late}
    assert sighted(swept["first"])["10.66.0.100"]["mac"] == "aa:bb:cc:00:00:64"


@pytest.mark.namespaces
def test_frames_of_another_vlan_are_not_ours_but_a_priority_tag_is_no_vlan(swept):
    assert "10.66.0.210" not in sighted(swept["first"])
    assert "10.66.0.211" in sighted(swept["first"])


@pytest.mark.namespaces
def test_this_machine_is_told_first_and_marked(swept):
    first = swept["first"]
    assert (first[0]["address"], first[0]["facts"]) == ("10.66.0.1", {"self": "yes", "interface": "br0"})
    assert sum("self" in each.get("facts", {}) for each in first) == 1


@pytest.mark.namespaces
def test_an_address_with_two_owners_is_two_sightings_and_a_duplicate(swept):
    quarrel = [each for each in swept["first"] if each.get("address") == "10.66.0.12"]
    assert len({each["mac"] for each in quarrel}) == 2
    assert all(each["facts"] == {"duplicate": "yes"} for each in quarrel)
    assert count_of(swept["first"], "10.66.0.0/16")["details"]["duplicates"] == 1


@pytest.mark.namespaces
def test_machines_that_answer_for_others_are_marked_and_what_they_say_is_not_counted_as_hosts(swept):
    marked = {(each["address"], each["mac"]) for each in swept["first"] if each.get("facts", {}).get("proxy") == "yes"}
    many = {(f"10.66.0.{number}", "aa:bb:cc:00:ff:01") for number in range(150, 170)}
    assert marked == {*many, ("10.66.0.140", "aa:bb:cc:00:ff:01"), ("10.66.0.200", "aa:bb:cc:00:ff:02")}
    owner = [each for each in swept["first"] if each.get("mac") == "aa:bb:cc:00:00:8c"]
    assert [each["facts"] for each in owner] == [{}], "the owner and a proxy beside it are no duplicate"
    details = count_of(swept["first"], "10.66.0.0/16")["details"]
    assert (details["proxies"], details["proxied"]) == (2, 21)


@pytest.mark.namespaces
def test_the_count_says_what_was_swept_and_what_it_cost(swept):
    count = count_of(swept["first"], "10.66.0.0/16")
    details = count["details"]
    assert count["value"] == 3 + 40 + 3 + 2
    assert details["swept"] == "10.66.0.0/24", "only the part that this machine is attached to"
    assert details["macs"] == 4 + 40 + 3 + 2
    # 253 questions, then those that were still silent: who has answered is left in peace.
    assert details["asked"][0] == 253
    assert details["asked"][1] <= 253 - 3
    assert 253 - 67 <= details["asked"][2] < details["asked"][1]
    assert sum(details["answered"]) == 67
    assert details["packets_sent"] == sum(details["asked"]) + 2, "and two addresses that no host can have"
    assert details["bytes_sent"] == details["packets_sent"] * 60
    assert details["packets_sent"] / 500 <= details["seconds"] + CREDIT
    assert {"protocol": "arp", "frames": details["packets_sent"], "bytes": details["bytes_sent"], "estimated": False} in swept[
        "first"
    ]


@pytest.mark.namespaces
def test_a_network_out_of_reach_and_ipv6_say_why(swept):
    far, six = count_of(swept["first"], "10.70.0.0/24"), count_of(swept["first"], "fd00::/64")
    assert far["failure"] == "unreachable"
    assert "no interface" in far["details"]["reason"]
    assert six["failure"] == "not-supported"


@pytest.mark.namespaces
def test_hosts_that_are_known_are_asked_alone_and_everybody_only_when_they_stay_silent(swept):
    readings, asked = swept["again"]["readings"], swept["again"]["asked"]
    found = sighted(readings)
    assert found["10.66.0.10"]["facts"] == {"confirmed": "unicast"}
    assert found["10.66.0.140"]["facts"] == {"confirmed": "unicast"}
    assert asked["10.66.0.10"] == [], "it has a port of the bridge to itself"
    assert set(asked["10.66.0.140"]) == {"aa:bb:cc:00:00:8c"}
    assert found["10.66.0.11"]["facts"] == {}, "known with a wrong hardware address, so everybody was asked"
    assert "ff:ff:ff:ff:ff:ff" in asked["10.66.0.11"]
    details = count_of(readings, "10.66.0.0/24")["details"]
    assert details["confirmed"] == 2
    assert details["unicast_sent"] >= 4


@pytest.mark.namespaces
@pytest.mark.parametrize(("how", "target", "reason"), [("unplugged", "10.74.0.0/24", "link"), ("removed", "10.75.0.0/24", "")])
def test_an_interface_that_is_lost_half_way_ends_the_sweep_with_the_fault_and_keeps_what_was_found(swept, how, target, reason):
    readings = swept[how]
    count = count_of(readings, target)
    found = sighted(readings)
    assert (count["value"], count["failure"]) == (None, "unreachable")
    assert reason in count["details"]["reason"]
    assert 1 < len(found) == count["details"]["found"] < 13
    assert {"protocol", "frames"} <= set(readings[-1])


def test_a_strangers_network_is_refused_before_the_first_frame(context_for):
    context = context_for(networks=("10.66.0.0/24",))
    with pytest.raises(Refused):
        next(arp_sweep.read(arp_sweep.Settings(networks=("10.66.0.0/24", "192.0.2.0/24")), context))


def test_it_needs_the_right_and_a_network():
    assert arp_sweep.INSTRUMENT.needs == {Capability.RAW_SOCKET}
    site = Site(name="S", students=1, staff=1, classrooms=1, networks=("10.66.0.0/24", "fd00::/64"))
    assert arp_sweep.fit(arp_sweep.Settings(), site).networks == ("10.66.0.0/24",)
    assert arp_sweep.INSTRUMENT.missing(arp_sweep.Settings())


@pytest.mark.parametrize("pair", [("10.66.0.9", "ff:ff:ff:ff:ff:ff"), ("10.66.0.9", "00:00"), ("printer", "00:00:5e:00:53:01")])
def test_a_known_host_must_have_an_address_and_a_hardware_address(pair):
    with pytest.raises(ValueError, match=r".+"):
        arp_sweep.Settings(known=(pair,))


def test_the_part_that_an_interface_is_attached_to():
    part = segment.part_on_link
    assert part(ip_network("10.66.0.0/16"), (PORT,)) == (ip_network("10.66.0.0/24"), PORT)
    assert part(ip_network("10.66.0.128/25"), (PORT,)) == (ip_network("10.66.0.128/25"), PORT)
    assert part(ip_network("10.67.0.0/24"), (PORT,)) is None


def test_only_the_segments_own_first_and_last_address_are_nobodys():
    wide = segment.Port(name="eth0", mac=PORT.mac, own=IPv4Interface("10.66.0.1/20"))
    assert len(segment.askable(ip_network("10.66.0.0/24"), PORT)) == 253
    assert len(segment.askable(ip_network("10.66.2.0/24"), wide)) == 256, "its first and last are ordinary hosts of the /20"
    assert segment.nobodys(ip_network("10.66.2.0/24"), wide) == ()
    two = segment.Port(name="eth0", mac=PORT.mac, own=IPv4Interface("10.66.0.0/31"))
    assert segment.askable(ip_network("10.66.0.0/31"), two) == [int(IPv4Interface("10.66.0.1").ip)]


def test_questions_are_what_scapy_reads():
    from scapy.layers.l2 import ARP, Ether

    wanted = int(IPv4Interface("10.66.0.9").ip)
    frame = Ether(wire_arp.request(PORT.mac, int(PORT.own.ip), wanted))
    assert (frame.src, frame.dst, frame[ARP].op) == ("02:aa:bb:cc:dd:01", "ff:ff:ff:ff:ff:ff", 1)
    assert (frame[ARP].psrc, frame[ARP].pdst, frame[ARP].hwsrc) == ("10.66.0.1", "10.66.0.9", "02:aa:bb:cc:dd:01")
    assert len(bytes(frame)) == 60
    alone = Ether(wire_arp.request(PORT.mac, int(PORT.own.ip), wanted, bytes.fromhex("00005e005301")))
    assert (alone.dst, alone[ARP].hwdst) == ("00:00:5e:00:53:01", "00:00:5e:00:53:01")


def test_a_flood_of_claims_to_one_address_is_bounded():
    sweep = fresh()
    for number in range(50):
        arp_ask.take(sweep, reply(f"02:00:00:00:00:{number:02x}", "10.66.0.9"))
    assert {len(macs) for macs in sweep.found.values()} == {arp_ask.MOST_MACS}


def test_a_reply_to_what_nobody_asked_is_dropped():
    sweep = fresh(7)
    for address in ("10.66.0.7", "10.66.0.8", "10.66.1.7"):
        arp_ask.take(sweep, reply("02:00:00:00:00:07", address))
    assert list(sweep.found) == [int(IPv4Interface("10.66.0.7").ip)]


def test_a_machine_with_several_addresses_is_no_proxy_until_it_has_more_than_machines_have():
    sweep = fresh()
    for number in range(2, 2 + arp_ask.MOST_ADDRESSES):
        arp_ask.take(sweep, reply("02:00:00:00:00:07", f"10.66.0.{number}"))
    assert set(map(str, facts_of(sweep).values())) == {"{}"}
    arp_ask.take(sweep, reply("02:00:00:00:00:07", "10.66.0.99"))
    assert {facts["proxy"] for facts in facts_of(sweep).values()} == {"yes"}
    assert list(arp_sweep.emit("10.66.0.0/24", NOW, sweep))[-1].value == 1.0


def test_a_known_host_is_confirmed_only_by_its_own_hardware_address():
    known = {int(sweep_address): bytes.fromhex("020000000007") for sweep_address in ip_network("10.66.0.0/29")}
    sweep = fresh(known=known)
    for address, mac in (("10.66.0.2", "02:00:00:00:00:07"), ("10.66.0.3", "02:00:00:00:00:08")):
        sweep.note(int(IPv4Interface(address).ip), 1)
        arp_ask.take(sweep, reply(mac, address))
    arp_ask.take(sweep, reply("02:00:00:00:00:07", "10.66.0.4"))
    confirmed = {address for (address, _), facts in facts_of(sweep).items() if facts.get("confirmed") == "unicast"}
    assert confirmed == {"10.66.0.2"}


def test_an_address_that_is_known_with_two_hardware_addresses_is_asked_of_everybody():
    pairs = (("10.66.0.2", "02:00:00:00:00:07"), ("10.66.0.3", "02:00:00:00:00:08"), ("10.66.0.2", "02:00:00:00:00:09"))
    assert list(arp_sweep._known(arp_sweep.Settings(known=pairs))) == [int(IPv4Interface("10.66.0.3").ip)]


def test_hosts_that_routers_and_leases_name_are_known_to_the_sweep_and_nobody_else_s_word_counts():
    told = [
        Sighting(source="router", at=NOW, mac="3c:06:30:11:22:33", address="10.20.0.61"),
        Sighting(source="router", at=NOW, mac="3c:06:30:11:22:33", address="fe80::1"),
        Sighting(source="mdns", at=NOW, mac="30:05:5c:10:00:32", address="10.20.0.31"),
    ]
    row = arp_sweep.INSTRUMENT
    assert row.learn(arp_sweep.Settings(), told).known == (("10.20.0.61", "3c:06:30:11:22:33"),)
    assert icmp_sweep.INSTRUMENT.learn(icmp_sweep.Settings(), told) == icmp_sweep.Settings()
    ours = arp_sweep.Settings(known=(("10.20.0.7", "3c:06:30:11:22:44"),))
    assert row.learn(ours, told).known == (*ours.known, ("10.20.0.61", "3c:06:30:11:22:33"))


def test_a_sweep_that_a_fault_ended_has_no_count_but_says_what_it_found():
    sweep = fresh()
    arp_ask.take(sweep, reply("02:00:00:00:00:07", "10.66.0.7"))
    sweep.packets_sent, sweep.fault = 9, Failed(Failure.UNREACHABLE, "interface eth0 is down")
    *_, count, sent = arp_sweep.emit("10.66.0.0/24", NOW, sweep)
    assert (count.value, count.failure, count.details["found"]) == (None, Failure.UNREACHABLE, 1)
    assert sent == Sent(protocol="arp", frames=9, bytes=540)


@given(st.binary(max_size=80))
def test_rubbish_is_no_reply(frame):
    assert wire_arp.reply(frame) is None
    sweep = fresh()
    arp_ask.take(sweep, frame)
    assert not sweep.found


@given(st.binary(min_size=22, max_size=22))
def test_whatever_is_claimed_only_hosts_of_the_network_are_noted(rest):
    sweep = fresh()
    arp_ask.take(
        sweep, bytes(12) + bytes.fromhex("0806 0001 0800 06 04 0002") + rest[:16] + int(PORT.own.ip).to_bytes(4, "big")
    )
    assert set(sweep.found) <= set(range(int(sweep.part[0]), int(sweep.part[-1]) + 1))
    count = list(arp_sweep.emit("10.66.0.0/24", NOW, sweep))[-1]
    assert count.value == len(sweep.found)


@given(st.text(max_size=20) | st.binary(max_size=7).map(lambda octets: octets.hex(":")))
def test_a_text_is_the_hardware_address_of_one_host_or_refused(text):
    try:
        mac = mac_bytes(text)
    except ValueError:
        return
    assert is_hosts(mac)
    assert mac_bytes(mac_text(mac)) == mac
