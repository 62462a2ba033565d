"""Charts as SVG: small functions from numbers to markup, no colour of their own.

Strokes and fills are classes that the page's style sheet sets, so that a chart is dark on light, light on dark and black on
paper. Meaning is carried by shape, position and words. Every chart has a title that states its finding and a description.
Text is escaped here; nothing else in a chart comes from outside.
"""

import math
from html import escape

import msgspec

CHARACTER = 0.56  # width of an average character of a system font, in ems; used to keep labels apart
SIZE = 13  # px, the height of a chart's text at its natural width
_GAP = 10  # px between two labels in one row


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


class _Label(msgspec.Struct, frozen=True, kw_only=True):
    """A text that would like its middle at `x`."""

    x: float
    text: str
    css: str = ""


class _Log(msgspec.Struct, frozen=True, kw_only=True):
    """A logarithmic axis from `low` to `high` between the pixels `left` and `right`."""

    low: float
    high: float
    left: float
    right: float

    def x(self, value: float) -> float:
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.left + min(share, 1.0) * (self.right - self.left)


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
    axis = _Log(low=_below(min(values)), high=_above(max(values)), left=beside + 8.0, right=width - 24.0)
    head, row_height, foot = 24.0, 66.0 if beside else 88.0, 24.0
    height = head + row_height * len(tracks) + foot
    bottom = head + row_height * len(tracks)
    parts = [_decades(axis, head, bottom)]
    for target, y in _stacked([_Label(x=axis.x(target.value), text=target.label) for target in targets], axis, 14.0, -14.0):
        parts.append(_line(target.x, head - 6, target.x, bottom, "target"))
        parts.append(_text(target, axis, y, "strong"))
    for number, track in enumerate(tracks):
        parts.append(_track(track, axis, head + row_height * number, row_height, beside=beside))
    return _svg(name, title, description, width, height, parts)


def _numbers(track: Track) -> list[float]:
    found = [track.value, track.contract, track.used, *(track.interval or ())]
    return [number for number in found if number is not None and number > 0]


def _track(track: Track, axis: _Log, top: float, height: float, *, beside: int) -> str:
    middle = top + height - 34.0
    parts = []
    if beside:
        parts.append(f'<text x="0" y="{middle + 4:.1f}" class="strong">{escape(track.title)}</text>')
    else:
        parts.append(f'<text x="0" y="{top + 16:.1f}" class="strong">{escape(track.title)}</text>')
    if track.value is None:
        parts.append(_line(axis.left, middle, axis.right, middle, "unknown"))
        parts.append(_text(_Label(x=axis.left, text=track.told, css="strong"), axis, middle - 10, "start"))
    else:
        parts.append(_line(axis.left, middle, axis.right, middle, "track"))
        parts.append(_point(track, track.value, axis, middle))
    parts.append(_beside(track, axis, middle))
    return "".join(parts)


def _point(track: Track, value: float, axis: _Log, y: float) -> str:
    x = axis.x(value)
    parts = []
    if track.interval is not None:
        low, high = (axis.x(end) for end in track.interval)
        parts.append(f'<rect x="{low:.1f}" y="{y - 4:.1f}" width="{max(high - low, 1.0):.1f}" height="8" class="interval"/>')
    if track.at_least:
        end = min(x + 30, axis.right + 12)
        parts.append(_line(x, y, end, y, "arrow"))
        parts.append(f'<path d="M{end - 5:.1f} {y - 4:.1f}L{end:.1f} {y:.1f}L{end - 5:.1f} {y + 4:.1f}" class="arrow"/>')
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" class="point"/>')
    parts.append(_text(_Label(x=x, text=track.told), axis, y - 11, "strong"))
    return "".join(parts)


