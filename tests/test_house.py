"""The house's own rules: who may know whom, and that every quantity is measured by somebody."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agent.instruments import instruments
from netready.metric import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def copy(tmp_path):
    """A copy of every package beside the contracts, in which rules may be broken."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    for package in contracts["root_packages"]:
        spec = importlib.util.find_spec(package)
        shutil.copytree(Path(spec.origin).parent, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def lint(folder):
    return subprocess.run(
        [sys.executable, "-P", "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_house_as_it_stands_keeps_its_rules(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 2 kept, 0 broken." in done.stdout


@pytest.mark.parametrize(
    ("room", "line", "broken"),
    [
        ("netready/metric.py", "import probes.latency", "netready.metric -> probes.latency"),
        ("probes/latency.py", "import collectors.host", "probes.latency -> collectors.host"),
        ("collectors/host.py", "import census.kinds", "collectors.host -> census.kinds"),
        ("testpoint/limits.py", "import agent.clock", "testpoint.limits -> agent.clock"),
        ("netready/metric.py", "import socket", "netready.metric -> socket"),
        ("readiness/weigh.py", "import time", "readiness.weigh -> time"),
        ("census/merge.py", "import socket", "census.merge -> socket"),
    ],
)
def test_an_import_that_goes_up_sideways_or_out_is_caught(copy, room, line, broken):
    file = copy / room
    file.write_text(f"{file.read_text()}\n{line}\n")
    done = lint(copy)
    assert done.returncode == 1
    assert broken in done.stdout


def test_every_metric_is_yielded_by_an_instrument_or_derived():
    measured = {name for row in instruments() for name in row.metrics}
    assert measured == {name for name, metric in CATALOGUE.items() if not metric.derived}


def test_instruments_have_names_and_tables_of_their_own():
    rows = instruments()
    assert len({row.name for row in rows}) == len(rows)
    shapes = {row.config_table: row.settings for row in rows}
    assert all(row.settings is shapes[row.config_table] for row in rows), "rows that read one table read it alike"
    assert {row.config_table for row in rows if row.table} == {"throughput"}
    assert all(row.does and row.version >= 1 for row in rows)
    assert [row.alone for row in rows] == sorted(row.alone for row in rows)
