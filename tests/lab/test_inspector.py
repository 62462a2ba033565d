"""A testpoint that speaks TLS, and a middlebox that opens it."""

import importlib.util
import json
import socket
import subprocess

import msgspec
import pytest

from lab import BARE, open_lab
from lab.plan import AGENT, AUTHORITY, INSPECTOR, PIN, ROUTER_WAN, TESTPOINT, TESTPOINT_NAME, TESTPOINT_PORT, TESTPOINT_TLS_PORT

pytestmark = pytest.mark.namespaces

# Speaks TLS with the testpoint; prints [who signed, digest of the key], waits for a line, asks for a page, prints the status.
VISIT = """
import hashlib, json, socket, ssl, sys
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
context = ssl.create_default_context(cafile=sys.argv[1])
try:
    with socket.create_connection((sys.argv[2], int(sys.argv[4])), 5) as wire, \\
            context.wrap_socket(wire, server_hostname=sys.argv[3]) as tls:
        key = x509.load_der_x509_certificate(tls.getpeercert(True)).public_key()
        digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
        print(json.dumps([dict(row[0] for row in tls.getpeercert()["issuer"])["organizationName"], digest]), flush=True)
        sys.stdin.readline()
        tls.sendall(b"GET / HTTP/1.1\\r\\nHost: testpoint\\r\\n\\r\\n")
        print(tls.recv(1000).split(b"\\r\\n")[0].decode(), flush=True)
except ssl.SSLCertVerificationError as error:
    print(json.dumps([error.verify_message]))
"""

# Remote addresses of TCP connections in this namespace, from proc_net_tcp(5).
PEERS = "awk 'NR>1 && $4==\"01\" {print $3}' /proc/net/tcp"


@pytest.fixture(scope="module")
def tls_lab(namespaces):
    """Opens a bare lab with these services."""
    if importlib.util.find_spec("trustme") is None:
        pytest.skip("trustme is missing: pip install 'netready[dev]'")

    def build(*services):
        return open_lab(msgspec.structs.replace(BARE, services=frozenset(services)))

    return build


def visit(lab, authority, name=TESTPOINT_NAME):
    """What the agent sees, and whom the testpoint's host sees meanwhile."""
    argv = ["python", "-c", VISIT, str(authority), TESTPOINT, name, str(TESTPOINT_TLS_PORT)]
    with lab.popen("agent", argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as agent:
        said = json.loads(agent.stdout.readline())
        peers = lab.run("isp", ["sh", "-c", PEERS], capture_output=True, text=True, check=True).stdout.split()
        said += agent.communicate("\n", timeout=20)[0].splitlines()
    return said, {socket.inet_ntoa(bytes.fromhex(peer[:8])[::-1]) for peer in peers}


def test_a_testpoint_speaks_tls_with_a_certificate_of_the_labs_authority(tls_lab):
    with tls_lab("tls") as lab:
        for name in (TESTPOINT, TESTPOINT_NAME):
            said, peers = visit(lab, AUTHORITY, name)
            assert said == ["Virtual School ISP", lab.inside(PIN).read_text(), "HTTP/1.1 200 OK"]
            assert peers == {AGENT}
        assert not lab.inside(INSPECTOR).exists()


def test_an_inspector_shows_a_key_of_its_own_and_speaks_to_the_testpoint_itself(tls_lab):
    with tls_lab("inspector", "testpoint") as lab:
        (signer, digest, status), peers = visit(lab, INSPECTOR)
        assert (signer, status) == ("Virtual School Web Filter", "HTTP/1.1 200 OK")
        assert digest != lab.inside(PIN).read_text()
        assert peers == {ROUTER_WAN}
        assert visit(lab, AUTHORITY)[0] == ["unable to get local issuer certificate"]
        clear = f"import socket; print(socket.create_connection(('{TESTPOINT}', {TESTPOINT_PORT}), 5).getsockname()[0])"
        argv = ["python", "-W", "ignore", "-c", clear]
        assert lab.run("agent", argv, capture_output=True, text=True, check=True).stdout.strip() == AGENT
        log = lab.inside(PIN.parent / "testpoint.log").read_text()
        assert log  # the clear port is the real testpoint's own
