import bisect
import functools
import os
import socket
import time

import msgspec
import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from collectors.snmp import device as snmp
from collectors.snmp import interfaces, reading
from collectors.snmp.identity import ADDRESS_INDEX
from collectors.snmp.modules import METRICS, MODULES, YIELDS
from netready.authority import Refused
from netready.failure import Failure
from netready.metric import CATALOGUE
from netready.sent import Sent

SECRET = "gr8-s3cret-w0rd"


@pytest.fixture
def community(tmp_path):
    path = tmp_path / "community"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return str(path)


def read(context, community, port, **table):
    table = {"devices": ("127.0.0.1",), "timeout": 0.15, "retries": 1, "deadline": 3.0, "requests_per_second": 0} | table
    return list(snmp.read(snmp.Settings(community_file=community, port=port, **table), context))


def uptime(readings):
    return next(each for each in readings if getattr(each, "metric", None) == "device_uptime")


# --- A real agent ------------------------------------------------------------------------------------------------------


real = pytest.mark.tool("snmpd")


@real
def test_a_real_agent_says_what_it_is_and_what_each_interface_carried(context, community, snmpd):
    readings = read(context, community, snmpd.port, timeout=1.0)
    seen = readings[0]
    assert (seen.source, seen.address, seen.name) == ("snmp", "127.0.0.1", "core-sw")
    assert seen.facts["sysdescr"] == "Test switch"
    assert seen.facts["location"] == "Room 12"
    assert seen.facts["services"] == "6"
    assert seen.facts["sysobjectid"].startswith("1.3.6.1.4.1.8072.")
    assert uptime(readings).value >= 0
    assert uptime(readings).details["fault"] is None
    loopback = {each.metric: each for each in readings if getattr(each, "target", "") == "127.0.0.1 lo"}
    assert set(loopback) == {"interface_speed", "interface_received", "interface_sent"}
    assert loopback["interface_received"].value > 0
    assert loopback["interface_received"].details["oper"] == "up"
    assert loopback["interface_received"].details["source"] == "snmp"
    assert readings[-1].frames > 5


@real
def test_what_was_sent_is_told_with_its_headers(context, community, snmpd):
    readings = read(context, community, snmpd.port, timeout=1.0)
    sent = readings[-1]
    assert isinstance(sent, Sent)
    assert (sent.protocol, sent.estimated) == ("snmp", True)
    assert sent.bytes == uptime(readings).details["bytes_sent"] + 42 * sent.frames, "Ethernet, IPv4 and UDP before each"


@real
def test_the_community_is_in_nothing_that_is_yielded_or_said(context_for, tmp_path, snmpd):
    said = []
    path = tmp_path / "community"
    path.write_text(SECRET)
    path.chmod(0o644)
    readings = read(context_for(said=said), str(path), snmpd.port, timeout=1.0)
    assert SECRET.encode() not in msgspec.json.encode(readings)
    assert SECRET not in " ".join(said)
    assert any("chmod 600" in line for line in said)


@real
def test_a_wrong_community_is_no_answer(context, tmp_path, snmpd):
    path = tmp_path / "wrong"
    path.write_text("another")
    found = uptime(read(context, str(path), snmpd.port))
    assert found.failure is Failure.NO_ANSWER


# --- Agents that misbehave ---------------------------------------------------------------------------------------------


COLUMNS = [interfaces.INTERFACES.oid(name) for name in interfaces.INTERFACES.columns]


def column(oid):
    return next((column for column in COLUMNS if oid[: len(column)] == column), None)


def endless(oids, repetitions):
    """Row after row, for ever."""
    last = [(oid[len(column(oid)) :] or (0,))[0] for oid in oids]
    return [
        ((*column(oid), row + number), v2c.Integer(1))
        for number in range(1, repetitions + 1)
        for oid, row in zip(oids, last, strict=True)
    ]


