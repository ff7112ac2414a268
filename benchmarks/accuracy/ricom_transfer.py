"""Which spatial frequencies riCOM kernels pass: Fig. 3.2 of the thesis, measured and drawn.

python -m benchmarks.accuracy.ricom_transfer --markdown docs/benchmarks/ricom_transfer.md \
    --picture docs/images/ricom_transfer.png
"""

import argparse
from pathlib import Path

import numpy as np

from crewe.sources import Scan
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.icom import integrate
from crewe.stem4d.moments import MeasuredMoments, Moments
from crewe.stem4d.ricom import Ricom
from crewe.stem4d.ricom_kernel import (
    Band,
    disc_transfer,
    line_transfer,
    radial_transfer,
    ricom_kernel,
    transfer,
)

SCAN = 500
HIGH = 12.19
LOW = HIGH / 2
KERNELS = {
    "101": (101, None),
    "41": (41, None),
    "101-HP": (101, (LOW, None)),
    "101-LP": (101, (0.0, HIGH)),
    "101-BP": (101, (LOW, HIGH)),
}
SHOWN_PX = (2, 4, 6, 12, 25, 50, 100)
COLOURS = ("tab:blue", "tab:gray", "tab:orange", "tab:green", "tab:pink")

INTRODUCTION = """\
# What riCOM kernels pass

`python -m benchmarks.accuracy.ricom_transfer` measures the kernels of Fig. 3.2 (Yu et al. 2022,
doi:10.1017/S1431927622000617) for a scan of 500 × 500 positions: the weight with which a wave of
the centre of mass along its own direction goes into the image, in scan steps, averaged over
azimuth. k is in pixels of the Fourier transform (px⁻¹ in the paper: cycles per 500 positions).
The filters are those of the figure: k_min = 12.19/2, k_max = 12.19.
"""

READING = """\
- An iCOM has the weight 1/q with q = 2πk/500. Small kernels pass less at low k, which stresses
  detail.
- *line*, eq. 3.7: (1 − cos Δq)/q. It has the period and the decay of the 2D kernel but swings
  more; its first maximum is half as high again. *disc*: (1 − J₀(Rq))/q, exact for a kernel cut to a
  disc of the same area, is nearer. Differences are root mean squares over k < 50, over the
  kernel's maximum.
- Cut back to the kernel's size, filters have slopes instead of edges, as the paper says.
- The sum of eq. 3.4 leaves out the position itself, which holds −a∇·COM/4π; this takes the share
  πf² (f in cycles per step) from frequency f: a tenth at five to six steps per wave.
"""


def main() -> None:
    """Measure, print, and write page and picture where asked."""
    options = _arguments()
    frequencies, curves = measured()
    page = "\n".join(
        [INTRODUCTION, table(frequencies, curves), READING, against_waves(), against_icom()]
    )
    if options.picture:
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        draw(frequencies, curves, options.picture)
        page += f"\n![Transfer of five kernels](../images/{options.picture.name})\n"
    print(page)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(page)


def kernel_of(name: str) -> np.ndarray:
    size, limits = KERNELS[name]
    band = None if limits is None else Band.from_pixels(*limits, SCAN)
    return ricom_kernel(size, band=band, scan_shape=(SCAN, SCAN))


