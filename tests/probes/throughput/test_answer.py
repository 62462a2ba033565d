import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed, Failure
from probes.throughput.answer import Answer

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def fed(data, *, keep=0, pieces=None):
    answer = Answer(keep=keep)
    cut = random.Random(pieces)
    while data:
        count = len(data) if pieces is None else cut.randrange(1, 40)
        answer.feed(memoryview(data[:count]))
        data = data[count:]
    return answer


@pytest.mark.parametrize(
    ("data", "size", "lasting"),
    [
        (HEAD + b"Content-Length: 5\r\n\r\nhello", 5, True),
        (HEAD + b"Content-Length: 5\r\nConnection: Close\r\n\r\nhello", 5, False),
        (HEAD + b"Content-Length: 0\r\n\r\n", 0, True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", 5, True),
        (CHUNKED + b"3\r\nhel\r\n002;why=not\r\nlo\r\n0\r\n\r\n", 5, True),
        (CHUNKED + b"5\r\nhello\r\n0\r\nExpires: never\r\n\r\n", 5, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 0, True),
    ],
)
@pytest.mark.parametrize("pieces", [None, 1, 2, 3])
def test_a_body_is_counted_however_it_is_cut(data, size, lasting, pieces):
    answer = fed(data, keep=3, pieces=pieces)
    assert answer.over
    assert (answer.size, answer.lasting, bytes(answer.kept)) == (size, lasting, b"hello"[: min(3, size)])


def test_a_body_without_a_length_ends_with_the_connection_and_no_other_does():
    rest = fed(HEAD + b"\r\nhello")
    assert not rest.over
    rest.end()
    assert (rest.over, rest.size, rest.lasting) == (True, 5, False)
    for half in (b"", HEAD, HEAD + b"Content-Length: 5\r\n\r\nhell", CHUNKED + b"5\r\nhello\r\n"):
        with pytest.raises(Failed) as caught:
            fed(half).end()
        assert caught.value.failure is Failure.CLOSED_EARLY


def test_load_may_be_dropped_unread_and_only_load():
    answer = fed(CHUNKED + b"10000\r\n")
    assert answer.discardable == 1 << 16
    answer.discard(1 << 16)
    assert answer.discardable == 0
    answer.feed(memoryview(b"\r\n0\r\n\r\n"))
    assert (answer.over, answer.size) == (True, 1 << 16)
    assert fed(HEAD + b"Content-Length: 100\r\n\r\n", keep=10).discardable == 0


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (HEAD + b"Content-Length: 5\r\n\r\nhello!", Failure.MALFORMED),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", Failure.MALFORMED),
        (HEAD + b"Content-Length: 5, 5\r\n\r\n", Failure.MALFORMED),
        (HEAD + b"Content-Length: 99999999999999999\r\n\r\n", Failure.MALFORMED),
        (HEAD + b"Content-Length: \xb2\r\n\r\n", Failure.MALFORMED),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", Failure.MALFORMED),
        (HEAD + b"Content-Encoding: br\r\n\r\n", Failure.MALFORMED),
        (CHUNKED + b"-1\r\n", Failure.MALFORMED),
        (CHUNKED + b"5\nhello", Failure.MALFORMED),
        (CHUNKED + b"3\r\nhello\r\n", Failure.MALFORMED),
        (CHUNKED + b"ffffffffffffff\r\n", Failure.MALFORMED),
        (CHUNKED + b"5;" + b"x" * 300, Failure.TOO_LARGE),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 100, Failure.TOO_LARGE),
        (b"x" * 20_000, Failure.TOO_LARGE),
        (b"220 ftp.example.org\r\n\r\n", Failure.MALFORMED),
    ],
)
@pytest.mark.parametrize("pieces", [None, 7])
def test_what_breaks_the_rules_is_refused(data, failure, pieces):
    with pytest.raises(Failed) as caught:
        fed(data, pieces=pieces)
    assert caught.value.failure is failure


@given(st.binary(max_size=200), st.sampled_from([b"", HEAD, CHUNKED, HEAD + b"Content-Length: 50\r\n\r\n"]), st.integers(0, 60))
def test_rubbish_is_a_count_or_one_kind_of_refusal_however_it_is_cut(rubbish, head, keep):
    def outcome(pieces):
        try:
            answer = fed(head + rubbish, keep=keep, pieces=pieces)
        except Failed as failed:
            return failed.failure
        assert len(answer.kept) <= keep
        return answer.over, answer.size, bytes(answer.kept)

    assert outcome(None) == outcome(5)
