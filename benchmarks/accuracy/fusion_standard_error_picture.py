"""Standard errors beside the scatter, as maps and as points."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.fusion_standard_error_scatter import IMAGES, Scatter

TITLES = ("expected counts", "fused", "scatter", "repeated error", "Hessian error")
SHOWN = (("textured", 10, 2), ("atomic", 10, 2))
COLOURS = {"smooth": "#0072b2", "textured": "#d55e00", "atomic": "#009e73"}


def draw(scatters: list[Scatter], path: Path) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.size": 8}):
        figure = Figure((10.0, 7.6), layout="constrained")
        above, below = figure.subfigures(2, 1, height_ratios=(4.2, 3.4))
        rows = [one for key in SHOWN for one in scatters if _key(one) == key]
        panels = above.subplots(len(rows), len(IMAGES), squeeze=False)
        for line, scatter in zip(panels, rows, strict=True):
            _images(above, line, scatter)
        for panel, title in zip(panels[0], TITLES, strict=True):
            panel.set_title(title)
        average, reported = below.subplots(1, 2)
        _averages(average, scatters)
        _reported(reported, scatters)
        figure.savefig(path, dpi=110)


def _images(figure: Any, line: Any, scatter: Scatter) -> None:
    images = scatter.images()
    # The Hessian's error is several times the others: it has a scale of its own.
    tops = {name: float(np.percentile(images[name], 99.5)) for name in IMAGES}
    tops["fused"], tops["repeated"] = tops["truth"], tops["scatter"]
    for panel, name in zip(line, IMAGES, strict=True):
        shown = panel.imshow(images[name], cmap="gray", vmin=0, vmax=tops[name])
        panel.set(xticks=[], yticks=[])
        figure.colorbar(shown, ax=panel, shrink=0.8, pad=0.02)
    line[0].set_ylabel(f"{scatter.case.kind}, Co")


def _averages(panel: Any, scatters: list[Scatter]) -> None:
    for kind, colour in COLOURS.items():
        of_kind = [one for one in scatters if one.case.kind == kind]
        error = [one.error for one in of_kind]
        repeated, hessian = (
            [getattr(one, f"average_{name}") for one in of_kind] for name in ("repeated", "hessian")
        )
        panel.plot(repeated, error, "o", color=colour, label=f"{kind}, repeated")
        panel.plot(hessian, error, "x", color=colour, label=f"{kind}, Hessian")
    _diagonal(panel)
    panel.set(xlabel="average standard error", ylabel="error")


def _reported(panel: Any, scatters: list[Scatter]) -> None:
    for kind, colour in COLOURS.items():
        of_kind = [one for one in scatters if one.case.kind == kind]
        reported = np.concatenate([one.relative_repeated for one in of_kind])
        scatter = np.concatenate([one.relative_scatter for one in of_kind])
        panel.plot(reported, scatter, "o", color=colour, label=kind)
    _diagonal(panel)
    panel.set(xlabel="repeated error of an element", ylabel="scatter")


def _diagonal(panel: Any) -> None:
    panel.set(xscale="log", yscale="log")
    low, high = panel.get_ylim()
    panel.plot([low, high], [low, high], color="0.6", linewidth=0.8, zorder=0)
    panel.legend(frameon=False, fontsize=7)


def _key(scatter: Scatter) -> tuple[str, int, int]:
    return scatter.case.kind, scatter.case.haadf_snr, scatter.case.chemical_snr
