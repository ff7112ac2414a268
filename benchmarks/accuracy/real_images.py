"""Every atomic-resolution image at hand, with no option set: what is found and what is left."""

import argparse
from pathlib import Path

import pandas as pd
import xarray as xr

from crewe import axes, io
from crewe.atoms import find_columns, fit_columns, match_columns
from crewe.errors import CreweError

# Pixel sizes in Å that a file does not hold but its publication gives.
SAMPLING = {
    "atomsegnet_03_afterimage_8nm_crp.png": 0.094,
    "atomsegnet_Si110_5nmX25us_03.png": 0.098,
}
# Not images of atoms: a detector map, and a frame with pixels of 30 Å.
LEFT_OUT = ("atomap_detector_image.hspy", "katsuno_lowdoseTEM_0001.tif")
HEADER = (
    "image",
    "columns",
    "flagged",
    "types",
    "background",
    "correlation",
    "left over",
    "labels",
)


def frames_of(path: Path) -> list[tuple[str | None, int | None]]:
    """Signals and frames of a file that hold an image of atoms."""
    if path.name.startswith("tkrem_exp"):
        return [("x", frame) for frame in range(5)]
    if path.name.startswith("atomagined"):
        return [("haadf/raw", None), ("haadf/stem00-clean", None)]
    return [(None, None)]


def row(path: Path, signal: str | None, frame: int | None) -> list[str]:
    """Quantify one image and describe the result, or the refusal, in one row."""
    name = path.stem + (f" {signal}" if signal else "") + (f" {frame}" if frame is not None else "")
    try:
        image = io.read_image(path, signal=signal, frame=frame, sampling=SAMPLING.get(path.name))
        found = find_columns(image)
        fit = fit_columns(image, found)
    except CreweError as error:
        return [name, f"refused: {error}", *[""] * 6]
    left = float(fit.residual.var() / image.var())
    return [
        name,
        f"{len(found):,}",
        f"{(fit.columns['flag'] != '').sum():,}",
        str(fit.summary["n_types"]),
        fit.summary["background"],
        f"{fit.summary['residual_correlation']:.2f}",
        f"{left:.3f}",
        labelled(path, image, found),
    ]


def labelled(path: Path, image: xr.DataArray, found: pd.DataFrame) -> str:
    """How many of the expert's labels were found, within eight pixels."""
    labels = path.with_name(f"{path.stem}_labels.csv")
    if not labels.exists():
        return ""
    step = axes.sampling(image)[1]
    truth = pd.read_csv(labels)[["X", "Y"]].rename(columns={"X": "x", "Y": "y"}) * step
    matched = (match_columns(found, truth, 8 * step) >= 0).sum()
    return f"{matched} of {len(truth)}"


def table(rows: list[list[str]]) -> str:
    """The rows as a Markdown table."""
    lines = [HEADER, ["---"] * len(HEADER), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    rows = []
    for path in sorted((given.data / "atomic").iterdir()):
        if path.suffix == ".csv" or path.name in LEFT_OUT:
            continue
        for signal, frame in frames_of(path):
            rows.append(row(path, signal, frame))
            print(" | ".join(rows[-1]), flush=True)
    page = (
        "# Real images\n\n"
        "<!-- Written by `python -m benchmarks.accuracy.real_images`; do not edit by hand. -->\n\n"
        "Every image of atoms that we have from public sources, found and fitted with no option\n"
        "set. Correlation: that of the residuals of neighbouring pixels; where it is high, the\n"
        "columns are not of the fitted shape or the noise is not white, and error bars are lower\n"
        "limits. Left over: part of the image's variance that the model does not describe.\n"
        "Labels: single atoms that an expert marked, found within eight pixels.\n\n" + table(rows)
    )
    if given.markdown:
        given.markdown.write_text(page + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
