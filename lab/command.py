"""`netready lab`: the virtual school from the command line."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click
import msgspec

from lab import audit as examination
from lab import comparison, stages, staying
from lab.plan import CAMPUS, LabFailed, Plan, Wan, share
from lab.running import Lab, open_lab
from netready import units
from netready.rate import duration, rate

NOT_TRUE, CANNOT_SAY = 1, 3
LATE = 0.5  # of the packets may leave late before an audit's rates are doubted; rates hardly suffer from it
SCHOOLS = {"small": Plan(), "campus": CAMPUS, **{name: stages.plan(name) for name in stages.NAMES}}
LONGEST_STAY = 7 * 86400.0  # s; nobody means a lab to stand longer


def _read_by(parse: Callable[[str], float]) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """An option that one of the project's parsers reads, whose sentence is the error."""

    def callback(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


RATE: dict[str, Any] = {"metavar": "RATE", "callback": _read_by(rate)}
TIME: dict[str, Any] = {"metavar": "TIME", "callback": _read_by(duration)}
SHARE: dict[str, Any] = {"metavar": "SHARE", "callback": _read_by(share)}
_OPTIONS = {"delay": "rtt"}  # fields that the command line calls otherwise
NAME = click.option("--name", default="school", show_default=True, help="Which lab, when several stand.")

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


def shape(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that describe a school and its line."""
    for option in reversed(
        (
            click.option(
                "--school",
                type=click.Choice(sorted(SCHOOLS)),
                help="small: one network with one switch. campus: three VLANs behind a router and two switches. The others are"
                " example schools, one at each stage of the roadmap, with their answers.  [default: small]",
            ),
            click.option("--down", **RATE, help="Line rate towards the school, IP layer.  [default: 100M]"),
            click.option("--up", **RATE, help="Line rate from the school, IP layer.  [default: 20M]"),
            click.option("--rtt", **TIME, help="Round trip over the line.  [default: 10ms]"),
            click.option("--buffer", **TIME, help="Longest wait in the line's queue.  [default: 25ms]"),
            click.option("--loss", **SHARE, help="Share of packets lost at random.  [default: 0]"),
            click.option("--policer", type=int, metavar="BYTES", help="Drop beyond this burst instead of queueing."),
            click.option("--seed", type=int, help="Of the random losses.  [default: 1]"),
            click.option("--students", type=int, help="[default: 480; campus: 180]"),
            click.option("--staff", type=int, help="[default: 40; campus: 24]"),
            click.option("--classrooms", type=int, help="[default: 24; campus: 8]"),
        )
    ):
        command = option(command)
    return command


def _plan(
    *, school: str | None, rtt: float | None, students: int | None, staff: int | None, classrooms: int | None, **line: Any
) -> Plan:
    line["delay"] = None if rtt is None else rtt / 2
    people = {"students": students, "staff": staff, "classrooms": classrooms}
    try:
        base = SCHOOLS[school or "small"]
        given = {name: value for name, value in line.items() if value is not None}
        wan = msgspec.convert(msgspec.to_builtins(base.wan) | given, Wan)
        rest = {name: value for name, value in people.items() if value is not None}
        msgspec.convert(rest, Plan)
        return msgspec.structs.replace(base, wan=wan, **rest)
    except msgspec.ValidationError as error:
        raise click.ClickException(_without_path(str(error))) from error


def _without_path(message: str) -> str:
    """A msgspec message in the words of the command line: "--down: expected `float` <= 1000000000.0"."""
    what, _, where = message.partition(" - at `$.")
    return f"--{_OPTIONS.get(where.rstrip('`'), where.rstrip('`'))}: {what[0].lower()}{what[1:]}" if where else what


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def lab() -> None:
    """The virtual school: a network in namespaces, shaped as you say, gone without a trace when it ends."""


@lab.command()
@NAME
@click.option("--for", "stay", **TIME, default="4h", show_default=True, help="It ends by itself after that long.")
@JSON
@shape
def up(name: str, stay: float, *, as_json: bool, **options: Any) -> int:
    """Build a school and leave it standing in the background."""
    if not name.replace("-", "").isalnum():
        raise click.ClickException(f"--name {name!r}: letters, digits and hyphens only")
    if stay > LONGEST_STAY:
        raise click.ClickException(f"--for: at most {LONGEST_STAY / 86400:.0f} days")
    plan = _plan(**options)
    try:
        state = staying.stay(name, plan, stay)
    except LabFailed as error:
        raise click.ClickException(str(error)) from error
    again = "" if name == "school" else f" --name {name}"
    hosts = staying.attach(state).truth.hosts
    if as_json:
        click.echo(msgspec.json.encode({"name": name, "init": state.init, "seconds": stay, "hosts": len(hosts)}).decode())
        return 0
    click.echo(f"The school stands: {len(hosts)} hosts, {plan.wan.down / 1e6:g} Mbps down, {plan.wan.up / 1e6:g} Mbps up.")
    click.echo(f"  audit it:   netready lab audit{again}")
    click.echo(f"  look in:    netready lab exec{again} agent -- ip address")
    click.echo(f"  end it:     netready lab down{again}    (it ends by itself in {units.seconds(stay)})")
    return 0


@lab.command()
@NAME
@JSON
def down(name: str, *, as_json: bool) -> int:
    """End a school that stands."""
    state = _standing(name)
    try:
        if state is not None:
            staying.end(state)
    except LabFailed as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(msgspec.json.encode({"name": name, "ended": state is not None}).decode())
    else:
        click.echo(f"No lab called {name!r} is up." if state is None else "The school is gone.")
    return 0


@lab.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@NAME
@click.argument("host")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(name: str, host: str, command: tuple[str, ...]) -> int:
    """Run COMMAND on HOST of a school that stands: `netready lab exec agent -- ip address`."""
    state = _standing(name)
    if state is None:
        raise click.ClickException(f"no lab called {name!r} is up; `netready lab up` builds one")
    return staying.attach(state).run(host, command[command[0] == "--" :]).returncode


@lab.command()
@NAME
@click.option("--out", metavar="DIR", default="netready-report", show_default=True, help="Where config and report go.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document; the audit's own words go to standard error.")
@shape
def audit(name: str, out: str, *, as_json: bool, **options: Any) -> int:
    """Audit a school and compare what was found with what is really there.

    Uses the school that stands when no option describes another. Exit status 1 when a figure is wrong.
    """
    state = _standing(name)
    given = any(value is not None for value in options.values())
    if state is not None and given:
        raise click.ClickException(f"the lab {name!r} is up as it is; `netready lab down` it first, or give no other options")
    try:
        with _school(state, options) as school:
            before = school.line()
            found = examination.examine(school, Path(out).absolute(), **_streams(as_json=as_json))
            strained = school.strained(before, school.line(), late=LATE) or ""
    except LabFailed as error:
        raise click.ClickException(str(error)) from error
    if found.report is None:
        click.echo(f"the audit wrote no report (exit status {found.status})", err=True)
        return CANNOT_SAY
    checks = comparison.compare(school.truth, found.report, found.devices)
    right = all(check.right for check in checks) and not strained
    if as_json:
        document = {"right": right, "strained": strained, "checks": checks, "truth": school.truth, "report": found.report}
        click.echo(msgspec.json.encode(document).decode())
    else:
        if school.plan.example:
            click.echo("\n" + stages.table(found.report))
        click.echo("\n" + comparison.table(checks))
        if strained:
            click.echo(strained)
    return 0 if right else NOT_TRUE


def _school(state: staying.State | None, options: dict[str, Any]) -> AbstractContextManager[Lab]:
    return open_lab(_plan(**options)) if state is None else nullcontext(staying.attach(state))


def _streams(*, as_json: bool) -> dict[str, Any]:
    return {"stdout": 2} if as_json else {}


def _standing(name: str) -> staying.State | None:
    try:
        return staying.find(name)
    except LabFailed as error:
        raise click.ClickException(str(error)) from error
