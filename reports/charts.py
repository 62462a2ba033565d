"""Charts as SVG: small functions from numbers to markup, no colour of their own.

Strokes and fills are classes that the page's style sheet sets, so that a chart is dark on light, light on dark and black on
paper. Meaning is carried by shape, position and words. Every chart has a title that states its finding and a description.
Text is cleaned and escaped here; nothing else in a chart comes from outside.
"""

import math
from collections.abc import Sequence
from html import escape

import msgspec

from netready.text import clean
from reports.labels import ROW, Label, Placed, place

_TEXT = 400  # characters of one text
_BEFORE, _AFTER = 8.0, 24.0  # px beside the axis, for labels and arrows at its ends


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A line to be reached; `value` on the chart's scale, `label` in words."""

    value: float
    label: str


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a range chart. Values on the chart's scale; None is unknown and is drawn as unknown.

    at_least  the true value is this or more: an arrow leads away from the point
    told      what the point's label says, number and interval
    contract, used  other quantities on the same scale, each with its label
    """

    title: str
    value: float | None
    interval: tuple[float, float] | None
    at_least: bool
    told: str
    contract: float | None
    contract_told: str
    used: float | None
    used_told: str


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a bar chart. An `open` bar is drawn as an outline: something we do not know the kind of."""

    label: str
    value: int
    open: bool = False


class _Log(msgspec.Struct, frozen=True, kw_only=True):
    """A logarithmic axis from `low` to `high` between the pixels `left` and `right`, and the targets' pixels."""

    low: float
    high: float
    left: float
    right: float
    targets: tuple[float, ...] = ()

    def x(self, value: float) -> float:
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.left + min(share, 1.0) * (self.right - self.left)

    def labelled(self, labels: Sequence[Label]) -> list[Placed]:
        """The labels placed within the drawing, off the targets' lines."""
        return place(labels, left=self.left - _BEFORE, right=self.right + _AFTER, lines=self.targets)


def ranges(
    tracks: tuple[Track, ...],
    targets: tuple[Target, ...],
    *,
    name: str,
    title: str,
    description: str,
    width: int,
    beside: int = 0,
) -> str:
    """Rows of a point with its interval on one log scale, with targets as lines through all of them.

    `beside` is the room for row titles left of the axis, px; 0 puts them above their row. `name` makes the ids unique.
    """
    values = [number for track in tracks for number in _numbers(track)] + [target.value for target in targets]
    axis = _Log(low=_below(min(values)), high=_above(max(values)), left=beside + _BEFORE, right=width - _AFTER)
    axis = msgspec.structs.replace(axis, targets=tuple(axis.x(target.value) for target in targets))
    labels = place(
        [Label(x=axis.x(target.value), text=target.label, css="strong") for target in targets],
        left=0,
        right=width,
        anchors=("middle", "start", "end"),
    )
    rows = max((placed.row for placed in labels), default=0)
    top = 24.0 + ROW * rows
    drawn = []
    bottom = top
    for track in tracks:
        row, height = _track(track, axis, bottom, beside=bool(beside))
        drawn.append(row)
        bottom += height
    parts = [_decades(axis, top, bottom)]
    parts += [_line(x, top - 6, x, bottom, "target") for x in axis.targets]
    parts += [_text(placed, 14.0 + ROW * (rows - placed.row)) for placed in labels]
    return _svg(name, title, description, [*parts, *drawn], width=width, height=bottom + 22)


def _numbers(track: Track) -> list[float]:
    found = [track.value, track.contract, track.used, *(track.interval or ())]
    return [number for number in found if number is not None and number > 0]


def _track(track: Track, axis: _Log, top: float, *, beside: bool) -> tuple[str, float]:
    """The row's markup and its height."""
    unknown = [told for value, told in ((track.contract, track.contract_told), (track.used, track.used_told)) if value is None]
    middle = top + (26.0 if beside else 46.0 + (ROW + 2) * len(unknown))
    head = middle + 4 if beside else top + 18
    parts = [f'<text x="0" y="{head:.1f}" class="strong">{_said(track.title)}</text>']
    parts += [
        f'<text x="0" y="{head + 3 + ROW * n:.1f}" class="quiet">{_said(told)}</text>' for n, told in enumerate(unknown, 1)
    ]
    if track.value is None:
        parts.append(_line(axis.left, middle, axis.right, middle, "unknown"))
        (label,) = axis.labelled([Label(x=axis.left, text=track.told, css="strong")])
    else:
        parts.append(_line(axis.left, middle, axis.right, middle, "track"))
        (label,) = axis.labelled([Label(x=axis.x(track.value), text=track.told, css="strong")])
    parts.append(_text(label, middle - 11))
    marks, rows = _compared(track, axis, middle)
    parts.append(marks)
    if track.value is not None:
        parts.append(_point(track, track.value, axis, middle))
    rows = max(rows, len(unknown) if beside else 0, 1)
    return "".join(parts), middle - top + 20 + ROW * rows


