"""What the tests of the census share."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench_module():
    """Loads a module of the bench by its file: the bench is in no package that is installed."""

    def load(name):
        known = f"netready_bench_{name}"
        if known not in sys.modules:
            spec = importlib.util.spec_from_file_location(known, BENCH / f"{name}.py")
            module = importlib.util.module_from_spec(spec)
            sys.modules[known] = module
            spec.loader.exec_module(module)
        return sys.modules[known]

    return load
