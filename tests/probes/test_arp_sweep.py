import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import IPv4Interface, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.authority import Refused
from netready.instrument import Capability
from netready.site import Site
from probes import arp_sweep, wire_arp

HERE = Path(__file__).parent
PORT = arp_sweep.Port(name="eth0", mac=bytes.fromhex("02aabbccdd01"), own=IPv4Interface("10.66.0.1/24"))


def fresh():
    return arp_sweep.Sweep(part=ip_network("10.66.0.0/24"), port=PORT, tries=1, found={})


@pytest.fixture(scope="module")
def swept():
    flags = "-nm" if os.geteuid() == 0 else "-Urnm"
    done = subprocess.run(
        ["unshare", flags, sys.executable, str(HERE / "arp_segment.py")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def count_of(readings, target):
    return next(each for each in readings if each.get("metric") == "arp_hosts" and each["target"] == target)


@pytest.mark.namespaces
def test_every_host_is_found_also_those_that_answer_only_the_second_question(swept):
    found = {each["address"] for each in swept if each.get("source") == "arp" and "self" not in each["facts"]}
    assert found == {"10.66.0.10", "10.66.0.11", "10.66.0.12", *(f"10.66.0.{number}" for number in range(100, 140))}
    assert {each["mac"] for each in swept if each.get("address") == "10.66.0.100"} == {"aa:bb:cc:00:00:64"}


@pytest.mark.namespaces
def test_this_machine_is_told_first_and_marked(swept):
    assert (swept[0]["address"], swept[0]["facts"]) == ("10.66.0.1", {"self": "yes", "interface": "br0"})
    assert sum("self" in each.get("facts", {}) for each in swept) == 1


@pytest.mark.namespaces
def test_an_address_with_two_owners_is_two_sightings_and_a_duplicate(swept):
    quarrel = [each for each in swept if each.get("address") == "10.66.0.12"]
    assert len({each["mac"] for each in quarrel}) == 2
    assert all(each["facts"] == {"duplicate": "yes"} for each in quarrel)
    assert count_of(swept, "10.66.0.0/16")["details"]["duplicates"] == 1


@pytest.mark.namespaces
def test_the_count_says_what_was_swept_and_what_it_cost(swept):
    count = count_of(swept, "10.66.0.0/16")
    details = count["details"]
    assert count["value"] == 43
    assert details["swept"] == "10.66.0.0/24", "only the part that this machine is attached to"
    assert details["macs"] == 44
    # 253 questions, then 253 - 3 silent ones, then 253 - 43: those who answered are left in peace.
    assert 253 + 250 + 210 <= details["packets_sent"] < 3 * 253
    assert details["bytes_sent"] == details["packets_sent"] * 60
    assert details["packets_sent"] / 2000 <= details["seconds"] < 5


@pytest.mark.namespaces
def test_a_network_out_of_reach_and_ipv6_say_why(swept):
    far, six = count_of(swept, "10.70.0.0/24"), count_of(swept, "fd00::/64")
    assert far["failure"] == "unreachable"
    assert "no interface" in far["details"]["reason"]
    assert six["failure"] == "not-supported"


def test_a_strangers_network_is_refused_before_the_first_frame(context_for):
    context = context_for(networks=("10.66.0.0/24",))
    with pytest.raises(Refused):
        next(arp_sweep.read(arp_sweep.Settings(networks=("10.66.0.0/24", "192.0.2.0/24")), context))


def test_it_needs_the_right_and_a_network():
    assert arp_sweep.INSTRUMENT.needs == {Capability.RAW_SOCKET}
    site = Site(name="S", students=1, staff=1, classrooms=1, networks=("10.66.0.0/24", "fd00::/64"))
    assert arp_sweep.fit(arp_sweep.Settings(), site).networks == ("10.66.0.0/24",)
    assert arp_sweep.INSTRUMENT.missing(arp_sweep.Settings())


def test_the_part_that_an_interface_is_attached_to():
    part = arp_sweep.part_on_link
    assert part(ip_network("10.66.0.0/16"), (PORT,)) == (ip_network("10.66.0.0/24"), PORT)
    assert part(ip_network("10.66.0.128/25"), (PORT,)) == (ip_network("10.66.0.128/25"), PORT)
    assert part(ip_network("10.67.0.0/24"), (PORT,)) is None


def test_questions_are_what_scapy_reads():
    from scapy.layers.l2 import ARP, Ether

    frame = Ether(wire_arp.request(PORT.mac, int(PORT.own.ip), int(IPv4Interface("10.66.0.9").ip)))
    assert (frame.src, frame.dst, frame[ARP].op) == ("02:aa:bb:cc:dd:01", "ff:ff:ff:ff:ff:ff", 1)
    assert (frame[ARP].psrc, frame[ARP].pdst, frame[ARP].hwsrc) == ("10.66.0.1", "10.66.0.9", "02:aa:bb:cc:dd:01")
    assert len(bytes(frame)) == 60


def test_a_flood_of_claims_to_one_address_is_bounded():
    from scapy.layers.l2 import ARP, Ether

    sweep = fresh()
    for number in range(50):
        mac = f"02:00:00:00:00:{number:02x}"
        arp_sweep.take(
            sweep, bytes(Ether(src=mac, dst="02:aa:bb:cc:dd:01") / ARP(op=2, hwsrc=mac, psrc="10.66.0.9", pdst="10.66.0.1"))
        )
    assert {len(macs) for macs in sweep.found.values()} == {arp_sweep.MOST_MACS}


@given(st.binary(max_size=80))
def test_rubbish_is_no_reply(frame):
    assert wire_arp.reply(frame) is None
    sweep = fresh()
    arp_sweep.take(sweep, frame)
    assert not sweep.found


@given(st.binary(min_size=22, max_size=22))
def test_whatever_is_claimed_only_hosts_of_the_network_are_noted(rest):
    sweep = fresh()
    arp_sweep.take(
        sweep, bytes(12) + bytes.fromhex("0806 0001 0800 06 04 0002") + rest[:16] + int(PORT.own.ip).to_bytes(4, "big")
    )
    assert set(sweep.found) <= set(range(int(sweep.part[0]), int(sweep.part[-1]) + 1))
    readings = list(arp_sweep.emit("10.66.0.0/24", datetime(2026, 3, 2, tzinfo=UTC), sweep))
    assert readings[-1].value == len(sweep.found)
