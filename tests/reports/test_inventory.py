"""The device list: every device once, nothing cut off, filters that hold, and hostile names that stay words."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import msgspec
import pytest

from netready.device import Device, Kind, Place
from netready.finding import Finding, Trouble
from netready.sent import Sent
from netready.survey import Run, Survey
from reports import inventory_lines, inventory_page
from reports.inventory import Filter, inventory, ledger, summary

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\u202e" + "x" * 300
SWITCH = Device(
    key="94:b4:0f:00:00:02",
    mac="94:b4:0f:00:00:02",
    addresses=("10.20.0.2", "10.21.0.2"),
    names=("a-switch-with-quite-a-long-name.building-two.example-school.test",),
    kind=Kind.SWITCH,
    vendor="Aruba, a Hewlett Packard Enterprise Company",
    room="server room",
    how=("arp", "snmp"),
    why=("snmp sysdescr is 2930F",),
    merged=("48 of its own interfaces",),
    facts={"model": "2930F", "maker": "Aruba"},
)
POINT = Device(key="p9", mac=None, addresses=("10.20.0.9",), names=("ap-9",), kind=Kind.ACCESS_POINT, vendor=None, room="9")
TENTH = Device(key="p10", mac=None, addresses=("10.20.0.10",), names=("ap-10",), kind=Kind.ACCESS_POINT, vendor=None, room="10")
CLIENT = Device(
    key="mac-00ff",
    mac=None,
    addresses=("address-00ff",),
    names=(),
    kind=Kind.STUDENT_DEVICE,
    vendor="AzureWave",
    room="9",
    place=Place(switch="switch-1", port="7", vlan="20"),
    point="ap-9",
    random=True,
)
STRANGE = Device(key="mac-01", mac=None, addresses=(), names=(HOSTILE,), kind=Kind.UNKNOWN, vendor=None)
FINDINGS = (
    Finding(trouble=Trouble.HALF_DUPLEX, where="a-switch port 7", says="Port 7 runs at half duplex.", devices=(SWITCH.key,)),
    Finding(trouble=Trouble.ROOM_WITHOUT_COVERAGE, where="room 14", says="Room 14 has no access point.", room="14"),
)
SURVEY = Survey(
    id="s1",
    site="Lincoln",
    software="netready",
    started_at=AT,
    finished_at=AT,
    devices=(STRANGE, TENTH, CLIENT, POINT, SWITCH),
    findings=FINDINGS,
    unseen=("10.30.0.0/24 was not seen.",),
    answers=(("Students for each student device", "12 at most"),),
    runs=(
        Run(instrument="a", method="a/1", ok=True, seconds=1, sent=(Sent(protocol="arp", frames=2, bytes=84),)),
        Run(instrument="b", method="b/1", ok=True, seconds=1, sent=(Sent(protocol="arp", frames=1, bytes=42),)),
    ),
)


def page(content):
    return inventory_page.render(content, site="Lincoln", zone=ZoneInfo("UTC"), made_at=AT, software="netready")


def test_infrastructure_comes_first_in_natural_order_and_what_is_unknown_last():
    assert [row.key for row in inventory(SURVEY).rows] == ["p9", "p10", SWITCH.key, CLIENT.key, STRANGE.key]
    assert summary(inventory(SURVEY)) == "5 devices: 2 access points, 1 student device, 1 switch, 1 device of unknown kind"


def test_names_without_numbers_have_their_place_too():
    names = ("ap-hall", "ap-10", "ap-9", "9th", "ap-9b")
    devices = [Device(key=n, mac=None, addresses=(), names=(n,), kind=Kind.ACCESS_POINT, vendor=None) for n in names]
    survey = Survey(id="s", site="L", software="n", started_at=AT, finished_at=AT, devices=tuple(devices))
    assert [row.name for row in inventory(survey).rows] == ["9th", "ap-9", "ap-9b", "ap-10", "ap-hall"]


def test_a_model_is_not_said_after_a_maker_that_it_begins_with():
    made = {row.key: row.made for row in inventory(SURVEY).rows}
    assert made[SWITCH.key] == "Aruba 2930F"
    assert made[CLIENT.key] == "AzureWave"


@pytest.mark.parametrize(
    ("wanted", "keys", "elsewhere"),
    [
        (Filter(kind=Kind.ACCESS_POINT), ["p9", "p10"], 0),
        (Filter(room="9"), ["p9", CLIENT.key], 0),
        (Filter(room="14"), [], 1),
        (Filter(trouble=Trouble.HALF_DUPLEX), [SWITCH.key], 0),
        (Filter(trouble=Trouble.ROOM_WITHOUT_COVERAGE), [], 1),
        (Filter(kind=Kind.SWITCH, room="SERVER ROOM"), [SWITCH.key], 0),
    ],
)
def test_filters_by_kind_room_and_problem(wanted, keys, elsewhere):
    found = inventory(SURVEY, wanted=wanted)
    assert [row.key for row in found.rows] == keys
    assert len(found.elsewhere) == elsewhere
    if keys:
        assert summary(found).startswith(f"{len(keys)} device")
        assert " of 5: " in summary(found)


def test_a_filter_that_finds_nothing_names_the_rooms_there_are():
    assert summary(inventory(SURVEY, wanted=Filter(room="cellar"))) == (
        "0 devices of 5 are what was asked for. Rooms with devices: 9, 10, server room."
    )


def test_answers_about_the_whole_school_stand_above_the_whole_list_only():
    survey = msgspec.structs.replace(SURVEY, answers=(("Students for each device", "2.1 at most"),))
    assert "Students for each device: 2.1 at most" in inventory_lines.lines(inventory(survey))
    some = inventory_lines.lines(inventory(survey, wanted=Filter(kind=Kind.SWITCH)))
    assert not any("Students for each device" in line for line in some)


@pytest.mark.parametrize("width", [20, 33, 60, 80, 200])
def test_no_width_of_a_terminal_cuts_anything_off(width):
    content = inventory(SURVEY)
    lines = inventory_lines.lines(content, width=width, evidence=True)
    assert max(map(len, lines)) <= width
    text = "".join("".join(lines).split())
    for said in (
        *SWITCH.names,
        *SWITCH.addresses,
        "48ofitsowninterfaces",
        "Port7runsathalfduplex.",
        "10.30.0.0/24",
        "126bytes",
    ):
        assert said in text
    assert "x" * 120 in text  # a name is bounded at the door, not here


def test_control_characters_of_a_name_reach_no_terminal():
    text = "\n".join(inventory_lines.lines(inventory(SURVEY)))
    assert "\u202e" not in text
    assert text.isprintable() or set(filter(lambda char: not char.isprintable(), text)) == {"\n"}


class Reader(HTMLParser):
    """Notes tags, classes and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.classes, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.classes.append(dict(attrs).get("class") or "")

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_has_a_row_a_device_no_script_and_asks_nobody():
    html = page(inventory(SURVEY))
    reader = Reader()
    reader.feed(html)
    assert sum(classes.startswith("device ") for classes in reader.classes) == 5
    assert "script" not in reader.tags
    assert "http://" not in html
    assert "https://" not in html
    assert "<script>alert(1)</script>" in "".join(reader.text)
    assert "no device" not in html.lower()


def test_an_empty_list_is_said_in_words():
    empty = Survey(id="s", site="L", software="n", started_at=AT, finished_at=AT)
    assert "No device is in this list." in page(inventory(empty))
    assert inventory_lines.lines(inventory(empty)) == ["0 devices"]


def test_the_ledger_adds_up_by_protocol():
    assert ledger(SURVEY) == [("arp", 3, 126)]
