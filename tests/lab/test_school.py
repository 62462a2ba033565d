import json
import time
from collections import defaultdict

import msgspec
import pytest

from lab import BARE, open_lab
from lab.plan import PAGES, ROUTER, ROUTER_WAN, SWITCH, Plan
from lab.school import HOSTS
from lab.truth import truth
from netready.device import Kind

# Asks every address by ARP (RFC 826) and by ICMP echo from the agent; prints {address: [mac, ponged]}.
ROLL_CALL = """
import json, socket, struct, sys, time
addresses = sys.argv[1:]
own = bytes.fromhex(open("/sys/class/net/eth0/address").read().replace(":", ""))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
wire.bind(("eth0", 0x0806))
wire.settimeout(0.5)
found = {}
for address in addresses:
    ends = own, socket.inet_aton("10.20.0.9"), bytes(6), socket.inet_aton(address)
    ask = struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, *ends)
    wire.send(b"\\xff" * 6 + own + b"\\x08\\x06" + ask)
    time.sleep(0.005)
try:
    while len(found) < len(addresses):
        said = wire.recv(100)
        if said[20:22] == b"\\0\\2":
            found[socket.inet_ntoa(said[28:32])] = [said[22:28].hex(":"), False]
except TimeoutError:
    pass
echo = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
echo.settimeout(0.5)
for address in found:
    echo.sendto(struct.pack(">BBHHH", 8, 0, 0xF7FF, 0, 0), (address, 0))
    time.sleep(0.005)
waiting = set(found)
try:
    while waiting:
        said, (sender, _) = echo.recvfrom(2000)
        if said[20] == 0 and sender in waiting:
            waiting.discard(sender)
            found[sender][1] = True
except TimeoutError:
    pass
print(json.dumps(found))
"""

# Listens on the agent's interface for some seconds; prints [[source mac, destination port], ...] of UDP broadcasts.
EARS = """
import json, socket, sys, time
ears = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
ears.bind(("eth0", 3))
ears.settimeout(0.5)
heard, until = set(), time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    try:
        frame = ears.recv(2000)
    except TimeoutError:
        continue
    if frame[0] & 1 and frame[12:14] == b"\\x08\\0" and frame[23] == 17:
        heard.add((frame[6:12].hex(":"), int.from_bytes(frame[36:38], "big")))
print(json.dumps(sorted(heard)))
"""


def test_the_plan_has_enough_hosts_and_no_two_are_alike():
    everybody = truth(Plan()).hosts
    assert len(HOSTS) >= 42
    for what in ("name", "mac", "address"):
        assert len({getattr(host, what) for host in everybody}) == len(everybody)
    kinds = {host.kind for host in everybody}
    assert kinds <= {str(kind) for kind in Kind}
    assert {"student-device", "printer", "access-point", "camera", "display", "server", "phone", "ups"} <= kinds
    assert all(len(bytes.fromhex(host.mac.replace(":", ""))) == 6 and not int(host.mac[:2], 16) & 1 for host in everybody)


@pytest.mark.namespaces
def test_every_host_answers_arp_with_its_own_mac_and_icmp(school):
    others = [host for host in school.truth.hosts if host.name != "agent"]
    argv = ["python", "-c", ROLL_CALL, *(host.address for host in others), "10.20.0.250"]
    found = json.loads(school.run("agent", argv, capture_output=True, text=True, check=True).stdout)
    assert found == {host.address: [host.mac, True] for host in others}


@pytest.mark.namespaces
def test_announcements_reach_the_agents_interface(school):
    argv = ["python", "-c", EARS, "5"]
    heard = defaultdict(set)
    for mac, port in json.loads(school.run("agent", argv, capture_output=True, text=True, check=True).stdout):
        heard[mac].add(port)
    expected = {
        host.mac: {port for port, says in ((67, host.parameters), (5353, host.services), (1900, host.ssdp)) if says}
        for host in HOSTS
    }
    assert dict(heard) == {mac: ports for mac, ports in expected.items() if ports}


@pytest.mark.namespaces
def test_the_platforms_names_resolve_and_its_pages_open_over_the_line(school):
    script = """
import socket, urllib.request
print(socket.gethostbyname("lms.school.test"))
with urllib.request.urlopen("http://lms.school.test/login", timeout=5) as page:
    print(page.status, len(page.read()) > 10_000)
try:
    socket.gethostbyname("nothing.school.test")
except socket.gaierror as error:
    print(error.errno)
"""
    said = school.run("agent", ["python", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [PAGES, "200 True", "-2"]


@pytest.mark.namespaces
def test_the_switch_answers_snmp_and_knows_where_every_device_is(school, walked):
    names = walked(school, SWITCH, "1.3.6.1.2.1.31.1.1.1.1")
    assert list(names.values()) == [*(str(port) for port in range(1, 29)), "DEFAULT_VLAN"]
    table = walked(school, SWITCH, "1.3.6.1.2.1.17.4.3.1.2")
    assert len(table) == len(HOSTS) + 2
    assert set(map(int, table.values())) <= set(range(1, 29))
    system = walked(school, SWITCH, "1.3.6.1.2.1.1")
    assert system["1.3.6.1.2.1.1.5.0"] == "switch"
    assert int(system["1.3.6.1.2.1.1.3.0"]) > 0


IN, OUT = "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"  # ifHCInOctets, ifHCOutOctets


def counted(walked, lab, column=IN):
    names = walked(lab, ROUTER, "1.3.6.1.2.1.31.1.1.1.1")
    index = next(oid.rpartition(".")[2] for oid, name in names.items() if name == "wan0")
    return int(walked(lab, ROUTER, column)[f"{column}.{index}"])


@pytest.mark.namespaces
def test_the_routers_counters_move_with_the_traffic(school, blast, walked):
    before, sent = counted(walked, school), counted(walked, school, OUT)
    assert len(blast(school, 500, seconds=0.5)) == 500
    with school.cross("up", rate=2e6):
        blast(school, 500, seconds=3.5)  # snmpd keeps a reading for three seconds
        assert counted(walked, school) - before >= 500 * 1500
        assert counted(walked, school, OUT) - sent >= 2e6 / 8


@pytest.mark.namespaces
def test_our_own_responder_stands_in_where_there_is_no_snmpd(namespaces, walked):
    with open_lab(msgspec.structs.replace(BARE, services=frozenset({"snmp"}), snmpd=False)) as lab:
        before = counted(walked, lab)
        shout = "import socket\nfor _ in range(50): socket.socket(2, 2).sendto(bytes(1000), ('10.20.0.9', 9))"
        lab.run("isp", ["python", "-W", "ignore", "-c", shout], check=True)
        time.sleep(1.1)  # one reading serves for a second
        assert 50 * 1042 <= counted(walked, lab) - before < 80 * 1042
        assert walked(lab, ROUTER, "1.3.6.1.2.1.1.5")["1.3.6.1.2.1.1.5.0"] == "router"
        assert set(walked(lab, ROUTER, "1.3.6.1.2.1.4.20.1.2")) == {
            f"1.3.6.1.2.1.4.20.1.2.{own}" for own in (ROUTER, ROUTER_WAN)
        }
