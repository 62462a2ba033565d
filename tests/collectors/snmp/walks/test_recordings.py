"""116 recorded devices: who each of them is, and what the tables of some of them hold."""

import csv
import importlib.util
import re
from pathlib import Path

import pytest

# Recordings whose file is larger than this take seconds each; all of them are read with `-m sweep`.
LARGE = 250_000  # bytes, compressed


FOLDER = Path(importlib.util.find_spec("snmpsim_data").origin).parent / "data"
with (Path(__file__).parent / "identities.csv").open(encoding="utf-8") as file:
    KNOWN = {row.pop("walk"): row for row in csv.DictReader(file)}


def is_small(walk):
    (found,) = FOLDER.glob(f"{walk}.snmprec*")
    return found.stat().st_size <= LARGE


@pytest.mark.parametrize("walk", [pytest.param(walk, marks=[] if is_small(walk) else [pytest.mark.sweep]) for walk in KNOWN])
def test_a_recorded_device_is_named_by_its_maker_model_and_serial_number(replay, walk):
    seen = replay(walk, timeout=0.1, retries=0).sightings[0]
    found = {fact: seen.facts.get(fact, "") for fact in ("maker", "model", "serial")}
    assert found == KNOWN[walk]
    for text in (seen.name or "", *seen.facts.values()):
        assert text.isprintable()


def test_most_of_them_have_a_maker_and_a_model_and_none_is_left_out():
    assert {str(path.relative_to(FOLDER)).partition(".snmprec")[0] for path in FOLDER.rglob("*.snmprec*")} == set(KNOWN)
    both = [walk for walk, row in KNOWN.items() if row["maker"] and row["model"]]
    assert len(both) >= 65
    assert sum(map(is_small, both)) >= 50


@pytest.mark.parametrize(
    ("walk", "source", "count", "example"),
    [
        ("network/switch/hpe-procurve-516733-b21", "fdb", 276, {"port": "17", "vlan": "50", "vlan_name": "VLAN50"}),
        (
            "network/switch/hpe-procurve-516733-b21",
            "lldp",
            5,
            {"remote_port": "Eth1/19", "capabilities": "bridge"},
        ),
        ("network/switch/hpe-procurve-516733-b21", "cdp", 5, {"port": "8", "capabilities": "host"}),
        ("network/switch/cisco-n5000", "lldp", 9, {"port": "mgmt0", "remote_port": "mgmt0", "capabilities": "bridge"}),
        ("network/switch/cisco-n5000", "router", 498, {"interface": "Vlan50", "vlan": "50", "vlan_name": "DMZ"}),
        ("network/switch/cisco-c3560", "cdp", 9, {"port": "Gi0/49", "platform": "cisco WS-C3560-24PS"}),
        ("network/switch/dlink-des3200", "fdb", 284, {"port": "15", "vlan": "1"}),
        ("network/switch/h3c-e528-2", "lldp", 1, {"port": "GigabitEthernet1/0/24", "capabilities": "bridge router"}),
        ("cloud/arista-dcs-7150s-52-cl", "fdb", 26, {"port": "Port-Channel1", "vlan": "40", "vlan_name": "Baopan-Zhilian"}),
        ("network/router/juniper-mx960-12-3r6-6", "lldp", 13, {"port": "ge-1/0/5", "capabilities": "bridge router"}),
    ],
)
def test_the_tables_of_a_recorded_device_become_sightings(replay, walk, source, count, example):
    found = replay(walk, timeout=0.1, retries=0).of(source)
    assert len(found) == count
    assert any(example.items() <= each.facts.items() for each in found)