def measured() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Frequencies in cycles per step and the weights of each kernel."""
    curves = {}
    for name in KERNELS:
        frequencies, curves[name] = radial_transfer(kernel_of(name), (SCAN, SCAN))
    return frequencies, curves


def table(frequencies: np.ndarray, curves: dict[str, np.ndarray]) -> str:
    headings = ["kernel", "maximum at k", "maximum", *(f"k = {k}" for k in SHOWN_PX)]
    rows = [[*headings, "from line", "from disc"]]
    rows.append(["---"] * len(rows[0]))
    low = frequencies * SCAN < 50
    for name, curve in curves.items():
        size, limits = KERNELS[name]
        at = int(curve.argmax())
        row = [name, f"{at + 1}", f"{curve[at]:.1f}", *(f"{curve[k - 1]:.2f}" for k in SHOWN_PX)]
        for model in (line_transfer, disc_transfer):
            difference = (model(size, frequencies) - curve)[low]
            share = np.sqrt(np.mean(difference**2)) / curve.max()
            row.append(f"{100 * share:.1f} %" if limits is None else "")
        rows.append(row)
    rows.append(["iCOM", "", "", *(f"{SCAN / (2 * np.pi * k):.2f}" for k in SHOWN_PX), "", ""])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def against_waves() -> str:
    """Send waves through riCOM itself and compare with the transfer function."""
    shape, wave = (SCAN, SCAN), (5, 9)
    k = np.array(wave) / SCAN
    y, x = np.indices(shape)
    argument = 2 * np.pi * (k[0] * y + k[1] * x)
    direction = k / np.hypot(*k)
    worst = 0.0
    for name, (size, limits) in KERNELS.items():
        com = _com_of(-direction[:, None, None] * np.sin(argument), None)
        ricom = Ricom(com, size, None if limits is None else Band.from_pixels(*limits, SCAN))
        image = ricom.images()["ricom"].values
        expected = transfer(kernel_of(name), shape)[wave] * np.cos(argument)
        # Near the edges of the scan a wave does not fill the kernel.
        inside = (slice(size, -size),) * 2
        difference = np.abs(image - expected)[inside].max()
        worst = max(worst, difference / np.abs(expected).max())
    return (
        f"A wave of k = {wave} sent through riCOM comes out with the weight of the transfer "
        f"function; the largest difference, over the amplitude, is {worst:.0e} for the five "
        "kernels.\n"
    )


def against_icom() -> str:
    """Kernel as large as the scan, beside iCOM, for an isolated object."""
    pixels, step, widths = 128, 0.2, (0.4, 0.8, 1.6)
    y = (np.arange(pixels) - pixels / 2) * step
    parts = []
    for width in widths:
        phase = np.exp(-(y[:, None] ** 2 + y**2) / (2 * width**2))
        shift = np.stack([-y[:, None] / width**2 * phase, -y / width**2 * phase])
        image = Ricom(_com_of(shift, (step, step)), 2 * pixels - 1).images()["ricom"].values
        expected = integrate(shift, (step, step), "open")
        error = np.sqrt(np.mean((image - image.mean() - expected) ** 2)) / expected.std()
        parts.append(f"{100 * error:.2f} % for {width / step:g} steps")
    return (
        f"With a kernel as large as the scan ({pixels} × {pixels}, kernel {2 * pixels - 1}) riCOM "
        "differs from iCOM, root mean square over standard deviation, for a Gaussian phase of "
        f"standard deviation: {', '.join(parts)}.\n"
    )


def _com_of(shift: np.ndarray, step: tuple[float, float] | None) -> CentreOfMass:
    shape = shift.shape[1:]
    moments = Moments(shape, (1, 1))
    flat = shift.reshape(2, -1)
    values = np.stack([np.ones(flat.shape[1]), *flat], axis=1)
    moments.add(MeasuredMoments(np.arange(flat.shape[1]), values, 0, 0))
    return CentreOfMass(moments, scan=Scan(shape, step_angstrom=step), reference=(0.0, 0.0))


def draw(frequencies: np.ndarray, curves: dict[str, np.ndarray], path: Path) -> None:
    from matplotlib.figure import Figure

    pixels = frequencies * SCAN
    figure = Figure((7, 6), layout="constrained")
    panel = figure.subplots()
    lift = 0.75 * max(curve.max() for curve in curves.values())
    for row, ((name, curve), colour) in enumerate(zip(curves.items(), COLOURS, strict=True)):
        size, limits = KERNELS[name]
        base = row * lift
        panel.axhline(base, color="0.85", linewidth=0.8)
        panel.plot(pixels, base + curve, color=colour, label=f"kernel {name}")
        if limits is None:
            dashed = base + line_transfer(size, frequencies)
            panel.plot(pixels, dashed, color=colour, linestyle="--", linewidth=0.9)
        cut = (SCAN / size,) if limits is None else tuple(one for one in limits if one)
        for at in cut:
            panel.plot(at, base + np.interp(at, pixels, curve), "o", color=colour, fillstyle="none")
    for at in (LOW, HIGH):
        panel.axvline(at, color="0.6", linewidth=0.8, linestyle=":")
    panel.set(xlim=(0, 60), xlabel="k (cycles per 500 positions)", ylabel="weight (steps), lifted")
    panel.legend(loc="upper right", reverse=True, title="dashed: eq. 3.7")
    figure.savefig(path, dpi=110)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="page to write")
    parser.add_argument("--picture", type=Path, help="picture to draw")
    return parser.parse_args()


if __name__ == "__main__":
    main()
