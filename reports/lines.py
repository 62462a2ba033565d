"""Lists on a terminal: measurements, devices, a decision, standards. One line a row, what matters first."""

import textwrap
from collections.abc import Iterable, Sequence

from netready.device import Device
from netready.measurement import Measurement
from netready.text import clean
from readiness.gate import Decision, RuleOutcome
from readiness.judgement import Outcome
from readiness.standards import Comparison, Standard
from reports import units, wording

WIDTH = 80


def measurements(found: Iterable[Measurement]) -> list[str]:
    """Each reading with its unit and interval, or the word for why there is none."""
    lines = []
    for reading in found:
        if reading.value is None:
            reason = reading.details.get("reason")
            why = f": {reason}" if isinstance(reason, str) and reason else ""
            lines.append(f"{reading.metric:23} {clean(reading.target)}  failed: {reading.failure}{clean(why, limit=300)}")
            continue
        text = units.amount(reading.metric, reading.value, interval=reading.interval)
        if reading.metric.endswith("_reaches"):
            text = _reaches(reading)
        elif reading.metric == "path_changes":
            text = _changes(reading)
        lines.append(f"{reading.metric:23} {clean(reading.target)}  {text} [{', '.join([reading.method, *_about(reading)])}]")
    return lines


def _reaches(reading: Measurement) -> str:
    asked = f"{units.mbps(reading.detail('asked') or 0)} Mbps"
    if reading.value:
        return f"yes, at least {asked}, held for {reading.detail('held_seconds') or 0:.1f} s"
    return f"no, less than {asked}: {units.mbps(reading.detail('delivered') or 0)} Mbps came"


def _changes(reading: Measurement) -> str:
    found = ", ".join(wording.words(reading.details.get("changes"))) or "nothing on the way alters connections"
    issuer = reading.details.get("issuer")
    return f"{found} (certificate by {clean(str(issuer), limit=80)})" if issuer else found


def _about(reading: Measurement) -> list[str]:
    """How long it took, what it moved, what held it back, and what else was on the line: whatever the reading tells."""
    parts = []
    if (seconds := reading.detail("seconds")) is not None:
        parts.append(f"{seconds:.1f} s")
    if moved := (reading.detail("bytes_sent") or 0) + (reading.detail("bytes_received") or 0):
        parts.append(f"{moved / 1e6:.1f} MB")
    if limited := wording.limits(wording.words(reading.details.get("limited_by"))):
        parts.append(f"limited by {limited}")
    if reading.metric.startswith("throughput") and reading.detail("load_during"):
        parts.append(f"beside {wording.load(reading)}")
    if isinstance(reason := reading.details.get("reason"), str) and reason and not reading.metric.endswith("_reaches"):
        parts.append(clean(reason, limit=200))
    return parts


def devices(found: Sequence[Device]) -> list[str]:
    """A table of devices that never needs more than 80 columns, and how many of each kind there are."""
    if not found:
        return ["No device was seen."]
    lines = [f"{'kind':14} {'address':15} {'name':22} {'vendor':16} known by"]
    for device in found:
        address = device.addresses[0] if device.addresses else "-"
        name = device.names[0] if device.names else "-"
        cells = (f"{device.kind.value:14}", f"{address:15}", f"{_cut(name, 22):22}", f"{_cut(device.vendor or '-', 16):16}")
        lines.append(f"{' '.join(cells)} {','.join(device.how)}")
    counts = sorted({device.kind for device in found}, key=lambda kind: (-sum(d.kind is kind for d in found), kind))
    lines.append(f"{len(found)} devices: " + ", ".join(f"{sum(d.kind is kind for d in found)} {kind.value}" for kind in counts))
    return lines


_MARK = {RuleOutcome.PASS: "yes", RuleOutcome.FAIL: "NO", RuleOutcome.UNKNOWN: "?", RuleOutcome.WAIVED: "waived"}


def decision(made: Decision) -> list[str]:
    """The answer, then every rule with its reason, hard ones first, then accepted risks and what is still missing."""
    lines = [f"{made.answer.value}  {made.wave_title}, {made.site}", f"valid until {made.valid_until.isoformat()}"]
    if made.scope == "lea":
        lines += textwrap.wrap(f"judged from {made.judged_from}; every other school of this wave needs its own answer", WIDTH)
    lines.append("")
    for rule in sorted(made.rules, key=lambda each: ("hard", "soft", "advisory").index(each.level.value)):
        head = f"{_MARK[rule.outcome]:7}{rule.level.value:9}"
        lines += textwrap.wrap(f"{rule.title}: {rule.reason}", WIDTH, initial_indent=head, subsequent_indent=" " * 16)
    risks = [wording.accepted(each) for each in made.waivers]
    for title, texts in (("Conditions", made.conditions), ("Accepted risks", risks), ("Still missing", made.missing)):
        if texts:
            lines += ["", title]
            for text in texts:
                lines += textwrap.wrap(text, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return lines


def standards(found: Iterable[Standard]) -> list[str]:
    """Each standard with its denominator and where it comes from."""
    lines = []
    for each in found:
        both = ((each.down, "down"), (each.up, "up"))
        rates = [f"{units.mbps(value)} Mbps {word}" for value, word in both if value is not None]
        asked = ", ".join(rates) or "no rate"
        lines.append(f"{each.id}: {each.title}")
        lines.append(f"  {asked} per {each.per.value.replace('-', ' ')}; {each.who}; {each.verified} source: {each.source}")
    return lines


def comparisons(found: Iterable[Comparison]) -> list[str]:
    """This site against each standard, outcome first, and never without what the standard divides by."""
    lines = []
    for each in found:
        head = f"{each.outcome.value:15}"
        per = f" (divides by {each.denominator})" if each.outcome is Outcome.NOT_APPLICABLE else ""
        text = f"{each.title}{per}: {each.reason}"
        lines += textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * 15)
    return lines


def _cut(text: str, width: int) -> str:
    text = clean(text)
    return text if len(text) <= width else f"{text[: width - 1]}…"
