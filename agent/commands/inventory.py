"""`netready inventory`: the devices on the authorised networks, and how each is known."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.cli import CANNOT_SAY, shared

if TYPE_CHECKING:
    from netready.survey import Survey
    from reports.inventory import Filter, Inventory


@click.group()
def inventory() -> None:
    """The devices on the authorised networks."""


@inventory.command()
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="Only this network; repeat for more.")
@click.option("--exam", is_flag=True, help="Only listen: nothing is sent.")
@click.option("--evidence", is_flag=True, help="How each device is known, too.")
@shared
@click.pass_context
def scan(
    ctx: click.Context, networks: tuple[str, ...], config: str | None, *, exam: bool, evidence: bool, as_json: bool
) -> None:
    """Look for devices now: ask switches and routers, listen, then sweep what is left. Nothing is kept."""
    from agent.scan import scan_now

    _show(ctx, scan_now(networks, config, exam=exam), evidence=evidence, as_json=as_json)


@inventory.command()
@click.option("--seconds", type=click.FloatRange(0.1, 86_400), help="How long; default [listen] seconds.")
@click.option("--read", "captures", multiple=True, metavar="FILE", help="Read a pcap or pcapng file instead; repeat for more.")
@click.option("--evidence", is_flag=True, help="How each device is known, too.")
@shared
@click.pass_context
def listen(
    ctx: click.Context, seconds: float | None, captures: tuple[str, ...], config: str | None, *, evidence: bool, as_json: bool
) -> None:
    """Listen to what devices say of themselves. Nothing is sent, and nothing is kept."""
    from agent.scan import listen_now

    _show(ctx, listen_now(config, seconds=seconds, captures=captures), evidence=evidence, as_json=as_json)


@inventory.command(name="list")
@click.option("--kind", metavar="KIND", help="Only devices of this kind.")
@click.option("--room", metavar="ROOM", help="Only devices in this room.")
@click.option("--problem", metavar="WORD", help="Only devices with this problem, such as half-duplex.")
@click.option("--evidence", is_flag=True, help="How each device is known, too.")
@click.option("--out", metavar="FILE", help="Write the list as a page (HTML) with filters instead.")
@shared
def list_(
    kind: str | None,
    room: str | None,
    problem: str | None,
    out: str | None,
    config: str | None,
    *,
    evidence: bool,
    as_json: bool,
) -> None:
    """The devices of the last survey. Those that may be a person's stand under pseudonyms."""
    from agent import files
    from agent.clock import SystemClock
    from agent.session import begin, emit
    from netready import __version__
    from reports.inventory import inventory as listed
    from store import open_store

    wanted = _filter(kind, room, problem)
    session = begin(config)
    now = SystemClock().now()
    with open_store(session.config.path(session.config.store.path)) as store:
        survey = store.last_survey()
    if survey is None:
        if as_json:
            emit({"survey": None, "devices": ()})
        else:
            click.echo("No survey has been made yet; `netready audit` makes one.", err=True)
        return
    content = listed(survey, wanted=wanted)
    if out is not None:
        from reports import inventory_page

        site = session.config.site
        page = inventory_page.render(content, site=site.name, zone=site.zone, made_at=now, software=f"netready {__version__}")
        files.replace(Path(out), page.encode())
    if as_json:
        keys = {row.key for row in content.rows}
        emit(
            {
                "survey": survey.id,
                "devices": [device for device in survey.devices if device.key in keys],
                "findings": survey.findings,
                "unseen": survey.unseen,
                "answers": [{"question": question, "answer": answer} for question, answer in survey.answers],
                "page": out,
            }
        )
    elif out is not None:
        click.echo(f"Devices: {Path(out).absolute()}")
    else:
        _print(content, evidence=evidence)


@inventory.command()
@click.argument("before", required=False)
@click.argument("after", required=False)
@shared
@click.pass_context
def diff(ctx: click.Context, before: str | None, after: str | None, config: str | None, *, as_json: bool) -> None:
    """What has changed between two surveys: the last two, or BEFORE and the last, or BEFORE and AFTER (ids of surveys)."""
    from agent.comparing import compared
    from agent.session import begin, emit
    from store import open_store

    session = begin(config)
    with open_store(session.config.path(session.config.store.path)) as store:
        found = compared(store, before, after, zone=session.config.site.zone)
    if found is None:
        click.echo("There are no two surveys to compare yet; `netready audit` makes one.", err=True)
        ctx.exit(CANNOT_SAY)
    if as_json:
        emit(found)
        return
    for line in found.sentences:
        click.echo(line)


