"""The page on fused element maps."""

from pathlib import Path

from benchmarks.accuracy import fusion_pictures as pictures
from benchmarks.accuracy import fusion_tables as tables
from benchmarks.accuracy import fusion_words as words
from benchmarks.accuracy.fusion_cases import SHOWN, Case, error_bar_cases
from benchmarks.accuracy.fusion_findings import findings
from benchmarks.accuracy.fusion_store import Store
from benchmarks.accuracy.tables import environment

MONTAGES = {"textured": "whole particle", "atomic": "part of it, from the core to vacuum"}


def page(
    scores: tables.Scores,
    stores: dict[str, Store],
    seeds: int,
    grid_seeds: int,
    folder: Path | None,
) -> str:
    """Write the page, and its pictures where a folder is given."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        draw(scores, stores, grid_seeds, folder)
    bars = error_bar_cases()
    parts = [
        "# Fused element maps",
        "<!-- Written by `python -m benchmarks.accuracy.fusion`; do not edit by hand. -->",
        words.EXPLANATION.format(seeds=seeds),
        findings(scores, seeds),
        words.FAILINGS,
        "## All methods",
        tables.error_table(scores, seeds),
        *(_montage(kind, what) for kind, what in MONTAGES.items()),
        "## Fractions of core and shell",
        words.FRACTIONS,
        tables.fraction_table(scores, seeds),
        "## All signal-to-noise ratios",
        words.GRID,
        tables.grid_table(scores, grid_seeds),
        "![Errors over the signal-to-noise ratios](../images/fusion/errors.png)",
        "## Gallium oxide",
        words.FILM,
        tables.film_table(scores, seeds),
        "## Standard errors",
        words.ERROR_BARS.format(**tables.correlations(scores, bars)),
        tables.error_bar_table(scores, bars),
        "![Standard errors and errors](../images/fusion/standard_errors.png)",
        environment("numpy", "scipy", "numba"),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def draw(scores: tables.Scores, stores: dict[str, Store], seeds: int, folder: Path) -> None:
    """Draw all pictures."""
    for kind in MONTAGES:
        case = Case(kind, *SHOWN, 0)
        groups = [group for group, _ in tables.METHODS.values() if scores(group, case)]
        maps = {
            name: values
            for group in dict.fromkeys(groups)
            for name, values in stores[group].maps(case).items()
        }
        pictures.montage(case, maps, folder / f"{kind}.jpg")
    pictures.error_maps(scores, seeds, folder / "errors.png")
    pictures.standard_errors(scores, error_bar_cases(), folder / "standard_errors.png")


def _montage(kind: str, what: str) -> str:
    haadf, chemical = SHOWN
    return (
        f"The {kind} particle at HAADF SNR {haadf} and chemical SNR {chemical}, {what}; the error "
        f"above each column.\n\n![Maps of the {kind} particle](../images/fusion/{kind}.jpg)"
    )
