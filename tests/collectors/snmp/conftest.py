"""A real agent on loopback, agents of our own that misbehave, and how tests speak to either.

What the agents of our own read and write goes through pysnmp and pyasn1, so that ours is never its own judge.
"""

import bisect
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from agent.clock import SystemClock
from collectors.snmp.credentials import Community, Secret, User
from collectors.snmp.session import Session
from collectors.snmp.settings import Auth, Priv, Settings, Version
from netready.failure import Failed

SNMPD = shutil.which("snmpd") or ("/usr/sbin/snmpd" if Path("/usr/sbin/snmpd").exists() else "snmpd")
COMMUNITY, AUTH, PRIV = "gr8-s3cret-w0rd", "s1gned-s1gned", "h1dden-h1dden"
DAEMONS_AUTH = {None: "", Auth.MD5: "MD5", Auth.SHA1: "SHA"} | {
    auth: f"SHA-{auth.value[3:]}" for auth in (Auth.SHA224, Auth.SHA256, Auth.SHA384, Auth.SHA512)
}
DAEMONS_PRIV = {None: "", Priv.DES: "DES", Priv.AES128: "AES", Priv.AES192: "AES-192", Priv.AES256: "AES-256"}


class Daemon:
    """A real snmpd on a port of 127.0.0.1, with a community, and a user for each way to sign and encrypt that it has."""

    def __init__(self, folder: Path, *lines: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.folder = folder
        self.lines = lines

    def start(self, *lines: str) -> None:
        """Begin to answer; on return it does."""
        settings = self.folder / "snmpd.conf"
        settings.write_text("\n".join((f"agentAddress udp:127.0.0.1:{self.port}", *self.lines, *lines)) + "\n")
        self.process = subprocess.Popen(
            [SNMPD, "-f", "-LE", "3", "-C", "-c", str(settings), "-p", str(self.folder / "pid")],
            env={**os.environ, "SNMP_PERSISTENT_DIR": str(self.folder), "MIBS": ""},
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):  # its port is bound late, and until then loopback refuses
            try:
                with session(self.port, timeout=0.5) as asked:
                    asked.connect()
                    asked.get([(1, 3, 6, 1, 2, 1, 1, 3, 0)])
            except (OSError, Failed):
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("snmpd does not answer")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def user(auth: Auth | None = None, priv: Priv | None = None, **other: object) -> User:
    """One of the daemon's users, or one that is a little different."""
    wanted: dict[str, object] = {"name": _name(auth, priv), "auth": auth, "priv": priv}
    if auth:
        wanted["auth_secret"] = Secret(AUTH.encode())
    if priv:
        wanted["priv_secret"] = Secret(PRIV.encode())
    return User(**wanted | other)


def _name(auth: Auth | None, priv: Priv | None) -> str:
    return f"u-{auth.value if auth else 'none'}-{priv.value if priv else 'none'}"


def users() -> list[tuple[Auth | None, Priv | None]]:
    """All ways to sign and encrypt that the daemon has."""
    return [(auth, priv) for auth in DAEMONS_AUTH for priv in DAEMONS_PRIV if auth or not priv]


def _lines() -> list[str]:
    """snmpd.conf's lines for all users."""
    made = []
    for auth, priv in users():
        level = "priv" if priv else "auth" if auth else "noauth"
        secrets = (f" {DAEMONS_AUTH[auth]} {AUTH}" if auth else "") + (f" {DAEMONS_PRIV[priv]} {PRIV}" if priv else "")
        made += [f"createUser {_name(auth, priv)}{secrets}", f"rouser {_name(auth, priv)} {level}"]
    return made


def session(port: int, credential: Community | User | None = None, **settings: object) -> Session:
    """A session to an agent on loopback, not yet connected."""
    wanted = {"port": port, "timeout": 0.15, "retries": 1, "deadline": 3.0, "requests_per_second": 0} | settings
    credential = credential or Community(community=Secret(COMMUNITY.encode()))
    return Session("127.0.0.1", credential, Settings(**wanted), clock=SystemClock(), chance=random.Random(7))


@pytest.fixture(scope="session")
def snmpd(tmp_path_factory):
    """net-snmp's agent, with this machine's own interfaces."""
    daemon = Daemon(
        tmp_path_factory.mktemp("snmpd"),
        f"rocommunity {COMMUNITY} 127.0.0.1",
        "sysName core-sw",
        "sysLocation Room 12",
        "sysServices 6",
        "sysDescr Test switch",
        *_lines(),
    )
    daemon.start()
    yield daemon
    daemon.stop()


class Table:
    """What an honest agent answers from rows: (identifier, value) in order, values as pysnmp has them."""

    def __init__(self, rows) -> None:
        self.rows = sorted(rows)
        self.oids = [oid for oid, _ in self.rows]
        self.values = dict(self.rows)

    def after(self, oid):
        at = bisect.bisect_right(self.oids, oid)
        return self.rows[at] if at < len(self.rows) else (oid, v2c.EndOfMibView(""))

    def answer(self, asked):
        """The values that RFC 3416 gives to a request."""
        if asked.kind == "get":
            return [(oid, self.values.get(oid, v2c.NoSuchInstance(""))) for oid in asked.oids]
        found, current = [], list(asked.oids)
        for _ in range(asked.repetitions):
            step = [self.after(oid) for oid in current]
            found += step
            current = [oid for oid, _ in step]
        return found


class Asked:
    """A request of version 1 or 2c as pysnmp reads it, and responses to it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        self.pdu = v2c.apiMessage.get_pdu(self.message)
        bulk = self.pdu.isSameTypeWith(v2c.GetBulkRequestPDU())
        self.kind = "bulk" if bulk else "next" if self.pdu.isSameTypeWith(v2c.GetNextRequestPDU()) else "get"
        self.repetitions = int(v2c.apiBulkPDU.get_max_repetitions(self.pdu)) if bulk else 1
        self.oids = [tuple(oid) for oid, _ in v2c.apiPDU.get_varbinds(self.pdu)]
        self.number = int(v2c.apiPDU.get_request_id(self.pdu))
        self.community = bytes(v2c.apiMessage.get_community(self.message))

    def respond(self, binds, *, status=0, index=0, number=None) -> bytes:
        response = v2c.GetResponsePDU()
        v2c.apiPDU.set_defaults(response)
        v2c.apiPDU.set_request_id(response, self.number if number is None else number)
        v2c.apiPDU.set_varbinds(response, binds)
        response.setComponentByPosition(1, status, verifyConstraints=False)
        response.setComponentByPosition(2, index, verifyConstraints=False)
        v2c.apiMessage.set_pdu(self.message, response)
        return encoder.encode(self.message)


class Agent:
    """An agent on loopback; `behave(asked, agent)` gives the datagrams that answer it, or (seconds to wait, datagram)."""

    def __init__(self, behave) -> None:
        self.behave = behave
        self.requests = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(0.02)
        self.port = self.sock.getsockname()[1]
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopped.is_set():
            try:
                data, self.peer = self.sock.recvfrom(65535)
            except TimeoutError:
                continue
            asked = Asked(data)
            self.requests.append(asked)
            for reply in self.behave(asked, self):
                seconds, datagram = reply if isinstance(reply, tuple) else (0, reply)
                time.sleep(seconds)
                self.sock.sendto(datagram, self.peer)

    def stop(self):
        self.stopped.set()
        self.thread.join(10)
        self.sock.close()


@pytest.fixture
def agent():
    """Makes agents that are stopped when the test ends."""
    made = []

    def make(behave):
        made.append(Agent(behave))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def snmp():
    """What tests need of this file."""
    return SimpleNamespace(
        COMMUNITY=COMMUNITY,
        AUTH=AUTH,
        PRIV=PRIV,
        Daemon=Daemon,
        Table=Table,
        Asked=Asked,
        session=session,
        user=user,
        users=users(),
        community=lambda version=Version.V2C: Community(community=Secret(COMMUNITY.encode()), version=version),
    )
