"""What is carried in UDP, and the frames around it: scapy makes what must be read, and what must be refused."""

import struct
from ipaddress import ip_address

import pytest

from collectors import wire_dhcp, wire_dhcp6, wire_frame, wire_mdns, wire_ssdp
from netready.failure import Failed, Failure


def packed(text):
    return ip_address(text).packed


def outcome(parser, data):
    try:
        return parser(data)
    except Failed as failed:
        return failed.failure


# --- DHCP --------------------------------------------------------------------------------------------------------------


def message(options, *, op=1, **fields):
    from scapy.layers.dhcp import BOOTP, DHCP

    return bytes(BOOTP(op=op, chaddr=bytes.fromhex("a4b1c1000001"), **fields) / DHCP(options=[*options, "end"]))


def test_a_clients_words_are_read():
    payload = message(
        [
            ("message-type", "request"),
            ("requested_addr", "10.66.0.50"),
            ("hostname", b"chrome\x1bbook-12"),
            ("vendor_class_id", b"MSFT 5.0"),
            ("param_req_list", [1, 3, 6, 15]),
            ("client_id", b"\x01\xa4\xb1\xc1\x00\x00\x01"),
        ]
    )
    assert wire_dhcp.client(payload) == wire_dhcp.Client(
        mac=bytes.fromhex("a4b1c1000001"),
        address=packed("10.66.0.50"),
        name="chrome book-12",
        vendor_class="MSFT 5.0",
        parameters=(1, 3, 6, 15),
        identity="01a4b1c1000001",
    )
    assert wire_dhcp.server(payload) is None


def test_the_address_a_client_has_counts_more_than_the_one_it_wants():
    wants = [("message-type", "request"), ("requested_addr", "10.66.0.50")]
    assert wire_dhcp.client(message(wants, ciaddr="10.66.0.7")).address == packed("10.66.0.7")
    assert wire_dhcp.client(message([])).address == b""


@pytest.mark.parametrize("kind", ["discover", "decline"])
def test_an_address_that_is_only_wished_for_or_is_somebody_elses_is_not_the_clients(kind):
    assert wire_dhcp.client(message([("message-type", kind), ("requested_addr", "10.66.0.50")])).address == b""


def test_a_server_is_not_a_client():
    offer = message([("message-type", "offer"), ("server_id", "10.66.0.1")], op=2, yiaddr="10.66.0.50")
    assert wire_dhcp.client(offer) is None
    assert wire_dhcp.server(offer) == wire_dhcp.Server(address=packed("10.66.0.1"), serves=packed("10.66.0.50"))


def test_a_server_that_refuses_or_only_informs_serves_no_address():
    refusal = message([("message-type", "nak"), ("server_id", "10.66.0.1")], op=2, yiaddr="10.66.0.50")
    informed = message([("message-type", "ack"), ("server_id", "10.66.0.1")], op=2)
    assert [wire_dhcp.server(each).serves for each in (refusal, informed)] == [b"", b""]


def test_a_server_that_does_not_say_who_it_is_is_refused():
    assert outcome(wire_dhcp.server, message([("message-type", "offer")], op=2)) is Failure.MALFORMED
    assert outcome(wire_dhcp.server, message([("message-type", "offer"), ("server_id", "0.0.0.0")], op=2)) is Failure.MALFORMED


def test_parts_of_a_long_option_are_joined_and_padding_is_skipped():
    assert wire_dhcp.client(message(["pad", ("hostname", b"chrome"), "pad", ("hostname", b"book")])).name == "chromebook"


@pytest.mark.parametrize("cut", [0, 100, 239])
def test_a_short_message_is_refused(cut):
    assert outcome(wire_dhcp.client, message([])[:cut]) is Failure.MALFORMED


def test_an_option_past_the_end_is_refused():
    assert outcome(wire_dhcp.client, message([])[:-1] + b"\x0c\xff" + b"x") is Failure.MALFORMED


def test_a_message_for_other_hardware_is_refused():
    assert outcome(wire_dhcp.client, message([], htype=6)) is Failure.MALFORMED


@pytest.mark.parametrize(("size", "kept"), [(135, 135), (136, 0)])
def test_an_identity_is_kept_whole_or_not_at_all(size, kept):
    assert len(wire_dhcp.client(message([("client_id", b"\xff" * size)])).identity) == 2 * kept


# --- DHCPv6 ------------------------------------------------------------------------------------------------------------


