import errno
import struct
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.authority import Refused
from netready.failure import Failure
from netready.instrument import Capability
from netready.measurement import Measurement
from netready.site import Site
from probes import icmp_ask, icmp_sweep, wire_icmp
from probes.icmp_ask import Sweep
from probes.tries import Account

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 2, tzinfo=UTC)
TOKEN = bytes(range(16))
IDENTIFIER = 77


def number(text):
    return int(IPv4Address(text))


def asked(*addresses):
    return Sweep(own=frozenset({"10.80.0.1"}), asked={number(each) for each in addresses}, account=Account())


def error(teller, kind, code, origin=2):
    """As the kernel hands it over: struct sock_extended_err, then who said it as struct sockaddr_in."""
    return struct.pack("=IBBBBII", 113, origin, kind, code, 0, 0, 0) + struct.pack("=HH4s8x", 2, 0, IPv4Address(teller).packed)


def question(address, identifier=IDENTIFIER):
    return wire_icmp.request(4, identifier, number(address) & 0xFFFF, TOKEN)


def answer(address):
    return wire_icmp.HEADER.pack(0, 0, 0, 1, number(address) & 0xFFFF) + TOKEN


def task(network, *attached, limit=None):
    return icmp_sweep.Task(
        network=ip_network(network),
        parts=(ip_network(network),),
        attached=tuple(ip_network(each) for each in attached),
        limit=limit,
    )


@pytest.fixture(scope="module")
def swept(unshared):
    return unshared(HERE / "sweep_networks.py", "icmp", timeout=40)


def count_of(readings, target):
    return next(each for each in readings if each.get("metric") == "icmp_hosts" and each["target"] == target)


@pytest.mark.namespaces
def test_hosts_behind_a_router_are_found_with_the_ttl_of_their_reply(swept):
    ttls = {each["address"]: each["facts"]["ttl"] for each in swept["with"] if "ttl" in each.get("facts", {})}
    assert ttls == {"10.80.0.17": "64", "10.81.0.1": "64", **{f"10.81.0.{host}": "63" for host in range(2, 32)}}
    count = count_of(swept["with"], "10.81.0.0/26")
    assert count["value"] == 31
    assert count["details"]["asked"] == [62, 31], "never the network's first and last address, and nobody twice who answered"
    sent = {"protocol": "icmp", "frames": 93, "bytes": 93 * 60, "estimated": True}
    assert sent in swept["with"]


@pytest.mark.namespaces
def test_a_network_that_routers_bar_is_unreachable_and_not_empty(swept):
    for way in ("with", "without"):
        count = count_of(swept[way], "10.82.0.0/28")
        assert (count["value"], count["failure"]) == (None, "unreachable")
        assert "10.80.0.14 says of the way there: prohibited" in count["details"]["reason"]
        assert count["details"]["errors"]["prohibited"] >= 1
        assert "10.80.0.14" in {each["address"] for each in swept[way] if each.get("facts") == {"router": "yes"}}


@pytest.mark.namespaces
def test_a_next_hop_that_does_not_answer_is_told(swept):
    count = count_of(swept["with"], "10.84.0.0/28")
    assert count["failure"] == "unreachable"
    assert "next hop" in count["details"]["reason"]


@pytest.mark.namespaces
def test_what_this_machine_is_attached_to_is_left_to_the_arp_sweep(swept):
    whole, part = count_of(swept["with"], "10.80.0.0/28"), count_of(swept["with"], "10.80.0.0/27")
    assert whole["failure"] == "not-supported"
    assert "arp_sweep" in whole["details"]["reason"]
    assert part["details"]["left_to_arp_sweep"] == ["10.80.0.0/28"]
    assert part["details"]["asked"][0] == 15


@pytest.mark.namespaces
def test_without_the_right_to_send_frames_it_asks_there_too_and_says_how_many_the_kernel_can_hold(swept):
    count = count_of(swept["without"], "10.80.0.0/28")
    assert count["value"] == 1
    assert count["details"]["neighbour_table"] == 1024


