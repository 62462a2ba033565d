"""The report as one self-contained HTML page: no script, no request to anywhere, good on paper."""

from collections import Counter
from typing import Any

import msgspec
from markupsafe import Markup

from netready.device import INFRASTRUCTURE, Device, Kind
from netready.metric import CATALOGUE
from netready.roster import Source
from readiness.judgement import Line, Outcome, Quantity, Target
from readiness.roadmap import MACHINE, Criterion
from reports import charts, dates, fit_gap_words, page, units, visit, wording
from reports.headline import BANNER_LIMIT, EVIDENCE_LIMIT, NAME_LIMIT, REASON_LIMIT, STEP_LIMIT, headline
from reports.report import Report
from reports.stage_rows import MARK_WORDS, REACHED

SECTIONS = (
    ("line", "The line in detail"),
    ("gate", "What each wave demands"),
    ("steps", "What comes next, by dimension"),
    ("fitgap", "What is missing, and what it would cost"),
    ("criteria", "Every dimension and criterion"),
    ("devices", "Devices"),
    ("measurements", "Measurements of the last survey"),
    ("gaps", "What could not be done, and why"),
    ("method", "How this report was made"),
    ("words", "Words used here"),
)

WIDE, NARROW = 840, 328  # px: natural widths of a chart beside text and on a phone of 360 px
_ID = 12  # hex digits of the report's id that people are shown
_MEASUREMENTS = 500  # rows; a page with more is read by nobody, and the JSON has them all


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, drawn for a desk and for a phone."""

    title: str
    wide: Markup
    narrow: Markup


def render(report: Report) -> str:
    """The page."""
    return page.environment().get_template("page.html.j2").render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    judgement, zone = report.judgement, report.site.zone
    lines = (judgement.down, judgement.up)
    kinds = _kinds(report)
    measurements = report.survey.measurements if report.survey else ()
    rows, interfaces = visit.apart_from_interfaces(measurements), visit.interfaces(measurements)
    return {
        "report": report,
        "judgement": judgement,
        "zone": zone,
        "head": headline(report),
        "short_id": report.report_id[:_ID],
        "style": page.style(),
        "sections": SECTIONS,
        "at": {name: number for number, (name, _) in enumerate(SECTIONS, start=1)},
        "advances": {advance.dimension: advance for advance in report.outlook.next_steps},
        "gaps": [(item, fit_gap_words.rows(item)) for item in report.outlook.fit_gap],
        "words": fit_gap_words,
        "row_how": _row_how,
        "users_by": _users_by(report),
        "today": judgement.judged_at.astimezone(zone).date(),
        "units": units,
        "dates": dates,
        "wording": wording,
        "metrics": CATALOGUE,
        "machine": MACHINE,
        "mark_words": MARK_WORDS,
        "reached": REACHED,
        "banner_limit": BANNER_LIMIT,
        "evidence_limit": EVIDENCE_LIMIT,
        "reason_limit": REASON_LIMIT,
        "step_limit": STEP_LIMIT,
        "name_limit": NAME_LIMIT,
        "lines": lines,
        "line_chart": _line_chart(lines),
        "line_source": _line_source(lines),
        "line_facts": _line_facts(lines, report),
        "lack": lack,
        "how": _how,
        "criteria": _by_dimension(report),
        "verdicts": {verdict.criterion: verdict for verdict in judgement.verdicts},
        "kinds": [(_label(kind, number), number) for kind, number in kinds],
        "device_chart": _device_chart(kinds),
        "infrastructure": _infrastructure(report),
        "measurements": [visit.row(each, zone) for each in rows[:_MEASUREMENTS]],
        "interfaces": interfaces[:_MEASUREMENTS],
        "measurements_left": max(0, len(rows) - _MEASUREMENTS) + max(0, len(interfaces) - _MEASUREMENTS),
        "failures": visit.failures(measurements),
        "runs": sorted(report.survey.runs, key=visit.trouble_first) if report.survey else (),
    }


def _users_by(report: Report) -> str:
    """Who says how many users there are, for the first page; nothing when it is not known."""
    users = report.outlook.users
    if users is None:
        return ""
    names = {Source.CONFIG: "as the school states", Source.ROSTER: "as the roster says"}
    if users.roster is not None:
        written = dates.day(users.roster.written.astimezone(report.site.zone).date())
        names[Source.ROSTER] = f"counted from {wording.shortened(users.roster.file, NAME_LIMIT)} of {written}"
    if users.students_from is users.staff_from:
        return f"({names[users.students_from]})"
    return f"(students {names[users.students_from]}, staff {names[users.staff_from]})"


def _row_how(row: fit_gap_words.Row) -> str:
    """How a row's three numbers are known, in sentences."""
    parts = (f"wanted: {row.wanted_how}", f"missing: {row.how}", f"cost: {row.cost_how}" if row.cost_how else "")
    return " ".join(wording.sentence(part) for part in parts if part)


def lack(target: Target) -> str:
    """What a target still wants, in words: a rate, nothing, or that it is not known."""
    match target.outcome:
        case Outcome.NOT_MET if target.shortfall is not None:
            return f"+{units.mbps(target.shortfall, units.Side.UP)} Mbps"
        case Outcome.UNKNOWN:
            return units.UNKNOWN
        case _:
            return wording.OUTCOMES[target.outcome]


