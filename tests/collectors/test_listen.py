import socket
from ipaddress import ip_network
from pathlib import Path

import pytest

from collectors import attached, kernel_filter, listen, ring
from netready.instrument import Capability

HERE = Path(__file__).parent
EVERYBODY = "ff:ff:ff:ff:ff:ff"  # given, so that scapy does not look for a neighbour


def by_key(told):
    told["found"] = {(each["source"], each["mac"], each["address"]): each for each in told["sightings"]}
    told["measured"] = {(each["metric"], each["target"]): each for each in told["measurements"]}
    return told


@pytest.fixture(scope="module")
def heard(unshared):
    return by_key(unshared(HERE / "listen_segment.py"))


@pytest.fixture(scope="module")
def bridged(unshared):
    return by_key(unshared(HERE / "listen_segment.py", "bridged"))


@pytest.mark.namespaces
def test_devices_that_speak_are_heard_and_strangers_are_not(heard):
    found = heard["found"]
    assert set(found) == {
        ("mdns", "02:00:00:00:00:01", "10.66.0.20"),
        ("ssdp", "02:00:00:00:00:02", "10.66.0.30"),
        ("dhcp", "02:00:00:00:00:03", None),
        ("mdns", None, "10.66.0.40"),
        ("dhcp-server", "02:00:00:00:00:08", "192.168.1.1"),
        ("arp", "02:00:00:00:00:09", "10.66.0.90"),
        ("arp", "02:00:00:00:00:09", "10.66.0.92"),
        ("nd", "02:00:00:00:00:0a", None),
        ("lldp", "02:00:00:00:00:0b", None),
        ("cdp", "02:00:00:00:00:0c", None),
    }
    printer = found["mdns", "02:00:00:00:00:01", "10.66.0.20"]
    assert (printer["name"], printer["facts"]["types"]) == ("npi12", "_ipp._tcp _uscan._tcp")
    assert found["ssdp", "02:00:00:00:00:02", "10.66.0.30"]["facts"] == {"kinds": "roku:ecp", "server": "Roku/9"}
    laptop = found["dhcp", "02:00:00:00:00:03", None]
    assert (laptop["name"], laptop["facts"]) == ("chromebook-7", {"vendor_class": "dhcpcd-9", "parameters": "1,3"})
    here = {"interface": "ear"}
    assert found["dhcp-server", "02:00:00:00:00:08", "192.168.1.1"]["facts"] == here | {"serves": "192.168.1.7"}
    assert found["arp", "02:00:00:00:00:09", "10.66.0.90"]["facts"] == here | {"heard": "yes"}
    assert found["nd", "02:00:00:00:00:0a", None]["facts"] == here | {"heard": "yes", "router": "yes"}
    switch = found["lldp", "02:00:00:00:00:0b", None]
    assert (switch["name"], switch["facts"]) == ("core-1", here | {"remote_port": "gi1"})
    telephone = found["cdp", "02:00:00:00:00:0c", None]
    assert (telephone["name"], telephone["facts"]) == ("phone-1", here | {"capabilities": "host telephone"})


@pytest.mark.namespaces
def test_a_tag_that_the_kernel_took_off_is_told(heard):
    assert heard["found"]["arp", "02:00:00:00:00:09", "10.66.0.92"]["facts"]["vlan"] == "20"


@pytest.mark.namespaces
def test_what_a_reflector_repeats_is_not_pinned_on_the_reflector(heard):
    assert not [each for each in heard["sightings"] if each["address"] == "10.66.0.1"]


@pytest.mark.namespaces
def test_no_packet_is_sent(heard):
    assert heard["sent"] == 0
    assert heard["said"] == ["listen: 0.8 s on ear"]


@pytest.mark.namespaces
def test_every_frame_is_heard_or_counted_as_lost_and_the_rest_never_came_up(heard):
    frames, dropped = heard["measured"]["listen_frames", "ear"], heard["measured"]["listen_dropped", "host"]
    assert dropped["value"] == 0
    assert frames["value"] == dropped["details"]["frames"] > 12
    counts = frames["details"]["protocols"]
    assert set(counts) == {"arp", "nd", "dhcp", "mdns", "ssdp", "lldp", "cdp", "unreadable"}
    rounds = counts["lldp"]
    assert counts == {
        "arp": 2 * rounds,
        "nd": rounds,
        "dhcp": 2 * rounds,
        "mdns": 4 * rounds,
        "ssdp": rounds,
        "lldp": rounds,
        "cdp": rounds,
        "unreadable": rounds,
    }
    assert dropped["details"]["strangers"] == rounds
    assert frames["details"]["seconds"] == pytest.approx(0.8, abs=0.3)


@pytest.mark.namespaces
def test_lldp_that_a_bridge_keeps_to_itself_is_heard_at_its_port(bridged):
    assert bridged["found"]["lldp", "02:00:00:00:00:0b", None]["facts"]["interface"] == "ear"
    assert bridged["found"]["arp", "02:00:00:00:00:09", "10.66.0.90"]["facts"]["interface"] == "bridge"
    assert set(bridged["measured"]["listen_frames", "ear"]["details"]["protocols"]) == {"lldp", "cdp"}
    assert bridged["said"] == ["listen: 0.8 s on ear, bridge"]


