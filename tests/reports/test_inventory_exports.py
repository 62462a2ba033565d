"""The inventory for other programs. Snipe-IT and NetBox are not here to take it: their own lists of columns stand for them."""

import csv
import io
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.device import Device, Kind, Place
from netready.finding import Finding, Trouble
from netready.survey import Survey
from netready.text import clean
from reports import inventory_csv, netbox, snipe_it, wording
from reports.as_csv import BYTE_ORDER_MARK
from reports.inventory_exports import EXPORTS

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

# What the command line's importer maps by itself (Snipe-IT 8, app/Importer/Importer.php), and the custom field it comes with.
SNIPE_IT_MAPS = {
    "asset tag",
    "item name",
    "serial number",
    "model name",
    "model number",
    "manufacturer",
    "category",
    "location",
}
SNIPE_IT_MAPS |= {"status", "notes", "mac address"}
SNIPE_IT_WANTS = {"Asset Tag", "Model Name", "Category", "Status"}  # to create an asset (its documentation, "Importing Assets")

# The fields of NetBox 4's import form for devices, and those it requires (netbox/dcim/forms/bulk_import.py).
NETBOX_TAKES = {
    "name", "role", "tenant", "manufacturer", "device_type", "platform", "serial", "asset_tag", "status",
    "site", "location", "rack", "position", "face", "latitude", "longitude", "parent", "device_bay",
    "airflow", "virtual_chassis", "vc_position", "vc_priority", "cluster", "description", "config_template", "comments", "tags"
}  # fmt: skip
NETBOX_WANTS = {"role", "manufacturer", "device_type", "status", "site"}
NETBOX_STATUSES = {"offline", "active", "planned", "staged", "failed", "inventory", "decommissioning"}

SWITCH = Device(
    key="00:1b:21:00:00:01",
    mac="00:1b:21:00:00:01",
    addresses=("10.20.0.2", "10.20.4.2"),
    names=("sw-a", "sw-a.school.example"),
    kind=Kind.SWITCH,
    vendor="Intel Corporate",
    room="Room 12",
    why=("SNMP says bridge",),
    merged=("10.20.4.2 is one of its own addresses",),
    how=("lldp", "snmp"),
    facts={"maker": "Example Networks", "model": "EX-24P", "serial": "EX123456"},
)
POINT = Device(
    key="00:1b:21:00:00:02",
    mac="00:1b:21:00:00:02",
    addresses=("10.20.0.3",),
    names=("sw-a",),
    kind=Kind.ACCESS_POINT,
    vendor=None,
    place=Place(switch="sw-a", port="Gi1/0/7", vlan="20"),
    how=("lldp",),
)
CLIENT = Device(
    key="mac-1f00c2d3e4f50617",
    mac=None,
    addresses=("address-00c2d3e4f506171f",),
    names=("name-c2d3e4f506171f00",),
    kind=Kind.STUDENT_DEVICE,
    vendor="HP Inc.",
    room="Room 12",
    point="ap-12",
    random=True,
    enrolled=("google",),
    facts={"asset": "asset-d3e4f506171f00c2", "os": "ChromeOS", "os_version": "128", "updates_until": "2030-06-01"},
)
FINDINGS = (
    Finding(trouble=Trouble.PORT_ERRORS, where="sw-a port 9", says="40 errors", devices=(SWITCH.key,), room="Room 12"),
    Finding(trouble=Trouble.ENROLLED_NOT_SEEN, where=CLIENT.key, says="not seen", devices=(CLIENT.key,)),
    Finding(trouble=Trouble.ROOM_WITHOUT_COVERAGE, where="Room 13", says="no access point", room="Room 13"),
)


def survey(*devices: Device) -> Survey:
    return Survey(
        id="s-1",
        site="Hill School",
        software="netready/0.1.0",
        started_at=AT,
        finished_at=AT,
        devices=devices or (SWITCH, POINT, CLIENT),
        findings=FINDINGS,
        unseen=("VLAN 30: no router was asked",),
    )


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""), strict=True))


def test_every_format_renders_text_and_says_what_it_is_for():
    assert set(EXPORTS) == {"csv", "json", "snipe-it", "netbox", "netbox-api"}
    for export in EXPORTS.values():
        assert export.what
        assert export.suffix in {".csv", ".json"}
        assert isinstance(export.render(survey(), include_clients=True), str)


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_clients_are_left_out_unless_they_are_asked_for(name):
    render = EXPORTS[name].render
    for word in (CLIENT.key, *CLIENT.names, *CLIENT.addresses, "HP Inc."):
        assert word not in render(survey())
    assert CLIENT.names[0] in render(survey(), include_clients=True), "under its pseudonym"


def test_the_spreadsheet_has_a_line_for_each_device_in_columns_that_stay():
    switch, point, client = table(inventory_csv.render(survey(), include_clients=True))
    assert tuple(switch) == inventory_csv.COLUMNS
    assert inventory_csv.COLUMNS[:6] == ("key", "kind", "names", "mac", "addresses", "vendor")
    assert (switch["names"], switch["addresses"]) == ("sw-a; sw-a.school.example", "10.20.0.2; 10.20.4.2")
    assert (switch["model"], switch["room"], switch["troubles"]) == ("EX-24P", "Room 12", wording.TROUBLES[Trouble.PORT_ERRORS])
    assert (point["switch"], point["port"], point["vlan"], point["seen by"]) == ("sw-a", "Gi1/0/7", "20", "lldp")
    assert (client["os"], client["access point"], client["stands in"]) == ("ChromeOS 128", "ap-12", "google")
    assert (client["made-up address"], client["updates until"], client["troubles"]) == (
        "yes",
        "2030-06-01",
        wording.TROUBLES[Trouble.ENROLLED_NOT_SEEN],
    )


