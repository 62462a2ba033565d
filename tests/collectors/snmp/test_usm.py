import hmac
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1.type import univ
from pysnmp.proto import api
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414 import service
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from agent.clock import SystemClock
from collectors.snmp import ber, message, usm
from collectors.snmp.cipher import crypt
from collectors.snmp.credentials import Secret, User
from collectors.snmp.message import Again, Pdu, Reply
from collectors.snmp.settings import Auth, Priv
from collectors.snmp.walk import walk
from netready.failure import Failed, Failure

UP_TIME, NAME, ABSENT = (1, 3, 6, 1, 2, 1, 1, 3, 0), (1, 3, 6, 1, 2, 1, 1, 5, 0), (1, 3, 6, 1, 2, 1, 1, 99, 0)
DESCR, IN = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2), (1, 3, 6, 1, 2, 1, 2, 2, 1, 10)
ENGINE = bytes.fromhex("80001f8880abcdef0123456789")
PASSPHRASE = Secret(b"s1gned-s1gned")
# The names of RFC 3414 and RFC 7860 for the ways to sign, as pysnmp's services go by them.
METHODS = {auth: (1, 3, 6, 1, 6, 3, 10, 1, 1, number) for number, auth in enumerate(Auth, 2)}
SIGNERS = {auth: service.SnmpUSMSecurityModel.AUTH_SERVICES[method] for auth, method in METHODS.items()}
CIPHERS = {
    Priv.DES: service.des.Des(),
    Priv.AES128: service.aes.Aes(),
    Priv.AES192: service.aes192.AesBlumenthal192(),
    Priv.AES256: service.aes256.AesBlumenthal256(),
    Priv.AES192_CISCO: service.aes192.Aes192(),
    Priv.AES256_CISCO: service.aes256.Aes256(),
}
SIGNED = User(name="audit", auth=Auth.SHA256, auth_secret=PASSPHRASE)
SEALED = User(name="audit", auth=Auth.SHA1, auth_secret=PASSPHRASE, priv=Priv.AES256, priv_secret=PASSPHRASE)


# --- Against pysnmp's security, without packets ------------------------------------------------------------------------


def test_a_key_is_that_of_the_standards_example():
    engine = bytes.fromhex("000000000000000000000002")  # RFC 3414 appendix A.3
    assert usm.localised(Auth.MD5, Secret(b"maplesyrup"), engine).reveal().hex() == "526f5eed9fcce26f8964c2930787d82b"
    assert usm.localised(Auth.SHA1, Secret(b"maplesyrup"), engine).reveal().hex() == "6695febc9288e36282235fc7151f128497b38f3f"


@pytest.mark.parametrize("auth", Auth)
@pytest.mark.parametrize("priv", Priv)
def test_keys_are_pysnmps(auth, priv):
    cipher, method = CIPHERS[priv], METHODS[auth]
    key = cipher.hash_passphrase(method, univ.OctetString(PASSPHRASE.reveal()))
    theirs = bytes(cipher.localize_key(method, key, univ.OctetString(ENGINE)))
    assert usm.extended(priv, auth, PASSPHRASE, ENGINE).reveal() == theirs


@pytest.mark.parametrize("priv", Priv)
@given(data=st.binary(min_size=1, max_size=200), boots=st.integers(0, 2**31 - 1), seconds=st.integers(0, 2**31 - 1))
@settings(max_examples=30)
def test_what_we_encrypt_pysnmp_decrypts_and_the_other_way_round(priv, data, boots, seconds):
    key = Secret(bytes(range(usm.KEYS[priv])))
    theirs, clock = CIPHERS[priv], (boots, seconds)
    salt = random.Random(1).randbytes(8)
    sealed = crypt(priv, key, salt, clock, data)
    parameters = (boots, seconds, univ.OctetString(salt))
    opened = theirs.decrypt_data(univ.OctetString(key.reveal()), parameters, univ.OctetString(sealed))
    assert bytes(opened)[: len(data)] == data
    sealed, salt = theirs.encrypt_data(univ.OctetString(key.reveal()), (boots, seconds, None), data)
    assert crypt(priv, key, bytes(salt), clock, bytes(sealed), decrypt=True)[: len(data)] == data


def dialogue(user):
    """One whose agent has told its engine id and clock."""
    made = usm.Dialogue(user, SystemClock(), random.Random(7))
    with pytest.raises(Again):
        made.unwrap(report(1, usm.ENGINE), {1})
    return made


