import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed, Failure
from probes.throughput.handshake import (
    HEAD_LIMIT,
    Response,
    accept_key,
    check_upgrade,
    has_token,
    head_end,
    is_key,
    parse_request,
    parse_response,
    upgrade_request,
    upgrade_response,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, 1.3


def test_the_accept_key_is_the_one_in_the_rfc():
    assert accept_key(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert is_key(KEY)
    assert not is_key("dGhl")
    assert not is_key("not base64!")


def test_a_request_and_its_consent_are_read_back():
    request = parse_request(upgrade_request("h:1", "/ndt/v7/download?a=b", key=KEY, protocol="p", agent="netready/1"))
    assert (request.method, request.path, request.query) == ("GET", "/ndt/v7/download", "a=b")
    assert request.fields["sec-websocket-key"] == KEY
    assert "sec-websocket-extensions" not in request.fields
    check_upgrade(parse_response(upgrade_response(KEY, "p")), key=KEY, protocol="p")


def refused(parse, head):
    """The failure word with which `parse` refuses, or None; any other exception is a bug and shows as one."""
    try:
        parse(head)
    except Failed as failed:
        return failed.failure
    return None


@given(st.binary(max_size=300))
def test_rubbish_is_refused_in_one_way_only(data):
    for parse in (parse_request, parse_response):
        for head in (data, data + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + data + b"\r\n\r\n"):
            assert refused(parse, head) in {None, Failure.MALFORMED, Failure.TOO_LARGE}


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET ftp://elsewhere/ HTTP/1.1\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\nA: b\r\n\r\n",
    ],
)
def test_what_is_not_plainly_http_is_refused(head):
    with pytest.raises(Failed) as caught:
        parse_request(head)
    assert caught.value.failure is Failure.MALFORMED


def test_a_field_given_twice_is_seen_as_a_list():
    assert parse_request(b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n").fields == {"host": "a, b"}
    assert has_token("keep-alive, Upgrade", "upgrade")
    assert not has_token("upgrades", "upgrade")


def test_a_head_is_bounded_in_bytes_and_in_fields():
    assert head_end(b"GET / HTTP/1.1\r\n\r\nrest") == 18
    assert head_end(b"GET / HTTP/1.1\r\n") is None
    with pytest.raises(Failed) as caught:
        head_end(b"x" * HEAD_LIMIT)
    assert caught.value.failure is Failure.TOO_LARGE
    with pytest.raises(Failed):
        parse_request(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n")


@pytest.mark.parametrize(
    ("status", "changed", "failure", "words"),
    [
        (401, {}, Failure.SERVER_BUSY, "401"),
        (503, {}, Failure.SERVER_BUSY, "503"),
        (404, {}, Failure.HTTP_STATUS, "404"),
        (302, {"location": "http://elsewhere/\x1b[2J"}, Failure.HTTP_STATUS, "elsewhere"),
        (101, {"upgrade": "h2c"}, Failure.MALFORMED, "upgrade"),
        (101, {"sec-websocket-accept": "wrong"}, Failure.MALFORMED, "key"),
        (101, {"sec-websocket-protocol": "other"}, Failure.MALFORMED, "speak p"),
        (101, {"sec-websocket-extensions": "permessage-deflate"}, Failure.MALFORMED, "extensions"),
    ],
)
def test_an_answer_that_is_not_consent_says_why(status, changed, failure, words):
    fields = parse_response(upgrade_response(KEY, "p")).fields | changed
    with pytest.raises(Failed, match=words) as caught:
        check_upgrade(Response(status, fields), key=KEY, protocol="p")
    assert caught.value.failure is failure
    assert "\x1b" not in caught.value.reason
