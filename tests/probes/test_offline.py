import pytest

from netready.access import Stored
from netready.authority import Refused
from netready.failure import Failure
from netready.site import Site
from probes import offline


def opened(context, url, shows="Chapter one"):
    (found,) = offline.read(offline.Settings(stored=(Stored(name="Library", url=url, shows=shows),), timeout=1), context)
    return found


def page(body):
    return lambda _path, _peer: b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


def test_material_that_opens_is_timed(context, web):
    found = opened(context, web(page(b"x" * 300_000 + b"Chapter one")))
    assert found.metric == "stored_page_time"
    assert 0 < found.value < 1
    assert found.details["bytes_received"] > 300_000


def test_a_page_without_the_materials_words_is_not_the_material(context, web):
    found = opened(context, web(page(b"Please sign in")))
    assert found.failure is Failure.MALFORMED
    assert found.details["reason"] == "a page came, without the words that the material shows"


def test_a_redirect_to_a_host_outside_the_school_is_not_followed(context, web):
    away = web(lambda _path, _peer: b"HTTP/1.1 302 Found\r\nLocation: http://cdn.example.test/\r\n\r\n")
    assert opened(context, away).failure is Failure.NOT_AUTHORISED


def test_a_name_is_followed_only_to_an_address_of_the_school(context_for, web):
    url = web(page(b"Chapter one")).replace("127.0.0.1", "localhost")
    assert opened(context_for(), url).value is not None
    # An address that was named for another purpose is not material kept in the school.
    found = opened(context_for(hosts=("203.0.113.9",)), "http://203.0.113.9/")
    assert (found.failure, found.details["bytes_sent"]) == (Failure.NOT_AUTHORISED, 0)
    assert found.details["reason"] == "203.0.113.9 is outside the authorised networks; nothing was sent"


def test_an_address_outside_the_authorised_networks_is_refused_before_the_first_packet(context):
    with pytest.raises(Refused):
        opened(context, "http://203.0.113.9/")


def test_only_names_are_allowed_by_being_named():
    site = Site(
        name="S",
        students=1,
        staff=1,
        classrooms=1,
        stored=(
            Stored(name="A", url="http://10.20.0.7/", shows="Chapter"),
            Stored(name="B", url="http://library.school.test/", shows="Chapter"),
        ),
    )
    fitted = offline.fit(offline.Settings(), site)
    assert offline.hosts(fitted) == ("library.school.test",)
    assert offline.targets(fitted) == ("10.20.0.7",)
