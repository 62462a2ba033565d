"""`netready forecast`: demand in the next years, in bands, against the contract and the standards."""

import click

from agent.cli import CANNOT_SAY, shared


@click.command()
@click.option("--years", type=click.IntRange(1, 10), default=5, show_default=True, help="How many years ahead.")
@shared
@click.pass_context
def forecast(ctx: click.Context, years: int, config: str | None, *, as_json: bool) -> None:
    """Demand in the next years, in bands, against contract and standards. What the school plans stands in [forecast]."""
    from agent.clock import SystemClock
    from agent.forecasting import made
    from agent.session import begin, emit
    from readiness.forecast import Forecast
    from reports import forecast_lines
    from store import open_store

    session = begin(config)
    with open_store(session.config.path(session.config.store.path)) as store:
        found = made(session.config, store, years=years, now=SystemClock().now())
    if as_json:
        emit(found if isinstance(found, Forecast) else {"forecast": None, "reason": found.how})
    elif isinstance(found, Forecast):
        click.echo("\n".join(forecast_lines.lines(found)))
    else:
        click.echo(f"Cannot say: how much of the line is used at the busiest minutes is not known: {found.how}.")
    if not isinstance(found, Forecast):
        ctx.exit(CANNOT_SAY)
