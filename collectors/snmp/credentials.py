"""Communities and passphrases: fetched from where the config says, held in a type that does not print, for sessions only."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec

from collectors.snmp.settings import Auth, Credentials, Priv, Settings, Version
from netready.failure import Failed, Failure, classify
from netready.text import clean

LARGEST_FILE = 1024  # bytes of a secret's file that are read
SHORTEST = 8  # characters of a passphrase, RFC 3414 section 11.2


class Secret:
    """Bytes that no message, log, dump or page ever shows: every way of printing or writing it gives the same word."""

    __slots__ = ("_bytes",)

    def __init__(self, value: bytes) -> None:
        self._bytes = value

    def reveal(self) -> bytes:
        """The bytes, for whoever speaks to the device."""
        return self._bytes

    def __repr__(self) -> str:
        return "Secret()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class Community(msgspec.Struct, frozen=True, kw_only=True):
    """How to speak version 1 or 2c."""

    community: Secret
    version: Version = Version.V2C


class User(msgspec.Struct, frozen=True, kw_only=True):
    """How to speak version 3; without `auth` nothing is signed, without `priv` nothing is encrypted."""

    name: str
    auth: Auth | None = None
    auth_secret: Secret | None = None
    priv: Priv | None = None
    priv_secret: Secret | None = None


Credential = Community | User


class Keyring:
    """The credentials of all devices of a run, fetched when it is made: what cannot be had is said when it is asked for."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        """`say` hears, once for each file, that other users of this machine may read it."""
        self._settings = settings
        self._say = say
        self._files: dict[str, bytes] = {}
        self._found: dict[str, Credential | Failed] = {}
        for device in settings.devices:
            try:
                self._found[device] = self._fetch(device)
            except Failed as failed:
                self._found[device] = failed

    def of(self, device: str) -> Credential:
        """How to speak to a device of the settings; raises Failed(local-resources) with the setting that cannot be had."""
        found = self._found[device]
        if isinstance(found, Failed):
            raise Failed(found.failure, found.reason)
        return found

    def _fetch(self, device: str) -> Credential:
        row = self._settings.row_of(device)
        if row is None:
            return Community(community=self._secret(self._settings, "snmp", "community"))
        table = f"snmp.credentials[{self._settings.credentials.index(row)}]"
        if row.version is not Version.V3:
            return Community(community=self._secret(row, table, "community"), version=row.version)
        return User(
            name=row.user,
            auth=row.auth,
            auth_secret=self._passphrase(row, table, "auth") if row.auth else None,
            priv=row.priv,
            priv_secret=self._passphrase(row, table, "priv") if row.priv else None,
        )

    def _passphrase(self, row: Credentials, table: str, name: str) -> Secret:
        secret = self._secret(row, table, name)
        if len(secret.reveal()) < SHORTEST:
            field = f"{name}_file" if getattr(row, f"{name}_file") else f"{name}_env"
            raise Failed(Failure.LOCAL_RESOURCES, f"{table}.{field}: expected a passphrase of at least {SHORTEST} characters")
        return secret

    def _secret(self, row: Credentials | Settings, table: str, name: str) -> Secret:
        file, variable = getattr(row, f"{name}_file"), getattr(row, f"{name}_env")
        if variable:
            value = os.environb.get(os.fsencode(variable))
            if value is None:
                raise Failed(Failure.LOCAL_RESOURCES, f"{table}.{name}_env: the environment has no variable {clean(variable)}")
            where = f"{name}_env"
        else:
            where, value = f"{name}_file", self._read(file, f"{table}.{name}_file")
        value = value.split(b"\n", 1)[0].strip()
        if not value:
            raise Failed(Failure.LOCAL_RESOURCES, f"{table}.{where}: expected the secret on the first line; it is empty")
        return Secret(value)

    def _read(self, path: str, field: str) -> bytes:
        if path not in self._files:
            try:
                with Path(path).open("rb") as file:
                    if os.fstat(file.fileno()).st_mode & 0o077:
                        self._say(f"snmp: {path} can be read by other users of this machine; chmod 600 it")
                    self._files[path] = file.read(LARGEST_FILE)
            except OSError as error:
                raise Failed(classify(error) or Failure.LOCAL_RESOURCES, f"{field} cannot be read: {error.strerror}") from None
        return self._files[path]
