import time

import pytest

from netready.authority import Refused
from netready.failure import Failed, Failure
from netready.site import Endpoint, Role, Site
from probes import sso
from probes.page import Visit

PASSWORD = b"<form action=/go><input name=u><input id='p' type='password'></form>"


def answer(body=b"", status=b"200 OK", location=""):
    head = f"Location: {location}\r\n".encode() if location else b""
    return b"HTTP/1.1 " + status + b"\r\n" + head + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


def to(location):
    return lambda _path, _peer: answer(status=b"302 Found", location=location)


def signs_in(_path, _peer):
    return answer(PASSWORD)


def sign_in(context, *urls, **table):
    apps = tuple(Endpoint(name=f"App {n}", url=url, student_data=True) for n, url in enumerate(urls))
    return list(sso.read(sso.Settings(apps=apps, **{"timeout": 2} | table), context))


def test_each_app_is_followed_to_the_host_where_people_sign_in(context, web, tls_for, ca_file):
    identity = web(signs_in, "127.0.0.3", tls_for("127.0.0.3"))
    broker = web(to(f"{identity}/login?app=1"), "127.0.0.4", tls_for("127.0.0.4"))
    one = web(to(f"{broker}/"), "127.0.0.5", tls_for("127.0.0.5"))
    two = web(to(f"{identity}/login"), "127.0.0.6", tls_for("127.0.0.6"))
    own = web(signs_in, "127.0.0.7", tls_for("127.0.0.7"))
    found = sign_in(context, one, two, own, identity="127.0.0.3", ca_file=ca_file)
    assert [each.value for each in found] == [2, 1, 0]
    assert [each.details["landed"] for each in found] == ["127.0.0.3", "127.0.0.3", "127.0.0.7"]
    assert [each.details["how"] for each in found] == ["redirect", "redirect", "password"]
    assert [each.details["encrypted"] for each in found] == [True, True, True]
    assert found[0].details["tls_version"] in {"TLSv1.2", "TLSv1.3"}
    assert found[0].details["final"] == f"{identity}/login"


def test_one_hop_without_tls_is_told(context, web, tls_for, ca_file):
    identity = web(signs_in, "127.0.0.3", tls_for("127.0.0.3"))
    (found,) = sign_in(context, web(to(identity), "127.0.0.4"), ca_file=ca_file)
    assert (found.details["landed"], found.details["encrypted"]) == ("127.0.0.3", False)


def test_nothing_is_ever_submitted(context, web):
    paths = []

    def pages(path, _peer):
        paths.append(path)
        return answer(PASSWORD)

    sign_in(context, web(pages) + "/login")
    assert paths == ["/login"]


def test_a_saml_request_that_a_form_hands_on_leads_to_the_forms_host_and_is_not_sent(context, web):
    asked = []
    identity = web(lambda path, _peer: asked.append(path), "127.0.0.3")
    form = f'<form method=post action="{identity}/sso?a=1&amp;b=2"><input type=hidden name="SAMLRequest" value=x></form>'
    (found,) = sign_in(context, web(lambda _path, _peer: answer(form.encode())))
    assert (found.value, found.details["landed"], found.details["how"]) == (0, "127.0.0.3", "form")
    assert asked == []


def test_a_page_that_neither_asks_nor_leads_on_is_inconclusive(context, web):
    (found,) = sign_in(context, web(lambda _path, _peer: answer(b"<script>location='/x'</script>")))
    assert found.failure is Failure.INCONCLUSIVE
    assert found.details["reason"] == (
        "the page at 127.0.0.1 neither asks for a password nor leads elsewhere; a script may do so"
    )


def test_with_a_named_identity_a_page_elsewhere_without_a_password_is_inconclusive(context, web):
    other = web(lambda _path, _peer: answer(b"choose your school"), "127.0.0.4")
    app = web(to(other), "127.0.0.5")
    assert sign_in(context, app)[0].details["landed"] == "127.0.0.4"
    assert sign_in(context, app, identity="127.0.0.3")[0].failure is Failure.INCONCLUSIVE


@pytest.mark.parametrize("status", [b"400 Bad Request", b"500 Oops"])
def test_an_error_at_the_identity_provider_still_shows_that_it_was_reached(context, web, status):
    app = web(to(web(lambda _path, _peer: answer(status=status), "127.0.0.3")), "127.0.0.5")
    assert sign_in(context, app, identity="127.0.0.3")[0].details["landed"] == "127.0.0.3"
    assert sign_in(context, app)[0].failure is Failure.HTTP_STATUS


def test_a_loop_ends_within_its_bound(context, web):
    turns = iter(range(1000))
    (found,) = sign_in(context, web(lambda _path, _peer: to(f"/{next(turns)}")("", "")), max_redirects=4)
    assert found.failure is Failure.REDIRECT_LOOP
    assert next(turns) == 5


def test_a_host_that_nobody_named_is_not_asked(context, web):
    (found,) = sign_in(context, web(to("https://idp.example.test/login")))
    assert found.failure is Failure.NOT_AUTHORISED
    assert found.details["reason"].startswith("redirected to idp.example.test, which is not named")


def test_an_app_that_nobody_named_is_refused_before_the_first_packet(context, web):
    asked = []
    with pytest.raises(Refused):
        sign_in(context, web(lambda path, _peer: asked.append(path)), "https://app.example.test/")
    assert asked == []


@pytest.mark.parametrize("piece", [b"<form ", b"<input ", b"<form action='", b"name=SAMLRequest<form "])
def test_a_hostile_page_costs_little_time(piece):
    visit = Visit(host="127.0.0.1", final="http://127.0.0.1/", page=piece * (sso.KEPT // len(piece)))
    begun = time.monotonic()
    with pytest.raises(Failed, match="neither asks for a password nor leads elsewhere"):
        sso.landing("http://127.0.0.1/", visit, "")
    assert time.monotonic() - begun < 2


def test_the_apps_are_the_sites_endpoints_with_student_data():
    site = Site(
        name="S",
        students=1,
        staff=1,
        classrooms=1,
        endpoints=(
            Endpoint(name="SIS", url="https://sis.test/", role=Role.SIS, student_data=True, login="https://login.sis.test/in"),
            Endpoint(name="Web", url="https://www.test/", role=Role.WEBSITE),
        ),
    )
    fitted = sso.fit(sso.Settings(identity="idp.test", follow=("broker.test",)), site)
    assert [app.name for app in fitted.apps] == ["SIS"]
    assert set(sso.INSTRUMENT.hosts(fitted)) == {"login.sis.test", "idp.test", "broker.test"}
    assert sso.INSTRUMENT.wanted(fitted)
    assert not sso.INSTRUMENT.wanted(sso.Settings())
