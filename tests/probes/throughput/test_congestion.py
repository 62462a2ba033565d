"""Which congestion control a stream is sent with. That BBR gives way on a long fast line is shown in test_netready_line."""

import socket
from pathlib import Path

import pytest

from probes.throughput import tcp_info
from probes.throughput.congestion import LONGEST_START, Congestion

HERE = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control").read_text().split()


@pytest.fixture
def near():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as made:
        yield made


def test_what_is_asked_for_is_used_and_kept(near):
    made = Congestion(near, "reno", 0.0)
    assert not made.look(10 * LONGEST_START, 0.01)
    assert (made.name, tcp_info.congestion(near)) == ("reno", "reno")


@pytest.mark.parametrize("asked", ["", "nosuch"])
def test_bbr_is_used_where_the_kernel_lets_us(near, asked):
    default = tcp_info.congestion(near)
    assert Congestion(near, asked, 0.0).name == ("bbr" if "bbr" in HERE else default)


def test_a_start_is_given_its_time_and_a_stream_without_a_full_buffer_is_left_alone(near):
    made = Congestion(near, "", 100.0)
    for now in (100.0, 100.0 + LONGEST_START, 100.0 + 50 * LONGEST_START):
        assert not made.look(now, 0.2)
    assert "then" not in made.name
