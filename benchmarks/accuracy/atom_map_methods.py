"""The ways to find columns that the atom maps are compared with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from benchmarks.accuracy import per_column
from benchmarks.accuracy.atom_map_specimens import PIXEL, Known
from benchmarks.accuracy.matching import match
from benchmarks.accuracy.synthetic import SAMPLING
from crewe.atoms import find_columns, find_columns_by_network, fit_columns, map_atoms
from crewe.errors import NoColumnsError
from crewe.networks.zoo import TrainedNetwork, open_network, shipped_networks
from crewe.restoration import restore

Method = Callable[[xr.DataArray], np.ndarray]
NEAR = 0.7
"""A detection this near to a column, in Å, is that column's; half a dumbbell of silicon."""
BORDER = 1.0


def networks_of(folder: Path | None, task: str = "atom map") -> dict[str, TrainedNetwork]:
    """Open every network of a task, shipped or in a folder, by name."""
    paths = sorted(folder.glob("*.onnx")) if folder else shipped_networks()
    opened = [open_network(path, threads=1) for path in paths]
    return {one.card.name: one for one in opened if one.card.task == task}


def methods_for(networks: Mapping[str, TrainedNetwork]) -> dict[str, Method]:
    """Each method by its name: those of networks that mark columns, and those without."""
    methods: dict[str, Method] = {}
    for name, network in networks.items():
        if network.card.output == "mask":
            methods[f"{name}, centroids"] = _by(network)
            methods[f"{name}, then fit"] = _fitted(_table_by(network))
    methods["crewe find_columns"] = lambda image: _xy(find_columns(image))
    methods["crewe find_columns, then fit"] = _fitted(find_columns)
    return methods


def per_column_fit(image: xr.DataArray) -> np.ndarray:
    """2D Gaussian fits column by column, started where crewe finds columns."""
    if PIXEL != SAMPLING:
        raise ValueError("the per-column fit is written for pixels of another size")
    x, y = _xy(find_columns(image)).T
    found = per_column.fit_each(image.values, x, y)
    return np.stack(found[:2], axis=1)


def after_denoising(first: TrainedNetwork, second: TrainedNetwork) -> Method:
    """Return what marks columns on the result of a network that takes noise out."""

    def positions(image: xr.DataArray) -> np.ndarray:
        return _xy(find_columns_by_network(map_atoms(image, first).image, second))

    return positions


def after_restoring(first: TrainedNetwork, second: TrainedNetwork) -> Method:
    """Return what restores an image, marks columns on the result and fits them there."""

    def positions(image: xr.DataArray) -> np.ndarray:
        restored = restore(image, model=first, trust=False).image
        return _xy(fit_columns(restored, find_columns_by_network(restored, second)).columns)

    return positions


def _by(network: TrainedNetwork) -> Method:
    return lambda image: _xy(find_columns_by_network(image, network))


def _table_by(network: TrainedNetwork):
    return lambda image: find_columns_by_network(image, network)


def _fitted(finder) -> Method:
    return lambda image: _xy(fit_columns(image, finder(image)).columns)


def _xy(table) -> np.ndarray:
    return table[["x", "y"]].to_numpy()


def positions_by(method: Method, image: xr.DataArray) -> np.ndarray:
    """Positions (n, 2) of a method, none where it finds none."""
    try:
        return method(image)
    except NoColumnsError:
        return np.zeros((0, 2))


@dataclass
class Tally:
    """What a method got right and wrong, over several images."""

    columns: int = 0
    surface: int = 0
    missed_inside: int = 0
    missed_surface: int = 0
    invented: int = 0
    errors: list[np.ndarray] = field(default_factory=list)
    """(matched, 2) along x and y in Å."""

    def add(self, known: Known, found: np.ndarray) -> None:
        """Count one image; columns and marks within 1 Å of the border are not scored."""
        high = np.array(known.clean.shape[::-1]) * known.pixel - BORDER
        partner = match(known.positions, found, NEAR)
        scored = ((known.positions > BORDER) & (known.positions < high)).all(axis=1)
        missed = scored & (partner < 0)
        self.columns += int(scored.sum())
        self.surface += int((scored & known.surface).sum())
        self.missed_surface += int((missed & known.surface).sum())
        self.missed_inside += int((missed & ~known.surface).sum())
        free = np.setdiff1d(np.arange(len(found)), partner)
        inside = ((found[free] > BORDER) & (found[free] < high)).all(axis=1)
        self.invented += int(inside.sum())
        paired = scored & (partner >= 0)
        self.errors.append(found[partner[paired]] - known.positions[paired])

    def spread_pm(self) -> tuple[float, float]:
        """Standard deviation of the error along x and y in pm."""
        x, y = 100 * np.concatenate(self.errors).std(axis=0)
        return float(x), float(y)

    def beyond(self, away: float = 0.3) -> float:
        """Percentage of matched columns that are farther off than 0.3 Å along x or y."""
        errors = np.abs(np.concatenate(self.errors))
        return 100 * float((errors > away).any(axis=1).mean()) if len(errors) else float("nan")

    @property
    def missed_surface_percent(self) -> float:
        """Of the columns at the surface."""
        return 100 * self.missed_surface / max(self.surface, 1)

    @property
    def missed_inside_percent(self) -> float:
        """Of the columns that are not at the surface."""
        return 100 * self.missed_inside / max(self.columns - self.surface, 1)

    @property
    def invented_percent(self) -> float:
        """Marks without a column, in percent of the columns."""
        return 100 * self.invented / max(self.columns, 1)