def test_a_count_through_a_neighbour_table_that_is_too_small_says_so():
    sweep = asked("10.80.0.2")
    small, large = task("10.80.0.0/22", "10.80.0.0/22", limit=1024), task("10.80.0.0/20", "10.80.0.0/20", limit=1024)
    assert "limited_by" not in icmp_sweep.account(small, sweep)
    assert icmp_sweep.account(large, sweep)["limited_by"] == "neighbour-table"


@pytest.mark.parametrize("network", ["192.0.2.0/24", "10.80.0.0/16"])
def test_a_network_that_is_not_authorised_or_too_large_is_refused_before_the_first_packet(context_for, network):
    with pytest.raises(Refused):
        next(icmp_sweep.read(icmp_sweep.Settings(networks=("10.81.0.0/24", network)), context_for(networks=("10.80.0.0/12",))))


def test_it_needs_the_right_and_a_network_behind_a_router():
    assert icmp_sweep.INSTRUMENT.needs == {Capability.PING_SOCKET}
    site = Site(name="S", students=1, staff=1, classrooms=1, networks=("10.81.0.0/24", "fd00::/64"))
    settings = icmp_sweep.fit(icmp_sweep.Settings(), site)
    assert settings.networks == ("10.81.0.0/24",)
    assert icmp_sweep.missing(settings) is None
    assert "icmp_sweep.networks" in icmp_sweep.missing(icmp_sweep.Settings())


def test_what_is_left_of_a_network_without_those_that_are_attached():
    left = icmp_sweep.without(ip_network("10.80.0.0/22"), (ip_network("10.80.1.0/24"), ip_network("10.80.4.0/24")))
    assert set(left) == {ip_network("10.80.0.0/24"), ip_network("10.80.2.0/23")}
    assert icmp_sweep.without(ip_network("10.80.0.0/24"), (ip_network("10.80.0.0/16"),)) == ()


def test_a_reply_counts_for_the_address_that_was_asked_and_answered_itself():
    sweep = asked("10.81.0.7", "10.81.0.8")
    icmp_ask.take(sweep, answer("10.81.0.7"), TOKEN, "10.81.0.7", 63)
    icmp_ask.take(sweep, answer("10.81.0.8"), TOKEN, "10.81.0.1", 64)
    icmp_ask.take(sweep, answer("10.81.0.8"), bytes(16), "10.81.0.8", 64)
    icmp_ask.take(sweep, answer("10.99.0.8"), TOKEN, "10.99.0.8", 64)
    assert sweep.found == {number("10.81.0.7"): 63}
    assert sweep.strange == 2


def test_an_icmp_error_is_no_reply_unless_the_host_itself_sent_it():
    sweep = asked("10.81.0.7", "10.81.0.8", "10.81.0.9", "10.81.0.10")
    icmp_ask.complain(sweep, question("10.81.0.7"), IDENTIFIER, "10.81.0.7", error("10.81.0.7", 3, 10))
    icmp_ask.complain(sweep, question("10.81.0.8")[:8], IDENTIFIER, "10.81.0.8", error("10.81.0.1", 3, 13))
    icmp_ask.complain(sweep, question("10.81.0.9"), IDENTIFIER, "10.81.0.9", error("10.81.0.1", 3, 1))
    icmp_ask.complain(sweep, question("10.81.0.10"), IDENTIFIER, "10.81.0.10", error("10.80.0.1", 3, 1))
    assert sweep.found == {number("10.81.0.7"): None}
    assert sweep.errors == {"prohibited": 1, "host-unreachable": 1}
    assert sweep.barred == {number("10.81.0.8")}
    assert sweep.stuck == 1


