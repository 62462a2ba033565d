"""Rubbish of every kind: what cannot be read is refused in one way, and what is read is bounded and clean.

Good frames to spoil are those of the real programs in `captures`.
"""

import unicodedata
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import pcap, wire_arp, wire_cdp, wire_dhcp, wire_dhcp6, wire_frame, wire_lldp, wire_mdns, wire_nd, wire_ssdp
from collectors.hearing import Hearing
from collectors.wire_frame import Packet
from collectors.wire_scapy import Others
from netready.authority import Authority
from netready.failure import Failed, Failure

CAPTURES = Path(__file__).parent / "captures"
AUTHORITY = Authority(networks=(ip_network("10.66.0.0/16"), ip_network("fd66::/64")))


def neighbour6(payload):
    return wire_nd.neighbour(Packet(mac=b"\x02" + bytes(5), source=bytes(16), protocol=58, hops=255, payload=payload))


def datagram(payload):
    return wire_frame.datagram(Packet(mac=b"\x02" + bytes(5), source=bytes(4), protocol=17, hops=64, payload=payload))


def cdp(payload):
    size = (8 + len(payload)).to_bytes(2, "big")
    return wire_cdp.neighbour(bytes(12) + size + b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + payload)


PARSERS = (
    wire_arp.claim,
    wire_dhcp.client,
    wire_dhcp.server,
    wire_dhcp6.client,
    datagram,
    wire_cdp.is_cdp,
    wire_frame.packet,
    wire_frame.untagged,
    wire_lldp.neighbour,
    wire_mdns.announcement,
    wire_ssdp.notice,
    neighbour6,
    cdp,
)
# What makes the first bytes right, so that rubbish gets further in.
OPENINGS = (
    b"",
    b"\x01\x01\x06\x00" + bytes(24) + b"\x02" + bytes(207) + b"\x63\x82\x53\x63",
    b"\x02\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63\x35\x01\x02",
    b"\x00\x00\x84\x00\x00\x03\x00\x40\x00\x00\x00\x00",
    b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n",
    b"\x02\x07\x04\x02\x00\x00\x00\x00\x01\x04\x02\x05\x01\x06\x02\x00\x78",
    b"\x02\x78\x00\x00\x00\x01\x00\x05x",
    b"\x01\x00\x00\x07",
    b"\x86" + bytes(15),
    b"\x88" + bytes(7) + b"\xfd" + bytes(15),
    bytes(12) + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01",
    bytes(12) + b"\x08\x00\x45\x00",
    bytes(12) + b"\x86\xdd\x60",
)


def real_frames():
    for path in sorted(CAPTURES.glob("*.pcap*")):
        with path.open("rb") as file:
            yield from (each.frame for each in pcap.frames(file, pcap.Account(), most_bytes=1 << 20, began=0.0))


REAL = tuple(dict.fromkeys(real_frames()))


def outcome(parser, data):
    try:
        parser(data)
    except Failed as failed:
        return failed.failure
    return "read"


def heard(*frames, others=False):
    hearing = Hearing(AUTHORITY, others=others)
    for frame in frames:
        hearing.hear(frame, "eth0", 1e9)
    return list(hearing.sightings())


