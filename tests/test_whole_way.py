"""The whole way: packets in the virtual school, a gate decision, a page, and a Prometheus that scrapes the agent."""

import json
import shutil
import subprocess
import time
import urllib.parse

import pytest

from lab import Plan, Wan, open_lab
from lab.audit import examine
from lab.comparison import compare

pytestmark = [pytest.mark.namespaces, pytest.mark.slow]

PROMETHEUS = """
global: {scrape_interval: 1s}
scrape_configs: [{job_name: netready, static_configs: [{targets: ["127.0.0.1:9810"]}]}]
"""


def audited(folder, plan, then=lambda _lab, _netready: None):
    """Audit a school; the findings, what its gate says for each wave, and what `then` gave while the lab stood."""
    with open_lab(plan) as lab:
        found = examine(lab, folder, capture_output=True)
        config = str(folder / "netready.toml")

        def netready(*args):
            argv = ["python", "-m", "agent", "--config", config, *args]
            return lab.run("agent", argv, capture_output=True, text=True, timeout=60)

        gates = {}
        for wave in ("pilot-room", "whole-school"):
            done = netready("gate", "--wave", wave, "--json")
            gates[wave] = (done.returncode, json.loads(done.stdout)["answer"])
        checks = compare(lab.truth, found.report, found.devices)
        return found, gates, checks, then(lab, netready)


def outcomes(found):
    return {verdict["criterion"]: verdict for verdict in found.report["judgement"]["verdicts"]}


@pytest.fixture(scope="module")
def fair(tmp_path_factory):
    """520 users on 100/20 Mbit/s: more than 100 Mbps for 1,000 users, less than 1 Gbps."""
    folder = tmp_path_factory.mktemp("fair")

    def then(lab, netready):
        refused = netready("measure", "throughput", "--server", "192.0.2.99:4433")
        closed = netready("measure", "throughput", "--server", "192.0.2.10:9", "--json")
        scanned = netready("inventory", "scan", "--network", "10.20.0.0/24", "--json")
        scraped = _scraped(lab, folder) if shutil.which("prometheus") and shutil.which("promtool") else None
        return refused, closed, scanned, scraped

    return audited(folder, Plan(wan=Wan(down=100e6, up=20e6)), then)


def _scraped(lab, folder):
    """What promtool says of /metrics, and what a real Prometheus answers after scraping `netready run`."""
    (folder / "prometheus.yml").write_text(PROMETHEUS)
    config = str(folder / "netready.toml")
    agent = lab.popen("agent", ["python", "-m", "agent", "--config", config, "run"], stderr=subprocess.DEVNULL)
    prometheus = lab.popen(
        "agent",
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
         "--web.listen-address=127.0.0.1:9090"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    fetch = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"

    def get(url):
        return lab.run("agent", ["python", "-c", fetch, url], capture_output=True, text=True).stdout

    try:
        for _ in range(60):
            text = get("http://127.0.0.1:9810/metrics")
            query = urllib.parse.quote('netready_internet_rate_bytes_per_second{quantity="available"}')
            answer = get(f"http://127.0.0.1:9090/api/v1/query?query={query}")
            if text and '"value"' in answer:
                break
            time.sleep(0.5)
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        return text, json.loads(answer), checked
    finally:
        for process in (agent, prometheus):
            process.terminate()
            process.wait(20)


class TestASchoolThatMeets100MbpsButNot1Gbps:
    def test_the_lab_s_truth_is_met(self, fair):
        _, _, checks, _ = fair
        assert [check.what for check in checks if not check.right] == []
        assert len(checks) >= 5

    def test_the_verdicts_say_so(self, fair):
        found, _, _, _ = fair
        verdicts = outcomes(found)
        assert verdicts["TC.3.4"]["outcome"] == "met"
        assert verdicts["TC.3.4"]["provisional"]
        assert verdicts["TC.4.4"]["outcome"] == "not met"
        targets = {target["id"]: target for target in found.report["judgement"]["down"]["targets"]}
        assert targets["100-mbps"]["outcome"] == "met"
        assert targets["1-gbps"]["outcome"] == "not met"
        rate = found.report["judgement"]["down"]["per_1000"]["value"] * 520 / 1000
        assert targets["1-gbps"]["shortfall"] == pytest.approx(520e6 - rate)

    def test_the_gate_is_open_for_a_room_and_shut_for_the_school(self, fair):
        _, gates, _, _ = fair
        assert gates["pilot-room"] == (0, "GO_WITH_CONDITIONS")
        assert gates["whole-school"] == (1, "NO_GO")

    def test_one_audit_on_one_day_is_provisional_and_says_what_is_missing(self, fair):
        found, _, _, _ = fair
        (pilot,) = [each for each in found.report["decisions"] if each["wave"] == "pilot-room"]
        assert pilot["provisional"]
        assert any("9 more school days" in text for text in pilot["missing"])

    def test_every_figure_says_how_it_was_obtained(self, fair):
        found, _, _, _ = fair
        down = found.report["judgement"]["down"]
        assert down["methods"] == ["netready/1"]
        assert down["available"]["interval"][0] <= down["available"]["value"] <= down["available"]["interval"][1]
        assert down["contracted"]["value"] == 100e6
        assert down["used"]["value"] is None
        assert "12" in down["used"]["how"]
        assert down["load_during"]["value"] is not None

    def test_the_kinds_that_announce_themselves_are_known(self, fair):
        found, _, _, _ = fair
        kinds = {device["names"][0].partition(".")[0]: device["kind"] for device in found.devices if device["names"]}
        assert kinds["router"] == "router"
        assert {"printer", "access-point", "camera", "display", "phone", "student-device"} <= set(kinds.values())

    def test_a_target_nobody_named_is_refused_and_a_closed_port_is_a_failure_word(self, fair):
        refused, closed, scanned, _ = fair[3]
        assert refused.returncode == 2
        assert "nothing was sent" in refused.stderr
        assert closed.returncode == 3
        assert {each["failure"] for each in json.loads(closed.stdout)} == {"refused"}
        assert len(json.loads(scanned.stdout)["devices"]) == 49

    @pytest.mark.tool("prometheus")
    @pytest.mark.tool("promtool")
    def test_a_real_prometheus_scrapes_the_agent_and_promtool_has_nothing_to_say(self, fair):
        text, answer, checked = fair[3][3]
        assert "netready_internet_rate_bytes_per_second" in text
        assert answer["status"] == "success"
        down = {row["metric"]["direction"]: float(row["value"][1]) for row in answer["data"]["result"]}["down"]
        assert down * 8 == pytest.approx(fair[0].report["judgement"]["down"]["available"]["value"])
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_slower_line_closes_the_gate(tmp_path):
    found, gates, checks, _ = audited(tmp_path, Plan(wan=Wan(down=30e6, up=10e6)))
    assert [check.what for check in checks if not check.right] == []
    assert outcomes(found)["TC.3.4"]["outcome"] == "not met"
    assert gates["pilot-room"] == (1, "NO_GO")


def test_a_line_that_meets_1_gbps_per_1000_waits_for_its_days(tmp_path):
    found, gates, checks, _ = audited(tmp_path, Plan(wan=Wan(down=150e6, up=100e6), students=80, staff=10, classrooms=5))
    assert [check.what for check in checks if not check.right] == []
    assert outcomes(found)["TC.4.4"]["outcome"] == "met"
    assert gates["pilot-room"][0] == 0
    assert gates["whole-school"] == (3, "INDETERMINATE")
