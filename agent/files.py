"""Files, written whole or not at all."""

import os
from pathlib import Path

from agent.config import ConfigError

ANYBODY = 0o666  # less what the umask takes away
OWNER = 0o600


def replace(path: Path, data: bytes, *, mode: int = ANYBODY) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it; ConfigError when it cannot be."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def wipe(path: Path, *, instead: bytes | None = None) -> None:
    """Put `instead` in the place of a file, or nothing, and zeros over what it held.

    The new file stands before the old bytes go, so that a power cut leaves one of the two. On media that copy when they write,
    the old block may stay where no program reaches it. Raises ConfigError.
    """
    try:
        with path.open("r+b") as old:
            if instead is None:
                path.unlink()
            else:
                replace(path, instead, mode=OWNER)
            old.write(bytes(os.fstat(old.fileno()).st_size))
            old.flush()
            os.fsync(old.fileno())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be wiped: {error.strerror}") from error
