"""The four formats that devices announce themselves in: scapy makes what must be read, hypothesis what must be refused."""

import struct
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import wire_dhcp, wire_frame, wire_mdns, wire_ssdp
from netready.failure import Failed, Failure

# --- DHCP --------------------------------------------------------------------------------------------------------------


def request(options, *, ciaddr="0.0.0.0", op=1):
    from scapy.layers.dhcp import BOOTP, DHCP

    return bytes(BOOTP(op=op, chaddr=bytes.fromhex("a4b1c1000001"), ciaddr=ciaddr) / DHCP(options=[*options, "end"]))


def test_a_clients_words_are_read():
    payload = request(
        [
            ("message-type", "request"),
            ("requested_addr", "10.66.0.50"),
            ("hostname", b"chrome\x1bbook-12"),
            ("vendor_class_id", b"MSFT 5.0"),
            ("param_req_list", [1, 3, 6, 15]),
        ]
    )
    assert wire_dhcp.client(payload) == wire_dhcp.Client(
        mac="a4:b1:c1:00:00:01",
        address="10.66.0.50",
        name="chrome book-12",
        vendor_class="MSFT 5.0",
        parameters=(1, 3, 6, 15),
    )


def test_the_address_a_client_has_counts_more_than_the_one_it_wants():
    assert wire_dhcp.client(request([("requested_addr", "10.66.0.50")], ciaddr="10.66.0.7")).address == "10.66.0.7"
    assert wire_dhcp.client(request([])).address is None


def test_a_server_is_not_a_client():
    assert wire_dhcp.client(request([("message-type", "offer")], op=2)) is None


def test_parts_of_a_long_option_are_joined_and_padding_is_skipped():
    assert wire_dhcp.client(request(["pad", ("hostname", b"chrome"), "pad", ("hostname", b"book")])).name == "chromebook"


@pytest.mark.parametrize("cut", [0, 100, 239])
def test_a_short_message_is_refused(cut):
    assert outcome(wire_dhcp.client, request([])[:cut]) is Failure.MALFORMED


def test_an_option_past_the_end_is_refused():
    assert outcome(wire_dhcp.client, request([])[:-1] + b"\x0c\xff" + b"x") is Failure.MALFORMED


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
            rrname="Office LaserJet._ipp._tcp.local.", type="TXT", rclass=0x8001, ttl=4500, rdata=[b"ty=HP 400", b"note=Room 7"]
        ),
        DNSRR(rrname="npi12ab.local.", type="A", rclass=0x8001, ttl=120, rdata="10.66.0.20"),
        DNSRR(rrname="_services._dns-sd._udp.local.", type="PTR", ttl=4500, rdata="_ipp._tcp.local."),
        DNSRR(rrname="_scanner._tcp.local.", type="PTR", ttl=0, rdata="gone._scanner._tcp.local."),
    ]


def test_an_announcement_is_read():
    assert wire_mdns.announcement(mdns(printer())) == wire_mdns.Announcement(
        types=("_ipp._tcp",), name="npi12ab", addresses=("10.66.0.20",), model="HP 400", place="Room 7"
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


def test_searches_and_farewells_say_nothing():
    assert wire_ssdp.notice(b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n") is None
    assert wire_ssdp.notice(ALIVE.replace(b"alive", b"byebye")) is None


# --- Frames ------------------------------------------------------------------------------------------------------------


def frame(**changes):
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    ip = {"src": "10.66.0.20", "dst": "224.0.0.251"} | changes
    return bytes(Ether(src="a4:b1:c1:00:00:01", dst="01:00:5e:00:00:fb") / IP(**ip) / UDP(sport=5353, dport=5353) / b"payload")


def test_a_datagram_is_taken_out_of_its_frame():
    assert wire_frame.datagram(frame() + b"\x00" * 8) == wire_frame.Datagram(
        mac="a4:b1:c1:00:00:01", source=IPv4Address("10.66.0.20"), port=5353, payload=b"payload"
    )


@pytest.mark.parametrize("changes", [{"flags": "MF"}, {"frag": 3}, {"proto": 6}, {"len": 24}, {"ihl": 4}])
def test_what_is_no_whole_udp_datagram_is_refused(changes):
    assert outcome(wire_frame.datagram, frame(**changes)) is Failure.MALFORMED


# --- Rubbish -----------------------------------------------------------------------------------------------------------

PARSERS = (wire_dhcp.client, wire_mdns.announcement, wire_ssdp.notice, wire_frame.datagram)


def outcome(parser, data):
    try:
        parser(data)
    except Failed as failed:
        return failed.failure
    return "read"


@given(st.sampled_from(PARSERS), st.binary(max_size=400))
def test_rubbish_is_read_or_refused_in_one_way(parser, data):
    assert outcome(parser, data) in {"read", Failure.MALFORMED}


@given(st.binary(max_size=200), st.integers(0, 9), st.integers(0, 300))
def test_rubbish_behind_a_good_mdns_header(rubbish, questions, answers):
    header = struct.pack("!HHHHHH", 0, 0x8400, questions, answers, 0, 0)
    assert outcome(wire_mdns.announcement, header + rubbish) in {"read", Failure.MALFORMED}


@given(st.data())
def test_good_messages_with_bytes_changed(data):
    parser, good = data.draw(st.sampled_from(GOOD))
    message = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(parser, bytes(message)) in {"read", Failure.MALFORMED}


GOOD = (
    (wire_dhcp.client, request([("hostname", b"x"), ("param_req_list", [1, 3])])),
    (wire_mdns.announcement, mdns(printer())),
    (wire_ssdp.notice, ALIVE),
    (wire_frame.datagram, frame()),
)
