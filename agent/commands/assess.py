"""`netready assess`: judge again what the store holds. Nothing is measured."""

import click

from agent.cli import shared


@click.command()
@click.option("--wave", metavar="NAME", help="The rollout wave the headline is about.")
@shared
def assess(wave: str | None, config: str | None, *, as_json: bool) -> None:
    """Judge what has been measured: stages, verdicts, what comes next."""
    from agent import writing
    from agent.session import assessed_page, emit

    what = assessed_page(config, wave=wave)
    if as_json:
        emit(writing.document(what))
    else:
        click.echo(writing.summary(what))
