"""THE VIRTUAL SCHOOL's web filter: a middlebox that opens TLS on its way to the testpoint and closes it again.

It runs on the router. A routing rule hands it whatever comes from the school for the testpoint's TLS port, and its listener
may answer with that address (IP_TRANSPARENT, ip(7)), so the agent needs no setting and sees only another certificate: for
the right name, by an authority of the filter's own. Towards the testpoint it is an honest client with the router's address,
and the ISP's side sees that. On that port only TLS passes. Nothing else is touched: the clear port, pings and other hosts go
their usual way.
"""

import asyncio
import contextlib
import socket
import ssl
import sys

from lab.certificates import pair
from lab.plan import AUTHORITY, TESTPOINT, TESTPOINT_TLS_PORT

CHUNK = 1 << 16
PATIENCE = 10.0  # s for the testpoint to answer, or a client to finish its handshake
TABLE = 100  # of the routes for what is inspected

# Looked up after the kernel's own table of local addresses and before all others (ip-rule(8)).
RULES = [
    f"rule add iif lan0 to {TESTPOINT} ipproto tcp dport {TESTPOINT_TLS_PORT} lookup {TABLE}",
    f"route add local {TESTPOINT} dev lo table {TABLE}",
]


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry bytes one way until the source ends, then close the target: TLS has no half-closed connections."""
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            target.write(data)
            await target.drain()
    target.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    beyond = ssl.create_default_context(cafile=str(AUTHORITY))
    try:
        opening = asyncio.open_connection(TESTPOINT, TESTPOINT_TLS_PORT, ssl=beyond, server_hostname=TESTPOINT)
        far_reader, far_writer = await asyncio.wait_for(opening, PATIENCE)
    except OSError:  # and TimeoutError, which is one
        writer.close()
        return
    await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_IP, socket.IP_TRANSPARENT, 1)
    listener.bind((TESTPOINT, TESTPOINT_TLS_PORT))
    return listener


async def _serve() -> None:
    here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    here.load_cert_chain(*pair("inspector"))
    server = await asyncio.start_server(_relay, sock=_listener(), ssl=here, ssl_handshake_timeout=PATIENCE)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Inspect until killed."""
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
