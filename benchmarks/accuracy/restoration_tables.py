"""Scores of restoration as Markdown, and the places in the page where they belong."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.accuracy.restoration_scores import Scores, difference, standard_error
from benchmarks.accuracy.restoration_sets import ImageSet

NAMES = {
    "input": "input",
    "wiener": "FFT Wiener on Anscombe",
    "bm3d": "BM3D on Anscombe",
    "tk_r_em": "tk_r_em",
    "tk_r_em-stored": "tk_r_em, axes as stored",
    "crewe": "crewe",
}
WANTED_GAP_DB = 6.51
"""Of the paper's network over BM3D."""

Found = dict[str, Scores]


def validation_table(found: dict[str, Found]) -> str:
    """Return one row for every method on every modality, and by how much crewe is ahead of it."""
    lines = _head(
        "set",
        "method",
        "images",
        "PSNR dB",
        "median",
        "matched",
        "SSIM",
        "matched",
        "crewe's lead dB",
    )
    for modality, methods in found.items():
        for method, row in methods.items():
            known = row.known
            if known.any():
                cells = (modality, NAMES[method], str(known.sum()), *_figures(row))
                lines.append(_row(*cells, _lead(methods, method)))
    return "\n".join(lines)


def lead_text(found: dict[str, Found]) -> str:
    """Return what the wanted gap of 6.51 dB over BM3D has become, in one line a modality."""
    lines = []
    for modality, methods in found.items():
        rivals = [name for name in ("bm3d", "wiener") if name in methods and _some(methods[name])]
        if "crewe" not in methods or not rivals:
            continue
        both = np.logical_and.reduce([methods[name].known for name in rivals])
        best = max(rivals, key=lambda name: methods[name].psnr[both].mean())
        lead, error = difference(methods["crewe"], methods[best])
        lines.append(
            f"- {modality}: crewe is {lead:+.2f} ± {error:.2f} dB from {NAMES[best]}, the better "
            f"of the two; the paper's network is +{WANTED_GAP_DB:.2f} dB from BM3D on its own set."
        )
    return "\n".join(lines)


def condition_table(images: ImageSet, methods: Found) -> str:
    """Return mean PSNR by quartiles of dose and pixel size and by what is shown."""
    shown = [name for name, row in methods.items() if _some(row)]
    lines = _head("images of", "number", *(NAMES[name] for name in shown))
    every = np.logical_and.reduce([methods[name].known for name in shown])
    for label, chosen in _conditions(images.facts):
        where = chosen & every
        means = (f"{methods[name].psnr[where].mean():.2f}" for name in shown if where.any())
        lines.append(_row(label, str(where.sum()), *means))
    return "\n".join(lines)


def pairs_table(found: dict[str, Found]) -> str:
    """Return mean PSNR over the published pairs, as it is / after an affine match."""
    shown = ("input", "wiener", "bm3d", "tk_r_em-stored", "tk_r_em", "crewe")
    lines = _head("pairs", "number", *(NAMES[name] for name in shown))
    for modality, methods in found.items():
        number = next(iter(methods.values())).known.sum()
        cells = (_both_means(methods[name]) if name in methods else "–" for name in shown)
        lines.append(_row(modality, str(number), *cells))
    return "\n".join(lines)


def each_pair_table(found: dict[str, Found]) -> str:
    """Return the matched PSNR of every pair: input, tk_r_em, crewe."""
    lines = _head("set", "method", *(str(number) for number in range(1, 9)))
    for modality, methods in found.items():
        for name in ("input", "tk_r_em", "crewe"):
            if name in methods:
                values = methods[name].psnr_matched
                cells = ["–" if np.isnan(value) else f"{value:.1f}" for value in values]
                lines.append(_row(modality, NAMES[name], *cells, *["–"] * (8 - len(cells))))
    return "\n".join(lines)


def put_between_marks(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of a name in a page; raises ValueError without them."""
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(first)
    _, closed, after = rest.partition(last)
    if not (found and closed):
        raise ValueError(f"{page} has no marks {first} and {last}: write them where {name} belongs")
    page.write_text(f"{before}{first}\n\n{text}\n\n{last}{after}", encoding="utf-8")


def _conditions(facts: list[dict]) -> list[tuple[str, np.ndarray]]:
    rows = [("all", np.ones(len(facts), bool))]
    for key, name, form in (
        ("electrons_per_pixel", "e per pixel", ".3g"),
        ("pixel_size_angstrom", "Å per pixel", ".2f"),
    ):
        rows += _quartiles(np.array([one[key] for one in facts]), name, form)
    for key in ("specimen", "content"):
        rows += _kinds([str(one[key]) for one in facts])
    return rows


def _quartiles(values: np.ndarray, name: str, form: str) -> list[tuple[str, np.ndarray]]:
    edges = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    edges[-1] = np.inf
    rows = []
    for low, high in pairwise(edges):
        chosen = (values >= low) & (values < high)
        rows.append((f"{values[chosen].min():{form}}–{values[chosen].max():{form}} {name}", chosen))
    return rows


def _kinds(values: list[str]) -> list[tuple[str, np.ndarray]]:
    names = [name for name in sorted(set(values)) if name != "none"]
    return [(name.replace("_", " "), np.array(values) == name) for name in names]


def _some(row: Scores) -> bool:
    return bool(row.known.any())


def _figures(row: Scores) -> Sequence[str]:
    known = row.known
    mean: Callable[[np.ndarray], float] = lambda values: float(values[known].mean())  # noqa: E731
    return (
        f"{mean(row.psnr):.2f} ± {standard_error(row.psnr[known]):.2f}",
        f"{np.median(row.psnr[known]):.2f}",
        f"{mean(row.psnr_matched):.2f}",
        f"{mean(row.ssim):.3f}",
        f"{mean(row.ssim_matched):.3f}",
    )


def _lead(methods: Found, method: str) -> str:
    if method == "crewe" or "crewe" not in methods:
        return "–"
    lead, error = difference(methods["crewe"], methods[method])
    return f"{lead:+.2f} ± {error:.2f}"


def _both_means(row: Scores) -> str:
    if not _some(row):
        return "–"
    return f"{row.psnr[row.known].mean():.1f} / {row.psnr_matched[row.known].mean():.1f}"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), _row(*["---"] * len(cells))]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
