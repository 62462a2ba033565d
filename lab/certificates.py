"""THE VIRTUAL SCHOOL's certificates: the authority behind the testpoint, and another that only a middlebox believes in.

All are made anew for each lab, on its own tmpfs, and go with it.
"""

import hashlib
from pathlib import Path

from lab.names import ZONE
from lab.plan import AUTHORITY, INSPECTOR, PIN, PRIVATE, SIGN_IN_AUTHORITY, TESTPOINT, TESTPOINT_NAME, LabFailed


def pair(name: str) -> tuple[Path, Path]:
    """Where the certificate chain of a service and its key lie."""
    return PRIVATE / f"{name}-chain.pem", PRIVATE / f"{name}-key.pem"


def issue(*, inspected: bool) -> None:
    """Write the authority, the testpoint's pair and the digest of its key; with `inspected`, the same of the middlebox.

    Both certificates are for the testpoint's address and name. LabFailed when the library is missing.
    """
    try:
        import trustme  # noqa: PLC0415 - of the development tools; a lab without TLS needs it not
        from cryptography import x509  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415
    except ImportError as error:
        raise LabFailed("a lab with TLS needs the library `trustme`: pip install 'netready[dev]'") from error
    for name, who, shown in (
        ("testpoint", "Virtual School ISP", AUTHORITY),
        ("inspector", "Virtual School Web Filter", INSPECTOR),
    ):
        if name == "inspector" and not inspected:
            return
        authority = trustme.CA(organization_name=who, organization_unit_name="Certificates")
        issued = authority.issue_cert(TESTPOINT, TESTPOINT_NAME)
        chain, key = pair(name)
        authority.cert_pem.write_to_path(shown)
        issued.private_key_pem.write_to_path(key)
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        if name == "testpoint":
            public = x509.load_pem_x509_certificate(chain.read_bytes()).public_key()
            digest = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
            PIN.write_text(digest.hexdigest())


def issue_sign_in() -> None:
    """Write the authority and the pair of the apps' sign-in. LabFailed when the library is missing."""
    try:
        import trustme  # noqa: PLC0415 - as above
    except ImportError as error:
        raise LabFailed("a lab with TLS needs the library `trustme`: pip install 'netready[dev]'") from error
    authority = trustme.CA(organization_name="Virtual School Sign-in", organization_unit_name="Certificates")
    issued = authority.issue_cert(f"*.{ZONE}")
    chain, key = pair("sign-in")
    authority.cert_pem.write_to_path(SIGN_IN_AUTHORITY)
    issued.private_key_pem.write_to_path(key)
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
