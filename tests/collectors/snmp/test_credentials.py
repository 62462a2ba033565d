import copy
import pickle
import socket
import sys
import traceback

import msgspec
import pytest
from pysnmp.proto.api import v2c

from collectors.snmp.credentials import Community, Keyring, Secret, User
from collectors.snmp.session import Session
from collectors.snmp.settings import Auth, Priv, Settings, Version
from netready.failure import Failed, Failure
from netready.refusal import Unfit, fit

WORD = "gr8-s3cret-w0rd"


def write(folder, name, text=WORD, mode=0o600):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return str(path)


def settings(**table):
    return fit({"devices": ["10.0.0.1"], **table}, "netready.toml", Settings, "snmp")


# --- What the file says --------------------------------------------------------------------------------------------------


def test_each_device_has_the_first_row_that_lists_its_address_or_network(tmp_path):
    rows = [
        {"devices": ["10.0.0.9"], "version": "1", "community_env": "OLD"},
        {"devices": ["10.0.0.0/24", "fd00::/8"], "version": "3", "user": "audit"},
        {"devices": ["10.0.0.5"], "community_env": "NEVER"},
    ]
    found = settings(credentials=rows, community_env="REST")
    assert found.row_of("10.0.0.9").version is Version.V1
    assert found.row_of("10.0.0.5").user == "audit"
    assert found.row_of("fd12::1").user == "audit"
    assert found.row_of("10.0.1.1") is None
    assert settings(devices=["10.0.0.1", "10.9.9.9"], credentials=rows).strangers() == ["10.9.9.9"]
    assert settings(devices=["10.9.9.9"], community_env="REST").strangers() == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "expected community_file or community_env"),
        ({"community_file": "a", "community_env": "B"}, "expected community_file or community_env, not both"),
        ({"community_env": "B", "user": "audit"}, 'expected version = "3" beside user, auth and priv'),
        ({"version": "1", "community_env": "B", "auth": "sha1"}, 'expected version = "3" beside user, auth and priv'),
        ({"version": "3"}, "expected user"),
        ({"version": "3", "user": "u", "community_env": "B"}, "expected no community; version 3 has users"),
        ({"version": "3", "user": "u", "auth": "sha1"}, "expected auth_file or auth_env beside auth"),
        ({"version": "3", "user": "u", "auth_file": "a"}, "expected auth, the method, beside auth_file or auth_env"),
        (
            {"version": "3", "user": "u", "priv": "des", "priv_env": "P"},
            "expected auth beside priv; version 3 encrypts only what is signed",
        ),
        (
            {"version": "3", "user": "u", "auth": "sha1", "auth_env": "A", "priv": "des"},
            "expected priv_file or priv_env beside priv",
        ),
        ({"devices": ["10.0.0.5/24"], "community_env": "B"}, "10.0.0.5/24 has host bits set"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_in_one_sentence_with_its_place(row, said):
    with pytest.raises(Unfit) as refused:
        settings(credentials=[{"devices": ["10.0.0.2"], "community_env": "A"}, {"devices": ["10.0.0.1"], **row}])
    assert str(refused.value) == f"netready.toml: snmp.credentials[1]: {said}"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"auth": "sha3"}, 'snmp.credentials[0].auth: expected one of md5, sha1, sha224, sha256, sha384, sha512; got "sha3"'),
        ({"version": "4"}, 'snmp.credentials[0].version: expected one of 1, 2c, 3; got "4"'),
        ({"pasword": "x"}, "snmp.credentials[0].pasword: unknown field"),
        ({"user": "u" * 33}, "snmp.credentials[0].user: expected text of length <= 32"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_with_what_was_expected(row, said):
    with pytest.raises(Unfit) as refused:
        settings(credentials=[{"devices": ["10.0.0.1"], **row}])
    assert said in str(refused.value)


def test_a_community_from_two_places_is_refused():
    with pytest.raises(Unfit, match=r"netready.toml: snmp: expected community_file or community_env, not both"):
        settings(community_file="a", community_env="B")


# --- Where the secrets come from -------------------------------------------------------------------------------------------


def keyring(said=None, **table):
    return Keyring(settings(**table), [].append if said is None else said.append)


def test_secrets_come_from_the_first_line_of_a_file_or_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("NETREADY_TEST_PRIV", "h1dden-h1dden\n")
    row = {
        "devices": ["10.0.0.2"],
        "version": "3",
        "user": "audit",
        "auth": "sha256",
        "auth_file": write(tmp_path, "auth", "  s1gned-s1gned \nwhatever\n"),
        "priv": "aes128",
        "priv_env": "NETREADY_TEST_PRIV",
    }
    ring = keyring(devices=["10.0.0.1", "10.0.0.2"], community_file=write(tmp_path, "word", WORD + "\r\n"), credentials=[row])
    first, second = ring.of("10.0.0.1"), ring.of("10.0.0.2")
    assert isinstance(first, Community)
    assert (first.version, first.community.reveal()) == (Version.V2C, WORD.encode())
    assert isinstance(second, User)
    assert (second.name, second.auth, second.priv) == ("audit", Auth.SHA256, Priv.AES128)
    assert (second.auth_secret.reveal(), second.priv_secret.reveal()) == (b"s1gned-s1gned", b"h1dden-h1dden")


def test_bytes_that_are_no_text_are_a_secret_like_any(tmp_path):
    assert keyring(community_file=write(tmp_path, "word", b"\xff\xfe!\n")).of("10.0.0.1").community.reveal() == b"\xff\xfe!"


@pytest.mark.parametrize(
    ("table", "failure", "said"),
    [
        ({"community_file": "/no/such/file"}, Failure.LOCAL_RESOURCES, "snmp.community_file cannot be read: No such file"),
        ({"community_env": "NETREADY_TEST_NONE"}, Failure.LOCAL_RESOURCES, "no variable NETREADY_TEST_NONE"),
        ({"community_env": "NETREADY_TEST_EMPTY"}, Failure.LOCAL_RESOURCES, "snmp.community_env: expected the secret"),
        ({"credentials": [{"auth_env": "NETREADY_TEST_SHORT"}]}, Failure.LOCAL_RESOURCES, "at least 8 characters"),
    ],
)
def test_a_secret_that_cannot_be_had_fails_its_devices_only_and_names_the_setting(monkeypatch, table, failure, said):
    monkeypatch.setenv("NETREADY_TEST_EMPTY", " \n")
    monkeypatch.setenv("NETREADY_TEST_SHORT", "sh0rt")
    monkeypatch.setenv("NETREADY_TEST_WORD", WORD)
    rows = [
        {"devices": ["10.0.0.1"], "version": "3", "user": "u", "auth": "sha1", **row} for row in table.get("credentials", [])
    ]
    rows += [{"devices": ["10.0.0.2"], "community_env": "NETREADY_TEST_WORD"}]
    ring = keyring(devices=["10.0.0.1", "10.0.0.2"], **table | {"credentials": rows})
    assert ring.of("10.0.0.2").community.reveal() == WORD.encode()
    with pytest.raises(Failed) as failed:
        ring.of("10.0.0.1")
    assert failed.value.failure is failure
    assert said in failed.value.reason
    assert "sh0rt" not in failed.value.reason


def test_a_file_that_others_can_read_is_said_once(tmp_path):
    said = []
    path = write(tmp_path, "word", mode=0o644)
    keyring(said, devices=["10.0.0.1", "10.0.0.2"], community_file=path)
    assert said == [f"snmp: {path} can be read by other users of this machine; chmod 600 it"]
    keyring(said, community_file=write(tmp_path, "close"))
    assert len(said) == 1


# --- That nothing shows them -----------------------------------------------------------------------------------------------

USER = User(
    name="audit", auth=Auth.SHA1, auth_secret=Secret(WORD.encode()), priv=Priv.AES128, priv_secret=Secret(WORD.encode())
)
COMMUNITY = Community(community=Secret(WORD.encode()))


@pytest.mark.parametrize("holder", [USER, COMMUNITY, COMMUNITY.community])
def test_a_secret_does_not_print(holder):
    for text in (repr(holder), str(holder), f"{holder}", f"{holder!r:>100}", str([holder]), str({1: holder})):
        assert WORD not in text
        assert "Secret()" in text


@pytest.mark.parametrize(
    "write", [msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins, pickle.dumps, copy.deepcopy]
)
@pytest.mark.parametrize("holder", [USER, COMMUNITY])
def test_a_secret_is_written_nowhere(write, holder):
    with pytest.raises(TypeError):
        write(holder)


def everything_printed(error):
    """An error as the noisiest of loggers prints it: every frame with all that stands in it."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize("credential", [USER, COMMUNITY])
@pytest.mark.parametrize("way", ["refused", "silent", "unreachable", "nonsense"])
def test_no_error_shows_a_secret_even_with_all_that_its_frames_hold(credential, way, context, monkeypatch):
    """Also not the datagram that carries it: it has no name in any frame."""
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        if way == "refused":
            other.close()
        wanted = Settings(port=port, timeout=0.1, retries=1)
        with Session("127.0.0.1", credential, wanted, clock=context.clock, chance=context.chance) as session:
            with pytest.raises((Failed, OSError)) as failed:
                ask(session, way, other)
            text = everything_printed(failed.value) + repr(session) + str(vars(session))
    assert "session.py" in text
    assert WORD not in text
    assert WORD.encode().hex() not in text


def test_no_answer_shows_the_community_that_came_with_it(agent, snmp):
    made = agent(lambda asked, _agent: [asked.respond([((1, 3, 6, 1, 2, 1, 1, 1), v2c.Integer(1))])])
    with snmp.session(made.port) as session:
        session.connect()
        answer = session.bulk([b"\x2b\x06"], 1)
    assert answer.reply.binds == [(b"\x2b\x06\x01\x02\x01\x01\x01", 1)]
    assert snmp.COMMUNITY not in repr(answer)
    assert snmp.COMMUNITY not in str(vars(session))


def ask(session, way, other):
    if way != "unreachable":
        session.connect()
    if way == "nonsense":
        session.ask([b"\x2b\x06"], 1)
        other.sendto(*other.recvfrom(2000))  # what was sent comes back, secret and all
        session.answer()
    session.get([(1, 3, 6, 1, 2, 1, 1, 5, 0)])
