"""Real captures of real programs: what is found in them, and that scapy, as the oracle, reads the same in every frame."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import (
    capture,
    pcap,
    wire_arp,
    wire_cdp,
    wire_dhcp,
    wire_dhcp6,
    wire_frame,
    wire_lldp,
    wire_mdns,
    wire_nd,
    wire_ssdp,
)
from netready.failure import Failure
from netready.measurement import Measurement

CAPTURES = Path(__file__).parent / "captures"
NETWORKS = ("10.66.0.0/24", "fd66::/64")
ROUTER, LAPTOP, TABLET, PHONE, DISKS, PRINTER = (f"02:5c:00:00:00:{number}" for number in (10, 20, 30, 40, 50, 70))


def read(context, *names, **table):
    files = tuple(capture.File(file=str(name)) for name in names)
    readings = list(capture.read(capture.Settings(files=files, **table), context))
    measurements = [each for each in readings if isinstance(each, Measurement)]
    return [each for each in readings if each not in measurements], measurements


@pytest.fixture
def school(context_for):
    return context_for(networks=NETWORKS)


def by_key(sightings):
    return {(each.source, each.mac, each.address): each for each in sightings}


# --- What is found -----------------------------------------------------------------------------------------------------


def test_clients_and_the_server_of_a_dhcp_exchange(school):
    sightings, (measured,) = read(school, CAPTURES / "dhcp.pcap")
    found = by_key(sightings)
    laptop = found["dhcp", LAPTOP, "10.66.0.140"]
    assert laptop.name == "laptop-7"
    assert laptop.facts["vendor_class"] == "udhcp 1.35.0"
    assert laptop.facts["parameters"] == "1,3,6,12,15,28,42"
    assert laptop.facts["client_id"] == "01" + LAPTOP.replace(":", "")
    tablet = found["dhcp", TABLET, "10.66.0.105"]
    assert (tablet.name, tablet.facts["vendor_class"]) == ("chromebook-12", "dhcpcd-9.4.1:Linux-5.15")
    assert found["dhcp-server", ROUTER, "10.66.0.1"].facts["serves"] == "10.66.0.105"  # the last that it gave
    assert {("arp", LAPTOP, "10.66.0.140"), ("arp", ROUTER, "10.66.0.1")} <= set(found)
    assert measured.value == 14
    assert measured.details["protocols"] == {"dhcp": 8, "arp": 6}


def test_times_are_the_files_and_not_the_clocks(school):
    from scapy.utils import rdpcap

    times = [datetime.fromtimestamp(float(packet.time), UTC) for packet in rdpcap(str(CAPTURES / "dhcp.pcap"))]
    sightings, (measured,) = read(school, CAPTURES / "dhcp.pcap")
    assert measured.taken_at == times[0]
    assert {each.at for each in sightings} < set(times)
    assert measured.details["seconds"] == pytest.approx((times[-1] - times[0]).total_seconds(), abs=1e-3)


def test_ipv6_neighbours_and_a_dhcpv6_client(school):
    sightings, _ = read(school, CAPTURES / "ipv6.pcap")
    found = by_key(sightings)
    assert found["nd", ROUTER, None].facts["router"] == "yes"
    assert ("nd", ROUTER, "fd66::1") in found
    tablet = found["dhcp", TABLET, None]
    assert tablet.name == "chromebook-12.school.test"
    assert tablet.facts["client_id"].endswith(TABLET.replace(":", ""))


def test_a_telephone_by_lldp_and_cdp_and_the_drops_that_dumpcap_counted(school):
    sightings, (frames, dropped) = read(school, CAPTURES / "neighbours.pcapng")
    found = by_key(sightings)
    assert set(found) == {("lldp", PHONE, "10.66.0.40"), ("cdp", PHONE, "10.66.0.40")}
    told = found["lldp", PHONE, "10.66.0.40"]
    assert told.name == "phone-40"
    facts = {"class": "3", "capabilities": "telephone", "maker": "Handset Works", "model": "HW 52", "serial": "SN0040"}
    assert facts.items() <= told.facts.items()
    assert told.facts["interface"] == "port-phone"
    assert found["cdp", PHONE, "10.66.0.40"].facts["platform"] == "Linux"
    assert (frames.value, dropped.metric, dropped.value) == (14, "listen_dropped", 0)


def test_names_and_kinds_that_devices_announce(school):
    found = by_key(read(school, CAPTURES / "names.pcap.gz")[0])
    printer = found["mdns", PRINTER, "10.66.0.70"]
    assert printer.name == "office-printer"
    assert printer.facts == {"types": "_ipp._tcp", "model": "LaserJet 400 M401dn", "maker": "HP", "location": "Room 7"}
    assert "urn:schemas-upnp-org:device:MediaServer:1" in found["ssdp", DISKS, "10.66.0.50"].facts["kinds"].split()


def test_a_cooked_capture(school):
    found = by_key(read(school, CAPTURES / "cooked.pcap")[0])
    assert set(found) == {("arp", LAPTOP, "10.66.0.140"), ("arp", ROUTER, "10.66.0.1")}


def test_scapy_adds_the_bridge_and_the_netbios_name_when_it_is_asked_for(school):
    names = [CAPTURES / name for name in ("neighbours.pcapng", "names.pcap.gz")]
    found, plain = (by_key(read(school, *names, others=others)[0]) for others in (True, False))
    assert {key: each for key, each in found.items() if key not in plain} == {
        key: found[key] for key in (("stp", "02:5c:00:00:00:01", None), ("netbios", DISKS, "10.66.0.50"))
    }
    assert found["stp", "02:5c:00:00:00:01", None].facts["root"] == "yes"
    disks = found["netbios", DISKS, "10.66.0.50"]
    assert (disks.name, disks.facts) == ("DISKSTATION", {"group": "SCHOOL"})


def test_devices_of_other_networks_are_not_taken_from_a_file(context_for):
    sightings, (measured,) = read(context_for(networks=("10.99.0.0/24",)), CAPTURES / "dhcp.pcap")
    assert {each.source for each in sightings} == {"dhcp", "dhcp-server"}
    assert {each.address for each in sightings if each.source == "dhcp"} == {None}
    assert measured.details["strangers"] == 6


# --- What goes wrong ---------------------------------------------------------------------------------------------------


def test_a_file_that_breaks_off_gives_what_came_before_and_says_so(context_for, tmp_path):
    said = []
    (tmp_path / "cut.pcap").write_bytes((CAPTURES / "dhcp.pcap").read_bytes()[:-500])
    sightings, (measured,) = read(context_for(networks=NETWORKS, said=said), tmp_path / "cut.pcap")
    assert len(sightings) >= 4
    assert measured.details["fault"] == f"malformed: after frame {measured.value:.0f} the file breaks off"
    assert said == [f"capture: cut.pcap: after frame {measured.value:.0f} the file breaks off; what came before it is kept"]


def test_one_file_that_cannot_be_read_does_not_spoil_the_others(school, tmp_path):
    (tmp_path / "letter.pcap").write_text("Dear Sir or Madam")
    os.mkfifo(tmp_path / "pipe")
    names = [tmp_path / "gone.pcap", tmp_path / "letter.pcap", tmp_path / "pipe", CAPTURES / "cooked.pcap"]
    sightings, measurements = read(school, *names)
    assert len(sightings) == 2
    assert [(each.target, each.failure, each.value) for each in measurements] == [
        ("gone.pcap", "not-supported", None),
        ("letter.pcap", "malformed", None),
        ("pipe", "not-supported", None),
        ("cooked.pcap", None, 2.0),
    ]
    assert "No such file" in measurements[0].details["reason"]


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(path.name for path in CAPTURES.glob("*.pcap*"))),
    holes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=4),
)
def test_a_capture_with_holes_and_rubbish_in_it_is_measured_and_its_fault_told(school, tmp_path, name, holes):
    data = (CAPTURES / name).read_bytes()
    for where, length, instead in holes:
        at = int(where * len(data))
        data = data[:at] + instead + data[at + length :]
    path = tmp_path / "spoiled"
    path.write_bytes(data)
    _, (frames, *_) = read(school, path)
    assert frames.metric == capture.FRAMES
    assert frames.failure in {None, Failure.MALFORMED}
    assert frames.details.get("fault", "malformed: ").startswith("malformed: ")


def test_a_file_may_be_no_longer_than_the_settings_say(school):
    _, (measured,) = read(school, CAPTURES / "dhcp.pcap", gigabytes=1e-6)
    assert measured.details["fault"] == "too-large: more than 1,000 bytes"


def test_settings_that_nobody_made_ask_for_nothing():
    row = capture.INSTRUMENT
    assert not row.wanted(capture.Settings())
    assert row.missing(capture.Settings()) == "no file is named in [[capture.files]]"
    table = {"files": [{"file": "a.pcap"}], "others": True}
    assert row.missing(msgspec.convert(table, capture.Settings)) is None
    assert row.silent


def test_without_scapy_the_rest_is_read_and_the_reason_told(tmp_path):
    (tmp_path / "scapy.py").write_text("raise ImportError\n")
    program = (
        "import random, sys; from agent.clock import SystemClock; from collectors import capture;"
        "from netready.authority import Authority; from netready.instrument import Context;"
        "context = Context(clock=SystemClock(), chance=random.Random(1), authority=Authority(), say=print);"
        "files = (capture.File(file=sys.argv[1]),);"
        "print([len(list(capture.read(capture.Settings(files=files), context))), 'scapy' in sys.modules]);"
        "print(*(each.details['reason'] for each in capture.read(capture.Settings(files=files, others=True), context)))"
    )
    paths = os.pathsep.join([str(tmp_path), *(path for path in sys.path if path)])
    done = subprocess.run(
        [sys.executable, "-c", program, str(CAPTURES / "neighbours.pcapng")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["[4, False]", 'scapy is not installed; pip install "netready[pcap]"']


# --- The oracle --------------------------------------------------------------------------------------------------------


def frames():
    for path in sorted(CAPTURES.glob("*.pcap*")):
        with path.open("rb") as file:
            yield from (each.frame for each in pcap.frames(file, pcap.Account(), most_bytes=1 << 20, began=0.0))


def packed(text):
    return ip_address(text).packed


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ours(parser, *given):
    """What a parser of ours says, as far as scapy tells the same in other words."""
    found = parser(*given)
    return None if found is None else msgspec.structs.asdict(found)


def test_scapy_reads_the_same_in_every_frame():
    from scapy.layers.l2 import Ether

    read_by_both = {}
    for frame in frames():
        theirs = Ether(frame)
        for kind, check in CHECKS.items():
            if check(frame, theirs):
                read_by_both[kind] = read_by_both.get(kind, 0) + 1
    assert set(read_by_both) == set(CHECKS)
    assert min(read_by_both.values()) >= 2


def check_arp(frame, theirs):
    from scapy.layers.l2 import ARP

    if ARP not in theirs:
        return False
    arp = theirs[ARP]
    assert ours(wire_arp.claim, frame) == {"mac": mac(arp.hwsrc), "address": packed(arp.psrc), "settled": True}
    return True


def check_nd(frame, theirs):
    from scapy.layers.inet6 import (
        ICMPv6ND_NA,
        ICMPv6ND_NS,
        ICMPv6ND_RA,
        ICMPv6ND_RS,
        ICMPv6NDOptDstLLAddr,
        ICMPv6NDOptSrcLLAddr,
    )

    message = next((theirs[kind] for kind in (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS) if kind in theirs), None)
    if message is None:
        return False
    option = next((theirs[kind].lladdr for kind in (ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr) if kind in theirs), theirs.src)
    source = "" if theirs["IPv6"].src == "::" else theirs["IPv6"].src
    address = message.tgt if isinstance(message, ICMPv6ND_NA) else source or getattr(message, "tgt", "")
    router = bool(getattr(message, "R", 0)) or bool(getattr(message, "routerlifetime", 0))
    assert ours(wire_nd.neighbour, wire_frame.packet(frame)) == {
        "mac": mac(option),
        "address": packed(address) if address else b"",
        "settled": bool(source) or not isinstance(message, ICMPv6ND_NS),
        "router": router,
    }
    return True


def payload(frame):
    return wire_frame.datagram(wire_frame.packet(frame)).payload


def check_dhcp(frame, theirs):
    from scapy.layers.dhcp import BOOTP, DHCP

    if DHCP not in theirs:
        return False
    options = {each[0]: each[1:] for each in theirs[DHCP].options if isinstance(each, tuple)}
    if theirs[BOOTP].op == 2:
        server = {"address": packed(options["server_id"][0]), "serves": packed(theirs[BOOTP].yiaddr)}
        assert ours(wire_dhcp.server, payload(frame)) == server
        return True
    wanted = options.get("requested_addr", [""])[0] if options["message-type"] == (3,) else ""
    assert ours(wire_dhcp.client, payload(frame)) == {
        "mac": theirs[BOOTP].chaddr[:6],
        "address": packed(wanted) if wanted else b"",
        "name": options["hostname"][0].decode(),
        "vendor_class": options["vendor_class_id"][0].decode(),
        "parameters": tuple(options["param_req_list"][0]),
        "identity": options.get("client_id", [b""])[0].hex(),
    }
    return True


def check_dhcp6(frame, theirs):
    from scapy.layers.dhcp6 import DHCP6_Request, DHCP6_Solicit, DHCP6OptClientFQDN, DHCP6OptClientId

    if DHCP6_Solicit not in theirs and DHCP6_Request not in theirs:
        return False
    name = theirs[DHCP6OptClientFQDN].fqdn if DHCP6OptClientFQDN in theirs else b""
    name = name.decode() if isinstance(name, bytes) else name
    duid = bytes(theirs[DHCP6OptClientId].duid).hex()
    assert ours(wire_dhcp6.client, payload(frame)) == {"name": name.rstrip("."), "vendor_class": "", "identity": duid}
    return True


def check_mdns(frame, theirs):
    from scapy.layers.dns import DNS

    if DNS not in theirs or theirs[DNS].qr == 0:
        return False
    records = [*(theirs[DNS].an or ()), *(theirs[DNS].ar or ())]
    addresses = [packed(each.rdata) for each in records if each.type in {1, 28}]
    names = [bytes(each.target) for each in records if each.type == 33]
    names += [bytes(each.rrname) for each in records if each.type in {1, 28}]
    texts = dict(text.split(b"=", 1) for each in records if each.type == 16 for text in each.rdata)
    services = {
        bytes(each.rrname).split(b".")[-4:-2][0] for each in records if each.type in {12, 33, 16} and b"_tcp" in each.rrname
    }
    said = wire_mdns.announcement(payload(frame))
    assert said.addresses == tuple(addresses)
    assert {said.name} == ({names[0].decode().removesuffix(".local.")} if names else {""})
    assert (said.model, said.maker, said.place) == tuple(texts.get(key, b"").decode() for key in (b"ty", b"usb_MFG", b"note"))
    assert {word.split(".")[0].encode() for word in said.types} == services
    return True


def check_ssdp(frame, theirs):
    from scapy.layers.inet import UDP

    if UDP not in theirs or theirs[UDP].dport != 1900:
        return False
    lines = bytes(theirs[UDP].payload).decode().split("\r\n")
    headers = dict(line.split(":", 1) for line in lines[1:] if ":" in line)
    said = wire_ssdp.notice(payload(frame))
    if headers["NTS"] != "ssdp:alive":
        assert said is None
        return False
    assert said.server == headers["SERVER"].strip()
    assert said.kind in {headers["NT"].strip(), ""}
    return True


def check_lldp(frame, theirs):
    from scapy.contrib import lldp

    if frame[12:14] != b"\x88\xcc":
        return False
    unit = lldp.LLDPDU(frame[14:])
    extras = [
        each for each in layers(unit) if isinstance(each, lldp.LLDPDUGenericOrganisationSpecific) and each.org_code == 0x12BB
    ]
    inventory = {each.subtype: each.data for each in extras}
    said = wire_lldp.neighbour(frame[14:])
    assert said.mac == mac(unit[lldp.LLDPDUChassisID].id)
    assert said.name == unit[lldp.LLDPDUSystemName].system_name.decode()
    assert said.description == unit[lldp.LLDPDUSystemDescription].description.decode()
    assert said.port == unit[lldp.LLDPDUPortDescription].description.decode()
    assert said.address == unit[lldp.LLDPDUManagementAddress].management_address
    assert ("telephone" in said.capabilities) == bool(unit[lldp.LLDPDUSystemCapabilities].telephone_enabled)
    assert len(said.capabilities) == 1
    assert said.med["class"] == str(inventory[1][2])
    words = {8: "serial", 9: "maker", 10: "model"}
    assert all(said.med.get(words[kind], "") == inventory.get(kind, b"").decode() for kind in words)
    return True


def check_cdp(frame, theirs):
    from scapy.contrib import cdp

    if not wire_cdp.is_cdp(frame):
        return False
    unit = cdp.CDPv2_HDR(frame[22:])
    said = wire_cdp.neighbour(frame)
    assert said.name == unit[cdp.CDPMsgDeviceID].val.decode()
    assert said.port == unit[cdp.CDPMsgPortID].iface.decode()
    assert said.software == unit[cdp.CDPMsgSoftwareVersion].val.decode()
    assert said.platform == unit[cdp.CDPMsgPlatform].val.decode()
    assert [str(ip_address(each)) for each in said.addresses] == [each.addr for each in unit[cdp.CDPMsgAddr].addr]
    assert int(unit[cdp.CDPMsgCapabilities].cap) == 0x10
    assert said.capabilities == ("host",)
    return True


def layers(unit):
    while unit:
        yield unit
        unit = unit.payload


CHECKS = {
    "arp": check_arp,
    "nd": check_nd,
    "dhcp": check_dhcp,
    "dhcp6": check_dhcp6,
    "mdns": check_mdns,
    "ssdp": check_ssdp,
    "lldp": check_lldp,
    "cdp": check_cdp,
}


def test_the_captures_are_small_and_hold_what_their_list_says():
    files = {path.name for path in CAPTURES.glob("*.pcap*")}
    assert sum((CAPTURES / name).stat().st_size for name in files) < 50_000
    listed = (CAPTURES / "README.md").read_text()
    assert all(f"`{name}`" in listed for name in files)
