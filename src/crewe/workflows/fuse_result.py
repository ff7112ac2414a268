"""What a fusion comes to: maps, what is shown of them, fractions, and all of it in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.chemistry.results import FusedMaps
from crewe.chemistry.stoichiometry import atomic_fractions, phases
from crewe.errors import ImageError
from crewe.workflows.emulator_fit_tables import plain
from crewe.workflows.fuse_inputs import FuseInputs
from crewe.workflows.fuse_output import ERROR_SUFFIX, maps_only
from crewe.workflows.fuse_plan import FusePlan
from crewe.workflows.fuse_preview import thinned
from crewe.workflows.fuse_stack import Fitted

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

PHASE_COLUMNS = ("element", "phase", "share", "mean", "sigma", "standard_error", "flag")


@dataclass(frozen=True)
class Shown:
    """One frame as the report shows it, large ones averaged in blocks; maps (element, y, x)."""

    haadf: xr.DataArray
    raw: xr.DataArray
    fused: xr.DataArray
    errors: xr.DataArray | None
    fractions: xr.DataArray
    """Atomic fractions, NaN where nothing is."""
    phases: pd.DataFrame
    """Gaussians in the histogram of each fraction; empty where there are too few pixels."""


@dataclass(frozen=True)
class Fusion:
    """Result of a plan."""

    plan: FusePlan
    chosen: FusedMaps
    """Of the whole field; of a stack or an image in tiles, of the part that chose the settings."""
    maps: Mapping[str, xr.DataArray]
    """Maps and standard errors ([frame,] y, x) by the names of their files."""
    shown: Shown
    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""

    @property
    def elements(self) -> list[str]:
        """Symbols, in the order of the maps."""
        return maps_only(self.maps)


def fusion_of(plan: FusePlan, inputs: FuseInputs, fitted: Fitted) -> Fusion:
    """Put together what came out."""
    shown, trouble = _shown(plan, inputs, fitted)
    found, doubts = _registered(inputs)
    said = (*inputs.warnings, *doubts, *fitted.chosen.warnings, *trouble)
    summary = _summary(inputs, fitted, shown, said) | {"read": [*inputs.remarks, *found]}
    return Fusion(plan, fitted.chosen, fitted.maps, shown, plain(summary))


def in_words(summary: Mapping[str, Any]) -> str:
    """Return the choice in words, for the end of a run."""
    used = {"spectra": "without HAADF"}.get(summary["prior"], f"prior {summary['prior']}")
    return f"{used}, strength {summary['strength']:.3g}, "


def _shown(plan: FusePlan, inputs: FuseInputs, fitted: Fitted) -> tuple[Shown, tuple[str, ...]]:
    small = inputs.small_field(fitted.frame)
    fused = small.maps.copy(data=_small(fitted, inputs.elements, ""))
    errors = None
    if plan.standard_error != "none":
        errors = small.maps.copy(data=_small(fitted, inputs.elements, ERROR_SUFFIX))
    try:
        fractions = atomic_fractions(fused, plan.sensitivity or None)
    except ImageError as error:
        fractions = fused.copy(data=np.full_like(fused.values, np.nan))
        return Shown(small.haadf, small.maps, fused, errors, fractions, _none()), (str(error),)
    blocks = np.prod(inputs.shape) / np.prod(small.haadf.shape)
    scale = [fitted.chosen.counts_per_unit[name] * blocks for name in inputs.elements]
    counts = small.maps * np.array(scale, np.float32)[:, None, None]
    try:
        found = phases(fractions, counts=counts, sensitivity=plan.sensitivity or None)
        trouble: tuple[str, ...] = ()
    except ImageError as error:
        found, trouble = _none(), (str(error),)
    return Shown(small.haadf, small.maps, fused, errors, fractions, found), trouble


def _registered(inputs: FuseInputs) -> tuple[list[str], list[str]]:
    """What is known of the shift of HAADF against the maps, and what should be."""
    every = sorted(inputs.elastic.registrations.items())
    named = [(f"frame {at}: " if inputs.frames > 1 else "", found) for at, found in every]
    known = [f"{name}HAADF: {found.remark}" for name, found in named if found.trusted]
    doubted = [f"{name}{found.remark}" for name, found in named if not found.trusted]
    if not doubted:
        return known, []
    many = f" in {len(doubted)} of {len(every)} frames, such as" if len(every) > 1 else ""
    return known, [f"HAADF was not laid on the maps{many}: {doubted[0]}"]


def _small(fitted: Fitted, elements: Sequence[str], suffix: str) -> np.ndarray:
    """One frame of maps or standard errors, averaged in blocks, (element, y, x)."""
    planes = [fitted.maps[f"{name}{suffix}"] for name in elements]
    frames = [one if one.ndim == 2 else one[fitted.frame] for one in planes]
    return np.stack([thinned(one).values for one in frames])


def _none() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns=list(PHASE_COLUMNS))


def _summary(
    inputs: FuseInputs, fitted: Fitted, shown: Shown, warnings: Sequence[str]
) -> dict[str, Any]:
    chosen = fitted.chosen
    about = {
        "elements": list(inputs.elements),
        "shape": list(inputs.shape),
        "frames": inputs.frames,
        "parts": fitted.parts,
        "prior": chosen.prior,
        "strength": float(chosen.strength),
        "gamma": float(chosen.gamma),
        "guide_smoothing_px": float(chosen.guide_smoothing_px),
        "haadf_offset": float(chosen.haadf_offset),
        "likelihood": chosen.likelihood,
        "counts_per_unit": dict(chosen.counts_per_unit),
        "elastic_share": dict(chosen.elastic_share),
        "iterations": int(chosen.history["iteration"].max()),
        "mean": {name: float(shown.fused.sel(element=name).mean()) for name in inputs.elements},
        "phases": shown.phases.to_dict(orient="records"),
        "warnings": list(dict.fromkeys(warnings)),
    }
    if shown.errors is not None:
        means = shown.errors.mean(("y", "x"))
        about["mean_standard_error"] = {n: float(means.sel(element=n)) for n in inputs.elements}
    return about
