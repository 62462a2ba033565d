"""What neighbours say on the segment itself: ARP, neighbour discovery, LLDP and CDP. Scapy makes what must be read."""

from ipaddress import ip_address

import pytest

from collectors import wire_arp, wire_cdp, wire_frame, wire_lldp, wire_nd
from netready.failure import Failed, Failure

MAC = bytes.fromhex("a4b1c1000001")
TEXT = "a4:b1:c1:00:00:01"


def packed(text):
    return ip_address(text).packed


def outcome(parser, data):
    try:
        return parser(data)
    except Failed as failed:
        return failed.failure


# --- ARP ---------------------------------------------------------------------------------------------------------------


def arp(**fields):
    from scapy.layers.l2 import ARP, Ether

    return bytes(Ether(src="02:00:00:00:00:99", dst="ff:ff:ff:ff:ff:ff") / ARP(hwsrc=TEXT, **fields))


@pytest.mark.parametrize("operation", [1, 2])
def test_question_and_answer_both_claim_the_senders_address(operation):
    said = wire_arp.claim(arp(op=operation, psrc="10.66.0.9", pdst="10.66.0.1"))
    assert said == wire_arp.Claim(mac=MAC, address=packed("10.66.0.9"), settled=True)


def test_a_probe_claims_nothing_yet():
    said = wire_arp.claim(arp(op=1, psrc="0.0.0.0", pdst="10.66.0.9"))
    assert said == wire_arp.Claim(mac=MAC, address=packed("10.66.0.9"), settled=False)


@pytest.mark.parametrize("fields", [{"op": 3}, {"hwtype": 6}, {"ptype": 0x86DD}, {"hwlen": 8}, {"op": 2, "psrc": "0.0.0.0"}])
def test_other_arp_is_refused(fields):
    assert outcome(wire_arp.claim, arp(**({"psrc": "10.66.0.9"} | fields))) is Failure.MALFORMED


