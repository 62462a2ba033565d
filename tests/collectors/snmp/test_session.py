import random
import socket
import time

import pytest
from pysnmp.proto.api import v2c

from agent.clock import SystemClock
from collectors.snmp.ber import name
from collectors.snmp.credentials import Community, Secret
from collectors.snmp.session import AT_ONCE, Session
from collectors.snmp.settings import Auth, Settings, Version
from collectors.snmp.walk import walk
from netready.failure import Failed, Failure

SYSTEM = (1, 3, 6, 1, 2, 1, 1)
DESCR, UP_TIME, NAME, ABSENT = (*SYSTEM, 1, 0), (*SYSTEM, 3, 0), (*SYSTEM, 5, 0), (*SYSTEM, 99, 0)
IF_DESCR, IF_IN = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2), (1, 3, 6, 1, 2, 1, 2, 2, 1, 10)
FIELDS = {(*SYSTEM, leaf, 0): leaf for leaf in range(1, 100)}


@pytest.fixture
def table(snmp):
    return snmp.Table((oid, v2c.Integer(value)) for oid, value in FIELDS.items())


def failed(call, *arguments):
    with pytest.raises(Failed) as raised:
        call(*arguments)
    return raised.value


# --- Against a real agent ----------------------------------------------------------------------------------------------

real = pytest.mark.tool("snmpd")


@real
@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_versions_1_and_2c_are_spoken_with_a_real_agent(snmpd, snmp, version):
    with snmp.session(snmpd.port, snmp.community(version), timeout=1.0) as session:
        session.connect()
        assert session.get([NAME, ABSENT, DESCR]) == {NAME: b"core-sw", ABSENT: None, DESCR: b"Test switch"}
        found = walk(session, (IF_DESCR, IF_IN), 1000, SystemClock())
    assert (found.fault, found.cells[IF_DESCR][1,]) == (None, b"lo")
    assert found.cells[IF_IN].keys() == found.cells[IF_DESCR].keys()


@real
def test_a_bulk_request_with_version_1_asks_for_the_next_row_only(snmpd, snmp):
    with snmp.session(snmpd.port, snmp.community(Version.V1), timeout=1.0) as session:
        session.connect()
        assert len(session.bulk([name(IF_DESCR), name(IF_IN)], 20).reply.binds) == 2


# --- Repeats, times and numbers ----------------------------------------------------------------------------------------


def test_what_a_conversation_cost_is_counted(agent, snmp, table):
    replies = []

    def counted(asked, _agent):
        replies.append(asked.respond(table.answer(asked)))
        return replies[-1:] * 2

    made = agent(counted)
    with snmp.session(made.port) as session:
        session.connect()
        assert (session.datagrams_sent, session.bytes_sent, session.bytes_received) == (0, 0, 0)
        session.get([NAME])
        session.get([DESCR, UP_TIME])
        assert session.datagrams_sent == len(made.requests) == 2
        assert session.bytes_sent == sum(len(asked.data) for asked in made.requests)
        assert session.bytes_received == 2 * len(replies[0]) + len(replies[1])


def test_each_repeat_has_a_number_of_its_own_and_asks_for_half_as_much(agent, snmp):
    silent = agent(lambda _asked, _agent: [])
    with snmp.session(silent.port, timeout=0.05, retries=3) as session:
        session.connect()
        assert failed(session.bulk, [name(IF_DESCR)], 10).failure is Failure.NO_ANSWER
    assert [asked.repetitions for asked in silent.requests] == [10, 5, 2, 1]
    assert len({asked.number for asked in silent.requests}) == 4
    assert session.datagrams_sent == 4


def test_a_late_answer_to_an_earlier_repeat_is_as_good_as_any(agent, snmp, table):
    """The agent answers the first sending only, when the second is on its way."""

    def late(asked, made):
        return [(0.08, asked.respond(table.answer(asked)))] if len(made.requests) == 1 else []

    with snmp.session(agent(late).port, timeout=0.06, retries=1) as session:
        session.connect()
        assert session.get([NAME]) == {NAME: 5}
    assert session.datagrams_sent == 2


def test_an_answer_to_another_request_is_not_taken(agent, snmp, table):
    """Each request is answered with what the one before it was asked for: the value is right, the number is not."""

    def behind(asked, made):
        before = made.requests[-2] if len(made.requests) > 1 else asked
        return [before.respond(table.answer(before))]

    with snmp.session(agent(behind).port, timeout=0.05, retries=0) as session:
        session.connect()
        assert session.get([NAME]) == {NAME: 5}
        assert failed(session.get, [UP_TIME]).failure is Failure.NO_ANSWER


def test_a_slow_agent_is_given_time_and_not_asked_again_and_again(agent, snmp, table):
    slow = agent(lambda asked, _agent: [(0.08, asked.respond(table.answer(asked)))])
    with snmp.session(slow.port, timeout=0.05, retries=3) as session:
        session.connect()
        for _ in range(6):
            session.get([NAME])
    assert session.datagrams_sent <= 9


def test_the_deadline_holds_whatever_the_repeats(agent, snmp):
    begun = time.monotonic()
    with snmp.session(agent(lambda _asked, _agent: []).port, timeout=0.3, retries=5, deadline=0.4) as session:
        session.connect()
        assert failed(session.get, [NAME]).failure is Failure.TIMEOUT
        sent = session.datagrams_sent
        assert failed(session.get, [NAME]).failure is Failure.TIMEOUT
    assert time.monotonic() - begun < 1.5
    assert session.datagrams_sent == sent


