"""Per-column least squares: the usual fit of one Gaussian at a time, neighbours ignored."""

import numpy as np
from scipy.optimize import least_squares

from benchmarks.accuracy.synthetic import SAMPLING, SPACING

HALF_WINDOW = round(SPACING / 2 / SAMPLING)


def fit_each(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return x, y, scs and their standard errors for columns started at x, y in Å.

    Height, width, position and a constant background are free for every column, in
    a window that reaches half a spacing to each side. A fit that leaves its window,
    grows wider than it or turns upside down has failed, and its column is left out.
    """
    fits = (_fit_one(image, *start) for start in zip(x, y, strict=True))
    return tuple(np.array([fit for fit in fits if fit is not None]).T)


def _fit_one(image: np.ndarray, x: float, y: float) -> tuple[float, ...] | None:
    rows, columns = _window(y, image.shape[0]), _window(x, image.shape[1])
    values = image[rows, columns]
    grid_y, grid_x = np.mgrid[rows, columns] * SAMPLING
    low, high = values.min(), values.max()
    start = np.array([x, y, high - low, SPACING / 4, low])

    def difference(parameters):
        return (_model(parameters, grid_x, grid_y) - values).ravel()

    def slopes(parameters):
        return _slopes(parameters, grid_x, grid_y)

    result = least_squares(difference, start, jac=slopes, method="lm", x_scale="jac")
    found_x, found_y, height, width, _ = result.x
    away = max(abs(found_x - x), abs(found_y - y), abs(width))
    failed = height <= 0 or away > HALF_WINDOW * SAMPLING
    return None if failed else _position_and_scs(result)


def _window(centre: float, size: int) -> slice:
    middle = round(centre / SAMPLING)
    return slice(max(0, middle - HALF_WINDOW), min(size, middle + HALF_WINDOW + 1))


def _model(parameters: np.ndarray, grid_x: np.ndarray, grid_y: np.ndarray) -> np.ndarray:
    x, y, height, width, background = parameters
    squared = (grid_x - x) ** 2 + (grid_y - y) ** 2
    return background + height * np.exp(-squared / (2 * width**2))


def _slopes(parameters: np.ndarray, grid_x: np.ndarray, grid_y: np.ndarray) -> np.ndarray:
    x, y, height, width, _ = parameters
    away_x, away_y = (grid_x - x).ravel(), (grid_y - y).ravel()
    squared = away_x**2 + away_y**2
    unit = np.exp(-squared / (2 * width**2))
    peak = height * unit
    by_position = peak * away_x / width**2, peak * away_y / width**2
    return np.stack([*by_position, unit, peak * squared / width**3, np.ones_like(unit)], axis=1)


def _position_and_scs(result) -> tuple[float, ...]:
    x, y, height, width, _ = result.x
    scs = 2 * np.pi * height * width**2
    freedom = result.fun.size - result.x.size
    normal = result.jac.T @ result.jac
    if freedom <= 0 or np.linalg.cond(normal) > 1e14:
        return x, y, scs, np.nan, np.nan, np.nan
    covariance = np.linalg.inv(normal) * (result.fun @ result.fun) / freedom
    gradient = np.array([0, 0, 2 * np.pi * width**2, 4 * np.pi * height * width, 0])
    scs_variance = gradient @ covariance @ gradient
    return x, y, scs, *np.sqrt(np.diag(covariance)[:2]), np.sqrt(scs_variance)
