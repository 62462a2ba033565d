"""`netready attest`: the criteria that only a person can vouch for."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.cli import shared

if TYPE_CHECKING:
    from datetime import datetime

    from agent.session import Session
    from readiness.roadmap import Roadmap

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def attest() -> None:
    """The criteria that only a person can vouch for."""


@attest.command(name="list")
@click.option("--dimension", metavar="ID", help="Only this dimension.")
@click.option("--open", "only_open", is_flag=True, help="Only those without an answer that counts today.")
@shared
def list_(dimension: str | None, config: str | None, *, only_open: bool, as_json: bool) -> None:
    """The questions, and the answers that stand."""
    from agent import attesting
    from agent.session import emit
    from reports import attestation_lines
    from store import open_store

    session, roadmap, now = _begin(config)
    names = [each.id for each in roadmap.dimensions]
    if dimension is not None and dimension not in names:
        raise click.UsageError(f"no dimension is called {dimension!r}; expected one of {', '.join(names)}")
    with open_store(session.config.path(session.config.store.path)) as store:
        found = attesting.questions(session.config, store, roadmap, now.date())
    found = tuple(
        each
        for each in found
        if (dimension is None or each.criterion.dimension == dimension) and not (only_open and each.counts)
    )
    if as_json:
        emit(found)
        return
    answers = {each.criterion.id: each.answer.attestation for each in found if each.answer is not None}
    replaced = {each.criterion.id: each.history - 1 for each in found}
    for line in attestation_lines.lines(roadmap, [each.criterion for each in found], answers, now.date(), replaced):
        click.echo(line)


@attest.command()
@click.argument("criterion")
@click.option("--answer", type=click.Choice(["yes", "no"]), prompt="Is it so (yes or no)?")
@click.option("--name", prompt="Who vouches (name)?")
@click.option("--role", prompt="In what role?")
@click.option("--until", type=DAY, prompt="Until when does the answer hold (YYYY-MM-DD)?")
@click.option("--on", type=DAY, help="When it was looked at; default today.")
@click.option("--document", default="", help="Title of the document it rests on.")
@click.option("--document-date", type=DAY, help="Its date.")
@click.option("--file", "file", type=click.Path(dir_okay=False), help="The document itself, for its SHA-256.")
@click.option("--kept", default="", help="Where the document is kept.")
@click.option("--note", default="")
@shared
def answer(
    criterion: str,
    answer: str,
    name: str,
    role: str,
    until: "datetime",
    on: "datetime | None",
    document: str,
    document_date: "datetime | None",
    file: str | None,
    kept: str,
    note: str,
    config: str | None,
    *,
    as_json: bool,
) -> None:
    """Vouch for one criterion. The answer is added to the record; older ones stay in it."""
    import csv
    import io

    from agent import attesting
    from agent.session import emit
    from netready.text import safe_cell
    from readiness import attestation_form
    from store import open_store

    session, roadmap, now = _begin(config)
    row = {
        "criterion": criterion,
        "answer": answer,
        "name": name,
        "role": role,
        "on": f"{on.date() if on else now.date()}",
        "until": f"{until.date()}",
        "document": document,
        "document date": f"{document_date.date()}" if document_date else "",
        "sha-256": _digest(Path(file)) if file else "",
        "kept where": kept or (str(Path(file).absolute()) if file else ""),
        "note": note,
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(row))
    writer.writeheader()
    writer.writerow({column: safe_cell(cell) for column, cell in row.items()})
    found = attestation_form.parse(text.getvalue().encode(), "attest answer", roadmap, now.date())
    with open_store(session.config.path(session.config.store.path)) as store:
        new = attesting.keep(store, found, source="prompt", at=now)
    if as_json:
        emit(new)
    else:
        click.echo(f"{criterion}: {answer}, by {name} ({role}), until {until.date()}" if new else f"{criterion}: nothing new")


@attest.command()
@click.option("--out", metavar="FILE", default="attestations.csv", show_default=True, help="- for standard output.")
@shared
def export(out: str, config: str | None, *, as_json: bool) -> None:
    """Write the form: one row a question, with the answers that stand."""
    from agent import attesting, files
    from agent.session import emit
    from readiness import attestation_form
    from store import open_store

    session, roadmap, now = _begin(config)
    with open_store(session.config.path(session.config.store.path)) as store:
        found = attesting.questions(session.config, store, roadmap, now.date())
    answers = {each.criterion.id: each.answer.attestation for each in found if each.answer is not None}
    text = attestation_form.export(roadmap, answers)
    if out == "-":
        click.echo(text, nl=False)
        return
    files.replace(Path(out), b"\xef\xbb\xbf" + text.encode())  # the mark tells spreadsheets that it is UTF-8
    if as_json:
        emit({"form": out, "questions": len(found), "answers": len(answers)})
    else:
        click.echo(
            f"{out}: {len(found)} questions, {len(answers)} with an answer; fill it in, then `netready attest import {out}`"
        )


@attest.command(name="import")
@click.argument("file", type=click.Path(dir_okay=False))
@shared
def import_(file: str, config: str | None, *, as_json: bool) -> None:
    """Read a filled-in form: all its answers, or, when one of them cannot be read, none."""
    from agent import attesting
    from agent.session import emit
    from store import open_store

    session, roadmap, now = _begin(config)
    found, source = attesting.read_form(Path(file), roadmap, now.date())
    with open_store(session.config.path(session.config.store.path)) as store:
        new = attesting.keep(store, found, source=source, at=now)
    if as_json:
        emit({"read": len(found), "new": new})
    else:
        click.echo(f"{file}: {len(found)} answers read, {len(new)} of them new")


def _begin(config: str | None) -> "tuple[Session, Roadmap, datetime]":
    """The session, its roadmap, and now at the site."""
    from agent import shelf
    from agent.clock import SystemClock
    from agent.session import begin

    session = begin(config)
    return session, shelf.roadmap(session.config), SystemClock().now().astimezone(session.config.site.zone)


def _digest(path: Path) -> str:
    import hashlib

    from agent.config import ConfigError

    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
