import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.names import NXDOMAIN, RECORDS, answer


def query(name, kind=1, group=1, flags=0x0100, count=1):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    return struct.pack(">6H", 77, flags, count, 0, 0, 0) + labels + struct.pack(">HH", kind, group)


def head(reply):
    number, flags, *counts = struct.unpack_from(">6H", reply)
    assert number == 77
    assert flags & 0x8000
    return flags & 15, counts


@pytest.mark.parametrize("name", [*RECORDS, "LMS.School.Test"])
def test_a_known_name_has_its_address(name):
    reply = answer(query(name))
    assert head(reply) == (0, [1, 1, 0, 0])
    assert reply[-4:] == bytes(int(part) for part in RECORDS[name.lower()].split("."))


def test_a_known_name_without_that_type_is_no_data_and_an_unknown_one_does_not_exist():
    assert head(answer(query("lms.school.test", kind=28))) == (0, [1, 0, 1, 0])
    assert head(answer(query("school.test"))) == (0, [1, 0, 1, 0])
    for name in ("nothing.school.test", "example.com"):
        assert head(answer(query(name))) == (NXDOMAIN, [1, 0, 1, 0])


def test_what_is_not_a_plain_question_is_refused_by_its_code():
    assert head(answer(query("lms.school.test", group=3)))[0] == 5
    assert head(answer(query("lms.school.test", count=2)))[0] == 1
    assert head(answer(query("lms.school.test", flags=0x2800)))[0] == 4
    assert head(answer(query("lms.school.test")[:-3]))[0] == 1
    assert answer(query("lms.school.test", flags=0x8100)) is None
    assert answer(b"short") is None


@given(st.binary(max_size=600))
def test_rubbish_gets_silence_or_a_reply_never_an_error(octets):
    reply = answer(octets)
    assert reply is None or (reply[:2] == octets[:2] and reply[2] & 0x80)