def solicitation():
    from scapy.layers.dhcp6 import (
        DUID_LL,
        VENDOR_CLASS_DATA,
        DHCP6_Solicit,
        DHCP6OptClientFQDN,
        DHCP6OptClientId,
        DHCP6OptVendorClass,
    )

    return bytes(
        DHCP6_Solicit(trid=7)
        / DHCP6OptClientId(duid=DUID_LL(lladdr="a4:b1:c1:00:00:01"))
        / DHCP6OptVendorClass(enterprisenum=311, vcdata=[VENDOR_CLASS_DATA(data=b"MSFT 5.0")])
        / DHCP6OptClientFQDN(fqdn="staff-3.school.test.")
    )


def test_a_dhcpv6_client_says_its_name_its_maker_and_who_it_is():
    assert wire_dhcp6.client(solicitation()) == wire_dhcp6.Client(
        name="staff-3.school.test", vendor_class="MSFT 5.0", identity="00030001a4b1c1000001"
    )


@pytest.mark.parametrize(("size", "kept"), [(130, 130), (131, 0)])
def test_a_duid_is_kept_whole_or_not_at_all(size, kept):
    found = wire_dhcp6.client(b"\x01\x00\x00\x07" + b"\x00\x01" + size.to_bytes(2, "big") + b"\x05" * size)
    assert len(found.identity) == 2 * kept


def test_a_name_that_is_not_meant_to_be_complete_is_read_too():
    assert wire_dhcp6.client(b"\x01\x00\x00\x07" + b"\x00\x27\x00\x0a" + b"\x00\x08laptop-7").name == "laptop-7"


def test_what_dhcpv6_servers_and_relays_send_is_not_a_client():
    from scapy.layers.dhcp6 import DHCP6_Advertise, DHCP6_RelayForward

    assert wire_dhcp6.client(bytes(DHCP6_Advertise())) is None
    assert wire_dhcp6.client(bytes(DHCP6_RelayForward())) is None


@pytest.mark.parametrize("tail", [b"\x00", b"\x00\x27\x00\x09\x00", b"\x00\x10\x00\x04abcd", b"\x00\x10\x00\x06\0\0\0\0\0\x09"])
def test_a_dhcpv6_option_past_the_end_is_refused(tail):
    assert outcome(wire_dhcp6.client, b"\x01\x00\x00\x07" + tail) is Failure.MALFORMED


# --- mDNS --------------------------------------------------------------------------------------------------------------


def mdns(records, *, qr=1):
    from scapy.layers.dns import DNS

    return bytes(DNS(id=0, qr=qr, aa=1, qd=[], an=records))


def printer():
    from scapy.layers.dns import DNSRR, DNSRRSRV

    return [
        DNSRR(rrname="_ipp._tcp.local.", type="PTR", ttl=4500, rdata="Office LaserJet._ipp._tcp.local."),
        DNSRRSRV(rrname="Office LaserJet._ipp._tcp.local.", type="SRV", ttl=120, port=631, target="npi12ab.local."),
        DNSRR(
            rrname="Office LaserJet._ipp._tcp.local.",
            type="TXT",
            rclass=0x8001,
            ttl=4500,
            rdata=[b"ty=HP 400", b"usb_MFG=HP", b"note=Room 7"],
        ),
        DNSRR(rrname="npi12ab.local.", type="A", rclass=0x8001, ttl=120, rdata="10.66.0.20"),
        DNSRR(rrname="npi12ab.local.", type="AAAA", rclass=0x8001, ttl=120, rdata="fd66::20"),
        DNSRR(rrname="_services._dns-sd._udp.local.", type="PTR", ttl=4500, rdata="_ipp._tcp.local."),
        DNSRR(rrname="_scanner._tcp.local.", type="PTR", ttl=0, rdata="gone._scanner._tcp.local."),
    ]


def test_an_announcement_is_read():
    assert wire_mdns.announcement(mdns(printer())) == wire_mdns.Announcement(
        types=("_ipp._tcp",),
        name="npi12ab",
        addresses=(packed("10.66.0.20"), packed("fd66::20")),
        model="HP 400",
        maker="HP",
        place="Room 7",
    )


def test_questions_are_not_announcements():
    assert wire_mdns.announcement(mdns(printer(), qr=0)) is None


def test_a_name_that_points_at_itself_is_refused():
    header = struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0)
    assert outcome(wire_mdns.announcement, header + b"\xc0\x0c" + b"\x00" * 10) is Failure.MALFORMED


