import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.throughput import surroundings
from probes.throughput.nic import (
    Card,
    Driver,
    Kind,
    Link,
    card,
    judge_kind,
    limits,
    parse_driver,
    parse_link,
    parse_route,
    parse_signal,
    route_interface,
)

ETHER, NONE, PPP, SIT = 1, 0xFFFE, 512, 776
WIRELESS = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   54.  -56.  -256        0      0      0      0     24        0
 wlan1: 0000   54.   56.  -256        0      0      0      0     24        0
 wlan2: 0000   54.   ab.  -256        0      0      0      0     24        0
"""


def settings(speed, duplex):
    return struct.pack("=IIB39x", 0x4C, speed, duplex)


def link(speed=100e6, *, full=True):
    return Link(speed=speed, full_duplex=full)


def test_speed_and_duplex_are_read_and_what_a_driver_does_not_know_is_left_open():
    assert parse_link(settings(100, 1)) == link()
    assert parse_link(settings(10, 0)) == link(10e6, full=False)
    assert parse_link(settings(400_000, 1)) == link(400e9)
    assert parse_link(settings(0xFFFFFFFF, 0xFF)) == parse_link(settings(0, 7)) == parse_link(b"short") == Link()


def test_a_driver_has_a_name_and_a_place():
    raw = struct.pack("=I32s32s32s32s100x", 3, b"r8169", b"6.18", b"", b"0000:02:00.0").ljust(196, b"\0")
    assert parse_driver(raw[:196]) == Driver(name="r8169", bus="0000:02:00.0")
    assert parse_driver(raw[:100]) == Driver()


def test_a_radio_s_signal_is_told_in_dbm_or_not_at_all():
    assert parse_signal(WIRELESS, "wlan0") == -56
    assert parse_signal(WIRELESS, "wlan1") is None
    assert parse_signal(WIRELESS, "wlan2") is None
    assert parse_signal(WIRELESS, "eth0") is None


@given(st.binary(max_size=300), st.text(max_size=300))
def test_rubbish_is_nothing(raw, text):
    parse_link(raw)
    parse_driver(raw)
    parse_route(raw)
    assert parse_signal(text, "wlan0") is None


@pytest.mark.parametrize(
    ("hardware", "driver", "said", "radio", "kind"),
    [
        (772, Driver(), Link(), False, Kind.LOOPBACK),
        (ETHER, Driver(name="iwlwifi"), Link(), True, Kind.WIFI),
        (803, Driver(name="ath9k"), Link(), False, Kind.WIFI),
        (ETHER, Driver(name="r8169"), link(1e9), False, Kind.ETHERNET),
        (ETHER, Driver(name="802.1Q VLAN Support"), link(1e9), False, Kind.ETHERNET),
        (ETHER, Driver(name="veth"), link(10e9), False, Kind.VIRTUAL),
        (ETHER, Driver(name="virtio_net"), Link(), False, Kind.VIRTUAL),
        (NONE, Driver(name="tun", bus="tun"), link(10e6), False, Kind.TUNNEL),
        (ETHER, Driver(name="tun", bus="tap"), link(10e6), False, Kind.TUNNEL),
        (ETHER, Driver(name="tun", bus="tap"), link(10e9), False, Kind.TUNNEL),
        (ETHER, Driver(name="tun", bus="tap"), link(100e6), False, Kind.ETHERNET),
        (NONE, Driver(name="wireguard"), Link(), False, Kind.TUNNEL),
        (PPP, Driver(), Link(), False, Kind.TUNNEL),
        (SIT, Driver(), Link(), False, Kind.TUNNEL),
        (NONE, Driver(name="qmi_wwan"), Link(), False, Kind.UNKNOWN),
        (None, Driver(), Link(), False, Kind.UNKNOWN),
    ],
)
def test_every_kind_of_card_is_known_by_what_it_is(hardware, driver, said, radio, kind):
    assert judge_kind(hardware, driver, said, radio=radio) is kind


@pytest.mark.parametrize(
    ("kind", "speed", "full", "rate", "words"),
    [
        (Kind.ETHERNET, 100e6, True, 97e6, ["interface"]),
        (Kind.ETHERNET, 100e6, True, 89e6, []),
        (Kind.ETHERNET, 100e6, False, 50e6, ["half-duplex"]),
        (Kind.ETHERNET, 10e6, False, 9.5e6, ["interface", "half-duplex"]),
        (Kind.ETHERNET, None, None, 97e6, []),
        (Kind.ETHERNET, 100e6, True, None, []),
        (Kind.VIRTUAL, 10e9, True, 20e9, []),
        (Kind.WIFI, None, None, 97e6, ["wifi"]),
        (Kind.TUNNEL, 10e6, True, 97e6, ["tunnel"]),
        (Kind.LOOPBACK, None, None, 97e6, []),
        (Kind.UNKNOWN, 10e6, False, 97e6, []),
    ],
)
def test_a_card_limits_only_what_it_can_be_shown_to_limit(kind, speed, full, rate, words):
    assert limits(Card(interface="x", kind=kind, speed=speed, full_duplex=full), rate) == words


def test_loopback_and_no_interface_at_all_have_no_speed():
    assert (card("lo").kind, card("lo").speed) == (Kind.LOOPBACK, None)
    for name in ("not-there", "", "a-name-of-more-than-fifteen-bytes", "nul\0", "../lo"):
        assert (card(name).kind, card(name).speed, card(name).mtu) == (Kind.UNKNOWN, None, None)
    assert surroundings.interface_rate("lo") is None


def test_the_route_to_this_machine_itself_is_loopback():
    assert route_interface("127.0.0.1") == "lo"
    assert route_interface("::ffff:127.0.0.1") == "lo"


@pytest.mark.namespaces
def test_cards_of_a_namespace_are_told_from_the_kernel_s_own_words():
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun cannot be opened; modprobe tun")
    flags = "-nm" if os.geteuid() == 0 else "-Urnm"
    done = subprocess.run(
        ["unshare", flags, sys.executable, str(Path(__file__).with_name("cards.py"))],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    found = {name: (each["kind"], each["speed"], each["full_duplex"]) for name, each in told["cards"].items()}
    assert found["card0"] == ("ethernet", 100e6, True)
    assert found["half0"] == ("ethernet", 100e6, False)
    assert found["tun0"][0] == "tunnel"
    assert found["tun0"][1] is None
    assert found["fresh0"][0] == "tunnel"
    assert found["veth0"] == ("virtual", 10e9, True)
    assert found["br0"][0] == "virtual"
    assert told["cards"]["card0"]["mtu"] == 1400
    assert told["rates"] == {"card0": 100e6, "veth0": None}
    assert told["routes"] == {"198.51.100.77": "card0", "203.0.113.9": "tun0", "192.0.2.1": None}
