"""`netready report`: the same judgement in one of the formats."""

import sys
from pathlib import Path

import click

from agent.cli import shared


@click.command()
@click.option("--format", "kind", type=click.Choice(["html", "csv", "fit-gap", "json"]), default="html", show_default=True)
@click.option("--out", metavar="FILE", help="Default: netready-report.FORMAT here; - for standard output.")
@click.option("--wave", metavar="NAME", help="The rollout wave the headline is about.")
@shared
def report(kind: str, out: str | None, wave: str | None, config: str | None, *, as_json: bool) -> None:
    """The same judgement, explained: write one page from what the store holds."""
    from agent import files, writing
    from agent.session import assessed_page, emit
    from reports import RENDERERS

    what = assessed_page(config, wave=wave)
    data = writing.rendered(what, kind)
    if out == "-":
        sys.stdout.buffer.write(data)
        return
    path = Path(out or f"netready-report{RENDERERS[kind].suffix}").absolute()
    files.replace(path, data)
    if as_json:
        emit({"report": str(path), "format": kind, "id": what.report_id})
    else:
        click.echo(f"Report: {path}")
