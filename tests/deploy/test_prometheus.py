"""The rules and the dashboard, put to a real Prometheus that scrapes a real exporter."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import promql_parser
import pytest

from agent.exporter import HOST, PORT, serve
from agent.exposition import OWN, exporter_name
from agent.snapshot import State
from netready.metric import CATALOGUE
from netready.survey import Survey
from readiness.gate import Decision
from readiness.judgement import Judgement

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARD = DEPLOY / "grafana" / "site.json"
RULES = DEPLOY / "prometheus" / "rules.yml"
VISIT = ROOT / "tests" / "golden" / "visit.json"

INSTANCE = "lincoln-high"
AGE = timedelta(days=50)  # of the survey: late, and the certificate it saw has ten days left
# Panels that stay empty with the test's data, and why. None: a panel nobody could ever see filled has no place here.
EMPTY: dict[str, str] = {}


class Visit(msgspec.Struct, frozen=True):
    survey: Survey
    judgement: Judgement
    decisions: tuple[Decision, ...]


class Prometheus:
    """A running Prometheus's HTTP API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str, **parameters: str | float) -> Any:
        with urllib.request.urlopen(f"{self._url}{path}?{urlencode(parameters)}", timeout=5) as answer:
            return json.load(answer)["data"]

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def query(self, expr: str) -> list[dict[str, Any]]:
        return self.get("/api/v1/query", query=expr)["result"]


def until(condition: Any, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes a surveyed school every second and evaluates our rules."""
    program = shutil.which("prometheus")
    assert program  # the tests that ask for this are marked, and so skipped where it is missing
    folder = tmp_path_factory.mktemp("prometheus")
    visit = msgspec.json.decode(VISIT.read_bytes(), type=Visit)
    finished = datetime.now(UTC) - AGE
    state = State(interval=6 * 3600.0)
    state.publish(
        msgspec.structs.replace(visit.survey, started_at=finished, finished_at=finished), visit.judgement, visit.decisions
    )
    with serve(state, "127.0.0.1", 0) as exporter:
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": "netready", "static_configs": [{"targets": [exporter.address], "labels": {"instance": INSTANCE}}]}
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        port = free_port()
        command = [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            running = Prometheus(port)
            try:
                until(lambda: running.ready() or process.poll() is not None, 15, "Prometheus's start")
                assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
                until(lambda: running.query("count_over_time(netready_build_info[1m]) >= 3"), 15, "a third scrape")
                until(lambda: running.query("wave:netready_gate_open:ratio"), 5, "a rule's evaluation")
                yield running
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def dashboard() -> dict[str, Any]:
    return json.loads(DASHBOARD.read_bytes())


def queries() -> list[tuple[str, str]]:
    """Every panel's title and expression, with what Grafana would fill in."""
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", "1m").replace("$instance", INSTANCE))
        for panel in dashboard()["panels"]
        for target in panel.get("targets", [])
    ]


def named(expr: str) -> set[str]:
    return set(re.findall(r"\b(?:\w+:)?netready_\w+(?::\w+)?", expr))


# --- the dashboard ------------------------------------------------------------------------------------------------------


@pytest.mark.tool("prometheus")
def test_prometheus_takes_every_series_the_exporter_offers(prometheus: Prometheus):
    (target,) = prometheus.get("/api/v1/targets", state="active")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    offered = prometheus.query("scrape_samples_scraped")[0]["value"][1]
    kept = prometheus.query('count({job="netready", __name__!~"up|scrape_.*"})')[0]["value"][1]
    rules = prometheus.query('count({job="netready", __name__=~".*:.*|ALERTS.*"})')[0]["value"][1]
    assert int(kept) - int(rules) == int(offered) > 200


@pytest.mark.tool("prometheus")
@pytest.mark.parametrize(("title", "expr"), queries(), ids=[f"{number}" for number, _query in enumerate(queries())])
def test_every_panel_shows_data(prometheus: Prometheus, title: str, expr: str):
    if title in EMPTY:
        pytest.skip(EMPTY[title])
    promql_parser.parse(expr)
    assert prometheus.query(expr) != []


@pytest.mark.tool("prometheus")
def test_the_first_figure_is_the_judgements(prometheus: Prometheus):
    exprs = [expr for title, expr in queries() if title == "Towards the school" and "per_1000" in expr]
    (shown,) = prometheus.query(exprs[0])
    assert float(shown["value"][1]) == pytest.approx(430.0)  # Mbps per 1,000 users, in visit.json