@pytest.mark.parametrize("mac", ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"])
def test_a_sender_that_no_host_can_be_is_refused(mac):
    from scapy.layers.l2 import ARP, Ether

    assert outcome(wire_arp.claim, bytes(Ether(dst=TEXT) / ARP(hwsrc=mac, psrc="10.66.0.9"))) is Failure.MALFORMED


# --- Neighbour discovery -----------------------------------------------------------------------------------------------


def nd(message, *, source="fe80::9", hops=255):
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Ether

    return wire_frame.packet(
        bytes(Ether(src=TEXT, dst="33:33:00:00:00:01") / IPv6(src=source, dst="ff02::1", hlim=hops) / message)
    )


def option(mac=TEXT, *, target=False):
    from scapy.layers.inet6 import ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr

    return ICMPv6NDOptDstLLAddr(lladdr=mac) if target else ICMPv6NDOptSrcLLAddr(lladdr=mac)


def test_who_asks_for_a_neighbour_says_who_it_is_itself():
    from scapy.layers.inet6 import ICMPv6ND_NS

    said = wire_nd.neighbour(nd(ICMPv6ND_NS(tgt="fe80::1") / option("02:00:00:00:00:07")))
    assert said == wire_nd.Neighbour(mac=bytes.fromhex("020000000007"), address=packed("fe80::9"))


def test_who_asks_whether_an_address_is_free_does_not_have_it_yet():
    from scapy.layers.inet6 import ICMPv6ND_NS

    said = wire_nd.neighbour(nd(ICMPv6ND_NS(tgt="fd66::9"), source="::"))
    assert said == wire_nd.Neighbour(mac=MAC, address=packed("fd66::9"), settled=False)


@pytest.mark.parametrize("router", [False, True])
def test_an_answer_tells_whose_the_address_is(router):
    from scapy.layers.inet6 import ICMPv6ND_NA

    said = wire_nd.neighbour(nd(ICMPv6ND_NA(tgt="fd66::9", R=router) / option(target=True)))
    assert said == wire_nd.Neighbour(mac=MAC, address=packed("fd66::9"), router=router)


@pytest.mark.parametrize(("lifetime", "router"), [(1800, True), (0, False)])
def test_who_advertises_only_a_way_to_its_own_gadgets_is_no_router(lifetime, router):
    from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptMTU

    said = wire_nd.neighbour(nd(ICMPv6ND_RA(routerlifetime=lifetime) / ICMPv6NDOptMTU() / option()))
    assert said == wire_nd.Neighbour(mac=MAC, address=packed("fe80::9"), router=router)


def test_a_host_without_an_address_looks_for_routers():
    from scapy.layers.inet6 import ICMPv6ND_RS

    assert wire_nd.neighbour(nd(ICMPv6ND_RS(), source="::")) == wire_nd.Neighbour(mac=MAC, address=b"")


def test_other_icmpv6_says_nothing():
    from scapy.layers.inet6 import ICMPv6EchoRequest

    assert wire_nd.neighbour(nd(ICMPv6EchoRequest())) is None


def test_what_came_through_a_router_is_no_neighbours_word():
    from scapy.layers.inet6 import ICMPv6ND_NA

    assert outcome(wire_nd.neighbour, nd(ICMPv6ND_NA(tgt="fd66::9"), hops=254)) is Failure.MALFORMED


def test_neighbours_that_cannot_be_are_refused():
    from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA

    for packet in (
        nd(ICMPv6ND_NA(tgt="ff02::1")),
        nd(ICMPv6ND_NA(tgt="::")),
        nd(ICMPv6ND_NA(tgt="fd66::9", code=1)),
        nd(ICMPv6ND_RA(), source="::"),
        nd(ICMPv6ND_NS(tgt="fe80::1") / option("ff:ff:ff:ff:ff:ff")),
        nd(ICMPv6ND_NS(tgt="fe80::1") / b"\x01\x00\x00\x00\x00\x00\x00\x00"),
        nd(ICMPv6ND_NS(tgt="fe80::1") / b"\x01\x02\x00\x00\x00\x00\x00\x00"),
    ):
        assert outcome(wire_nd.neighbour, packet) is Failure.MALFORMED


# --- LLDP --------------------------------------------------------------------------------------------------------------


def field(kind, value):
    return (kind << 9 | len(value)).to_bytes(2, "big") + value


MUST = (field(1, b"\x04" + MAC), field(2, b"\x05Gi1/0/7"), field(3, b"\x00\x78"))


def lldp(*more, must=MUST):
    return b"".join((*must, *more, b"\x00\x00")) + bytes(9)


def test_a_telephone_says_all_it_is():
    said = wire_lldp.neighbour(
        lldp(
            field(4, b"to the wall"),
            field(5, b"phone\x07-7"),
            field(6, b"IP telephone"),
            field(7, b"\x00\x24\x00\x24"),
            field(8, b"\x05\x01\x0a\x42\x00\x28\x02\x00\x00\x00\x01\x00"),
            field(127, b"\x00\x80\xc2\x01\x00\x14"),
            field(127, b"\x00\x12\xbb\x01\x00\x33\x03"),
            field(127, b"\x00\x12\xbb\x06fw"),
            field(127, b"\x00\x12\xbb\x07sw"),
            field(127, b"\x00\x12\xbb\x08SN1"),
            field(127, b"\x00\x12\xbb\x09Handset Works"),
            field(127, b"\x00\x12\xbb\x0aHW 52\x00"),
        )
    )
    assert said == wire_lldp.Neighbour(
        mac=MAC,
        address=packed("10.66.0.40"),
        port="Gi1/0/7",
        name="phone -7",
        description="IP telephone",
        capabilities=("bridge", "telephone"),
        vlan=20,
        med={"class": "3", "firmware": "fw", "software": "sw", "serial": "SN1", "maker": "Handset Works", "model": "HW 52"},
    )


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x01, ("other",)),
        (0x08, ("wlan-ap",)),
        (0x14, ("bridge", "router")),
        (0x80, ("station",)),
        (0x42, ("repeater", "docsis")),
        (0x700, ()),
    ],
)
def test_capabilities_are_those_that_are_enabled(bits, words):
    assert wire_lldp.neighbour(lldp(field(7, b"\xff\xff" + bits.to_bytes(2, "big")))).capabilities == words


def test_a_port_without_a_name_is_called_by_its_description_or_its_address():
    must = (MUST[0], field(2, b"\x03" + MAC), MUST[2])
    assert wire_lldp.neighbour(lldp(field(4, b"port 7"), must=must)).port == "port 7"
    assert wire_lldp.neighbour(lldp(must=must)).port == TEXT


