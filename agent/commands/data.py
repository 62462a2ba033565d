"""`netready roadmap|standards|metrics`: the data that judgements rest on."""

import click

from agent.cli import shared


@click.command()
@click.option("--dimension", metavar="ID", help="Only this dimension.")
@shared
def roadmap(dimension: str | None, config: str | None, *, as_json: bool) -> None:
    """The criteria that judgements rest on, by dimension and stage."""
    from agent import shelf
    from agent.session import begin_if_configured, emit

    session = begin_if_configured(config)
    found = shelf.roadmap(session.config if session else None)
    names = [each.id for each in found.dimensions]
    if dimension is not None and dimension not in names:
        raise click.UsageError(f"no dimension is called {dimension!r}; expected one of {', '.join(names)}")
    if as_json:
        emit(found)
        return
    click.echo(f"{found.title}: {found.id} {found.version}, SHA-256 {found.digest[:16]}…")
    for each in found.dimensions:
        if dimension is not None and each.id != dimension:
            continue
        click.echo(f"\n{each.title} ({each.id}): {each.question}")
        for criterion in (c for c in found.criteria if c.dimension == each.id):
            kinds = "+".join(kind.value for kind in criterion.evidence)
            click.echo(f"  {criterion.id:8} {found.stage_name(criterion.stage):13} {criterion.what} [{kinds}]")


@click.command()
@shared
def standards(config: str | None, *, as_json: bool) -> None:
    """The bandwidth standards, and how this site compares with each."""
    from agent import shelf
    from agent.session import assessed_page, begin_if_configured, emit
    from readiness.standards import compare
    from reports import lines, wording

    session = begin_if_configured(config)
    found = shelf.standards(session.config if session else None)
    if session is None:
        if as_json:
            emit(found)
        else:
            click.echo("\n".join(lines.standards(found.standards)))
        return
    page = assessed_page(config, wave=None)
    compared = compare(session.config.site, page.judgement.down, page.judgement.up, found)
    chosen = [each.standard for each in page.outlook.standards]
    if as_json:
        emit({"standards": found, "chosen": chosen, "comparison": compared, "users": page.outlook.users})
        return
    for text in page.outlook.users.said if page.outlook.users else ():
        click.echo(wording.sentence(text))
    click.echo("\nThe roadmap's two thresholds, and the standard that the config chose (readiness.standard)")
    click.echo("\n".join(lines.comparisons(each for each in compared if each.standard in chosen)))
    click.echo("\nAll others")
    click.echo("\n".join(lines.comparisons(each for each in compared if each.standard not in chosen)))


@click.command()
@shared
def metrics(config: str | None, *, as_json: bool) -> None:  # noqa: ARG001 - every command takes --config
    """The catalogue of metrics and their units."""
    from agent.session import emit
    from netready.metric import CATALOGUE

    if as_json:
        emit(tuple(CATALOGUE.values()))
        return
    for row in CATALOGUE.values():
        click.echo(f"{row.name:30} {row.unit.value:6} {row.help}{' (derived)' if row.derived else ''}")
