"""What a throughput method shows and asks before it trusts a server: TLS, a pinned key, a bearer token.

A pinned key is the whole check: it is stronger than any authority's word, it lets a school's own testpoint do without
one, and only so can a stranger's certificate be looked at and named (RFC 7858, 4.2 does the same). It is compared inside
the handshake, before a byte of ours is sent, so no caller can forget it.
"""

import hashlib
import os
import re
import ssl
from pathlib import Path

from netready.failure import Failed, Failure
from netready.text import clean
from probes.throughput.settings import Throughput

TOKEN_LIMIT = 4096  # characters; half of what servers commonly allow for a field
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1
_ISSUER_PARTS = ("2.5.4.10", "2.5.4.3")  # organisation, then common name (X.520)
_TBS_ISSUER, _TBS_KEY = 2, 5  # places in a TBSCertificate when its optional version is not counted (RFC 5280, 4.1)


def context(settings: Throughput) -> ssl.SSLContext | None:
    """The TLS context for the named server, or None for clear text; raises Failed(TLS_CERTIFICATE) for a useless `ca`."""
    if not settings.tls:
        return None
    try:
        found = ssl.create_default_context(cafile=settings.ca or None)
    except OSError as error:
        raise Failed(Failure.TLS_CERTIFICATE, f"ca: {settings.ca} cannot be used ({error})") from error
    if settings.pin:
        found.check_hostname = False
        found.verify_mode = ssl.CERT_NONE
        found.sslsocket_class = _pinned(settings)
    return found


def _pinned(settings: Throughput) -> type[ssl.SSLSocket]:
    class Pinned(ssl.SSLSocket):
        """A TLS socket whose handshake ends with the pin's check."""

        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the ssl module's signature
            super().do_handshake(block)
            try:
                check_pin(self, settings)
            except Failed:
                self.close()
                raise

    return Pinned


def check_pin(connection: ssl.SSLSocket, settings: Throughput) -> None:
    """Raises Failed(TLS_CERTIFICATE), naming who issued the certificate, unless the server's key is the pinned one, if any."""
    if not settings.pin:
        return
    certificate = connection.getpeercert(binary_form=True)
    if not certificate:
        raise Failed(Failure.TLS_CERTIFICATE, "the server showed no certificate, and its key is pinned")
    key, issuer = describe(certificate)
    if key != settings.pin.lower():
        raise Failed(
            Failure.TLS_CERTIFICATE,
            f"the server's key is not the pinned one; the certificate was issued by {issuer}: "
            "something on the way inspects TLS, or the server has a new key",
        )


def describe(certificate: bytes) -> tuple[str, str]:
    """SHA-256 (hex) of a DER certificate's SubjectPublicKeyInfo, and its issuer in words; raises Failed when it has none."""
    from pyasn1.codec.der import decoder, encoder  # noqa: PLC0415 - only a pinned server needs it
    from pyasn1.error import PyAsn1Error  # noqa: PLC0415
    from pyasn1.type.tag import tagClassContext  # noqa: PLC0415

    try:
        whole, _ = decoder.decode(certificate)
        signed = whole[0]
        shift = 1 if signed[0].tagSet.superTags[-1].tagClass == tagClassContext else 0
        key = hashlib.sha256(encoder.encode(signed[_TBS_KEY + shift])).hexdigest()
        names = {str(pair[0]): str(pair[1]) for names in signed[_TBS_ISSUER + shift] for pair in names}
    except (PyAsn1Error, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise Failed(Failure.TLS_CERTIFICATE, "the server's certificate cannot be read") from error
    told = [clean(names[part], limit=80) for part in _ISSUER_PARTS if part in names]
    return key, ", ".join(told) or "somebody without a name"


def headers(settings: Throughput) -> dict[str, str]:
    """Fields to add to every request to the named server: its bearer token, if it asks for one (RFC 6750, 2.1)."""
    if not settings.token_file:
        return {}
    try:
        with Path(settings.token_file).open(encoding="ascii") as file:
            token = file.read(TOKEN_LIMIT + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(Failure.LOCAL_RESOURCES, f"token_file: {settings.token_file} cannot be read ({error})") from error
    if len(token) > TOKEN_LIMIT or _TOKEN.fullmatch(token) is None:
        raise Failed(Failure.LOCAL_RESOURCES, f"token_file: {settings.token_file} does not hold one bearer token")
    return {"Authorization": f"Bearer {token}"}


def unreadable(settings: Throughput) -> str | None:
    """Which file that the settings name cannot be read, in a sentence, or None when all can."""
    for what, path in (("authority", settings.ca), ("token", settings.token_file)):
        if path and not os.access(path, os.R_OK):
            return f"the {what} file {path} cannot be read"
    return None