def assert_tidy(sightings):
    for each in sightings:
        for text in (each.name or "", *each.facts.values(), each.address or "", each.mac or ""):
            assert len(text) <= 32 * 129
            assert not {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert each.at == datetime.fromtimestamp(1e9, UTC)


@given(st.sampled_from(PARSERS), st.sampled_from(OPENINGS), st.binary(max_size=400))
def test_rubbish_is_read_or_refused_in_one_way(parser, opening, rubbish):
    assert outcome(parser, opening + rubbish) in {"read", Failure.MALFORMED}


@st.composite
def spoiled(draw):
    """A real frame with bytes changed, cut out, put in, or its end cut off."""
    frame = bytearray(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(frame) - 1, 0)))
        match draw(st.integers(0, 3)):
            case 0:
                frame[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                del frame[at : at + draw(st.integers(1, 8))]
            case 2:
                frame[at:at] = draw(st.binary(max_size=8))
            case _:
                del frame[at:]
    return bytes(frame)


@given(spoiled())
def test_a_real_frame_that_was_spoiled_breaks_nothing(frame):
    assert_tidy(heard(frame))


@given(spoiled())
def test_so_it_does_in_front_of_scapy(frame):
    assert_tidy(heard(frame, others=True))


@given(st.binary(max_size=300))
def test_rubbish_is_not_heard(frame):
    assert not heard(frame)


@given(st.sampled_from([b"\x42\x42\x03", b"\xaa\xaa\x03\x00\x00\x0c\x20\x00"]), st.binary(max_size=120))
def test_rubbish_behind_a_link_header_breaks_nothing(opening, rubbish):
    size = (len(opening) + len(rubbish)).to_bytes(2, "big")
    assert_tidy(heard(b"\x01\x80\xc2\x00\x00\x00" + b"\x02\x00\x00\x00\x00\x01" + size + opening + rubbish, others=True))


HOSTILE = (
    b"<script>alert(1)</script>",
    b'"><img src=x onerror=alert(1)>',
    b"\x1b[2J\x1b]0;pwned\x07",
    b"line\r\nSet-Cookie: a=b",
    b"\xed\xa0\x80\xed\xb0\x80",  # surrogates in UTF-8's clothes
    b"\xff\xfe\x00\xd8",
    "\u202egnp.exe\u200b".encode(),
    b"=HYPERLINK(1)",
    b"%s%n" * 8,
    b"\x00" * 16,
    b"A" * 250,
)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_names_come_out_clean_and_short(words):
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    def field(kind, value):
        return (kind << 9 | len(value)).to_bytes(2, "big") + value

    options = [("hostname", words), ("vendor_class_id", words), "end"]
    dhcp = Ether(src="02:00:00:00:00:01") / IP(src="0.0.0.0") / UDP(sport=68, dport=67) / BOOTP(chaddr=b"\x02" + bytes(5))
    ssdp = b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nNT: " + words + b"\r\nSERVER: " + words + b"\r\n\r\n"
    lldp = field(1, b"\x07" + words) + field(2, b"\x05" + words) + field(3, b"\x00\x78") + field(5, words) + field(6, words)
    found = heard(
        bytes(dhcp / DHCP(options=options)),
        bytes(Ether(src="02:00:00:00:00:02") / IP(src="10.66.0.2") / UDP(dport=1900) / ssdp),
        b"\x01\x80\xc2\x00\x00\x0e\x02\x00\x00\x00\x00\x03\x88\xcc" + lldp,
    )
    assert {each.source for each in found} == {"dhcp", "ssdp", "lldp"}
    assert_tidy(found)
    assert all(len(text) <= 255 for each in found for text in (each.name or "", *each.facts.values()))


def test_a_datagram_of_64_kilobytes_of_names_is_bounded():
    text = b"\xff" + b"n" * 255
    labels = b"\x04name\x05local\x00"
    record = labels + b"\x00\x10\x80\x01\x00\x00\x00\x78" + (len(text) * 3).to_bytes(2, "big") + text * 3
    payload = b"\x00\x00\x84\x00\x00\x00\xff\xff\x00\x00\x00\x00" + record * 80
    payload = payload[:65_000]
    udp = b"\x14\xe9\x14\xe9" + (len(payload) + 8).to_bytes(2, "big") + b"\x00\x00" + payload
    ip = b"\x45\x00" + (20 + len(udp)).to_bytes(2, "big") + bytes(5) + b"\x11\x00\x00\x0a\x42\x00\x09\xe0\x00\x00\xfb"
    assert_tidy(heard(bytes(6) + b"\x02\x00\x00\x00\x00\x01\x08\x00" + ip + udp))


def test_scapy_is_handed_no_more_than_so_many_frames(monkeypatch):
    from collectors import wire_scapy

    monkeypatch.setattr(wire_scapy, "MOST_DECODED", 2)
    bridge = next(frame for frame in REAL if frame[14:17] == b"\x42\x42\x03")
    others = Others()
    assert [others.decode(bridge) is None for _ in range(4)] == [False, False, True, True]
    assert others.left_out == 2
