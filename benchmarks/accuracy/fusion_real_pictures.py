"""Raw and fused maps of real sets, beside HAADF and the best Gaussian."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from benchmarks.accuracy.fusion_real_gain import Gain
from benchmarks.accuracy.fusion_real_sets import Opened
from crewe.chemistry.results import FusedMaps
from crewe.plots.palette import typography

PANEL_INCHES = 1.8
COLOURS = "viridis"


def montage(opened: Opened, results: dict[str, FusedMaps], gains: list[Gain], path: Path) -> None:
    """Columns: elements; rows: counts less background, the Gaussian, and each fusion.

    A row has HAADF, or what it became as guide, at its left. One scale for each element, from
    zero to what fused maps exceed in 0.5 % of the pixels; raw counts are cut there.
    """
    names = list(opened.inputs.maps)
    first = next(iter(results.values()))
    net = first.raw.values - first.background.values
    widths = {gain.element: gain.gaussian_px for gain in gains}
    rows = {"raw": net}
    if widths:
        rows["Gaussian"] = np.stack(
            [gaussian_filter(net[i], widths[name]) for i, name in enumerate(names)]
        )
    rows.update({method: found.maps.values for method, found in results.items()})
    highest = [max(np.percentile(maps, 99.5), 1e-12) for maps in first.maps.values]
    with matplotlib.rc_context(typography()):
        size = ((len(names) + 1) * PANEL_INCHES, len(rows) * PANEL_INCHES + 0.3)
        figure = Figure(size, layout="constrained")
        panels = figure.subplots(len(rows), len(names) + 1, squeeze=False)
        for line, (method, maps) in zip(panels, rows.items(), strict=True):
            line[0].set_ylabel(method)
            if method == "raw":
                line[0].imshow(opened.haadf.values, cmap="gray")
            elif method in results:
                guides = results[method].guide.values
                # That of an element that HAADF helps, where there is one.
                line[0].imshow(max(guides, key=np.std), cmap="gray")
            for panel, values, top in zip(line[1:], maps, highest, strict=True):
                panel.imshow(values, cmap=COLOURS, vmin=0, vmax=top)
        for panel, title in zip(panels[0], ("HAADF, guide", *names), strict=True):
            panel.set_title(title)
        for panel in panels.ravel():
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        figure.savefig(path, dpi=110)
