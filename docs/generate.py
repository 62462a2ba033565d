"""Write the reference pages from the program itself, or with --check say which of them are stale."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from agent import shelf
from agent.cli import COMMANDS, netready
from agent.config import TABLES
from agent.instruments import instruments
from netready.failure import Failure
from netready.metric import CATALOGUE
from readiness.roadmap import EvidenceKind

FOLDER = Path(__file__).resolve().parent / "reference"
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
    parts = ["# netready.toml\n", NOTE, "Unknown tables and fields are refused. Rates may be written `300M`, times `6h`.\n"]
    shapes = {**TABLES, **{row.config_table: row.settings for row in instruments()}}
    for table, shape in shapes.items():
        parts.append(f"## [{table}]\n\n{_paragraphs(shape.__doc__)}\n")
        parts.append("| field | type | default |\n| --- | --- | --- |")
        parts += [_field(field) for field in msgspec.structs.fields(shape)]
        parts.append("")
    return "\n".join(parts)


def _field(field: msgspec.structs.FieldInfo) -> str:
    default = "required" if field.required else f"`{_default(field)!r}`"
    kind = getattr(field.type, "__origin__", field.type) if hasattr(field.type, "__metadata__") else field.type
    name = getattr(kind, "__name__", None) if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    return f"| `{field.encode_name}` | {_plain(name or str(kind))} | {default.replace('|', chr(92) + '|')} |"


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()  # type: ignore[operator,misc]


def _plain(text: str) -> str:
    for noise in ("typing.", "netready.site.", "datetime.", "msgspec."):
        text = text.replace(noise, "")
    return text.replace("|", "or").split(", Meta(")[0].replace("Annotated[", "")


def _paragraphs(text: str | None) -> str:
    return "\n".join(line.strip() for line in (text or "").splitlines())


def criteria() -> str:
    """All criteria, readable by somebody who is not an engineer."""
    roadmap = shelf.roadmap()
    parts = [
        "# The roadmap's criteria\n",
        NOTE,
        f"{roadmap.title}. {roadmap.source}\n",
        f"Id `{roadmap.id}`, version {roadmap.version}: {len(roadmap.criteria)} criteria, {len(roadmap.dimensions)} rows.\n",
        *(f"- **{stage.name}**: {stage.meaning}" for stage in roadmap.stages),
        "",
    ]
    for dimension in roadmap.dimensions:
        parts.append(f"## {dimension.title}\n\n{dimension.question} ({dimension.domain})\n")
        for criterion in (each for each in roadmap.criteria if each.dimension == dimension.id):
            kinds = ", ".join(kind.value for kind in criterion.evidence)
            checks = "; ".join(f"`{bound.metric}` ({bound.source})" for bound in criterion.bounds)
            person = "a person's word" if criterion.evidence == (EvidenceKind.ATTESTED,) else "not yet"
            parts.append(
                f"### {criterion.id}: {criterion.what}\n\n"
                f"{roadmap.stage_name(criterion.stage)} (placement: {criterion.confidence} confidence)"
                f"{', required' if criterion.required else ''}{', describes a lack' if criterion.deficit else ''}. "
                f"Evidence: {kinds}. Checked by: {checks or person}.\n\n"
                f"- Why: {criterion.why}\n- What shows it: {criterion.wanted}\n- What to do next: {criterion.remedy}\n"
            )
    return "\n".join(parts)


PAGES = {"commands.md": commands, "metrics.md": metrics, "config.md": config, "criteria.md": criteria}


def main() -> None:
    """Write, or check, every page."""
    stale = []
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        path, text = FOLDER / name, make()
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"docs/reference: {', '.join(stale)} no longer say what the program does; `make docs` writes them again")


if __name__ == "__main__":
    main()
