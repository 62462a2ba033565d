"""The bearer token that a testpoint may ask for (RFC 6750)."""

import hmac
import os
import re
import stat
from pathlib import Path
from urllib.parse import parse_qsl

from probes.throughput.handshake import Request

_LEAST = 16  # characters; a shorter one can be guessed
_FORM = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1: b64token
_FILE_LIMIT = 4096  # bytes
_MOST_KEYS = 64


def read_token(path: Path) -> str:
    """The token in `path`; ValueError says in a sentence what is wrong with it. Raises OSError."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & stat.S_IROTH:
            raise ValueError(f"{path} may be read by everybody; run: chmod o-rwx {path}")
        data = file.read(_FILE_LIMIT)
    token = data.decode("latin-1").strip()
    if len(token) < _LEAST or len(data) == _FILE_LIMIT or not _FORM.fullmatch(token):
        raise ValueError(f"{path} must hold one token of at least {_LEAST} letters, digits and -._~+/ and nothing else")
    return token


def is_authorised(request: Request, token: str) -> bool:
    """Whether `request` shows the token, as a field or, as ndt7 and msak clients do, as the key access_token of its query."""
    shown = []
    scheme, _, rest = request.fields.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        shown.append(rest.strip())
    try:
        shown += [value for key, value in parse_qsl(request.query, max_num_fields=_MOST_KEYS) if key == "access_token"]
    except ValueError:
        return False
    # Every one is compared, and each in constant time, so that the time tells nothing about the token.
    found = [hmac.compare_digest(one.encode("utf-8", "replace"), token.encode()) for one in shown]
    return any(found)
