import socket
import time

import msgspec
import pytest

from collectors.snmp.counter import LONGEST_GAP, ROUND, Counter, Interface, growth, parse
from collectors.snmp.credentials import Community, Secret
from collectors.snmp.settings import Auth, Priv, Settings
from netready.failure import Failed, Failure

BEFORE = Counter(at=10.0, received=1000, sent=2000, bits=64, uptime=5000, discontinuity=0)


def later(**changes):
    return msgspec.structs.replace(BEFORE, at=12.0, received=1500, sent=2250, uptime=5200, **changes)


def test_growth_is_what_passed_between_two_readings():
    assert growth(BEFORE, later()) == (500, 250)


def test_a_32_bit_counter_may_go_round_once_within_half_a_minute():
    before = msgspec.structs.replace(BEFORE, bits=32, received=ROUND - 100)
    assert growth(before, later(bits=32)) == (1600, 250)
    slow = msgspec.structs.replace(before, at=12.0 - LONGEST_GAP - 1)
    with pytest.raises(Failed, match="set back"):
        growth(slow, later(bits=32))
    with pytest.raises(Failed, match="may have gone round"):
        growth(msgspec.structs.replace(slow, received=0), later(bits=32))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (later(bits=32), "in 64 bits once and in 32 bits once"),
        (msgspec.structs.replace(later(), uptime=100), "started again"),
        (later(discontinuity=4711), "lost their thread"),
        (msgspec.structs.replace(later(), received=999), "set back"),
        (msgspec.structs.replace(later(), sent=0), "set back"),
    ],
)
def test_counters_that_do_not_tell_are_not_believed(after, said):
    with pytest.raises(Failed, match=said) as failed:
        growth(BEFORE, after)
    assert failed.value.failure is Failure.INCONCLUSIVE


def test_an_uptime_that_went_round_is_no_restart():
    before = msgspec.structs.replace(BEFORE, uptime=ROUND - 100)
    assert growth(before, msgspec.structs.replace(later(), uptime=100)) == (500, 250)


def test_64_bits_come_first_and_both_directions_are_of_one_kind():
    found = {"in": 7, "out": 8, "old_in": 1, "old_out": 2, "gap": 0, "uptime": 99}
    assert parse(found, 1.0) == Counter(at=1.0, received=7, sent=8, bits=64, uptime=99, discontinuity=0)
    assert parse(found | {"out": None}, 1.0).bits == 32
    assert parse(found | {"in": b"x"}, 1.0).received == 1
    with pytest.raises(Failed, match="does not count"):
        parse({"in": 7, "old_out": 2}, 1.0)


@pytest.fixture
def interface(context, snmpd, snmp):
    def make(name="lo", credential=None):
        settings = Settings(devices=("127.0.0.1",), port=snmpd.port, timeout=0.5, retries=0)
        credential = credential or snmp.community()
        return Interface("127.0.0.1", name, credential, settings, clock=context.clock, chance=context.chance)

    return make


@pytest.mark.tool("snmpd")
def test_a_real_agents_counters_grow_by_what_was_sent(interface):
    line = interface()
    before = line.read()
    assert before.bits == 64
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        sink.bind(("127.0.0.1", 0))
        for _ in range(2000):
            source.sendto(b"x" * 1400, sink.getsockname())
    for _ in range(40):  # snmpd looks at the interfaces every three seconds
        time.sleep(0.15)
        after = line.read()
        if growth(before, after)[0] >= 2000 * 1428:
            break
    received, sent = growth(before, after)
    assert received == sent >= 2000 * 1428
    assert after.at > before.at


@pytest.mark.tool("snmpd")
def test_an_interface_that_is_not_there_is_named_with_those_that_are(interface):
    with pytest.raises(Failed, match="it has no interface wan7; it has lo"):
        interface("wan7").read()


@pytest.mark.tool("snmpd")
def test_a_wrong_community_is_no_answer(interface):
    with pytest.raises(Failed) as failed:
        interface(credential=Community(community=Secret(b"wrong"))).read()
    assert failed.value.failure is Failure.NO_ANSWER


@pytest.mark.tool("snmpd")
def test_version_3_reads_the_same_counters(interface, snmp):
    line = interface(credential=snmp.user(Auth.SHA256, Priv.AES128))
    assert line.read().bits == 64
    assert growth(interface().read(), line.read())[0] >= 0
