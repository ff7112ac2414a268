"""Scores as tables for the terminal and as a page for the documentation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy import quantification_networks_images as images
from benchmarks.accuracy.quantification_networks_bound import Model, cramer_rao
from benchmarks.accuracy.quantification_networks_score import (
    BORDER,
    CORE_RADIUS,
    Reference,
    Score,
    counts,
    score,
)
from benchmarks.accuracy.quantification_networks_specimens import BULK_CELLS, VIBRATION, Truth
from benchmarks.accuracy.tables import environment
from crewe.atoms import fit_columns
from crewe.axes import calibrated_image

Truths = Mapping[str, Truth]
References = Mapping[tuple[str, int], Reference]
Found = Mapping[Any, images.Estimates]

BULK_HEADINGS = (
    "dose e/Å²", "unit cells", "bound σx pm", "raw / bound", "restored / bound",
    "bound SCS %", "raw / bound", "restored / bound",
    "SCS error % raw", "restored", "SCS bias % raw", "restored",
)  # fmt: skip
OTHER_HEADINGS = (
    "dose e/Å²", "position pm raw", "restored", "less shift raw", "restored",
    "SCS error % raw", "restored", "SCS bias % raw", "restored",
)  # fmt: skip
COUNT_HEADINGS = ("counted right % raw", "restored")

TITLES = {
    "bulk": "Platinum [001], a thickness series against the Cramér–Rao bound",
    "dislocation": "Platinum [112] with an edge dislocation",
    "particle": "A platinum sphere, counted",
}
CLAIMS = {
    "bulk": "The thesis prints these results as curves only (its figure 2.7). It says that the "
    "restored image beats the bound at 5·10² e/Å² and that raw and restored converge as the dose "
    "grows.",
    "dislocation": "The thesis prints curves only (its figure 2.8). It says that at low dose the "
    "raw fit seems good because it starts at the true positions and hardly leaves them, that the "
    "error of the restored image drops rapidly with the dose and is clearly below that of the raw "
    "one, and that the cross-sections gain as well.",
    "particle": "The thesis prints curves only (its figure 2.9, 333 columns). It says that "
    "positions gain at every dose, and that cross-sections gain most at low dose, which greatly "
    "lowers the chance of counting wrong.",
}


def tables(truths: Truths, references: References, found: Found) -> str:
    """Return one Markdown table per case."""
    parts = []
    for name, known in truths.items():
        rows = (
            _bulk(known, references, found) if name == "bulk" else _other(known, references, found)
        )
        parts.append(
            f"## {TITLES[name]}\n\n" + "\n".join("| " + " | ".join(r) + " |" for r in rows)
        )
    return "\n\n".join(parts)


def _scores(known: Truth, thickness: int, dose: int, references: References, found: Found):
    """Return the scores of the raw and of the restored images."""
    name = known.case.name
    return [
        score(estimates, references[name, thickness])
        for kind in ("raw", "restored")
        for job, estimates in found.items()
        if (job.case, job.thickness, job.dose, job.kind) == (name, thickness, dose, kind)
    ]


def _bulk(known: Truth, references: References, found: Found) -> list[tuple[str, ...]]:
    rows = [BULK_HEADINGS, ("---",) * len(BULK_HEADINGS)]
    for dose, value in enumerate(images.doses_of(known.case)):
        for thickness, cells in enumerate(BULK_CELLS):
            used = references["bulk", thickness]
            bound_x, bound_scs = _bound(known, thickness, used, value)
            mean = used.scs[used.scored].mean()
            pair = _scores(known, thickness, dose, references, found)
            rows.append(
                (
                    f"{value:,.0f}",
                    str(cells),
                    f"{100 * bound_x:.2f}",
                    *(f"{one.position_scatter / bound_x:.2f}" for one in pair),
                    f"{100 * bound_scs / mean:.2f}",
                    *(f"{one.scs_scatter / bound_scs:.2f}" for one in pair),
                    *(str(one.scs_percent) for one in pair),
                    *(f"{one.scs_bias_percent:+.1f}" for one in pair),
                )
            )
    return rows


def _bound(known: Truth, thickness: int, used: Reference, dose: float) -> tuple[float, float]:
    """Return the bound's root mean square over the columns scored, of x in Å and of SCS in Å²."""
    case = known.case
    start = pd.DataFrame(known.columns, columns=["x", "y"])
    image = calibrated_image(known.images[thickness], case.pixel_size)
    fit = fit_columns(image, start, width="common", background="constant")
    table = fit.columns
    model = Model(
        table["x"].to_numpy(),
        table["y"].to_numpy(),
        table["height"].to_numpy(),
        float(table["width"].iloc[0]),
        max(float(fit.background.mean()), 1e-4),
        case.pixel_size,
        case.pixels,
    )
    x, scs = cramer_rao(model, dose)
    return tuple(float(np.sqrt(np.mean(part[used.scored] ** 2))) for part in (x, scs))


def _other(known: Truth, references: References, found: Found) -> list[tuple[str, ...]]:
    counting = known.case.name == "particle"
    headings = OTHER_HEADINGS + (COUNT_HEADINGS if counting else ())
    rows = [headings, ("---",) * len(headings)]
    for dose, value in enumerate(images.doses_of(known.case)):
        pair = _scores(known, 0, dose, references, found)
        rows.append((f"{value:,.0f}", *_cells(pair, counting)))
    return rows


