"""`netready doctor`: what this machine may and may not measure, and the one line that would allow each missing thing."""

import click
import msgspec

from agent.cli import shared


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: fine or not, what was found, and what to do when it is not fine."""

    name: str
    ok: bool
    found: str
    advice: str = ""


@click.command()
@shared
def doctor(config: str | None, *, as_json: bool) -> None:
    """What this machine may and may not measure, and how to allow the rest. No packet is sent."""
    from agent.session import emit

    checks = (_program(), *_rights(), _namespaces(), _config(config))
    if as_json:
        emit({"checks": checks})
        return
    for check in checks:
        click.echo(f"{'ok  ' if check.ok else 'no  '} {check.name}: {check.found}")
        if not check.ok and check.advice:
            click.echo(f"       to allow it: {check.advice}")


def _program() -> Check:
    import platform

    from netready import __version__

    return Check(name="program", ok=True, found=f"netready {__version__} on Python {platform.python_version()}")


def _rights() -> tuple[Check, ...]:
    from agent.capabilities import rights

    return tuple(
        Check(
            name=right.capability.value,
            ok=right.have,
            found=f"{'allowed' if right.have else 'not allowed'}; {right.needed_for}",
            advice=right.how,
        )
        for right in rights()
    )


def _namespaces() -> Check:
    import shutil

    have = shutil.which("ip") is not None
    return Check(
        name="virtual-school",
        ok=have,
        found="iproute2 is installed; `netready lab` can build its networks" if have else "`ip` is not installed",
        advice="sudo apt install iproute2",
    )


def _config(option: str | None) -> Check:
    from agent.config import ConfigError, find, load
    from agent.instruments import instruments
    from netready.refusal import Unfit

    path = find(option)
    try:
        config = load(path, instruments())
    except (ConfigError, Unfit) as error:
        return Check(name="config", ok=False, found=str(error), advice="netready init")
    networks = ", ".join(config.site.networks) or "none"
    found = (f"{path}: {config.site.name}", f"authorised networks: {networks}", *config.users_from())
    return Check(name="config", ok=True, found="; ".join(found))
