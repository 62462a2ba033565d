"""Write the reference pages from the program itself, or with --check say which of them are stale."""

import sys
from collections.abc import Iterator
from inspect import cleandoc as inspect_doc
from pathlib import Path

import click
import criteria
import gate_page
import methodology
import msgspec
from msgspec import inspect

from agent.cli import COMMANDS, netready
from agent.config import TABLES
from agent.instruments import instruments
from netready.failure import Failure
from netready.metric import CATALOGUE
from readiness.decision_schema import schema
from readiness.evidence import Attestation
from readiness.waiver import Waiver

FOLDER = Path(__file__).resolve().parent
NOTE = "<!-- Written by `make docs` from the program itself; edit the program, not this page. -->\n"


def commands() -> str:
    """Every command with its help, as the program prints it."""
    parts = ["# Commands\n", NOTE, "Every command takes `--config FILE` and `--json`.\n"]
    context = click.Context(netready, info_name="netready")
    for name in COMMANDS:
        found = netready.get_command(context, name)
        assert found is not None  # noqa: S101 - the table's own row
        parts += [*_command(found, f"netready {name}")]
    return "\n".join(parts)


def _command(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, max_content_width=100)
    yield f"## {path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _command(command.commands[name], f"{path} {name}")


def metrics() -> str:
    """The metric catalogue and the failure words."""
    rows = ["# Metrics\n", NOTE, "| metric | unit | better | what it is |\n| --- | --- | --- | --- |"]
    rows += [
        f"| `{m.name}` | {m.unit.value} | {m.better.value} | {m.help}{' (derived)' if m.derived else ''} |"
        for m in CATALOGUE.values()
    ]
    rows += ["\n## Failure words\n", "A measurement without a value carries one of these words, and no other:\n"]
    rows.append(", ".join(f"`{word.value}`" for word in Failure) + ".\n")
    rows += ["## Instruments\n", "| instrument | method | what it does | metrics |\n| --- | --- | --- | --- |"]
    rows += [
        f"| {row.name} | `{row.method}` | {row.does} | {', '.join(f'`{name}`' for name in row.metrics) or 'devices'} |"
        for row in instruments()
    ]
    return "\n".join(rows) + "\n"


def config() -> str:
    """Every table and field of netready.toml with type and default."""
    parts = [
        "# netready.toml\n",
        NOTE,
        "Unknown tables and fields are refused. Rates may be written `300M`, times `6h`, amounts of data `5G`.\n",
    ]
    shapes = {**TABLES, **{row.config_table: row.settings for row in instruments()}}
    for table, shape in shapes.items():
        parts += _table(f"[{table}]", table, inspect.type_info(shape))
    parts.append(
        "# The files that [readiness] names\n\nA school's own roadmap, standards and policy have the form of the shipped ones"
        " in `readiness/data/`. What people vouch for, and the risks they accept, are lists of tables:\n"
    )
    parts += _table("[[attestations]]", "attestations", inspect.type_info(Attestation))
    parts += _table("[[waivers]]", "waivers", inspect.type_info(Waiver))
    return "\n".join(parts)


def _table(title: str, path: str, shape: inspect.Type) -> Iterator[str]:
    """One table, then the tables inside it."""
    if not isinstance(shape, inspect.StructType):
        raise TypeError(title)
    yield f"## {title}\n\n{_lines(shape.cls.__doc__)}\n\n| field | type | default |\n| --- | --- | --- |"
    inner = []
    for field in shape.fields:
        yield f"| `{field.encode_name}` | {_words(field.type)} | {_default(field)} |"
        item = field.type.item_type if isinstance(field.type, inspect.VarTupleType) else field.type
        if isinstance(item, inspect.StructType):
            many = isinstance(field.type, inspect.VarTupleType)
            name = f"{path}.{field.encode_name}"
            inner.append((f"[[{name}]]" if many else f"[{name}]", name, item))
    yield ""
    for title_inside, name, item in inner:
        yield from _table(title_inside, name, item)


def _words(kind: inspect.Type) -> str:
    """A field's type in words, with its limits."""
    match kind:
        case inspect.Metadata():
            return _words(kind.type)
        case inspect.UnionType():
            return " or ".join(_words(each) for each in kind.types if not isinstance(each, inspect.NoneType))
        case inspect.VarTupleType():
            return f"list of {_words(kind.item_type)}"
        case inspect.EnumType():
            return "one of " + ", ".join(f"`{member.value}`" for member in kind.cls)
        case inspect.StructType():
            return "table"
        case inspect.DictType():
            return "table of text"
        case inspect.IntType() | inspect.FloatType():
            limits = [
                f"{sign} {limit:,}" for sign, limit in ((">", kind.gt), ("≥", kind.ge), ("≤", kind.le)) if limit is not None
            ]
            return " ".join(["whole number" if isinstance(kind, inspect.IntType) else "number", *limits])
        case inspect.StrType():
            return "text"
        case inspect.BoolType():
            return "true or false"
        case _:
            return type(kind).__name__.removesuffix("Type").lower()


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value in (None, "", (), {}):
        return "none"
    if isinstance(value, msgspec.Struct):
        return "as below"
    return f"`{msgspec.json.encode(value).decode()}`"


def _lines(text: str | None) -> str:
    """A docstring as Markdown: its tables of names keep their columns."""
    head, _, rest = inspect_doc(text or "").partition("\n\n")
    return f"{head}\n\n```text\n{rest}\n```" if rest else head


PAGES = {
    "methodology.md": lambda: methodology.page(NOTE),
    "reference/commands.md": commands,
    "reference/metrics.md": metrics,
    "reference/config.md": config,
    "reference/criteria.md": lambda: criteria.page(NOTE),
    "reference/gate.md": lambda: gate_page.page(NOTE),
    "reference/decision.schema.json": lambda: msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n",
}


def main() -> None:
    """Write, or check, every page."""
    stale = []
    (FOLDER / "reference").mkdir(exist_ok=True)
    for name, make in PAGES.items():
        path, text = FOLDER / name, make()
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"docs: {', '.join(stale)} no longer say what the program does; `make docs` writes them again")


if __name__ == "__main__":
    main()