def report(number, what, *, engine=ENGINE, clock=(3, 400), key=None):
    """What an agent complains of, signed for `key` (a user's method and key) or not."""
    pdu = message.request(Pdu.GET, number, [what]).replace(b"\xa0", b"\xa8", 1)
    return agents_message(number, pdu, engine=engine, clock=clock, key=key)


def agents_message(number, pdu, *, engine=ENGINE, clock=(3, 400), key=None):
    size = usm.SIGNATURES[key[0]] if key else 0
    scoped = ber.tlv(ber.SEQUENCE, ber.tlv(ber.OCTETS, engine), ber.tlv(ber.OCTETS), pdu)
    data = usm._message((number, 1 if key else 0), (engine, *clock, b"audit"), size, b"", scoped)
    if not key:
        return data
    at = len(data) - len(scoped) - 2
    return data[: at - size] + hmac.digest(key[1], data, key[0].value)[:size] + data[at:]


def key_of(user):
    return user.auth, usm.localised(user.auth, user.auth_secret, ENGINE).reveal()


@pytest.mark.parametrize("auth", Auth)
def test_messages_are_what_pysnmp_reads_and_their_signature_is_the_users(auth):
    user = User(name="audit", auth=auth, auth_secret=PASSPHRASE)
    data = dialogue(user).wrap(7, message.request(Pdu.GET, 7, [ber.name(NAME)]))
    found, rest = decoder.decode(data, asn1Spec=SNMPv3Message())
    assert rest == b""
    assert [int(found[0]), int(found[1][0]), bytes(found[1][2]), int(found[1][3])] == [3, 7, b"\x05", 3]
    security, _ = decoder.decode(bytes(found[2]), asn1Spec=UsmSecurityParameters())
    assert [bytes(security[0]), int(security[1]), int(security[2]), bytes(security[3])] == [ENGINE, 3, 400, b"audit"]
    pdu = found[3][0][2].getComponent()
    assert tuple(api.v2c.apiPDU.get_varbinds(pdu)[0][0]) == NAME
    key = univ.OctetString(key_of(user)[1])
    assert SIGNERS[auth].authenticate_incoming_message(key, security[4], data)


@pytest.mark.parametrize("priv", Priv)
def test_what_is_sealed_pysnmp_opens(priv):
    user = User(name="audit", auth=Auth.SHA256, auth_secret=PASSPHRASE, priv=priv, priv_secret=PASSPHRASE)
    found, _ = decoder.decode(dialogue(user).wrap(7, message.request(Pdu.GET, 7, [ber.name(NAME)])), asn1Spec=SNMPv3Message())
    security, _ = decoder.decode(bytes(found[2]), asn1Spec=UsmSecurityParameters())
    key = univ.OctetString(usm.extended(priv, Auth.SHA256, PASSPHRASE, ENGINE).reveal())
    opened = CIPHERS[priv].decrypt_data(key, (3, 400, security[5]), found[3][1])
    scoped, _ = decoder.decode(bytes(opened), asn1Spec=ScopedPDU())
    assert bytes(scoped[0]) == ENGINE
    assert b"audit" in bytes(found[2])
    assert ber.name(NAME) in bytes(opened)
    assert ber.name(NAME) not in bytes(found[3][1])


def test_no_two_messages_are_sealed_alike():
    talk = dialogue(SEALED)
    pdu = message.request(Pdu.GET, 7, [ber.name(NAME)])
    assert len({talk.wrap(7, pdu)[-40:] for _ in range(50)}) == 50


def test_a_vlan_is_a_context_of_its_own():
    assert b"\x04\x07vlan-10" in dialogue(SIGNED).wrap(1, b"", vlan=10)


ANSWER = message.request(Pdu.GET, 7, [ber.name(NAME)]).replace(b"\xa0", b"\xa2", 1)


def test_an_answer_is_believed_only_with_the_users_signature():
    talk = dialogue(SIGNED)
    assert isinstance(talk.unwrap(agents_message(7, ANSWER, key=key_of(SIGNED)), {7}), Reply)
    assert talk.unwrap(agents_message(8, ANSWER, key=key_of(SIGNED)), {7}) == 8
    assert talk.unwrap(agents_message(7, message.request(Pdu.RESPONSE, 9, []), key=key_of(SIGNED)), {7}) == 9
    for forged in (
        agents_message(7, ANSWER),
        agents_message(7, ANSWER, key=(Auth.SHA256, b"x" * 32)),
        agents_message(7, ANSWER, key=(Auth.MD5, key_of(SIGNED)[1])),
        agents_message(7, ANSWER, key=key_of(SIGNED), engine=ENGINE + b"x"),
        agents_message(7, ANSWER, key=key_of(SIGNED))[:-1] + b"\x01",
        agents_message(7, ANSWER, key=key_of(SIGNED), clock=(2**31, 0)),
    ):
        with pytest.raises(Failed) as failed:
            talk.unwrap(forged, {7})
        assert failed.value.failure is Failure.MALFORMED


