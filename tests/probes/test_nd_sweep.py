import socket
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.authority import Refused
from netready.instrument import Capability
from netready.site import Site
from probes import nd_ask, nd_sweep, segment, wire_icmp, wire_nd, wire_netlink

HERE = Path(__file__).parent
MAC, OTHER = bytes.fromhex("02aabbccdd01"), bytes.fromhex("00005e005301")
OWN, HOST = IPv6Address("fe80::1"), IPv6Address("fe80::2")
TOKEN = bytes(range(16))
LINK = segment.Link(
    name="eth0",
    mac=MAC,
    addresses=(IPv4Interface("10.66.0.1/24"), IPv6Interface("fe80::1/64"), IPv6Interface("fd66::1/64")),
)


def fresh():
    return nd_ask.Sweep(link=LINK, own=nd_ask.sources(LINK), here=nd_ask.networks(LINK), token=TOKEN)


@pytest.fixture(scope="module")
def swept(unshared):
    return unshared(HERE / "sweep_networks.py", "nd")


@pytest.mark.namespaces
def test_a_host_that_answers_the_multicast_is_found_under_each_of_its_addresses(swept):
    macs = {each["address"]: each["mac"] for each in swept if each.get("source") == "nd"}
    link_local = [address for address, mac in macs.items() if mac == macs["fd66::10"] and address.startswith("fe80:")]
    assert len(link_local) == 1


@pytest.mark.namespaces
def test_a_host_that_answers_no_multicast_is_found_when_the_kernel_knows_it(swept):
    assert [each["facts"] for each in swept if each.get("address") == "fd66::11"] == [{"interface": "br0"}]
    count = next(each for each in swept if each.get("metric") == "nd_hosts")
    assert count["details"]["asked_alone"] >= 1


@pytest.mark.namespaces
def test_a_router_is_one_that_advertises_itself_for_others(swept):
    routers = {each["address"]: each["mac"] for each in swept if each.get("facts", {}).get("router") == "yes"}
    assert routers == {"fe80::a": "aa:bb:cc:00:00:01"}


@pytest.mark.namespaces
def test_strangers_wrong_answers_and_other_vlans_are_not_counted(swept):
    assert not {each["mac"] for each in swept if each.get("source") == "nd"} & {"aa:bb:cc:00:00:03", "aa:bb:cc:00:00:04"}
    count = next(each for each in swept if each.get("metric") == "nd_hosts")
    assert (count["target"], count["value"]) == ("br0", 3)


@pytest.mark.namespaces
def test_what_was_sent_is_told(swept):
    sent, details = swept[-1], swept[-2]["details"]
    assert sent["protocol"] == "icmpv6"
    assert (sent["frames"], sent["bytes"]) == (details["packets_sent"], details["bytes_sent"])
    # One solicitation of 70 bytes, two tries from two addresses of 78, and 86 for each host that is asked alone.
    assert sent["bytes"] == 70 + 4 * 78 + 86 * (sent["frames"] - 5)


def test_a_strangers_network_is_refused_before_the_first_packet(context_for):
    with pytest.raises(Refused):
        next(nd_sweep.read(nd_sweep.Settings(networks=("192.0.2.0/24",)), context_for(networks=("10.66.0.0/24",))))


def test_only_interfaces_in_an_authorised_network_of_either_kind_are_asked():
    def asked(*networks):
        return nd_sweep.attached(nd_sweep.Settings(networks=networks), (LINK,))

    assert asked("10.66.0.0/16") == asked("fd66::/64") == (LINK,)
    assert asked("10.67.0.0/24", "fd67::/64") == ()


def test_it_needs_the_right_and_a_network():
    assert nd_sweep.INSTRUMENT.needs == {Capability.RAW_SOCKET}
    site = Site(name="S", students=1, staff=1, classrooms=1, networks=("10.66.0.0/24", "fd00::/64"))
    assert nd_sweep.fit(nd_sweep.Settings(), site).networks == ("10.66.0.0/24", "fd00::/64")
    assert nd_sweep.INSTRUMENT.missing(nd_sweep.Settings())


def test_an_address_of_dhcpv6_without_a_network_is_taken_to_be_in_one_of_64_bits():
    link = segment.Link(name="eth0", mac=MAC, addresses=(IPv6Interface("fd66::1234/128"),))
    assert [str(each) for each in nd_ask.networks(link)] == ["fd66::/64"]
    assert nd_ask.sources(link) == (), "without a link-local address nothing can be asked"


