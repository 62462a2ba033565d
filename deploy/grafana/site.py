"""The Grafana dashboard for one site, as data. Written out by `python deploy/grafana/site.py > deploy/grafana/site.json`."""  # noqa: INP001

import json
import sys
from typing import Any

JSON = dict[str, Any]

# Grafana's dashboard model that this follows; newer servers migrate it, those older than 12 ignore what they do not know.
SCHEMA_VERSION = 41
COLUMNS = 24

SITE = 'instance="$instance"'
MBPS = "suffix: Mbps"  # Grafana's own rate units would turn 1,000 Mbps into 1 Gb/s beside 184 Mb/s
TO_MBPS = "* 8 / 1e6"

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def row(title: str) -> JSON:
    """A heading across the page."""
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "width": COLUMNS, "height": 1}


def query(expr: str, legend: str = "", *, instant: bool = False, table: bool = False) -> JSON:
    """One query; an instant one asks only for now."""
    return {
        "datasource": DATASOURCE,
        "expr": expr,
        "legendFormat": legend,
        "instant": instant or table,
        "range": not (instant or table),
        "format": "table" if table else "time_series",
    }


def panel(
    kind: str,
    title: str,
    *queries: JSON,
    width: int,
    height: int = 8,
    unit: str = "none",
    about: str = "",
    decimals: int | None = None,
    steps: tuple[tuple[float | None, str], ...] = ((None, "text"),),
    **options: Any,
) -> JSON:
    """One panel. `steps` are thresholds as (from, colour); `options` may hold mappings, custom, options, transformations."""
    defaults: JSON = {
        "unit": unit,
        "noValue": "not known",
        "color": {"mode": "thresholds" if kind in {"stat", "bargauge", "table"} else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]},
        "mappings": options.pop("mappings", []),
        "custom": options.pop("custom", {}),
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": DATASOURCE,
        "targets": [{"refId": chr(ord("A") + index), **each} for index, each in enumerate(queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {**_OPTIONS[kind], **options.pop("options", {})},
        "width": width,
        "height": height,
        **options,
    }


_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[str, JSON] = {
    "stat": {"reduceOptions": _LAST, "colorMode": "value", "graphMode": "none", "textMode": "auto", "justifyMode": "auto"},
    "bargauge": {"reduceOptions": _LAST, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": False},
    "table": {"showHeader": True, "cellHeight": "sm"},
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "min", "max"], "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
}

# A survey leaves a step, not a slope; between two surveys nothing is known, so nothing is drawn across a gap.
STEPS = {"drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 2, "fillOpacity": 0, "spanNulls": False}
LOG = {**STEPS, "scaleDistribution": {"type": "log", "log": 10}}


def words(**texts: tuple[str, str]) -> list[JSON]:
    """Value mapping for 1 ("yes") and 0 ("no"): the text and its colour."""
    found = {"yes": "1", "no": "0"}
    options = {found[key]: {"text": text, "color": colour, "index": int(found[key])} for key, (text, colour) in texts.items()}
    return [{"type": "value", "options": options}]


def joined(field: str, **names: str) -> list[JSON]:
    """Transformations: the queries' tables side by side, joined on a label, with columns named."""
    hidden = dict.fromkeys(("Time", "Time 1", "Time 2", "Time 3", "Time 4"), True)
    renamed = {f"Value #{reference}": name for reference, name in names.items()}
    return [
        {"id": "joinByField", "options": {"byField": field, "mode": "outer"}},
        {"id": "organize", "options": {"excludeByName": hidden, "renameByName": renamed, "indexByName": {}}},
    ]


def rate(direction: str) -> list[JSON]:
    """The queries for one direction: what we have per 1,000 users, and what the targets ask."""
    of = f'{{{SITE}, direction="{direction}"}}'
    return [
        query(f"netready_internet_rate_per_1000_users_bytes_per_second{of} {TO_MBPS}", "at least"),
        query(f"netready_internet_target_per_1000_users_bytes_per_second{of} {TO_MBPS}", "target: {{target}}"),
    ]


def line(direction: str) -> JSON:
    """The query for the four quantities of one direction."""
    return query(
        f'netready_internet_rate_bytes_per_second{{{SITE}, direction="{direction}"}} {TO_MBPS}',
        "{{quantity}}",
    )


AGE = "on (job, instance) group_left () (time() - netready_survey_timestamp_seconds{%s})" % SITE  # noqa: UP031

PANELS: list[JSON] = [
    row("Verdict"),
    panel(
        "stat", "May the rollout go ahead?",
        query(f"netready_gate_open{{{SITE}}}", "{{wave}}", instant=True),
        width=9, height=5, mappings=words(yes=("Ready", "green"), no=("Not yet", "orange")),
        about="The gate's answer for each wave of the rollout. Ready includes ready with conditions; the next panel tells.",
    ),
    panel(
        "stat", "The gate's words",
        query(f"netready_gate_answer{{{SITE}}} == 1", "{{wave}}: {{answer}}", instant=True),
        width=6, height=5, options={"textMode": "name"},
        about="GO, GO_WITH_CONDITIONS, NO_GO, or INDETERMINATE when too little is known to say.",
    ),
    panel(
        "stat", "Days since the last survey",
        query(f"(time() - netready_survey_timestamp_seconds{{{SITE}}}) / 86400", "days", instant=True),
        width=3, height=5, unit="d", decimals=1, steps=((None, "green"), (2, "orange"), (7, "red")),
        about="Everything else on this page is as old as this.",
    ),
    panel(
        "stat", "School days measured",
        query(f"netready_judgement_schooldays{{{SITE}}}", "days", instant=True),
        width=3, height=5, decimals=0,
        about="School days with readings in the judgement's window. Few days make a provisional judgement.",
    ),
    panel(
        "stat", "Students and staff",
        query(f"sum by (instance) (netready_users{{{SITE}}})", "users", instant=True),
        width=3, height=5, decimals=0, about="The number that rates per 1,000 users are divided by.",
    ),
    row("Mbps per 1,000 users, against the roadmap's targets"),
    panel(
        "stat", "Towards the school",
        query(
            f'netready_internet_rate_per_1000_users_bytes_per_second{{{SITE}, direction="down"}} {TO_MBPS}',
            "at least",
            instant=True,
        ),
        width=6, height=4, unit=MBPS, decimals=0, about="At least this much: a test proves no upper bound.",
    ),
    panel(
        "stat", "From the school",
        query(
            f'netready_internet_rate_per_1000_users_bytes_per_second{{{SITE}, direction="up"}} {TO_MBPS}',
            "at least",
            instant=True,
        ),
        width=6, height=4, unit=MBPS, decimals=0, about="At least this much: a test proves no upper bound.",
    ),
    panel(
        "stat", "Is the target met?",
        query(f"netready_internet_target_met{{{SITE}}}", "{{direction}} {{target}}", instant=True),
        width=12, height=4, mappings=words(yes=("Met", "green"), no=("Not met", "orange")),
        about="A target that is missing here could not be judged: the interval straddles it, or too little was measured.",
    ),
    panel(
        "timeseries", "Towards the school, and what the targets ask", *rate("down"),
        width=12, unit=MBPS, custom=LOG, about="Logarithmic scale: the two targets are a factor of ten apart.",
    ),
    panel(
        "timeseries", "From the school, and what the targets ask", *rate("up"),
        width=12, unit=MBPS, custom=LOG, about="Logarithmic scale: the two targets are a factor of ten apart.",
    ),
    row("The line: contracted, available, used, load during the test"),
    panel(
        "timeseries", "Towards the school", line("down"), width=12, unit=MBPS, custom=STEPS,
        about="Four quantities that are never added up. Contracted: the bill. Available: a test. Used: the router's counters.",
    ),
    panel(
        "timeseries", "From the school", line("up"), width=12, unit=MBPS, custom=STEPS,
        about="Four quantities that are never added up. Contracted: the bill. Available: a test. Used: the router's counters.",
    ),
    row("Latency and loss"),
    panel(
        "timeseries", "Round-trip time",
        query(f"netready_latency_rtt_seconds{{{SITE}}}", "{{target}} median"),
        query(f"netready_latency_rtt_p95_seconds{{{SITE}}}", "{{target}} 95th percentile"),
        width=12, unit="s", custom=STEPS, about="To each named endpoint while the line is otherwise left alone.",
    ),
    panel(
        "timeseries", "Jitter",
        query(f"netready_latency_jitter_seconds{{{SITE}}}", "{{target}}"),
        width=6, unit="s", custom=STEPS, about="Mean difference between consecutive round-trip times.",
    ),
    panel(
        "timeseries", "Packets lost",
        query(f"netready_packet_loss_ratio{{{SITE}}}", "{{target}}"),
        width=6, unit="percentunit", custom=STEPS, about="Share of latency probes that got no answer.",
    ),
    row("Names, pages and certificates"),
    panel(
        "timeseries", "Name look-ups",
        query(f"netready_dns_lookup_time_seconds{{{SITE}}}", "{{target}}"),
        width=8, unit="s", custom=STEPS, about="Until the resolver answered one query.",
    ),
    panel(
        "timeseries", "Pages",
        query(f"netready_http_total_time_seconds{{{SITE}}}", "{{target}} whole page"),
        query(f"netready_http_first_byte_time_seconds{{{SITE}}}", "{{target}} first byte"),
        width=8, unit="s", custom=STEPS, about="From the start of the name look-up.",
    ),
    panel(
        "bargauge", "Days until certificates end",
        query(f"sort((netready_tls_certificate_left_seconds{{{SITE}}} - {AGE}) / 86400)", "{{target}}", instant=True),
        width=8, unit="d", decimals=0, steps=((None, "red"), (21, "orange"), (45, "green")),
        about="As of now: what was left at the survey, less the survey's age.",
    ),
    panel(
        "stat", "Could it be measured?",
        query(f"min by (metric, target) (netready_measurement_success{{{SITE}}})", "{{metric}} {{target}}", instant=True),
        width=24, height=6, mappings=words(yes=("yes", "green"), no=("no", "orange")),
        about="The last survey's measurements. A no is a failure word in the report, never a zero in a chart.",
    ),
    row("Devices"),
    panel(
        "bargauge", "Devices by kind",
        query(f"sort_desc(netready_devices{{{SITE}}} > 0)", "{{kind}}", instant=True),
        width=12, decimals=0, about="Seen by the last survey on the authorised networks. What was switched off is not in it.",
    ),
    panel(
        "timeseries", "Devices over time",
        query(f"netready_devices{{{SITE}}} > 0", "{{kind}}"),
        width=12, decimals=0, custom=STEPS, about="A kind that falls to a step may be a broken switch, or a holiday.",
    ),
    row("Stages of the roadmap"),
    panel(
        "table", "Stage by dimension",
        query(f'sum by (dimension) (netready_stage{{{SITE}, evidence="attested"}})', table=True),
        query(f'sum by (dimension) (netready_stage{{{SITE}, evidence="machine"}})', table=True),
        query(f'sum by (dimension) (netready_stage_criteria{{{SITE}, outcome="unknown"}})', table=True),
        width=14, height=12, decimals=0,
        transformations=joined("dimension", A="With attestations", B="By machine alone", C="Criteria not known"),
        about="1 Entry to 4, the last stage. By machine alone is empty where a machine can know nothing.",
    ),
    panel(
        "bargauge", "Criteria by outcome, attestations included",
        query(f'netready_criteria{{{SITE}, evidence="attested"}}', "{{outcome}}", instant=True),
        width=10, height=12, decimals=0, about="Not known is not the same as not met.",
    ),
    row("The agent"),
    panel(
        "table", "Instruments in the last survey",
        query(f"sum by (instrument) (netready_instrument_success{{{SITE}}})", table=True),
        query(f"sum by (instrument) (netready_instrument_skipped{{{SITE}}})", table=True),
        query(f"sum by (instrument) (netready_instrument_duration_seconds{{{SITE}}})", table=True),
        query(f"sum by (instrument) (netready_instrument_measurements{{{SITE}}})", table=True),
        width=12, height=9, decimals=1,
        transformations=joined("instrument", A="Worked", B="Skipped", C="Seconds", D="Measurements"),
        about="Worked is 0 when the instrument itself broke; a network that fails is work done.",
    ),
    panel(
        "timeseries", "Measurements without a value, by failure",
        query(
            f"sum by (failure) (increase(netready_measurements_failed_total{{{SITE}}}[$__rate_interval]))",
            "{{failure}}",
        ),
        width=6, height=9, custom={**STEPS, "drawStyle": "bars", "fillOpacity": 60},
        about="Counted when a survey ends. The words are netready's closed list of failures.",
    ),
    panel(
        "timeseries", "The agent's own weight",
        query(f'process_resident_memory_bytes{{{SITE}, job="netready"}}', "memory"),
        width=6, height=9, unit="bytes", custom=STEPS, about="Resident memory of the agent.",
    ),
    panel(
        "timeseries", "Processor time",
        query(f'rate(process_cpu_seconds_total{{{SITE}, job="netready"}}[$__rate_interval])', "cores"),
        width=12, height=6, unit="percentunit", custom=STEPS, about="Share of one core; high only while a survey runs.",
    ),
    panel(
        "timeseries", "Surveys",
        query(f"increase(netready_surveys_total{{{SITE}}}[1d])", "completed in a day"),
        query(f"increase(netready_survey_failures_total{{{SITE}}}[1d])", "broken off in a day"),
        query(f"increase(netready_survey_overruns_total{{{SITE}}}[1d])", "left out in a day"),
        width=12, height=6, custom=STEPS, about="Left out: the survey before was still running.",
    ),
]  # fmt: skip


def placed(panels: list[JSON]) -> list[JSON]:
    """The panels with ids and places, left to right and then down; a row begins a new line."""
    out: list[JSON] = []
    x = y = tallest = 0
    for number, each in enumerate(panels, start=1):
        rest = {key: value for key, value in each.items() if key not in {"width", "height"}}
        if x + each["width"] > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        out.append({"id": number, **rest, "gridPos": {"x": x, "y": y, "w": each["width"], "h": each["height"]}})
        x, tallest = x + each["width"], max(tallest, each["height"])
    return out


def variable(name: str, label: str, **more: Any) -> JSON:
    """A drop-down at the top of the page."""
    return {"name": name, "label": label, "hide": 0, "multi": False, "includeAll": False, "options": [], "current": {}, **more}


def dashboard() -> JSON:
    """The whole dashboard."""
    choice = "label_values(netready_build_info, instance)"
    return {
        "uid": "netready-site",
        "title": "netready: one school",
        "description": "Is this school's network ready? The last survey, the judgement and the gate, and how they came about.",
        "tags": ["netready"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-30d", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                variable("datasource", "Data source", type="datasource", query="prometheus", refresh=1),
                variable(
                    "instance",
                    "School",
                    type="query",
                    datasource=DATASOURCE,
                    definition=choice,
                    query={"query": choice, "refId": "instances"},
                    refresh=2,
                    sort=1,
                ),
            ]
        },
        "panels": placed(PANELS),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n")