@inventory.command(name="import")
@click.argument("file", type=click.Path())
@click.option("--format", "form", metavar="NAME", help="The list's format; else it is recognised by its header.")
@click.option("--drop", is_flag=True, help="Have surveys read this file no more.")
@shared
def import_(file: str, form: str | None, config: str | None, *, drop: bool, as_json: bool) -> None:
    """Check an asset list or a DHCP lease file, and have every survey read it. Only where it lies is kept."""
    from agent.clock import SystemClock
    from agent.session import begin, emit
    from collectors.imports.format import Units
    from collectors.imports.read import read_file
    from store import open_store

    session = begin(config)
    clock = SystemClock()
    path = Path(file).absolute()
    with open_store(session.config.path(session.config.store.path)) as store:
        if drop:
            known = store.drop_list(str(path))
            said = f"{path}: surveys read it no more" if known else f"{path}: no survey has read it"
            emit({"file": str(path), "dropped": known}) if as_json else click.echo(said)
            return
        own = session.config.inventory
        units = Units(student=own.student_units, staff=own.staff_units)
        read = read_file(path, clock=clock, zone=session.config.site.zone, units=units, form=form)
        store.keep_list(str(path), read.form, clock.now())
    seen = len({sighting.facts.get("serial") or sighting.mac or sighting.address for sighting in read.sightings})
    if as_json:
        emit({"file": str(path), "format": read.form, "devices": seen, "notes": read.notes})
        return
    click.echo(f"{path}: {seen:,} devices ({read.form}); the next survey and every later one reads it")
    for note in read.notes:
        click.echo(f"  {note}")


@inventory.command()
@click.option("--format", "form", metavar="NAME", default="csv", show_default=True, help="csv, json, snipe-it or netbox.")
@click.option("--out", metavar="FILE", help="Default: standard output.")
@click.option("--include-clients", is_flag=True, help="Devices that may be a person's too, under their pseudonyms.")
@shared
@click.pass_context
def export(ctx: click.Context, form: str, out: str | None, config: str | None, *, include_clients: bool, as_json: bool) -> None:
    """The last survey's devices for other programs."""
    from agent import files
    from agent.session import begin, emit
    from reports.inventory_exports import EXPORTS
    from store import open_store

    if form not in EXPORTS:
        raise click.UsageError(f"no format is called {form!r}; expected one of {', '.join(EXPORTS)}")
    session = begin(config)
    with open_store(session.config.path(session.config.store.path)) as store:
        survey = store.last_survey()
    if survey is None:
        click.echo("No survey has been made yet; `netready audit` makes one.", err=True)
        ctx.exit(CANNOT_SAY)
    text = EXPORTS[form].render(survey, include_clients=include_clients)
    if out is None:
        sys.stdout.buffer.write(text.encode())
        return
    files.replace(Path(out), text.encode())
    if as_json:
        emit({"file": str(Path(out).absolute()), "format": form})
    else:
        click.echo(f"{form}: {Path(out).absolute()}")


@inventory.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
def forget(config: str | None, *, yes: bool, as_json: bool) -> None:
    """Destroy the keys behind the pseudonyms and forget every device that may be a person's, but for its kind's number."""
    from datetime import UTC, datetime

    from agent.keys import Keys
    from agent.session import begin, emit
    from store import open_store

    session = begin(config)
    if not yes:
        click.confirm("Clients of past surveys can then never be told apart or found again. Destroy the keys?", abort=True)
    destroyed = Keys(session.config.path(session.config.inventory.keys)).destroy()
    with open_store(session.config.path(session.config.store.path)) as store:
        forgotten = store.forget_clients(datetime.max.replace(tzinfo=UTC))
    if as_json:
        emit({"keys_destroyed": destroyed, "devices_forgotten": forgotten})
    else:
        keys = "The keys are destroyed" if destroyed else "There were no keys"
        click.echo(f"{keys}; {forgotten:,} entries of devices that may be a person's are forgotten.")


def _filter(kind: str | None, room: str | None, problem: str | None) -> "Filter":
    from netready.device import Kind
    from netready.finding import Trouble
    from reports.inventory import Filter

    for word, given, known in (("kind of device", kind, Kind), ("problem", problem, Trouble)):
        values = [each.value for each in known]
        if given is not None and given not in values:
            raise click.UsageError(f"no {word} is called {given!r}; expected one of {', '.join(values)}")
    return Filter(kind=Kind(kind) if kind else None, room=room, trouble=Trouble(problem) if problem else None)


def _show(ctx: click.Context, survey: "Survey", *, evidence: bool, as_json: bool) -> None:
    """Print what was seen just now."""
    from agent.session import emit
    from reports.inventory import inventory as listed

    if as_json:
        emit(survey)
    else:
        _print(listed(survey), evidence=evidence)
    if not survey.devices and any(run.skipped or run.error for run in survey.runs):
        ctx.exit(CANNOT_SAY)


def _print(content: "Inventory", *, evidence: bool) -> None:
    import shutil

    from reports import inventory_lines

    for line in inventory_lines.lines(content, width=shutil.get_terminal_size().columns, evidence=evidence):
        click.echo(line)
