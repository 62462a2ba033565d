"""THE VIRTUAL SCHOOL's platform: one small page for each of its names, over plain HTTP; two of them the filter may keep."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.estate import BLOCKED_WORDS, blocked
from lab.names import RECORDS
from lab.plan import PAGES

FILLER = 20_000  # bytes: about what a log-in page weighs without its pictures
IDLE = 10.0  # s


class Page(BaseHTTPRequestHandler):
    """Answers GET and HEAD for any path of the names that the name server knows."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE

    def do_GET(self) -> None:
        """The page."""
        self.wfile.write(self._head())

    def do_HEAD(self) -> None:
        """The page's headers."""
        self._head()

    def _head(self) -> bytes:
        host = (self.headers.get("Host") or "").partition(":")[0].lower()
        known = host in RECORDS
        kept = blocked(host, str(self.client_address[0]))
        title = BLOCKED_WORDS if kept else host if known else "unknown"
        body = f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p>{'lorem ' * (FILLER // 6)}</html>\n"
        page = body.encode()
        self.send_response(HTTPStatus.FORBIDDEN if kept else HTTPStatus.OK if known else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        return page

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
        """Say nothing: the log would grow as long as the lab stands."""


def main() -> None:
    """Serve until killed."""
    ThreadingHTTPServer((PAGES, 80), Page).serve_forever()


if __name__ == "__main__":
    main()
