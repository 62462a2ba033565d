"""Where the labels of a chart go: beside what they name, inside the drawing, off each other and off the lines."""

from collections.abc import Sequence
from itertools import product

import msgspec

CHARACTER = 0.58  # width of an average character of a system font, in ems; bold ones are wider, hence a little more
SIZE = 13  # px, the height of a chart's text at its natural width
ROW = 14.0  # px from one row of labels to the next
_GAP = 8.0  # px kept free between two labels of one row
_HANG = 6.0  # px by which a label that begins or ends at its mark reaches past the mark's middle


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A text that belongs to the mark at `x`; `css` are its classes."""

    x: float
    text: str
    css: str = ""

    @property
    def width(self) -> float:
        """About how wide it is, px."""
        return len(self.text) * CHARACTER * SIZE


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A label with its place: `anchor` is what `x` is the x of; `row` counts away from the mark, from 0."""

    label: Label
    x: float
    anchor: str
    row: int
    left: float

    @property
    def right(self) -> float:
        """Where it ends, px."""
        return self.left + self.label.width


def place(
    labels: Sequence[Label],
    *,
    left: float,
    right: float,
    lines: Sequence[float] = (),
    anchors: tuple[str, ...] = ("start", "middle", "end"),
) -> list[Placed]:
    """Each label where it lies best between `left` and `right`: nearest to its mark, and across the fewest `lines`.

    `anchors` says how a label may hang on its mark, the preferred way first.
    """
    placed: list[Placed] = []
    for label in sorted(labels, key=lambda label: label.x):
        found = [_hung(label, anchor, row, left, right) for row, anchor in product(range(len(labels)), anchors)]
        free = [each for each in found if not any(_touch(each, other) for other in placed)]
        placed.append(min(free, key=lambda each: (_crossed(each, lines) + 1.5 * each.row, each.row)))
    return placed


def _hung(label: Label, anchor: str, row: int, left: float, right: float) -> Placed:
    """The label hung on its mark, and moved as little as keeps it inside."""
    offset = {"start": 0.0, "middle": label.width / 2, "end": label.width}[anchor]
    hang = {"start": -_HANG, "middle": 0.0, "end": _HANG}[anchor]
    inside = max(min(label.x + hang - offset, right - label.width), left)
    return Placed(label=label, x=inside + offset, anchor=anchor, row=row, left=inside)


def _touch(one: Placed, other: Placed) -> bool:
    return one.row == other.row and one.left < other.right + _GAP and other.left < one.right + _GAP


def _crossed(placed: Placed, lines: Sequence[float]) -> int:
    return sum(placed.left - 2 < line < placed.right + 2 for line in lines)
