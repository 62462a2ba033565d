"""A survey from two networks of one school, over real packets: its probes see what each network sees."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def surveyed(unshared, tmp_path_factory):
    return unshared(HERE / "access_networks.py", str(tmp_path_factory.mktemp("networks")), timeout=60)


@pytest.mark.namespaces
def test_every_probe_ran(surveyed):
    assert set(surveyed["runs"].values()) == {""}


@pytest.mark.namespaces
def test_pages_come_from_each_network_by_its_own_name_server(surveyed):
    pages = [reading[1:] for reading in surveyed["readings"] if reading[0] == "http_total_time"]
    assert {target: failure for target, _, failure in pages if "lms.test" in target} == {
        "http://lms.test/ from students": None,
        "http://lms.test/ from teachers": None,
    }
    assert [target for target, _, _ in pages if "10.91.9.82" in target] == ["https://10.91.9.82/ from teachers"]
    assert surveyed["facts"]["platform_success lms"][0] == 1


@pytest.mark.namespaces
def test_the_filters_tiers_are_told_apart(surveyed):
    blocked = {target: value for metric, target, value, _ in surveyed["readings"] if metric == "page_blocked"}
    assert blocked == {
        "http://war.test/ from students": 1,
        "http://war.test/ from teachers": 0,
        "http://bad.test/ from students": 1,
        "http://bad.test/ from teachers": 1,
    }
    for name in ("filter_blocks", "filter_open", "filter_tiers"):
        assert surveyed["facts"][name][0] == 1, surveyed["facts"][name]


@pytest.mark.namespaces
def test_what_is_barred_for_students_is_out_of_their_reach_alone(surveyed):
    (crossed,) = [reading for reading in surveyed["readings"] if reading[0] == "barrier_crossed"]
    assert crossed == ["barrier_crossed", "10.91.5.10:8443 from students", 0, None]
    assert surveyed["facts"]["network_rules"] == [1, "5 of 5 hold"]


@pytest.mark.namespaces
def test_one_sign_in_two_circuits_and_stored_material_are_seen(surveyed):
    for name, value in (("single_sign_on", 1), ("circuits_working", 2), ("stored_material", 1)):
        assert surveyed["facts"][name][0] == value, surveyed["facts"][name]


@pytest.mark.namespaces
def test_a_kernel_that_drops_what_comes_back_is_this_machines_own_trouble(surveyed):
    lms = {target: (failure, reason) for target, failure, reason in surveyed["strict"] if "10.91.9.80" in target}
    assert lms["http://10.91.9.80/ from teachers"] == (None, "")
    failure, reason = lms["http://10.91.9.80/ from students"]
    assert failure == "local-resources"
    assert reason == "the kernel drops what comes back to student0; set net.ipv4.conf.student0.rp_filter to 2"