def _point(track: Track, value: float, axis: _Log, y: float) -> str:
    x = axis.x(value)
    parts = []
    if track.interval is not None:
        low, high = (axis.x(end) for end in track.interval)
        parts.append(f'<rect x="{low:.1f}" y="{y - 4:.1f}" width="{max(high - low, 1.0):.1f}" height="8" class="interval"/>')
    if track.at_least:
        end = min(x + 30, axis.right + _AFTER / 2)
        parts.append(_line(x, y, end, y, "arrow"))
        parts.append(f'<path d="M{end - 5:.1f} {y - 4:.1f}L{end:.1f} {y:.1f}L{end - 5:.1f} {y + 4:.1f}" class="arrow"/>')
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" class="point"/>')
    return "".join(parts)


def _compared(track: Track, axis: _Log, y: float) -> tuple[str, int]:
    """What the point is to be seen beside: marks on the line, labels under it; and how many rows the labels take."""
    quantities = ((track.used, track.used_told, _tick), (track.contract, track.contract_told, _diamond))
    known = [(axis.x(value), told, mark) for value, told, mark in quantities if value is not None]
    placed = axis.labelled([Label(x=x, text=told) for x, told, _ in known])
    parts = [mark(x, y) for x, _, mark in known]
    parts += [_text(each, y + 21 + ROW * each.row) for each in placed]
    return "".join(parts), 1 + max((each.row for each in placed), default=0)


def _tick(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y + 1:.1f}l-5 9h10z" class="used"/>'


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z" class="contract"/>'


def _decades(axis: _Log, top: float, bottom: float) -> str:
    parts = []
    value = axis.low
    while value <= axis.high * 1.001:  # a decade that rounding left a hair above the end still counts
        x = axis.x(value)
        parts.append(_line(x, top, x, bottom, "grid"))
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15:.1f}" class="middle quiet">{value:,.10g}</text>')
        value *= 10
    return "".join(parts)


def bars(rows: tuple[Bar, ...], *, name: str, title: str, description: str, width: int) -> str:
    """Horizontal bars in the order given, each with its label in front and its number behind."""
    step, thick = 24.0, 12.0
    left = min(max(Label(x=0, text=row.label).width for row in rows) + 8, width * 0.65)
    largest = max(1, *(row.value for row in rows))
    room = width - left - max(Label(x=0, text=f"{row.value:,}").width for row in rows) - 10
    parts = []
    for number, row in enumerate(rows):
        y = number * step + step / 2
        length = max(room * row.value / largest, 2.0)
        css = "bar open" if row.open else "bar"
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" class="end">{_said(row.label)}</text>')
        parts.append(f'<rect x="{left:.1f}" y="{y - thick / 2:.1f}" width="{length:.1f}" height="{thick:.1f}" class="{css}"/>')
        parts.append(f'<text x="{left + length + 6:.1f}" y="{y + 4:.1f}" class="strong">{row.value:,}</text>')
    parts.append(_line(left, 0, left, step * len(rows), "axis"))
    return _svg(name, title, description, parts, width=width, height=step * len(rows))


def _svg(name: str, title: str, description: str, parts: list[str], *, width: float, height: float) -> str:
    return (
        f'<svg class="chart" role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}"><title id="{name}-t">{_said(title)}</title>'
        f'<desc id="{name}-d">{_said(description)}</desc>{"".join(parts)}</svg>'
    )


def _said(text: str) -> str:
    return escape(clean(text, limit=_TEXT))


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def _text(placed: Placed, y: float) -> str:
    classes = f"{placed.anchor} {placed.label.css}".strip()
    return f'<text x="{placed.x:.1f}" y="{y:.1f}" class="{classes}">{_said(placed.label.text)}</text>'


def _below(value: float) -> float:
    """The decade at or below `value`, at most 10, so that two reports are usually drawn on the same scale."""
    return min(10.0, 10.0 ** math.floor(math.log10(value)))


def _above(value: float) -> float:
    """The next 1, 2 or 5 times a decade at or above `value`, at least 2,000."""
    decade = 10.0 ** math.floor(math.log10(value))
    return max(2_000.0, next(step * decade for step in (1, 2, 5, 10) if step * decade >= value))
