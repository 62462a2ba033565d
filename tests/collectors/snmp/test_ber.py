import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ
from pysnmp.proto import rfc1902
from pysnmp.proto.api import v2c

from collectors.snmp import ber
from netready.failure import Failed, Failure

parts = st.integers(0, 2**32 - 1)
oids = st.tuples(st.integers(0, 2), st.integers(0, 39)).flatmap(
    lambda head: st.lists(parts, max_size=126).map(lambda tail: (*head, *tail))
)


def refusal(call, *arguments):
    with pytest.raises(Failed) as failed:
        call(*arguments)
    return failed.value.failure


@given(oids)
def test_identifiers_are_written_as_pyasn1_writes_them_and_read_back(oid):
    wire = ber.name(oid)
    assert ber.tlv(ber.IDENTIFIER, wire) == encoder.encode(univ.ObjectIdentifier(oid))
    assert ber.oid_of(wire) == oid
    assert ber.numbers(ber.parts(oid)) == oid


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_are_written_as_pyasn1_writes_them_and_read_back(number):
    wire = ber.integer(number)
    assert wire == encoder.encode(univ.Integer(number))
    assert ber.read_integer(wire, 0, len(wire)) == (number, len(wire))


@given(st.integers(0, 70_000))
def test_lengths_are_written_as_pyasn1_writes_them(size):
    assert ber.tlv(ber.OCTETS, bytes(size)) == encoder.encode(univ.OctetString(bytes(size)))


values = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(lambda n: (n, rfc1902.Integer32(n))),
    st.binary(max_size=300).map(lambda b: (b, rfc1902.OctetString(b))),
    st.binary(max_size=40).map(lambda b: (b, rfc1902.Opaque(b))),
    st.binary(min_size=4, max_size=4).map(lambda b: (b, rfc1902.IpAddress(b))),
    st.integers(0, 2**32 - 1).map(lambda n: (n, rfc1902.Counter32(n))),
    st.integers(0, 2**32 - 1).map(lambda n: (n, rfc1902.Gauge32(n))),
    st.integers(0, 2**32 - 1).map(lambda n: (n, rfc1902.TimeTicks(n))),
    st.integers(0, 2**64 - 1).map(lambda n: (n, rfc1902.Counter64(n))),
    oids.map(lambda oid: (oid, rfc1902.ObjectIdentifier(oid))),
    st.sampled_from([(None, v2c.Null("")), (None, v2c.NoSuchObject("")), (None, v2c.EndOfMibView(""))]),
)


@given(st.lists(st.tuples(oids, values), max_size=8))
def test_the_values_that_pysnmp_writes_are_read(rows):
    pdu = v2c.GetResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [(oid, wire) for oid, (_, wire) in rows])
    data = encoder.encode(v2c.apiPDU.get_varbind_list(pdu))
    at, end = ber.open_(data, 0, len(data), ber.SEQUENCE)
    assert [(ber.oid_of(wire), value) for wire, value in ber.read_binds(data, at, end)] == [
        (oid, value) for oid, (value, _) in rows
    ]


@given(oids)
def test_entries_of_requests_are_what_pysnmp_reads(oid):
    found, rest = decoder.decode(ber.bind(ber.name(oid)), asn1Spec=v2c.VarBind())
    assert (tuple(found[0]), rest) == (oid, b"")


def entry(value, name=b"\x2b\x06"):
    return ber.tlv(ber.SEQUENCE, ber.tlv(ber.IDENTIFIER, name), value)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"\x41\x04\xff\xff\xff\xff", 2**32 - 1),  # a counter whose sender forgot the zero in front
        (b"\x41\x82\x00\x01\x07", 7),  # a length in more bytes than it needs
        (b"\x02\x05\x00\x00\x00\x00\x07", 7),
        (b"\x46\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff", 2**64 - 1),
        (b"\x06\x00", ()),  # "none", in some agents' words
        (b"\x45\x02ab", b"ab"),
    ],
)
def test_what_agents_get_nearly_right_is_read(value, read):
    data = entry(value)
    assert ber.read_binds(data, 0, len(data)) == [(b"\x2b\x06", read)]


@pytest.mark.parametrize(
    "data",
    [
        entry(b"\x41\x00"),  # a counter of no bytes: nobody knows what it counts
        entry(b"\x46\x09\x01" + bytes(8)),
        entry(b"\x02\x0a" + bytes(10)),
        entry(b"\x09\x01\x00"),  # a real number, which SNMP has not
        entry(b"\x05\x00")[:-1],
        entry(b"\x05\x00") + b"\x30",
        entry(b"\x05\x00\x00"),
        entry(b"\x04\x05ab"),
        entry(b"\x04\x80ab"),
        entry(b"\x04\x85\x00\x00\x00\x00\x01a"),
        b"\x31" + entry(b"\x05\x00")[1:],
        entry(b"\x06\x02\x2b\x80"),
        b"\x30\x82\xff\xff\x06\x01\x2b\x05\x00",
    ],
)
def test_entries_that_do_not_hold_together_are_refused(data):
    assert refusal(ber.read_binds, data, 0, len(data)) is Failure.MALFORMED


@pytest.mark.parametrize("wire", [b"\x2b\x80\x01", b"\x2b\x86", b"\x2b\x90\x80\x80\x80\x00", bytes(129)])
def test_identifiers_that_no_agent_may_send_are_refused(wire):
    assert refusal(ber.numbers, wire) is Failure.MALFORMED


def outcome(data):
    try:
        return len(ber.read_binds(data, 0, len(data)))
    except Failed as failed:
        return failed.failure


@given(st.binary(max_size=200))
def test_rubbish_is_read_or_refused_in_one_way(data):
    assert outcome(data) in {Failure.MALFORMED, *range(len(data) // 6 + 1)}


@given(st.binary(max_size=200))
def test_an_identifier_of_rubbish_is_read_within_its_bounds_or_refused(wire):
    try:
        found = ber.oid_of(wire)
    except Failed as failed:
        found = failed.failure
    assert found is Failure.MALFORMED or all(0 <= part <= ber.LARGEST_PART for part in found)
    assert found is Failure.MALFORMED or len(found) <= ber.LONGEST_OID + 1


@given(st.data())
def test_reading_stays_within_the_bounds_it_is_given(data):
    inside = b"".join(entry(b"\x04\x03abc") for _ in range(data.draw(st.integers(0, 4))))
    before, after = data.draw(st.binary(max_size=20)), data.draw(st.binary(max_size=20))
    found = ber.read_binds(before + inside + after, len(before), len(before) + len(inside))
    assert found == [(b"\x2b\x06", b"abc")] * (len(inside) // 11)
