"""Writing: the judgement handed to the renderers, and their pages to files, each whole or not at all."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.assessment import Assessment
from agent.config import Config, ConfigError
from agent.files import replace
from netready import __version__
from reports import RENDERERS
from reports.report import Outlook, Report, report
from reports.terminal import summary as terminal_summary

FILES = {"html": "report.html", "json": "audit.json", "csv": "criteria.csv", "fit-gap": "fit-gap.csv"}


def page(config: Config, assessed: Assessment, outlook: Outlook, *, wave: str | None, now: datetime) -> Report:
    """What every renderer is given. `wave` is the headline's wave: the command line's, else the config's, else theirs."""
    asked = wave or config.readiness.wave or None
    names = [each.id for each in assessed.policy.waves]
    if asked is not None and asked not in names:
        raise ConfigError(f"no wave is called {asked!r} in policy {assessed.policy.id}; expected one of {', '.join(names)}")
    return report(
        judgement=assessed.judgement,
        outlook=outlook,
        decisions=assessed.decisions,
        roadmap=assessed.roadmap,
        site=config.site,
        survey=assessed.survey,
        generated_at=now,
        software=f"netready {__version__}",
        wave=asked,
    )


def folder(path: Path) -> Path:
    """Make the report's folder before anything is measured, so that a full disk or a wrong path is known at once."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".netready-write-test"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(f"{path}: cannot write the report there: {error.strerror}") from error
    return path


def write(what: Report, into: Path) -> dict[str, Path]:
    """Render every format into `into`; format to file."""
    written = {}
    for name, file in FILES.items():
        written[name] = (into / file).absolute()
        replace(written[name], rendered(what, name))
    return written


def rendered(what: Report, name: str) -> bytes:
    """One format's bytes."""
    found = RENDERERS[name].render(what)
    return found.encode() if isinstance(found, str) else found


def document(what: Report) -> dict[str, Any]:
    """The judgement, the decisions, what they mean for the school, and the survey, as `--json` prints them."""
    return {"judgement": what.judgement, "decisions": what.decisions, "outlook": what.outlook, "survey": what.survey}


def summary(what: Report) -> str:
    """The page for a terminal."""
    colour = os.isatty(1) and not os.environ.get("NO_COLOR")
    return terminal_summary(what, colour=colour)