# What an agent may do wrong in the table of interfaces.
WALKS = {
    "empty": lambda _oids, _repetitions: [],
    "not-increasing": lambda oids, _repetitions: [((*column(oid), 7), v2c.Integer(1)) for oid in oids] * 2,
    "circles": lambda oids, _repetitions: [
        ((*column(oid), 1 + number % 3), v2c.Integer(1)) for number in range(6) for oid in oids
    ],
    "endless": endless,
}


class Agent:
    """An agent on loopback whose tables are rows of our own, and which may misbehave in one way."""

    def __init__(self, udp_server, misbehave=None, rows=40, lose=0) -> None:
        self.rows = rows
        self.misbehave = misbehave
        self.lose = lose
        self.asked = 0
        self.tree = {
            reading.DESCR: v2c.OctetString(b"Fake \xff\x1b[31m switch"),
            reading.OBJECT_ID: v2c.ObjectIdentifier("1.3.6.1.4.1.9.1.1"),
            reading.UP_TIME: v2c.TimeTicks(12345),
            reading.NAME: v2c.OctetString(b"fake"),
            reading.SERVICES: v2c.Integer(2),
            (*ADDRESS_INDEX, 127, 0, 0, 1): v2c.Integer(3),
        }
        for number in range(1, rows + 1):
            self.tree |= {
                (*interfaces.IF_NAME, number): v2c.OctetString(b"gi%d" % (1 if number == 2 else number)),
                (*interfaces.IF_SPEED, number): v2c.Gauge32(1000 if number != 5 else 0),
                (*interfaces.IF_IN, number): v2c.Counter64(2**40 + number),
                (*interfaces.IF_OUT, number): v2c.Counter64(number),
                (*interfaces.IF_ALIAS, number): v2c.OctetString(b"Room %d" % number),
                (*interfaces.IF_OPER, number): v2c.Integer(1 if number % 2 else 2),
                (*interfaces.IF_PHYS, number): v2c.OctetString(b"\x02\x00\x00\x00\x00" + bytes([number % 256])),
            }
        self.oids = sorted(self.tree)
        self.port = udp_server(self.reply)

    def reply(self, data):
        self.asked += 1
        return [] if self.lose and self.asked % self.lose == 0 else self.answer(data)

    def answer(self, data):
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        bulk = pdu.isSameTypeWith(v2c.GetBulkRequestPDU())
        oids = [tuple(oid) for oid, _ in v2c.apiPDU.get_varbinds(pdu)]
        repetitions = int(v2c.apiBulkPDU.get_max_repetitions(pdu)) if bulk else 0
        here = bulk and all(column(oid) is not None for oid in oids)
        binds = WALKS[self.misbehave](oids, repetitions) if here and self.misbehave in WALKS else None
        if binds is not None:
            return [self.respond(message, pdu, binds)]
        match self.misbehave:
            case "silent":
                return []
            case "silent-tables" if bulk:
                return []
            case "garbage":
                return [b"\x30\x82\xff\xff" + os.urandom(40)]
            case "echo":
                return [data]
            case "wrong-id":
                return [self.respond(message, pdu, [(oid, self.tree.get(oid, v2c.NoSuchObject(""))) for oid in oids], shift=1)]
            case "too-big" | "always-too-big" if here and (repetitions > 3 or self.misbehave == "always-too-big"):
                return [self.respond(message, pdu, [], status=1)]
            case "general-error":
                return [self.respond(message, pdu, [(oid, v2c.Null("")) for oid in oids], status=5)]
            case _:
                return [self.honest(message, pdu, oids, repetitions)] * (3 if self.misbehave == "duplicate" else 1)

    def honest(self, message, pdu, oids, repetitions):
        if not repetitions:
            return self.respond(message, pdu, [(oid, self.tree.get(oid, v2c.NoSuchObject(""))) for oid in oids])
        rows, current = [], list(oids)
        for _ in range(repetitions):
            for number, oid in enumerate(current):
                at = bisect.bisect_right(self.oids, oid)
                following = self.oids[at] if at < len(self.oids) else None
                rows.append((oid, v2c.EndOfMibView("")) if following is None else (following, self.tree[following]))
                current[number] = following or oid
        return self.respond(message, pdu, rows)

    def respond(self, message, pdu, binds, status=0, shift=0):
        response = v2c.GetResponsePDU()
        v2c.apiPDU.set_defaults(response)
        v2c.apiPDU.set_request_id(response, int(v2c.apiPDU.get_request_id(pdu)) ^ shift)
        v2c.apiPDU.set_error_status(response, status)
        v2c.apiPDU.set_varbinds(response, binds)
        v2c.apiMessage.set_pdu(message, response)
        return encoder.encode(message)


