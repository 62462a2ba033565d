import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.throughput.settings import Direction, Throughput, endpoint, missing


def test_a_server_is_a_host_and_a_port():
    assert (endpoint("test.example.org:443").host, endpoint("test.example.org:443").port) == ("test.example.org", 443)
    assert (endpoint("[::1]:7").host, str(endpoint("[::1]:7"))) == ("::1", "[::1]:7")
    assert str(endpoint("192.0.2.1:80")) == "192.0.2.1:80"


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:", ":80", "::1:80", "h:99999", "h:-1", "a b:80", "[::g]:80", "h:80\n", "[1]:80", "a..b:80", ".a:80"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        endpoint(text)


@given(st.text(max_size=400))
def test_rubbish_is_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert endpoint(text).port <= 65535


def test_a_label_longer_than_the_dns_allows_is_refused_before_the_resolver_sees_it():
    with pytest.raises(ValueError, match="not HOST:PORT"):
        endpoint("a" * 64 + ".example:80")


def test_settings_are_strict_and_say_what_is_wrong():
    with pytest.raises(msgspec.ValidationError, match="not HOST:PORT"):
        msgspec.convert({"server": "nowhere"}, Throughput)
    with pytest.raises(msgspec.ValidationError, match="no port"):
        msgspec.convert({"server": "host:0"}, Throughput)
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"sever": "h:1"}, Throughput)
    with pytest.raises(msgspec.ValidationError, match="seconds"):
        msgspec.convert({"seconds": 61}, Throughput)


def test_without_a_server_nothing_is_tested():
    assert missing(Throughput()) == "no test server is named in [throughput]"
    assert missing(Throughput(server="h:1")) is None


def test_both_directions_are_down_then_up():
    assert Throughput().directions == (Direction.DOWN, Direction.UP)
    assert Throughput(direction=Direction.UP).directions == (Direction.UP,)