def test_many_records_are_read_up_to_a_bound():
    from scapy.layers.dns import DNSRR

    many = [DNSRR(rrname=f"_t{number}._tcp.local.", type="PTR", ttl=9, rdata="x.local.") for number in range(200)]
    assert len(wire_mdns.announcement(mdns(many)).types) == wire_mdns.MOST_TYPES


# --- SSDP --------------------------------------------------------------------------------------------------------------

ALIVE = (
    b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-upnp-org:device:MediaRenderer:1\r\n"
    b"nts: ssdp:alive\r\nSERVER: Tizen/6.0 UPnP/1.0 TV\r\n\r\n"
)


def test_a_notice_is_read():
    assert wire_ssdp.notice(ALIVE) == wire_ssdp.Notice(
        kind="urn:schemas-upnp-org:device:MediaRenderer:1", server="Tizen/6.0 UPnP/1.0 TV"
    )


def test_a_devices_own_number_is_no_kind_of_device():
    assert wire_ssdp.notice(ALIVE.replace(b"urn:schemas", b"uuid:schemas")).kind == ""


def test_searches_and_farewells_say_nothing():
    assert wire_ssdp.notice(b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n") is None
    assert wire_ssdp.notice(ALIVE.replace(b"alive", b"byebye")) is None


# --- Frames ------------------------------------------------------------------------------------------------------------

SENDER = "a4:b1:c1:00:00:01"


def frame(**changes):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    ip = {"src": "10.66.0.20", "dst": "224.0.0.251"} | changes
    return bytes(Ether(src=SENDER, dst="01:00:5e:00:00:fb") / IP(**ip) / UDP(sport=5353, dport=5353) / b"payload")


def frame6(**changes):
    from scapy.layers.inet import UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Ether

    ip = {"src": "fe80::20", "dst": "ff02::fb", "hlim": 255} | changes
    return bytes(Ether(src=SENDER, dst="33:33:00:00:00:fb") / IPv6(**ip) / UDP(sport=5353, dport=5353) / b"payload")


@pytest.mark.parametrize(("made", "source"), [(frame, "10.66.0.20"), (frame6, "fe80::20")])
def test_a_datagram_is_taken_out_of_its_frame(made, source):
    packet = wire_frame.packet(made() + b"\x00" * 8)
    assert packet.protocol == wire_frame.UDP
    assert wire_frame.datagram(packet) == wire_frame.Datagram(
        mac=bytes.fromhex("a4b1c1000001"), source=packed(source), port=5353, payload=b"payload"
    )


@pytest.mark.parametrize("changes", [{"flags": "MF"}, {"frag": 3}])
def test_a_fragment_is_no_packet(changes):
    assert wire_frame.packet(frame(**changes)) is None


@pytest.mark.parametrize("changes", [{"len": 19}, {"len": 90}, {"ihl": 4}, {"version": 5}])
def test_lengths_that_cannot_be_are_refused(changes):
    assert outcome(wire_frame.packet, frame(**changes)) is Failure.MALFORMED


@pytest.mark.parametrize("changes", [{"plen": 90}, {"version": 4}, {"src": "ff02::1"}])
def test_so_they_are_in_ipv6(changes):
    assert outcome(wire_frame.packet, frame6(**changes)) is Failure.MALFORMED


@pytest.mark.parametrize("size", [7, 9, 200])
def test_a_datagram_of_another_length_than_its_packet_is_cut_or_refused(size):
    cut = bytearray(frame())
    cut[38:40] = size.to_bytes(2, "big")
    found = outcome(wire_frame.datagram, wire_frame.packet(bytes(cut)))
    assert found is Failure.MALFORMED if size != 9 else found.payload == b"p"


def test_what_is_neither_ipv4_nor_ipv6_is_no_packet():
    assert wire_frame.packet(b"") is None
    assert wire_frame.packet(bytes(60)) is None


@pytest.mark.parametrize(("tags", "vlan"), [((), None), ((20,), 20), ((0,), 0), ((300, 20), 300)])
def test_tags_are_taken_off_and_the_outermost_is_told(tags, vlan):
    plain = frame()
    tagged = plain[:12] + b"".join(b"\x81\x00" + (0x6000 | tag).to_bytes(2, "big") for tag in tags) + plain[12:]
    assert wire_frame.untagged(tagged) == (plain, vlan)
