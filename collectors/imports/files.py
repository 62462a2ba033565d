"""Opening an import: what it may be and how large, which alphabet it is written in, and its lines.

Tried in this order: what a byte order mark says (UTF-8, UTF-16), UTF-8, Windows-1252. The whole file is looked through before a
line of it is used, so that rubbish at its end is refused before anything at its beginning was believed.
"""

import codecs
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from stat import S_ISREG
from typing import IO

import msgspec

from netready.refusal import Unfit
from netready.text import clean

MOST_BYTES = 512 << 20  # 200,000 Chromebooks with every column that Google offers take about half of it
MOST_LINE = 1 << 20  # characters
_CHUNK = 1 << 20

# What a file begins with that is no text, and what to do about it.
_NO_TEXT = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"%PDF": "a PDF page; export the list as CSV",
    codecs.BOM_UTF32_LE: "text in UTF-32; save it as UTF-8",
    codecs.BOM_UTF32_BE: "text in UTF-32; save it as UTF-8",
}
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WITH_MARK = {"utf-8": "utf-8-sig", "utf-16-le": "utf-16", "utf-16-be": "utf-16", "cp1252": "cp1252"}


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is text from its first byte to its last.

    raw       opens it again, for its bytes
    name      as it was given, safe to print
    encoding  as Python calls it
    written   when it was last written
    """

    raw: Callable[[], IO[bytes]]
    name: str
    encoding: str
    written: datetime

    def lines(self) -> Iterator[str]:
        """Its lines with their ends, which are LF, CRLF or CR; raises Unfit at one that no list has."""
        try:
            with TextIOWrapper(self.raw(), encoding=self.encoding, newline="") as file:
                number = 0
                while line := file.readline(MOST_LINE + 1):
                    number += 1
                    if len(line) > MOST_LINE:
                        raise Unfit(self.name, f"line {number}", f"expected a line of at most {MOST_LINE:,} characters")
                    yield line
        except UnicodeDecodeError:
            raise Unfit(self.name, "", "expected a file that is not written to while it is read") from None
        except OSError as error:
            raise Unfit(self.name, "", f"cannot be read: {error.strerror}") from None


def look(path: Path) -> Opened:
    """The file, looked through once; raises Unfit with the line of what is no text, or with why it cannot be read."""
    name = clean(str(path), limit=300)
    try:
        about = path.stat()
        if not S_ISREG(about.st_mode):
            raise Unfit(name, "", "expected a file")
        if about.st_size > MOST_BYTES:
            raise Unfit(name, "", f"expected at most {MOST_BYTES >> 20:,} MiB; it has {about.st_size >> 20:,} MiB")
        raw = partial(_bytes, path)
        encoding = alphabet(raw, name)
    except FileNotFoundError:
        raise Unfit(name, "", "no such file") from None
    except ValueError:  # a NUL in the path itself
        raise Unfit(name, "", "expected the path of a file") from None
    except OSError as error:
        raise Unfit(name, "", f"cannot be read: {error.strerror}") from None
    written = datetime.fromtimestamp(about.st_mtime, UTC)
    return Opened(raw=raw, name=name, encoding=encoding, written=written)


def _bytes(path: Path) -> IO[bytes]:
    return path.open("rb")


def alphabet(raw: Callable[[], IO[bytes]], name: str) -> str:
    """What Python calls the encoding of what `raw` opens, all of it read; raises Unfit with the line of what is no text."""
    return _WITH_MARK[_encoding(raw, name)]


def _encoding(raw: Callable[[], IO[bytes]], name: str) -> str:
    with raw() as file:
        head = file.read(4)
    if not head:
        raise Unfit(name, "", "expected a list; the file is empty")
    for magic, what in _NO_TEXT.items():
        if head.startswith(magic):
            raise Unfit(name, "", f"expected text; this is {what}")
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            if error := _wrong(raw, name, encoding, len(mark)):
                raise Unfit(name, error, f"expected text in {encoding[:-3].upper() if '16' in encoding else 'UTF-8'}")
            return encoding
    if not _wrong(raw, name, "utf-8", 0):
        return "utf-8"
    if error := _wrong(raw, name, "cp1252", 0):
        raise Unfit(name, error, "expected text in UTF-8, in UTF-16 with a byte order mark, or in Windows-1252")
    return "cp1252"


def _wrong(raw: Callable[[], IO[bytes]], name: str, encoding: str, skip: int) -> str:
    """The place of the first bytes that are not in `encoding`; "" when there are none. Raises Unfit for what is no text."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with raw() as file:
        file.read(skip)
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].decode(encoding, "ignore").count("\n")
                if _is_surrogate(error):
                    raise Unfit(name, f"line {line}", "expected text; half of a surrogate pair stands here") from None
                return f"line {line}"
            if "\0" in text:
                line += text[: text.index("\0")].count("\n")
                raise Unfit(name, f"line {line}", "expected text; a NUL stands here (UTF-16 needs its byte order mark)")
            line += text.count("\n")
            if not chunk:
                return ""


def _is_surrogate(error: UnicodeDecodeError) -> bool:
    """Whether the bytes are a lone surrogate as some programs write it, which no alphabet has."""
    try:
        found = error.object[error.start : error.start + 3].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return error.encoding == "utf-8" and "\ud800" <= found[:1] <= "\udfff"
