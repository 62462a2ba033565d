"""THE VIRTUAL SCHOOL's estate beyond its platform: a filter that knows students, one sign-in over TLS, stored material.

`python -m lab.estate sign-in` answers on the ISP's side, `python -m lab.estate store` on the school's own file server.
"""

import ssl
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab import certificates
from lab.names import ZONE
from lab.plan import AGENT, PAGES, ROUTER_WAN, STORE, STUDENT_LEG

IDENTITY = f"id.{ZONE}"
APPS = ("lms", "sis")  # hold student data; both send people to IDENTITY to sign in
SIGN_IN = "<!doctype html><title>Sign in</title><form method=post><input name=user><input type=password name=word></form>\n"
STORED = "<!doctype html><title>Stored lessons</title><h1>Lessons that open without the line</h1>\n"
SHOWN = "Lessons that open without the line"
BLOCKED_WORDS = "blocked by the filter of the virtual school"
FOR_STAFF, FOR_NOBODY = f"video.{ZONE}", f"games.{ZONE}"  # harmless pages that stand for what a filter treats apart
IDLE = 10.0  # s

# The agent's leg among the students: an address of its own, behind its cable (lines for `ip -batch`, and where).
LEG = (
    (f"address add {STUDENT_LEG}/32 dev lo", "agent"),
    (f"route add {STUDENT_LEG}/32 via {AGENT}", "router"),
    (f"route add {STUDENT_LEG}/32 via {ROUTER_WAN}", "isp"),
)


def blocked(host: str, client: str) -> bool:
    """Whether the filter keeps a page from somebody."""
    return host == FOR_NOBODY or (host == FOR_STAFF and client == STUDENT_LEG)


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE

    def _give(self, status: HTTPStatus, text: str, **headers: str) -> None:
        page = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
        """Say nothing."""


class SignIn(_Page):
    """The apps' sign-in addresses lead to one page that asks for a password."""

    def do_GET(self) -> None:
        """A redirect, or the page."""
        host = (self.headers.get("Host") or "").partition(":")[0].lower()
        if host == IDENTITY:
            self._give(HTTPStatus.OK, SIGN_IN)
        elif host in {f"{app}.{ZONE}" for app in APPS}:
            self._give(HTTPStatus.FOUND, "", Location=f"https://{IDENTITY}/sign-in")
        else:
            self._give(HTTPStatus.NOT_FOUND, "")


class Store(_Page):
    """Material that is kept in the school."""

    def do_GET(self) -> None:
        """The page."""
        self._give(HTTPStatus.OK, STORED)


def main() -> None:
    """Serve until killed."""
    if sys.argv[1] == "store":
        ThreadingHTTPServer((STORE, 80), Store).serve_forever()
    server = ThreadingHTTPServer((PAGES, 443), SignIn)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    chain, key = certificates.pair("sign-in")
    context.load_cert_chain(chain, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
