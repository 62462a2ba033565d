"""Run as a program inside a network namespace of its own: a school with a network of students and one of staff, surveyed.

The agent has a leg in each. Behind the router of both are the platform, the page for signing in, a filter that answers names
differently for each network, and the school's records, which are barred for students. The survey's facts are printed as JSON.
The first argument is a folder for the config; "serve" as the second plays the servers.
"""

import http.server
import json
import random
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import trustme

from agent.clock import SystemClock
from agent.config import load
from agent.survey import take
from probes import content_filter, failover, http_fetch, offline, segmentation, sso
from readiness.evidence import Reading
from readiness.gather import gather

PLATFORM, IDENTITY, BLOCK, RECORDS = "10.91.9.80", "10.91.9.81", "10.91.9.99", "10.91.5.10"
APPS = ("10.91.9.82", "10.91.9.83")
LEGS = {"student0": ("10.91.1.9", "10.91.1.1"), "staff0": ("10.91.2.9", "10.91.2.1")}
NAMES = {
    "10.91.1.1": {"lms.test": PLATFORM, "war.test": BLOCK, "bad.test": BLOCK},
    "10.91.2.1": {"lms.test": PLATFORM, "war.test": PLATFORM, "bad.test": BLOCK},
}
ROWS = tuple(each.INSTRUMENT for each in (http_fetch, sso, content_filter, segmentation, offline, failover))
CONFIG = f"""
[site]
name = "Two networks"
students = 100
staff = 10
classrooms = 5
networks = ["10.91.0.0/20"]

[[site.nominated]]
name = "students"
people = "student"
interface = "student0"
resolver = "10.91.1.1"
[[site.nominated]]
name = "teachers"
people = "staff"
interface = "staff0"
resolver = "10.91.2.1"

[[site.endpoints]]
name = "Portal"
url = "http://{PLATFORM}/"
role = "portal"
[[site.endpoints]]
name = "LMS"
url = "http://lms.test/"
role = "lms"
[[site.endpoints]]
name = "SIS"
url = "https://{APPS[0]}/"
role = "sis"
networks = ["teachers"]
student_data = true
[[site.endpoints]]
name = "Portfolio"
url = "https://{APPS[1]}/"
role = "portfolio"
student_data = true

[[site.filter_pages]]
url = "http://war.test/"
shows = "harmless"
blocked = ["students"]
open = ["teachers"]
[[site.filter_pages]]
url = "http://bad.test/"
shows = "harmless"
blocked = ["students", "teachers"]

[[site.barriers]]
name = "Records"
address = "{RECORDS}"
port = 8443
networks = ["students"]

[[site.stored]]
name = "Library"
url = "http://{PLATFORM}/"
shows = "harmless"

[[site.circuits]]
name = "Fibre"
contracted_down = "100M"
contracted_up = "100M"
interface = "staff0"
[[site.circuits]]
name = "Radio"
contracted_down = "20M"
contracted_up = "5M"
interface = "student0"

[content_filter]
block_words = ["Blocked by School Filter"]
[http_fetch]
ca_file = "ca.pem"
[sso]
identity = "{IDENTITY}"
ca_file = "ca.pem"
[failover]
ca_file = "ca.pem"
[segmentation]
timeout = 0.5
"""


def ip(command, enter=()):
    subprocess.run([*enter, "ip", *command.split()], check=True, capture_output=True)


def build():
    """The agent's two legs and the router at their other end; the words that enter the router, and its process."""
    holder = subprocess.Popen(["unshare", "-n", "sleep", "60"])
    own = Path("/proc/self/ns/net").stat().st_ino
    for _ in range(500):
        with suppress(FileNotFoundError):
            if Path(f"/proc/{holder.pid}/ns/net").stat().st_ino != own:
                break
        time.sleep(0.01)
    enter = ("nsenter", "-t", str(holder.pid), "-n")
    ip("link set lo up")
    ip("link set lo up", enter)
    for metric, (name, (near, far)) in enumerate(reversed(LEGS.items()), 1):
        ip(f"link add {name} type veth peer name {name} netns {holder.pid}")
        for address, words in ((near, ()), (far, enter)):
            ip(f"address add {address}/24 dev {name}", words)
            ip(f"link set {name} up", words)
        ip(f"route add default via {far} dev {name} metric {metric}")
    for address in (PLATFORM, IDENTITY, BLOCK, RECORDS, *APPS):
        ip(f"address add {address}/32 dev lo", enter)
    # The router's own addresses are looked up first of all, so that table is moved behind the bar.
    ip(f"rule add pref 50 from 10.91.1.0/24 to {RECORDS} prohibit", enter)
    ip("rule add pref 100 lookup local", enter)
    ip("rule del pref 0", enter)
    return enter, holder


