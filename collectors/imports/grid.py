"""A table in a file: its separator, its header and its rows, one at a time (RFC 4180, with the habits of spreadsheets).

Cells are plain text. One that begins with = + - @ or a tab is not a formula here, whatever a spreadsheet would make of it.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from itertools import chain

import msgspec

from collectors.imports.cells import bare
from collectors.imports.files import Opened
from netready.refusal import Unfit
from netready.text import clean

MOST_CELL = 32_767  # characters; no spreadsheet writes more into a cell
MOST_COLUMNS = 1_000
MOST_ROWS = 250_000
SEPARATORS = ",;\t"

_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # Excel's own first line
_TYPE_LINE = "#TYPE "  # PowerShell's Export-Csv, before version 6


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the columns: as they are printed, and as they are compared. `before` lines stand above the header."""

    names: tuple[str, ...]
    folded: tuple[str, ...]
    separator: str
    before: int


class Row(msgspec.Struct, frozen=True):
    """A row's line in the file and its cells by field; empty cells are left out."""

    line: int
    cells: dict[str, str]


def folded(name: str) -> str:
    """A column's name as it is compared: "Wi-Fi MAC", "wifi_mac" and "WiFiMAC" are one, and so are é and e."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in plain if char.isalnum())


def header(opened: Opened) -> Header:
    """The first row that is neither blank nor an instruction to a program; raises Unfit when it is no header."""
    lines = opened.lines()
    first, before, separator = "", 0, ""
    for line in lines:
        if found := _SEPARATOR_LINE.fullmatch(line):
            separator = found[1]
        elif line.strip() and not line.startswith(_TYPE_LINE):
            first = line
            break
        before += 1
    if not first:
        raise Unfit(opened.name, "", "expected a list; the file has only blank lines")
    separator = separator or _separator(first)
    names = next(_records(opened, chain([first], lines), separator, before, quoted=True), (0, []))[1]
    if len(names) > MOST_COLUMNS:
        raise Unfit(opened.name, f"line {before + 1}", f"expected at most {MOST_COLUMNS:,} columns; got {len(names):,}")
    return Header(
        names=tuple(clean(name, limit=60) for name in names),
        folded=tuple(folded(name) for name in names),
        separator=separator,
        before=before,
    )


def rows(
    opened: Opened,
    head: Header,
    columns: tuple[tuple[str, int], ...],
    *,
    several: frozenset[str] = frozenset(),
    quoted: bool = True,
) -> Iterator[Row]:
    """The rows below the header, with the cells of `columns`, which are pairs of a field and a column's number from 0.

    Of a field's columns the first that says anything counts; those of `several` are joined by line ends. Raises Unfit with line
    and column for a row that is not like the header.
    """
    lines = opened.lines()
    for _ in range(head.before):
        next(lines, None)
    records = _records(opened, lines, head.separator, head.before, quoted=quoted)
    next(records, None)
    width, count = len(head.names), 0
    for line, cells in records:
        if not cells:
            continue
        if len(cells) != width:
            raise Unfit(opened.name, f"line {line}", f"expected {width} cells, as the header has; got {len(cells)}")
        count += 1
        if count > MOST_ROWS:
            raise Unfit(opened.name, f"line {line}", f"expected at most {MOST_ROWS:,} rows")
        yield Row(line, _picked(cells, columns, several))


def _picked(cells: list[str], columns: tuple[tuple[str, int], ...], several: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, column in columns:
        if text := cells[column].strip():
            if field not in found:
                found[field] = text
            elif field in several:
                found[field] += f"\n{text}"
            elif not bare(found[field]):
                found[field] = text
    return found


def place(head: Header, line: int, column: int) -> str:
    """Where a cell is, for a refusal; `column` counts from 0."""
    name = head.names[column] if column < len(head.names) else ""
    return f"line {line}, column {column + 1}" + (f" ({name})" if name else "")


def _separator(line: str) -> str:
    """The separator that stands most often in the header, outside quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(SEPARATORS, key=bare.count)


def _records(
    opened: Opened, lines: Iterator[str], separator: str, before: int, *, quoted: bool
) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins in; a quoted cell may go over several."""
    try:
        reader = csv.reader(lines, delimiter=separator, strict=True, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    except (TypeError, ValueError) as error:
        raise Unfit(opened.name, "line 1", f"expected a separator such as a comma ({error})") from None
    while True:
        line = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unfit(opened.name, f"line {line}", f"expected a row of a CSV file; {clean(str(error))}") from None
        for column, cell in enumerate(cells):
            if len(cell) > MOST_CELL:
                where = f"line {line}, column {column + 1}"
                raise Unfit(opened.name, where, f"expected a cell of at most {MOST_CELL:,} characters; got {len(cell):,}")
        yield line, cells