def test_questions_are_what_scapy_reads():
    from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6ND_RS, ICMPv6NDOptSrcLLAddr, IPv6
    from scapy.layers.l2 import Ether

    def read(frame):
        """The frame, after scapy has reckoned its checksum anew."""
        again = Ether(frame)
        del again[IPv6].payload.cksum
        assert bytes(Ether(bytes(again))) == frame
        return Ether(frame)

    everybody = read(wire_nd.echo_everybody(MAC, OWN, 7, 2, TOKEN))
    assert (everybody.dst, everybody[IPv6].dst, everybody[ICMPv6EchoRequest].data) == ("33:33:00:00:00:01", "ff02::1", TOKEN)
    routers = read(wire_nd.ask_routers(MAC, OWN))
    assert (routers.dst, routers[IPv6].hlim, routers[ICMPv6ND_RS].type) == ("33:33:00:00:00:02", 255, 133)
    alone = read(wire_nd.ask_neighbour(MAC, OWN, OTHER, HOST))
    assert (alone.dst, alone[ICMPv6ND_NS].tgt) == ("00:00:5e:00:53:01", "fe80::2")
    assert alone[ICMPv6NDOptSrcLLAddr].lladdr == "02:aa:bb:cc:dd:01"


def test_a_host_that_looks_for_us_is_there_even_when_its_answer_gets_lost():
    sweep = fresh()
    nd_ask.take(sweep, wire_nd.ask_neighbour(OTHER, HOST, MAC, OWN))
    nd_ask.take(sweep, wire_nd.ask_neighbour(OTHER, IPv6Address("fe80::3"), MAC, IPv6Address("fe80::9")))
    assert sweep.found == {HOST: [OTHER]}


def test_a_flood_of_addresses_and_of_hardware_addresses_is_bounded():
    sweep = fresh()
    for number in range(nd_ask.MOST_ADDRESSES + 50):
        nd_ask.take(sweep, wire_nd.ask_neighbour(OTHER, IPv6Address(int(HOST) + number), MAC, OWN))
    assert len(sweep.found) == nd_ask.MOST_ADDRESSES
    for number in range(50):
        nd_ask.take(sweep, wire_nd.ask_neighbour(OTHER[:5] + bytes([number]), HOST, MAC, OWN))
    assert len(sweep.found[HOST]) == nd_ask.MOST_MACS


HEADERS = wire_nd.HEADER.pack(MAC, OTHER, 0x86DD, 6 << 28, 40, 58, 255, HOST.packed, OWN.packed)


@given(st.one_of(st.binary(max_size=120), st.binary(min_size=40, max_size=40).map(lambda body: HEADERS + body)))
def test_whatever_comes_only_addresses_of_the_segment_are_noted(frame):
    sweep = fresh()
    sweep.known = {HOST: OTHER}
    nd_ask.take(sweep, frame)
    assert all(any(address in network for network in sweep.here) for address in sweep.found)
    assert not set(sweep.found) & set(sweep.own)


def test_an_echo_reply_counts_only_with_our_own_words_in_it():
    sweep = fresh()
    for token, host in ((TOKEN, 2), (bytes(16), 3)):
        body = wire_icmp.HEADER.pack(129, 0, 0, 7, 0) + token
        source = IPv6Address(f"fe80::{host}")
        head = wire_nd.HEADER.pack(MAC, OTHER, 0x86DD, 6 << 28, len(body), 58, 64, source.packed, OWN.packed)
        nd_ask.take(sweep, head + body)
    assert list(sweep.found) == [HOST]


@given(st.binary(max_size=200), st.integers(0, 3))
def test_a_kernels_answer_of_any_shape_is_read_to_its_end(data, sequence):
    found, last = wire_netlink.neighbours(data, sequence)
    assert isinstance(last, bool)
    assert len(found) <= len(data) // wire_netlink.HEAD.size


@given(st.binary(max_size=120), st.integers(0, 160))
def test_a_neighbour_of_rubbish_is_left_out_or_has_both_addresses(rubbish, length):
    head = wire_netlink.HEAD.pack(length, wire_netlink.NEW_NEIGHBOUR, 0, 9, 0)
    known = wire_netlink.NEIGHBOUR.pack(wire_netlink.AF_INET6, 2, wire_netlink.KNOWN, 0, 0)
    found, _ = wire_netlink.neighbours(head + known + rubbish, 9)
    assert all(len(each.mac) == 6 and isinstance(each.address, IPv6Address) for each in found)


def test_the_kernels_own_list_is_read_to_its_end():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.send(wire_netlink.request(9))
        last = False
        while not last:
            found, last = wire_netlink.neighbours(sock.recv(1 << 18), 9)
            assert all(len(each.mac) == 6 for each in found)
