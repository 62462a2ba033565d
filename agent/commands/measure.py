"""`netready measure`: one measurement, now, of a target that is named on the command line."""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from agent.cli import CANNOT_SAY, NO, shared

if TYPE_CHECKING:
    from agent.session import Session
    from agent.turn import Terms

METHODS = ("netready", "ndt7", "iperf3", "librespeed", "speedtest")  # as in probes.throughput, which takes time to import


def _pin(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise click.BadParameter(f"{text[:80]!r} is not 64 hexadecimal digits, the SHA-256 of the server's public key")
    return text


def secure(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that may speak TLS to a test server."""
    for option in (
        click.option(
            "--token-file", type=click.Path(exists=True, dir_okay=False), help="Bearer token that the server asks for."
        ),
        click.option(
            "--pin",
            metavar="SHA256",
            callback=_pin,
            help="Hash of the server's public key; another key is a TLS interception.",
        ),
        click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="Authority of the server's certificate (PEM)."),
    ):
        command = option(command)
    return command


@click.group()
def measure() -> None:
    """Make one measurement.

    Exit status: 0 done, 2 not allowed or not understood, 3 it could not be measured.
    """


@measure.command()
@click.option("--server", metavar="HOST:PORT", help="The test server.")
@click.option("--locate", is_flag=True, help="ndt7: let M-Lab choose a server, as the config allows it.")
@click.option("--accept-mlab-policy", is_flag=True, help="M-Lab may publish the test with this network's public address.")
@click.option("--method", type=click.Choice(METHODS), default="netready", show_default=True)
@click.option("--direction", type=click.Choice(["down", "up", "both"]), default="both", show_default=True)
@click.option("--at-least", "at_least", metavar="RATE", help='Only answer whether the line carries RATE ("100M"); little data.')
@click.option("--tls", is_flag=True, help="Encrypt the test; costs processor time.")
@secure
@click.option("--seconds", type=click.FloatRange(0.5, 60), help="Longest time of a direction; default: the method's own.")
@click.option("--streams", type=click.IntRange(1, 16), help="Parallel connections; default: the method's own.")
@click.option("--precision", type=click.FloatRange(0.005, 0.5), default=0.02, show_default=True, help="Half-width wanted.")
@click.option("--congestion", metavar="NAME", help='TCP congestion control of the sender, such as "cubic".')
@click.option("--even-if-busy", is_flag=True, help="Test now, although others use the line or it is quiet hours.")
@shared
@click.pass_context
def throughput(
    ctx: click.Context,
    /,
    server: str | None,
    method: str,
    config: str | None,
    *,
    at_least: str | None,
    even_if_busy: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """How fast the line is to a test server. It fills the line for as long as it takes.

    With a config, a line that others use is left alone, and the bytes count towards its budget.
    With --at-least the exit status is 0 for yes, 1 for no and 3 for "cannot say".
    """
    from agent.instruments import method as row_of
    from agent.session import host_of

    if (server is None) != bool(options["locate"]):
        raise click.UsageError("name the test server with --server HOST:PORT, or with --method ndt7 let --locate choose one")
    if options["locate"] and method != "ndt7":
        raise click.UsageError("--locate finds servers for --method ndt7 only")
    table = {"server": server or "", "methods": [method]} | {key: given for key, given in options.items() if given is not None}
    if at_least is not None:
        table["at_least"] = _rate(at_least)
    hosts = (host_of(server),) if server else ()
    _one(ctx, row_of(method), table, hosts, config, as_json=as_json, even_if_busy=even_if_busy)


@measure.command()
@click.option("--server", metavar="HOST:PORT", required=True, help="The test server: a netready testpoint.")
@click.option("--tls", is_flag=True, help="Ask with TLS, and say whether something on the way ends it.")
@secure
@shared
@click.pass_context
def path(ctx: click.Context, /, server: str, config: str | None, *, as_json: bool, **options: Any) -> None:
    """What is on the way to a test server: packet sizes over IPv4 and IPv6, portals, proxies, TLS inspection."""
    from agent.session import host_of

    table = {"server": server, **{name: given for name, given in options.items() if given is not None}}
    _one(ctx, _row("path"), table, (host_of(server),), config, as_json=as_json)


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


def _rate(text: str) -> float:
    from netready.rate import rate

    try:
        return rate(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at-least") from error


def _row(name: str) -> Any:
    from agent.instruments import instruments

    return next(row for row in instruments() if row.name == name)


def _one(
    ctx: click.Context,
    row: Any,
    table: dict[str, Any],
    hosts: tuple[str, ...],
    config: str | None,
    *,
    as_json: bool,
    even_if_busy: bool = False,
) -> None:
    """Run one instrument against what the command line names, print it, and exit 3 when nothing could be measured."""
    from agent.config import ConfigError
    from agent.session import begin_if_configured, context_for, emit, progress
    from agent.survey import read
    from netready.refusal import fit
    from reports import lines

    settings = fit(table, "command line", row.settings)
    if (reason := row.missing(settings)) is not None:
        raise ConfigError(reason)
    session = begin_if_configured(config)
    context = context_for(session, hosts=hosts or row.hosts(settings))
    for host in hosts:
        context.authority.allow_host(host)
    if "at_least" not in table:  # the target test says itself what it does: it does not fill the line
        progress(f"{row.name}: {row.does}")
    with _terms(session, even_if_busy=even_if_busy) as terms:
        measurements = read(row, settings, context, terms).measurements
    if as_json:
        emit(measurements)
    else:
        for line in lines.measurements(measurements):
            click.echo(line)
    if not any(each.value is not None for each in measurements):
        ctx.exit(CANNOT_SAY)
    answers = [each.value for each in measurements if each.metric.endswith("_reaches")]
    if 0 in answers:
        ctx.exit(NO)
    if None in answers:
        ctx.exit(CANNOT_SAY)


@contextlib.contextmanager
def _terms(session: "Session | None", *, even_if_busy: bool) -> "Iterator[Terms | None]":
    """The config's terms; none without a config. A database that cannot be used stops only who has a budget to keep."""
    from agent.session import progress
    from agent.turn import Terms
    from store import StoreError, open_store

    if session is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        book = None
        try:
            book = stack.enter_context(open_store(session.config.path(session.config.store.path)))
        except StoreError as error:
            if session.config.budget.capped:
                raise
            progress(f"what this moves is not counted: {error}")
        yield Terms(config=session.config, book=book, even_if_busy=even_if_busy)


def _host(target: str) -> str:
    """HOST of "HOST", "HOST:PORT" or "[ADDRESS]:PORT"; a bare IPv6 address has more than one colon."""
    if target.startswith("["):
        return target[1:].partition("]")[0]
    return target.partition(":")[0] if target.count(":") == 1 else target
