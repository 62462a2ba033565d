import json
from collections import Counter, defaultdict
from ipaddress import ip_address, ip_network

import msgspec
import pytest

from lab import CAMPUS, LabFailed, open_lab
from lab.campus import LAYOUT, STAFF
from lab.plan import ROUTER
from lab.population import LEAVERS, NEWCOMERS

pytestmark = pytest.mark.namespaces

SWITCHES = {switch.name: switch for switch in LAYOUT.switches}
TRUNK = {outlet.switch: SWITCHES[outlet.switch].port_name(outlet.port) for outlet in LAYOUT.trunk}
FDB, Q_FDB = "1.3.6.1.2.1.17.4.3.1.2", "1.3.6.1.2.1.17.7.1.2.2.1.2"
NAMES, BASE, ARP_TABLE = "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.17.1.4.1.2", "1.3.6.1.2.1.4.22.1.2"
STATES = "1.3.6.1.2.1.2.2.1.8"  # ifOperStatus
ANY_TABLE = "1.3.6.1.2.1.4.35.1.4"  # ipNetToPhysicalPhysAddress, of both families

# Asks every address by echo from the agent, 200 a second; prints {address: TTL of the reply}.
PINGS = """
import json, socket, struct, sys, time
found = {}
for family, protocol, ask, reply in ((2, 1, 8, 0), (10, 58, 128, 129)):
    asked = [address for address in sys.argv[1:] if (":" in address) == (family == 10)]
    echo = socket.socket(family, socket.SOCK_RAW, protocol)
    echo.settimeout(1)
    for address in asked:
        echo.sendto(struct.pack(">BBHHH", ask, 0, 0xF7FF if family == 2 else 0, 0, 0), (address, 0))
        time.sleep(0.005)
    waiting = set(asked)
    try:
        while waiting:
            said, (sender, *_) = echo.recvfrom(2000)
            kind, ttl = (said[20], said[8]) if family == 2 else (said[0], 0)
            if kind == reply and sender in waiting:
                waiting.discard(sender)
                found[sender] = ttl
    except TimeoutError:
        pass
print(json.dumps(found))
"""

# Listens on the agent's cable for some seconds; prints [MACs heard in broadcasts and multicasts, LLDP frames in hex].
EARS = """
import json, socket, sys, time
ears = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
ears.bind(("eth0", 3))
ears.settimeout(0.5)
heard, lldp, until = set(), set(), time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    try:
        frame, (*_, kind, _, _) = ears.recvfrom(2000)
    except TimeoutError:
        continue
    if frame[12:14] == b"\\x88\\xcc":
        lldp.add(frame.hex())
    elif frame[0] & 1 and kind != socket.PACKET_OUTGOING:
        heard.add(frame[6:12].hex(":"))
print(json.dumps([sorted(heard), sorted(lldp)]))
"""


def told(lab, script, *words):
    return json.loads(lab.run("agent", ["python", "-c", script, *words], capture_output=True, text=True, check=True).stdout)


def mac_at_end(oid):
    return bytes(int(part) for part in oid.split(".")[-6:]).hex(":")


def mac_of(value):
    return bytes.fromhex(value.removeprefix("0x")).hex(":")


def forwarding(tables, lab, switch):
    """Which port each MAC of each VLAN is on, as the switch says over SNMP: {(MAC, VLAN): port's name}."""
    one = SWITCHES[switch]
    if one.tables == "tagged":
        names, base, rows = tables(lab, one.address, f"public/{NAMES}", f"public/{BASE}", f"public/{Q_FDB}")
        found = {(mac_at_end(oid), int(oid.split(".")[-7])): int(port) for oid, port in rows.items()}
    else:
        vlans = [vlan.number for vlan in LAYOUT.vlans]
        words = [f"public@{vlan}/{oid}" for oid in (FDB, BASE) for vlan in vlans]
        names, *rest = tables(lab, one.address, f"public/{NAMES}", *words)
        base = {oid: index for table in rest[len(vlans) :] for oid, index in table.items()}
        found = {
            (mac_at_end(oid), vlan): int(port) for vlan, rows in zip(vlans, rest, strict=False) for oid, port in rows.items()
        }
    index = {int(oid.rpartition(".")[2]): number for oid, number in base.items()}
    return {key: names[f"{NAMES}.{index[port]}"] for key, port in found.items() if port}


