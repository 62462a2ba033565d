"""Quantile regression, small and plain: what a band's constants are found with."""

import math
from collections.abc import Sequence


def quantile(rows: Sequence[Sequence[float]], truth: Sequence[float], share: float) -> list[float]:
    """Weights of a linear quantile regression, by least squares with weights that are found again and again."""
    weights = [1.0] * len(rows)
    found = [0.0] * len(rows[0])
    for _ in range(200):
        found = _solve(rows, truth, weights)
        left = [y - math.fsum(map(math.prod, zip(found, row, strict=True))) for row, y in zip(rows, truth, strict=True)]
        weights = [(share if one > 0 else 1 - share) / max(abs(one), 1e-4) for one in left]
    return found


def _solve(rows: Sequence[Sequence[float]], truth: Sequence[float], weights: Sequence[float]) -> list[float]:
    size = len(rows[0])
    table = [
        [math.fsum(w * row[i] * row[j] for row, w in zip(rows, weights, strict=True)) for j in range(size)]
        + [math.fsum(w * row[i] * y for row, y, w in zip(rows, truth, weights, strict=True))]
        for i in range(size)
    ]
    for pivot in range(size):
        best = max(range(pivot, size), key=lambda index: abs(table[index][pivot]))
        table[pivot], table[best] = table[best], table[pivot]
        for other in range(size):
            if other != pivot:
                factor = table[other][pivot] / table[pivot][pivot]
                table[other] = [a - factor * b for a, b in zip(table[other], table[pivot], strict=True)]
    return [table[index][size] / table[index][index] for index in range(size)]
