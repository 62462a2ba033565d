"""What a command begins with: the config, the instruments, the context; and the one way JSON leaves the program."""

import sys
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import click
import msgspec

from agent import assessment, writing
from agent.clock import SystemClock, system_chance
from agent.config import Config, authority, find, load
from agent.instruments import instruments
from agent.outlook import outlook
from netready.authority import Authority, Refused
from netready.instrument import Context, Instrument
from reports.report import Report
from store import open_store


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A loaded config and the instruments that go with it."""

    config: Config
    instruments: tuple[Instrument, ...]

    def context(self, say: Callable[[str], None]) -> Context:
        """What instruments are handed under this config."""
        return _context(authority(self.config, self.instruments), say)


def begin(option: str | None) -> Session:
    """Load the config (ConfigError when it is missing or unfit)."""
    rows = instruments()
    return Session(config=load(find(option), rows), instruments=rows)


def begin_if_configured(option: str | None) -> Session | None:
    """The same, or None when no config was named and none lies where one is looked for."""
    if option is None and not find(option).exists():
        return None
    return begin(option)


def context_for(session: Session | None, *, hosts: tuple[str, ...] = (), networks: tuple[str, ...] = ()) -> Context:
    """The context for a command that names its own target.

    With a config, the config decides. Without one, the person who types a target vouches for it, except for public
    addresses: those are only ever touched when a config names them.
    """
    if session is not None:
        return session.context(progress)
    for network in networks:
        if ip_network(network, strict=False).is_global:
            raise Refused(f"{network} is public address space and no config authorises it; nothing was sent")
    for host in hosts:
        _refuse_public(host)
    allowed = Authority(
        networks=tuple(ip_network(network) for network in networks),
        hosts=frozenset(host.strip("[]").lower().rstrip(".") for host in hosts),
    )
    return _context(allowed, progress)


def assessed_page(option: str | None, *, wave: str | None) -> Report:
    """What the store holds, judged now and ready for the renderers."""
    session = begin(option)
    now = SystemClock().now()
    data = assessment.rules(session.config, now=now)
    with open_store(session.config.path(session.config.store.path)) as store:
        assessed = assessment.assess(session.config, store, data, now=now)
        ahead = outlook(session.config, store, assessed, now=now)
    return writing.page(session.config, assessed, ahead, wave=wave, now=now)


def progress(text: str) -> None:
    """Say what is being done, on standard error."""
    click.echo(text, err=True)


def emit(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    sys.stdout.buffer.flush()


def host_of(server: str) -> str:
    """The host of "HOST:PORT" or "[ADDRESS]:PORT"."""
    return server.rpartition(":")[0].strip("[]")


def _refuse_public(host: str) -> None:
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        if "." in host and not host.endswith((".test", ".local", ".internal", ".lan", ".localhost")):
            raise Refused(
                f"{host} is a public name and no config names it as a test server or endpoint; nothing was sent"
            ) from None
        return
    if address.is_global:
        raise Refused(f"{host} is a public address and no config names it as a test server or endpoint; nothing was sent")


def _context(allowed: Authority, say: Callable[[str], None]) -> Context:
    return Context(clock=SystemClock(), chance=system_chance(), authority=allowed, say=say)
