"""The far end of LibreSpeed's clients: the endpoints that its web page and its command line ask for.

Contract as of LibreSpeed's own servers, version 6: `garbage` is downloaded, `empty` swallows uploads and answers pings with
not one byte, `getIP` tells the client its address. Browsers ask from pages of other origins, and are told that they may.
"""

from urllib.parse import parse_qs

import msgspec

from probes.throughput.settings import endpoint
from testpoint.body import take
from testpoint.load import send_load
from testpoint.visit import Visit, answer, reply

GROUP = "librespeed"  # all connections of a client that LibreSpeed opens are one test
MEBIBYTE = 1 << 20
_MEBIBYTES, _MOST_MEBIBYTES = 4, 1024  # of `garbage`, unless asked for, and at most
_BINARY = "application/octet-stream"
_READ, _WRITE = "GET, HEAD, OPTIONS", "GET, HEAD, POST, OPTIONS"


def garbage(visit: Visit) -> None:
    """Send `ckSize` MiB."""
    if _is_due(visit, _READ):
        size = _mebibytes(visit.request.query) * MEBIBYTE
        send_load(visit, size, _BINARY, {**_origin(_READ), "Content_Transfer_Encoding": "binary"}, group=GROUP)


def empty(visit: Visit) -> None:
    """Swallow what is posted, and answer with nothing."""
    if _is_due(visit, _WRITE) and (visit.request.method != "POST" or take(visit, GROUP) is not None):
        reply(visit, b"", _BINARY, _origin(_WRITE))


def get_ip(visit: Visit) -> None:
    """Tell the client its address. Nothing about its provider is known here, and nobody is asked."""
    if _is_due(visit, _READ):
        told = {"processedString": endpoint(visit.peer).host, "rawIspInfo": ""}
        reply(visit, msgspec.json.encode(told), "application/json; charset=utf-8", _origin(_READ))


def _is_due(visit: Visit, methods: str) -> bool:
    """Whether the handler must go on; what asks for permission, or by a wrong method, is answered here."""
    if visit.request.method == "OPTIONS":
        reply(visit, b"", _BINARY, _origin(methods))
        return False
    if visit.request.method not in methods.split(", "):
        answer(visit, 405, f"{visit.request.path} takes {methods}", Allow=methods)
        return False
    return True


def _origin(methods: str) -> dict[str, str]:
    """What a browser wants to read before a page of another origin may use the answer (Fetch standard, 3.2)."""
    return {
        "Access_Control_Allow_Origin": "*",
        "Access_Control_Allow_Methods": methods,
        "Access_Control_Allow_Headers": "Authorization, Content-Encoding, Content-Type",
        "Access_Control_Max_Age": "600",
        "Timing_Allow_Origin": "*",
    }


def _mebibytes(query: str) -> int:
    """LibreSpeed's own reading of `ckSize`: what is not a positive number is the default, and too much is the most."""
    text = parse_qs(query, max_num_fields=64).get("ckSize", [""])[0]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return min(number, _MOST_MEBIBYTES) or _MEBIBYTES
