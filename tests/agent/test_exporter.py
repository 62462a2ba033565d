"""What Prometheus reads: names, units, what is left out, and a web server that strangers cannot hang or break."""

import contextlib
import http.client
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent import exporter, exposition
from agent.exporter import Exporter, serve
from agent.snapshot import State
from netready import __version__
from netready.device import Device, Kind
from netready.failure import Failure
from netready.measurement import Measurement
from netready.metric import CATALOGUE, Unit
from netready.survey import Run, Survey
from readiness.gate import Decision
from readiness.judgement import Judgement

GOLDEN = Path(__file__).parents[1] / "golden"
MORNING = datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC)


class Visit(msgspec.Struct, frozen=True):
    survey: Survey
    judgement: Judgement
    decisions: tuple[Decision, ...]


@pytest.fixture
def visit() -> Visit:
    return msgspec.json.decode((GOLDEN / "visit.json").read_bytes(), type=Visit)


@pytest.fixture
def state(visit: Visit) -> State:
    state = State(interval=6 * 3600.0)
    state.publish(visit.survey, visit.judgement, visit.decisions)
    return state


@pytest.fixture
def running(state: State) -> Iterator[Exporter]:
    with serve(state, "127.0.0.1", 0) as server:
        yield server


def survey(*measurements: Measurement, devices: tuple[Device, ...] = (), runs: tuple[Run, ...] = ()) -> Survey:
    return Survey(
        id="s",
        site="Lincoln",
        software="netready",
        started_at=MORNING,
        finished_at=MORNING + timedelta(minutes=2),
        measurements=measurements,
        devices=devices,
        runs=runs,
    )


def rtt(target: str, seconds: float = 0.01, *, at: datetime = MORNING, method: str = "latency/1") -> Measurement:
    return Measurement.of("latency_rtt", target, at, seconds, method)


def device(kind: Kind, *, address: str, name: str = "") -> Device:
    return Device(key=address, mac=None, addresses=(address,), names=(name,) if name else (), kind=kind, vendor=None)


def ask(server: Exporter, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def own_lines(text: str) -> str:
    """The page without what differs from machine to machine and from scrape to scrape."""
    passing = ("process_", "python_info", "netready_exporter_scrape_duration")
    kept = [
        line
        for line in text.splitlines(keepends=True)
        if not line.removeprefix("# HELP ").removeprefix("# TYPE ").startswith(passing)
    ]
    return "".join(kept).replace(f'version="{__version__}"', 'version="x.y.z"')


def samples(state: State) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its label values, in the order of the labels' names."""
    return {
        (sample.name, *(value for _name, value in sorted(sample.labels.items()) if value)): sample.value
        for family in state.families()
        for sample in family.samples
    }


def names(state: State) -> set[str]:
    return {key[0] for key in samples(state)}


# --- the page -----------------------------------------------------------------------------------------------------------


def test_page_is_the_golden_one(running: Exporter):
    _answer, body = ask(running, "/metrics")
    page = own_lines(body.decode())
    golden = GOLDEN / "metrics.txt"
    if os.environ.get("NETREADY_RENEW_GOLDEN"):
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8"), (
        "renew with: NETREADY_RENEW_GOLDEN=1 python -m pytest tests/agent/test_exporter.py"
    )


@pytest.mark.tool("promtool")
def test_promtool_has_nothing_to_say(running: Exporter):
    _answer, body = ask(running, "/metrics")
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False, timeout=10)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_families_keep_our_conventions(running: Exporter):
    _answer, _body = ask(running, "/metrics")
    _answer, body = ask(running, "/metrics")
    families = list(parse_text(body.decode()))
    assert len(families) > 60
    for family in families:
        assert family.documentation, family.name
        assert not family.name.endswith(
            ("_mbps", "_percent", "_ms", "_bits", "_bits_per_second", "_milliseconds", "_days_ago")
        ), family.name
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
            assert not {"type", "instance", "job", "le", "quantile"} & set(sample.labels), sample


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_catalogue_names_become_exporter_names_by_rule(name: str):
    endings = {
        Unit.BITS_PER_SECOND: "_bytes_per_second",
        Unit.SECONDS: "_seconds",
        Unit.BYTES: "_bytes",
        Unit.RATIO: "_ratio",
        Unit.COUNT: "",
        Unit.WATTS: "_watts",
    }
    found = exposition.exporter_name(name)
    if name in exposition.ELSEWHERE:
        assert found in {family.name for family in exposition.OWN.values()}
    elif CATALOGUE[name].counter:
        assert found == f"netready_{name}{endings[CATALOGUE[name].unit]}_total"
    else:
        assert found == f"netready_{name}{endings[CATALOGUE[name].unit]}"