def test_a_user_who_encrypts_takes_no_answer_that_is_only_signed():
    with pytest.raises(Failed, match="below the user's security level"):
        dialogue(SEALED).unwrap(agents_message(7, ANSWER, key=key_of(SEALED)), {7})


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (usm.USER, "does not know this user"),
        (usm.DIGEST, "auth or its passphrase is another"),
        (usm.DECRYPTION, "priv or its passphrase is another"),
        (usm.LEVEL, "security level"),
        (usm.ENGINE, "does not know the engine id that it gave"),
    ],
)
def test_each_complaint_of_an_agent_is_one_clear_sentence(what, said):
    with pytest.raises(Failed, match=said) as failed:
        dialogue(SIGNED).unwrap(report(7, what), {7})
    assert failed.value.failure is Failure.REFUSED


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ((1, 3, 6, 1, 6, 3, 12, 1, 5, 0), "has no such context"),
        ((1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0), "reports 1.3.6.1.6.3.11.2.1.3.0"),
    ],
)
def test_a_report_of_something_else_is_no_answer(what, said):
    with pytest.raises(Failed, match=said) as failed:
        dialogue(SIGNED).unwrap(report(7, ber.name(what)), {7})
    assert failed.value.failure is Failure.NOT_SUPPORTED


@pytest.mark.parametrize("engine", [b"", b"1234", bytes(33)])
def test_an_engine_id_of_impossible_length_is_refused(engine):
    with pytest.raises(Failed, match="impossible length"):
        usm.Dialogue(SIGNED, SystemClock(), random.Random(7)).unwrap(report(1, usm.ENGINE, engine=engine), {1})


def test_a_clock_is_taken_from_a_signed_report_only():
    talk = dialogue(SIGNED)
    with pytest.raises(Failed, match="not signed"):
        talk.unwrap(report(7, usm.WINDOW, clock=(9, 9)), {7})
    with pytest.raises(Again):
        talk.unwrap(report(7, usm.WINDOW, clock=(9, 9), key=key_of(SIGNED)), {7})
    found, _ = decoder.decode(talk.wrap(8, ANSWER), asn1Spec=SNMPv3Message())
    security, _ = decoder.decode(bytes(found[2]), asn1Spec=UsmSecurityParameters())
    assert (int(security[1]), int(security[2])) == (9, 9)


def test_the_agents_clock_goes_on_between_messages(hand_clock):
    talk = usm.Dialogue(SIGNED, hand_clock, random.Random(7))
    with pytest.raises(Again):
        talk.unwrap(report(1, usm.ENGINE), {1})
    hand_clock.advance(90.5)
    found, _ = decoder.decode(talk.wrap(8, ANSWER), asn1Spec=SNMPv3Message())
    security, _ = decoder.decode(bytes(found[2]), asn1Spec=UsmSecurityParameters())
    assert int(security[2]) == 490


def outcome(talk, data):
    try:
        talk.unwrap(data, range(2**31))
    except Failed as failed:
        return failed.failure
    return None


@given(st.binary(max_size=200))
def test_rubbish_is_refused_in_one_way(data):
    assert outcome(usm.Dialogue(SIGNED, SystemClock(), random.Random(7)), data) is Failure.MALFORMED


TALKS = [dialogue(user) for user in (User(name="audit"), SIGNED, SEALED)]
WHOLE = [
    agents_message(7, ANSWER),
    agents_message(7, ANSWER, key=key_of(SIGNED)),
    TALKS[2].wrap(7, ANSWER),
    report(7, usm.USER),
]


@given(st.data())
def test_a_message_with_bytes_changed_or_cut_off_is_read_or_refused(data):
    packet = bytearray(data.draw(st.sampled_from(WHOLE)))
    for _ in range(data.draw(st.integers(0, 3))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    packet = packet[: data.draw(st.integers(0, len(packet)))]
    assert outcome(data.draw(st.sampled_from(TALKS)), bytes(packet)) in {
        None,
        Failure.MALFORMED,
        Failure.REFUSED,
        Failure.NOT_SUPPORTED,
    }


# --- Against agents of our own -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        (lambda number, count: report(number, usm.ENGINE, engine=ENGINE + bytes([count])), "gives another engine id each time"),
        (
            lambda number, count: report(
                number, usm.ENGINE if count == 1 else usm.WINDOW, clock=(count, 7), key=key_of(SIGNED)
            ),
            "outside its time window, also when set by its own clock",
        ),
    ],
)
def test_an_agent_that_is_never_content_is_given_up_after_a_few_lessons(reports, said, snmp, udp_server):
    asked = []

    def restless(data):
        asked.append(decoder.decode(data, asn1Spec=SNMPv3Message())[0])
        return [reports(int(asked[-1][1][0]), len(asked))]

    with snmp.session(udp_server(restless), SIGNED) as session:
        session.connect()
        with pytest.raises(Failed, match=said) as failed:
            session.get([NAME])
        assert failed.value.failure is Failure.REFUSED
        assert len(asked) <= 6


