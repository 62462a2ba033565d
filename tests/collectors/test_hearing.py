"""Who is noted of those that are heard, as what, and how much is kept of them."""

from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from census.joining import join
from collectors import notes
from collectors.hearing import Hearing
from netready.authority import Authority

AUTHORITY = Authority(networks=(ip_network("10.66.0.0/24"), ip_network("fd66::/64")))
AT = 1_772_442_000.0
DEVICE = "02:00:00:00:00:01"


def hear(*frames, vlan=None):
    hearing = Hearing(AUTHORITY)
    for frame in frames:
        hearing.hear(bytes(frame), "eth0", AT, vlan)
    return hearing


def said(*frames, vlan=None):
    return {(each.source, each.mac, each.address): (each.name, each.facts) for each in hear(*frames, vlan=vlan).sightings()}


def ether(mac=DEVICE):
    from scapy.layers.l2 import Ether

    return Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")


def arp(source, *, mac=DEVICE, wanted="10.66.0.1"):
    from scapy.layers.l2 import ARP

    return ether(mac) / ARP(hwsrc=mac, psrc=source, pdst=wanted)


def udp(source, port, payload, *, mac=DEVICE):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import IPv6

    ip = IPv6(src=source, dst="ff02::fb") if ":" in source else IP(src=source, dst="224.0.0.251")
    return ether(mac) / ip / UDP(sport=port, dport=port) / payload


def mdns(*records):
    from scapy.layers.dns import DNS

    return DNS(id=0, qr=1, aa=1, qd=[], an=list(records))


def record(name, kind, data):
    from scapy.layers.dns import DNSRR

    return DNSRR(rrname=f"{name}.local.", type=kind, ttl=120, rdata=data)


def dhcp(options, *, mac=DEVICE, source="0.0.0.0", port=67, **fields):
    from scapy.layers.dhcp import BOOTP, DHCP

    chaddr = bytes.fromhex(mac.replace(":", ""))
    return udp(source, port, BOOTP(chaddr=chaddr, **fields) / DHCP(options=[*options, "end"]), mac=mac)


def nd(message, source="fe80::9"):
    from scapy.layers.inet6 import IPv6

    return ether() / IPv6(src=source, dst="ff02::1", hlim=255) / message


def lldp(name=b"core-1"):
    def field(kind, value):
        return (kind << 9 | len(value)).to_bytes(2, "big") + value

    fields = field(1, b"\x04\x02\x00\x00\x00\x00\x77") + field(2, b"\x05Gi1") + field(3, b"\x00\x78") + field(5, name)
    managed = field(8, b"\x05\x01\x0a\x63\x00\x01\x02\x00\x00\x00\x01\x00")
    return b"\x01\x80\xc2\x00\x00\x0e" + b"\x02\x00\x00\x00\x00\x01\x88\xcc" + fields + managed


# --- Who counts --------------------------------------------------------------------------------------------------------


def test_a_host_of_an_authorised_network_is_noted_with_where_and_when_it_spoke():
    found = next(hear(arp("10.66.0.9")).sightings())
    assert (found.source, found.mac, found.address) == ("arp", DEVICE, "10.66.0.9")
    assert found.facts == {"heard": "yes", "interface": "eth0"}
    assert found.at == datetime.fromtimestamp(AT, UTC)


def test_a_stranger_is_counted_and_not_noted():
    hearing = hear(arp("192.168.1.9"), arp("192.168.1.9"), udp("10.99.0.1", 5353, mdns(record("x", "A", "10.99.0.1"))))
    assert not list(hearing.sightings())
    assert hearing.strangers == 3
    assert hearing.counts == {"eth0": {"arp": 2, "mdns": 1}}


def test_a_probe_is_a_device_without_an_address():
    assert said(arp("0.0.0.0", wanted="10.66.0.9")) == {
        ("arp", DEVICE, None): (None, {"heard": "yes", "interface": "eth0"}),
    }
    assert not said(arp("0.0.0.0", wanted="10.99.0.9"))


def test_a_link_local_address_counts_by_where_it_is_heard_and_is_left_out():
    from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6ND_RA

    facts = {"heard": "yes", "interface": "eth0"}
    assert said(nd(ICMPv6ND_NS(tgt="fe80::1"))) == {("nd", DEVICE, None): (None, facts)}
    assert said(nd(ICMPv6ND_RA())) == {("nd", DEVICE, None): (None, facts | {"router": "yes"})}