def test_rates_are_bytes_per_second(state: State):
    found = samples(state)
    assert found["netready_throughput_down_bytes_per_second", "ndt7/1", "192.0.2.10:4433"] == 51_500_000
    assert found["netready_internet_rate_bytes_per_second", "down", "contracted"] == 62_500_000


def test_exact_values_of_a_failed_measurement_are_absent_and_counted(state: State):
    found = samples(state)
    assert ("netready_dns_lookup_time_seconds", "dns_lookup/1", "sis.example") not in found
    assert found["netready_measurement_success", "dns_lookup/1", "dns_lookup_time", "sis.example"] == 0
    assert found["netready_measurements_failed_total", "dns-nxdomain"] == 2
    assert {key[1] for key in found if key[0] == "netready_measurements_failed_total"} == {word.value for word in Failure}


def test_what_is_not_known_has_no_series(state: State):
    found = samples(state)
    assert ("netready_internet_rate_bytes_per_second", "up", "used") not in found
    assert ("netready_internet_target_met", "up", "2018") not in found
    assert ("netready_stage", "professional-learning", "machine") not in found
    assert found["netready_stage", "professional-learning", "attested"] == 1
    assert "netready_labs_and_carts" not in names(state)


def test_before_the_first_survey_only_the_agent_itself_is_on_the_page():
    assert {name.removesuffix("_total") for name in names(State())} == {
        "netready_build_info",
        "netready_surveys",
        "netready_survey_failures",
        "netready_survey_overruns",
        "netready_measurements",
        "netready_measurements_failed",
        "netready_series_dropped",
    }


def test_no_inventory_is_not_zero_devices():
    state = State()
    state.publish(survey(rtt("lms.example")), None, ())
    assert "netready_devices" not in names(state)


def test_every_kind_of_device_is_counted_once_somebody_looked():
    state = State()
    state.publish(survey(devices=(device(Kind.PRINTER, address="10.20.0.9"),)), None, ())
    found = samples(state)
    assert {key[1]: value for key, value in found.items() if key[0] == "netready_devices"} == {
        kind.value: float(kind is Kind.PRINTER) for kind in Kind
    }


def test_gate_says_one_answer_for_each_wave(state: State):
    found = samples(state)
    assert found["netready_gate_open", "pilot"] == 1
    assert found["netready_gate_open", "whole-school"] == 0
    assert found["netready_gate_open", "assessment"] == 0
    answers = [key[1:] for key, value in found.items() if key[0] == "netready_gate_answer" and value == 1]
    assert sorted(answers) == [("GO_WITH_CONDITIONS", "pilot"), ("INDETERMINATE", "assessment"), ("NO_GO", "whole-school")]


def test_a_second_survey_replaces_the_first_and_adds_to_the_counters():
    state = State()
    state.publish(
        survey(rtt("a.example"), Measurement.failed("packet_loss", "a.example", MORNING, Failure.TIMEOUT, "latency/1")),
        None,
        (),
    )
    later = MORNING + timedelta(hours=6)
    state.publish(survey(rtt("b.example", at=later)), None, ())
    state.survey_failed()
    state.survey_overran(2)
    found = samples(state)
    assert [key[2] for key in found if key[0] == "netready_latency_rtt_seconds"] == ["b.example"]
    assert found["netready_surveys_total",] == 2
    assert found["netready_measurements_total",] == 3
    assert found["netready_measurements_failed_total", "timeout"] == 1
    assert found["netready_survey_failures_total",] == 1
    assert found["netready_survey_overruns_total",] == 2
    assert found["netready_measurement_timestamp_seconds", "latency_rtt"] == later.timestamp()
    assert ("netready_measurement_timestamp_seconds", "packet_loss") not in found


