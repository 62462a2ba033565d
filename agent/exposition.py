"""The survey, the judgement and the decisions as Prometheus families. Pure: it renders what it is given and asks nobody.

Names follow one rule, `exporter_name`: "netready_", the catalogue's name, and the suffix of its unit. What the catalogue does
not know (the gate, the stages, the agent itself) stands in the table OWN. Base units are Prometheus's: rates are bytes per
second, so the catalogue's bit/s are divided by eight. What is not known has no series; a zero always means none were found.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Literal

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from netready.device import Kind
from netready.measurement import Measurement
from netready.metric import CATALOGUE, Unit
from netready.site import Role
from netready.survey import Survey
from netready.text import clean
from readiness.evidence import Fact, Grade
from readiness.gate import Answer, Decision, RuleOutcome
from readiness.judgement import Judgement, Line, Outcome, Quantity

PREFIX = "netready_"

# Series kept of one family. A large school has about ten switches of 48 ports; more is a mistake or an attack, and Prometheus
# pays for every series. What is cut is counted in netready_series_dropped_total.
SERIES_CAP = 500

# Their names and addresses never leave in a label, even if somebody measures them: inventory goes out as counts.
CLIENTS = frozenset({Kind.STUDENT_DEVICE, Kind.STAFF_DEVICE, Kind.COMPUTER, Kind.PHONE})

Type = Literal["gauge", "counter", "info"]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One metric family: `name` as Prometheus sees it, without the "_total" or "_info" that its type adds."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    type: Type = "gauge"


def suffix(unit: Unit) -> tuple[str, float]:
    """The unit's name in Prometheus, and what a value in the catalogue's unit is multiplied by."""
    match unit:
        case Unit.BITS_PER_SECOND:
            return "bytes_per_second", 1 / 8
        case Unit.SECONDS:
            return "seconds", 1.0
        case Unit.BYTES:
            return "bytes", 1.0
        case Unit.RATIO:
            return "ratio", 1.0
        case Unit.DAYS:
            return "seconds", 86_400.0
        case Unit.WATTS:
            return "watts", 1.0
        case Unit.COUNT:
            return "", 1.0


# Metrics of an endpoint that has a role, which is a label beside its address.
ROLED = ("http_", "tls_", "platform_")

# Derived metrics that go out in a family of their own instead, because there they carry their direction, kind or moment.
ELSEWHERE = {
    "internet_down_per_1000": "internet_rate_per_1000_users",
    "internet_up_per_1000": "internet_rate_per_1000_users",
    "contracted_down_per_1000": "internet_rate",
    "contracted_up_per_1000": "internet_rate",
    "test_days": "internet_tested_schooldays",
    "devices": "devices",
    "audit_age": "survey_timestamp_seconds",
    "inventory_age": "survey_timestamp_seconds",
}


def family_of(name: str) -> Family:
    """The family of a catalogue metric; KeyError names the metric when there is none."""
    metric = CATALOGUE[name]
    unit, _ = suffix(metric.unit)
    return Family(
        name=PREFIX + (f"{name}_{unit}" if unit else name),
        help=metric.help,
        labels=(() if metric.derived else ("target", "method")) + (("role",) if name.startswith(ROLED) else ()),
        unit=unit,
        type="counter" if metric.counter else "gauge",
    )


def exporter_name(name: str) -> str:
    """What a catalogue metric is called in Prometheus; KeyError names the metric when there is none."""
    if name in ELSEWHERE:
        return OWN[ELSEWHERE[name]].name
    family = family_of(name)
    return f"{family.name}_total" if family.type == "counter" else family.name


def _own(name: str, text: str, *labels: str, unit: str = "", kind: Type = "gauge") -> tuple[str, Family]:
    full = PREFIX + (f"{name}_{unit}" if unit else name)
    return name, Family(name=full, help=text, labels=labels, unit=unit, type=kind)


_RATE = "bytes_per_second"

OWN: dict[str, Family] = dict(
    (
        # --- the agent itself -------------------------------------------------------------------------------------------
        _own("build", "The program's version", "version", kind="info"),
        _own("survey_interval", "Time from one planned survey to the next", unit="seconds"),
        _own("surveys", "Surveys that were completed since the agent started", kind="counter"),
        _own("survey_failures", "Surveys that broke off because of a fault in the agent", kind="counter"),
        _own("survey_overruns", "Planned surveys left out because the one before was still running", kind="counter"),
        _own("measurements", "Measurements taken since the agent started, failed ones included", kind="counter"),
        _own("measurements_failed", "Measurements that have no value, by the word that says why", "failure", kind="counter"),
        _own("series_dropped", "Series left out of this page, by reason, since the agent started", "reason", kind="counter"),
        # --- the last survey --------------------------------------------------------------------------------------------
        _own("survey_timestamp_seconds", "When the last survey ended, Unix time"),
        _own("survey_duration", "How long the last survey took", unit="seconds"),
        _own("survey_traffic", "Bytes that the last survey itself moved", "direction", unit="bytes"),
        _own("measurement_success", "Whether the last survey could measure this (1) or not (0)", "metric", "target", "method"),
        _own("measurement_timestamp_seconds", "When a metric was last measured with success, Unix time", "metric"),
        _own(
            "instrument_success",
            "Whether an instrument did its work in the last survey; broken networks count as work",
            "instrument",
        ),
        _own("instrument_skipped", "Whether an instrument was left out of the last survey", "instrument"),
        _own("instrument_duration", "How long an instrument took in the last survey", "instrument", unit="seconds"),
        _own("instrument_measurements", "Measurements an instrument yielded in the last survey", "instrument"),
        _own("instrument_sightings", "Sightings of devices an instrument yielded in the last survey", "instrument"),
        _own("devices", CATALOGUE["devices"].help, "kind"),
        # --- the judgement ----------------------------------------------------------------------------------------------
        _own("judgement_timestamp_seconds", "When the judgement was made, Unix time"),
        _own("judgement_schooldays", "School days with readings in the judgement's window"),
        _own("judgement_provisional", "Whether the judgement still lacks something to be final (1)"),
        _own("users", "Students and staff, the denominator of the rates per 1,000 users", "group"),
        _own(
            "internet_rate",
            "Rate of the Internet line: contracted, available to a test, used, and load during the test; never add them up",
            "direction",
            "quantity",
            unit=_RATE,
        ),
        _own(
            "internet_rate_interval",
            "95 % interval of a rate of the Internet line",
            "direction",
            "quantity",
            "bound",
            unit=_RATE,
        ),
        _own("internet_rate_lower_bound", "Whether the rate is only known to be at least this (1)", "direction", "quantity"),
        _own(
            "internet_rate_per_1000_users",
            "Rate of the Internet line, at least, for each 1,000 users",
            "direction",
            unit=_RATE,
        ),
        _own(
            "internet_target_per_1000_users",
            "Rate for each 1,000 users that a roadmap target asks for",
            "direction",
            "target",
            unit=_RATE,
        ),
        _own("internet_target_needed", "Rate that a target asks of the whole site", "direction", "target", unit=_RATE),
        _own("internet_target_shortfall", "Rate that the site lacks to reach a target", "direction", "target", unit=_RATE),
        _own("internet_target_met", "Whether a target is met (1) or not (0)", "direction", "target"),
        _own("internet_samples", "Tests of the line that stand behind the rate", "direction"),
        _own("internet_tested_schooldays", "School days on which this direction of the line was tested", "direction"),
        _own("internet_grade", "How far the evidence for the rate carries: the grade that applies is 1", "direction", "grade"),
        _own("stage", "Roadmap stage reached, 1 to 4, by machine evidence alone or with attestations", "dimension", "evidence"),
        _own("stage_criteria", "Required criteria above the first stage, by what became of them", "dimension", "outcome"),
        _own("criteria", "Roadmap criteria by outcome, by machine evidence alone or with attestations", "outcome", "evidence"),
        # --- the gate ---------------------------------------------------------------------------------------------------
        _own("gate_open", "Whether a rollout wave may go ahead, with or without conditions (1), or may not (0)", "wave"),
        _own("gate_answer", "The gate's answer for a rollout wave: the answer that applies is 1", "wave", "answer"),
        _own("gate_provisional", "Whether the gate's answer rests on too little evidence to last (1)", "wave"),
        _own("gate_valid_until_timestamp_seconds", "Start of the last day on which the answer holds, UTC, Unix time", "wave"),
        _own("gate_rules", "Rules of a rollout wave by outcome", "wave", "outcome"),
    )
)

Labels = tuple[str, ...]


class Page:
    """Families being filled. It cleans every label, keeps one value for each series, and counts what it leaves out."""

    def __init__(self) -> None:
        self._series: dict[Family, dict[Labels, float]] = {}
        self.dropped = {"cap": 0, "client-device": 0, "same-labels": 0}

    def put(self, family: Family, value: float | None, *labels: str) -> None:
        """Add one series. None and what is not a finite number is not known, and stays away."""
        if value is None or not math.isfinite(value):
            return
        series = self._series.setdefault(family, {})
        key = tuple(_label(text) for text in labels)
        self.dropped["same-labels"] += key in series
        series[key] = value

    def put_own(self, name: str, value: float | None, *labels: str) -> None:
        """Add one series of a family in OWN."""
        self.put(OWN[name], value, *labels)

    def families(self) -> tuple[Metric, ...]:
        """The families, series in the order of their labels so that a cut keeps the same ones from survey to survey."""
        return tuple(self._rendered())

    def _rendered(self) -> Iterator[Metric]:
        for family, series in self._series.items():
            self.dropped["cap"] += max(0, len(series) - SERIES_CAP)
            yield _metric(family, dict(sorted(series.items())[:SERIES_CAP]))


def _metric(family: Family, series: Mapping[Labels, float]) -> Metric:
    rendered: GaugeMetricFamily | CounterMetricFamily
    match family.type:
        case "info":
            info = InfoMetricFamily(family.name, family.help, labels=())
            for key in series:
                info.add_metric((), dict(zip(family.labels, key, strict=True)))
            return info
        case "gauge":
            rendered = GaugeMetricFamily(family.name, family.help, labels=family.labels, unit=family.unit)
        case "counter":
            rendered = CounterMetricFamily(family.name, family.help, labels=family.labels, unit=family.unit)
    for key, value in series.items():
        rendered.add_metric(key, value)
    return rendered


_USERINFO = re.compile(r"(?<=//)[^/@\s]*@")


def _label(text: str) -> str:
    """A label's value: valid, bounded, and without a password that somebody wrote into a URL."""
    return clean(_USERINFO.sub("", text))