def _beside(track: Track, axis: _Log, y: float) -> str:
    """The quantities that the point is to be seen beside: their marks on the line, their labels under it."""
    parts = []
    labels = []
    for value, told, mark in ((track.used, track.used_told, _tick), (track.contract, track.contract_told, _diamond)):
        if value is not None:
            parts.append(mark(axis.x(value), y))
            labels.append(_Label(x=axis.x(value), text=told))
    unknown = [
        told
        for value, told in ((track.used, track.used_told), (track.contract, track.contract_told))
        if value is None
    ]
    parts += [_text(label, axis, row, "") for label, row in _stacked(labels, axis, y + 20, 14.0)]
    if unknown:
        # At the far end from the known labels, so that nothing on the scale can be taken for it.
        left = not labels or min(label.x for label in labels) > (axis.left + axis.right) / 2
        text = "; ".join(unknown)
        x = axis.left if left else axis.right
        parts.append(_text(_Label(x=x, text=text), axis, y + 20 + (14 if _crowded(text, labels, axis) else 0), "quiet"))
    return "".join(parts)


def _crowded(text: str, labels: list[_Label], axis: _Log) -> bool:
    room = axis.right - axis.left - _wide(text) - _GAP
    return sum(_wide(label.text) + _GAP for label in labels) > room / 2


def _tick(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y + 1:.1f}l-5 9h10z" class="used"/>'


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z" class="contract"/>'


def _decades(axis: _Log, top: float, bottom: float) -> str:
    parts = []
    value = axis.low
    while value <= axis.high * 1.001:
        x = axis.x(value)
        parts.append(_line(x, top, x, bottom, "grid"))
        parts.append(_text(_Label(x=x, text=f"{value:,.10g}"), axis, bottom + 16, "quiet"))
        value *= 10
    return "".join(parts)


def bars(rows: tuple[Bar, ...], *, name: str, title: str, description: str, width: int) -> str:
    """Horizontal bars in the order given, each with its label in front and its number behind."""
    step, thick = 24.0, 12.0
    left = min(max(_wide(row.label) for row in rows) + _GAP, width * 0.6)
    largest = max(max(row.value for row in rows), 1)
    room = width - left - max(_wide(f"{row.value:,}") for row in rows) - _GAP
    parts = []
    for number, row in enumerate(rows):
        y = number * step + step / 2
        length = max(room * row.value / largest, 2.0)
        css = "bar open" if row.open else "bar"
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" class="end">{escape(row.label)}</text>')
        parts.append(f'<rect x="{left:.1f}" y="{y - thick / 2:.1f}" width="{length:.1f}" height="{thick:.1f}" class="{css}"/>')
        parts.append(f'<text x="{left + length + 6:.1f}" y="{y + 4:.1f}" class="strong">{row.value:,}</text>')
    parts.append(_line(left, 0, left, step * len(rows), "axis"))
    return _svg(name, title, description, width, step * len(rows), parts)


def _svg(name: str, title: str, description: str, width: float, height: float, parts: list[str]) -> str:
    return (
        f'<svg class="chart" role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}"><title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def _text(label: _Label, axis: _Log, y: float, css: str) -> str:
    """The label around its x, moved as little as keeps all of it inside the drawing."""
    half = _wide(label.text) / 2
    left, right = axis.left - 8, axis.right + 24
    x = min(max(label.x, left + half), max(right - half, left + half))
    classes = " ".join(part for part in ("middle", css, label.css) if part and part != "start")
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}">{escape(label.text)}</text>'


def _stacked(labels: list[_Label], axis: _Log, first: float, step: float) -> list[tuple[_Label, float]]:
    """Each label with a y at which it does not touch another: in the first row where it fits."""
    ends: list[float] = []
    placed = []
    for label in sorted(labels, key=lambda label: label.x):
        half = _wide(label.text) / 2
        start = min(max(label.x - half, axis.left - 8), axis.right + 24 - 2 * half)
        row = next((row for row, end in enumerate(ends) if end + _GAP <= start), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = start + 2 * half
        placed.append((label, first + step * row))
    return placed


def _wide(text: str) -> float:
    return len(text) * CHARACTER * SIZE


def _below(value: float) -> float:
    """The decade at or below `value`, at most 10, so that two reports are usually drawn on the same scale."""
    return min(10.0, 10.0 ** math.floor(math.log10(value)))


def _above(value: float) -> float:
    """The next 1, 2 or 5 times a decade above `value`, at least 2,000."""
    decade = 10.0 ** math.floor(math.log10(value))
    return max(2_000.0, next(step * decade for step in (1, 2, 5, 10) if step * decade >= value))
