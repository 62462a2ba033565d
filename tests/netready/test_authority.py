from ipaddress import ip_network

import pytest

from netready.authority import Authority, Refused

ALLOWED = Authority(networks=(ip_network("10.20.0.0/24"),), hosts=frozenset({"192.0.2.10", "lms.school.test"}), widest=256)


@pytest.mark.parametrize("network", ["10.20.0.0/24", "10.20.0.128/25", "10.20.0.7/32"])
def test_a_network_inside_an_authorised_one_may_be_scanned(network):
    assert ALLOWED.allow_scan(network) == ip_network(network)


@pytest.mark.parametrize("network", ["10.20.0.0/16", "10.21.0.0/24", "8.8.8.0/24", "0.0.0.0/0", "fe80::/64"])
def test_any_other_network_is_refused(network):
    with pytest.raises(Refused, match="is not inside an authorised network .* nothing was sent"):
        ALLOWED.allow_scan(network)


def test_a_network_that_is_authorised_but_too_wide_is_refused():
    wide = Authority(networks=(ip_network("10.0.0.0/8"),), widest=4096)
    with pytest.raises(Refused, match=r"has 65,536 addresses, more than survey.widest_scan allows \(4,096\)"):
        wide.allow_scan("10.20.0.0/16")


@pytest.mark.parametrize("text", ["10.20.0.0/33", "school", "10.20.0.1/24", ""])
def test_what_is_not_a_network_is_refused(text):
    with pytest.raises(Refused, match="is not a network"):
        ALLOWED.allow_scan(text)


@pytest.mark.parametrize("host", ["192.0.2.10", "LMS.school.test.", "10.20.0.9", "127.0.0.1", "::1", "[::1]", "localhost"])
def test_named_hosts_loopback_and_authorised_addresses_are_allowed(host):
    assert ALLOWED.allow_host(host) == host


@pytest.mark.parametrize("host", ["8.8.8.8", "192.0.2.11", "10.21.0.1", "example.test", "2001:db8::1"])
def test_any_other_host_is_refused(host):
    with pytest.raises(Refused, match="nothing was sent"):
        ALLOWED.allow_host(host)
