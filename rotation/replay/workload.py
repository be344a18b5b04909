"""How an answer's time depends on its size: t = a + b * prompt tokens + c * answer tokens, none of them negative.

Least squares of the relative error (each row weighs 1/t^2), because latencies spread by factors; a coefficient that
comes out negative is dropped and the rest fitted again. What is left, measured over fitted, is a row's own luck: an
attempt of another size takes its fitted time times that luck, so that latencies are compared at equal work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

ENOUGH = 12  # rows below which size explains nothing
LEAST = 1e-3  # seconds: nothing is answered in less
WIDEST = 50.0  # the most one row's luck may be, either way


@dataclass(frozen=True, slots=True)
class Fit:
    """Seconds = base + per_prompt * prompt tokens + per_answer * answer tokens."""

    base: float
    per_prompt: float = 0.0
    per_answer: float = 0.0

    def seconds(self, prompt: int, answer: int) -> float:
        return max(self.base + self.per_prompt * prompt + self.per_answer * answer, LEAST)

    def luck(self, seconds: float, prompt: int, answer: int) -> float:
        """What was measured over what was to be expected at that size."""
        return min(max(seconds / self.seconds(prompt, answer), 1 / WIDEST), WIDEST)


def fit(rows: Sequence[tuple[float, int, int]]) -> Fit:
    """The fit of (seconds, prompt tokens, answer tokens); the median where there are too few to tell sizes apart."""
    rows = [(max(t, LEAST), p, a) for t, p, a in rows]
    if not rows:
        return Fit(1.0)
    middle = Fit(median(t for t, _, _ in rows))
    if len(rows) < ENOUGH:
        return middle
    columns = [0, 1, 2]
    while columns:
        found = _solved(rows, columns)
        if found is None:
            columns.pop()
            continue
        worst = min(columns, key=lambda c: found[c])
        if found[worst] >= 0:
            return Fit(*(found.get(c, 0.0) for c in range(3)))
        columns.remove(worst)
    return middle


def _solved(rows: Sequence[tuple[float, int, int]], columns: Sequence[int]) -> dict[int, float] | None:
    """The normal equations for these columns of (1, prompt, answer); None when they do not have one solution."""
    n = len(columns)
    matrix = [[0.0] * (n + 1) for _ in range(n)]
    for seconds, prompt, answer in rows:
        x = [(1.0, prompt, answer)[c] / seconds for c in columns]
        for i in range(n):
            for j in range(n):
                matrix[i][j] += x[i] * x[j]
            matrix[i][n] += x[i]
    return dict(zip(columns, found, strict=True)) if (found := _gauss(matrix)) else None


def _gauss(matrix: list[list[float]]) -> list[float] | None:
    """Elimination without pivoting (the matrix is positive semi-definite); None when a row is made of those before."""
    n = len(matrix)
    before = [matrix[i][i] for i in range(n)]
    for i in range(n):
        if matrix[i][i] <= 1e-9 * before[i] or before[i] <= 0:
            return None
        for row in range(i + 1, n):
            factor = matrix[row][i] / matrix[i][i]
            for column in range(i, n + 1):
                matrix[row][column] -= factor * matrix[i][column]
    found = [0.0] * n
    for i in reversed(range(n)):
        found[i] = (matrix[i][n] - sum(matrix[i][j] * found[j] for j in range(i + 1, n))) / matrix[i][i]
    return found
