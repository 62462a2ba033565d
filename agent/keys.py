"""The site's keys for pseudonyms: one for each period, made when it is first needed, in a file that can be destroyed."""

import secrets
from pathlib import Path

import msgspec

from agent.config import ConfigError
from agent.files import OWNER, replace, wipe
from netready.privacy import KEY_BYTES


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key file: hexadecimal keys by period."""

    version: int = 1
    keys: dict[str, str] = {}


class Keys:
    """The key file of one site. Its contents are never printed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, period: str) -> bytes:
        """The period's key, made if there is none yet. Raises ConfigError when the file cannot be used."""
        known = self._read()
        if period not in known:
            known = {**known, period: secrets.token_hex(KEY_BYTES)}
            self._write(known)
        return bytes.fromhex(known[period])

    def keep_from(self, oldest: str) -> tuple[str, ...]:
        """Destroy the keys of the periods before `oldest`, a label of the same sort; the periods that are gone."""
        known = self._read()
        old = tuple(sorted(period for period in known if len(period) == len(oldest) and period < oldest))
        if old:
            self._write({period: key for period, key in known.items() if period not in old})
        return old

    def destroy(self) -> bool:
        """Destroy all keys; whether there were any."""
        if not self._path.exists():
            return False
        wipe(self._path)
        return True

    def _read(self) -> dict[str, str]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(f"{self._path}: {error.strerror}") from error
        try:
            found = msgspec.json.decode(data, type=_File).keys
            fit = all(len(bytes.fromhex(key)) == KEY_BYTES for key in found.values())
        except (msgspec.DecodeError, ValueError):
            fit = False
        if not fit:
            raise ConfigError(
                f"{self._path}: expected the keys that netready wrote; `netready inventory forget` destroys the file for good"
            )
        return found

    def _write(self, keys: dict[str, str]) -> None:
        data = msgspec.json.encode(_File(keys=keys))
        if self._path.exists():
            wipe(self._path, instead=data)
        else:
            replace(self._path, data, mode=OWNER)
