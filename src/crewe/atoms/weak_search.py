"""The search for weak columns: propose places, fit all jointly, keep what has evidence."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from crewe.atoms.equations import HEIGHT, WIDTH, ColumnModel, X, Y
from crewe.atoms.noise import NoiseModel
from crewe.atoms.stamps import Array, Index, Mask
from crewe.atoms.weak_candidates import candidate_places, excess_noise, score_map, stamp
from crewe.atoms.weak_evidence import Likelihood, log_odds, maximise

ROUNDS = 5
# The score holds the neighbours still, which hides a part of what a joint fit may find.
SHARE_SEEN = 0.8


@dataclass(frozen=True)
class Task:
    """What is given: the image, its noise as a function of (residual, expected), and the priors."""

    data: Array
    noise: Callable[[Array, Array], NoiseModel]
    counts: bool
    mask: Mask
    """Pixels in which a column may be added."""
    least: float
    """Least height of an added column."""
    greatest: float
    """Greatest height of an added column."""
    most: int
    """Most columns added."""
    tried: int
    """Most columns fitted at a time; what is left out of the fit would pass for noise."""
    closest: float
    """Least distance of an added column from any other."""
    weak_kind: int
    """Kind of column whose width the added ones share."""


@dataclass(frozen=True)
class State:
    """A model, sorted by y as it must be, and what each of its columns is."""

    model: ColumnModel
    order: Index
    """Number of each column: 0 … known − 1 as given, then the added ones."""
    kinds: Index
    """Columns of a kind share their width."""
    known: int
    """Columns given."""

    @property
    def added(self) -> Index:
        """Places of the added columns in the model."""
        return np.flatnonzero(self.order >= self.known)

    @property
    def places(self) -> Array:
        """Positions (x, y) of all columns, (N, 2)."""
        return self.model.columns[:, [X, Y]]

    def weak_width(self, kind: int) -> float:
        """Width of the columns of a kind."""
        return float(np.median(self.model.columns[self.kinds == kind, WIDTH]))

    def with_columns(self, new: Array, kind: int) -> "State":
        """The state with more columns (n, 4)."""
        columns = np.concatenate([self.model.columns, new])
        numbers = max(int(self.order.max()) + 1, self.known) + np.arange(len(new))
        order = np.concatenate([self.order, numbers])
        kinds = np.concatenate([self.kinds, np.full(len(new), kind)])
        rank = np.argsort(columns[:, Y], kind="stable")
        model = replace(self.model, columns=columns[rank])
        return State(model, order[rank], kinds[rank], self.known)

    def without(self, members: Index) -> "State":
        """The state without some of its columns."""
        model = replace(self.model, columns=np.delete(self.model.columns, members, axis=0))
        order, kinds = np.delete(self.order, members), np.delete(self.kinds, members)
        return State(model, order, kinds, self.known)


class Surroundings:
    """Likelihood and score map around a state: the noise as its residual shows it."""

    def __init__(self, task: Task, state: State) -> None:
        model, expected = state.model, state.model.image()
        residual = task.data - expected
        noise = task.noise(residual, expected)
        plain = Likelihood.of(task.data, expected, noise, task.counts)
        self.width = state.weak_width(task.weak_kind)
        peak = stamp(model.peak, self.width, model.grid)
        score, error = score_map(residual, plain.weight(expected), peak)
        self.excess = excess_noise(score, task.mask)
        self.likelihood = replace(plain, excess=self.excess)
        self.score, self.error = score / self.excess, error * self.excess
        area = float(task.mask.sum()) * model.grid.step_y * model.grid.step_x
        self.volume = area * (task.greatest - task.least)
        self.lone_error = float(np.median(self.error[task.mask]))

    def least_ratio(self, columns: int = 1) -> float:
        """Height over standard error at which one of `columns` alike has even odds.

        A lone Gaussian peak on even ground, whose position is known to √2·width/ratio.
        """
        cell = (2 * np.pi) ** 1.5 * self.lone_error * 2 * self.width**2
        rest = np.log(columns * cell / self.volume)

        def odds(ratio: float) -> float:
            return float(0.5 * ratio**2 - 2 * np.log(ratio) + rest)

        lowest = np.sqrt(2)  # where the odds are least
        return float(lowest) if odds(lowest) >= 0 else float(brentq(odds, lowest, 100.0))


def propose_and_fit(
    task: Task, state: State, tell: Callable[[float], None]
) -> tuple[State, Surroundings, Array]:
    """State with all columns that might have a place among some number of them.

    Returns it fitted, its surroundings, and the log odds of those tried and given up.
    """
    around = Surroundings(task, state)
    state = _fitted(state, around)
    tried, hopeless = np.zeros((0, 2)), np.zeros(0)
    for turn in range(ROUNDS):
        around = Surroundings(task, state)
        new = _candidates(task, state, around, tried)
        if not len(new):
            break
        tried = np.concatenate([tried, new[:, [X, Y]]])
        state = _fitted(state.with_columns(new, task.weak_kind), around)
        around = Surroundings(task, state)
        state, odds = _prune(task, _fitted(state, around), around, task.tried)
        hopeless = np.concatenate([hopeless, odds])
        tell((turn + 1) / ROUNDS)
    return state, around, hopeless


def choose(task: Task, state: State, around: Surroundings) -> tuple[State, Array, Array]:
    """State with the likeliest number of columns, their log odds, and those of the dropped.

    Odds are without the factor of their number.
    """
    odds = _odds(task, state, around)
    number = int(np.argmax(log_curve(np.sort(odds)[::-1][: task.most])))
    losers = np.argsort(-odds, kind="stable")[number:]
    dropped = odds[losers]
    state = _fitted(state.without(state.added[losers]), around)
    while len(state.added):
        before = len(state.added)
        state, gone = _prune(task, state, around, before)
        dropped = np.concatenate([dropped, gone])
        if len(state.added) == before:
            break
    return state, _odds(task, state, around), dropped


def log_curve(odds: Array) -> Array:
    """Natural log of the probability of 0, 1, … columns relative to none, in the order given.

    One after another brings its odds, and the k-th the factor k of exchangeable columns.
    """
    numbers = np.arange(1, len(odds) + 1)
    return np.concatenate([[0.0], np.cumsum(odds + np.log(numbers))])


def _fitted(state: State, around: Surroundings) -> State:
    return replace(state, model=maximise(state.model, around.likelihood, state.kinds))


def _odds(task: Task, state: State, around: Surroundings) -> Array:
    """Log odds of each added column; −∞ where it has left the range of the prior."""
    members = state.added
    odds = log_odds(state.model, around.likelihood, state.kinds, members, around.volume)
    height, x, y, _ = state.model.columns[members].T
    grid = state.model.grid
    row, column = np.round(y / grid.step_y).astype(int), np.round(x / grid.step_x).astype(int)
    inside = (row >= 0) & (row < grid.rows) & (column >= 0) & (column < grid.columns)
    inside[inside] = task.mask[row[inside], column[inside]]
    inside &= (height >= task.least) & (height <= task.greatest)
    distance, _ = cKDTree(state.places).query(state.places[members], k=2)
    return np.where(inside & (distance[:, 1] >= task.closest), odds, -np.inf)


def _prune(task: Task, state: State, around: Surroundings, among: int) -> tuple[State, Array]:
    """State, refitted, without the columns that even as one of `among` have the odds against them.

    Also returns the log odds of those taken out.
    """
    odds = _odds(task, state, around)
    against = odds + np.log(max(among, 1)) < 0
    if not against.any():
        return state, np.zeros(0)
    return _fitted(state.without(state.added[against]), around), odds[against]


def _candidates(task: Task, state: State, around: Surroundings, tried: Array) -> Array:
    """Columns (n, 4) to try next: where the score is high and nothing was tried before."""
    grid, taken = state.model.grid, np.concatenate([state.places, tried])
    least = SHARE_SEEN * around.least_ratio(task.tried)
    places = candidate_places(around.score, task.mask, grid, task.closest, least, taken)
    places = places[: max(0, task.tried - len(state.added))]
    row = np.round(places[:, 1] / grid.step_y).astype(int)
    column = np.round(places[:, 0] / grid.step_x).astype(int)
    new = np.zeros((len(places), 4))
    new[:, HEIGHT] = (around.score * around.error)[row, column]
    new[:, [X, Y]] = places
    new[:, WIDTH] = around.width
    return new
