"""`netready testpoint`: the far end, from the command line."""

import json
import signal
import ssl
import sys
from typing import NoReturn

import click

from netready import __version__
from probes.throughput.settings import Endpoint, endpoint
from testpoint.limits import Limits
from testpoint.server import Server, listen, log_line

DEFAULTS = Limits()


def _refuse(sentence: str) -> NoReturn:
    click.echo(f"netready testpoint: {sentence}", err=True)
    sys.exit(2)


def _where(_context: click.Context, _parameter: click.Parameter, text: str) -> Endpoint:
    try:
        return endpoint(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option(
    "--listen", "where", required=True, metavar="ADDR:PORT", callback=_where, help="Where to listen; port 0 picks one."
)
@click.option("--cert", type=click.Path(exists=True, dir_okay=False), help="Certificate chain (PEM); with it, TLS is spoken.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False), help="Private key of the certificate (PEM).")
@click.option("--max-tests", type=click.IntRange(1, 1000), default=DEFAULTS.tests, show_default=True, help="Tests at once.")
@click.option(
    "--max-connections",
    type=click.IntRange(1, 10_000),
    default=DEFAULTS.connections,
    show_default=True,
    help="Connections at once.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, DEFAULTS.hard),
    default=DEFAULTS.runtime,
    show_default=True,
    help="Length of a test; other programs expect 10.",
)
@click.option("--json", "as_json", is_flag=True, help="When ready, print one line of JSON with the address.")
def testpoint(
    *, where: Endpoint, cert: str | None, key: str | None, max_tests: int, max_connections: int, seconds: float, as_json: bool
) -> None:
    """Run the far end of network tests until it is told to stop (Ctrl-C or SIGTERM).

    It answers anybody who can reach ADDR:PORT, sends and takes random bytes, and stores nothing. One line a test goes to
    stderr.
    """
    if (cert is None) != (key is None):
        _refuse("--cert and --key belong together")
    tls = None
    if cert and key:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            tls.load_cert_chain(cert, key)
        except OSError as error:
            _refuse(f"{cert} and {key} are not a certificate and its key ({error})")
    limits = Limits(tests=max_tests, connections=max_connections, runtime=seconds)
    try:
        listener = listen(where, limits.backlog)
    except (OSError, OverflowError) as error:
        _refuse(f"cannot listen on {where} ({error})")
    server = Server(listener, tls=tls, limits=limits)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    if as_json:
        click.echo(json.dumps({"listen": str(server.where), "tls": tls is not None, "version": __version__}))
    log_line(f"testpoint {__version__} listens on {server.where}{' with TLS' if tls else ''}")
    server.run()
    log_line("testpoint stopped")
