"""The report on a terminal: verdict, number, what is missing, next steps. The order of the first page, in 80 columns."""

import textwrap

from netready.text import clean
from readiness.gate import Answer
from readiness.judgement import Line
from readiness.line import TOWARDS
from reports import dates, units, wording
from reports.headline import Headline, headline
from reports.report import Report

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
# Colour only repeats what the words say. SGR 32 green, 33 yellow, 31 red, 36 cyan.
_COLOURS = {Answer.GO: "32", Answer.GO_WITH_CONDITIONS: "33", Answer.NO_GO: "31", Answer.INDETERMINATE: "36"}

_LABEL = 10  # columns of the left margin that names a part
_TEXT = 400  # characters of one sentence


def summary(report: Report, width: int = 80, *, colour: bool = False) -> str:
    """A page of text, at most `width` columns wide, without control characters unless `colour` asks for them."""
    head = headline(report)
    blocks = [
        _title(report, width),
        _verdict(head, width, colour=colour),
        _numbers(report, width),
        _missing(report, head, width),
        _disputes(head, width),
        _steps(head, width),
        _sure(report, head, width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _title(report: Report, width: int) -> list[str]:
    site, judgement = report.site, report.judgement
    return [
        *_wrap(site.name, width),
        *_wrap(
            f"{report.decision.platform}, wave “{report.decision.wave_title}” · "
            f"{dates.measured(judgement, site.zone)}, {units.count(judgement.school_days, 'school day')}",
            width,
        ),
    ]


def _verdict(head: Headline, width: int, *, colour: bool) -> list[str]:
    word = head.verdict.upper()
    if colour:
        word = f"{_BOLD}\x1b[{_COLOURS[head.answer]}m{word}{_PLAIN}"
    lines = [word, *_wrap(head.sentence, width)]
    for number, reason in enumerate(head.reasons, start=1):
        lines += _wrap(reason, width, f"  {number}  ")
    if head.more:
        lines += _wrap(f"and {units.count(head.more, 'more', 'more')}", width, "     ")
    return lines


def _numbers(report: Report, width: int) -> list[str]:
    lines = [f"{units.PER_1000}"]
    for line in (report.judgement.down, report.judgement.up):
        lines += _wrap(f"{_per_1000(line)}{_others(line)}", width, f"  {wording.DIRECTIONS[line.direction]:<20}")
    return lines


def _per_1000(line: Line) -> str:
    if line.per_1000.value is None:
        return units.UNKNOWN
    side = units.Side.DOWN if line.per_1000.at_least else units.Side.NEAREST
    return units.mbps(line.per_1000.value, side) + units.qualified(line.per_1000)


def _others(line: Line) -> str:
    parts = [f"{target.title}: {wording.OUTCOMES[target.outcome]}" for target in line.targets]
    return "".join(f"; {part}" for part in parts)


def _missing(report: Report, head: Headline, width: int) -> list[str]:
    lines = ["What is missing"]
    for rate in head.rates:
        said = ", ".join(f"{missing} {TOWARDS[way]}" for missing, way in zip(rate.missing, TOWARDS, strict=False))
        lines += _wrap(f"{rate.title}: {said}", width, "  ")
    for thing in head.things:
        lines += _wrap(f"{thing.title}: {', '.join(thing.missing)}", width, "  ")
    for text in report.judgement.provisional:
        lines += _wrap(wording.sentence(text), width, "  ")
    return lines if len(lines) > 1 else []


def _disputes(head: Headline, width: int) -> list[str]:
    if not head.disputes:
        return []
    lines = ["Where the evidence disagrees"]
    for dispute in head.disputes:
        lines += _wrap(f"{dispute.criterion}: {dispute.what}", width, "  ")
        for side in dispute.sides:
            lines += _wrap(side, width, "    - ")
        lines += _wrap(dispute.counts, width, "    ")
    return lines


def _steps(head: Headline, width: int) -> list[str]:
    if not head.steps:
        return []
    lines = ["Next steps"]
    for number, step in enumerate(head.steps, start=1):
        lines += _wrap(step.what, width, f"  {number}  ")
        who = f"{step.who}; " if step.who else ""
        lines += _wrap(f"{who}opens {step.unlocks}; closed by: {step.evidence}", width, "     ")
    return lines


def _sure(report: Report, head: Headline, width: int) -> list[str]:
    sure = head.sureness
    text = (
        f"{sure.measured} of {sure.checkable} criteria that a machine can check are measured, {sure.attested} of "
        f"{sure.attestable} that only a person can vouch for are attested, {sure.unknown} are not known."
    )
    users = report.outlook.users
    return [
        *(line for text in (users.said if users else ()) for line in _wrap(wording.sentence(f"users: {text}"), width)),
        *_wrap(f"{head.weakest}.", width),
        *_wrap(text, width),
        *_wrap(f"Valid until {dates.day(report.decision.valid_until)} · report {report.report_id[:16]}", width),
    ]


def _wrap(text: str, width: int, label: str = "") -> list[str]:
    plain = clean(text, limit=_TEXT)
    return textwrap.wrap(plain, max(width, 2 * _LABEL + len(label)), initial_indent=label, subsequent_indent=" " * len(label))