@pytest.mark.parametrize(
    ("quoted", "about", "extended"),
    [
        (question("10.81.0.7", identifier=78), "10.81.0.7", error("10.81.0.1", 3, 13)),
        (question("10.81.0.7"), "10.81.0.8", error("10.81.0.1", 3, 13)),
        (question("10.99.0.7"), "10.99.0.7", error("10.81.0.1", 3, 13)),
        (answer("10.81.0.7"), "10.81.0.7", error("10.81.0.1", 3, 13)),
        (question("10.81.0.7"), "10.81.0.7", error("10.81.0.1", 3, 13, origin=1)),
    ],
)
def test_an_icmp_error_about_anything_else_is_dropped(quoted, about, extended):
    sweep = asked("10.81.0.7", "10.81.0.8")
    icmp_ask.complain(sweep, quoted, IDENTIFIER, about, extended)
    assert (sweep.errors, sweep.found, sweep.barred) == ({}, {}, set())


def test_routers_outside_the_authorised_networks_are_not_listed(context_for):
    sweep = asked("10.81.0.7")
    for teller in ("10.81.0.1", "192.0.2.9"):
        icmp_ask.complain(sweep, question("10.81.0.7"), IDENTIFIER, "10.81.0.7", error(teller, 3, 1))
    readings = list(icmp_sweep.emit("10.81.0.0/24", NOW, task("10.81.0.0/24"), sweep, context_for(networks=("10.81.0.0/24",))))
    assert [each.address for each in readings if not isinstance(each, Measurement)] == ["10.81.0.1"]


@given(st.binary(max_size=80), st.binary(max_size=40))
def test_rubbish_is_neither_a_reply_nor_an_error(packet, extended):
    sweep = asked("10.81.0.7")
    icmp_ask.take(sweep, packet, TOKEN, "10.81.0.7", None)
    icmp_ask.complain(sweep, packet, IDENTIFIER, "10.81.0.7", extended)
    assert not sweep.found
    assert not sweep.barred


@given(st.integers(0, 255), st.integers(0, 255))
def test_every_kind_of_icmp_error_has_a_word(kind, code):
    trouble = wire_icmp.trouble(error("10.81.0.1", kind, code))
    assert trouble is not None
    assert trouble.word in {"prohibited", "network-unreachable", "host-unreachable", "time-exceeded", "other"}


class Unwilling:
    """A socket whose sendings fail with some errors, one after the other, and then succeed."""

    def __init__(self, *errors) -> None:
        self.errors = list(errors)

    def sendto(self, *_):
        if self.errors:
            raise OSError(self.errors.pop(0), "scripted")

    def recvmsg(self, *_):
        raise BlockingIOError


@pytest.mark.parametrize(
    ("errors", "sent"),
    [
        ((), True),
        ((errno.EHOSTUNREACH, errno.EMSGSIZE), True),  # of earlier questions: they say nothing of this one
        ((errno.EPROTO,) * 3, False),
        ((errno.ENOBUFS,), False),
        ((errno.EAGAIN,), False),
    ],
)
def test_an_error_about_an_earlier_question_does_not_end_the_sweep(hand_clock, errors, sent):
    asking = icmp_ask._Asking(Unwilling(*errors), IDENTIFIER, TOKEN, asked(), hand_clock)
    assert asking.ask(number("10.81.0.7")) is sent


def test_a_way_out_that_is_closed_each_time_ends_it(hand_clock):
    asking = icmp_ask._Asking(Unwilling(*[errno.ENETUNREACH] * 3), IDENTIFIER, TOKEN, asked(), hand_clock)
    with pytest.raises(OSError, match="scripted"):
        asking.ask(number("10.81.0.7"))


def test_a_silent_network_is_an_empty_one_when_nobody_says_otherwise(context_for):
    sweep = asked("10.81.0.7")
    (count,) = icmp_sweep.emit("10.81.0.0/24", NOW, task("10.81.0.0/24"), sweep, context_for())
    assert (count.value, count.failure) == (0.0, None)
    sweep.stuck = 1
    (count,) = icmp_sweep.emit("10.81.0.0/24", NOW, task("10.81.0.0/24"), sweep, context_for())
    assert count.failure is Failure.UNREACHABLE