def test_a_survey_from_an_earlier_run_is_shown_but_not_counted(visit: Visit):
    state = State()
    state.publish(visit.survey, visit.judgement, visit.decisions, fresh=False)
    found = samples(state)
    assert found["netready_surveys_total",] == 0
    assert found["netready_measurements_failed_total", "dns-nxdomain"] == 0
    assert found["netready_survey_timestamp_seconds",] == visit.survey.finished_at.timestamp()


def test_the_latest_of_two_readings_of_the_same_thing_is_shown():
    state = State()
    state.publish(survey(rtt("a", 0.2, at=MORNING + timedelta(seconds=9)), rtt("a", 0.1)), None, ())
    assert samples(state)["netready_latency_rtt_seconds", "latency/1", "a"] == 0.2


def test_two_methods_stay_two_series():
    state = State()
    state.publish(survey(rtt("a", 0.1, method="latency/1"), rtt("a", 0.2, method="latency/2")), None, ())
    assert [key[1] for key in samples(state) if key[0] == "netready_latency_rtt_seconds"] == ["latency/1", "latency/2"]


@pytest.mark.parametrize(
    "target", ["10.20.7.7", "10.20.7.7:443", "[fd00::7]:80", "http://marias-laptop/x", "MARIAS-LAPTOP eth0"]
)
def test_nobodys_own_device_becomes_a_label(target: str):
    theirs = Device(
        key="02:00:00:00:00:07",
        mac="02:00:00:00:00:07",
        addresses=("10.20.7.7", "fd00::7"),
        names=("Marias-Laptop",),
        kind=Kind.STUDENT_DEVICE,
        vendor=None,
    )
    state = State()
    state.publish(survey(rtt(target), rtt("10.20.0.1"), devices=(theirs,)), None, ())
    found = samples(state)
    assert [key[2] for key in found if key[0] == "netready_latency_rtt_seconds"] == ["10.20.0.1"]
    assert found["netready_series_dropped_total", "client-device"] == 1


def test_an_endpoint_that_the_site_names_is_shown_whatever_it_looks_like():
    computer = device(Kind.COMPUTER, address="10.20.0.80")
    page = Measurement.of("http_total_time", "http://10.20.0.80/", MORNING, 0.3, "http_fetch/1", role="lms")
    state = State()
    state.publish(survey(page, devices=(computer,)), None, ())
    assert samples(state)["netready_http_total_time_seconds", "http_fetch/1", "lms", "http://10.20.0.80/"] == 0.3


def test_a_password_in_a_url_stays_here():
    state = State()
    state.publish(survey(rtt("https://admin:hunter2@lms.example/")), None, ())
    assert "https://lms.example/" in {key[2] for key in samples(state) if key[0] == "netready_latency_rtt_seconds"}
    assert "hunter2" not in str(samples(state))


def test_ten_thousand_hostile_names_are_cut_and_counted():
    hostile = [f'a\ud800"\n\\{{}}\x00\u202e{number}' for number in range(10_000)]
    state = State()
    state.publish(survey(*map(rtt, hostile)), None, ())
    with serve(state, "127.0.0.1", 0) as server:
        answer, body = ask(server, "/metrics")
    assert answer.status == 200
    families = {family.name: family for family in parse_text(body.decode())}
    assert len(families["netready_latency_rtt_seconds"].samples) == exposition.SERIES_CAP
    dropped = {sample.labels["reason"]: sample.value for sample in families["netready_series_dropped"].samples}
    assert dropped["cap"] == 2 * (10_000 - exposition.SERIES_CAP)  # the value and whether it succeeded


hostile_text = st.text(st.characters(), max_size=200)


