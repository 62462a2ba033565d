"""`netready audit`: the main job. Say what will be done, do it, keep it, judge it, explain it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.cli import CANNOT_SAY, shared

if TYPE_CHECKING:
    from agent.survey import Step


@click.command()
@click.option("--out", metavar="DIR", default="netready-report", show_default=True, help="Where the report goes.")
@click.option("--wave", metavar="NAME", help="The rollout wave the report's headline is about.")
@click.option("--even-if-busy", is_flag=True, help="Test now, although others use the line or it is quiet hours.")
@click.option("--exam", is_flag=True, help="Only listen: nothing is sent. So it is on survey.exam_days, too.")
@shared
@click.pass_context
def audit(
    ctx: click.Context, out: str, wave: str | None, config: str | None, *, even_if_busy: bool, exam: bool, as_json: bool
) -> None:
    """Measure, inventory, judge, decide, report: the main job.

    A summary is printed; DIR gets report.html, audit.json, criteria.csv and fit-gap.csv. The config says what may be touched.
    """
    from agent import assessment, budget, counting, survey, writing
    from agent.capabilities import held
    from agent.clock import SystemClock, system_chance
    from agent.config import ConfigError
    from agent.keeping import keep_decisions, show
    from agent.outlook import outlook
    from agent.session import begin, emit, progress
    from agent.turn import Terms
    from store import StoreError, open_store

    session = begin(config)
    clock = SystemClock()
    data = assessment.rules(session.config, now=clock.now())
    rights = held()
    with open_store(session.config.path(session.config.store.path)) as store:
        folder = writing.folder(Path(out))
        left = budget.left(session.config.budget, session.config.site, store, clock.now())
        exam = exam or survey.exam_on(session.config, clock.now())
        steps = survey.plan(
            session.config,
            session.instruments,
            rights,
            left=left,
            now=None if even_if_busy else clock.now(),
            exam=exam,
        )
        for line in describe(steps, left.sentence):
            progress(line)
        taken = survey.take(
            session.config,
            session.instruments,
            clock=clock,
            chance=system_chance(),
            say=progress,
            rights=rights,
            terms=Terms(config=session.config, book=store, even_if_busy=even_if_busy),
            exam=exam,
            own=counting.lists(session.config, store.lists(), clock),
            before=counting.past(session.config, store, clock.now()),
            cover=counting.veil(session.config, clock.now()),
        )
        try:
            store.add(taken)
            counting.forget(session.config, store, clock.now())
        except StoreError as error:
            show(taken, error, as_json=as_json)
            ctx.exit(CANNOT_SAY)
        assessed = assessment.assess(session.config, store, data, now=clock.now())
        ahead = outlook(session.config, store, assessed, now=clock.now())
        trouble: StoreError | ConfigError | None = None  # it does not keep the answer from being printed
        try:
            keep_decisions(store, assessed)
        except StoreError as error:
            trouble = error
    page = writing.page(session.config, assessed, ahead, wave=wave, now=clock.now())
    written: dict[str, Path] = {}
    try:
        written = writing.write(page, folder)
    except ConfigError as error:
        trouble = trouble or error
    if as_json:
        emit({"report": str(written["html"]) if written else None, **writing.document(page)})
    else:
        click.echo(writing.summary(page))
        if written:
            click.echo(f"\nReport: {written['html']}")
    if trouble is not None:
        raise trouble


def describe(steps: tuple["Step", ...], left: str = "") -> list[str]:
    """The plan as a technician reads it: each step, about how long, about how much data, and what is left out.

    `left` is what the data budget has left before the survey, in words; empty without a cap.
    """
    doing = [step for step in steps if step.skipped is None]
    seconds, moved = sum(step.seconds for step in doing), sum(step.bytes for step in doing)
    lines = [f"This survey takes about {_length(seconds)} and moves about {moved / 1e6:,.0f} MB:"]
    if left:
        lines.append(f"  data budget: {left} left before it")
    for step in doing:
        data = f", {step.bytes / 1e6:,.0f} MB" if step.bytes >= 1e6 else ""
        lines.append(f"  {step.instrument}: {step.does} (about {_length(step.seconds)}{data})")
    lines += [f"  not done: {step.instrument}: {step.skipped}" for step in steps if step.skipped is not None]
    return lines


def _length(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
