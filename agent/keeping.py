"""Keeping what was measured and decided; and, when the disk is full, putting it at least in front of a reader."""

import click

from agent import deciding
from agent.assessment import Assessment
from agent.session import emit
from netready.survey import Survey
from reports import lines
from store import Store, StoreError


def keep_decisions(store: Store, assessed: Assessment) -> None:
    """Put every wave's decision on record."""
    for decision in assessed.decisions:
        deciding.keep(store, assessed, decision)


def show(taken: Survey, error: StoreError, *, as_json: bool) -> None:
    """Print a survey that could not be kept, and say so."""
    if as_json:
        emit({"survey": taken, "not_kept": str(error)})
    else:
        for line in lines.measurements(taken.measurements):
            click.echo(line)
    click.echo(f"netready: {sentence(error)}; its figures are printed and nowhere else", err=True)


def sentence(error: StoreError) -> str:
    """Why nothing could be judged."""
    return f"{error}: the survey was not kept and nothing was judged"
