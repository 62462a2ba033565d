"""They explain: one judgement, one renderer for each format. Nothing here measures, weighs or decides."""

from collections.abc import Callable
from importlib import import_module

import msgspec

from reports.report import Report


class Renderer(msgspec.Struct, frozen=True, kw_only=True):
    """One format.

    suffix   of the file, with its dot
    render   the report as text, or as bytes when the format is not text
    """

    name: str
    media_type: str
    suffix: str
    render: Callable[[Report], str | bytes]


def _later(module: str) -> Callable[[Report], str | bytes]:
    """`render` of `module`, imported when it is first used: `netready --help` has no need of a template engine."""

    def render(report: Report) -> str | bytes:
        found: Callable[[Report], str | bytes] = import_module(module).render
        return found(report)

    return render


RENDERERS: dict[str, Renderer] = {
    renderer.name: renderer
    for renderer in (
        Renderer(name="html", media_type="text/html; charset=utf-8", suffix=".html", render=_later("reports.as_html")),
        Renderer(name="json", media_type="application/json", suffix=".json", render=_later("reports.as_json")),
        Renderer(name="csv", media_type="text/csv; charset=utf-8", suffix=".csv", render=_later("reports.as_csv")),
        Renderer(
            name="fit-gap",
            media_type="text/csv; charset=utf-8",
            suffix=".fit-gap.csv",
            render=_later("reports.fit_gap_csv"),
        ),
    )
}
