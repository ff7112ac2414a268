r"""Are the standard errors of fused maps true? Beside the scatter of repeated measurements.

    python -m benchmarks.accuracy.fusion_standard_error \
        --pictures docs/images/fusion_standard_error.png \
        --markdown docs/benchmarks/fusion_standard_error.md

What was measured before is kept under --cache and not measured again while the code is the same.
"""

import argparse
import os
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from benchmarks.accuracy.fusion_standard_error_picture import draw  # noqa: E402
from benchmarks.accuracy.fusion_standard_error_scatter import (  # noqa: E402
    Scatter,
    cases,
    checked,
    chosen_anew,
)
from benchmarks.accuracy.fusion_store import checksum  # noqa: E402
from benchmarks.accuracy.tables import environment  # noqa: E402

MODULES = ("benchmarks.accuracy.fusion_standard_error_scatter",)

EXPLANATION = """\
The particles of [the page on fusion](fusion.md) (a core of CoS in a shell of CoO, 256 × 256) are
measured {repeats} times over, each time with its own noise. The first measurement is fused with no
option set, and its standard errors are computed; the others are fused with the settings chosen for
the first. What they scatter is what a standard error claims to know.

- **error**: ‖x − truth‖ / ‖truth‖, mean over elements and measurements. **scatter**: the same of
  the standard deviation over measurements; what is left of the error is bias.
- **repeated / scatter**: `repeated_error` with its eight repeats, root mean square over the pixels,
  over that of the scatter, for each element. 1 is wanted; below 1 the error bars are too short.
  **Hessian / scatter**: `hessian_error` likewise. It knows no smoothing, and must be above 1.
- **scatter within 1σ, 2σ**: share of the particle's pixels, over all measurements, that lie no
  farther from their own mean than one and two reported errors; 68 and 95 % for normal noise.
- **truth within 1σ, 2σ**: that the truth lies no farther away, bias included.

Pixels count where an element's truth is above 2 % of its mean.
"""


def main() -> None:
    given = _arguments()
    folder = given.cache / checksum(MODULES)
    scatters = []
    for case in cases():
        scatters.append(checked(case, given.repeats, folder))
        print(scatters[-1].line(), flush=True)
    anew = [
        chosen_anew(scatter.case, given.anew, folder) for scatter in scatters if _shown(scatter)
    ]
    text = page(scatters, anew, given)
    print(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    if given.pictures:
        given.pictures.parent.mkdir(parents=True, exist_ok=True)
        draw(scatters, given.pictures)


def page(scatters: list[Scatter], anew: list[dict], given: argparse.Namespace) -> str:
    return (
        "\n\n".join(
            [
                "# Standard errors of fused maps",
                "<!-- Written by `python -m benchmarks.accuracy.fusion_standard_error`; "
                "do not edit by hand. -->",
                EXPLANATION.format(repeats=given.repeats).rstrip(),
                _table(scatters),
                _summary(scatters, anew, given.anew),
                "![Reported errors, scatter, and errors](../images/fusion_standard_error.png)",
                "Above: cobalt in the textured and the atomic particle at HAADF SNR 10 and "
                "chemical SNR 2, with what its standard errors say and should. Below: average "
                "standard error against error as in Fig. 6c of the paper, and the scatter against "
                "the error reported, each point an element of a particle.",
                environment("numpy", "scipy", "numba"),
            ]
        )
        + "\n"
    )


def _table(scatters: list[Scatter]) -> str:
    headings = (
        "particle",
        "HAADF, chemical SNR",
        "prior, strength",
        "error",
        "scatter",
        "repeated / scatter Co, S, O",
        "Hessian / scatter Co, S, O",
        "scatter within 1σ, 2σ %",
        "truth within 1σ, 2σ %",
    )
    lines = [headings, ["---"] * len(headings), *(scatter.cells() for scatter in scatters)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _summary(scatters: list[Scatter], anew: list[dict], number: int) -> str:
    import numpy as np

    error = np.array([scatter.error for scatter in scatters])
    parts = []
    for name in ("repeated", "hessian"):
        average = np.array([getattr(scatter, f"average_{name}") for scatter in scatters])
        linear = float(np.corrcoef(average, error)[0, 1])
        logarithmic = float(np.corrcoef(np.log(average), np.log(error))[0, 1])
        parts.append(f"`{name}_error` {linear:.3f} ({logarithmic:.3f} of the logarithms)")
    every = np.concatenate([scatter.repeated_ratio for scatter in scatters])
    text = (
        f"Over particles, doses and elements repeated errors are {every.min():.2f} to "
        f"{every.max():.2f} of the scatter, {np.median(every):.2f} in the middle. Correlation of "
        "the average standard error with the error, as in Fig. 6c: " + ", ".join(parts) + "."
    )
    for one in anew:
        ratios = ", ".join(f"{value:.2f}" for value in one["ratio"])
        text += (
            f"\n\nWere the settings chosen anew for each of {number} measurements of the "
            f"{one['kind']} particle at {one['haadf_snr']}, {one['chemical_snr']}, maps would "
            f"scatter {ratios} times as much (Co, S, O); that is in no error bar."
        )
    return text


def _shown(scatter: Scatter) -> bool:
    """Where settings are chosen anew, which takes longest."""
    case = scatter.case
    return case.kind != "smooth" and (case.haadf_snr, case.chemical_snr) == (10, 2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=24, help="measurements of each particle")
    parser.add_argument(
        "--anew", type=int, default=8, help="of them fused with settings of their own"
    )
    parser.add_argument("--cache", type=Path, default=Path("build/fusion_standard_error"))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
