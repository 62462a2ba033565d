"""M-Lab's Locate API: when it may be asked, and what is believed of its answers. No packet is sent here."""

import random
from datetime import UTC, datetime, timedelta
from statistics import mean
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.authority import Authority, Refused
from netready.failure import Failed, Failure
from probes.throughput import locate
from probes.throughput.locate import LOCATE_MOST, LOCATE_WINDOW, MLAB, admit, allowed, missing, next_test, parse, pause
from probes.throughput.ndt7 import INSTRUMENT, read
from probes.throughput.settings import Direction, Endpoint, Throughput

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MACHINE = "mlab3-lga06.mlab-oti.measurement-lab.org"


def result(index=0, host=f"ndt-{MACHINE}", **changed):
    """One server of an answer, in the shape of Locate v2."""
    token = f"access_token=eyJhbGciOi.eyJhdWQi.c2ln&client_name=netready&index={index}&locate_version=v2&metro_rank={index}"
    urls = {
        f"{scheme}:///ndt/v7/{way}": f"{scheme}://{host}/ndt/v7/{way}?{token}"
        for scheme in ("ws", "wss")
        for way in ("download", "upload")
    }
    about = {"machine": MACHINE, "hostname": host, "location": {"city": "New York", "country": "US"}}
    return about | {"urls": urls | changed}


def answer(*results):
    return msgspec.json.encode({"results": results, "next_request": {"nbf": "2026-03-02T18:00:00Z", "url": "https://x/"}})


def test_the_servers_come_in_order_with_their_urls_verbatim():
    first, second = parse(answer(result(0), result(1, "ndt-mlab1-ewr01.mlab-oti.measurement-lab.org")), MLAB)
    assert first.where == Endpoint(f"ndt-{MACHINE}", 443)
    assert second.where.host == "ndt-mlab1-ewr01.mlab-oti.measurement-lab.org"
    assert first.targets[Direction.UP].startswith("/ndt/v7/upload?access_token=eyJhbGciOi.eyJhdWQi.c2ln&client_name=netready&")
    assert first.targets[Direction.DOWN].startswith("/ndt/v7/download?access_token=")


def test_at_most_four_are_tried():
    assert len(parse(answer(*(result(index) for index in range(9))), MLAB)) == 4


@pytest.mark.parametrize(
    "url",
    [
        "wss://ndt.example.org/ndt/v7/download?a=b",
        "wss://measurement-lab.org.example.org/ndt/v7/download",
        "wss://evilmeasurement-lab.org/ndt/v7/download",
        "wss://127.0.0.1/ndt/v7/download",
        "wss://10.0.0.1:443/ndt/v7/download",
        "wss://user@ndt.measurement-lab.org/ndt/v7/download",
        "wss://ndt.measurement-lab.org@10.0.0.1/ndt/v7/download",
        "ws://ndt.measurement-lab.org/ndt/v7/download",
        "https://ndt.measurement-lab.org/ndt/v7/download",
        "wss://ndt.measurement-lab.org/admin",
        "wss://ndt.measurement-lab.org/ndt/v7/download#x",
        "wss://ndt.measurement-lab.org/ndt/v7/download?a=b\r\nX: y",
        "wss://ndt.measurement-lab.org/ndt/v7/download?a=\u202e",
        "wss://ndt.measurement-lab.org:99999/ndt/v7/download",
        "wss://[fe80::1/ndt/v7/download",
        "wss:///ndt/v7/download",
        "",
        f"wss://ndt.measurement-lab.org/ndt/v7/download?{'a' * 5000}",
    ],
)
def test_a_url_that_is_no_m_lab_server_s_is_refused(url):
    with pytest.raises(Failed) as caught:
        parse(answer(result(0, **{"wss:///ndt/v7/download": url})), MLAB)
    assert caught.value.failure in {Failure.MALFORMED, Failure.NOT_AUTHORISED}


def test_two_servers_in_one_result_are_refused():
    other = {"wss:///ndt/v7/upload": "wss://ndt-other.measurement-lab.org/ndt/v7/upload"}
    with pytest.raises(Failed, match="two servers as one"):
        parse(answer(result(0, **other)), MLAB)


def test_a_refusal_shows_no_token():
    with pytest.raises(Failed) as caught:
        parse(answer(result(0, host="ndt.example.org")), MLAB)
    assert "example.org" in caught.value.reason
    assert "eyJ" not in caught.value.reason


@given(
    st.one_of(st.binary(max_size=100), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(msgspec.json.encode))
)
def test_rubbish_is_one_kind_of_refusal(body):
    with pytest.raises(Failed) as caught:
        parse(body, MLAB)
    assert caught.value.failure is Failure.MALFORMED


