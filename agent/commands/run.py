"""`netready run`: the agent. Surveys on a schedule, the last one on /metrics, everything in the store."""

import signal
import threading
from types import FrameType

import click

from agent.cli import shared


@click.command()
@click.option("--interval", metavar="TIME", help="Between surveys, such as 6h; default the config's survey.interval.")
@click.option("--listen", metavar="ADDR:PORT", help="For /metrics; default the config's exporter.listen.")
@click.option("--surveys", type=click.IntRange(min=1), help="Stop by itself after this many surveys.")
@shared
def run(interval: str | None, listen: str | None, surveys: int | None, config: str | None, *, as_json: bool) -> None:
    """The agent: survey now and on a schedule, and serve the last survey on /metrics until told to stop."""
    from agent import assessment, exporter, schedule
    from agent.clock import SystemClock, system_chance
    from agent.config import ConfigError
    from agent.rounds import Rounds, Unkept
    from agent.session import begin, emit, progress
    from agent.snapshot import State
    from netready.rate import duration
    from netready.survey import Survey

    session = begin(config)
    clock, chance = SystemClock(), system_chance()
    try:
        seconds = duration(interval) if interval else session.config.survey.interval
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--interval") from error
    host, _, port = (listen or session.config.exporter.listen).rpartition(":")
    data = assessment.rules(session.config, now=clock.now())
    stop = threading.Event()
    state = State(interval=seconds)
    rounds = Rounds(session, data, state, clock=clock, chance=chance)

    def publish(taken: Survey | Unkept) -> None:
        if rounds.made + 1 == surveys:
            stop.set()
        rounds.publish(taken)

    def halt(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, halt)
    rounds.resume()  # an unusable database is known before anything is served
    try:
        serving = exporter.serve(state, host.strip("[]"), int(port))
    except OSError as error:
        raise ConfigError(f"exporter.listen: cannot serve on {host}:{port}: {error.strerror}") from error
    with serving as server:
        if as_json:
            emit({"metrics": f"http://{server.address}/metrics", "interval": seconds})
        progress(f"serving http://{server.address}/metrics; a survey every {seconds / 60:.0f} minutes")
        schedule.run(
            rounds.take,
            publish,
            interval=seconds,
            clock=clock,
            chance=chance,
            stop=stop,
            failed=state.survey_failed,
            missed=state.survey_overran,
        )
