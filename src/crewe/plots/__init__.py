"""Arrays and tables in, matplotlib figures out; drawn for paper as much as for a screen."""

from crewe.plots.atom_map import atom_map_figure
from crewe.plots.detail import detail_figure
from crewe.plots.overview import overview_figure
from crewe.plots.save import png_bytes, save_png

__all__ = ["atom_map_figure", "detail_figure", "overview_figure", "png_bytes", "save_png"]