def test_a_chassis_may_be_named_by_an_address_or_by_a_name():
    said = wire_lldp.neighbour(lldp(must=(field(1, b"\x05\x02" + packed("fd66::7")), *MUST[1:])))
    assert (said.mac, said.address) == (b"", packed("fd66::7"))
    assert wire_lldp.neighbour(lldp(must=(field(1, b"\x07core"), *MUST[1:]))).mac == b""
    assert wire_lldp.neighbour(lldp(must=(field(1, b"\x04" + b"\xff" * 6), *MUST[1:]))).mac == b""


def test_one_that_takes_its_leave_is_no_neighbour():
    assert wire_lldp.neighbour(lldp(must=(*MUST[:2], field(3, b"\x00\x00")))) is None


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_neighbour_that_leaves_out_what_it_must_say_is_refused(number):
    assert outcome(wire_lldp.neighbour, lldp(must=MUST[:number] + MUST[number + 1 :])) is Failure.MALFORMED


@pytest.mark.parametrize("tail", [b"\x0a\x09short", field(127, b"\x00\x12\xbb")])
def test_a_field_that_runs_past_the_end_is_refused(tail):
    assert outcome(wire_lldp.neighbour, b"".join(MUST) + tail) is Failure.MALFORMED


# --- CDP ---------------------------------------------------------------------------------------------------------------


def cdp(*fields, ttl=180, version=2):
    message = bytes([version, ttl, 0, 0]) + b"".join(
        kind.to_bytes(2, "big") + (len(value) + 4).to_bytes(2, "big") + value for kind, value in fields
    )
    inside = b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + message
    return b"\x01\x00\x0c\xcc\xcc\xcc" + MAC + len(inside).to_bytes(2, "big") + inside + bytes(4)


def test_a_switch_says_all_it_is():
    frame = cdp(
        (1, b"core-1.school.test"),
        (2, b"\x00\x00\x00\x02\x01\x01\xcc\x00\x04\x0a\x42\x00\x02" + b"\x02\x08" + bytes(8) + b"\x00\x02xx"),
        (3, b"GigabitEthernet1/0/7"),
        (4, b"\x00\x00\x00\x29"),
        (5, b"Cisco IOS\nVersion 15.2"),
        (6, b"cisco WS-C2960X-48FPS-L"),
        (10, b"\x00\x14"),
        (22, b"\x00\x00\x00\x01\x02\x08\xaa\xaa\x03\x00\x00\x00\x86\xdd\x00\x10" + packed("fd66::2")),
    )
    assert wire_cdp.is_cdp(frame)
    assert wire_cdp.neighbour(frame) == wire_cdp.Neighbour(
        name="core-1.school.test",
        addresses=(packed("fd66::2"), packed("10.66.0.2")),
        port="GigabitEthernet1/0/7",
        capabilities=("router", "bridge"),
        software="Cisco IOS Version 15.2",
        platform="cisco WS-C2960X-48FPS-L",
        vlan=20,
    )


def test_a_telephone_with_a_socket_is_both():
    assert wire_cdp.neighbour(cdp((1, b"SEP1"), (4, b"\x00\x00\x04\x94"))).capabilities == ("bridge", "host", "telephone")


def test_other_802_3_is_not_cdp():
    assert not wire_cdp.is_cdp(b"\x01\x80\xc2\x00\x00\x00" + MAC + b"\x00\x26\x42\x42\x03" + bytes(35))
    assert not wire_cdp.is_cdp(cdp((1, b"x"))[:16])


def test_one_that_takes_its_leave_by_cdp_is_no_neighbour():
    assert wire_cdp.neighbour(cdp((1, b"core-1"), ttl=0)) is None


@pytest.mark.parametrize(
    "frame",
    [
        cdp((3, b"Gi1/0/7")),
        cdp((1, b"core-1"), version=9),
        cdp((1, b"core-1"))[:-9],
        cdp((1, b"core-1"), (2, b"\x00\x00\x00\x01\x01\x01\xcc\x00\x09\x0a")),
        cdp((1, b"core-1"), (22, b"\x00\x00\x00\x03\x01")),
        cdp((1, b"core-1")).replace(b"\x00\x01\x00\x0a", b"\x00\x01\x00\x03"),
        cdp((1, b"core-1")).replace(b"\x00\x01\x00\x0a", b"\x00\x01\x00\x0b"),
    ],
)
def test_cdp_that_cannot_be_is_refused(frame):
    assert outcome(wire_cdp.neighbour, frame) is Failure.MALFORMED
