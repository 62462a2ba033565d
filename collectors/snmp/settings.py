"""What netready.toml says about SNMP: which devices, how to speak to each, how long, and how hard.

A secret is named by the file or the environment variable that holds it, never written here.
"""

from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Annotated

import msgspec
from msgspec import Meta


class Version(StrEnum):
    """The protocol's versions, as people call them."""

    V1 = "1"
    V2C = "2c"
    V3 = "3"


class Auth(StrEnum):
    """How a user proves who is speaking: HMAC with these digests (RFC 3414, RFC 7860)."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class Priv(StrEnum):
    """How a user's messages are encrypted (RFC 3414, RFC 3826).

    No standard says how a key grows to 192 or 256 bits. Most agents do as draft-blumenthal-aes-usm-04; Cisco and some others as
    draft-reeder-snmpv3-usm-3desede, and their users choose the names that end in "-cisco".
    """

    DES = "des"
    AES128 = "aes128"
    AES192 = "aes192"
    AES256 = "aes256"
    AES192_CISCO = "aes192-cisco"
    AES256_CISCO = "aes256-cisco"


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to speak to some devices: for each device, the first row that lists its address or its network holds.

    Versions 1 and 2c take a community, version 3 a user: alone, with `auth`, or with `auth` and `priv`. Each secret stands on
    the first line of a file, or in an environment variable, and the field says which: `community_file` or `community_env`.
    """

    devices: Annotated[tuple[str, ...], Meta(max_length=1000)]
    version: Version = Version.V2C
    community_file: str = ""
    community_env: str = ""
    user: Annotated[str, Meta(max_length=32)] = ""
    auth: Auth | None = None
    auth_file: str = ""
    auth_env: str = ""
    priv: Priv | None = None
    priv_file: str = ""
    priv_env: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError with what was expected."""
        for device in self.devices:
            ip_network(device)
        for name in ("community", "auth", "priv"):
            if getattr(self, f"{name}_file") and getattr(self, f"{name}_env"):
                raise ValueError(f"expected {name}_file or {name}_env, not both")
        if self.version is Version.V3:
            self._check_user()
        elif self.user or self._said("auth") or self._said("priv"):
            raise ValueError('expected version = "3" beside user, auth and priv')
        elif not self.names("community"):
            raise ValueError("expected community_file or community_env")

    def _check_user(self) -> None:
        if self.names("community"):
            raise ValueError("expected no community; version 3 has users")
        if not self.user:
            raise ValueError("expected user")
        for name in ("auth", "priv"):
            if self._said(name) and getattr(self, name) is None:
                raise ValueError(f"expected {name}, the method, beside {name}_file or {name}_env")
            if self._said(name) and not self.names(name):
                raise ValueError(f"expected {name}_file or {name}_env beside {name}")
        if self.priv and not self.auth:
            raise ValueError("expected auth beside priv; version 3 encrypts only what is signed")

    def _said(self, name: str) -> bool:
        return getattr(self, name) is not None or self.names(name)

    def names(self, secret: str) -> bool:
        """Whether "community", "auth" or "priv" is to be had from a file or a variable."""
        return bool(getattr(self, f"{secret}_file") or getattr(self, f"{secret}_env"))


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [snmp]. Devices are addresses; `community_file` holds the read-only community on its first line.

    A device that a row of [[snmp.credentials]] lists is asked as that row says, every other over version 2c with the community.

    timeout              seconds for each request
    retries              how often an unanswered request is sent again
    max_rows             table cells for each walk
    deadline             seconds for each device
    parallel             devices at a time; one request is under way at each
    requests_per_second  at most so many at each device, whose processor may be weak; 0 is no limit
    """

    devices: Annotated[tuple[str, ...], Meta(max_length=1000)] = ()
    community_file: str = ""
    community_env: str = ""
    credentials: tuple[Credentials, ...] = ()
    port: Annotated[int, Meta(ge=1, le=65535)] = 161
    timeout: Annotated[float, Meta(gt=0, le=30)] = 1.0
    retries: Annotated[int, Meta(ge=0, le=5)] = 2
    max_rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 20_000
    deadline: Annotated[float, Meta(gt=0, le=600)] = 30.0
    parallel: Annotated[int, Meta(ge=1, le=32)] = 10
    requests_per_second: Annotated[float, Meta(ge=0, le=10_000)] = 50.0

    def __post_init__(self) -> None:
        """Raises ValueError with what was expected."""
        for device in self.devices:
            ip_address(device)
        if self.community_file and self.community_env:
            raise ValueError("expected community_file or community_env, not both")

    def row_of(self, device: str) -> Credentials | None:
        """The row of [[snmp.credentials]] that holds for the address, if one does."""
        address = ip_address(device)
        return next((row for row in self.credentials if any(address in ip_network(text) for text in row.devices)), None)

    def strangers(self) -> list[str]:
        """The devices that nothing here says how to speak to."""
        if self.community_file or self.community_env:
            return []
        return [device for device in self.devices if self.row_of(device) is None]
