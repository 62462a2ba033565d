"""`netready gate`: the decision for one wave, as a sentence and as an exit status; and the decisions on record."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.cli import CANNOT_SAY, NO, shared

if TYPE_CHECKING:
    from readiness.decision import Decision
    from readiness.record import Kept, Replay


@click.command()
@click.option("--wave", metavar="NAME", help="The rollout wave; default the config's, else the policy's first.")
@click.option("--policy", metavar="FILE", help="Another policy than the config's.")
@click.option("--record", metavar="FILE", help="Also write the decision to FILE, with all it was made from.")
@click.option("--list", "only_list", is_flag=True, help="The decisions on record; nothing is decided.")
@click.option("--replay", metavar="N|FILE", help="Make decision N, or the one in FILE, again and compare the bytes.")
@click.option("--schema", is_flag=True, help="The JSON Schema of what --json prints.")
@shared
@click.pass_context
def gate(
    ctx: click.Context,
    wave: str | None,
    policy: str | None,
    record: str | None,
    replay: str | None,
    config: str | None,
    *,
    only_list: bool,
    schema: bool,
    as_json: bool,
) -> None:
    """The decision for a rollout wave.

    Exit status: 0 open (GO, GO_WITH_CONDITIONS), 1 closed (NO_GO), 3 cannot say (INDETERMINATE); 2, or any other: no decision
    was made, and nothing may open. With --replay: 0 the same bytes, 1 something differs, 3 cannot say.
    """
    from agent.session import emit

    if sum(map(bool, (only_list, replay is not None, schema, wave or policy or record))) > 1:
        raise click.UsageError("--list, --replay and --schema stand alone")
    status = 0
    try:
        if schema:
            from readiness.decision_schema import schema as shape

            emit(shape())
        elif only_list:
            _list(config, as_json=as_json)
        elif replay is not None:
            status = _replay(replay, config, as_json=as_json)
        else:
            status = _decide(wave, policy, record, config, as_json=as_json)
    except OSError as error:  # other commands end well when a pipe is closed; here that would pass for an open gate
        raise click.ClickException(f"the answer could not be handed on, so nothing may open: {error.strerror}") from error
    ctx.exit(status)


def _decide(wave: str | None, policy: str | None, record: str | None, config: str | None, *, as_json: bool) -> int:
    from agent import assessment, deciding
    from agent.clock import SystemClock
    from agent.config import ConfigError
    from agent.session import begin, emit
    from readiness.gate import exit_status
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
        number, decision = deciding.keep(store, assessed, next(each for each in assessed.decisions if each.wave == asked))
    if record is not None:
        deciding.write(Path(record), assessed, decision)
    if as_json:
        emit(decision)
    else:
        click.echo(_shown(decision, number))
    return exit_status(decision.answer)


def _shown(decision: "Decision", number: int) -> str:
    from reports import lines

    said = lines.decision(decision)
    for rule in decision.rules:
        if rule.waivable and rule.outcome == "fail":
            said += ["", f"The risk could be accepted for a time: netready waive {rule.rule}"]
    return "\n".join([*said, "", f"On record as decision {number}; netready gate --replay {number} makes it again."])


def _list(config: str | None, *, as_json: bool) -> None:
    from agent import deciding
    from agent.clock import SystemClock
    from agent.session import begin, emit
    from netready.text import clean
    from store import open_store

    session = begin(config)
    with open_store(session.config.path(session.config.store.path)) as store:
        found = deciding.listed(store, SystemClock().now().astimezone(session.config.site.zone).date())
    if as_json:
        emit(found)
        return
    for each in found:
        until = f"expired on {each.valid_until}, opens no new wave" if each.expired else f"valid until {each.valid_until}"
        kept = "" if each.replayable else "; kept without its inputs"
        click.echo(f"{each.number:>5}  {each.decided_at:%Y-%m-%d %H:%M}  {each.answer:18} {clean(each.wave)}, {until}{kept}")
    if not found:
        click.echo("No decision is on record.")


def _replay(what: str, config: str | None, *, as_json: bool) -> int:
    from agent import deciding, shelf
    from agent.session import begin_if_configured, emit
    from readiness.record import Sameness

    kept, name = _kept(what, config)
    session = begin_if_configured(config)
    found = deciding.again(kept, name, shelf.roadmap(session.config if session else None))
    if as_json:
        emit(found)
    else:
        click.echo(_said(name, found))
    return {Sameness.SAME: 0, Sameness.DIFFERS: NO, Sameness.CANNOT_SAY: CANNOT_SAY}[found.outcome]


def _kept(what: str, config: str | None) -> "tuple[Kept, str]":
    """The decision that is meant, with what is there of its inputs, and what to call it."""
    from agent import deciding
    from agent.session import begin
    from store import open_store

    number = int(what) if what.isdecimal() and len(what) < 19 else None
    kept = None if number is not None else deciding.from_file(Path(what))
    if kept is not None and kept.inputs:
        return kept, what
    session = begin(config)
    with open_store(session.config.path(session.config.store.path)) as store:
        decision = bytes(kept.decision) if kept is not None else deciding.numbered(store, number or 0)
        name = what if kept is not None else f"decision {number}"
        return deciding.complete(store, decision, name), name


def _said(name: str, found: "Replay") -> str:
    about = f"{name} ({found.answer}, {found.wave}, {found.decided_at:%Y-%m-%d %H:%M})"
    head = {
        "same": f"The same {found.size:,} bytes: {about} was made again from what it was made from then.",
        "differs": f"Not the same: {about} does not follow from what is kept of it.",
        "cannot say": f"Cannot say: {about} cannot be made again.",
    }[found.outcome]
    return "\n".join([head, *(f"  - {text}" for text in (*found.differs, *found.notes))])
