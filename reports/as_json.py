"""The report as JSON: all of it, in the canonical bytes that its id was computed from."""

from reports.report import Report, canonical


def render(report: Report) -> bytes:
    """`{"report": {...}}` with sorted keys, and a line end.

    The id can be checked by anyone: set `report_id` to "", hash the inner object's bytes with SHA-256.
    """
    return b'{"report":' + canonical(report) + b"}\n"
