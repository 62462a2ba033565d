"""What is asked for, when, and what is done with answers of every kind."""

import re
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.snmp.cells import address, bare_mac, bits, inet_at, mac, mac_at, said
from collectors.snmp.device import Answer, emit
from collectors.snmp.forwarding import vlan_of
from collectors.snmp.identity_rows import described
from collectors.snmp.makers import known_as
from collectors.snmp.modules import MODULES
from collectors.snmp.neighbours import capabilities
from collectors.snmp.reading import ENTERPRISES, MIB2, Told, When
from collectors.snmp.settings import Credentials, Version
from collectors.snmp.walk import Table
from netready.device import Sighting

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


# --- When ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "objectid", "services", "fits"),
    [
        (When(), (), None, True),
        (When(makers=((9,),)), (*ENTERPRISES, 9, 1, 1208), 6, True),
        (When(makers=((9,),)), (*ENTERPRISES, 99, 1), 6, False),
        (When(makers=((9,),)), (1, 3, 6, 1, 2, 1, 9), 6, False),
        (When(services=6), (), 2, True),
        (When(services=6), (), 72, False),
        (When(services=6), (), None, True),
        (When(services=6, makers=((14823,),)), (*ENTERPRISES, 14823, 1, 1, 32), 72, True),
    ],
)
def test_a_table_is_wanted_by_maker_or_by_what_the_device_does(when, objectid, services, fits):
    assert when.fits(objectid, services) is fits


def test_a_small_device_is_asked_little(agent_of, collect):
    """One GET for who it is, one for what stands alone, a look into all tables, and the tables that are there."""
    agent = agent_of("apc-ups")
    seen = collect(agent)
    assert agent.requests <= 8
    assert seen.sent.frames == agent.requests


@pytest.mark.parametrize("walk", ["hp-poe", "mikrotik", "printer"])
def test_nothing_is_asked_for_outside_the_tables_and_nothing_of_other_makers(agent_of, collect, walk):
    agent = agent_of(walk)
    seen = collect(agent)
    maker = int(seen.sightings[0].facts["sysobjectid"].split(".")[6])
    allowed = {(*MIB2, 1), (*MIB2, 4, 20)} | {module.oid(name) for module in MODULES for name in module.columns}
    roots = {module.root for module in MODULES}
    for oid in agent.asked:
        assert oid in roots or any(oid[: len(column)] == column for column in allowed), oid
        if oid[:6] == ENTERPRISES and oid[6] not in {maker, 9}:
            pytest.fail(f"{oid} is another maker's")
        assert oid[:7] != (*ENTERPRISES, 9) or oid[7:10] == (9, 23, 1) or maker == 9, "but CDP, which many speak"


def test_a_host_is_not_asked_for_a_routers_tables(agent_of, collect):
    agent = agent_of("printer")
    collect(agent)
    assert not [oid for oid in agent.asked if oid[:9] == (*MIB2, 4, 22, 1)]


def test_version_1_reads_the_same(agent_of, collect, community):
    row = Credentials(devices=("127.0.0.1",), version=Version.V1, community_file=community)
    agent = agent_of("hp-poe")
    modern = collect(agent)
    old = collect(agent, credentials=(row,))
    assert [each.facts for each in old.sightings] == [each.facts for each in modern.sightings]


def test_a_table_with_more_rows_than_allowed_is_cut_and_says_so(replay):
    seen = replay("network/switch/dlink-des3200", max_rows=100)
    assert len(seen.of("fdb")) == 50, "two columns"
    assert seen.details("device_uptime")["faults"]["q-bridge"] == "row-cap"


# --- Cells and indexes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (b"\x02\xaa\x00\x00\x00\x01", "02:aa:00:00:00:01"),
        (b"02-AA-00-00-00-01", "02:aa:00:00:00:01"),
        (b"\x01\x00\x5e\x00\x00\xfb", None),
        (b"\x20\x20\x20\x20\x20\x20", None),
        (bytes(6), None),
        (b"\xff" * 6, None),
        (b"\x02\xaa", None),
        (7, None),
    ],
)
def test_a_hardware_address_is_one_devices_or_none(cell, found):
    assert mac(cell) == found


def test_a_name_of_six_letters_is_no_hardware_address():
    assert bare_mac(b"Fa0/23") is None
    assert bare_mac(b"\x02\xab\x00\x00\x00\x01") == "02:ab:00:00:00:01"


def test_addresses_in_indexes_are_checked():
    assert inet_at((7, 1, 4, 10, 20, 0, 5), 1) == "10.20.0.5"
    assert inet_at((7, 1, 10, 20, 0, 5), 1) == "10.20.0.5", "without the length, as ZTE writes it"
    assert inet_at((7, 1, 4, 10, 20, 0, 500), 1) is None
    assert inet_at((7, 1, 5, 10, 20, 0, 5), 1) is None
    assert inet_at((7, 2, 16, *ip_address("2001:db8::5").packed), 1) == "2001:db8::5"
    assert inet_at((7, 1, 4, 127, 0, 0, 1), 1) == "", "loopback is every device's own"
    assert mac_at((2, 170, 0, 0, 0)) is None
    assert mac_at((256, 170, 0, 0, 0, 1)) is None
    assert address(b"\x0a\x14\x00\x05") == "10.20.0.5"


