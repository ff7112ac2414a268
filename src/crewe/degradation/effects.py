"""Every effect by the name that recipes call it, and what becomes of the ideal image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from crewe.degradation import (
    camera,
    crops,
    defects,
    electronics,
    electrons,
    fast_scan,
    photomultiplier,
    postprocess,
    readout,
    row_lines,
    scan,
)
from crewe.degradation.annotations import Annotations, annotate
from crewe.degradation.parameters import Parameters

Kind = Literal["noise", "both", "pair", "scan"]


@dataclass(frozen=True)
class Effect:
    """One effect of an instrument, or of what is done to its images."""

    kind: Kind
    """What the function is and what it does to the ideal image:

    `noise`: (image, parameters, rng) → image; the ideal one stays.
    `both`: the same, for both images; it draws no random numbers.
    `pair`: (image, ideal, parameters, rng) → (image, ideal).
    `scan`: (shape, parameters, rng) → Displacement, where the degraded image is taken."""
    parameters: type[Parameters]
    function: Callable[..., Any]
    matrix: Callable[..., Any] | None = None
    """For an effect that moves what the image shows: parameters → the 2×2 matrix, order (y, x),
    from places in the result to places in the image, about the centre."""


EFFECTS: dict[str, Effect] = {
    "modulation_transfer": Effect("both", camera.ModulationTransfer, camera.modulation_transfer),
    "scan_jitter": Effect("scan", scan.ScanJitter, scan.scan_jitter_displacement),
    "line_frequency": Effect("scan", scan.LineFrequency, scan.line_frequency_displacement),
    "drift": Effect("scan", scan.Drift, scan.drift_displacement),
    "dose": Effect("pair", electrons.Dose, electrons.dose),
    "shot_noise": Effect("noise", electrons.ShotNoise, electrons.shot_noise),
    "photomultiplier": Effect(
        "noise", photomultiplier.Photomultiplier, photomultiplier.photomultiplier
    ),
    "detector_response": Effect("noise", fast_scan.DetectorResponse, fast_scan.detector_response),
    "readout_response": Effect("noise", fast_scan.ReadoutResponse, fast_scan.readout_response),
    "row_lines": Effect("noise", row_lines.RowLines, row_lines.row_lines),
    "fixed_pattern": Effect("noise", camera.FixedPattern, camera.fixed_pattern),
    "dark_current": Effect("noise", camera.DarkCurrent, camera.dark_current),
    "thermal_noise": Effect("noise", readout.ReadoutNoise, readout.thermal_noise),
    "flicker_noise": Effect("noise", readout.ReadoutNoise, readout.flicker_noise),
    "reset_noise": Effect("noise", readout.ReadoutNoise, readout.reset_noise),
    "black_pixels": Effect("noise", defects.BlackPixels, defects.uneven_sensitivity),
    "zingers": Effect("noise", defects.Zingers, defects.uneven_sensitivity),
    "upper_clip": Effect("noise", electronics.UpperClip, electronics.upper_clip),
    "quantisation": Effect("pair", electronics.Quantisation, electronics.quantisation),
    "linear_transform": Effect(
        "both",
        postprocess.LinearTransform,
        postprocess.linear_transform,
        postprocess.transform_matrix,
    ),
    "gaussian_blur": Effect("noise", postprocess.GaussianBlur, postprocess.gaussian_blur),
    "annotations": Effect("pair", Annotations, annotate),
    "crop": Effect("pair", crops.Crop, crops.crop),
    "count_scale": Effect("pair", electronics.CountScale, electronics.count_scale),
}