def test_of_global_ipv6_addresses_only_authorised_ones_count():
    from scapy.layers.inet6 import ICMPv6ND_NA

    ours, strangers = ICMPv6ND_NA(tgt="fd66::9"), ICMPv6ND_NA(tgt="2001:db8::9")
    assert set(said(nd(ours), nd(strangers))) == {("nd", DEVICE, "fd66::9")}


def test_on_a_trunk_a_frame_of_another_vlan_has_to_carry_an_authorised_address():
    from scapy.layers.inet6 import ICMPv6ND_NS

    frames = (arp("10.66.0.9"), nd(ICMPv6ND_NS(tgt="fe80::1")), lldp(), dhcp([("message-type", "discover")]))
    assert said(*frames, vlan=20) == {
        ("arp", DEVICE, "10.66.0.9"): (None, {"heard": "yes", "interface": "eth0", "vlan": "20"}),
    }
    assert len(said(*frames, vlan=0)) == 4


def test_a_tag_in_the_frame_counts_as_one_that_the_kernel_took_off():
    plain = bytes(arp("10.66.0.9"))
    assert said(plain[:12] + b"\x81\x00\x00\x14" + plain[12:]) == said(plain, vlan=20)


# --- What each says ----------------------------------------------------------------------------------------------------


def test_a_switch_is_noted_by_its_chassis_and_an_address_elsewhere_is_left_out():
    facts = {"interface": "eth0", "remote_port": "Gi1"}
    assert said(lldp()) == {("lldp", "02:00:00:00:00:77", None): ("core-1", facts)}


def test_a_dhcp_server_is_noted_even_with_a_strangers_address():
    offer = [("message-type", "offer"), ("server_id", "192.168.1.1")]
    frame = dhcp(offer, source="192.168.1.1", port=68, op=2, yiaddr="192.168.1.50")
    assert said(frame) == {("dhcp-server", DEVICE, "192.168.1.1"): (None, {"interface": "eth0", "serves": "192.168.1.50"})}


def test_what_a_relay_passes_on_is_not_pinned_on_the_relay():
    offer = [("message-type", "ack"), ("server_id", "10.66.0.2")]
    assert set(said(dhcp(offer, source="10.66.0.1", port=68, op=2))) == {("dhcp-server", None, "10.66.0.2")}


def test_a_dhcp_client_with_a_strangers_address_is_noted_without_it():
    wants = [("message-type", "request"), ("requested_addr", "192.168.1.7"), ("hostname", b"laptop")]
    assert said(dhcp(wants)) == {("dhcp", DEVICE, None): ("laptop", {})}


def test_client_ids_of_both_kinds_of_dhcp_can_be_compared():
    from scapy.layers.dhcp6 import DUID_LL, DHCP6_Solicit, DHCP6OptClientId

    solicit = DHCP6_Solicit() / DHCP6OptClientId(duid=DUID_LL(lladdr=DEVICE))
    four = dhcp([("message-type", "discover"), ("client_id", b"\xff\x00\x00\x00\x00\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01")])
    ids = [facts["client_id"] for _, facts in (*said(udp("fe80::9", 547, solicit)).values(), *said(four).values())]
    assert ids == ["ff0000000000030001020000000001"] * 2


def test_one_client_id_behind_two_made_up_addresses_is_one_device_and_one_that_repeats_its_address_is_not():
    def discover(mac, identity):
        return dhcp([("message-type", "discover"), ("client_id", identity)], mac=mac)

    def merged(*frames):
        return [group.merged for group in join(hear(*frames).sightings()).groups]

    other = "06:00:00:00:00:02"
    duid = b"\x00\x01\x00\x01\x2c\x3d\x4e\x5f\x3c\x28\x6d\x10\x00\x03"
    assert merged(discover(DEVICE, b"\xff\x00\x00\x00\x01" + duid), discover(other, b"\xff\x00\x00\x00\x02" + duid)) == [
        ("same DHCP client id",)
    ]
    own = [discover(mac, b"\x01" + bytes.fromhex(mac.replace(":", ""))) for mac in (DEVICE, other)]
    assert merged(*own) == [(), ()]


