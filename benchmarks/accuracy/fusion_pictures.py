"""Maps by method, errors over the SNRs as in Fig. 6a, and standard errors as in Fig. 6c."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from benchmarks.accuracy.fusion_cases import CHEMICAL_SNRS, HAADF_SNRS, Case, Maps, errors
from benchmarks.accuracy.fusion_tables import METHODS, Scores, error_bars, mean_error, seeds_of
from crewe.plots.palette import typography
from crewe.testing.core_shell import KINDS

SHOWN = ("counts", "gaussian", "original sums", "crewe")
PART = {"atomic": (slice(36, 132), slice(36, 132))}
"""Of an atomic map a part from core to vacuum is shown, as columns are too small in the whole."""
PANEL_INCHES = 1.75
COLOURS = "viridis"
AXES = {"repeated": "repeated noise", "hessian": "Hessian"}


def montage(case: Case, maps: Mapping[str, Maps], path: Path) -> None:
    """One row an element, one column a method; one scale for each row, from zero."""
    shown = {"truth": case.truth, **{name: maps[name] for name in SHOWN if name in maps}}
    part = PART.get(case.kind, (slice(None), slice(None)))
    names = case.measurement.maps["element"].values
    with matplotlib.rc_context(typography()):
        size = (len(shown) * PANEL_INCHES, len(names) * PANEL_INCHES + 0.35)
        figure = Figure(size, layout="constrained")
        panels = figure.subplots(len(names), len(shown))
        for column, (method, values) in enumerate(shown.items()):
            panels[0, column].set_title(_title(method, values, case.truth))
            for row, panel in enumerate(panels[:, column]):
                highest = case.truth[row].max()
                panel.imshow(values[row][part], cmap=COLOURS, vmin=0, vmax=highest)
                panel.set(xticks=[], yticks=[])
                panel.spines[:].set_visible(False)
        for panel, name in zip(panels[:, 0], names, strict=True):
            panel.set_ylabel(name, rotation=0, labelpad=10)
        figure.savefig(path, dpi=130)


def _title(method: str, values: Maps, truth: Maps) -> str:
    if method == "truth":
        return method
    return f"{METHODS[method][1]}\n{errors(values, truth).mean():.3f}"


def error_maps(scores: Scores, seeds: int, path: Path) -> None:
    """Relative errors over HAADF and chemical SNR, the best Gaussian above crewe."""
    with matplotlib.rc_context(typography()):
        figure = Figure((8.4, 4.6), layout="constrained")
        panels = figure.subplots(2, len(KINDS), sharex=True, sharey=True)
        for line, method in zip(panels, ("gaussian", "crewe"), strict=True):
            for panel, kind in zip(line, KINDS, strict=True):
                image = _error_panel(panel, scores, method, kind, seeds)
            line[0].set_ylabel(f"{METHODS[method][1]}\nHAADF SNR")
        for panel, kind in zip(panels[0], KINDS, strict=True):
            panel.set_title(kind)
        for panel in panels[-1]:
            panel.set_xlabel("chemical SNR")
        bar = figure.colorbar(image, ax=panels, label="‖x − truth‖ / ‖truth‖")
        bar.set_ticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5], labels=["1 %", "2", "5", "10", "20", "50"])
        figure.savefig(path, dpi=120)


def _error_panel(panel: Any, scores: Scores, method: str, kind: str, seeds: int) -> Any:
    values = np.array(
        [
            [mean_error(scores, method, seeds_of(kind, (h, c), seeds)) for c in CHEMICAL_SNRS]
            for h in HAADF_SNRS
        ]
    )
    image = panel.imshow(values, cmap="magma", norm=LogNorm(0.01, 0.5), origin="lower")
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        ink = "white" if value < 0.1 else "black"
        panel.text(column, row, f"{100 * value:.1f}", ha="center", va="center", color=ink)
    panel.set_xticks(range(len(CHEMICAL_SNRS)), CHEMICAL_SNRS)
    panel.set_yticks(range(len(HAADF_SNRS)), HAADF_SNRS)
    panel.spines[:].set_visible(False)
    return image


def standard_errors(scores: Scores, cases: Sequence[Case], path: Path) -> None:
    """Average standard error against error, repeated noise beside the Hessian."""
    known = error_bars(scores, cases)
    with matplotlib.rc_context(typography()):
        figure = Figure((7.0, 3.2), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for panel, name in zip(panels, ("repeated", "hessian"), strict=True):
            for kind, mark in zip(KINDS, "os^", strict=True):
                places = [(row[name], row["error"]) for case, row in known if case.kind == kind]
                panel.plot(*np.transpose(places), mark, markersize=4, label=kind)
            panel.plot([0.005, 2], [0.005, 2], "-", color="0.6", linewidth=0.8, zorder=0)
            panel.set(xscale="log", yscale="log", xlim=(0.009, 1.2), ylim=(0.009, 0.3))
            panel.set_xlabel(f"average standard error, {AXES[name]}")
        panels[0].set_ylabel("‖x − truth‖ / ‖truth‖")
        panels[0].legend(frameon=False)
        figure.savefig(path, dpi=120)
