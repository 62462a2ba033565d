import shutil
from pathlib import Path

import pytest

from collectors.imports.room_plan import read_plan
from netready.refusal import Unfit
from netready.room_plan import RoomPlan, folded_port

SAMPLE = Path(__file__).parent / "samples" / "room_plan.csv"


@pytest.fixture
def plan(tmp_path):
    def read(text: str) -> RoomPlan:
        path = tmp_path / "rooms.csv"
        path.write_text(text)
        return read_plan(path)

    return read


def test_sockets_and_access_points_are_found_however_they_are_written(tmp_path):
    plan = read_plan(shutil.copy(SAMPLE, tmp_path))
    for switch, port in (("SW-A", "Gi1/0/7"), ("sw-a.school.example", "gigabitethernet 1/0/7"), ("sw-a", "ge-1/0/7")):
        assert plan.room_of_port(switch, port) == "Room 12"
    assert plan.room_of_port("10.20.0.3", "4") == "Room 12", "a room that is written in two ways is one"
    assert plan.room_of_port("sw-a", "port 8") == "Library"
    assert plan.room_of_port("sw-b", "8") is plan.room_of_point("ap-12") is None
    assert plan.room_of_point("ap-lib.school.example") == "Library"
    assert plan.room_of_point("AABB.CC00.0001") == "Room 12"
    assert plan.people == {"Room 12": 28, "Gym": 90, "Hall": 120}
    assert plan.seats == {"Room 12": 30, "Library": 60}
    assert plan.rooms == ("Gym", "Hall", "Library", "Room 12")


def test_ports_of_different_sorts_stay_different():
    names = ["1", "Gi1/0/1", "Te1/0/1", "Fa0/1", "eth1", "swp1", "xe-0/0/1", "A1", "Gi1/0/11", "vlan1"]
    assert len({folded_port(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "sw-a,7,Room 1,,\nSW-A.school,Port 7,Room 2,,\n",
            'line 3: expected SW-A.school port Port 7 once; line 2 has it too, in "Room 1"',
        ),
        ("sw-a,7,Room 1,,\n\nsw-a,7,room 1,,\n", "line 4: expected sw-a port 7 once; line 2 has it too, in the same room"),
        (",,Room 1,AP-1,\n,,Room 2,ap-1,\n", 'line 3: expected access point ap-1 once; line 2 has it too, in "Room 1"'),
        (
            "sw-a,7,Room 1,,28\nsw-a,8,Room 1,,28\nsw-a,9,room 1,,30\n",
            'line 4: expected 28 people in room "Room 1", as line 2 has it; got 30',
        ),
        ("sw-a,,Room 1,,\n", "line 2: expected a port beside sw-a"),
        (",7,Room 1,,\n", "line 2: expected a switch beside 7"),
        ("sw-a,7,,,\n", "line 2: expected a room"),
        ("sw-a,7,Room 1,,many\n", "line 2, column 5 (people): expected a whole number up to 10,000"),
        ("sw-a,7,Room 1,,-3\n", "line 2, column 5 (people): expected a whole number up to 10,000"),
        ("sw-a,7,Room 1\n", "line 2: expected 5 cells, as the header has; got 3"),
        ("", "expected a room plan; the file has a header and no rows"),
    ],
)
def test_what_contradicts_itself_is_refused_with_both_lines(plan, rows, expected):
    with pytest.raises(Unfit) as refused:
        plan(f"switch,port,room,access_point,people\n{rows}")
    assert str(refused.value).endswith(f"rooms.csv: {expected}")


def test_a_list_of_devices_is_no_room_plan(plan):
    with pytest.raises(Unfit, match="line 1: expected a room plan, with the columns switch, port and room"):
        plan("Serial number,Model\nAAAAA1,Chromebook\n")
