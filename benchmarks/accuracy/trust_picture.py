"""Restored images beside what was measured, what was true, and what the trust map says."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIDE_INCHES = 1.9
WINDOW_PX = 3.0


@dataclass(frozen=True)
class Shown:
    """One row: images (y, x)."""

    title: str
    measured: np.ndarray
    restored: np.ndarray
    ideal: np.ndarray
    trust: np.ndarray


def draw(rows: list[Shown], path: Path, relative_error: Callable[..., np.ndarray]) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    names = ("measured", "ideal", "restored", "relative error", "trust")
    with matplotlib.rc_context({"font.size": 8}):
        figure = Figure((5 * SIDE_INCHES, len(rows) * (SIDE_INCHES + 0.2)), layout="constrained")
        panels = figure.subplots(len(rows), 5)
        for line, row in zip(panels, rows, strict=True):
            error = np.sqrt(relative_error(row.restored, row.ideal, WINDOW_PX))
            for panel, image in zip(line[:3], (row.measured, row.ideal, row.restored), strict=True):
                low, high = np.percentile(image, (0.5, 99.5))
                panel.imshow(image, cmap="gray", vmin=low, vmax=high)
            line[3].imshow(error, cmap="gray", vmin=0, vmax=1)
            line[4].imshow(row.trust, cmap="RdBu", vmin=0, vmax=1)
            line[0].set_ylabel(row.title, fontsize=7)
        for panel, name in zip(panels[0], names, strict=True):
            panel.set_title(name, fontsize=8)
        for panel in panels.ravel():
            panel.set(xticks=[], yticks=[])
        figure.savefig(path, dpi=130)
