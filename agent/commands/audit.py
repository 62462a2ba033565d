"""`netready audit`: the main job. Say what will be done, do it, keep it, judge it, explain it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.cli import shared

if TYPE_CHECKING:
    from agent.survey import Step


@click.command()
@click.option("--out", metavar="DIR", default="netready-report", show_default=True, help="Where the report goes.")
@click.option("--wave", metavar="NAME", help="The rollout wave the report's headline is about.")
@shared
def audit(out: str, wave: str | None, config: str | None, *, as_json: bool) -> None:
    """Measure, inventory, judge, decide, report: the main job.

    A summary is printed; DIR gets report.html, audit.json and criteria.csv. The config says what may be touched.
    """
    import msgspec

    from agent import assessment, survey, writing
    from agent.capabilities import held
    from agent.clock import SystemClock, system_chance
    from agent.session import begin, emit, progress
    from store import open_store

    session = begin(config)
    clock = SystemClock()
    data = assessment.rules(session.config, now=clock.now())
    rights = held()
    with open_store(session.config.path(session.config.store.path)) as store:
        folder = writing.folder(Path(out))
        for line in describe(survey.plan(session.config, session.instruments, rights)):
            progress(line)
        taken = survey.take(
            session.config, session.instruments, clock=clock, chance=system_chance(), say=progress, rights=rights
        )
        store.add(taken)
        assessed = assessment.assess(session.config, store, data, now=clock.now())
        for decision in assessed.decisions:
            store.add_decision(
                decided_at=decision.decided_at,
                wave=decision.wave,
                answer=decision.answer,
                body=msgspec.json.encode(decision),
            )
    page = writing.page(session.config, assessed, wave=wave, now=clock.now())
    written = writing.write(page, folder)
    if as_json:
        emit({"report": str(written["html"]), **writing.document(page)})
        return
    click.echo(writing.summary(page))
    click.echo(f"\nReport: {written['html']}")


def describe(steps: tuple["Step", ...]) -> list[str]:
    """The plan as a technician reads it: each step, about how long, about how much data, and what is left out."""
    doing = [step for step in steps if step.skipped is None]
    seconds, moved = sum(step.seconds for step in doing), sum(step.bytes for step in doing)
    lines = [f"This survey takes about {_length(seconds)} and moves about {moved / 1e6:,.0f} MB:"]
    for step in doing:
        data = f", {step.bytes / 1e6:,.0f} MB" if step.bytes >= 1e6 else ""
        lines.append(f"  {step.instrument}: {step.does} (about {_length(step.seconds)}{data})")
    lines += [f"  not done: {step.instrument}: {step.skipped}" for step in steps if step.skipped is not None]
    return lines


def _length(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