def test_bits_are_counted_from_the_highest():
    assert bits(b"\x24\x01") == {2, 5, 15}
    assert capabilities(b"\x28", b"") == "bridge router"
    assert capabilities(b"\x00", b"\x10") == "wlan-ap", "what it could do, where it says nothing of what it does"


@pytest.mark.parametrize(
    ("name", "vlan"),
    [("Vlan20", 20), ("Vlan-interface20", 20), ("Vlanif0020", 20), ("eth0.30", 30), ("irb.7", 7), ("ve 12", 12),
     ("Gi1/0/20", None), ("ge-0/0/1.0", None), ("vlan9999", None), ("DEFAULT_VLAN", None), ("uplink20", None)],
)  # fmt: skip
def test_a_routers_interface_is_named_after_its_vlan(name, vlan):
    assert vlan_of(name) == vlan


@pytest.mark.parametrize("text", [b"N/A", b" none ", b"Unknown", b"", b"--", b"To Be Filled By O.E.M.", 3])
def test_the_many_ways_of_saying_nothing_are_nothing(text):
    assert said(text) == ""


@pytest.mark.parametrize(
    ("number", "descr", "model", "software"),
    [
        (11, "HP J9776A 2530-24G Switch, revision YA.16.11, ROM YA.15.20", "J9776A 2530-24G", "YA.16.11"),
        (11, "HP ETHERNET MULTI-ENVIRONMENT,ROM none,PID:HP LaserJet P4015", "LaserJet P4015", ""),
        (9, "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 15.0(2)SE11, RELEASE", "", "15.0(2)SE11"),
        (2636, "Juniper Networks, Inc. ex3400-48p Ethernet Switch, kernel JUNOS 18.2R3.4, Build", "ex3400-48p", "18.2R3.4"),
        (41112, "UAP-nanoHD 5.43.36.12724", "UAP-nanoHD", "5.43.36.12724"),
        (368, " ; AXIS M3045-V; Network Camera; 9.80.1; Nov 01 2019 10:25; 76F.1; 1;", "M3045-V", ""),
        (1916, "ExtremeXOS (X440G2-24p-10G4) version 22.5.1.7 by release-manager", "X440G2-24p-10G4", "22.5.1.7"),
        (99999, "Anything 1234", "", ""),
    ],
)
def test_a_description_gives_the_model_away(number, descr, model, software):
    found = described((*ENTERPRISES, number, 1), descr)
    assert (found.get("model", ""), found.get("software", "")) == (model, software)


def test_makers_are_called_as_people_call_them():
    assert known_as("Cisco Systems, Inc.") == "Cisco"
    assert known_as("HPE") == "HP"
    assert known_as("Nobody Ltd") == "Nobody Ltd"


def test_the_mac_of_a_device_that_was_asked_by_ipv6_is_its_interfaces():
    told = Told("2001:DB8:10::1", AT)
    by_name = {module.name: module for module in MODULES}
    own = (2, 16, *ip_address("2001:db8:10::1").packed)
    cells = {"interfaces": {"phys": {(7,): b"\x02\x5a\x00\x00\x00\x07", (8,): b"\x02\x5a\x00\x00\x00\x08"}}}
    cells |= {"addresses": {"index": {own: 8}}}
    for name, columns in cells.items():
        module = by_name[name]
        found = {module.oid(column): columns.get(column, {}) for column in module.columns}
        told.put(module, Table(cells=found, seen={}, most=100, size=2))
    seen = next(emit(Answer(told=told)))
    assert (seen.mac, seen.address) == ("02:5a:00:00:00:08", "2001:DB8:10::1")


# --- Answers of every kind ----------------------------------------------------------------------------------------------------

parts = st.integers(0, 300) | st.sampled_from((1, 2, 4, 6, 16, 2**32 - 1))
rows = st.lists(parts, min_size=0, max_size=22).map(tuple)
octets = (
    st.binary(max_size=40)
    | st.binary(min_size=6, max_size=6)
    | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
)
values = st.integers(-5, 2**64) | octets | st.lists(parts, max_size=16).map(tuple) | st.none()
MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")


@st.composite
def told_anything(draw):
    """A device that tells anything in any table, as long as it is SNMP."""
    told = Told("10.20.0.2", AT)
    told.system = {(*MIB2, 1, leaf, 0): draw(values) for leaf in (1, 2, 3, 5, 6, 7)}
    for module in draw(st.lists(st.sampled_from(MODULES), max_size=8, unique_by=lambda module: module.name)):
        if module.alone:
            told.put_values(module, {(*module.oid(name), 0): draw(values) for name in module.columns})
            continue
        same = draw(st.lists(rows, max_size=3))
        cells = {module.oid(name): {row: draw(values) for row in same if draw(st.booleans())} for name in module.columns}
        told.put(module, Table(cells=cells, seen={}, most=100, size=sum(map(len, cells.values()))))
    return told


@given(told_anything())
@settings(max_examples=60)
def test_whatever_a_device_tells_becomes_readings_that_can_be_believed(told):
    for reading in emit(Answer(told=told)):
        if not isinstance(reading, Sighting):
            continue
        assert reading.mac is None or MAC.fullmatch(reading.mac)
        assert reading.address is None or ip_address(reading.address)
        for text in (reading.name or "", *reading.facts.values()):
            assert text.isprintable()
        for fact in ("switch", "router", "controller"):
            assert reading.facts.get(fact, "10.20.0.2") == "10.20.0.2"