def learnt(lab, switch):
    """The same from the bridges themselves."""
    said = lab.run(switch, ["bridge", "-j", "fdb", "show"], capture_output=True, text=True, check=True).stdout
    found = {}
    for row in json.loads(said):
        if row.get("state") != "permanent" and "v" in row["ifname"] and row["ifname"].startswith("p"):
            port, _, vlan = row["ifname"][1:].partition("v")
            found[row["mac"], int(vlan)] = SWITCHES[switch].port_name(int(port))
    return found


def where(lab, switch):
    """Where the truth has the hosts of a VLAN, seen from one switch: on their own port, or beyond the trunk."""
    return {
        (one.mac, one.vlan): one.port if one.switch == switch else TRUNK[switch]
        for one in lab.truth.hosts
        if one.vlan and one.switch
    }


def test_every_host_of_three_vlans_answers_from_one_seat_and_the_others_over_the_router(campus):
    others = [one for one in campus.truth.hosts if one.name != "agent"]
    assert len(others) >= 70
    near = ip_network(LAYOUT.vlan(STAFF).network)
    expected = {one.address: 64 if ip_address(one.address) in near else 63 for one in others}
    six = {one.others[0]: 0 for one in others if one.vlan and one.others}
    assert told(campus, PINGS, *expected, *six, "10.21.0.254", "10.22.0.250") == expected | six


def test_only_its_own_vlan_is_heard_at_the_agents_seat_and_the_switch_names_the_port(campus):
    heard, lldp = told(campus, EARS, "5")
    staff = {one.mac for one in campus.truth.hosts if one.vlan == STAFF and one.name != "agent"}
    assert staff <= set(heard) <= staff | {one.mac for one in campus.truth.hosts if one.name == "router"}
    assert len(lldp) == 1
    frame = bytes.fromhex(lldp[0])
    assert frame[:12].hex(":").endswith(SWITCHES["switch-2"].port_mac(12))
    assert b"switch-2" in frame
    assert b"Gi1/0/12" in frame


def test_the_routers_table_over_snmp_holds_every_host_of_every_vlan(campus, walked):
    told(campus, PINGS, *(one.address for one in campus.truth.hosts if one.kind == "switch"))  # who say nothing unasked
    said = walked(campus, ROUTER, ARP_TABLE, ANY_TABLE)
    rows = {oid: value for oid, value in said.items() if oid.startswith(ARP_TABLE)}
    found = {(mac_of(value), ".".join(oid.split(".")[-4:])) for oid, value in rows.items()}
    there = {(one.mac, one.address) for one in campus.truth.hosts if one.name != "router"}
    assert found - {("00:1b:21:00:00:01", "198.51.100.1")} == there
    both = Counter(int(oid.split(".")[11]) for oid in set(said) - set(rows))  # by the family of the address
    assert both[1] == len(rows)
    assert both[2] >= sum(1 for one in campus.truth.hosts if one.vlan and one.others and one.name != "agent")


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switchs_bridges_and_its_snmp_have_each_mac_at_the_port_where_it_is(campus, tables, switch):
    said, real, true = forwarding(tables, campus, switch), learnt(campus, switch), where(campus, switch)
    assert {key: said.get(key) for key in true} == true
    assert {key: real.get(key) for key in true} == true
    assert said == real


def test_ports_tell_who_hangs_on_them_what_they_settled_and_what_they_feed(campus, walked):
    first = SWITCHES["switch-1"]
    said = walked(
        campus,
        first.address,
        "1.0.8802.1.1.2.1.4.1.1.9",  # lldpRemSysName
        "1.0.8802.1.1.2.1.5.4795.1.3.3.1.4",  # lldpXMedRemSerialNum
        "1.3.6.1.2.1.10.7.2.1.19",  # dot3StatsDuplexStatus
        "1.3.6.1.2.1.2.2.1.14",  # ifInErrors
        STATES,
        "1.3.6.1.2.1.105.1.3.1.1.4",  # pethMainPseConsumptionPower
        "1.3.6.1.2.1.47.1.1.1.1.11",  # entPhysicalSerialNum
    )

    def column(start):
        return {oid.removeprefix(start + "."): value for oid, value in said.items() if oid.startswith(start + ".")}

    neighbours = {int(index.split(".")[1]): name for index, name in column("1.0.8802.1.1.2.1.4.1.1.9").items()}
    assert neighbours == {4: "phone-office", 7: "ap-hall", 9: "ap-001", 11: "ap-002", 24: "switch-2"}
    assert list(column("1.0.8802.1.1.2.1.5.4795.1.3.3.1.4").values()) == ["VSPHONE0001"]
    half = [int(port) for port, duplex in column("1.3.6.1.2.1.10.7.2.1.19").items() if duplex == "2"]
    failing = [int(port) for port, errors in column("1.3.6.1.2.1.2.2.1.14").items() if int(errors)]
    assert (half, failing) == ([5], [12])
    up = {int(port) for port, state in column(STATES).items() if state == "1"}
    assert up - {10_000} == {*range(1, 16), 23, 24}
    assert list(column("1.3.6.1.2.1.105.1.3.1.1.4").values()) == [str(3 * 15 + 4 + 7)]
    assert list(column("1.3.6.1.2.1.47.1.1.1.1.11").values()) == [first.serial]


