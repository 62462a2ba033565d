"""`netready inventory`: the devices on the authorised networks, and how each is known."""

import click

from agent.cli import CANNOT_SAY, shared


@click.group()
def inventory() -> None:
    """The devices on the authorised networks."""


@inventory.command()
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="Only this network; repeat for more.")
@shared
@click.pass_context
def scan(ctx: click.Context, networks: tuple[str, ...], config: str | None, *, as_json: bool) -> None:
    """Look for devices now: by ARP, by listening, and by asking switches and routers. Nothing is kept."""
    from agent.scan import scan_now
    from agent.session import emit
    from reports import lines

    found = scan_now(networks, config)
    if as_json:
        emit(found)
    else:
        for line in lines.devices(found.devices):
            click.echo(line)
        for line in found.not_done:
            click.echo(f"not done: {line}", err=True)
    if not found.devices and found.not_done:
        ctx.exit(CANNOT_SAY)


@inventory.command(name="list")
@click.option("--kind", metavar="KIND", help="Only devices of this kind.")
@shared
def list_(kind: str | None, config: str | None, *, as_json: bool) -> None:
    """The devices of the last survey."""
    from agent.session import begin, emit
    from netready.device import Kind
    from reports import lines
    from store import open_store

    kinds = [each.value for each in Kind]
    if kind is not None and kind not in kinds:
        raise click.UsageError(f"no kind of device is called {kind!r}; expected one of {', '.join(kinds)}")
    session = begin(config)
    with open_store(session.config.path(session.config.store.path)) as store:
        survey = store.last_survey()
    devices = tuple(each for each in (survey.devices if survey else ()) if kind is None or each.kind == kind)
    if as_json:
        emit({"survey": survey.id if survey else None, "devices": devices})
        return
    if survey is None:
        click.echo("No survey has been made yet; `netready audit` makes one.", err=True)
        return
    for line in lines.devices(devices):
        click.echo(line)
