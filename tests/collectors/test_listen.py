import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import listen
from netready.authority import Authority
from netready.instrument import Capability

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVERYBODY = "ff:ff:ff:ff:ff:ff"  # given, so that scapy does not look for a neighbour
AUTHORITY = Authority(networks=(ip_network("10.66.0.0/24"),))


@pytest.fixture(scope="module")
def heard():
    flags = "-nm" if os.geteuid() == 0 else "-Urnm"
    # /sys of the new namespace is not ours to see until it is mounted anew.
    program = f"mount -t sysfs none /sys && exec {sys.executable} {HERE / 'listen_segment.py'}"
    done = subprocess.run(
        ["unshare", flags, "sh", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.namespaces
def test_devices_that_announce_themselves_are_heard_and_strangers_are_not(heard):
    found = {(each["source"], each["mac"], each["address"]): each for each in heard["sightings"]}
    assert set(found) == {
        ("mdns", "02:00:00:00:00:01", "10.66.0.20"),
        ("ssdp", "02:00:00:00:00:02", "10.66.0.30"),
        ("dhcp", "02:00:00:00:00:03", None),
        ("mdns", None, "10.66.0.40"),
    }
    printer = found["mdns", "02:00:00:00:00:01", "10.66.0.20"]
    assert (printer["name"], printer["facts"]["types"]) == ("npi12", "_ipp._tcp _uscan._tcp")
    assert found["ssdp", "02:00:00:00:00:02", "10.66.0.30"]["facts"] == {"kinds": "roku:ecp", "server": "Roku/9"}
    laptop = found["dhcp", "02:00:00:00:00:03", None]
    assert (laptop["name"], laptop["facts"]) == ("chromebook-7", {"vendor_class": "dhcpcd-9", "parameters": "1,3"})


@pytest.mark.namespaces
def test_what_a_reflector_repeats_is_not_pinned_on_the_reflector(heard):
    assert not [each for each in heard["sightings"] if each["address"] == "10.66.0.1"]


@pytest.mark.namespaces
def test_no_packet_is_sent(heard):
    assert heard["sent"] == 0
    assert any("on 1 interfaces" in line for line in heard["said"])


def test_without_an_authorised_network_it_hears_nothing_and_says_so(context_for):
    said = []
    context = context_for(said=said)
    assert list(listen.read(listen.Settings(seconds=0.1), context)) == []
    assert said == ["listen: 0.1 s on 0 interfaces"]


def test_the_room_that_a_crowd_may_take_is_bounded():
    heard = {}
    for number in range(listen.MOST_HEARD + 50):
        listen._entry(heard, ("dhcp", f"{number}", None), NOW)
    assert len(heard) == listen.MOST_HEARD
    device = listen.Heard(at=NOW)
    listen._add(device, tuple(str(number) for number in range(100)))
    assert len(device.words) == listen.MOST_WORDS


def test_the_kernel_itself_drops_what_is_not_for_us():
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import ARP, Ether

    ours = [bytes(Ether(dst=EVERYBODY) / IP(src="10.66.0.9") / UDP(dport=port) / b"x") for port in (67, 1900, 5353)]
    ours.append(
        bytes(Ether(dst=EVERYBODY) / IP(src="10.66.0.9", options=[b"\x94\x04\x00\x00"], flags="DF") / UDP(dport=5353) / b"x")
    )
    others = [
        bytes(Ether(dst=EVERYBODY) / IP(src="10.66.0.9") / UDP(sport=5353, dport=5354)),
        bytes(Ether(dst=EVERYBODY) / IP(src="10.66.0.9") / TCP(dport=1900)),
        bytes(Ether(dst=EVERYBODY) / IP(src="10.66.0.9", flags="MF") / UDP(dport=5353)),
        bytes(Ether(dst=EVERYBODY) / IP(src="10.66.0.9", frag=9) / UDP(dport=5353)),
        bytes(Ether(dst=EVERYBODY) / IPv6(src="fe80::1") / UDP(dport=5353)),
        bytes(Ether(dst=EVERYBODY) / ARP()),
        b"short",
    ]
    # A filter reads a local datagram from its first byte, as it reads a frame.
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        listen.attach_filter(receiver)
        receiver.settimeout(0)
        for frame in (*others, *ours, *others):
            sender.send(frame)
        assert [receiver.recv(2000) for _ in ours] == ours
        with pytest.raises(BlockingIOError):
            receiver.recv(2000)


@given(st.binary(max_size=300))
def test_rubbish_is_not_heard(frame):
    heard = {}
    listen.hear(frame, heard, NOW, AUTHORITY)
    assert not heard


@given(st.sampled_from([67, 1900, 5353]), st.binary(max_size=200))
def test_rubbish_in_a_good_frame_breaks_nothing(port, payload):
    udp = (5353).to_bytes(2, "big") + port.to_bytes(2, "big") + (len(payload) + 8).to_bytes(2, "big") + b"\x00\x00" + payload
    ip = b"\x45\x00" + (20 + len(udp)).to_bytes(2, "big") + bytes(5) + b"\x11\x00\x00" + bytes([10, 66, 0, 9]) + bytes(4)
    heard = {}
    listen.hear(bytes(6) + b"\x02\x00\x00\x00\x00\x01\x08\x00" + ip + udp, heard, NOW, AUTHORITY)
    list(listen.emit(heard))


def test_it_needs_the_right():
    assert listen.INSTRUMENT.needs == {Capability.RAW_SOCKET}
