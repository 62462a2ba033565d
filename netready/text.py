"""The door for strangers' words: device names, SNMP strings, HTTP headers, CSV cells.

Everything that comes off a wire passes `clean` once, where it enters. After it a string is valid Unicode, free of control
characters and direction overrides, and bounded; every sink still escapes for its own format, a spreadsheet's by `safe_cell`.
"""

import unicodedata

LIMIT = 128  # characters; long enough for any honest device name (sysName is at most 255 octets, DNS labels 63)
_CELL = 2_000  # characters of a spreadsheet's cell; the longest sentence of a judgement is far shorter

# What makes a spreadsheet take a cell for a formula (OWASP, "CSV injection"), with the full-width forms that some fold.
FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)

# Cc control, Cf format (direction overrides, zero-width), Cs surrogates, Co private use, Cn unassigned, Zl/Zp separators.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str | bytes, *, limit: int = LIMIT) -> str:
    """`text` made safe to store and to hand on: valid, printable, single-line, at most `limit` characters.

    Bytes are read as UTF-8, and what is not UTF-8 becomes the replacement character. Unwanted characters become a space,
    runs of spaces one space. A text that is cut ends in an ellipsis.
    """
    if isinstance(text, bytes):
        text = text[: limit * 8].decode("utf-8", "replace")
    text = text[: limit * 8]
    if not (text.isascii() and text.isprintable()):  # most names are, and thousands come in a moment
        text = "".join(" " if unicodedata.category(char) in _UNWANTED else char for char in text)
    kept = " ".join(text.split())
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def safe_cell(cell: str | float) -> str | float:
    """`cell` as a spreadsheet may have it: numbers as they are, text without control characters and never a formula."""
    if not isinstance(cell, str):
        return cell
    # Looked at before and after cleaning: a tab in front must not hide, and must not be what is left out.
    text = clean(cell, limit=_CELL)
    return f"'{text}" if cell.startswith(FORMULA) or text.startswith(FORMULA) else text
