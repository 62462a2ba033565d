"""Imports from an archive: the few CSV files of a roster, read out of a zip where they lie. Nothing is unpacked to a disc.

An archive is a stranger's: what it claims to hold is bounded before it is believed (APPNOTE.TXT 6.3.10, section 4.3). A member
that is not asked for is never opened, so what it would unpack to does not matter. An archive inside it stays closed.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import EINVAL
from functools import partial
from io import BufferedReader, FileIO
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from collectors.imports import files
from netready.refusal import Unfit
from netready.text import clean

MOST_MEMBERS = 1_000  # OneRoster 1.2 names 22; some exporters put their own beside them
MOST_UNPACKED = files.MOST_BYTES  # of one member
MOST_RATIO = 100  # rows of a roster shrink to a tenth, roles with counted ids to a fortieth; zeros shrink to a thousandth
_MOST_READ = 1 << 20  # bytes; the list of members is read at once, so this bounds it before it is taken apart

_ENCRYPTED = 1  # of the general purpose bits


class _Archive(BufferedReader):
    """A file that refuses to be read in pieces too large for any list of members that we would take."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_READ:
            raise BadZipFile("its list of members is too long")
        return super().read(size)


@contextmanager
def opened(path: Path, name: str, wanted: Iterable[str]) -> Iterator[dict[str, files.Opened]]:
    """Those of the `wanted` files that an archive holds, by their names, to be read within the context.

    They may lie in a folder. A member whose path leads out of the archive is passed over. Raises Unfit, also within the
    context, for what is no zip, is damaged, is locked or claims too much.
    """
    about = path.stat()
    if about.st_size > files.MOST_BYTES:
        raise Unfit(name, "", f"expected at most {files.MOST_BYTES >> 20:,} MiB; it has {about.st_size >> 20:,} MiB")
    with _Archive(FileIO(path)) as file:
        try:
            found = _looked_through(file, name, frozenset(wanted), datetime.fromtimestamp(about.st_mtime, UTC))
        # What zipfile says of bytes that are meant badly: a bad sum, a cut stream, a sign out of place, a later version.
        except (BadZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError) as error:
            raise Unfit(name, "", f"expected a zip that is whole; {clean(str(error)) or 'it is cut short'}") from None
        except OSError as error:
            if error.errno != EINVAL:
                raise
            raise Unfit(name, "", "expected a zip that is whole; an offset in it points out of it") from None
        try:
            yield found
        except (BadZipFile, zlib.error, EOFError):
            raise Unfit(name, "", "expected a file that is not written to while it is read") from None


def _looked_through(file: IO[bytes], name: str, wanted: frozenset[str], written: datetime) -> dict[str, files.Opened]:
    archive = ZipFile(file)
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise Unfit(name, "", f"expected at most {MOST_MEMBERS:,} members; it has {len(members):,}")
    found = {}
    for short, member in _found(members, name, wanted).items():
        full = f"{name}/{short}"
        _bounded(member, full)
        raw: Callable[[], IO[bytes]] = partial(archive.open, member)
        found[short] = files.Opened(raw=raw, name=full, encoding=files.alphabet(raw, full), written=written)
    if not found and any(member.filename.lower().endswith(".zip") for member in members):
        raise Unfit(name, "", "expected CSV files; it holds another archive, which is not opened")
    return found


def _found(members: list[ZipInfo], name: str, wanted: frozenset[str]) -> dict[str, ZipInfo]:
    found: dict[str, ZipInfo] = {}
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        short = path.name.lower()
        # Apple's archives hold a shadow of every file in a folder of this name.
        if short not in wanted or member.is_dir() or _leads_out(path) or path.parts[0] == "__MACOSX":
            continue
        if short in found:
            raise Unfit(name, short, "expected one file of this name; the archive has several")
        found[short] = member
    return found


def _leads_out(path: PurePosixPath) -> bool:
    return path.is_absolute() or ".." in path.parts or ":" in path.parts[0]


def _bounded(member: ZipInfo, name: str) -> None:
    """Raises Unfit for a member that is locked or would become too large. zipfile reads no byte beyond the size it claims."""
    if member.flag_bits & _ENCRYPTED:
        raise Unfit(name, "", "expected a file without a password")
    # Of these two alone zipfile bounds how much a piece may become while it is unpacked.
    if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise Unfit(name, "", "expected a member that is stored or deflated, as every zip program does by default")
    if member.file_size > MOST_UNPACKED:
        raise Unfit(name, "", f"expected at most {MOST_UNPACKED >> 20:,} MiB; unpacked it has {member.file_size >> 20:,} MiB")
    if member.file_size > _MOST_READ and member.file_size > member.compress_size * MOST_RATIO:
        ratio = member.file_size // max(member.compress_size, 1)
        raise Unfit(name, "", f"expected a file that shrinks to no less than 1/{MOST_RATIO}; this one shrinks to 1/{ratio:,}")
