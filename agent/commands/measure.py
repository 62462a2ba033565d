"""`netready measure`: one measurement, now, of a target that is named on the command line."""

from typing import Any

import click

from agent.cli import CANNOT_SAY, shared

METHODS = ("ndt7",)


@click.group()
def measure() -> None:
    """Make one measurement.

    Exit status: 0 done, 2 not allowed or not understood, 3 it could not be measured.
    """


@measure.command()
@click.option("--server", metavar="HOST:PORT", required=True, help="The test server.")
@click.option("--method", type=click.Choice(METHODS), default="ndt7", show_default=True)
@click.option("--direction", type=click.Choice(["down", "up", "both"]), default="both", show_default=True)
@click.option("--tls", is_flag=True, help="Encrypt the test; costs processor time.")
@click.option("--seconds", type=click.FloatRange(0.5, 15), default=10, show_default=True, help="Each direction.")
@shared
@click.pass_context
def throughput(
    ctx: click.Context,
    server: str,
    method: str,
    direction: str,
    seconds: float,
    config: str | None,
    *,
    tls: bool,
    as_json: bool,
) -> None:
    """How fast the line is to a test server. It fills the line for as long as it takes."""
    from agent.instruments import method as row_of
    from agent.session import host_of

    table = {"server": server, "direction": direction, "tls": tls, "seconds": seconds}
    _one(ctx, row_of(method), table, (host_of(server),), config, as_json=as_json)


@measure.command()
@click.argument("targets", nargs=-1, required=True)
@click.option("--count", type=click.IntRange(1, 1000), default=20, show_default=True)
@shared
@click.pass_context
def latency(ctx: click.Context, targets: tuple[str, ...], count: int, config: str | None, *, as_json: bool) -> None:
    """Round-trip time, jitter and loss to each TARGET (HOST for ICMP, HOST:PORT for TCP)."""
    hosts = tuple(_host(target) for target in targets)
    _one(ctx, _row("latency"), {"targets": targets, "count": count}, hosts, config, as_json=as_json)


@measure.command()
@click.argument("targets", nargs=-1, required=True)
@click.option("--resolver", "resolvers", multiple=True, metavar="ADDRESS", help="Default: this machine's own.")
@shared
@click.pass_context
def dns(ctx: click.Context, targets: tuple[str, ...], resolvers: tuple[str, ...], config: str | None, *, as_json: bool) -> None:
    """How long a resolver takes to answer for each TARGET name."""
    row = _row("dns_lookup")
    table: dict[str, Any] = {"names": targets, "resolvers": resolvers}
    _one(ctx, row, table, tuple(_host(resolver) for resolver in resolvers), config, as_json=as_json)


@measure.command()
@click.argument("targets", nargs=-1, required=True)
@shared
@click.pass_context
def http(ctx: click.Context, targets: tuple[str, ...], config: str | None, *, as_json: bool) -> None:
    """Fetch each TARGET page once and time every phase; days left on its certificate."""
    from urllib.parse import urlsplit

    hosts = tuple(urlsplit(target).hostname or "" for target in targets)
    endpoints = [{"name": target[:120], "url": target} for target in targets]
    _one(ctx, _row("http_fetch"), {"endpoints": endpoints}, hosts, config, as_json=as_json)


def _row(name: str) -> Any:
    from agent.instruments import instruments

    return next(row for row in instruments() if row.name == name)


def _one(
    ctx: click.Context, row: Any, table: dict[str, Any], hosts: tuple[str, ...], config: str | None, *, as_json: bool
) -> None:
    """Run one instrument against what the command line names, print it, and exit 3 when nothing could be measured."""
    from agent.session import begin_if_configured, context_for, emit, progress
    from agent.survey import read
    from netready.refusal import fit
    from reports import lines

    settings = fit(table, "command line", row.settings)
    context = context_for(begin_if_configured(config), hosts=hosts or row.hosts(settings))
    for host in hosts:
        context.authority.allow_host(host)
    progress(f"{row.name}: {row.does}")
    measurements, _sightings = read(row, settings, context)
    if as_json:
        emit(measurements)
    else:
        for line in lines.measurements(measurements):
            click.echo(line)
    if not any(each.value is not None for each in measurements):
        ctx.exit(CANNOT_SAY)


def _host(target: str) -> str:
    """HOST of "HOST", "HOST:PORT" or "[ADDRESS]:PORT"; a bare IPv6 address has more than one colon."""
    if target.startswith("["):
        return target[1:].partition("]")[0]
    return target.partition(":")[0] if target.count(":") == 1 else target
