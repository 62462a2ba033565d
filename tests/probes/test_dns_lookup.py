import socket
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.authority import Refused
from netready.failure import Failed, Failure
from netready.site import Endpoint, Site
from probes import dns_lookup, wire_dns

NAME = "lms.school.test"


def scapy_answer(query, *, rcode=0, truncated=0, addresses=("192.0.2.80",), ad=0):
    """A resolver's answer, made by another implementation of the protocol: an alias and addresses behind it."""
    from scapy.layers.dns import DNS, DNSRR

    asked = DNS(query)
    question = asked.qd[0]
    kind = {1: "A", 28: "AAAA"}[question.qtype]
    records = [DNSRR(rrname=question.qname, type="CNAME", ttl=600, rdata="edge.cdn.test.")] if addresses else []
    records += [DNSRR(rrname="edge.cdn.test.", type=kind, ttl=60, rdata=address) for address in addresses]
    records += [DNSRR(rrname="stranger.test.", type=kind, ttl=1, rdata=addresses[0])] if addresses else []
    return bytes(
        DNS(id=asked.id, qr=1, rd=1, ra=1, ad=ad, tc=truncated, rcode=rcode, qd=[question], an=records if not truncated else [])
    )


def read(context, port, **settings):
    table = {"names": (NAME,), "types": ("A",), "timeout": 0.3, "tries": 1} | settings
    (found,) = dns_lookup.read(dns_lookup.Settings(resolvers=(f"127.0.0.1:{port}",), **table), context)
    return found


def test_an_answer_is_timed_and_its_addresses_kept(context, udp_server):
    found = read(context, udp_server(lambda query: [scapy_answer(query, ad=1)]))
    assert found.target.startswith(f"{NAME} A @127.0.0.1:")
    assert 0 < found.value < 0.3
    assert found.details["answers"] == ["192.0.2.80"]
    assert found.details["ttl"] == 60
    assert found.details["aliases"] == 1
    assert found.details["authentic"] is True
    assert found.details["rcode"] == "NOERROR"
    assert found.details["transport"] == "udp"


def test_ipv6_addresses(context, udp_server):
    port = udp_server(lambda query: [scapy_answer(query, addresses=("2001:db8::80",))])
    assert read(context, port, types=("AAAA",)).details["answers"] == ["2001:db8::80"]


def test_at_most_eight_addresses_are_kept(context, udp_server):
    many = tuple(f"192.0.2.{number}" for number in range(20))
    assert len(read(context, udp_server(lambda query: [scapy_answer(query, addresses=many)])).details["answers"]) == 8


@pytest.mark.parametrize(
    ("rcode", "failure"),
    [(3, Failure.DNS_NXDOMAIN), (2, Failure.DNS_SERVFAIL), (5, Failure.DNS_REFUSED), (4, Failure.DNS_FAILED)],
)
def test_each_refusal_has_its_word(context, udp_server, rcode, failure):
    found = read(context, udp_server(lambda query: [scapy_answer(query, rcode=rcode, addresses=())]))
    assert found.failure is failure
    assert found.details["seconds"] > 0


def test_no_records_is_no_address(context, udp_server):
    assert read(context, udp_server(lambda query: [scapy_answer(query, addresses=())])).failure is Failure.DNS_NO_ADDRESS


def test_a_cut_answer_is_asked_for_again_over_tcp(context, udp_server, tcp_server):
    def answer(connection):
        (size,) = struct.unpack("!H", connection.recv(2))
        reply = scapy_answer(connection.recv(size))
        for byte in struct.pack("!H", len(reply)) + reply:
            connection.sendall(bytes([byte]))

    port = tcp_server(answer)
    udp_server(lambda query: [scapy_answer(query, truncated=1)], port)
    found = read(context, port)
    assert found.details["transport"] == "tcp"
    assert found.details["answers"] == ["192.0.2.80"]


def test_a_tcp_answer_that_stops_half_way_is_closed_early(context, udp_server, tcp_server):
    port = tcp_server(lambda connection: connection.sendall(b"\x01\x00half"))
    udp_server(lambda query: [scapy_answer(query, truncated=1)], port)
    assert read(context, port).failure in {Failure.CLOSED_EARLY, Failure.RESET}


def test_a_tcp_answer_that_never_comes_is_a_timeout(context, udp_server, tcp_server):
    port = tcp_server(lambda _connection: time.sleep(0.6))
    udp_server(lambda query: [scapy_answer(query, truncated=1)], port)
    assert read(context, port).failure is Failure.TIMEOUT


def test_forged_answers_do_not_end_the_wait_for_the_real_one(context, udp_server):
    def answer(query):
        real = scapy_answer(query)
        wrong_id = bytes([real[0] ^ 1]) + real[1:]
        wrong_question = real.replace(b"\x03lms\x06school", b"\x03xyz\x06school")
        return [wrong_id, wrong_question, query, b"", b"\x00" * 5, real]

    assert read(context, udp_server(answer)).details["answers"] == ["192.0.2.80"]


def test_only_forged_answers_are_a_timeout(context, udp_server):
    port = udp_server(lambda query: [bytes([query[0] ^ 1]) + scapy_answer(query)[1:]])
    assert read(context, port).failure is Failure.TIMEOUT


