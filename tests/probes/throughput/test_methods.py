import importlib
import pkgutil

import msgspec
import pytest

import probes.throughput
from netready.metric import CATALOGUE
from probes.throughput import METHODS
from probes.throughput.settings import Throughput


def test_no_method_s_file_is_missing_from_the_table():
    found = {}
    for module in pkgutil.iter_modules(probes.throughput.__path__):
        row = getattr(importlib.import_module(f"probes.throughput.{module.name}"), "INSTRUMENT", None)
        if row is not None:
            found[module.name] = row
    assert found == METHODS


@pytest.mark.parametrize("row", METHODS.values(), ids=METHODS.keys())
def test_every_method_fills_the_line_alone_and_shares_the_settings(row):
    assert row.alone
    assert row.settings is Throughput
    assert {"throughput_down", "throughput_up"} <= set(row.metrics) <= set(CATALOGUE)
    assert row.missing(Throughput()) == "no test server is named in [throughput]"
    both, down = Throughput(server="h:1"), Throughput(server="h:1", direction="down")
    assert row.seconds(both) == 2 * row.seconds(down)
    assert row.load(both, 100e6) > row.load(down, 100e6) > 0


def test_ndt7_moves_ten_seconds_of_the_line_each_way():
    assert METHODS["ndt7"].load(msgspec.convert({"server": "h:1"}, Throughput), 100e6) == 250e6
    assert (
        METHODS["ndt7"].missing(Throughput(server="h:1", ca="/nowhere.pem")) == "the authority file /nowhere.pem cannot be read"
    )
