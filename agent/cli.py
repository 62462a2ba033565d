"""The command line: a table of commands, loaded one at a time, and one place that turns errors into a sentence.

`netready --help` must stay instant, so the table holds strings; it is also how commands of rooms beside this one (the
test server, the virtual school) are reached without importing them.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import click

from netready import __version__

NO = 1  # the answer is no
USAGE = 2  # usage or configuration: nothing was done
CANNOT_SAY = 3  # INDETERMINATE, or a measurement could not be made
REFUSALS = frozenset({"ConfigError", "Refused", "StoreError", "Unfit"})

# name -> (where it lives, what it does)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("agent.commands.init:init", "Ask what must be known about the site and write netready.toml."),
    "doctor": ("agent.commands.doctor:doctor", "What this machine may and may not measure, and how to allow the rest."),
    "audit": ("agent.commands.audit:audit", "The main job: measure, inventory, judge, decide, report."),
    "measure": ("agent.commands.measure:measure", "Make one measurement."),
    "inventory": ("agent.commands.inventory:inventory", "The devices on the authorised networks."),
    "attest": ("agent.commands.attest:attest", "The criteria that only a person can vouch for."),
    "assess": ("agent.commands.assess:assess", "Judge what has been measured: stages, verdicts, what comes next."),
    "forecast": ("agent.commands.forecast:forecast", "Demand in the next years, against contract and standards."),
    "gate": ("agent.commands.gate:gate", "The decision for a rollout wave."),
    "waive": ("agent.commands.waive:waive", "Accept a risk, on the record, until a date."),
    "report": ("agent.commands.report:report", "The same judgement, explained."),
    "run": ("agent.commands.run:run", "The agent: survey on a schedule and serve /metrics."),
    "testpoint": ("testpoint.command:testpoint", "The far end for throughput tests."),
    "lab": ("lab.command:lab", "The virtual school."),
    "roadmap": ("agent.commands.data:roadmap", "The criteria that judgements rest on."),
    "standards": ("agent.commands.data:standards", "The bandwidth standards, and how this site compares with them."),
    "metrics": ("agent.commands.data:metrics", "The catalogue of metrics and their units."),
}


class Table(click.Group):
    """A group whose commands are rows of a table and are imported when called."""

    def __init__(self, *args: Any, rows: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.rows)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.rows:
            return None
        module, _, attribute = self.rows[name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            msg = f"{module}:{attribute} is not a command"
            raise TypeError(msg)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, does) for name, (_where, does) in self.rows.items()])


@click.command(cls=Table, rows=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="netready")
@click.option("--config", metavar="FILE", help="The config; default ./netready.toml, else the system's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output, and nothing else there.")
@click.pass_context
def netready(ctx: click.Context, config: str | None, *, as_json: bool) -> None:
    """Is this school's network ready? Measures, counts, judges, and gates the rollout.

    Exit status: 0 done (for gate: open); 1 the answer is no; 2 usage or configuration; 3 cannot say.
    """
    ctx.obj = {"config": config, "as_json": as_json}


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """--config and --json, which every command takes, before or after its name."""

    def inherit(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
        def callback(ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
            return value or (ctx.find_object(dict) or {}).get(name) or value

        return callback

    command = click.option("--json", "as_json", is_flag=True, callback=inherit("as_json"), help="One JSON document.")(command)
    return click.option("--config", metavar="FILE", callback=inherit("config"), help="The config file.")(command)


def main() -> None:
    """The entry point: errors that are somebody's to mend become one sentence and exit status 2."""
    try:
        status = netready.main(standalone_mode=False, prog_name="netready")
    except click.exceptions.Abort:
        click.echo("interrupted; nothing was kept", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except KeyboardInterrupt:
        click.echo("interrupted; nothing was kept", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away, as `netready roadmap | head` does
        sys.exit(0)
    except Exception as error:
        if not _is_refusal(error):
            raise
        _complain(error)
    sys.exit(status if isinstance(status, int) else 0)


def _is_refusal(error: Exception) -> bool:
    """Whether this is advice to the user. Recognised by name, so that `--help` loads none of the rooms that raise them."""
    return not REFUSALS.isdisjoint(cls.__name__ for cls in type(error).__mro__)


def _complain(error: Exception) -> None:
    click.echo(f"netready: {error}", err=True)
    sys.exit(USAGE)