@pytest.mark.parametrize(
    "body",
    [b"[" * 50_000, b"{}", b'{"results":[]}', b'{"results":[{"urls":{}}]}', b'{"results":[{"urls":{"wss:///":5}}]}', b""],
)
def test_answers_without_servers_are_malformed(body):
    with pytest.raises(Failed) as caught:
        parse(body, MLAB)
    assert caught.value.failure is Failure.MALFORMED


def test_our_own_words_are_appended_and_no_key_comes_twice():
    target = parse(answer(result(0)), MLAB)[0].targets[Direction.DOWN]
    whole = locate.with_metadata(target, {"client_name": "netready", "client_os": "linux"})
    assert whole == f"{target}&client_os=linux"
    assert locate.with_metadata("/ndt/v7/upload", {"a": "b c"}) == "/ndt/v7/upload?a=b+c"
    keys = [key for key, _ in parse_qsl(whole.partition("?")[2])]
    assert len(keys) == len(set(keys))


def test_forty_requests_are_allowed_in_twelve_hours_and_no_more():
    asked = [NOON - timedelta(minutes=minute) for minute in range(LOCATE_MOST)]
    assert allowed(asked[1:], NOON) is None
    assert allowed(asked, NOON) == asked[-1] + LOCATE_WINDOW
    assert allowed(asked, asked[-1] + LOCATE_WINDOW) is None
    assert allowed([*asked, *asked], NOON) == asked[19] + LOCATE_WINDOW
    assert allowed([], NOON) is None


def test_moments_from_before_a_clock_was_set_back_do_not_block_for_long():
    assert allowed([NOON + timedelta(hours=1)] * LOCATE_MOST, NOON) == NOON + timedelta(hours=13)
    assert allowed([NOON + timedelta(days=300)] * LOCATE_MOST, NOON) is None


@given(st.lists(st.integers(0, 60 * 24), max_size=150), st.integers(0, 60 * 24))
def test_whoever_waits_as_told_never_exceeds_the_limit(minutes, minute):
    now = NOON + timedelta(minutes=minute)
    asked = [NOON + timedelta(minutes=each) for each in minutes if each <= minute]
    when = allowed(asked, now) or now
    assert when >= now
    assert sum(when - LOCATE_WINDOW < each <= when for each in asked) < LOCATE_MOST


def test_the_schedule_is_memoryless_with_a_mean_of_six_hours_within_its_bounds():
    drawn = [next_test(random.Random(seed)) for seed in range(4000)]
    assert min(drawn) >= 2_160
    assert max(drawn) <= 54_000
    assert mean(drawn) == pytest.approx(20_000, rel=0.05)  # six hours, a little less for the bound above


def test_pauses_double_from_a_minute_to_sixteen():
    class Middle(random.Random):
        def random(self):
            return 0.5

    assert [pause(count, Middle()) for count in (1, 2, 3, 5, 6, 100)] == [60, 120, 240, 960, 960, 960]
    assert all(57 <= pause(1, random.Random(seed)) <= 63 for seed in range(100))


def test_without_consent_nothing_is_asked_and_the_setting_is_named(context):
    silent = Throughput(locate=True)
    assert "publishes every test" in missing(silent)
    assert "public IP address" in missing(silent)
    assert "throughput.accept_mlab_policy" in missing(silent)
    assert INSTRUMENT.missing(silent) == missing(silent)
    with pytest.raises(Refused, match="accept_mlab_policy"):
        next(read(silent, context))


def test_a_server_and_locate_together_are_a_contradiction(context):
    both = Throughput(locate=True, accept_mlab_policy=True, server="h:1")
    assert "throughput.server (h:1) and throughput.locate" in INSTRUMENT.missing(both)
    with pytest.raises(Refused, match="not both"):
        next(read(both, context))


def test_with_consent_only_the_locate_api_is_named_in_advance():
    agreed = Throughput(locate=True, accept_mlab_policy=True)
    assert INSTRUMENT.missing(agreed) is None
    assert INSTRUMENT.hosts(agreed) == ("locate.measurementlab.net",)
    assert INSTRUMENT.missing(Throughput(accept_mlab_policy=True)) == "no test server is named in [throughput]"


def test_a_checked_server_is_admitted_and_nothing_else():
    (server,) = parse(answer(result(0)), MLAB)
    wider = admit(Authority(hosts=frozenset({"locate.measurementlab.net"})), server)
    assert wider.allow_host(server.where.host)
    with pytest.raises(Refused):
        wider.allow_host("ndt-other.measurement-lab.org")


def test_m_lab_is_only_asked_and_tested_over_tls():
    assert MLAB.url.startswith("https://locate.measurementlab.net/v2/nearest/ndt/ndt7")
    assert MLAB.scheme == "wss"