class Page(http.server.BaseHTTPRequestHandler):
    """The same program on every address; what it says depends on which."""

    def do_GET(self):
        here = self.request.getsockname()[0]
        body = {BLOCK: b"Blocked by School Filter", IDENTITY: b"<input type=password>"}.get(here, b"a harmless page")
        self.send_response(302 if here in APPS else 200)
        if here in APPS:
            self.send_header("Location", f"https://{IDENTITY}/login")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # noqa: A002 - the library's signature
        pass


class Names(socketserver.BaseRequestHandler):
    """A name server that knows a few addresses and no IPv6."""

    def handle(self):
        query, sock = self.request
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        question, (kind,) = query[12 : at + 5], struct.unpack_from("!H", query, at + 1)
        address = NAMES[self.server.server_address[0]].get(".".join(labels))
        found = [address] if address and kind == 1 else []
        head = query[:2] + struct.pack("!5H", 0x8180 if address else 0x8183, 1, len(found), 0, 0)
        answers = b"".join(struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(each) for each in found)
        sock.sendto(head + question + answers, self.client_address)


def serve(folder):
    def run(server):
        threading.Thread(target=server.serve_forever, daemon=True).start()

    for address in (PLATFORM, BLOCK):
        run(http.server.ThreadingHTTPServer((address, 80), Page))
    for address in (IDENTITY, *APPS):
        server = http.server.ThreadingHTTPServer((address, 443), Page)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / f"{address}.pem")
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        run(server)
    for address in NAMES:
        run(socketserver.ThreadingUDPServer((address, 53), Names))
    records = socket.create_server((RECORDS, 8443))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        records.accept()[0].close()


def filtering(way):
    for name in ("all", "default", *LEGS):
        Path(f"/proc/sys/net/ipv4/conf/{name}/rp_filter").write_text(str(way))


def survey_of(folder, rows=ROWS[:1]):
    config = load(folder / "netready.toml", ROWS)
    return take(config, rows, clock=SystemClock(), chance=random.Random(7), say=lambda _text: None)


def survey(folder):
    (folder / "netready.toml").write_text(CONFIG)
    config, made = load(folder / "netready.toml", ROWS), survey_of(folder, ROWS)
    readings = [Reading(survey=made.id, measurement=each) for each in made.measurements]
    facts = gather(config.site, readings, (), now=datetime.now(UTC)).facts
    return {
        "runs": {run.instrument: run.error or run.skipped or "" for run in made.runs},
        "readings": [[each.metric, each.target, each.value, each.failure] for each in made.measurements],
        "facts": {f"{each.metric} {each.role or ''}".strip(): [each.value, each.note] for each in facts},
    }


def main():
    folder = Path(sys.argv[1])
    if "serve" in sys.argv:
        serve(folder)
        return
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for address in (IDENTITY, *APPS):
        authority.issue_cert(address).private_key_and_cert_chain_pem.write_to_path(str(folder / f"{address}.pem"))
    enter, holder = build()
    argv = [*enter, sys.executable, __file__, str(folder), "serve"]
    with holder, subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as servers:
        try:
            assert servers.stdout.readline() == "ready\n"
            filtering(0)
            found = survey(folder)
            filtering(1)  # strict: what comes back to the students' leg is then dropped, for its way back is the other leg
            found["strict"] = [
                [each.target, each.failure, each.details.get("reason", "")]
                for each in survey_of(folder).measurements
                if each.metric == "http_total_time"
            ]
            sys.stdout.write(json.dumps(found))
        finally:
            servers.kill()
            holder.kill()


if __name__ == "__main__":
    main()
