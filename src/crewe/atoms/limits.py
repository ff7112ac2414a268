"""What keeps the iterations of a fit from running away."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from crewe.atoms.equations import HEIGHT, WIDTH, ColumnModel, X, Y
from crewe.atoms.stamps import Array, Mask

# No column moves further than this part of its width in one iteration.
LONGEST_STEP_WIDTHS = 0.3
WIDTH_RANGE = (0.4, 2.5)


@dataclass(frozen=True)
class Limits:
    """Where columns may go: not past half-way to the neighbour they started beside.

    `home` (N, 2) and `reach` (N,) bound the positions, `narrowest` and `widest` (N,) the widths.
    """

    home: Array
    reach: Array
    narrowest: Array
    widest: Array

    @classmethod
    def around(cls, model: ColumnModel) -> "Limits":
        """Limits around a starting model."""
        home = model.columns[:, [X, Y]].copy()
        width = model.columns[:, WIDTH]
        reach = 3 * width
        if len(home) > 1:
            distance, _ = cKDTree(home).query(home, k=2)
            reach = np.minimum(reach, 0.5 * distance[:, 1])
        pixel = min(model.grid.step_y, model.grid.step_x)
        narrowest = np.maximum(WIDTH_RANGE[0] * width, 0.3 * pixel)
        return cls(home, reach, narrowest, WIDTH_RANGE[1] * width)

    def shorten(self, model: ColumnModel, step: Array) -> Array:
        """The step with moves and changes of width that the expansion can still describe."""
        step = step.copy()
        columns = step[: model.columns.size].reshape(-1, 4)
        width = model.columns[:, WIDTH]
        length = np.maximum(np.hypot(columns[:, X], columns[:, Y]), 1e-300)
        columns[:, X : Y + 1] *= np.minimum(1, LONGEST_STEP_WIDTHS * width / length)[:, None]
        columns[:, WIDTH] = np.clip(columns[:, WIDTH], -0.1 * width, 0.1 * width)
        return step

    def apply(self, model: ColumnModel, step: Array) -> ColumnModel:
        """The model after the step, brought back inside the limits."""
        moved = model.moved(step)
        columns = moved.columns.copy()
        # A column needs some height to have a place at all.
        least = 0.01 * np.median(np.abs(columns[:, HEIGHT]))
        columns[:, HEIGHT] = np.maximum(columns[:, HEIGHT], least)
        columns[:, WIDTH] = np.clip(columns[:, WIDTH], self.narrowest, self.widest)
        away = columns[:, [X, Y]] - self.home
        distance = np.maximum(np.hypot(*away.T), 1e-300)
        columns[:, [X, Y]] = self.home + away * np.minimum(1, self.reach / distance)[:, None]
        return replace(moved, columns=columns)

    def reached(self, model: ColumnModel) -> Mask:
        """Columns that stand at their limit."""
        away = np.hypot(*(model.columns[:, [X, Y]] - self.home).T)
        return away > 0.99 * self.reach


class Damping:
    """Slows down what steps back and forth, column by column, and all when no step leads down."""

    def __init__(self, count: int) -> None:
        self.general = 0.0
        self.factor = np.zeros(count)
        self.previous = np.zeros((count, 2))

    def observe(self, moves: Array) -> None:
        """Learn from the (x, y) moves of an iteration."""
        turned = np.sum(moves * self.previous, axis=1)
        turned = turned < -0.1 * np.sum(self.previous**2, axis=1)
        self.factor = np.where(turned, np.maximum(2 * self.factor, 0.5), 0.7 * self.factor)
        self.previous = moves

    def tune(self, accepted: bool) -> None:
        """Damp all parameters more after a step that had to be rejected, less after others."""
        self.general = 0.2 * self.general if accepted else max(5 * self.general, 0.1)

    def added_to(self, information: sparse.csr_array, own: int) -> sparse.csr_array:
        """The information matrix with the damping on its diagonal."""
        count, diagonal = len(self.factor), information.diagonal()
        extra = self.general * diagonal
        if own >= 3:  # positions are fitted
            positions = diagonal[: own * count].reshape(count, own)[:, X : Y + 1]
            added = extra[: own * count].reshape(count, own)
            added[:, X : Y + 1] += self.factor[:, None] * positions + 0.02 * np.median(positions)
        return (information + sparse.diags_array(extra)).tocsr()
