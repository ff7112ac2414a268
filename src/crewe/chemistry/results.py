"""What a fusion returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True)
class FusedMaps:
    """Element maps that agree with their counts and with HAADF, and what was chosen on the way."""

    maps: xr.DataArray
    """Fused maps (element, y, x), not negative, on the scale and in the unit of what was given."""
    raw: xr.DataArray
    """The maps given, (element, y, x)."""
    haadf: xr.DataArray
    """The elastic image given, (y, x)."""
    background: xr.DataArray
    """Mean counts that are no signal, (element, y, x), in the unit of the maps; 0 if none."""
    guide: xr.DataArray
    """What composition was multiplied with, (element, y, x), of mean 1."""
    prior: str
    """'composition', 'columns', 'spectra' or 'amounts', see `fuse`."""
    strength: float
    """Of the smoothing, without unit."""
    gamma: float
    """HAADF rises with Z^γ and amounts^γ."""
    guide_smoothing_px: float
    """Sigma of the Gaussian that HAADF was smoothed with."""
    without_haadf: tuple[str, ...]
    """Elements whose counts HAADF does not help to predict: it was not used for them."""
    haadf_offset: float
    """What HAADF shows where nothing is, in its own unit."""
    likelihood: str
    """'poisson' or 'least_squares'."""
    counts_per_unit: dict[str, float]
    """Counts that one unit of each map stands for; 1 for counts."""
    history: pd.DataFrame
    """Columns iteration, elastic, chemical, variation, total of the last fit; total never rises.

    For the priors 'composition' and 'columns' HAADF enters through the guide; its misfit `elastic`
    (half of χ² with the image's own noise) is told but not part of the total.
    """
    tried: pd.DataFrame
    """Columns prior, strength, guide_smoothing_px, gamma, without_haadf, prediction_error."""
    elastic_share: dict[str, float]
    """Share of HAADF that each element makes, by Z^γ."""
    warnings: tuple[str, ...]
    """What the reader of the maps should know."""
