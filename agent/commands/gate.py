"""`netready gate`: the decision for one wave, as a sentence and as an exit status."""

import click

from agent.cli import shared


@click.command()
@click.option("--wave", metavar="NAME", help="The rollout wave; default the config's, else the policy's first.")
@click.option("--policy", metavar="FILE", help="Another policy than the config's.")
@shared
@click.pass_context
def gate(ctx: click.Context, wave: str | None, policy: str | None, config: str | None, *, as_json: bool) -> None:
    """The decision for a rollout wave.

    Exit status: 0 open (GO, GO_WITH_CONDITIONS), 1 closed (NO_GO), 3 cannot say (INDETERMINATE).
    """
    import msgspec

    from agent import assessment
    from agent.clock import SystemClock
    from agent.config import ConfigError
    from agent.session import begin, emit
    from readiness.gate import exit_status
    from reports import lines
    from store import open_store

    session = begin(config)
    now = SystemClock().now()
    data = assessment.rules(session.config, now=now, policy=policy)
    asked = wave or session.config.readiness.wave or data.policy.waves[0].id
    names = [each.id for each in data.policy.waves]
    if asked not in names:
        msg = f"no wave is called {asked!r} in policy {data.policy.id}; expected one of {', '.join(names)}"
        raise ConfigError(msg)
    with open_store(session.config.path(session.config.store.path)) as store:
        assessed = assessment.assess(session.config, store, data, now=now)
        decision = next(each for each in assessed.decisions if each.wave == asked)
        store.add_decision(
            decided_at=decision.decided_at, wave=decision.wave, answer=decision.answer, body=msgspec.json.encode(decision)
        )
    if as_json:
        emit(decision)
    else:
        click.echo("\n".join(lines.decision(decision)))
    ctx.exit(exit_status(decision.answer))