def test_without_an_authorised_network_it_hears_nothing_and_says_so(context_for):
    said = []
    (told,) = listen.read(listen.Settings(seconds=0.1), context_for(said=said))
    assert (told.metric, told.target, told.failure) == ("listen_frames", "host", "unreachable")
    assert told.details["reason"] == "no interface of this machine is attached to an authorised network"
    assert said == ["listen: 0.1 s on no interface"]


def test_an_interface_that_is_not_attached_to_an_authorised_network_is_refused(context_for):
    context = context_for(networks=("127.0.0.0/8",))
    told = list(listen.read(listen.Settings(seconds=0.1, interfaces=("lo", "none7")), context))
    assert [(each.target, each.failure) for each in told] == [
        ("lo", "not-authorised"),
        ("none7", "not-authorised"),
        ("host", "unreachable"),
    ]


def test_the_kernels_list_of_interfaces_is_the_one_that_psutil_reads():
    import psutil

    wanted = {
        (name, str(ip_network(f"{each.address}/{each.netmask}", strict=False)))
        for name, entries in psutil.net_if_addrs().items()
        for each in entries
        if each.family == socket.AF_INET
    }
    assert {(socket.if_indextoname(index), str(own)) for index, own in attached._addresses() if own.version == 4} == wanted
    assert {link.name for link in attached._links()} == set(psutil.net_if_stats())


def test_the_kernel_itself_drops_what_is_not_for_us():
    from scapy.layers.inet import ICMP, IP, TCP, UDP
    from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS, IPv6
    from scapy.layers.l2 import ARP, Dot1Q, Ether

    top = Ether(dst=EVERYBODY)
    tagged = top / Dot1Q(vlan=20)
    inside = [IP(src="10.66.0.9") / UDP(dport=port) / b"x" for port in (67, 68, 1900, 5353)]
    inside += [IPv6(src="fe80::9") / UDP(dport=port) / b"x" for port in (547, 1900, 5353)]
    inside += [IPv6(src="fe80::9") / kind() for kind in (ICMPv6ND_NS, ICMPv6ND_NA, ICMPv6ND_RS, ICMPv6ND_RA)]
    inside += [ARP(), IP(src="10.66.0.9", options=[b"\x94\x04\x00\x00"], flags="DF") / UDP(dport=5353) / b"x"]
    cdp = b"\x00\x20\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(24)
    ours = [bytes(outer / each) for outer in (top, tagged) for each in inside]
    ours += [bytes(12) + b"\x88\xcc" + bytes(46), bytes(12) + cdp, bytes(12) + b"\x81\x00\x00\x14" + cdp]
    others = [
        top / IP(src="10.66.0.9") / UDP(sport=5353, dport=5354),
        top / IP(src="10.66.0.9") / TCP(dport=1900),
        top / IP(src="10.66.0.9") / ICMP(),
        top / IP(src="10.66.0.9", flags="MF") / UDP(dport=5353),
        top / IP(src="10.66.0.9", frag=9) / UDP(dport=5353),
        top / IPv6(src="fe80::1") / UDP(dport=53),
        top / IPv6(src="fe80::1") / ICMPv6EchoRequest(),
        top / IPv6(src="fe80::1") / ICMPv6MLReport2(),
        top / IPv6(src="fe80::1") / TCP(dport=5353),
        tagged / IP(src="10.66.0.9") / TCP(dport=1900),
        top / Dot1Q(vlan=1) / Dot1Q(vlan=2) / ARP(),
        bytes(12) + cdp.replace(b"\x20\x00", b"\x20\x04"),
        bytes(12) + b"\x00\x26\x42\x42\x03" + bytes(35),
        bytes(12) + b"\x08\x00",
        b"short",
    ]
    # A filter reads a local datagram from its first byte, as it reads a frame.
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        ring.attach(receiver, kernel_filter.instructions())
        receiver.settimeout(0)
        for frame in (*others, *ours, *others):
            sender.send(bytes(frame))
        kept = [frame[: kernel_filter.WHOLE_ARP] if b"\x08\x06" in (frame[12:14], frame[16:18]) else frame for frame in ours]
        assert [receiver.recv(2000) for _ in ours] == kept
        with pytest.raises(BlockingIOError):
            receiver.recv(2000)


def test_the_program_is_one_that_a_kernel_takes_however_many_interfaces_there_are():
    program = kernel_filter.instructions(range(1, 100), range(100, 200))
    assert all(0 <= skip <= 255 for _, yes, no, _ in program for skip in (yes, no))
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        ring.attach(receiver, program)


def test_it_needs_the_right_and_sends_nothing():
    assert listen.INSTRUMENT.needs == {Capability.RAW_SOCKET}
    assert listen.INSTRUMENT.silent
