import random
from datetime import UTC, datetime, timedelta

import pytest

from census.kinds import Naming
from census.merge import count
from netready.device import Kind, Place, Sighting
from netready.room_plan import RoomPlan

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def seen(source, mac=None, address=None, name=None, **facts):
    return Sighting(source=source, at=AT, mac=mac, address=address, name=name, facts=facts)


def card(number):
    return f"3c:a9:f4:00:{number >> 8:02x}:{number & 255:02x}"


def switch(number, **facts):
    bridge = f"70:10:6f:{number:02x}:00:00"
    return seen("snmp", bridge, f"10.20.0.{number}", f"switch-{number}", bridge=bridge, services="2", **facts)


def learned(switch, port, mac, vlan=None):
    return seen("fdb", mac, switch=f"10.20.0.{switch}", port=str(port), **({} if vlan is None else {"vlan": vlan}))


def neighbour(switch, port, mac, name=None, *, capabilities="bridge", address=None):
    return seen("lldp", mac, address, name, switch=f"10.20.0.{switch}", port=str(port), capabilities=capabilities)


def places(census):
    return {device.mac: (device.place.switch, device.place.port) for device in census.devices if device.place is not None}


class Tree:
    """A network without loops: switches in a tree, hosts on free ports, complete tables."""

    def __init__(self, seed, switches, hosts) -> None:
        chance = random.Random(seed)
        self.above = {number: chance.randrange(1, number) for number in range(2, switches + 1)}
        self.hosts = {card(number): chance.randint(1, switches) for number in range(hosts)}
        self.port = {mac: str(100 + number) for number, mac in enumerate(self.hosts)}

    def path(self, number):
        found = [number]
        while found[-1] in self.above:
            found.append(self.above[found[-1]])
        return found

    def towards(self, here, there):
        """The port of switch `here` that leads to switch `there`."""
        down = self.path(there)
        return f"up{here}" if here not in down else f"down{down[down.index(here) - 1]}"

    def tables(self, cards):
        for here in (1, *self.above):
            for mac, there in cards.items():
                if there != here:
                    yield learned(here, self.towards(here, there), mac)
                elif mac in self.port:
                    yield learned(here, self.port[mac], mac)

    def truth(self):
        return {mac: (f"switch-{there}", self.port[mac]) for mac, there in self.hosts.items()}


@pytest.mark.parametrize("seed", range(12))
def test_every_host_of_a_tree_is_found_on_its_own_port_by_where_switches_hear_each_other(seed):
    tree = Tree(seed, switches=7, hosts=40)
    own = {f"70:10:6f:{number:02x}:00:00": number for number in (1, *tree.above)}
    census = count([*(switch(number) for number in (1, *tree.above)), *tree.tables(tree.hosts | own)], Naming())
    found = places(census)
    assert {mac: place for mac, place in found.items() if mac in tree.hosts} == tree.truth()
    assert not census.topology.moving
    assert len(census.devices) == 47


@pytest.mark.parametrize("seed", range(12))
def test_every_host_of_a_tree_is_found_by_lldp_alone(seed):
    tree = Tree(seed, switches=7, hosts=40)
    links = []
    for number, above in tree.above.items():
        links += [
            neighbour(above, tree.towards(above, number), f"70:10:6f:{number:02x}:00:00"),
            neighbour(number, tree.towards(number, above), f"70:10:6f:{above:02x}:00:00"),
        ]
    census = count([*(switch(number) for number in (1, *tree.above)), *links, *tree.tables(tree.hosts)], Naming())
    found = places(census)
    assert {mac: place for mac, place in found.items() if mac in tree.hosts} == tree.truth()


@pytest.mark.parametrize("seed", range(12))
def test_every_host_of_a_tree_is_found_by_what_the_tables_share_when_nothing_else_tells(seed):
    tree = Tree(seed, switches=4, hosts=80)
    census = count([*(switch(number) for number in (1, *tree.above)), *tree.tables(tree.hosts)], Naming())
    found = places(census)
    assert {mac: place for mac, place in found.items() if mac in tree.hosts} == tree.truth()


def test_each_switch_hangs_on_the_next_one_towards_the_core():
    own = {number: f"70:10:6f:{number:02x}:00:00" for number in (1, 2, 3, 4)}
    rows = [
        *(switch(number) for number in own),
        learned(1, "a", own[2]), learned(1, "a", own[3]), learned(1, "b", own[4]),
        learned(2, "up", own[1]), learned(2, "up", own[4]), learned(2, "down", own[3]),
        learned(3, "up", own[1]), learned(3, "up", own[2]), learned(3, "up", own[4]),
        learned(4, "up", own[1]), learned(4, "up", own[2]), learned(4, "up", own[3]),
    ]  # fmt: skip
    found = places(count(rows, Naming()))
    assert found == {own[2]: ("switch-1", "a"), own[3]: ("switch-2", "down"), own[4]: ("switch-1", "b")}


