"""`netready init`: ask what only the school can know, and write a commented netready.toml that the program accepts."""

from pathlib import Path
from typing import Any

import click

from agent.cli import shared


@click.command()
@click.option("--answers", metavar="FILE", help="A TOML file with the answers; nothing is asked.")
@click.option("--force", is_flag=True, help="Replace a config that is already there.")
@shared
def init(answers: str | None, config: str | None, *, force: bool, as_json: bool) -> None:
    """Ask what must be known about the site and write a commented netready.toml."""
    from agent.config import DEFAULT_NAME, ConfigError, load
    from agent.files import replace
    from agent.instruments import instruments
    from agent.questions import QUESTIONS, ask, read_answers, write_config
    from agent.session import emit
    from netready.refusal import Unfit

    path = Path(config or DEFAULT_NAME)
    if path.exists() and not force:
        raise ConfigError(f"{path}: there is a config already; --force replaces it, --config names another file")
    given: dict[str, Any] = read_answers(Path(answers)) if answers else ask(QUESTIONS, _prompt)
    text = write_config(given)
    draft = path.with_name(f".{path.name}.draft")
    replace(draft, text.encode())
    try:
        load(draft, instruments())
    except (ConfigError, Unfit) as error:
        raise ConfigError(str(error).replace(str(draft), answers or "answers", 1)) from error
    finally:
        draft.unlink(missing_ok=True)
    replace(path, text.encode())
    if as_json:
        emit({"config": str(path.absolute())})
    else:
        click.echo(f"Wrote {path}. Look it through, then: netready doctor, netready audit", err=True)


def _prompt(question: str, default: str, check: Any) -> str:
    while True:
        text = str(click.prompt(question, default=default, show_default=bool(default), err=True)).strip()
        try:
            check(text)
        except ValueError as error:
            click.echo(f"  {error}", err=True)
            continue
        return text