def survey_page(page: Page, survey: Survey) -> None:
    """Put one survey on the page."""
    page.put_own("survey_timestamp_seconds", survey.finished_at.timestamp())
    page.put_own("survey_duration", (survey.finished_at - survey.started_at).total_seconds())
    page.put_own("survey_traffic", survey.bytes_sent, "sent")
    page.put_own("survey_traffic", survey.bytes_received, "received")
    for run in survey.runs:
        page.put_own("instrument_skipped", run.skipped is not None, run.instrument)
        if run.skipped is None:
            page.put_own("instrument_success", run.ok, run.instrument)
            page.put_own("instrument_duration", run.seconds, run.instrument)
            page.put_own("instrument_measurements", run.measurements, run.instrument)
            page.put_own("instrument_sightings", run.sightings, run.instrument)
    _devices(page, survey)
    _measurements(page, survey)


def _devices(page: Page, survey: Survey) -> None:
    # Nobody looked: then "no printers" would be a number nobody has found.
    if not survey.devices and not any(run.sightings for run in survey.runs):
        return
    kinds = [device.kind for device in survey.devices]
    for kind in Kind:
        page.put_own("devices", kinds.count(kind), kind.value)


def _measurements(page: Page, survey: Survey) -> None:
    """The latest reading of each metric, target and method."""
    latest: dict[tuple[str, str, str], Measurement] = {}
    clients = _client_names(survey)
    for reading in sorted(survey.measurements, key=lambda reading: reading.taken_at):
        if _is_client(reading, clients):
            page.dropped["client-device"] += 1
        else:
            latest[reading.metric, reading.target, reading.method] = reading
    for reading in latest.values():
        page.put_own("measurement_success", reading.failure is None, reading.metric, reading.target, reading.method)
        if reading.value is not None:
            _, factor = suffix(CATALOGUE[reading.metric].unit)
            role = (_role(reading),) if reading.metric.startswith(ROLED) else ()
            page.put(family_of(reading.metric), reading.value * factor, reading.target, reading.method, *role)


