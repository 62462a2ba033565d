"""`netready testpoint`: the far end, from the command line."""

import json
import signal
import ssl
import sys
from pathlib import Path
from typing import NoReturn

import click

from netready import __version__
from probes.throughput.settings import Endpoint, endpoint
from testpoint.limits import Limits
from testpoint.server import Server, listen, log_line
from testpoint.token import read_token

DEFAULTS = Limits()
GIGABYTE = 1e9
MINUTE = 60.0


def _refuse(sentence: str) -> NoReturn:
    click.echo(f"netready testpoint: {sentence}", err=True)
    sys.exit(2)


def _where(_context: click.Context, _parameter: click.Parameter, text: str) -> Endpoint:
    try:
        return endpoint(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _context(cert: str | None, key: str | None) -> ssl.SSLContext | None:
    if (cert is None) != (key is None):
        _refuse("--cert and --key belong together")
    if cert is None or key is None:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        tls.load_cert_chain(cert, key)
    except OSError as error:
        _refuse(f"{cert} and {key} are not a certificate and its key ({error})")
    return tls


def _token(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return read_token(path)
    except (OSError, ValueError) as error:
        _refuse(f"--token-file: {error}")


@click.command()
@click.option(
    "--listen", "where", required=True, metavar="ADDR:PORT", callback=_where, help="Where to listen; port 0 picks one."
)
@click.option(
    "--cert",
    type=click.Path(exists=True, dir_okay=False),
    help="Certificate chain (PEM); with it, the port speaks TLS (1.2 or newer) as well as clear text.",
)
@click.option("--key", type=click.Path(exists=True, dir_okay=False), help="Private key of the certificate (PEM).")
@click.option("--tls-only", is_flag=True, help="Refuse clients that do not speak TLS.")
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the bearer token that clients must show (field Authorization, or access_token in the query); "
    "only /healthz is open without.",
)
@click.option("--max-tests", type=click.IntRange(1, 1000), default=DEFAULTS.tests, show_default=True, help="Tests at once.")
@click.option(
    "--max-connections",
    type=click.IntRange(1, 10_000),
    default=DEFAULTS.connections,
    show_default=True,
    help="Connections at once.",
)
@click.option(
    "--client-tests",
    type=click.IntRange(1, 1000),
    default=DEFAULTS.client_tests,
    show_default=True,
    help="Tests at once of one client: an IPv4 address or an IPv6 /64.",
)
@click.option(
    "--client-gigabytes",
    type=click.FloatRange(min=0),
    default=DEFAULTS.client_bytes / GIGABYTE,
    show_default=True,
    help="What one client may move in a day, both ways together; 0 is no limit.",
)
@click.option(
    "--client-minutes",
    type=click.FloatRange(min=0),
    default=DEFAULTS.client_seconds / MINUTE,
    show_default=True,
    help="How long one client may test in a day; 0 is no limit.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, DEFAULTS.hard),
    default=DEFAULTS.runtime,
    show_default=True,
    help="Length of an ndt7 test; other programs expect 10.",
)
@click.option("--metrics-open", is_flag=True, help="Show /metrics to everybody, not to loopback and private addresses only.")
@click.option("--json", "as_json", is_flag=True, help="When ready, print one line of JSON with the address.")
def testpoint(
    *,
    where: Endpoint,
    cert: str | None,
    key: str | None,
    tls_only: bool,
    token_file: Path | None,
    max_tests: int,
    max_connections: int,
    client_tests: int,
    client_gigabytes: float,
    client_minutes: float,
    seconds: float,
    metrics_open: bool,
    as_json: bool,
) -> None:
    """Run the far end of network tests until it is told to stop (Ctrl-C or SIGTERM).

    It answers anybody who can reach ADDR:PORT, unless a token is asked for, sends and takes random bytes, and stores
    nothing. It speaks ndt7, throughput1, LibreSpeed and Speedtest Mini, in clear text and TLS on one port. One line a test
    goes to stderr.

    A client that has used up its day is told 429 and when to come again; its day begins with its first test. Clients are
    told apart by the address that they connect from, so put no proxy before it.
    """
    tls = _context(cert, key)
    if tls_only and tls is None:
        _refuse("--tls-only needs --cert and --key")
    limits = Limits(
        tests=max_tests,
        connections=max_connections,
        runtime=seconds,
        client_tests=client_tests,
        client_bytes=round(client_gigabytes * GIGABYTE),
        client_seconds=client_minutes * MINUTE,
    )
    token = _token(token_file)
    try:
        listener = listen(where, limits.backlog)
    except (OSError, OverflowError) as error:
        _refuse(f"cannot listen on {where} ({error})")
    server = Server(listener, tls=tls, tls_only=tls_only, token=token, metrics_open=metrics_open, limits=limits)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    if as_json:
        click.echo(json.dumps({"listen": str(server.where), "tls": tls is not None, "version": __version__}))
    spoken = "" if tls is None else " with TLS only" if tls_only else " with TLS and without"
    log_line(f"testpoint {__version__} listens on {server.where}{spoken}")
    server.run()
    log_line("testpoint stopped")