def test_one_access_point_lists_all_of_them_and_their_clients(campus, walked):
    start = "1.3.6.1.4.1.14823.2.3.3.1.2"
    points = {one.address: one for one in campus.truth.hosts if one.kind == "access-point"}
    leader = next(one for one in points.values() if one.name == LAYOUT.controller)
    said = walked(campus, leader.address, f"{start}.1.1.2", f"{start}.1.1.4", f"{start}.4.1.4", f"{start}.2.1.21")

    def column(table, number):
        begin = f"{start}.{table}.1.{number}."
        return {oid.removeprefix(begin): value for oid, value in said.items() if oid.startswith(begin)}

    assert {mac_at_end(index): name for index, name in column(1, 2).items()} == {one.mac: one.name for one in points.values()}
    assert set(column(1, 4).values()) == {one.serial for one in points.values()}
    clients = {mac_at_end(index): points[point].name for index, point in column(4, 4).items()}
    assert clients == {one.mac: one.point for one in campus.truth.hosts if one.point}
    counted = defaultdict(int)
    for index, number in column(2, 21).items():
        counted[mac_at_end(index.rpartition(".")[0])] += int(number)
    assert {points[one.address].name: counted[one.mac] for one in points.values()} == Counter(clients.values())


def test_three_hosts_come_and_two_go_and_every_table_follows(namespaces, tables):
    with open_lab(msgspec.structs.replace(CAMPUS, services=frozenset({"snmp"}))) as lab:
        before = {one.name: one for one in lab.truth.hosts}
        lab.add(*NEWCOMERS)
        lab.remove(*LEAVERS)
        now = {one.name: one for one in lab.truth.hosts}
        assert set(now) - set(before) == {one.name for one in NEWCOMERS}
        assert set(before) - set(now) == set(LEAVERS)
        gone = [before[name] for name in LEAVERS]
        came = [now[one.name] for one in NEWCOMERS]
        addresses = [one.address for one in (*gone, *came)]
        assert set(told(lab, PINGS, *addresses)) == {one.address for one in came}
        for switch in SWITCHES:
            real = learnt(lab, switch)
            assert {mac for mac, _ in real} & {one.mac for one in (*gone, *came)} == {one.mac for one in came}
            assert forwarding(tables, lab, switch) == real
            assert real | where(lab, switch) == real
        [table] = tables(lab, ROUTER, f"public/{ARP_TABLE}")
        routed = {mac_of(value) for value in table.values()}
        assert {one.mac for one in came} <= routed
        assert not {one.mac for one in gone} & routed
        [states] = tables(lab, SWITCHES["switch-1"].address, f"public/{STATES}")
        assert states[f"{STATES}.15"] == "2"  # teacher-104 was alone there
        with pytest.raises(LabFailed, match="'teacher-104' that could leave"):
            lab.remove("teacher-104")
        with pytest.raises(LabFailed, match="ap-101 answers for all access points and cannot leave"):
            lab.remove("ap-101")
        with pytest.raises(LabFailed, match="two hosts have the name chromebook-29"):
            lab.add(NEWCOMERS[0])


def test_our_own_responder_tells_the_routers_table_where_there_is_no_snmpd(namespaces, tables):
    with open_lab(msgspec.structs.replace(CAMPUS, services=frozenset({"snmp"}), snmpd=False)) as lab:
        names, table = tables(lab, ROUTER, f"public/{NAMES}", f"public/{ARP_TABLE}")
        found = {(names[f"{NAMES}.{oid.split('.')[-5]}"], ".".join(oid.split(".")[-4:])) for oid in table}
        assert found >= {(f"vlan{one.vlan}", one.address) for one in lab.truth.hosts if one.vlan and one.name != "agent"}
