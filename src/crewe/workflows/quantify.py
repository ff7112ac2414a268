"""The steps from an image file to a table of atomic columns."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe import axes, io
from crewe.atoms import (
    ColumnFit,
    assign_sites,
    find_columns,
    find_columns_by_network,
    fit_columns,
)
from crewe.atoms.by_network import UNCERTAIN, doubts
from crewe.atoms.remove_background import remove_background
from crewe.errors import CalibrationError
from crewe.physics.intensity import detector_levels, normalise_to_detector
from crewe.workflows.analyse import with_analyses
from crewe.workflows.analysed import Analyses
from crewe.workflows.analyses_failed import Failed
from crewe.workflows.dose import electrons_per_unit
from crewe.workflows.observer import Observer, stages
from crewe.workflows.plan import IntensityScale, QuantifyPlan
from crewe.workflows.provenance import provenance_of
from crewe.workflows.quantify_restored import (
    Restoration,
    add_restoration,
    fit_both,
    restored_image,
)
from crewe.workflows.summary import summarise
from crewe.workflows.unit_cells import projected
from crewe.workflows.weak_columns import with_weak_columns

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True)
class Quantification:
    """Result of a quantification."""

    plan: QuantifyPlan
    """The plan as carried out, with its provenance."""
    image: "xr.DataArray"
    """The image as fitted: calibrated axes, intensities on the scale the plan asks for."""
    fit: ColumnFit
    """Columns, model, background and residual."""
    summary: dict[str, Any]
    """The result in numbers, with units; can be written as JSON."""
    restoration: Restoration | None = None
    """What the image was restored from, and how it fits itself; None for the image as measured."""
    analyses: Analyses | None = None
    """Counts, lattices and the like; None where the plan asks for nothing of them."""
    stored_in: Path | None = None
    """Folder that the result was read from; None for one that has just been made."""


def quantify(plan: QuantifyPlan, observer: Observer) -> Quantification:
    """Read the plan's image, find its columns, fit them, and ask them what the plan wants to know.

    Raises CreweError when the image cannot be used or the columns cannot be asked that; a
    column whose fit fails is a flag in the table.
    """
    return asked(fitted(plan, observer), observer)


def asked(
    result: Quantification, observer: Observer, failed: Failed | None = None
) -> Quantification:
    """Return a result with its analyses, and tell all its warnings.

    Raises CreweError; or `failed` takes the errors, for the caller to tell.
    """
    result = with_analyses(result, observer, failed)
    for warning in result.summary["warnings"][len(failed or ()) :]:
        observer.warning(warning)
    return result


def fitted(plan: QuantifyPlan, observer: Observer) -> Quantification:
    """Return the result as it is before any analysis."""
    observer.stage_started("reading")
    done = plan.model_copy(update={"provenance": provenance_of(plan)})
    measured = _calibrated_image(plan)
    if plan.remove_background is not None:
        observer.stage_started("removing the background")
        measured = remove_background(measured, **plan.remove_background.model_dump())
    restored = None if plan.restore is None else restored_image(plan, measured, observer)
    image = measured if restored is None else restored.image
    found = _found(plan, image, observer)
    if plan.unit_cell is not None:
        found = assign_sites(found, projected(plan.unit_cell))
    settings = _fit_settings(plan, electrons_per_unit(plan.intensity))
    if restored is None:
        fit, restoration = fit_columns(image, found, **settings, observer=stages(observer)), None
    else:
        fit, restoration = fit_both(restored, measured, found, settings, observer)
    if "certainty" in found:
        fit.columns["certainty"] = found["certainty"]
    weak = None
    if plan.weak_columns is not None:
        fit, weak = with_weak_columns(plan, image, fit.columns, observer)
    summary = summarise(done, image, fit)
    if weak is not None:
        summary["weak_columns"] = weak
        summary["warnings"] = list(weak["warnings"])
    if "certainty" in found:
        summary["find"] = _network_found(plan, found)
        summary["warnings"] += doubts(found)
    if restoration is not None:
        add_restoration(summary, fit, restoration)
    return Quantification(done, image, fit, summary, restoration)


def _found(plan: QuantifyPlan, image: "xr.DataArray", observer: Observer) -> "pd.DataFrame":
    network = plan.find.network
    if network is not None:
        return find_columns_by_network(image, network, observer=stages(observer))
    return find_columns(
        image,
        spacing=plan.find.spacing,
        sensitivity=plan.find.sensitivity,
        observer=stages(observer),
    )


def _network_found(plan: QuantifyPlan, found: "pd.DataFrame") -> dict[str, Any]:
    return {
        "network": plan.find.network,
        "certainty_median": float(found["certainty"].median()),
        "uncertain": int((found["certainty"] < UNCERTAIN).sum()),
    }


def _fit_settings(plan: QuantifyPlan, electrons: float | None) -> dict[str, Any]:
    """Return the arguments of the fit; a known dose turns automatic noise into counts.

    Not so where a background was subtracted: its electrons still make noise, but are not there.
    """
    settings = plan.fit.model_dump()
    if plan.remove_background is not None:
        electrons = None
        if settings["background"] == "auto":
            settings["background"] = "constant"
    if settings["noise"] == "auto" and electrons is not None:
        settings["noise"] = "counts"
    return {**settings, "electrons_per_unit": electrons, "seed": plan.seed}


def _calibrated_image(plan: QuantifyPlan) -> "xr.DataArray":
    image = io.read_image(
        plan.image,
        signal=plan.signal,
        frame=plan.frame,
        sampling=1.0 if plan.sampling == "pixel" else plan.sampling,
        sampling_unit="px" if plan.sampling == "pixel" else "Å",
    )
    axes.check_image(image)
    if plan.sampling is None and axes.length_unit(image) == "px":
        raise CalibrationError(
            f"{plan.image.name} does not say how large a pixel is. "
            "Give the pixel size in Å, as in --sampling 0.12, "
            "or --sampling pixel for results in pixels"
        )
    return _on_intensity_scale(image, plan.intensity)


def _on_intensity_scale(image: "xr.DataArray", scale: IntensityScale) -> "xr.DataArray":
    if scale.detector_map is not None:
        sensitivity = io.read_image(scale.detector_map, sampling=1.0, sampling_unit="px")
        vacuum, detector = detector_levels(sensitivity)
        return normalise_to_detector(image, vacuum, detector)
    if scale.vacuum is not None and scale.detector is not None:
        return normalise_to_detector(image, scale.vacuum, scale.detector)
    return image