def test_a_device_behind_a_switch_that_was_not_asked_is_placed_at_the_port_that_leads_there():
    census = count(
        [
            switch(1),
            neighbour(1, 5, "00:1b:21:00:00:05", "cupboard"),
            learned(1, 5, "00:1b:21:00:00:05"),
            learned(1, 5, card(1)),
            learned(1, 6, card(2)),
        ],
        Naming(),
    )
    assert places(census) == {
        card(1): ("switch-1", "5"),
        card(2): ("switch-1", "6"),
        "00:1b:21:00:00:05": ("switch-1", "5"),
    }
    assert [census.topology.shown(port) for port in census.topology.beyond] == ["switch-1 port 5"]


def test_a_neighbour_that_tells_only_its_name_still_marks_the_port():
    census = count([switch(1), neighbour(1, 5, None, "cupboard"), learned(1, 5, card(1))], Naming())
    assert [census.topology.shown(port) for port in census.topology.beyond] == ["switch-1 port 5"]


def test_a_telephone_with_a_computer_behind_it_is_no_switch():
    phone = "80:5e:c0:00:00:01"
    census = count(
        [
            switch(1),
            neighbour(1, 5, phone, "phone", capabilities="bridge telephone"),
            learned(1, 5, phone, "20"),
            learned(1, 5, card(1), "10"),
        ],
        Naming(),
    )
    assert not census.topology.uplinks
    assert [device.place for device in census.devices if device.mac == card(1)] == [
        Place(switch="switch-1", port="5", vlan="10")
    ]


def test_clients_are_behind_the_access_point_on_whose_port_they_are_heard():
    point = "24:a4:3c:00:00:01"
    census = count(
        [
            switch(1),
            neighbour(1, 5, point, "ap-7", capabilities="bridge wlan-ap"),
            *(learned(1, 5, card(number)) for number in range(3)),
            learned(1, 6, card(9)),
        ],
        Naming(),
    )
    behind = {device.mac: device.point for device in census.devices if device.point}
    assert behind == {card(0): "ap-7", card(1): "ap-7", card(2): "ap-7"}
    assert census.topology.clients == {"ap-7": 3}


def test_an_access_points_own_list_decides_and_a_client_that_walked_is_no_loop():
    rows = [
        switch(1),
        neighbour(1, 5, "24:a4:3c:00:00:01", "ap-7", capabilities="wlan-ap"),
        neighbour(1, 6, "24:a4:3c:00:00:02", "ap-8", capabilities="wlan-ap"),
        learned(1, 5, card(1)),
        learned(1, 6, card(1)),
        seen("wifi", card(1), point="ap-7"),
        Sighting(source="wifi", at=AT + timedelta(minutes=1), mac=card(1), facts={"point": "ap-8"}),
    ]
    census = count(rows, Naming())
    assert [device.point for device in census.devices if device.mac == card(1)] == ["ap-8"]
    assert census.topology.moving == {}
    assert census.topology.clients == {"ap-8": 1}


def test_clients_on_a_port_with_two_access_points_are_given_to_neither():
    rows = [
        switch(1),
        neighbour(1, 5, "24:a4:3c:00:00:01", "ap-7", capabilities="wlan-ap"),
        neighbour(1, 5, "24:a4:3c:00:00:02", "ap-8", capabilities="wlan-ap"),
        learned(1, 5, card(1)),
    ]
    assert all(device.point is None for device in count(rows, Naming()).devices)


def test_a_controllers_own_figure_counts_when_it_lists_more_clients_than_can_be_named():
    rows = [
        seen("controller", "24:a4:3c:00:00:01", "10.20.0.21", "ap-7", controller="10.20.0.9", clients="31"),
        seen("wifi", card(1), point="ap-7"),
    ]
    assert count(rows, Naming()).topology.clients == {"ap-7": 31}


def test_a_card_on_two_ports_in_one_vlan_is_moving_and_a_router_in_two_vlans_is_not():
    rows = [
        switch(1),
        learned(1, 5, card(1), "10"),
        learned(1, 6, card(1), "10"),
        learned(1, 7, card(2), "10"),
        learned(1, 8, card(2), "20"),
    ]
    assert {mac: len(ports) for mac, ports in count(rows, Naming()).topology.moving.items()} == {card(1): 2}


def test_a_card_known_only_from_between_switches_has_no_place():
    own = {number: f"70:10:6f:{number:02x}:00:00" for number in (1, 2)}
    rows = [switch(1), switch(2), learned(1, "a", own[2]), learned(2, "up", own[1]), learned(1, "a", card(1))]
    census = count(rows, Naming())
    assert census.topology.lost == {card(1)}
    assert card(1) not in places(census)


PLAN = RoomPlan(
    ports={("10.20.0.1", "5"): "007", ("switch-1", "6"): "008"},
    points={"ap-9": "hall"},
)


def test_the_plan_says_the_room_by_access_point_and_by_socket_before_what_lists_say():
    rows = [
        switch(1),
        learned(1, 5, card(1)),
        learned(1, 6, card(2)),
        seen("wifi", card(2), point="ap-9"),
        seen("google", card(2), serial="ABC1234", room="A1"),
        seen("google", card(3), serial="ABC1235", room="A2"),
        seen("arp", card(3), "10.20.0.99"),
    ]
    census = count(rows, Naming(), PLAN)
    rooms = {device.mac: device.room for device in census.devices if device.kind is not Kind.SWITCH}
    assert {mac: rooms[mac] for mac in (card(1), card(2), card(3))} == {card(1): "007", card(2): "hall", card(3): "A2"}