@pytest.fixture
def pretend(udp_server):
    """Makes agents that are stopped when the test ends."""
    return functools.partial(Agent, udp_server)


def names(readings):
    return [each.target for each in readings if getattr(each, "metric", None) == "interface_received"]


def test_an_honest_agent_is_read_whole(context, community, pretend):
    agent = pretend()
    readings = read(context, community, agent.port)
    seen = readings[0]
    assert seen.mac == "02:00:00:00:00:03", "the MAC of the interface that has the address"
    assert seen.facts["sysdescr"] == "Fake � [31m switch"
    assert uptime(readings).value == 123.45
    assert uptime(readings).details["interfaces"] == 40
    assert uptime(readings).details["bytes_received"] > 1000
    assert names(readings)[:3] == ["127.0.0.1 gi1", "127.0.0.1 gi1#2", "127.0.0.1 gi3"], "two ports with one name stay two"
    by = {(each.metric, each.target): each for each in readings[1:-1]}
    assert by["interface_received", "127.0.0.1 gi3"].value == 2**40 + 3
    assert by["interface_sent", "127.0.0.1 gi3"].value == 3
    assert by["interface_speed", "127.0.0.1 gi3"].value == 1e9
    assert by["interface_speed", "127.0.0.1 gi5"].failure is Failure.NOT_SUPPORTED, "a speed of zero means unknown"
    assert by["interface_sent", "127.0.0.1 gi4"].details["oper"] == "down"
    assert by["interface_sent", "127.0.0.1 gi4"].details["alias"] == "Room 4"
    assert by["interface_sent", "127.0.0.1 gi4"].details["uptime"] == 123.45


@pytest.mark.parametrize("misbehave", ["duplicate", "too-big"])
def test_agents_that_are_only_awkward_are_read_whole(context, community, misbehave, pretend):
    agent = pretend(misbehave)
    readings = read(context, community, agent.port)
    assert uptime(readings).details["fault"] is None
    assert len(names(readings)) == 40


def test_lost_answers_are_asked_for_again(context, community, pretend):
    agent = pretend(lose=3)
    readings = read(context, community, agent.port, timeout=0.05, retries=2)
    assert len(names(readings)) == 40


@pytest.mark.parametrize(
    ("misbehave", "fault", "rows"),
    [
        ("not-increasing", "oid-not-increasing", 1),
        ("circles", "oid-not-increasing", 3),
        ("empty", "empty-answer", 0),
        ("always-too-big", "too-big", 0),
        ("endless", "row-cap", 44),
    ],
)
def test_a_walk_that_is_led_astray_ends_keeps_what_it_has_and_names_the_fault(
    context, community, pretend, *, misbehave, fault, rows
):
    begun = time.monotonic()
    agent = pretend(misbehave)
    readings = read(context, community, agent.port, max_rows=700)
    assert time.monotonic() - begun < 3
    assert uptime(readings).value == 123.45
    assert uptime(readings).details["fault"] == fault
    assert len(names(readings)) == rows
    for each in readings[2:-1]:
        assert each.details["fault"] == fault
        assert each.value is not None or each.failure in {Failure.NO_ANSWER, Failure.NOT_SUPPORTED}


