import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v1, v2c

from collectors.snmp import ber, message
from collectors.snmp.credentials import Community, Secret
from collectors.snmp.message import Pdu, Plain
from collectors.snmp.settings import Version
from netready.failure import Failed, Failure

NAME, IN = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
oids = st.lists(st.integers(0, 2**32 - 1), max_size=20).map(lambda tail: (1, 3, *tail))
numbers = st.integers(0, 2**31 - 1)


def speaker(version=Version.V2C, word=b"word"):
    return Plain(Community(community=Secret(word), version=version))


def respond(api, number, binds, status=0, index=0):
    pdu, wrapped = api.GetResponsePDU(), api.Message()
    api.apiPDU.set_defaults(pdu)
    api.apiPDU.set_request_id(pdu, number)
    api.apiPDU.set_error_status(pdu, status)
    api.apiPDU.set_error_index(pdu, index)
    api.apiPDU.set_varbinds(pdu, binds)
    api.apiMessage.set_defaults(wrapped)
    api.apiMessage.set_community(wrapped, b"word")
    api.apiMessage.set_pdu(wrapped, pdu)
    return encoder.encode(wrapped)


@given(numbers, st.lists(oids, min_size=1, max_size=5), st.integers(1, 100), st.sampled_from([Pdu.GET, Pdu.NEXT, Pdu.BULK]))
def test_requests_are_what_pysnmp_writes(number, names, repetitions, kind):
    pdu = {Pdu.GET: v2c.GetRequestPDU, Pdu.NEXT: v2c.GetNextRequestPDU, Pdu.BULK: v2c.GetBulkRequestPDU}[kind]()
    api = v2c.apiBulkPDU if kind is Pdu.BULK else v2c.apiPDU
    api.set_defaults(pdu)
    api.set_request_id(pdu, number)
    if kind is Pdu.BULK:
        api.set_non_repeaters(pdu, 0)
        api.set_max_repetitions(pdu, repetitions)
    api.set_varbinds(pdu, [(oid, v2c.Null("")) for oid in names])
    wrapped = v2c.Message()
    v2c.apiMessage.set_defaults(wrapped)
    v2c.apiMessage.set_community(wrapped, b"word")
    v2c.apiMessage.set_pdu(wrapped, pdu)
    ours = message.request(kind, number, [ber.name(oid) for oid in names], repetitions)
    assert speaker().wrap(number, ours) == encoder.encode(wrapped)


def test_requests_are_what_scapy_reads():
    from scapy.layers.snmp import SNMP, SNMPbulk

    pdu = message.request(Pdu.BULK, 77, [ber.name(NAME), ber.name(IN)], 8)
    packet = SNMP(speaker().wrap(77, pdu))
    assert packet.community.val == b"word"
    assert isinstance(packet.PDU, SNMPbulk)
    assert (packet.PDU.id.val, packet.PDU.max_repetitions.val) == (77, 8)
    assert [bind.oid.val for bind in packet.PDU.varbindlist] == ["1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.6"]


@given(numbers, st.lists(oids, max_size=5), st.integers(0, 18), st.integers(0, 5))
def test_the_responses_that_pysnmp_writes_are_read(number, names, status, index):
    data = respond(v2c, number, [(oid, v2c.Counter64(2**63)) for oid in names], status, index)
    reply = speaker().unwrap(data, {number})
    assert (reply.number, reply.status, reply.index) == (number, status, index)
    assert [(ber.oid_of(wire), value) for wire, value in reply.binds] == [(oid, 2**63) for oid in names]


def test_version_1_is_written_and_read():
    assert speaker(Version.V1).wrap(5, b"").startswith(b"\x30\x09\x02\x01\x00\x04\x04word")
    reply = speaker(Version.V1).unwrap(respond(v1, 5, [(NAME, v1.OctetString(b"x"))], status=2, index=1), {5})
    assert (reply.status, reply.index, reply.binds[0][1]) == (2, 1, b"x")


def test_a_vlan_is_a_community_of_its_own():
    assert b"\x04\x07word@10" in speaker().wrap(1, b"", vlan=10)


def test_an_answer_to_another_request_is_told_by_its_number():
    assert speaker().unwrap(respond(v2c, 6, []), {5}) == 6


def refused(data):
    try:
        speaker().unwrap(data, range(2**31))
    except Failed as failed:
        return failed.failure
    return None


GOOD = respond(
    v2c, 5, [(NAME, v2c.OctetString(b"port")), (IN, v2c.Counter64(2**40)), ((1, 3, 6, 1), v2c.ObjectIdentifier((1, 3, 9)))]
)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_in_one_way(data):
    assert refused(data) is Failure.MALFORMED


@given(st.data())
def test_an_answer_with_bytes_changed_or_cut_off_is_read_or_refused_in_one_way(data):
    packet = bytearray(GOOD)
    for _ in range(data.draw(st.integers(0, 3))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    assert refused(bytes(packet[: data.draw(st.integers(0, len(packet)))])) in {None, Failure.MALFORMED}


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_the_values_of_an_answer_that_was_spoiled_are_read_or_refused_in_one_way(at, rubbish):
    try:
        reply = speaker().unwrap(GOOD[:at] + rubbish + GOOD[at + len(rubbish) :], range(2**31))
        found = [] if isinstance(reply, int) else reply.binds
    except Failed as failed:
        found = failed.failure
    assert found is Failure.MALFORMED or all(value is None or isinstance(value, int | bytes | tuple) for _, value in found)


@pytest.mark.parametrize("size", range(len(GOOD)))
def test_an_answer_that_is_cut_off_is_refused(size):
    assert refused(GOOD[:size]) is Failure.MALFORMED


def test_deep_nesting_is_refused():
    data = b"\x05\x00"
    for _ in range(3000):
        data = ber.tlv(ber.SEQUENCE, data)
    assert refused(data) is Failure.MALFORMED


def test_requests_and_reports_are_no_answers():
    assert refused(speaker().wrap(5, message.request(Pdu.GET, 5, [ber.name(NAME)]))) is Failure.MALFORMED
    report = message.request(Pdu.GET, 5, []).replace(b"\xa0", b"\xa8", 1)
    assert refused(speaker().wrap(5, report)) is Failure.MALFORMED
    assert refused(GOOD.replace(b"\x02\x01\x01", b"\x02\x01\x03", 1)) is Failure.MALFORMED


def test_error_words_are_those_of_the_standard():
    assert [message.status_word(status) for status in (1, 5, 16, 99)] == ["tooBig", "genErr", "authorizationError", "99"]
