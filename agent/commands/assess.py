"""`netready assess`: judge again what the store holds. Nothing is measured."""

import click

from agent.cli import shared


@click.command()
@click.option("--wave", metavar="NAME", help="The rollout wave the headline is about.")
@click.option(
    "--what-if", "what_if", metavar="NAME=VALUE,...", help="Suppose numbers, such as contracted=1G,staff=80: what would change."
)
@shared
def assess(wave: str | None, what_if: str | None, config: str | None, *, as_json: bool) -> None:
    """Judge what has been measured: stages, verdicts, what comes next, what is missing and what it would cost."""
    from agent import writing
    from agent.session import assessed_page, emit
    from reports import outlook_lines

    if what_if is not None:
        if wave is not None:
            raise click.UsageError("--what-if answers for every wave; leave --wave out")
        _suppose(what_if, config, as_json=as_json)
        return
    what = assessed_page(config, wave=wave)
    if as_json:
        emit(writing.document(what))
    else:
        click.echo(writing.summary(what))
        click.echo(outlook_lines.render(what), nl=False)


def _suppose(text: str, config: str | None, *, as_json: bool) -> None:
    from agent import assessment
    from agent.clock import SystemClock
    from agent.session import begin, emit
    from agent.supposing import supposed
    from readiness.what_if import parse
    from reports import what_if_lines
    from store import open_store

    changes = parse(text)
    session = begin(config)
    now = SystemClock().now()
    data = assessment.rules(session.config, now=now)
    with open_store(session.config.path(session.config.store.path)) as store:
        found = supposed(session.config, store, data, changes, now=now)
    if as_json:
        emit(found)
    else:
        click.echo("\n".join(what_if_lines.lines(found)))
