"""The systemd unit: no more rights than the measurements need, as systemd itself counts them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "deploy" / "systemd"
UNIT = SYSTEMD / "netready.service"
WORST_EXPOSURE = 2.0


def settings() -> dict[str, list[str]]:
    """The unit's settings; a key may stand there more than once."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


@pytest.fixture
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed; sudo apt install systemd")
    return program


def test_exposure_is_low(analyze: str):
    command = [analyze, "security", "--offline=true", "--no-pager", str(UNIT)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", shown)
    assert exposure, shown
    assert float(exposure[1]) <= WORST_EXPOSURE


def test_raw_sockets_are_the_only_capability():
    found = settings()
    assert found["CapabilityBoundingSet"] == ["CAP_NET_RAW"]
    assert found["AmbientCapabilities"] == ["CAP_NET_RAW"]
    assert found["NoNewPrivileges"] == ["yes"]


def test_nothing_that_would_spoil_the_measurements_is_set():
    found = settings()
    assert "PrivateUsers" not in found  # CAP_NET_RAW would no longer be over the real network
    assert "ProcSubset" not in found  # /proc/stat would be gone
    assert "PrivateNetwork" not in found
    assert int(found["CPUQuota"][0].removesuffix("%")) >= 100  # or the throughput test measures the quota


def test_watchdog_is_slower_than_the_schedules_heartbeat():
    found = settings()
    assert found["Type"] == ["notify"]
    assert int(found["WatchdogSec"][0].removesuffix("s")) >= 60


def test_systemd_understands_every_line(analyze: str, tmp_path: Path):
    shutil.copytree(SYSTEMD, tmp_path, dirs_exist_ok=True)
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"), flags=re.MULTILINE))
    checked = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=20)
    ours = [line for line in checked.stderr.splitlines() if "netready" in line]
    assert ours == []


def test_drop_in_hands_the_community_over_as_a_credential():
    drop_in = (SYSTEMD / "netready.service.d" / "snmp.conf").read_text(encoding="utf-8")
    assert "\nLoadCredential=snmp-community:/etc/netready/snmp-community\n" in drop_in
    assert "community" not in "".join(
        line for line in UNIT.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    )
