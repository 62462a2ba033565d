import importlib
import subprocess
import sys
from pathlib import Path

import collectors
from netready.instrument import Instrument
from netready.metric import CATALOGUE

ROOM = Path(collectors.__file__).parent
# Modules that are no instrument but a part of one, or work on what the instruments saw.
PARTS = {"attached", "hearing", "kernel_filter", "notes", "pcap", "ring", "wire_arp", "wire_cdp", "wire_dhcp", "wire_dhcp6"}
PARTS |= {"imports", "wire_frame", "wire_lldp", "wire_mdns", "wire_nd", "wire_scapy", "wire_ssdp"}


def test_every_module_of_the_room_is_in_the_table_or_is_a_known_part():
    names = {path.stem for path in ROOM.glob("*.py")} - {"__init__"} | {path.parent.name for path in ROOM.glob("*/__init__.py")}
    assert names - PARTS == {row.name for row in collectors.COLLECTORS}
    for name in names - PARTS - {"snmp"}:
        assert importlib.import_module(f"collectors.{name}").INSTRUMENT in collectors.COLLECTORS


def test_a_name_that_is_not_there_is_an_ordinary_attribute_error():
    assert not hasattr(collectors, "NOTHING")


def test_rows_yield_catalogued_metrics_and_have_default_settings():
    for row in collectors.COLLECTORS:
        assert isinstance(row, Instrument)
        assert set(row.metrics) <= set(CATALOGUE)
        assert row.settings.__struct_config__.forbid_unknown_fields
        assert row.seconds(row.settings()) >= 0


def test_the_table_loads_none_of_the_heavy_libraries():
    program = (
        "import sys, collectors; collectors.COLLECTORS; print(sorted({'scapy','pysnmp','psutil','aiooui'} & set(sys.modules)))"
    )
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {program}"], capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"
