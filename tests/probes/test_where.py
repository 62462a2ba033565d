import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed, Failure
from probes import where


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lms.example", ("lms.example", None)),
        ("lms.example:443", ("lms.example", 443)),
        ("192.0.2.1", ("192.0.2.1", None)),
        ("192.0.2.1:53", ("192.0.2.1", 53)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("[2001:db8::1]:53", ("2001:db8::1", 53)),
    ],
)
def test_targets_are_read(text, expected):
    assert where.host_port(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":53", "host:", "host:0", "host:65536", "host:5x", "[::1", "[::1]53", "[host]:5", "a b", "x/y"]
)
def test_what_is_no_target_is_refused(text):
    with pytest.raises(ValueError, match=r"is not|a port is"):
        where.host_port(text)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        host, port = where.host_port(text)
    except ValueError:
        return
    assert host
    assert port is None or 1 <= port <= 65535


def test_a_name_that_does_not_exist_is_the_systems_own_error():
    with pytest.raises(socket.gaierror):
        where.addresses("a..b", 2)


def test_a_look_up_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: time.sleep(2) or [])
    begun = time.monotonic()
    with pytest.raises(Failed) as caught:
        where.addresses("localhost", 0.05)
    assert caught.value.failure is Failure.TIMEOUT
    assert time.monotonic() - begun < 1.5
