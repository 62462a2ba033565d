import socket

import pytest

from netready.access import FilterPage, Nominated, People
from netready.authority import Refused
from netready.failure import Failure
from netready.site import Site
from probes import content_filter

STUDENT, STAFF = "127.0.0.2", "127.0.0.3"
NETWORKS = (
    Nominated(name="students", people=People.STUDENT, source=STUDENT),
    Nominated(name="teachers", people=People.STAFF, source=STAFF),
)
SHOWS = "This page is for testing filters"
TIERED = {"blocked": ("students",), "open": ("teachers",)}


def answer(body, status="200 OK", **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{key}: {value}" for key, value in headers.items())]
    return "\r\n".join([*lines, "", body]).encode()


def by_peer(**answers):
    """A page behind a filter that tells students from staff by their address, as a real one does."""
    who = {STUDENT: "student", STAFF: "staff"}
    return lambda _path, peer: answers[who[peer]]


REAL = answer(f"<p>{SHOWS}</p>")


def looks(context, url, page=TIERED, **table):
    settings = content_filter.Settings(
        pages=(FilterPage(url=url, shows=SHOWS, **page),), nominated=NETWORKS, **{"timeout": 1} | table
    )
    return {each.details["network"]: each for each in content_filter.read(settings, context)}


def test_a_filter_with_tiers_is_seen_from_both_networks(context, web):
    url = web(by_peer(student=answer("Blocked by School Filter", "403 Forbidden"), staff=REAL))
    found = looks(context, url, block_words=("Blocked by School Filter",))
    assert {name: each.value for name, each in found.items()} == {"students": 1, "teachers": 0}
    student = found["students"]
    assert student.target == f"{url} from students"
    assert (student.details["people"], student.details["must"]) == ("student", "blocked")
    assert student.details["how"] == "the filter's own page"
    assert found["teachers"].details["how"] == "the page itself"


def test_a_visit_that_is_sent_to_the_filters_host_is_blocked(context, web):
    block = web(lambda _path, _peer: answer("sorry"), "127.0.0.9")
    url = web(by_peer(student=answer("", "302 Found", Location=f"{block}/why?u=1"), staff=REAL))
    found = looks(context, url, block_hosts=("127.0.0.9",))
    assert (found["students"].value, found["students"].details["how"]) == (1, "sent to 127.0.0.9")


def test_a_name_that_leads_to_a_sinkhole_is_blocked(context, web):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for url in (web(lambda _path, _peer: answer("parked")), f"http://127.0.0.1:{closed.getsockname()[1]}"):
            found = looks(context, url, sinkholes=("127.0.0.1",))
            assert (found["students"].value, found["students"].details["how"]) == (1, "its name leads to 127.0.0.1")


def test_a_reset_counts_as_blocked_only_where_the_page_opened_elsewhere(context, web):
    found = looks(context, web(by_peer(student=None, staff=REAL)))
    assert found["students"].value == 1
    assert found["students"].details["how"] == "reset, while it opened from teachers"
    for each in looks(context, web(by_peer(student=None, staff=None))).values():
        assert (each.value, each.failure) == (None, Failure.RESET)


def test_a_denial_without_the_filters_words_counts_only_beside_a_page_that_opened(context, web):
    denied = answer("no", "451 Unavailable For Legal Reasons")
    assert looks(context, web(by_peer(student=denied, staff=REAL)))["students"].value == 1
    assert looks(context, web(by_peer(student=denied, staff=denied)))["students"].failure is Failure.HTTP_STATUS
    broken = answer("no", "500 Oops")
    assert looks(context, web(by_peer(student=broken, staff=REAL)))["students"].failure is Failure.HTTP_STATUS


def test_another_page_than_the_test_page_is_neither_blocked_nor_open(context, web):
    found = looks(context, web(by_peer(student=answer("Welcome to the hotel"), staff=REAL)))
    assert found["students"].failure is Failure.INCONCLUSIVE
    assert found["students"].details["reason"] == "a page came that is neither the test page nor the filter's"


def test_an_open_page_says_so_also_where_it_must_be_blocked(context, web):
    found = looks(context, web(lambda _path, _peer: REAL), page={"blocked": ("students", "teachers")})
    assert {each.value for each in found.values()} == {0}


def test_a_test_host_that_is_down_says_nothing(context):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = looks(context, f"http://127.0.0.1:{closed.getsockname()[1]}/", block_words=("Blocked",))
    assert {each.failure for each in found.values()} == {Failure.REFUSED}


def test_a_network_that_this_machine_is_not_in_is_its_own_trouble(context, web):
    away = (Nominated(name="students", people=People.STUDENT, interface="nosuch0"), NETWORKS[1])
    settings = content_filter.Settings(pages=(FilterPage(url=web(lambda *_: REAL), shows=SHOWS, **TIERED),), nominated=away)
    found = {each.details["network"]: each for each in content_filter.read(settings, context)}
    assert found["students"].failure is Failure.LOCAL_RESOURCES
    assert found["teachers"].value == 0


def test_a_page_that_nobody_named_is_refused_before_the_first_packet(context):
    with pytest.raises(Refused):
        looks(context, "http://192.0.2.1/")


def test_the_sites_pages_and_networks_are_used_and_the_filters_hosts_are_named():
    page = FilterPage(url="http://test.example/", shows=SHOWS, **TIERED)
    site = Site(name="S", students=1, staff=1, classrooms=1, nominated=NETWORKS, filter_pages=(page,))
    fitted = content_filter.fit(content_filter.Settings(block_hosts=("block.example",)), site)
    assert (fitted.pages, fitted.nominated) == ((page,), NETWORKS)
    assert set(content_filter.hosts(fitted)) >= {"test.example", "block.example"}
    assert content_filter.INSTRUMENT.missing(fitted) is None


def test_a_sinkhole_that_is_no_address_is_refused():
    with pytest.raises(ValueError, match="address: 'block.example' is not an address such as"):
        content_filter.Settings(sinkholes=("block.example",))