# --- Against a real agent ----------------------------------------------------------------------------------------------

real = pytest.mark.tool("snmpd")


@real
def test_every_way_to_sign_and_encrypt_that_a_real_agent_has_is_spoken(snmpd, snmp, context):
    for auth, priv in snmp.users:
        with snmp.session(snmpd.port, snmp.user(auth, priv), timeout=1.0) as session:
            session.connect()
            assert session.get([NAME, ABSENT]) == {NAME: b"core-sw", ABSENT: None}, (auth, priv)
            table = walk(session, (DESCR, IN), 1000, context.clock)
        assert (table.fault, table.cells[DESCR][1,]) == (None, b"lo"), (auth, priv)
        assert table.cells[IN].keys() == table.cells[DESCR].keys()


@real
@pytest.mark.parametrize(
    ("credential", "failure", "said"),
    [
        (lambda snmp: snmp.user(Auth.SHA1, name="nobody"), Failure.REFUSED, "does not know this user"),
        (lambda snmp: snmp.user(Auth.SHA1, auth_secret=Secret(b"another one")), Failure.REFUSED, "auth or its passphrase"),
        (lambda snmp: snmp.user(Auth.SHA1, name="u-sha256-none"), Failure.REFUSED, "auth or its passphrase"),
        (lambda snmp: snmp.user(Auth.SHA1, Priv.AES128, priv_secret=Secret(b"another one")), Failure.NO_ANSWER, "priv or its"),
        (lambda snmp: snmp.user(Auth.SHA1, Priv.DES, name="u-sha1-aes128"), Failure.NO_ANSWER, "priv or its passphrase"),
        (lambda snmp: snmp.user(Auth.SHA1, name="u-sha1-aes128"), Failure.REFUSED, "authorizationError"),
        (lambda snmp: snmp.user(Auth.SHA1, Priv.AES128, name="u-sha1-none"), Failure.REFUSED, "security level"),
        (lambda snmp: snmp.user(name="u-sha1-none"), Failure.REFUSED, "authorizationError"),
    ],
)
def test_a_user_whom_a_real_agent_does_not_want_is_told_why(snmpd, snmp, credential, failure, said):
    with snmp.session(snmpd.port, credential(snmp), timeout=0.3, retries=0) as session:
        session.connect()
        with pytest.raises(Failed, match=said) as failed:
            session.get([NAME])
    assert failed.value.failure is failure


@real
def test_a_walk_whose_user_may_not_read_says_so_after_one_request(snmpd, snmp, context):
    with snmp.session(snmpd.port, snmp.user(Auth.SHA1, name="u-sha1-aes128")) as session:
        session.connect()
        before = session.datagrams_sent
        table = walk(session, (DESCR, IN), 1000, context.clock)
    assert (table.fault, table.reason) == ("agent-error", "the agent does not let this user read that")
    assert session.datagrams_sent - before <= 2


@real
def test_an_agent_that_starts_again_or_becomes_another_is_asked_on(snmp, tmp_path, context):
    """Its boots have grown and its clock begins anew, so it complains of the time window; then its engine id is another."""
    lines = f"rocommunity {snmp.COMMUNITY} 127.0.0.1", f"createUser u-sha1-none SHA {snmp.AUTH}", "rouser u-sha1-none auth"
    daemon = snmp.Daemon(tmp_path, *lines)
    daemon.start()
    try:
        with snmp.session(daemon.port, snmp.user(Auth.SHA1), timeout=1.0, deadline=20.0) as session:
            session.connect()
            assert UP_TIME in session.get([UP_TIME])
            daemon.stop()
            daemon.start()
            before = session.datagrams_sent
            assert walk(session, (DESCR,), 1000, context.clock).fault is None
            assert session.datagrams_sent > before + 1
            daemon.stop()
            daemon.start("exactEngineID 0x80001f8804616e6f74686572")
            assert walk(session, (DESCR,), 1000, context.clock).cells[DESCR][1,] == b"lo"
    finally:
        daemon.stop()
