"""What may be demanded of a number: which metrics are counted by role, by kind, or day by day, and the check of a bound.

The roadmap's bounds and the gate's rules ask in the same words and are refused in the same sentences.
"""

import math
from collections.abc import Collection

from netready.device import Kind
from netready.refusal import Unfit, quoted
from netready.site import Role

_CHECKED = frozenset({"platform_success", "platform_time_p95", "platform_hosts"})
_JOBS = frozenset({"five_jobs_success", "seven_jobs_success"})
BY_ROLE = _CHECKED | {"platform_certificate_left"}
BY_KIND = frozenset({"devices"})
# Sampled over school days, so that one good day proves little; everything else is counted or written down once.
DAILY = frozenset({"internet_down_per_1000", "internet_up_per_1000"}) | _CHECKED | _JOBS
# Shares of the site's own rules and of jobs (see `access` and `jobs`), whose note names what keeps them down.
_OWN = {
    "single_sign_on",
    "filter_blocks",
    "filter_open",
    "filter_tiers",
    "network_rules",
    "stored_material",
    "circuits_working",
}
RULES = _JOBS | _OWN
# The parts of the fit-gap analysis that are known, and what each comparison is about (see `compared`).
COMPARISONS = {
    "fit_gap_hardware": "the classrooms' hardware",
    "fit_gap_wireless": "the wireless network",
    "fit_gap_line": "the line",
    "fit_gap_servers": "own servers with online services",
    "fit_gap_growth": "the growth of traffic",
}


def check(
    file: str,
    path: str,
    *,
    metric: str,
    metrics: Collection[str],
    role: Role | None,
    kind: Kind | None,
    at_least: float | None,
    at_most: float | None,
    min_days: int,
) -> None:
    """Raises Unfit, with the path to the field, for a demand that no measurement could ever answer."""
    if metric not in metrics:
        raise Unfit(
            file, f"{path}.metric", f"{quoted(metric)} is measured by nobody; known metrics are listed by `netready metrics`"
        )
    _check_narrowing(file, path, metric, role, kind)
    _check_limits(file, path, at_least, at_most)
    if min_days > 1 and metric not in DAILY:
        raise Unfit(file, f"{path}.min_days", f"expected 1; {metric} is counted once, not day by day")


def _check_narrowing(file: str, path: str, metric: str, role: Role | None, kind: Kind | None) -> None:
    if role is not None and metric not in BY_ROLE:
        raise Unfit(file, f"{path}.role", f"expected no role; {metric} is not counted by role")
    if role is None and metric in BY_ROLE:
        raise Unfit(file, f"{path}.role", f"expected a role; {metric} is counted for each role of endpoint")
    if kind is not None and metric not in BY_KIND:
        raise Unfit(file, f"{path}.kind", f"expected no kind; {metric} is not counted by kind of device")
    if kind is None and metric in BY_KIND:
        raise Unfit(file, f"{path}.kind", f"expected a kind; {metric} is counted for each kind of device")


def _check_limits(file: str, path: str, at_least: float | None, at_most: float | None) -> None:
    if at_least is None and at_most is None:
        raise Unfit(file, path, "expected at_least or at_most, or both")
    for field, limit in (("at_least", at_least), ("at_most", at_most)):
        if limit is not None and not math.isfinite(limit):
            raise Unfit(file, f"{path}.{field}", "expected a finite number")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise Unfit(file, f"{path}.at_least", f"expected at most {at_most:g}, which is at_most; got {at_least:g}")
