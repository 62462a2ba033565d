"""Packet sizes on lines of our own making: kernel routers with a narrow link, and a cable that drops or rewrites packets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

pytestmark = [pytest.mark.namespaces, pytest.mark.slow]

FOUR = {"families": [4]}
PLANS = {
    "hole-up": {"kind": "cable", "most_up": 1400, **FOUR},
    "hole-up-six": {"kind": "cable", "most_up": 1400, "families": [6]},
    "hole-down-tls": {"kind": "cable", "most_down": 1200, **FOUR, "tls": True},
    "hole-probing": {"kind": "cable", "most_up": 1321, **FOUR, "sysctl": {"ipv4/tcp_mtu_probing": "1"}},
    "wide": {"kind": "cable"},
    "routers": {"kind": "routers", "middle": 1400, "runs": 2},
    "clamp": {"kind": "cable", "clamp": 1400},
    "clamp-pppoe": {"kind": "cable", "clamp": 1452, **FOUR},
    "clamp-plain": {"kind": "cable", "clamp": 1452, **FOUR, "sysctl": {"ipv4/tcp_timestamps": "0"}},
    "route": {"kind": "cable", "route": 1420, **FOUR},
    "small-interface": {"kind": "cable", "near_mtu": 1280},
    "large-interface": {"kind": "cable", "near_mtu": 9000, **FOUR},
    "nothing-passes": {"kind": "cable", "most_up": 500, **FOUR},
    "no-name": {"kind": "cable", **FOUR, "settings": {"server": "nowhere.test:1", "handshake_timeout": 1.0}},
}


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """The measurements on every line, by its name."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun cannot be opened; modprobe tun")
    folder = tmp_path_factory.mktemp("lines")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("far.test", key_type=trustme.KeyType.RSA)  # too large for one small packet
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "chain.pem")
    tls = {
        "chain": str(folder / "chain.pem"),
        "settings": {"tls": True, "ca": str(folder / "ca.pem"), "handshake_timeout": 2.0},
    }
    plans = {name: plan | tls if plan.get("tls") else plan for name, plan in PLANS.items()}
    flags = "-nm" if os.geteuid() == 0 else "-Urnm"
    done = subprocess.run(
        ["unshare", flags, sys.executable, str(Path(__file__).with_name("path_cable.py")), json.dumps(plans), str(folder)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    found = {name: json.loads((folder / f"{name}.json").read_text()) for name in plans}
    return {
        name: [{(each["metric"], each["details"]["family"]): each for each in run} for run in runs]
        for name, runs in found.items()
    }


def mtu(lines, name, family="IPv4", run=0):
    return lines[name][run]["path_mtu", family]


def told(each, *names):
    return (each["value"], *(each["details"].get(name) for name in names))


def changes(lines, name, family="IPv4"):
    return lines[name][0]["path_changes", family]["details"]["changes"]


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_a_line_like_the_interface_passes_what_the_interface_sends(lines, family):
    found = mtu(lines, "wide", family)
    assert told(found, "found_by", "mtu_down", "black_hole", "interface_mtu") == (1500, "interface", 1500, False, 1500)
    assert lines["wide"][0]["path_changes", family]["value"] == 0
    assert found["details"]["seconds"] < 2


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_a_narrow_link_behind_a_router_is_learnt_from_the_router_and_then_known(lines, family):
    assert told(mtu(lines, "routers", family), "found_by", "mtu_down", "black_hole") == (1400, "icmp", 1400, False)
    assert told(mtu(lines, "routers", family, run=1), "found_by", "mtu_down") == (1400, "route", 1400)
    assert changes(lines, "routers", family) == []


@pytest.mark.parametrize(("name", "family"), [("hole-up", "IPv4"), ("hole-up-six", "IPv6")])
def test_packets_that_vanish_without_a_word_are_found_to_the_byte(lines, name, family):
    found = mtu(lines, name, family)
    assert told(found, "found_by", "black_hole", "mtu_down", "black_hole_down") == (1400, "search", True, 1500, False)


def test_a_hole_the_other_way_shows_although_not_even_the_certificate_came_through_it(lines):
    found = mtu(lines, "hole-down-tls")
    assert told(found, "found_by", "mtu_down", "found_by_down", "black_hole_down") == (1500, "interface", 1200, "search", True)
    assert changes(lines, "hole-down-tls") == []


def test_a_kernel_that_works_around_a_hole_does_not_hide_it(lines):
    assert told(mtu(lines, "hole-probing"), "found_by", "black_hole") == (1321, "search", True)


@pytest.mark.parametrize(
    ("name", "family", "mss", "size"),
    [("clamp", "IPv4", 1400, 1440), ("clamp", "IPv6", 1400, 1460), ("clamp-pppoe", "IPv4", 1452, 1492)],
)
def test_a_rewritten_mss_is_told_and_bounds_what_can_be_said(lines, name, family, mss, size):
    found = mtu(lines, name, family)
    assert told(found, "found_by", "mtu_down", "mss_clamped", "mss_up", "mss_down") == (size, "mss", size, True, mss, mss)
    assert changes(lines, name, family) == ["mss-clamped"]


def test_without_timestamps_the_sums_are_right_too(lines):
    assert told(mtu(lines, "clamp-plain"), "found_by", "mss_announced", "mss_up") == (1492, "mss", 1460, 1452)
    assert changes(lines, "clamp-plain") == ["mss-clamped"]


def test_a_route_s_own_limit_is_no_discovery(lines):
    assert told(mtu(lines, "route"), "found_by", "interface_mtu") == (1420, "route", 1500)
    assert changes(lines, "route") == []


def test_an_interface_smaller_or_larger_than_the_far_end_s_is_no_clamping(lines):
    for family in ("IPv4", "IPv6"):
        assert told(mtu(lines, "small-interface", family), "found_by", "mss_clamped") == (1280, "interface", False)
    assert told(mtu(lines, "large-interface"), "found_by", "mss_clamped", "interface_mtu") == (1500, "mss", False, 9000)


def test_a_line_that_passes_no_full_packet_at_all_fails(lines):
    found = mtu(lines, "nothing-passes")
    assert (found["value"], found["failure"]) == (None, "timeout")
    assert "576" in found["details"]["reason"]


def test_a_family_that_this_host_has_not_is_unreachable(lines):
    for metric in ("path_mtu", "path_changes"):
        assert lines["hole-up"][0][metric, "IPv6"]["failure"] == "unreachable"
        assert lines["hole-up-six"][0][metric, "IPv4"]["failure"] == "unreachable"


def test_a_name_that_nobody_knows_fails_once_for_each_family(lines):
    (run,) = lines["no-name"]
    assert {key: each["failure"] for key, each in run.items()} == {
        ("path_mtu", "IPv4"): "dns-failed",
        ("path_mtu", "IPv6"): "dns-failed",
    }