@pytest.mark.parametrize(
    ("misbehave", "failure"),
    [
        ("silent", Failure.NO_ANSWER),
        ("garbage", Failure.MALFORMED),
        ("echo", Failure.MALFORMED),
        ("wrong-id", Failure.MALFORMED),
        ("general-error", Failure.NOT_SUPPORTED),
    ],
)
def test_a_device_that_cannot_be_read_at_all_has_no_uptime_and_says_why(context, community, misbehave, failure, pretend):
    agent = pretend(misbehave)
    found, sent = read(context, community, agent.port)
    assert (found.metric, found.target, found.failure) == ("device_uptime", "127.0.0.1", failure)
    assert sent.frames >= 1, "what was sent for nothing counts too"


def test_a_device_that_falls_silent_is_left_alone_after_two_tables(context, community, pretend):
    agent = pretend("silent-tables")
    readings = read(context, community, agent.port, timeout=0.02, retries=0, deadline=5.0)
    details = uptime(readings).details
    assert details["faults"] == {"interfaces": "no-answer", "old-interfaces": "no-answer"}
    assert "q-bridge" in details["left"]
    assert agent.asked < 12


def test_one_silent_device_costs_its_own_line_only(context_for, community, pretend):
    agent = pretend()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", agent.port))
        readings = read(context_for(), community, agent.port, devices=("127.0.0.2", "127.0.0.1"), timeout=0.1, retries=0)
    first, *rest = readings
    assert (first.target, first.failure) == ("127.0.0.2", Failure.NO_ANSWER)
    assert len(names(rest)) == 40


def test_every_table_is_read_once_and_yields_what_the_instrument_promises():
    assert len({module.name for module in MODULES}) == len(MODULES)
    assert len(set(YIELDS)) == len(YIELDS)
    assert set(snmp.INSTRUMENT.metrics) == {"device_uptime", *METRICS} <= set(CATALOGUE)
    for module in MODULES:
        for name in module.columns:
            assert len(module.oid(name)) >= 8, f"{module.name} {name}: nobody asks near the root"
        assert len(module.root) >= 7 or module.always


def test_nobody_there_is_refused(context, community):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert uptime(read(context, community, port)).failure is Failure.REFUSED


def test_the_deadline_of_a_device_holds_whatever_the_repeats(context, community, pretend):
    begun = time.monotonic()
    agent = pretend("silent")
    found = uptime(read(context, community, agent.port, timeout=0.3, retries=5, deadline=0.4))
    assert found.failure is Failure.TIMEOUT
    assert time.monotonic() - begun < 1.5


def test_silent_devices_are_asked_side_by_side(context_for, community):
    devices = tuple(f"127.0.0.{number}" for number in range(2, 10))
    listeners = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in devices]
    listeners[0].bind((devices[0], 0))
    port = listeners[0].getsockname()[1]
    for sock, device in zip(listeners[1:], devices[1:], strict=True):
        sock.bind((device, port))
    begun = time.monotonic()
    readings = read(context_for(), community, port, devices=devices, timeout=0.2, retries=1, parallel=8)
    assert time.monotonic() - begun < 2
    for sock in listeners:
        sock.close()
    assert [each.target for each in readings[:-1]] == list(devices)
    assert {each.failure for each in readings[:-1]} == {Failure.NO_ANSWER}
    assert readings[-1].frames == 2 * len(devices)


def test_a_strangers_device_is_refused_before_the_first_packet(context, community):
    with pytest.raises(Refused):
        read(context, community, 161, devices=("127.0.0.1", "192.0.2.1"))


def test_a_missing_community_file_fails_each_device(context):
    found, sent = read(context, "/no/such/file", 161)
    assert sent == Sent(protocol="snmp", frames=0, bytes=0, estimated=True)
    assert found.failure is Failure.LOCAL_RESOURCES
    assert "community_file cannot be read" in found.details["reason"]


def test_what_is_missing_is_said():
    assert snmp.missing(snmp.Settings()) == "no device is named in snmp.devices"
    assert "how to speak to 10.0.0.1" in snmp.missing(snmp.Settings(devices=("10.0.0.1",)))
    with pytest.raises(ValueError, match="does not appear to be"):
        snmp.Settings(devices=("switch.test",))