def _role(reading: Measurement) -> str:
    role = reading.details.get("role")
    return role if isinstance(role, str) and role in set(Role) else ""


def _client_names(survey: Survey) -> frozenset[str]:
    clients = [device for device in survey.devices if device.kind in CLIENTS]
    return frozenset(
        name.lower() for device in clients for name in (device.key, device.mac or "", *device.addresses, *device.names) if name
    )


def _is_client(reading: Measurement, clients: frozenset[str]) -> bool:
    """Whether the reading is of somebody's device. This machine, and an endpoint that the site names, are not."""
    if not clients or reading.metric.startswith("host_") or _role(reading):
        return False
    words = re.split(r"[\s/,]+", reading.target.lower())
    hosts = {reading.target.lower(), *words, *(word.rpartition(":")[0] for word in words)}
    return not clients.isdisjoint(host.strip("[]") for host in hosts)


def judgement_page(page: Page, judgement: Judgement) -> None:
    """Put one judgement on the page."""
    page.put_own("judgement_timestamp_seconds", judgement.judged_at.timestamp())
    page.put_own("judgement_schooldays", judgement.school_days)
    page.put_own("judgement_provisional", bool(judgement.provisional))
    page.put_own("users", judgement.students, "students")
    page.put_own("users", judgement.staff, "staff")
    for line in (judgement.down, judgement.up):
        _line(page, line)
    for stage in judgement.stages:
        page.put_own("stage", stage.with_attestations, stage.dimension, "attested")
        page.put_own("stage", stage.by_machine, stage.dimension, "machine")
        page.put_own("stage_criteria", stage.met, stage.dimension, Outcome.MET)
        page.put_own("stage_criteria", stage.not_met, stage.dimension, Outcome.NOT_MET)
        page.put_own("stage_criteria", stage.unknown, stage.dimension, Outcome.UNKNOWN)
    for outcome in Outcome:
        page.put_own("criteria", sum(verdict.outcome is outcome for verdict in judgement.verdicts), outcome, "attested")
        page.put_own("criteria", sum(verdict.by_machine is outcome for verdict in judgement.verdicts), outcome, "machine")
    for fact in judgement.facts:
        _fact(page, fact)