@pytest.mark.tool("prometheus")
def test_every_recording_rule_records(prometheus: Prometheus):
    groups = prometheus.get("/api/v1/rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    recorded = [rule["name"] for rule in rules if rule["type"] == "recording"]
    assert len(recorded) == 5
    assert [name for name in recorded if not prometheus.query(name)] == []


@pytest.mark.tool("prometheus")
def test_alerts_that_this_visit_calls_for_burn_and_no_others(prometheus: Prometheus):
    burning = {
        (alert["labels"]["alertname"], alert["labels"].get("instrument", alert["labels"].get("target", "")))
        for alert in prometheus.get("/api/v1/alerts")["alerts"]
    }
    assert burning == {
        ("NetreadySurveyLate", ""),
        ("NetreadyInstrumentBroken", "snmp"),
        ("NetreadyEndpointFailing", "https://sis.example/"),
        ("NetreadyPacketsLost", "lms.example"),
        ("NetreadyCertificateExpires", "https://lms.example/login"),  # 60 days were left at the survey
    }


def test_dashboard_is_what_its_source_prints():
    printed = subprocess.run(
        [sys.executable, DEPLOY / "grafana" / "site.py"], capture_output=True, check=True, timeout=20
    ).stdout
    assert printed.decode() == DASHBOARD.read_text(encoding="utf-8"), "python deploy/grafana/site.py > deploy/grafana/site.json"


def test_dashboard_names_only_metrics_that_the_exporter_knows():
    known = {exporter_name(name) for name in CATALOGUE}
    ending = {"counter": "_total", "info": "_info", "gauge": ""}
    known |= {family.name + ending[family.type] for family in OWN.values()}
    used = {name for _title, expr in queries() for name in named(expr)}
    assert len(used) > 25
    assert used - known == set()


def test_rules_name_only_metrics_that_the_exporter_or_they_themselves_know():
    text = RULES.read_text(encoding="utf-8")
    recorded = set(re.findall(r"record: (\S+)", text))
    known = {exporter_name(name) for name in CATALOGUE} | recorded
    ending = {"counter": "_total", "info": "_info", "gauge": ""}
    known |= {family.name + ending[family.type] for family in OWN.values()}
    assert named(text) - known == set()


def test_dashboard_belongs_to_no_server():
    page = dashboard()
    assert page["schemaVersion"] >= 41
    assert page["annotations"] == {"list": []}
    assert [variable["name"] for variable in page["templating"]["list"]] == ["datasource", "instance"]
    uids = set(re.findall(r'"uid": "([^"]*)"', DASHBOARD.read_text(encoding="utf-8")))
    assert uids == {page["uid"], "${datasource}"}
    assert "id" not in page


def test_every_panel_says_what_it_shows_and_what_if_nothing_is_known():
    panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
    assert len(panels) > 20
    for panel in panels:
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"] == "not known"
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["type"] in {"stat", "timeseries", "table", "bargauge"}  # no pies, no gauges
        for target in panel["targets"]:
            assert '$instance"' in target["expr"], panel["title"]
            assert not re.search(r"(rate|increase)\([^)]*\[(?!\$__rate_interval|1d)", target["expr"])


def test_panels_do_not_overlap_and_have_their_own_ids():
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


# --- the rules ----------------------------------------------------------------------------------------------------------


def promtool(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.tool("promtool")
def test_rules_have_no_lint():
    assert "16 rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yml", cwd=RULES.parent)


@pytest.mark.tool("promtool")
def test_rules_do_what_their_own_tests_say():
    promtool("test", "rules", "rules_test.yml", cwd=RULES.parent)


def test_every_rule_has_a_test():
    text = RULES.read_text(encoding="utf-8")
    tests = (RULES.parent / "rules_test.yml").read_text(encoding="utf-8")
    names = re.findall(r"(?:alert|record): (\S+)", text)
    assert len(names) == 16
    assert [name for name in names if not re.search(rf"(alertname|expr): {re.escape(name)}\b", tests)] == []


@pytest.mark.tool("promtool")
def test_scrape_example_is_a_valid_configuration():
    promtool("check", "config", "netready.yml", cwd=RULES.parent)


def test_scrape_example_asks_the_port_that_the_exporter_serves():
    assert f'"{HOST}:{PORT}"' in (RULES.parent / "netready.yml").read_text(encoding="utf-8")
