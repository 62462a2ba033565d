import importlib
from pathlib import Path

import probes
from netready.instrument import Instrument
from netready.metric import CATALOGUE

ROOM = Path(probes.__file__).parent
# Modules that are no instrument but a part of one.
PARTS = {"deadline", "where", "wire_arp", "wire_dns", "wire_icmp", "path_ask", "path_changes", "path_facts", "path_mtu"}
PARTS |= {"arp_ask", "icmp_ask", "nd_ask", "segment", "sweep", "tries", "wire_ethernet", "wire_nd", "wire_netlink"}
PARTS |= {"leg", "page"}


def test_every_module_of_the_room_is_in_the_table_or_is_a_known_part():
    from probes.throughput import METHODS

    files = {path.stem for path in ROOM.glob("*.py")} - {"__init__"}
    assert files - PARTS == {row.name for row in probes.PROBES} - set(METHODS)
    for name in files - PARTS:
        assert importlib.import_module(f"probes.{name}").INSTRUMENT in probes.PROBES


def test_the_line_is_tested_by_the_ndt7_method_of_the_throughput_table():
    from probes.throughput import METHODS

    assert METHODS["ndt7"] in probes.PROBES


def test_a_name_that_is_not_there_is_an_ordinary_attribute_error():
    assert not hasattr(probes, "NOTHING")


def test_rows_are_named_once_yield_catalogued_metrics_and_have_default_settings():
    assert len({row.name for row in probes.PROBES}) == len(probes.PROBES)
    for row in probes.PROBES:
        assert isinstance(row, Instrument)
        assert set(row.metrics) <= set(CATALOGUE)
        assert row.settings.__struct_config__.forbid_unknown_fields
        settings = row.settings()
        assert row.seconds(settings) >= 0
        assert row.load(settings, 1e8) >= 0
        assert row.missing(settings), f"{row.name} must say what it lacks when nothing is configured"
