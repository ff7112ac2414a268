"""Hidden Markov model of atom counts over frames: Baum–Welch, posterior and Viterbi path.

The hidden state of a column is its number of atoms, 0 … G; in each frame its cross-section scatters
by a Gaussian around scale × library. A. De wael, A. De Backer and S. Van Aert, Ultramicroscopy 219
(2020) 113131, doi:10.1016/j.ultramic.2020.113131; the algorithm is L. R. Rabiner, Proc. IEEE 77
(1989) 257, doi:10.1109/5.18626, scaled forward and backward sums (eqs. 92–96).
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

STAYING, SPREAD, ANYWHERE = 2.0, 0.5, 1e-3
"""Pseudo-counts of a transition: of none, of one atom (each further atom halves it), and what any
number of atoms has in all."""
START_COUNT = 0.5
SCALE_STD = 0.1
"""How well the scale of a library is known beforehand, as a part of it."""
HALF_LOG_TWO_PI = 0.5 * np.log(2 * np.pi)


@dataclass(frozen=True)
class CountChain:
    """Parameters of the model for 0 … G atoms."""

    means: Array
    """Cross-section (G + 1,) of the library, that of no atoms included, before the scale."""
    scale: float
    width: float
    """Standard deviation of a cross-section."""
    start: Array
    """Probability (G + 1,) of each number of atoms in the first frame."""
    transition: Array
    """Probability (G + 1, G + 1) of a number of atoms (column) after another (row)."""


def pseudo_counts(states: int) -> Array:
    """Dirichlet counts (states, states) added to each transition: atoms rarely come or go."""
    apart = np.abs(np.subtract.outer(np.arange(states), np.arange(states)))
    return np.where(apart == 0, STAYING, SPREAD * 0.5**apart) + ANYWHERE / states


def starting_chain(means: Array, scale: float, width: float, start: Array) -> CountChain:
    """The model before any frame was compared with the next."""
    counts = pseudo_counts(len(means))
    return CountChain(means, scale, width, start, counts / counts.sum(axis=1, keepdims=True))


def log_emission(values: Array, chain: CountChain) -> Array:
    """Log-density (T, N, G + 1) of each cross-section (T, N) for each count; 0 where it is NaN."""
    away = values[:, :, None] - chain.scale * chain.means
    density = -0.5 * (away / chain.width) ** 2 - np.log(chain.width) - HALF_LOG_TWO_PI
    return np.where(np.isnan(values)[:, :, None], 0.0, density)


@njit(cache=True, nogil=True)
def forward_backward(density: Array, start: Array, transition: Array) -> tuple[Array, Array, float]:
    """Posterior (T, N, S) of the states, expected transitions (S, S) and the log-likelihood.

    `density` (T, N, S) are log-densities of the N independent sequences.
    """
    frames, columns, states = density.shape
    posterior = np.empty((frames, columns, states))
    transitions = np.zeros((states, states))
    forward, weight = np.empty((frames, states)), np.empty((frames, states))
    likelihood = 0.0
    for n in range(columns):
        for t in range(frames):
            largest = density[t, n].max()
            weight[t] = np.exp(density[t, n] - largest)
            # copied, since numba multiplies contiguous rows only
            ahead = start if t == 0 else np.dot(forward[t - 1], transition)
            forward[t] = ahead * weight[t]
            total = forward[t].sum()
            forward[t] /= total
            weight[t] /= total
            likelihood += np.log(total) + largest
        backward = np.ones(states)
        for t in range(frames - 1, -1, -1):
            posterior[t, n] = forward[t] * backward
            posterior[t, n] /= posterior[t, n].sum()
            if t == 0:
                break
            coming = weight[t] * backward
            for i in range(states):
                for j in range(states):
                    transitions[i, j] += forward[t - 1, i] * transition[i, j] * coming[j]
            backward = np.dot(transition, coming)
    return posterior, transitions, likelihood


@njit(cache=True, nogil=True)
def viterbi(density: Array, start: Array, transition: Array) -> Index:
    """Likeliest states (T, N) of each sequence as a whole."""
    frames, columns, states = density.shape
    path = np.empty((frames, columns), np.int64)
    best_from = np.empty((frames, states), np.int64)
    step = np.log(np.maximum(transition, 1e-300))
    for n in range(columns):
        score = np.log(np.maximum(start, 1e-300)) + density[0, n]
        for t in range(1, frames):
            new = np.empty(states)
            for j in range(states):
                before = np.argmax(score + step[:, j])
                best_from[t, j] = before
                new[j] = score[before] + step[before, j] + density[t, n, j]
            score = new
        path[frames - 1, n] = np.argmax(score)
        for t in range(frames - 1, 0, -1):
            path[t - 1, n] = best_from[t, path[t, n]]
    return path


def log_prior(chain: CountChain) -> float:
    """Log-density of start, transitions and scale beforehand, but for a constant."""
    steps = pseudo_counts(len(chain.means)) * np.log(np.maximum(chain.transition, 1e-300))
    start = START_COUNT * np.log(np.maximum(chain.start, 1e-300))
    return float(steps.sum() + start.sum() - 0.5 * ((chain.scale - 1) / SCALE_STD) ** 2)


def improved(values: Array, chain: CountChain) -> tuple[CountChain, float]:
    """One step of Baum–Welch: a chain of higher posterior density, and that of `chain`."""
    density = log_emission(values, chain)
    posterior, moves, likelihood = forward_backward(density, chain.start, chain.transition)
    counts = moves + pseudo_counts(len(chain.means))
    start = posterior[0].sum(axis=0) + START_COUNT
    seen = ~np.isnan(values)
    share, measured = posterior[seen], values[seen]
    means = chain.means
    precision = (chain.width / SCALE_STD) ** 2
    scale = float((share @ means) @ measured + precision) / float(
        (share @ means**2).sum() + precision
    )
    squares = share * (measured[:, None] - scale * means) ** 2
    width = max(float(np.sqrt(squares.sum() / len(measured))), 1e-6 * float(means[-1]))
    new = replace(
        chain,
        scale=scale,
        width=width,
        start=start / start.sum(),
        transition=counts / counts.sum(axis=1, keepdims=True),
    )
    return new, likelihood + log_prior(chain)


def baum_welch(
    values: Array, chain: CountChain, most: int = 300, tolerance: float = 1e-4
) -> tuple[CountChain, list[float]]:
    """Repeat `improved` until it gains less than `tolerance`; the chain and all densities."""
    reached: list[float] = []
    for _ in range(most):
        new, density = improved(values, chain)
        reached.append(density)
        if len(reached) > 1 and reached[-1] - reached[-2] < tolerance:
            break
        chain = new
    return chain, reached
