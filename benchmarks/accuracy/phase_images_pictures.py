"""Fig. 3.6 of the riCOM chapter in simulation, and its pore that is brighter than it should be."""

from pathlib import Path

import numpy as np

from benchmarks.accuracy.phase_images_objects import CELLS, POSITIONS, STEP_ANGSTROM
from benchmarks.accuracy.phase_images_scores import inner, radial_mean
from crewe.stem4d.ricom_kernel import line_transfer, radial_transfer, ricom_kernel

SHOWN = ("adf", "ssb natural", "ricom 21", "ricom 61", "ricom 61 bp")
SIZES = {"ricom 21": 21, "ricom 61": 61, "ricom 61 bp": 61}
HIGHEST_INVERSE_ANGSTROM = 0.65
PANEL_INCHES = 2.1
PORE_PX = (
    (CELLS // 2 + 0.5) * POSITIONS / CELLS,
    (CELLS // 2 + 0.5) * POSITIONS / CELLS,
)
"""Middle of a pore near the middle of the scan, in probe positions."""


def comparison(images: dict[float, dict[str, np.ndarray]], band, path: Path) -> None:
    """Images by dose and method, one row per dose, and Fourier transforms of the first row."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.size": 8}):
        rows = len(images) + 1
        figure = Figure((5 * PANEL_INCHES, rows * PANEL_INCHES), layout="constrained")
        panels = figure.subplots(rows, len(SHOWN))
        for line, (dose, row) in zip(panels, images.items(), strict=False):
            for panel, name in zip(line, SHOWN, strict=True):
                _grey(panel, inner(row[name]))
            line[0].set_ylabel(f"{dose:,.0f} e/Å²")
        first = next(iter(images.values()))
        for panel, name in zip(panels[-1], SHOWN, strict=True):
            _transform(panel, first[name], name, band)
        panels[-1, 0].set_ylabel("Fourier transforms")
        for panel, name in zip(panels[0], SHOWN, strict=True):
            panel.set_title(name)
        figure.savefig(path, dpi=130)


def _grey(panel, values: np.ndarray) -> None:
    low, high = np.percentile(values, (0.5, 99.5))
    panel.imshow(values, cmap="gray", vmin=low, vmax=high)
    panel.set(xticks=[], yticks=[])


def _transform(panel, image: np.ndarray, name: str, band) -> None:
    part = inner(image)
    # What is judged holds whole cells of the zeolite, so that no window is needed.
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(part)))
    k = np.fft.fftshift(np.fft.fftfreq(len(part), STEP_ANGSTROM))
    shown = np.log(spectrum + 3e-3 * spectrum.max())
    panel.imshow(shown, cmap="gray", extent=(k[0], k[-1], k[-1], k[0]))
    top = HIGHEST_INVERSE_ANGSTROM
    panel.set(xlim=(-top, top), ylim=(top, -top), xticks=(-0.5, 0, 0.5), yticks=[])
    panel.set_xlabel("1/Å")
    distance = np.rint(np.hypot(k[:, None], k) / (k[1] - k[0])).astype(int).ravel()
    mean = np.bincount(distance, spectrum.ravel()) / np.bincount(distance)
    ring = np.arange(len(mean)) * (k[1] - k[0])
    _curve(panel, ring[1:], mean[1:], "yellow", "-")
    if name in SIZES:
        kernel = ricom_kernel(
            SIZES[name], band=band if name.endswith("bp") else None, scan_shape=(POSITIONS,) * 2
        )
        frequency, weight = radial_transfer(kernel, (POSITIONS, POSITIONS))
        _curve(panel, frequency / STEP_ANGSTROM, weight, "red", "-")
        _curve(
            panel,
            frequency / STEP_ANGSTROM,
            line_transfer(SIZES[name], frequency),
            "cyan",
            "--",
        )


def _curve(panel, k: np.ndarray, values: np.ndarray, colour: str, style: str) -> None:
    """Draw values ≥ 0 from the bottom to two thirds of the panel, at ±k."""
    inside = k <= HIGHEST_INVERSE_ANGSTROM
    top = HIGHEST_INVERSE_ANGSTROM
    height = top - 4 / 3 * top * values[inside] / values[inside].max()
    panel.plot(k[inside], height, style, color=colour, linewidth=0.8)
    panel.plot(-k[inside], height, style, color=colour, linewidth=0.8)


def pore_profile(image: np.ndarray) -> np.ndarray:
    """Mean on circles about the middle of a pore, from there to 6 Å in tenths of an Å."""
    return radial_mean(image, PORE_PX, np.arange(61) * 0.1 / STEP_ANGSTROM)


def pore(profiles: dict[str, np.ndarray], path: Path) -> None:
    """Draw profiles about the middle of a pore, each scaled to its own range."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.size": 8}):
        figure = Figure((6.5, 3.2), layout="constrained")
        panel = figure.subplots()
        radii = np.arange(61) * 0.1
        for name, values in profiles.items():
            scaled = (values - values.min()) / np.ptp(values)
            wide = 2.0 if name.startswith("truth") else 1.0
            panel.plot(radii, scaled, label=name, linewidth=wide)
        panel.set(xlabel="distance from the middle of the pore / Å", ylabel="scaled to 0…1")
        panel.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        figure.savefig(path, dpi=130)