@given(st.lists(st.tuples(hostile_text, hostile_text, hostile_text), max_size=8))
@settings(max_examples=60)
def test_no_text_breaks_either_format(texts: list[tuple[str, str, str]]):
    readings = [Measurement.of("http_total_time", target, MORNING, 0.1, method, role=role) for target, method, role in texts]
    runs = tuple(Run(instrument=name, method="m/1", ok=True, seconds=1.0) for name, _method, _role in texts)
    state = State()
    state.publish(survey(*readings, runs=runs), None, ())
    registry = exporter.CollectorRegistry()
    registry.register(exporter._Scrape(state))
    app = exporter.make_wsgi_app(registry)
    for accept, parse in ((" ", parse_text), ("application/openmetrics-text; version=1.0.0", parse_openmetrics)):
        body = b"".join(app({"REQUEST_METHOD": "GET", "HTTP_ACCEPT": accept, "PATH_INFO": "/"}, lambda *_: None))
        found = {family.name: family for family in parse(body.decode())}
        seen = [tuple(sample.labels.items()) for sample in found["netready_build"].samples] if "netready_build" in found else []
        assert seen in ([], [(("version", __version__),)])
        series = [
            tuple(sorted(sample.labels.items()))
            for family in found.values()
            for sample in family.samples
            if "http" in family.name
        ]
        assert len(series) == len(set(series)) <= len(texts)
        assert bool(series) == bool(texts)


def test_a_scrape_never_sees_half_a_survey():
    state = State()
    stop = threading.Event()

    def keep_publishing() -> None:
        for seconds in range(1, 100_000):
            state.publish(survey(rtt("a", float(seconds)), rtt("b", float(seconds))), None, ())
            if stop.is_set():
                return

    writer = threading.Thread(target=keep_publishing)
    writer.start()
    try:
        seen = set()
        deadline = time.monotonic() + 5
        while len(seen) < 20 and time.monotonic() < deadline:
            found = samples(state)
            a = found.get(("netready_latency_rtt_seconds", "latency/1", "a"))
            if a is not None:
                assert found["netready_latency_rtt_seconds", "latency/1", "b"] == a == found["netready_surveys_total",]
                seen.add(a)
    finally:
        stop.set()
        writer.join()
    assert len(seen) == 20


# --- the server ---------------------------------------------------------------------------------------------------------


def test_ready_only_after_the_first_survey(visit: Visit):
    state = State()
    with serve(state, "127.0.0.1", 0) as server:
        assert ask(server, "/-/healthy")[0].status == 200
        assert ask(server, "/-/ready")[0].status == 503
        assert ask(server, "/metrics")[0].status == 200
        state.publish(visit.survey, None, ())
        assert ask(server, "/-/ready")[0].status == 200


def test_landing_page_is_plain_and_may_run_nothing(running: Exporter):
    answer, body = ask(running, "/")
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert b"2026-03-02 09:15 UTC" in body
    assert b"<script" not in body
    assert b'href="/metrics"' in body


def test_other_paths_and_methods_are_refused(running: Exporter):
    assert ask(running, "/etc/passwd")[0].status == 404
    assert ask(running, "/metrics/../metrics")[0].status == 404
    assert ask(running, "//[x/metrics")[0].status == 404
    assert ask(running, "/metrics?collect=everything")[0].status == 200
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer, _body = ask(running, "/metrics", method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert ask(running, "/metrics", "BREW")[0].status == 501


def test_head_has_the_headers_and_no_body(running: Exporter):
    answer, body = ask(running, "/", "HEAD")
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) > 100
    assert body == b""


