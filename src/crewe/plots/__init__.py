"""Arrays and tables in, matplotlib figures out; drawn for paper as much as for a screen."""

from crewe.plots.atom_map import atom_map_figure
from crewe.plots.count_series import series_figure
from crewe.plots.counting import counting_figure
from crewe.plots.counting_criteria import criteria_figure
from crewe.plots.detail import detail_figure
from crewe.plots.displacements import displacement_figure
from crewe.plots.overview import overview_figure
from crewe.plots.save import png_bytes, save_png
from crewe.plots.shifts import shifts_figure
from crewe.plots.strain import strain_figure
from crewe.plots.tilt import tilt_figure
from crewe.plots.volume import volume_figure
from crewe.plots.volume_html import volume_html

__all__ = [
    "atom_map_figure",
    "counting_figure",
    "criteria_figure",
    "detail_figure",
    "displacement_figure",
    "overview_figure",
    "png_bytes",
    "save_png",
    "series_figure",
    "shifts_figure",
    "strain_figure",
    "tilt_figure",
    "volume_figure",
    "volume_html",
]