def _cells(pair: list[Score], counting: bool) -> list[str]:
    names = ("position_pm", "aligned_pm", "scs_percent")
    cells = [str(getattr(one, name)) for name in names for one in pair]
    cells += [f"{one.scs_bias_percent:+.1f}" for one in pair]
    return cells + ([str(one.counted_percent) for one in pair] if counting else [])


def page(truths: Truths, references: References, found: Found, card: Any, realisations: int) -> str:
    """Return the page that `quantification_networks.py` writes into the documentation."""
    parts = [
        "# Quantification of restored images",
        "<!-- Written by `python -m benchmarks.accuracy.quantification_networks`; do not edit by "
        "hand. -->",
        _explanation(card, realisations),
        _settings(truths, references),
    ]
    for section, name in zip(
        tables(truths, references, found).split("\n\n## "), truths, strict=True
    ):
        parts += [section if section.startswith("## ") else f"## {section}", CLAIMS[name]]
        if name == "particle":
            parts.append(_ceiling(references[name, 0]))
        parts.append(f"![{TITLES[name]}](../images/quantification_networks/{name}.jpg)")
    packages = ("numpy", "scipy", "numba", "abtem", "onnxruntime")
    return "\n\n".join([*parts, environment(*packages)]) + "\n"


def _explanation(card: Any, realisations: int) -> str:
    jitter = images.JITTER_PX
    return f"""\
Multislice images of the three cases of T. Friedrich, PhD thesis, University of Antwerp 2023,
section 2.3, recorded with its noise and distortions (Table 2.2), as they are and after the network
`{card.name}` ({card.parameters:,} parameters, {_training(card)}), then
fitted by `fit_columns` with no option set from the true places of the columns, as in the thesis.
{realisations} realisations at each dose (the thesis has 100); ± is half the 95 % confidence
interval of the mean over realisations.

- **Truth**: a fit of the noise-free image, so that what is scored is noise, distortion and network,
  not the shape of a column. Columns nearer than {BORDER} Å to the border are not scored; of the
  dislocation, those within {CORE_RADIUS:g} Å of its line are.
- **position**: mean distance from the true place. **less shift**: the same after the mean over all
  scored columns of an image is taken off: the detector's tail and the jitter move whole images.
- **SCS error**: mean absolute error in percent. **bias**: mean error in percent.
- **bound**: Cramér–Rao bound for Gaussian columns, one width, one background and Poisson noise,
  from the whole Fisher matrix, without code of crewe. **raw / bound**: standard deviation over
  realisations, divided by it. A restored image can fall below the bound, for a network knows what
  atoms look like; then its estimates are no longer unbiased.
- **counted right**: the count whose library value lies nearest; the library is the mean
  cross-section of the columns of each count in the noise-free image.
- **Distortions**: bulk crystal Poisson noise only. Others: jitter of σx {jitter["sigma_x"]},
  σy {jitter["sigma_y"]}, φ {jitter["phi"]} (Table 2.2 names no unit: pixels), Poisson noise, then
  the tail of a half-Lorentzian of α = {images.ALPHA_PX:g} pixels, for the thesis names a dwell time
  of 0.5 µs but no α."""


def _ceiling(used: Reference) -> str:
    right = (counts(used.scs, used) == used.atoms)[used.scored].mean()
    return (
        f"In the noise-free image itself {100 * right:.1f} % of the columns are counted right; "
        "what is missing is left by the few phonon configurations (here each counts as eight, by "
        "the sphere's symmetry), not by noise."
    )


def _training(card: Any) -> str:
    return f"{card.training.steps:,} steps, {card.validation.psnr_db} dB on its validation images"


def _settings(truths: Truths, references: References) -> str:
    """Return what was simulated beside what the thesis has."""
    lines = [
        "| case | detector mrad (thesis) | configurations (200) | slice Å | columns scored |",
        "| --- | --- | --- | --- | --- |",
    ]
    theirs = {"bulk": "60–190", "dislocation": "60–190", "particle": "42–220"}
    for name, known in truths.items():
        case = known.case
        ring = f"{case.detector.inner_mrad:g}–{case.detector.outer_mrad:g}"
        scored = int(references[name, 0].scored.sum())
        lines.append(
            f"| {name} | {ring} ({theirs[name]}) | {case.configurations} | "
            f"{case.settings.slice_thickness_angstrom:.2f} | {scored} |"
        )
    return (
        "Simulated with abTEM through `simulation.multislice`; energy, aperture, aberrations, "
        "source and pixel size as in Table 2.1. What differs:\n\n"
        + "\n".join(lines)
        + f"\n\nThermal displacements of {VIBRATION} Å along each axis. The outer angle is smaller "
        "where the grid could be coarser for it: beyond 140 mrad go 8 to 11 % of the electrons "
        "that reach the ring. Few phonon configurations leave static displacements in the "
        "noise-free image, which is the truth here. Bulk thicknesses: "
        f"{', '.join(map(str, BULK_CELLS))} unit cells (the thesis: all from 2 to 75)."
    )