def test_a_cisco_controller_lists_its_access_points_and_their_clients(replay):
    seen = replay("network/appliance/cisco-controller")
    points, clients = seen.of("controller"), seen.of("wifi")
    assert (len(points), len(clients)) == (226, 95)
    first = next(each for each in points if each.name == "erjiao_sw")
    assert (first.mac, first.address) == ("c8:4c:75:0b:a3:a4", "10.10.2.12"), "its card on the wire, not its radio's"
    assert first.facts["model"] == "AIR-LAP1242AG-C-K9"
    assert first.facts["clients"] == "2"
    assert seen.value("access_point_clients", "127.0.0.1 erjiao_sw") == 2
    assert seen.value("radio_utilisation", "127.0.0.1 erjiao_sw radio 0") == 0.27
    assert sum(seen.targets("access_point_clients").values()) == 153, "what the radios counted, at another moment than the list"
    assert {each.facts.get("ssid") for each in clients} == {"BUCEA", "BUCEA-Mobile"}
    assert {each.facts.get("point") for each in clients} <= {*(point.name for point in points), None}, "one is at none yet"


def test_an_aruba_controller_lists_its_access_points_and_their_clients(replay):
    seen = replay("network/wifi/aruba-7210")
    points, clients = seen.of("controller"), seen.of("wifi")
    assert (len(points), len(clients)) == (13, 89)
    down = next(each for each in points if each.facts["state"] == "down")
    assert f"127.0.0.1 {down.name}" not in seen.targets("access_point_clients"), "one that is down serves nobody, by no count"
    assert {each.facts["ssid"] for each in clients} == {"wrd-intranet", "wrd-dot1x", "wrd-guest"}
    assert all(each.facts["point"] in {point.name for point in points} for each in clients)
    assert {"os": "iPhone"}.items() <= next(each for each in clients if each.mac == "00:b3:62:67:45:0d").facts.items()


def test_clients_are_counted_from_their_list_when_a_controller_counts_none(replay):
    seen = replay("network/wifi/aruba-7010")
    counted = seen.targets("access_point_clients")
    assert len(counted) == 4
    assert 0 < sum(counted.values()) <= len(seen.of("wifi"))


@pytest.mark.parametrize("walk", ["network/wifi/aruba-7010", "network/wifi/aruba-7210", "network/appliance/cisco-controller"])
def test_no_user_name_of_a_recording_is_asked_for_or_told(replay, agent_of, collect, walk):
    """Aruba's and Cisco's tables of clients have a column of who is signed in."""
    columns = {(1, 3, 6, 1, 4, 1, 14823, 2, 2, 1, 4, 1, 2, 1, 3), (1, 3, 6, 1, 4, 1, 14179, 2, 1, 4, 1, 3)}
    agent = agent_of(walk)
    seen = collect(agent)
    names = {
        text
        for oid, text in agent.texts()
        if any(oid[: len(column)] == column for column in columns) and re.fullmatch("[a-z0-9@.]{5,}", text)
    }
    asked = set(agent.asked)
    assert len(names) > 10, "the recording has user names"
    assert not any(oid[: len(column)] == column for oid in asked for column in columns)
    told = " ".join(f"{each.name} {each.facts}" for each in seen.sightings)
    assert not [name for name in names if re.search(rf"\b{re.escape(name)}\b", told)]


def test_a_server_tells_its_memory_disks_and_processors(replay):
    seen = replay("os/linux/unknown-006")
    assert seen.value("device_memory") > 1e9
    disks = seen.targets("device_storage_used")
    assert set(disks) == {"127.0.0.1 /", "127.0.0.1 /boot", "127.0.0.1 /home"}
    assert all(0 < share < 1 for share in disks.values())
    assert seen.details("device_processor_busy")["processors"] >= 1


def test_a_device_with_old_counters_alone_is_measured_by_those(replay):
    seen = replay("UPS/emerson-network-power")
    assert max(seen.targets("interface_received").values()) > 0
    assert seen.targets("interface_speed")


def test_a_recorded_ups_tells_charge_and_time(replay):
    seen = replay("UPS/eaton-93e-80")
    assert 0 < seen.value("ups_charge") <= 1
    assert seen.value("ups_time_left") > 60
    assert seen.sightings[0].facts["mibs"] == "ups"
    assert replay("network/wifi/ubiquiti-m5").sightings[0].facts["mibs"] == "wireless"