def test_requests_keep_the_pace_that_was_asked_for(agent, snmp, table):
    quick = agent(lambda asked, _agent: [asked.respond(table.answer(asked))])
    begun = time.monotonic()
    with snmp.session(quick.port, requests_per_second=20) as session:
        session.connect()
        for _ in range(5):
            session.get([NAME])
    assert time.monotonic() - begun >= 4 / 20


def test_a_pace_that_is_slower_than_the_deadline_ends_at_it(agent, snmp, table):
    begun = time.monotonic()
    quick = agent(lambda asked, _agent: [asked.respond(table.answer(asked))])
    with snmp.session(quick.port, requests_per_second=0.1, deadline=0.3) as session:
        session.connect()
        session.get([NAME])
        assert failed(session.get, [NAME]).failure is Failure.TIMEOUT
    assert time.monotonic() - begun < 1


def test_nobody_there_is_refused(snmp):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with snmp.session(port) as session:
        session.connect()
        with pytest.raises(ConnectionRefusedError):
            session.get([NAME])


def test_an_agent_at_an_ipv6_address_is_asked(snmp, table, context):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        sock.settimeout(2)
        settings = Settings(port=sock.getsockname()[1])
        with Session("::1", snmp.community(), settings, clock=context.clock, chance=random.Random(1)) as session:
            session.connect()
            session.ask([name(IF_DESCR)], 1)
            data, peer = sock.recvfrom(2000)
            sock.sendto(snmp.Asked(data).respond([((*IF_DESCR, 1), v2c.Integer(4))]), peer)
            assert session.answer().reply.binds == [(name((*IF_DESCR, 1)), 4)]


# --- What a GET makes of an agent's errors -------------------------------------------------------------------------------


def test_many_values_are_asked_for_in_several_requests_and_too_big_halves_them(agent, snmp, table):
    def small(asked, _agent):
        return [asked.respond(table.answer(asked)) if len(asked.oids) <= 9 else asked.respond([], status=1)]

    made = agent(small)
    with snmp.session(made.port) as session:
        session.connect()
        assert session.get(list(FIELDS)) == FIELDS
    assert [len(asked.oids) for asked in made.requests][:4] == [AT_ONCE, 16, 8, 8]


def test_one_value_that_an_agent_cannot_tell_does_not_spoil_the_others(agent, snmp, table):
    def stumbles(asked, _agent):
        if UP_TIME in asked.oids:
            return [asked.respond([], status=5, index=asked.oids.index(UP_TIME) + 1)]
        return [asked.respond(table.answer(asked))]

    with snmp.session(agent(stumbles).port) as session:
        session.connect()
        assert session.get([DESCR, UP_TIME, NAME]) == {DESCR: 1, UP_TIME: None, NAME: 5}
        assert "genErr" in failed(session.get, [UP_TIME]).reason


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (1, Failure.TOO_LARGE),
        (5, Failure.NOT_SUPPORTED),
        (6, Failure.REFUSED),
        (16, Failure.REFUSED),
        (77, Failure.NOT_SUPPORTED),
    ],
)
def test_an_error_for_everything_is_a_failure_with_its_word(agent, snmp, status, failure):
    with snmp.session(agent(lambda asked, _agent: [asked.respond([], status=status)]).port) as session:
        session.connect()
        assert failed(session.get, [NAME]).failure is failure


def test_an_answer_about_something_else_is_nonsense(agent, snmp):
    with snmp.session(agent(lambda asked, _agent: [asked.respond([(DESCR, v2c.Integer(1))])]).port) as session:
        session.connect()
        assert failed(session.get, [NAME]).failure is Failure.MALFORMED


def test_a_vlans_table_is_asked_for_with_a_community_of_its_own(agent, snmp, table):
    made = agent(lambda asked, _agent: [asked.respond(table.answer(asked))])
    with snmp.session(made.port) as session:
        session.connect()
        session.vlan = 10
        session.get([NAME])
        session.vlan = None
        session.get([NAME])
    assert [asked.community.decode() for asked in made.requests] == [f"{snmp.COMMUNITY}@10", snmp.COMMUNITY]


# --- Silence has different sentences ---------------------------------------------------------------------------------------


def test_what_silence_may_mean_is_said(agent, snmp, table):
    silent = agent(lambda _asked, _agent: [])
    once = agent(lambda asked, made: [asked.respond(table.answer(asked))] if len(made.requests) == 1 else [])
    with snmp.session(silent.port, timeout=0.05) as session:
        session.connect()
        assert "the community is another" in failed(session.get, [NAME]).reason
    with snmp.session(once.port, timeout=0.05) as session:
        session.connect()
        session.get([NAME])
        assert failed(session.get, [NAME]).reason == "no answer any more"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with snmp.session(deaf.getsockname()[1], snmp.user(Auth.SHA1), timeout=0.05) as session:
            assert "SNMP version 3 is off" in failed(session.connect).reason


@real
def test_a_wrong_community_is_no_answer(snmpd, snmp):
    with snmp.session(snmpd.port, Community(community=Secret(b"another")), timeout=0.2) as session:
        session.connect()
        assert failed(session.get, [NAME]).failure is Failure.NO_ANSWER