def test_the_json_says_what_it_is_and_what_was_left_out():
    found = json.loads(EXPORTS["json"].render(survey()))
    assert (found["format"], found["version"], found["clients"], found["left_out"]) == ("netready-inventory", 1, False, 1)
    assert found["survey"]["site"] == "Hill School"
    assert msgspec.convert(found["devices"], tuple[Device, ...]) == (SWITCH, POINT)
    assert [each["trouble"] for each in found["findings"]] == ["port-errors", "room-without-coverage"]
    assert found["unseen"] == ["VLAN 30: no router was asked"]
    everything = json.loads(EXPORTS["json"].render(survey(), include_clients=True))
    assert (len(everything["devices"]), len(everything["findings"]), everything["left_out"]) == (3, 3, 0)


def test_snipe_it_gets_columns_that_it_maps_by_itself():
    assert {column.lower() for column in snipe_it.COLUMNS} <= SNIPE_IT_MAPS
    switch, point, client = table(snipe_it.render(survey(), include_clients=True))
    for row in (switch, point, client):
        assert all(row[column] for column in SNIPE_IT_WANTS)
    assert switch == {
        "Asset Tag": "00:1b:21:00:00:01",
        "Item Name": "sw-a",
        "Serial Number": "EX123456",
        "Model Name": "EX-24P",
        "Model Number": "EX-24P",
        "Manufacturer": "Example Networks",
        "Category": "Switch",
        "Location": "Room 12",
        "Status": "Ready to Deploy",
        "MAC Address": "00:1b:21:00:00:01",
        "Notes": "netready, 2026-03-02. 10.20.0.2. 10.20.4.2. SNMP says bridge",
    }
    assert (point["Model Name"], point["Manufacturer"]) == ("Unknown access point", "Unknown")
    assert client["Asset Tag"] == CLIENT.facts["asset"], "the tag by which the asset is found again"


def test_netbox_gets_columns_of_its_form_and_names_that_stand_once():
    assert NETBOX_WANTS <= set(netbox.COLUMNS) <= NETBOX_TAKES
    rows = table(netbox.render(survey(), include_clients=True))
    assert all(row[column] for row in rows for column in NETBOX_WANTS)
    assert {row["status"] for row in rows} == {"active", "offline"} <= NETBOX_STATUSES
    assert [row["name"] for row in rows] == ["sw-a", "sw-a (00:1b:21:00:00:02)", CLIENT.names[0]]
    assert rows[0] == {
        "name": "sw-a",
        "role": "Switch",
        "manufacturer": "Example Networks",
        "device_type": "EX-24P",
        "serial": "EX123456",
        "status": "active",
        "site": "Hill School",
        "location": "Room 12",
        "description": "10.20.0.2, 10.20.4.2, 00:1b:21:00:00:01",
        "comments": "SNMP says bridge; 10.20.4.2 is one of its own addresses",
    }


def test_netboxs_api_gets_objects_with_their_relations_by_attribute():
    switch, point = json.loads(netbox.render_api(survey()))
    assert switch == {
        "name": "sw-a",
        "role": {"name": "Switch"},
        "device_type": {"manufacturer": {"name": "Example Networks"}, "model": "EX-24P"},
        "serial": "EX123456",
        "site": {"name": "Hill School"},
        "location": {"name": "Room 12"},
        "status": "active",
        "description": "10.20.0.2, 10.20.4.2, 00:1b:21:00:00:01",
        "comments": "SNMP says bridge; 10.20.4.2 is one of its own addresses",
    }
    assert "location" not in point


def test_names_that_are_too_long_for_netbox_are_cut_and_still_stand_once():
    devices = [
        msgspec.structs.replace(SWITCH, key=f"00:1b:21:00:01:{number:02x}", names=("n" * 200,), facts={"serial": "s" * 99})
        for number in range(4)
    ]
    rows = table(netbox.render(survey(*devices)))
    assert len({row["name"] for row in rows}) == 4
    assert all(len(row[column]) <= most for row in rows for column, most in netbox.LONGEST.items())


@given(st.lists(st.text(max_size=30).map(clean), min_size=8, max_size=8))
def test_no_cell_is_a_formula_and_every_table_is_read_back(words):
    name, maker, model, serial, room, switch, why, asset = (f"={word}"[: len(word) % 2 + 40] for word in words)
    device = msgspec.structs.replace(
        SWITCH,
        names=(name,),
        room=room or None,
        why=(why,),
        place=Place(switch=switch, port="@1", vlan="+2"),
        facts={"maker": maker, "model": model, "serial": serial, "asset": asset},
    )
    for export in EXPORTS.values():
        text = export.render(survey(device))
        if export.suffix == ".csv":
            (row,) = table(text)
            assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        else:
            json.loads(text)


def test_only_the_spreadsheet_begins_with_a_byte_order_mark():
    marked = [name for name, export in EXPORTS.items() if export.render(survey()).startswith(BYTE_ORDER_MARK)]
    assert marked == ["csv"]