def test_a_compression_loop_is_malformed(context, udp_server):
    def answer(query):
        return [
            query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:] + b"\xc0" + bytes([len(query)]) + b"\x00" * 10
        ]

    assert read(context, udp_server(answer)).failure is Failure.MALFORMED


def test_a_lost_question_is_repeated_and_the_wait_counts(context, udp_server):
    seen = []

    def answer(query):
        seen.append(query)
        return [] if len(seen) == 1 else [scapy_answer(query)]

    found = read(context, udp_server(answer), tries=2, timeout=0.2)
    assert found.details["tries"] == 2
    assert found.value >= 0.2
    assert seen[0][:2] != seen[1][:2], "a repeat must not reuse the identifier"


def test_silence_is_a_timeout(context, udp_server):
    begun = time.monotonic()
    assert read(context, udp_server(lambda _query: []), tries=2, timeout=0.1).failure is Failure.TIMEOUT
    assert time.monotonic() - begun < 2


def test_nobody_there_is_refused(context):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert read(context, port).failure is Failure.REFUSED


def test_a_named_resolver_that_nobody_authorised_stops_everything(context):
    reading = dns_lookup.read(dns_lookup.Settings(names=(NAME,), resolvers=("192.0.2.53",)), context)
    with pytest.raises(Refused):
        next(reading)


def test_the_machines_own_resolvers_are_used_when_none_is_named(context, tmp_path):
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 192.0.2.53\n")
    settings = dns_lookup.Settings(names=(NAME,), types=("A",), resolv_conf=str(conf))
    (found,) = dns_lookup.read(settings, context)
    assert found.failure is Failure.NOT_AUTHORISED
    assert found.target == f"{NAME} A @192.0.2.53"
    assert dns_lookup.INSTRUMENT.hosts(settings) == ("192.0.2.53",)


def test_a_public_resolver_of_the_machine_is_asked_only_when_the_config_names_it(tmp_path):
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 8.8.8.8\nnameserver 10.20.0.1\nnameserver 2001:4860:4860::8888\n")
    own = dns_lookup.Settings(names=(NAME,), resolv_conf=str(conf))
    assert dns_lookup.INSTRUMENT.hosts(own) == ("10.20.0.1",)
    named = dns_lookup.Settings(names=(NAME,), resolvers=("8.8.8.8",), resolv_conf=str(conf))
    assert dns_lookup.INSTRUMENT.hosts(named) == ("8.8.8.8",)


def test_a_machine_without_resolvers_fails_by_name(context, tmp_path):
    (found,) = dns_lookup.read(dns_lookup.Settings(names=(NAME,), resolv_conf=str(tmp_path / "none")), context)
    assert found.failure is Failure.DNS_FAILED


def test_resolv_conf_is_read_as_the_system_reads_it():
    text = (
        "# nameserver 192.0.2.9\nsearch school.test\nnameserver 192.0.2.1 \n nameserver\t2001:db8::1\nnameserver nonsense\n"
        "nameserver 192.0.2.1\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"
    )
    assert dns_lookup.parse_resolv_conf(text) == ("192.0.2.1", "2001:db8::1", "192.0.2.3")


@given(st.text(max_size=300))
def test_any_resolv_conf_gives_at_most_three_addresses(text):
    assert len(dns_lookup.parse_resolv_conf(text)) <= 3


def test_without_names_those_of_the_endpoints_are_looked_up_once():
    urls = (
        "https://lms.school.test/a",
        "https://lms.school.test/b",
        "https://192.0.2.1/",
        "https://bücher.test/",
        "https://[::1",
    )
    site = Site(
        name="S",
        students=1,
        staff=1,
        classrooms=1,
        endpoints=tuple(Endpoint(name=str(n), url=url) for n, url in enumerate(urls)),
    )
    assert dns_lookup.fit(dns_lookup.Settings(), site).names == ("lms.school.test", "xn--bcher-kva.test")
    assert dns_lookup.fit(dns_lookup.Settings(names=("x.test",)), site).names == ("x.test",)


def test_questions_are_what_scapy_reads():
    from scapy.layers.dns import DNS

    asked = DNS(wire_dns.query(4711, "LMS.School.test.", "AAAA"))
    assert (asked.id, asked.rd, asked.ad, asked.qd[0].qname, asked.qd[0].qtype) == (4711, 1, 1, b"lms.school.test.", 28)


def outcome(packet):
    try:
        found = wire_dns.reply_to(packet, 1, NAME, "A")
    except Failed as failed:
        return failed.failure
    return None if found is None else "answer"


@given(st.binary(max_size=300))
def test_rubbish_is_ignored_or_refused_in_one_way(packet):
    assert outcome(packet) in {None, Failure.MALFORMED}


@given(st.binary(max_size=200), st.integers(0, 40))
def test_rubbish_behind_a_good_header_is_refused_in_one_way(rubbish, count):
    query = wire_dns.query(1, NAME, "A")
    packet = query[:2] + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0) + query[12:] + rubbish
    assert outcome(packet) in {"answer", Failure.MALFORMED}


@given(st.data())
def test_a_good_answer_with_any_byte_changed_is_read_or_refused(data):
    packet = bytearray(GOOD)
    packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(packet)) in {"answer", None, Failure.MALFORMED}


GOOD = scapy_answer(wire_dns.query(1, NAME, "A"))
