"""Bodies of requests: lengths, chunks, and what pretends to be them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed
from probes.throughput.handshake import Request
from testpoint.body import Chunked, Sized, expected

MOST = 1 << 30


def request(**fields) -> Request:
    return Request("POST", "/empty.php", "", {name.replace("_", "-"): value for name, value in fields.items()})


def feed(body: Chunked | Sized, data: bytes, sizes=(1 << 20,)) -> int:
    """Hand over `data` in pieces of these sizes, again and again; how much of it belonged to the body."""
    position, turn = 0, 0
    while position < len(data) and not body.done:
        piece = data[position : position + sizes[turn % len(sizes)]]
        used = body.feed(piece)
        position += used
        if used < len(piece):
            break
        turn += 1
    return position


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_request_announces_nothing_a_length_or_chunks():
    assert expected(request(), MOST) == 0
    assert expected(request(content_length="17"), MOST) == 17
    assert expected(request(transfer_encoding="Chunked"), MOST) is None


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({"content_length": "5, 5"}, "malformed"),
        ({"content_length": "-1"}, "malformed"),
        ({"content_length": "+1"}, "malformed"),
        ({"content_length": "0x10"}, "malformed"),
        ({"content_length": "\u0661"}, "malformed"),
        ({"content_length": ""}, "malformed"),
        ({"content_length": "5", "transfer_encoding": "chunked"}, "malformed"),
        ({"transfer_encoding": "gzip, chunked"}, "not-supported"),
        ({"transfer_encoding": "chunked, chunked"}, "not-supported"),
        ({"content_length": str(MOST + 1)}, "too-large"),
        ({"content_length": "9" * 4000}, "too-large"),
    ],
)
def test_a_body_that_is_not_clear_or_too_large_is_refused_before_it_is_read(fields, failure):
    with pytest.raises(Failed) as refused:
        expected(request(**fields), MOST)
    assert refused.value.failure == failure


@given(
    st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.binary(max_size=20), st.lists(st.integers(1, 50), min_size=1)
)
def test_chunks_are_counted_however_they_are_cut_and_what_follows_is_left(parts, following, sizes):
    body = Chunked(MOST)
    data = chunked(*parts)
    assert feed(body, data + following, sizes) == len(data)
    assert body.done
    assert body.payload == sum(map(len, parts))


def test_extensions_and_trailers_are_read_over():
    body = Chunked(MOST)
    data = b'5;name="value"\r\nhello\r\n0\r\nExpires: never\r\n\r\n'
    assert feed(body, data + b"GET", [3]) == len(data)
    assert (body.done, body.payload) == (True, 5)


def test_load_in_a_chunk_can_be_dropped_unread():
    body = Chunked(MOST)
    body.feed(b"10000\r\n")
    assert body.left == 0x10000
    body.drop(body.left)
    assert body.feed(b"\r\n0\r\n\r\nrest") == 7
    assert (body.done, body.payload) == (True, 0x10000)


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"zz\r\n", "malformed"),
        (b"-5\r\nhello\r\n", "malformed"),
        (b"\r\n", "malformed"),
        (b"5\nhello\n", "malformed"),
        (b"5\r\nhello, you\r\n", "malformed"),
        (b"5;" + b"x" * 300, "malformed"),
        (b"1" * 9 + b"\r\n", "malformed"),
        (b"ffffffff\r\n", "too-large"),
        (b"0\r\n" + b"A: b\r\n" * 40, "too-large"),
        (b"1\r\nx\r\n" * 2000, "malformed"),
    ],
)
def test_what_is_not_chunks_is_refused(data, failure):
    with pytest.raises(Failed) as refused:
        feed(Chunked(MOST), data)
    assert refused.value.failure == failure


def test_chunks_without_end_are_refused_at_the_limit():
    body = Chunked(10_000)
    with pytest.raises(Failed) as refused:
        feed(body, b"3e8\r\n" + bytes(1000) + b"\r\n" + (b"3e8\r\n" + bytes(1000) + b"\r\n") * 20)
    assert refused.value.failure == "too-large"
    assert body.payload <= 10_000


@given(st.binary(max_size=400), st.lists(st.integers(1, 60), min_size=1))
def test_rubbish_is_refused_in_one_way_and_never_loops(data, sizes):
    body = Chunked(10_000)
    with contextlib.suppress(Failed):
        assert feed(body, data, sizes) <= len(data)


def test_a_body_of_known_length_takes_no_more_than_that():
    body = Sized(10)
    assert body.feed(b"123456") == 6
    assert body.feed(b"7890GET /") == 4
    assert (body.done, body.payload) == (True, 10)
