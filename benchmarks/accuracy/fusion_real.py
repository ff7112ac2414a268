"""Fuses every real set at hand; what is gained, what can be checked, and pictures.

python -m benchmarks.accuracy.fusion_real --data ../shared/data/chem --output docs/benchmarks
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy import fusion_real_formulas as formulas
from benchmarks.accuracy.fusion_real_gain import Gain, gains
from benchmarks.accuracy.fusion_real_pictures import montage
from benchmarks.accuracy.fusion_real_sets import Opened, opened
from benchmarks.accuracy.fusion_real_words import EXPLANATION, GAIN, NOT_CHECKED, RATIOS
from benchmarks.accuracy.tables import environment
from crewe.chemistry.fusion import fuse
from crewe.chemistry.results import FusedMaps
from crewe.errors import CreweError

SET_HEADINGS = ("set", "shift of HAADF, px (y, x)", "R", "method", "prior", "strength", "γ",
                "guide px", "counts out / in", "s")  # fmt: skip
RATIO_HEADINGS = ("what", "where", "formula", "raw sums", "fused sums")


def main() -> None:
    """Write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/chem"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--sets", nargs="*", help="names of sets; all when left out")
    options = parser.parse_args()
    pictures = options.output.parent / "images" / "fusion_real"
    pictures.mkdir(parents=True, exist_ok=True)
    options.output.mkdir(parents=True, exist_ok=True)
    settings, gained, ratios, shown, said = [], [], [], [], []
    for one in opened(options.data, options.sets):
        name = one.real_set.name
        said.append(f"**{name}** ({one.real_set.what}): " + "; ".join(one.inputs.remarks) + ".")
        try:
            results = {}
            for method, how in one.variants.items():
                started = time.perf_counter()
                found = fuse(one.haadf, one.inputs.maps, background=one.inputs.background, **how)
                results[method] = found
                settings.append(_settings(one, method, found, time.perf_counter() - started))
            measured = _gains(one)
        except CreweError as error:
            settings.append([name, *_registration(one), f"refused: {error}", *[""] * 6])
            continue
        gained += [_gain_row(name, gain) for gain in measured]
        best = list(results.values())[-1]
        if name in formulas.RATIOS:
            ratios += formulas.RATIOS[name](one, best)
        file = f"{name.replace('/', '_').replace(' ', '_').lower()}.png"
        montage(one, results, measured, pictures / file)
        shown.append(f"![{name}](../images/fusion_real/{file})\n\n*{name}: {one.real_set.what}.*")
    if not options.sets:
        ratios += formulas.strontium_titanate(options.data)
    parts = [
        "# Fused element maps of real specimens",
        "<!-- Written by `python -m benchmarks.accuracy.fusion_real`; do not edit by hand. -->",
        EXPLANATION,
        "## What is gained",
        GAIN,
        _table(("set, element", *_methods(gained)), [row for row, _ in gained]),
        "## What was chosen",
        _table(SET_HEADINGS, settings),
        "## Against known formulas",
        RATIOS,
        _table(RATIO_HEADINGS, ratios),
        "## Pictures",
        *shown,
        "## What the files hold",
        *said,
        "## What cannot be checked",
        NOT_CHECKED,
        environment(),
    ]
    (options.output / "fusion_real.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _gains(one: Opened) -> list[Gain]:
    """Gains, or none of a set too small to be split."""
    try:
        return gains(one)
    except CreweError:
        return []


def _settings(one: Opened, method: str, found: FusedMaps, seconds: float) -> list[str]:
    signal = float((found.raw - found.background).sum())
    smoothing = f"{found.guide_smoothing_px:g}"
    chosen = [found.prior, f"{found.strength:g}", f"{found.gamma:g}", smoothing]
    kept = f"{float(found.maps.sum()) / signal:.3f}"
    return [one.real_set.name, *_registration(one), method, *chosen, kept, f"{seconds:.1f}"]


def _registration(one: Opened) -> list[str]:
    if one.real_set.open_with.get("haadf") == "continuum":
        return ["same X-rays", ""]
    found = one.registration
    pairs = zip(found.shift_px, found.standard_error_px, strict=True)
    words = ", ".join(f"{shift:+.2f} ± {error:.2f}" for shift, error in pairs)
    return [words if found.trusted else "not significant", f"{found.correlation:.2f}"]


METHODS = ("raw", "Gaussian", "TV, no HAADF", "fused", "fused, Poisson")


def _methods(gained: Sequence[tuple[list[str], Gain]]) -> list[str]:
    return [*METHODS, "gain"]


def _gain_row(name: str, gain: Gain) -> tuple[list[str], Gain]:
    cells = [_number(gain, method) for method in METHODS]
    cells[1] += f" ({gain.gaussian_px:.1f} px)"
    method = "fused, Poisson" if "fused, Poisson" in gain.snr else "fused"
    known = all(_is_known(gain, one) for one in ("raw", method))
    factor = f"{gain.snr[method] / gain.snr['raw']:.1f}" if known else ""
    return [f"{name}, {gain.element}", *cells, factor], gain


def _is_known(gain: Gain, method: str) -> bool:
    """Whether an SNR exceeds twice its standard error."""
    value, error = gain.snr[method], gain.snr_error[method]
    return math.isfinite(value) and math.isfinite(error) and value > 2 * error


def _number(gain: Gain, method: str) -> str:
    if method not in gain.snr:
        return ""
    value, error = gain.snr[method], gain.snr_error[method]
    if not math.isfinite(value) or not math.isfinite(error):
        return "not measurable"
    return f"{value:.2f} ± {error:.2f}" if _is_known(gain, method) else f"{value:.1f} (uncertain)"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    main()
