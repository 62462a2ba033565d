"""Reads the labelled set: what each device said, what it really is, and which half it belongs to. See README.md beside this.

Both the tests and the bench load this file by its path.
"""

import bz2
import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import msgspec

from census.kinds import Naming, classify
from census.models import identity
from netready.device import Kind, Sighting
from netready.text import clean

FOLDER = Path(__file__).parent
SEED = "netready labelled set 1"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMING = Naming(student=("stu-*", "cart??-*"), staff=("t-*", "staff-*"))
PARTS = ("learning", "opened", "later learning", "judging")
LARGE, LOOK = 300_000, 1_000_000  # of a recording packed in more bytes than this only so many unpacked bytes are read

SYSTEM = {
    "1.3.6.1.2.1.1.1.0": "sysdescr",
    "1.3.6.1.2.1.1.2.0": "sysobjectid",
    "1.3.6.1.2.1.1.5.0": "name",
    "1.3.6.1.2.1.1.6.0": "location",
    "1.3.6.1.2.1.1.7.0": "services",
    "1.3.6.1.2.1.33.1.1.1.0": "maker",
    "1.3.6.1.2.1.33.1.1.2.0": "model",
}
ENTITY = "1.3.6.1.2.1.47.1.1.1.1."
CLASS, SERIAL, MAKER, MODEL = "5", "11", "12", "13"
CHASSIS = "3"
RADIO = {"1.2.840.10036.3.1.2.1.2": "maker", "1.2.840.10036.3.1.2.1.3": "model"}
MIBS = {"1.3.6.1.2.1.33.1.": "ups", "1.3.6.1.2.1.43.": "printer", "1.2.840.10036.": "wireless"}


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A device: what it is by whoever labelled it, where what it said comes from, and what it said."""

    id: str
    kind: Kind
    origin: str = msgspec.field(name="from")
    family: str = ""
    maker: str | None = None
    model: str | None = None
    walk: str | None = None
    sightings: tuple[Sighting, ...] = ()

    late: bool = False

    @property
    def part(self) -> str:
        """Drawn by a fixed seed. Devices that are much alike share a family, and a family is never divided."""
        draw = hashlib.sha256(f"{SEED}:{self.family or self.id}".encode()).digest()[0] & 1
        return ("judging", "later learning")[draw] if self.late else ("opened", "learning")[draw]


def devices() -> Iterator[Labelled]:
    """The whole set, with the recordings where their package is installed."""
    spec = find_spec("snmpsim_data")
    recorded = None if spec is None or spec.origin is None else Path(spec.origin).parent / "data"
    for name in ("walks", "answers", "announced", "later"):
        for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = msgspec.json.decode(line)
            for sighting in row.get("sightings", ()):
                sighting["at"] = AT
            device = msgspec.convert(row | {"late": name == "later"}, Labelled)
            if device.walk is None:
                yield device
            elif recorded is not None:
                yield msgspec.structs.replace(device, sightings=(walked(recorded, device.walk),))


@functools.cache
def walked(folder: Path, name: str) -> Sighting:
    """What a recorded agent says it is, as the SNMP collector would report it."""
    facts: dict[str, str] = {}
    parts: dict[str, dict[str, str]] = {}
    mibs: set[str] = set()
    for oid, text in _rows(folder, name):
        if field := SYSTEM.get(oid):
            facts[field] = text
        elif oid.startswith(ENTITY):
            column, _, index = oid.removeprefix(ENTITY).partition(".")
            parts.setdefault(index, {})[column] = text
        elif field := RADIO.get(oid.rpartition(".")[0]):
            facts.setdefault(field, text)
        mibs |= {word for prefix, word in MIBS.items() if oid.startswith(prefix)}
    chassis = [part for _, part in sorted(parts.items(), key=lambda pair: int(pair[0])) if part.get(CLASS) == CHASSIS]
    for column, field in ((MAKER, "maker"), (MODEL, "model"), (SERIAL, "serial")):
        facts.setdefault(field, next((part[column] for part in chassis if part.get(column)), ""))
    facts["mibs"] = " ".join(sorted(mibs))
    system_name = facts.pop("name", None)
    return Sighting(source="snmp", at=AT, name=system_name or None, facts={key: text for key, text in facts.items() if text})


def _rows(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """OID and text of the rows that say what a device is. A row is OID|TAG|VALUE, hexadecimal where the tag ends in x."""
    file = next(path for path in (folder / f"{name}.snmprec.bz2", folder / f"{name}.snmprec") if path.exists())
    size = LOOK if file.stat().st_size > LARGE else -1
    with bz2.open(file) if file.suffix == ".bz2" else file.open("rb") as opened:
        data = opened.read(size)
    wanted = tuple(prefix.encode() for prefix in (*SYSTEM, ENTITY, *MIBS))
    for line in data.splitlines():
        if line.startswith(wanted):
            oid, _, rest = line.partition(b"|")
            tag, _, value = rest.partition(b"|")
            yield oid.decode(), clean(_octets(value) if tag == b"4x" else value, limit=256)


def _octets(digits: bytes) -> bytes:
    """Some recordings say hexadecimal and hold plain text."""
    try:
        return bytes.fromhex(digits.decode())
    except ValueError:
        return digits


def table() -> str:
    """The page of results as the rules give them now: RESULTS.md beside this."""
    everything = tuple(devices())
    lines = ["# What the rules make of the labelled set", "", "Written by `python tests/census/labelled/read.py`.", ""]
    lines += _scores(everything)
    lines += _confusion([each for each in everything if each.part == "judging"])
    lines += _recordings(each for each in everything if each.walk)
    return "\n".join(lines) + "\n"


def said(device: Labelled) -> Kind:
    """What the rules say it is."""
    return classify(device.sightings, NAMING)[0]


def _scores(everything: tuple[Labelled, ...]) -> list[str]:
    lines = ["| part | devices | right | share |", "| --- | --- | --- | --- |"]
    for part in PARTS:
        devices = [each for each in everything if each.part == part]
        right = sum(said(each) is each.kind for each in devices)
        lines.append(f"| {part} | {len(devices)} | {right} | {right / len(devices):.1%} |")
    return lines


def _confusion(judging: list[Labelled]) -> list[str]:
    pairs = Counter((each.kind, said(each)) for each in judging)
    shown = sorted({kind for pair in pairs for kind in pair})
    lines = ["", "## The judging part: what devices are (rows) and what the rules say (columns)", ""]
    lines += [f"| | {' | '.join(shown)} |", f"|{' --- |' * (len(shown) + 1)}"]
    return lines + [f"| {kind} | {' | '.join(str(pairs[kind, other] or '') for other in shown)} |" for kind in shown]


def _recordings(recorded: Iterable[Labelled]) -> list[str]:
    lines = ["", "## Recorded devices", "", "| recording | kind | maker | model | |", "| --- | --- | --- | --- | --- |"]
    right: Counter[str] = Counter()
    for each in recorded:
        found, kind = identity(each.sightings), said(each)
        wrong = [] if kind is each.kind else [f"it is {each.kind}"]
        for word, label, got in (("maker", each.maker, found.maker), ("model", each.model, found.model)):
            if label is not None and got != label:
                wrong.append(f"the {word} is {label}")
        right["kind"] += kind is each.kind
        right["whole"] += each.model is not None and not wrong
        lines.append(f"| {each.walk} | {kind} | {found.maker or ''} | {found.model or ''} | {'; '.join(wrong)} |")
    total = len(lines) - 5
    return [*lines, "", f"{right['kind']} of {total} have the right kind; {right['whole']} the right kind, maker and model."]


if __name__ == "__main__":
    (FOLDER / "RESULTS.md").write_text(table(), encoding="utf-8")
