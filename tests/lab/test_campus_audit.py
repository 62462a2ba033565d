"""What an audit of the campus is prepared with, and how its inventory is compared with the truth."""

import tomllib

import msgspec
import pytest

from lab import CAMPUS, Plan, Wan, audit, comparison
from lab.command import _plan
from lab.truth import truth
from netready.privacy import Veil
from netready.site import Site

TRUTH = truth(CAMPUS)
KEY, PERIOD = bytes(range(32)), "2026-03"


def inventory(**changes):
    """An inventory of the campus that is right in everything, with `changes` to the row of the host that is named first."""
    rows = {
        one.name: {
            "key": one.mac,
            "mac": one.mac,
            "addresses": [one.address, *one.others[:1]],
            "names": [one.name],
            "place": {"switch": one.switch, "port": one.port} if one.switch and not comparison.withheld(one) else None,
            "room": None if comparison.withheld(one) else one.room,
            "point": one.point or None,
        }
        for one in TRUTH.hosts
    }
    for name, change in changes.items():
        rows[name.replace("_", "-")] |= change
    return list(rows.values())


def wrong(devices):
    report = {"survey": {"devices": [{}] * len(devices)}}
    return {check.what: check.found for check in comparison.compare(TRUTH, report, devices)[4:] if not check.right}


def test_the_config_has_every_network_and_managed_device_and_the_papers_lie_beside_it(tmp_path):
    audit.prepare(CAMPUS, tmp_path)
    raw = tomllib.loads((tmp_path / "netready.toml").read_text())
    site = msgspec.convert(raw["site"], Site)
    assert site.networks == ("10.20.0.0/24", "10.21.0.0/23", "10.22.0.0/24")
    assert raw["snmp"]["devices"] == ["10.20.0.1", "10.22.0.2", "10.22.0.3", "10.22.0.24"]
    for name in (raw["inventory"]["rooms"], *raw["inventory"]["lists"]):
        assert (tmp_path / name).read_text().count("\n") > 25


def test_an_inventory_that_is_right_passes():
    assert wrong(inventory()) == {}


@pytest.mark.parametrize(
    ("change", "what", "said"),
    [
        (
            {"lab_pc_2": {"place": {"switch": "switch-1", "port": "24"}}},
            "switch and port of each host",
            f"{len(TRUTH.hosts) - 3}; lab-pc-2 at switch-1 24",
        ),
        ({"camera_gate": {"room": "hall"}}, "room of each host", f"{len(TRUTH.hosts) - 3}; camera-gate at hall"),
        ({"chromebook_01": {"point": None}}, "access point of each wireless host", "36; chromebook-01 at None"),
        ({"ups": {"place": None}}, "switch and port of each host", f"{len(TRUTH.hosts) - 3}; ups at nowhere"),
        ({"ups": {"addresses": []}}, "hosts in the inventory, MAC and address", "71; missing 10.22.0.11"),
        (
            {"ups": {"addresses": ["10.22.0.11", "10.22.0.99"]}},
            "hosts in the inventory, MAC and address",
            "73; not there 10.22.0.99",
        ),
    ],
)
def test_what_is_in_the_wrong_place_is_found(change, what, said):
    assert wrong(inventory(**change)) == {what: said}


def test_the_place_of_a_persons_device_in_a_small_room_must_not_be_said():
    found = wrong(inventory(it_desktop={"room": "IT office", "place": {"switch": "switch-2", "port": "Gi1/0/13"}}))
    assert found["room of each host"] == f"{len(TRUTH.hosts) - 3}; it-desktop at IT office"
    assert set(found) == {"room of each host", "switch and port of each host"}


def test_a_switch_may_be_called_by_its_address():
    assert wrong(inventory(lab_pc_2={"place": {"switch": "10.22.0.3", "port": "Gi1/0/8"}})) == {}


def test_a_host_that_is_counted_twice_is_found():
    devices = inventory()
    assert "twice" in wrong([*devices, devices[-1] | {"addresses": ["10.21.1.204"]}])["hosts in the inventory, MAC and address"]


def test_hosts_kept_under_pseudonyms_are_known_again_and_strangers_are_not(tmp_path):
    veil = Veil(key=KEY, period=PERIOD)

    def veiled(row):
        hidden = {"key": veil.pseudonym("mac", row["mac"]), "mac": None}
        for what, of in (("addresses", "address"), ("names", "name")):
            hidden[what] = [veil.pseudonym(of, word) for word in row[what]]
        return row | hidden

    stored = [veiled(row) for row in inventory()]
    assert wrong(stored)
    keys = tmp_path / "netready.keys"
    keys.write_bytes(msgspec.json.encode({"version": 1, "keys": {PERIOD: KEY.hex()}}))
    assert wrong(audit.unveiled(stored, TRUTH, keys)) == {}
    stranger = veiled({"mac": "02:00:00:00:00:01", "addresses": ["10.21.0.7"], "names": [], "place": None})
    found = wrong(audit.unveiled([*stored, stranger], TRUTH, keys))
    assert found["hosts in the inventory, MAC and address"].startswith("73; not there address-")


def test_the_command_builds_the_campus_with_the_line_and_the_people_that_are_asked_for():
    nothing = dict.fromkeys(("rtt", "students", "staff", "classrooms", "down", "loss"))
    plan = _plan(**nothing | {"school": "campus", "students": 200, "down": 50e6})
    assert plan == msgspec.structs.replace(CAMPUS, students=200, wan=Wan(down=50e6))
    assert _plan(**nothing | {"school": None}) == Plan()