def test_openmetrics_is_spoken_to_those_who_ask(running: Exporter):
    answer, body = ask(running, "/metrics", Accept="application/openmetrics-text; version=1.0.0,text/plain;q=0.5")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in parse_openmetrics(body.decode())}
    assert families["netready_interface_received_bytes"].unit == "bytes"
    assert families["netready_interface_received_bytes"].type == "counter"


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=abc",
        "application/openmetrics-text; version=",
        "application/openmetrics-text; version=1.x.y",
        "text/plain; version=\N{ARABIC-INDIC DIGIT ONE}",
        "text/plain; version=9.9\r\n X: y; escaping=nonsense",
        ",;=,;=" * 500,
    ],
)
def test_no_accept_header_breaks_a_scrape(running: Exporter, accept: str):
    with socket.create_connection((running.host, running.port), timeout=5) as connection:
        connection.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 ")
    assert b"\nX:" not in head
    assert b"netready_build_info" in body


def test_a_second_scrape_says_how_long_the_first_took(running: Exporter):
    assert b"scrape_duration" not in ask(running, "/metrics")[1]
    assert b"\nnetready_exporter_scrape_duration_seconds 0.0" in ask(running, "/metrics")[1]


@pytest.mark.parametrize("drip", [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA: b\r\n"])
def test_a_client_that_drips_is_cut_off(state: State, drip: bytes):
    with (
        serve(state, "127.0.0.1", 0, request_seconds=0.4) as server,
        socket.create_connection((server.host, server.port), timeout=5) as slow,
    ):
        begun = time.monotonic()
        slow.sendall(drip)
        while time.monotonic() - begun < 3:
            try:
                slow.sendall(b"x")
                slow.settimeout(0.1)
                if slow.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert time.monotonic() - begun < 1.5
        assert ask(server, "/-/healthy")[0].status == 200


def test_an_endless_request_is_cut_off_by_its_size(state: State):
    def pour(connection: socket.socket) -> None:
        for _ in range(100_000):
            connection.sendall(b"X-Filler: " + b"a" * 1000 + b"\r\n")

    with serve(state, "127.0.0.1", 0) as server, socket.create_connection((server.host, server.port), timeout=5) as greedy:
        begun = time.monotonic()
        greedy.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            pour(greedy)
        assert time.monotonic() - begun < 5


def test_idle_clients_lock_the_others_out_for_no_longer_than_a_request_may_take(state: State):
    with serve(state, "127.0.0.1", 0, request_seconds=1.5) as server, contextlib.ExitStack() as idle:
        for _ in range(exporter.CONNECTIONS):
            idle.enter_context(socket.create_connection((server.host, server.port), timeout=5))
        with pytest.raises((ConnectionError, http.client.BadStatusLine)):
            ask(server, "/-/healthy")
        time.sleep(2)
        assert ask(server, "/-/healthy")[0].status == 200


def test_stop_waits_for_nobody_and_frees_the_port(state: State):
    server = serve(state, "127.0.0.1", 0)
    with socket.create_connection((server.host, server.port), timeout=5) as idle:
        idle.sendall(b"GET /metr")
        time.sleep(0.05)
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 2
    assert not [thread for thread in threading.enumerate() if "process_request" in thread.name]
    with serve(state, "127.0.0.1", server.port) as again:
        assert again.port == server.port


def test_a_fault_of_ours_costs_one_request_and_one_line(capsys: pytest.CaptureFixture[str]):
    class Broken(State):
        def families(self):
            raise RuntimeError("two\nlines")

    with serve(Broken(), "127.0.0.1", 0) as server:
        with pytest.raises(ConnectionError):
            ask(server, "/metrics")
        assert ask(server, "/-/healthy")[0].status == 200
    assert capsys.readouterr().err == "netready: a request to the exporter failed: RuntimeError('two\\nlines')\n"


def test_address_can_stand_in_a_url(state: State):
    with serve(state, "127.0.0.1", 0) as server:
        assert server.address == f"127.0.0.1:{server.port}"


def test_ipv6_is_served_too(state: State):
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        server = serve(state, "::1", 0)
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")
    with server:
        assert server.address == f"[::1]:{server.port}"
        assert ask(server, "/-/healthy")[0].status == 200


def test_a_port_that_is_taken_is_an_error(running: Exporter, state: State):
    with pytest.raises(OSError, match="in use"):
        serve(state, "127.0.0.1", running.port)