def _line_chart(lines: tuple[Line, ...]) -> Chart:
    tracks = tuple(_track(line) for line in lines)
    marks = {target.per_1000: f"target {units.mbps(target.per_1000)}" for line in lines for target in line.targets}
    targets = tuple(charts.Target(value=value / 1e6, label=label) for value, label in sorted(marks.items()))
    title = " ".join(_finding(line) for line in lines)
    description = " ".join(f"{track.title}: {track.told}; {track.contract_told}; {track.used_told}." for track in tracks)
    wide = charts.ranges(tracks, targets, name="line-wide", title=title, description=description, width=WIDE, beside=200)
    narrow = charts.ranges(tracks, targets, name="line-narrow", title=title, description=description, width=NARROW)
    return Chart(title=title, wide=Markup(wide), narrow=Markup(narrow))  # noqa: S704 - charts escape their texts


def _track(line: Line) -> charts.Track:
    side = units.Side.DOWN if line.per_1000.at_least else units.Side.NEAREST
    value = line.per_1000.value
    told = "measured: not known yet" if value is None else units.mbps(value, side) + units.qualified(line.per_1000)
    contract, used = _scaled(line.contracted, line.users), _scaled(line.used, line.users)
    return charts.Track(
        title=wording.DIRECTIONS[line.direction],
        value=None if value is None else value / 1e6,
        interval=None if line.per_1000.interval is None else (line.per_1000.interval[0] / 1e6, line.per_1000.interval[1] / 1e6),
        at_least=line.per_1000.at_least,
        told=told,
        contract=contract,
        contract_told=f"contract: {units.UNKNOWN}" if contract is None else f"contract {units.digits(contract)}",
        used=used,
        used_told=f"busy-time use: {units.UNKNOWN}" if used is None else f"busy-time use {units.digits(used)}",
    )


def _scaled(quantity: Quantity, users: int) -> float | None:
    return None if quantity.value is None else units.per_1000(quantity.value, users) / 1e6


def _finding(line: Line) -> str:
    targets = "; ".join(f"{target.title}: {wording.OUTCOMES[target.outcome]}" for target in line.targets)
    return f"{wording.DIRECTIONS[line.direction]}: {units.rate(line.per_1000, units.PER_1000)}. {targets}."


def _line_source(lines: tuple[Line, ...]) -> str:
    samples = sum(line.samples for line in lines)
    days = max(line.days for line in lines)
    if samples == 0:
        return "No test has been made yet."
    return f"{wording.capital(units.count(samples, 'test'))} on {units.count(days, 'school day')}."


def _line_facts(lines: tuple[Line, ...], report: Report) -> list[tuple[str, list[str]]]:
    zone = report.site.zone
    return [
        ("Tests", [f"{units.count(line.samples, 'test')} on {units.count(line.days, 'school day')}" for line in lines]),
        ("Last test", [dates.moment(line.last_at, zone) if line.last_at else "none yet" for line in lines]),
        ("Method and version", [", ".join(line.methods) or "none yet" for line in lines]),
        ("Bytes counted", [line.layer or "none yet" for line in lines]),
        ("Limited by", [wording.limits(line.limited_by) or "nothing that was noticed" for line in lines]),
        ("How far it carries", [wording.GRADES[line.grade] for line in lines]),
    ]


def _how(lines: tuple[Line, ...], field: str) -> str:
    """How a quantity is known; said once when both directions agree."""
    said = {line.direction: getattr(line, field).how for line in lines}
    texts = list(dict.fromkeys(said.values()))
    if len(texts) == 1:
        return wording.sentence(texts[0])
    return " ".join(f"{wording.DIRECTIONS[direction]}: {wording.sentence(text)}" for direction, text in said.items())


def _by_dimension(report: Report) -> dict[str, list[Criterion]]:
    found: dict[str, list[Criterion]] = {dimension.id: [] for dimension in report.roadmap.dimensions}
    for criterion in report.roadmap.criteria:
        found[criterion.dimension].append(criterion)
    return found


def _kinds(report: Report) -> list[tuple[Kind, int]]:
    """Kinds and their numbers, the most frequent first, and what we could not tell last."""
    counted = Counter(device.kind for device in report.survey.devices) if report.survey else Counter[Kind]()
    return sorted(counted.items(), key=lambda item: (item[0] is Kind.UNKNOWN, -item[1], item[0]))


def _label(kind: Kind, number: int) -> str:
    return wording.KINDS[kind][number != 1]


def _device_chart(kinds: list[tuple[Kind, int]]) -> Chart:
    if not kinds:
        return Chart(title="No devices seen", wide=Markup(), narrow=Markup())
    total = sum(number for _, number in kinds)
    kind, number = kinds[0]
    title = f"{wording.capital(units.count(total, 'device'))} seen, among them {number:,} {_label(kind, number)}"
    rows = tuple(charts.Bar(label=_label(kind, number), value=number, open=kind is Kind.UNKNOWN) for kind, number in kinds)
    text = "; ".join(f"{row.label}: {row.value:,}" for row in rows) + "."
    wide = charts.bars(rows, name="kinds-wide", title=title, description=text, width=WIDE)
    narrow = charts.bars(rows, name="kinds-narrow", title=title, description=text, width=NARROW)
    return Chart(title=title, wide=Markup(wide), narrow=Markup(narrow))  # noqa: S704 - charts escape their texts


def _infrastructure(report: Report) -> list[Device]:
    devices = report.survey.devices if report.survey else ()
    return sorted((each for each in devices if each.kind in INFRASTRUCTURE), key=lambda each: (each.kind, each.names, each.key))
