import msgspec
import pytest

from netready.access import Barrier, FilterPage, Nominated
from netready.refusal import Unfit, fit
from netready.site import Site

NETWORKS = [
    {"name": "students", "people": "student", "interface": "eth0.20"},
    {"name": "teachers", "people": "staff", "source": "10.20.30.9"},
]
FACTS = {"name": "Lincoln", "students": 480, "staff": 40, "classrooms": 24, "nominated": NETWORKS}
PAGE = {"url": "http://test.filter.example/", "shows": "a test page", "blocked": ["students"]}
BARRIER = {"name": "Records", "address": "10.20.5.10", "port": 443, "networks": ["students"]}
UNKNOWN = "which is not among the nominated"


def test_a_page_may_differ_from_network_to_network():
    page = msgspec.convert(PAGE | {"open": ["teachers"]}, FilterPage)
    assert page.told == (("students", True), ("teachers", False))


@pytest.mark.parametrize(("address", "place"), [("10.20.5.10", "10.20.5.10:443"), ("fd00::1", "[fd00::1]:443")])
def test_a_barrier_is_written_with_its_port(address, place):
    assert Barrier(name="Records", address=address, port=443, networks=("students",)).place == place


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"nominated": [{"name": "students", "people": "student"}]},
            "site.nominated[0]: network students: expected interface or source, which say where this machine meets it",
        ),
        (
            {"nominated": [NETWORKS[1] | {"source": "10.20.30"}]},
            "site.nominated[0]: source: '10.20.30' is not an address such as 10.20.0.9",
        ),
        (
            {"nominated": [NETWORKS[0] | {"resolver": "dns.school.test"}]},
            "site.nominated[0]: resolver: 'dns.school.test' is not an address such as 10.20.0.9",
        ),
        (
            {"nominated": [NETWORKS[0] | {"people": "pupils"}]},
            'site.nominated[0].people: expected one of guest, other, staff, student; got "pupils"',
        ),
        (
            {"nominated": [NETWORKS[0], NETWORKS[0]]},
            "site: nominated: expected each network once; students stands there again",
        ),
        (
            {"endpoints": [{"name": "SIS", "url": "https://sis.school.test/", "networks": ["teacher"]}]},
            f"site: endpoints: SIS names the network teacher, {UNKNOWN}; did you mean teachers?",
        ),
        (
            {"filter_pages": [PAGE], "nominated": []},
            f"site: filter_pages: http://test.filter.example/ names the network students, {UNKNOWN}; no network is nominated",
        ),
        (
            {"filter_pages": [PAGE | {"blocked": []}]},
            "site.filter_pages[0]: expected a network in blocked or open, or in each",
        ),
        (
            {"filter_pages": [PAGE | {"open": ["students"]}]},
            "site.filter_pages[0]: expected students in blocked or in open, not in both",
        ),
        ({"barriers": [BARRIER | {"networks": ["guests"]}]}, f"site: barriers: Records names the network guests, {UNKNOWN}; "),
        ({"barriers": [BARRIER | {"address": ""}]}, "site.barriers[0]: address: '' is not an address such as 10.20.0.9"),
        ({"barriers": [BARRIER | {"port": 0}]}, "site.barriers[0].port: expected a whole number >= 1"),
        (
            {"circuits": [{"name": "Fibre", "contracted_down": 1e8, "contracted_up": 1e8, "source": "eth1"}]},
            "site.circuits[0]: source: 'eth1' is not an address such as 10.20.0.9",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(change, message):
    with pytest.raises(Unfit) as refused:
        fit(FACTS | change, "netready.toml", Site, "site")
    assert str(refused.value).startswith(f"netready.toml: {message}")


def test_a_network_needs_only_one_way_in():
    assert Nominated(name="students", people="student", interface="eth0.20").source == ""
