"""Pictures of emulated images beside multislice ones, all of pixels that were held out."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_paper import is_bright
from benchmarks.accuracy.emulator_plans import PAPER, SMOOTHED
from benchmarks.accuracy.emulator_scores import FOLDS, SEED
from benchmarks.accuracy.emulator_store import Measured
from crewe.axes import calibrated_image
from crewe.plots.emulator import emulated_figure, error_figure, parity_figure
from crewe.plots.emulator_curves import terms_figure, training_figure
from crewe.plots.save import png_bytes
from crewe.simulation.emulator.figures import CrossValidation
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.validation import cross_validate

PIXEL_ANGSTROM = 0.1
DOTS_PER_INCH, IMAGES_DOTS_PER_INCH = 120, 150
COLOURS = 128
BINS = 5


def images(measured: Measured, folder: Path | None) -> dict[str, Any]:
    """Draw parity, errors, the best and the worst images; return figures to be told."""
    wanted = [] if folder is None else [folder / f"{name}.png" for name in _names()]
    if not all(path.exists() for path in wanted):
        (measured.folder / "pictures.json").unlink(missing_ok=True)
    return measured.value("pictures", lambda: _drawn(measured, folder))


def number_of_terms(table: Any, folder: Path | None) -> None:
    """Fig. 4."""
    if folder is not None:
        figure = terms_figure(table)
        # So many sorts of plans leave no room among the points.
        figure.set_size_inches(figure.get_figwidth() * 1.5, figure.get_figheight())
        figure.axes[0].legend(
            loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8
        )
        _save(figure, folder / "terms.png")


def training_images(table: Any, name: str, folder: Path | None) -> None:
    """Leave-out-X."""
    if folder is not None:
        _save(training_figure(table, title=f"{name} terms"), folder / f"training_{name}.png")


def _names() -> list[str]:
    shown = [f"{which}_{sort}" for which in ("best", "worst") for sort in ("crystal", "other")]
    return ["parity_378", "parity_364", "error_364", *shown]


def _drawn(measured: Measured, folder: Path | None) -> dict[str, Any]:
    found = {name: _validated(measured, plan) for name, plan in (("378", PAPER), ("364", SMOOTHED))}
    shown = _extremes(found["364"], measured.pairs)
    if folder is not None:
        for name, one in found.items():
            _save(_parity(one), folder / f"parity_{name}.png")
        one = found["364"]
        _save(error_figure(*_values(one), one.noise), folder / "error_364.png")
        for name, row in shown.items():
            picture = _panels(one, measured.pairs, row)
            _save(picture, folder / f"{name}.png", IMAGES_DOTS_PER_INCH)
    told = {
        name: {"coverage": one.coverage, "by_value": _by_value(one), "r2": one.one_minus_r2}
        for name, one in found.items()
    }
    return {**told, "shown": shown}


def _validated(measured: Measured, plan: Any) -> CrossValidation:
    rng = np.random.default_rng(SEED)
    return cross_validate(measured.pairs, plan, rng=rng, folds=FOLDS, repeats=1)


def _extremes(found: CrossValidation, pairs: Any) -> dict[str, dict[str, Any]]:
    """Rows of the best and the worst crystal and the best and the worst other image."""
    bright = {pair.name for pair in pairs if is_bright(pair)}
    table = found.per_image.sort_values("fractional_rms")
    result = {}
    for sort, chosen in (("crystal", True), ("other", False)):
        rows = table[[(name in bright) == chosen for name in table["pair"]]]
        result[f"best_{sort}"] = rows.iloc[0].to_dict()
        result[f"worst_{sort}"] = rows.iloc[-1].to_dict()
    return result


def _panels(found: CrossValidation, pairs: list[Pair], row: dict[str, Any]) -> Any:
    pair = next(pair for pair in pairs if pair.name == row["pair"])
    part = next(part for part in found.held_out if part.name == row["pair"])
    drawn = [
        calibrated_image(values, PIXEL_ANGSTROM, "Å")
        for values in (pair.linear, pair.multislice, part.image())
    ]
    error = row["fractional_rms"]
    return emulated_figure(*drawn, title=f"pair {pair.name}, fractional r.m.s. error {error:.3f}")


def _parity(found: CrossValidation) -> Any:
    return parity_figure(*_values(found), title=f"{found.terms} terms")


def _values(found: CrossValidation) -> tuple[np.ndarray, np.ndarray]:
    """Emulated and multislice values."""
    parts = found.held_out
    return tuple(
        np.concatenate([getattr(part, kind) for part in parts]) for kind in ("emulated", "actual")
    )


def _by_value(found: CrossValidation) -> list[dict[str, float]]:
    """Root mean square and mean error in ranges of the multislice value as wide as each other."""
    emulated, actual = _values(found)
    edges = np.linspace(actual.min(), actual.max(), BINS + 1)
    place = np.clip(np.digitize(actual, edges) - 1, 0, BINS - 1)
    rows = []
    for number in range(BINS):
        chosen = place == number
        error = (emulated - actual)[chosen].astype(float)
        rows.append(
            {
                "low": edges[number],
                "high": edges[number + 1],
                "pixels": int(chosen.sum()),
                "rms": float(np.sqrt(np.mean(error**2))),
                "bias": float(error.mean()),
                "share": float((error**2).sum()),
            }
        )
    total = sum(row["share"] for row in rows)
    return [{**row, "share": row["share"] / total} for row in rows]


def _save(figure: Any, path: Path, dots_per_inch: int = DOTS_PER_INCH) -> None:
    """Write a picture in so few colours that the file is small."""
    import io

    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = Image.open(io.BytesIO(png_bytes(figure, dots_per_inch))).convert("RGB")
    small = drawn.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