def test_what_a_reflector_repeats_is_not_pinned_on_it():
    frame = udp("10.66.0.1", 5353, mdns(record("cast", "A", "10.66.0.40")))
    assert set(said(frame)) == {("mdns", None, "10.66.0.40")}
    assert not said(udp("10.66.0.1", 5353, mdns(record("cast", "A", "10.99.0.40"))))


def test_mdns_over_ipv6_is_noted_with_the_hosts_other_address():
    frame = udp("fe80::9", 5353, mdns(record("tv", "AAAA", "fe80::9"), record("tv", "A", "10.66.0.9")))
    assert said(frame) == {("mdns", DEVICE, "10.66.0.9"): ("tv", {})}


def test_words_of_several_frames_come_together_and_the_last_name_counts():
    first = udp("10.66.0.9", 5353, mdns(record("_ipp._tcp", "PTR", "x._ipp._tcp.local."), record("old", "A", "10.66.0.9")))
    second = udp("10.66.0.9", 5353, mdns(record("_http._tcp", "PTR", "x._http._tcp.local."), record("new", "A", "10.66.0.9")))
    assert said(first, second, first) == {("mdns", DEVICE, "10.66.0.9"): ("new", {"types": "_ipp._tcp _http._tcp"})}


def test_what_is_none_of_these_is_not_counted():
    from scapy.layers.inet import IP, TCP, UDP

    hearing = hear(ether() / IP(src="10.66.0.9") / TCP(), ether() / IP(src="10.66.0.9") / UDP(dport=53), b"", bytes(60))
    assert hearing.counts == {}


def test_frames_are_counted_by_protocol_and_the_unreadable_each_time():
    bad = bytes(ether())[:12] + b"\x08\x06" + bytes(46)
    hearing = hear(arp("10.66.0.9"), arp("10.66.0.9"), lldp(), bad, bad)
    assert hearing.protocols() == hearing.protocols("eth0") == {"arp": 2, "lldp": 1, "unreadable": 2}
    assert hearing.protocols("eth1") == {}


# --- Bounds ------------------------------------------------------------------------------------------------------------


def test_a_flood_of_made_up_devices_is_bounded_and_leaves_room_for_other_kinds(monkeypatch):
    monkeypatch.setattr(notes, "MOST_DEVICES", 50)
    hearing = hear(*(arp("10.66.0.9", mac=f"02:00:00:00:01:{number:02x}") for number in range(70)), lldp())
    assert len(hearing.notes) == 51
    assert hearing.notes.left_out == 20


def test_the_words_of_one_device_are_bounded():
    kept = notes.Notes()
    kept.note("mdns", b"", b"\x0a\x42\x00\x09", AT, facts={}, words=map(str, range(40)))
    assert next(kept.sightings()).facts["types"] == " ".join(map(str, range(notes.MOST_WORDS)))
    assert kept.left_out == 40 - notes.MOST_WORDS


def test_all_words_together_are_bounded(monkeypatch):
    monkeypatch.setattr(notes, "MOST_BYTES", 1000)
    kept = notes.Notes()
    for number in range(20):
        kept.note("ssdp", b"", number.to_bytes(4, "big"), AT, facts={"server": "x" * 100})
    assert 5 < len(kept) < 10
    assert len(kept) + kept.left_out == 20


def test_a_file_may_name_any_number_of_interfaces(monkeypatch):
    monkeypatch.setattr("collectors.hearing.MOST_INTERFACES", 3)
    hearing = Hearing(AUTHORITY)
    for number in range(9):
        hearing.hear(bytes(arp("10.66.0.9")), f"port {number}", AT)
    assert hearing.counts == {f"port {number}": {"arp": 1} for number in range(3)} | {"": {"arp": 6}}


def test_words_that_were_crowded_out_of_memory_are_read_again_and_change_nothing(monkeypatch):
    monkeypatch.setattr("collectors.hearing.REMEMBERED", 4)
    frames = [arp("10.66.0.9", mac=f"02:00:00:00:01:{number:02x}") for number in range(20)] * 3
    hearing = hear(*frames)
    assert len(list(hearing.sightings())) == 20
    assert hearing.protocols() == {"arp": 60}


@pytest.mark.parametrize("size", [0, 1, 13, 14, 20, 40])
def test_frames_that_are_cut_anywhere_break_nothing(size):
    for frame in (arp("10.66.0.9"), lldp(), udp("10.66.0.9", 5353, b"x"), udp("fe80::9", 547, b"x")):
        assert not list(hear(bytes(frame)[:size]).sightings())
