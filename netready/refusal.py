"""Refusing a file that people write by hand: one exception and one sentence for everything that can be wrong with it.

Config, roadmap, standards, policy, waivers and attestations are TOML. `decode` reads them strictly and turns what the decoder
says into the file, the path to the field and what was expected there.
"""

import difflib
import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from netready.text import clean

_T = TypeVar("_T")


class Unfit(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """A data file that cannot be used. `str()` is one sentence: file, path to the field, what was expected."""

    def __init__(self, file: str, path: str, expected: str) -> None:
        super().__init__(f"{file}: {path}: {expected}" if path else f"{file}: {expected}")
        self.file = file
        self.path = path
        self.expected = expected


def decode(data: bytes, name: str, shape: type[_T]) -> _T:
    """The file's content as `shape`; raises Unfit for TOML that does not parse and for fields that do not fit."""
    return fit(toml(data, name), name, shape)


def toml(data: bytes, name: str) -> dict[str, Any]:
    """The file's content, not yet checked for sense; raises Unfit when it is not TOML."""
    try:
        raw: dict[str, Any] = msgspec.toml.decode(data)
    except UnicodeDecodeError as error:
        raise Unfit(name, f"byte {error.start}", "expected UTF-8 text") from None
    except RecursionError:
        raise Unfit(name, "", "expected a file that is not nested this deeply") from None
    except msgspec.DecodeError as error:
        raise _syntax(name, str(error)) from None
    return raw


def fit(raw: object, name: str, shape: type[_T], table: str = "") -> _T:
    """`raw` as `shape`; raises Unfit with the path to the field, which begins with `table`."""
    try:
        return msgspec.convert(raw, shape, strict=True)
    except msgspec.ValidationError as error:
        raise _field(name, str(error), raw, shape, table) from None


MOST_SHOWN = 40  # words of a choice; a sentence with more of them is not read


def near(word: str, known: Iterable[str]) -> str:
    """What was meant, when it is plain; else the choice there was."""
    choice = sorted(known)
    if close := difflib.get_close_matches(word, choice, n=1):
        return f"did you mean {close[0]}?"
    if len(choice) > MOST_SHOWN:
        return f"expected one of {len(choice)}, such as {choice[0]} or {choice[-1]}"
    return f"expected one of {', '.join(choice)}" if choice else ""


def item(table: str, index: int, label: str = "") -> str:
    """The path to one entry, with its id where it has one: `criteria[12] (TC.3.4)`."""
    return f"{table}[{index}] ({clean(label)})" if label else f"{table}[{index}]"


def quoted(text: str) -> str:
    """What stands in the file, in quotes, made safe to print."""
    return f'"{clean(text)}"'


def either(words: Iterable[str]) -> str:
    """The words in alphabetical order, as a choice."""
    return ", ".join(sorted(words))


def unique(name: str, table: str, ids: Iterable[str]) -> None:
    """Raises Unfit at the first id that stands in `table` a second time."""
    seen: dict[str, int] = {}
    for index, one in enumerate(ids):
        if one in seen:
            raise Unfit(
                name, f"{item(table, index, one)}.id", f"expected an id that is used once; {table}[{seen[one]}] has it too"
            )
        seen[one] = index


def unstamped(name: str, digest: str) -> None:
    """Raises Unfit when a file claims its own digest: it is computed from the bytes, never believed."""
    if digest:
        raise Unfit(name, "digest", "expected no such field; the digest is computed from the file")


_WHERE = re.compile(r"^(?P<said>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_POSITION = re.compile(r"^(?P<said>.*) \(at (?P<where>[^()]*)\)$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\.\.\.)\]")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "date": "a date such as 2026-03-02",
    "datetime": "a date and time",
}
# What an entry is called by, in the order in which it is looked for.
_LABELS = ("id", "criterion", "rule", "number")


def _syntax(name: str, said: str) -> Unfit:
    found = _POSITION.match(said)
    where, what = (found["where"], found["said"]) if found else ("", said)
    return Unfit(name, where, f"expected valid TOML; {clean(what[:1].lower() + what[1:])}")


def _field(name: str, said: str, raw: object, shape: type[Any], table: str) -> Unfit:
    found = _WHERE.match(said)
    said, dotted = (found["said"], found["path"] or "") if found else (said, "")
    path, kind = _walk(dotted, raw, inspect.type_info(shape), table)
    if stray := re.search(r"unknown field `(.*)`$", said, re.DOTALL):
        hint = near(stray[1], _fields(kind))
        return Unfit(name, _join(path, clean(stray[1])), f"unknown field{f'; {hint}' if hint else ''}")
    if absent := re.search(r"missing required field `(.*)`$", said, re.DOTALL):
        return Unfit(name, _join(path, absent[1]), "expected a value; the field is missing")
    if said.startswith("Invalid enum value"):
        word = said.removeprefix("Invalid enum value ").strip("'")
        return Unfit(name, path, f"expected one of {either(_choices(kind))}; got {quoted(word)}")
    if said.startswith("Invalid RFC3339"):
        return Unfit(name, path, f"expected {_WORDS['date']}")
    return Unfit(name, path, _plain(said))


def _plain(said: str) -> str:
    """The decoder's sentence with its type names in words a school's technician uses."""

    def words(found: re.Match[str]) -> str:
        names = [word for word in found[1].split(" | ") if word != "null"]
        return " or ".join(_WORDS.get(word, word) for word in names) or "nothing"

    said = re.sub(r"`([^`]*)`", words, said)
    said = said.replace("of length >= 1", "that is not empty").replace(", got ", "; got ")
    return clean(said[:1].lower() + said[1:], limit=300)


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _walk(dotted: str, raw: object, kind: inspect.Type, path: str) -> tuple[str, inspect.Type]:
    """The path with the entries' ids written in, and the type that was expected at its end."""
    for name, number, _rest in _STEP.findall(dotted):
        if name:
            path = _join(path, name)
            raw = raw.get(name) if isinstance(raw, dict) else None
            kind = next((field.type for field in _struct_fields(kind) if field.encode_name == name), inspect.AnyType())
        else:
            index = int(number) if number else 0
            raw = raw[index] if isinstance(raw, list) and index < len(raw) else None
            path += item("", index, _label(raw))
            kind = _element(kind)
    return path, kind


def _label(raw: object) -> str:
    if not isinstance(raw, dict):
        return ""
    return next((str(raw[key]) for key in _LABELS if isinstance(raw.get(key), str | int)), "")


def _unwrapped(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return next((one for one in kind.types if not isinstance(one, inspect.NoneType)), kind)
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _struct_fields(kind: inspect.Type) -> tuple[inspect.Field, ...]:
    kind = _unwrapped(kind)
    return kind.fields if isinstance(kind, inspect.StructType) else ()


def _element(kind: inspect.Type) -> inspect.Type:
    kind = _unwrapped(kind)
    return kind.item_type if isinstance(kind, inspect.CollectionType) else inspect.AnyType()


def _fields(kind: inspect.Type) -> list[str]:
    return [field.encode_name for field in _struct_fields(kind) if field.encode_name != "digest"]


def _choices(kind: inspect.Type) -> list[str]:
    kind = _unwrapped(kind)
    if isinstance(kind, inspect.EnumType):
        return [str(member.value) for member in kind.cls]
    return [str(value) for value in kind.values] if isinstance(kind, inspect.LiteralType) else []