def _line(page: Page, line: Line) -> None:
    _, factor = suffix(Unit.BITS_PER_SECOND)
    quantities = {"contracted": line.contracted, "available": line.available, "used": line.used, "load": line.load_during}
    for name, quantity in quantities.items():
        page.put_own("internet_rate", _times(quantity.value, factor), line.direction, name)
        _certainty(page, line.direction, name, quantity)
    page.put_own("internet_rate_per_1000_users", _times(line.per_1000.value, factor), line.direction)
    _certainty(page, line.direction, "per_1000_users", line.per_1000)
    for target in line.targets:
        page.put_own("internet_target_per_1000_users", target.per_1000 * factor, line.direction, target.id)
        page.put_own("internet_target_needed", target.needed * factor, line.direction, target.id)
        page.put_own("internet_target_shortfall", _times(target.shortfall, factor), line.direction, target.id)
        if target.outcome in {Outcome.MET, Outcome.NOT_MET}:
            page.put_own("internet_target_met", target.outcome is Outcome.MET, line.direction, target.id)
    page.put_own("internet_samples", line.samples, line.direction)
    page.put_own("internet_tested_schooldays", line.days, line.direction)
    if line.samples:
        for grade in Grade:
            page.put_own("internet_grade", line.grade is grade, line.direction, grade)


def _certainty(page: Page, direction: str, name: str, quantity: Quantity) -> None:
    if quantity.value is None:
        return
    _, factor = suffix(Unit.BITS_PER_SECOND)
    page.put_own("internet_rate_lower_bound", quantity.at_least, direction, name)
    if quantity.interval is not None:
        low, high = quantity.interval
        page.put_own("internet_rate_interval", low * factor, direction, name, "low")
        page.put_own("internet_rate_interval", high * factor, direction, name, "high")


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _fact(page: Page, fact: Fact) -> None:
    """A derived number that no other family carries."""
    metric = CATALOGUE.get(fact.metric)
    if metric is not None and metric.derived and fact.metric not in ELSEWHERE:
        role = (fact.role or "",) if fact.metric.startswith(ROLED) else ()
        page.put(family_of(fact.metric), _times(fact.value, suffix(metric.unit)[1]), *role)


def decision_page(page: Page, decisions: Sequence[Decision]) -> None:
    """Put the gate's answers on the page, the latest for each wave."""
    latest = {decision.wave: decision for decision in sorted(decisions, key=lambda decision: decision.decided_at)}
    for wave, decision in latest.items():
        page.put_own("gate_open", decision.answer in {Answer.GO, Answer.GO_WITH_CONDITIONS}, wave)
        for answer in Answer:
            page.put_own("gate_answer", decision.answer is answer, wave, answer)
        page.put_own("gate_provisional", decision.provisional, wave)
        until = datetime.combine(decision.valid_until, time.min, UTC)
        page.put_own("gate_valid_until_timestamp_seconds", until.timestamp(), wave)
        for outcome in RuleOutcome:
            page.put_own("gate_rules", sum(rule.outcome is outcome for rule in decision.rules), wave, outcome)
