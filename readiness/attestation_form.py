"""The form on which people vouch for criteria: a CSV table with one row a question, exported, filled in and read back.

All or nothing: one row that cannot be read, and none is. Rows without an answer are left out. A cell that a spreadsheet would
take for a formula is refused, because what it shows to one reader is not what it shows to the next.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec

from netready.refusal import Unfit, near, quoted
from netready.text import FORMULA, clean, safe_cell
from readiness.evidence import Attestation
from readiness.roadmap import Criterion, EvidenceKind, Roadmap

COLUMNS = {
    "criterion": "id",
    "stage": "",
    "question": "",
    "evidence wanted": "",
    "answer": "answer",
    "name": "name",
    "role": "role",
    "on": "on",
    "until": "until",
    "document": "document",
    "document date": "document_on",
    "sha-256": "sha256",
    "kept where": "kept",
    "note": "note",
}
NEEDED = ("criterion", "answer", "name", "role", "on", "until")
LARGEST = 4 << 20  # characters; 187 rows with every cell full are under half of it
YES, NO = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def asked(roadmap: Roadmap) -> tuple[Criterion, ...]:
    """The criteria for which a person's word counts, in the roadmap's order."""
    return tuple(each for each in roadmap.criteria if EvidenceKind.ATTESTED in each.evidence)


def export(roadmap: Roadmap, answers: Mapping[str, Attestation]) -> str:
    """The form, with the answers that stand today already in it."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for criterion in asked(roadmap):
        one = answers.get(criterion.id)
        told = ["", "", "", "", "", "", "", "", "", ""]
        if one is not None:
            day = one.document_on.isoformat() if one.document_on else ""
            yes = "yes" if one.answer else "no"
            told = [yes, one.name, one.role, f"{one.on}", f"{one.until}", one.document, day, one.sha256, one.kept, one.note]
        question = (criterion.id, roadmap.stage_name(criterion.stage), criterion.what, criterion.wanted)
        writer.writerow([safe_cell(cell) for cell in (*question, *told)])
    return written.getvalue()


def parse(data: bytes, name: str, roadmap: Roadmap, today: date) -> tuple[Attestation, ...]:
    """The answers of a filled-in form, in its order; raises Unfit with the line and the column. `today` is the site's date."""
    text = _text(data, name)
    known = {criterion.id: criterion for criterion in asked(roadmap)}
    every = {criterion.id for criterion in roadmap.criteria}
    rows = _rows(text, name)
    header = next(rows, (0, []))[1]
    if not header:
        raise Unfit(name, "", f"expected the columns {', '.join(COLUMNS)}; the file is empty")
    places = _columns(header, name)
    found: list[Attestation] = []
    seen: dict[str, int] = {}
    for line, cells in rows:
        row = _Row(name, line, cells, places)
        if row.blank or not row.text("answer"):
            continue
        criterion = row.text("criterion")
        if criterion not in known:
            reason = "is answered by machines alone" if criterion in every else f"is no criterion; {near(criterion, known)}"
            raise row.unfit("criterion", f"{quoted(criterion)} {reason}")
        if criterion in seen:
            raise row.unfit("criterion", f"expected one answer for {criterion}; line {seen[criterion]} has one too")
        seen[criterion] = line
        found.append(_attestation(row, criterion, today))
    return tuple(found)


def _attestation(row: "_Row", criterion: str, today: date) -> Attestation:
    answer = row.text("answer").casefold()
    if answer not in YES | NO:
        raise row.unfit("answer", f"expected yes or no; got {quoted(answer)}")
    for column in ("name", "role"):
        if not row.text(column):
            raise row.unfit(column, "expected who vouches; an answer without a person counts for nothing")
    on, until = row.day("on"), row.day("until")
    if on is None or until is None:
        raise row.unfit("on" if on is None else "until", "expected a date such as 2026-03-02")
    if on > today:
        raise row.unfit("on", f"expected {today} or earlier; nobody can vouch on {on}, which is still to come")
    document_on = row.day("document date")
    if document_on is not None and document_on > today:
        raise row.unfit("document date", f"expected {today} or earlier; got {document_on}")
    if until <= on:
        raise row.unfit("until", f"expected a day after {on}; got {until}")
    raw = {
        "criterion": criterion,
        "answer": answer in YES,
        "on": on,
        "until": until,
        "document_on": document_on,
        **{COLUMNS[column]: row.text(column) for column in ("name", "role", "document", "kept where", "note")},
        "sha256": row.text("sha-256").lower(),
    }
    try:
        return msgspec.convert(raw, Attestation)
    except msgspec.ValidationError as error:
        field = next((column for column, key in COLUMNS.items() if key and f"$.{key}" in str(error)), "answer")
        said = str(error).partition(" - ")[0]
        wanted = "expected 64 hexadecimal digits" if field == "sha-256" else f"{said[:1].lower()}{said[1:]}"
        raise row.unfit(field, wanted) from None


class _Row:
    """One line of the form."""

    def __init__(self, name: str, line: int, cells: list[str], places: Mapping[str, int]) -> None:
        self._name = name
        self._line = line
        self._cells = cells
        self._places = places
        self.blank = not any(cell.strip() for cell in cells)
        width = max(places.values()) + 1
        if not self.blank and len(cells) < width:
            raise Unfit(name, f"line {line}", f"expected {width} cells, as the header has; got {len(cells)}")

    def text(self, column: str) -> str:
        place = self._places.get(column)
        if place is None:
            return ""
        text = self._cells[place].strip()
        if text.startswith("'"):
            text = text[1:]  # how a spreadsheet, and `export`, keep a text from being a formula
        elif text.startswith(FORMULA):
            raise self.unfit(column, f"expected plain text, and {quoted(text[:40])} is a formula to a spreadsheet")
        return clean(text, limit=600)

    def day(self, column: str) -> date | None:
        text = self.text(column)
        if not text:
            return None
        try:
            return date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            raise self.unfit(column, f"expected a date such as 2026-03-02; got {quoted(text)}") from None

    def unfit(self, column: str, expected: str) -> Unfit:
        return Unfit(self._name, f"line {self._line}, column {column}", expected)


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unfit(name, f"line {line}", f"expected a row of a CSV table; {clean(str(error))}") from None


def _columns(header: Iterable[str], name: str) -> dict[str, int]:
    places: dict[str, int] = {}
    for index, cell in enumerate(header):
        column = " ".join(cell.casefold().split())
        if column in places:
            raise Unfit(name, "line 1", f"expected each column once; {quoted(column)} is there twice")
        if column in COLUMNS:
            places[column] = index
    missing = [column for column in NEEDED if column not in places]
    if missing:
        raise Unfit(name, "line 1", f"expected the column {quoted(missing[0])}, as `netready attest export` writes it")
    return places


def _text(data: bytes, name: str) -> str:
    if len(data) > LARGEST:
        raise Unfit(name, "", f"expected at most {LARGEST >> 20} MiB")
    try:
        text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unfit(name, f"byte {error.start}", "expected UTF-8 text; save the form as CSV UTF-8") from None
    if "\0" in text:
        raise Unfit(name, "", "expected text, and this has NUL characters")
    return text


def _separator(text: str) -> str:
    """What a spreadsheet of that country separates cells by."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)
