"""THE VIRTUAL SCHOOL's name server: authoritative for school.test, and nothing else exists (RFC 1035, 2308, 7766)."""

import socketserver
import struct
import sys
import threading
from ipaddress import IPv4Address

from lab.plan import PAGES, RESOLVER, TESTPOINT, TESTPOINT_NAME

ZONE = "school.test"
_PLATFORM = ("lms", "sis", "portal", "content", "assessment", "www", "training", "forum", "board", "video", "games", "id")
RECORDS = {f"{host}.{ZONE}": PAGES for host in _PLATFORM} | {TESTPOINT_NAME: TESTPOINT}
TTL = 60  # s
A, SOA, ANY, IN = 1, 6, 255, 1
FORMERR, NXDOMAIN, NOTIMP, REFUSED = 1, 3, 4, 5
LONGEST = 512  # octets of a query that anybody would honestly send us
IDLE = 5.0  # s before a silent TCP client is let go


def _labels(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


# The negative answer's proof (RFC 2308): the zone's SOA, whose last field is how long it may be remembered.
_SOA_DATA = _labels(f"ns.{ZONE}") + _labels(f"school.{ZONE}") + struct.pack(">5I", 1, 3600, 600, 86400, TTL)
_SOA = _labels(ZONE) + struct.pack(">HHIH", SOA, IN, TTL, len(_SOA_DATA)) + _SOA_DATA


def _question(query: bytes) -> tuple[str, int, int, int] | None:
    """Name in lower case, type, class and the offset after the question; None when it is malformed."""
    labels, at = [], 12
    while True:
        if at >= len(query):
            return None
        size = query[at]
        at += 1
        if size == 0:
            break
        if size > 63 or at + size > len(query):  # also refuses compression, which a question has no use for
            return None
        labels.append(query[at : at + size])
        at += size
    if at + 4 > len(query):
        return None
    kind, group = struct.unpack_from(">HH", query, at)
    return b".".join(labels).decode("ascii", "replace").lower(), kind, group, at + 4


def answer(query: bytes) -> bytes | None:
    """The reply to one DNS message; None when it deserves none (too short, too long, or itself a reply)."""
    if not 12 <= len(query) <= LONGEST:
        return None
    number, flags, questions = struct.unpack_from(">HHH", query)
    if flags & 0x8000:
        return None
    kept = 0x8400 | flags & 0x7900  # QR and AA; opcode and RD as they came

    def reply(code: int, question: bytes = b"", answers: bytes = b"", authority: bytes = b"") -> bytes:
        counts = (int(bool(question)), int(bool(answers)), int(bool(authority)), 0)
        return struct.pack(">HH4H", number, kept | code, *counts) + question + answers + authority

    if flags & 0x7800:
        return reply(NOTIMP)
    asked = _question(query) if questions == 1 else None
    if asked is None:
        return reply(FORMERR)
    name, kind, group, end = asked
    question = query[12:end]
    if group != IN:
        return reply(REFUSED, question)
    address = RECORDS.get(name)
    if address is None and name != ZONE:
        return reply(NXDOMAIN, question, authority=_SOA)
    if address is None or kind not in (A, ANY):
        return reply(0, question, authority=_SOA)
    return reply(0, question, struct.pack(">HHHIH", 0xC00C, A, IN, TTL, 4) + IPv4Address(address).packed)


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        query, server = self.request
        said = answer(query)
        if said:
            server.sendto(said, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    timeout = IDLE

    def handle(self) -> None:
        try:
            while len(size := self.rfile.read(2)) == 2:
                query = self.rfile.read(int.from_bytes(size, "big"))
                said = answer(query)
                if said is None:
                    return
                self.wfile.write(len(said).to_bytes(2, "big") + said)
        except OSError:  # the client went away or fell silent
            return


class _Streams(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    """Serve until killed."""
    datagrams = socketserver.UDPServer((RESOLVER, 53), _Datagram)
    threading.Thread(target=datagrams.serve_forever, daemon=True).start()
    streams = _Streams((RESOLVER, 53), _Stream)
    sys.stdout.write("ready\n")
    streams.serve_forever()


if __name__ == "__main__":
    main()
