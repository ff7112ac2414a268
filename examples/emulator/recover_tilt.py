"""Recover how a nanoparticle is tilted from one noisy image, by thousands of emulated images.

    python examples/emulator/recover_tilt.py [--dose 5000] [--picture tilt.png]

`pt561_tilted.npz` holds a multislice image of a Pt particle of 561 atoms, 9° off [110], which was
not among the pairs that the emulator learned from. Noise is added for the dose, and the tilt is
searched from everywhere within 4° of what the goniometer might have said, 2° off. The answer is
compared with the truth.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.optimize import least_squares

import crewe
from crewe.specimens.nanoparticles import cuboctahedral_sites
from crewe.specimens.orientation import about_z, along_zone_axis, tilted

FOLDER = Path(__file__).parent
LARGEST_OFF_DEG, RINGS, SPOKES, REFINED = 4.0, 6, 16, 16
PLATINUM, ATOMS, LATTICE_ANGSTROM = 78, 561, 3.9231
# What a step of each unknown is, for derivatives: degrees, degrees, degrees, Å, Å.
STEPS = np.array([0.1, 0.1, 0.2, 0.02, 0.02])


class Search:
    """Emulated images of a tilted particle against a measured one; counts what it simulates."""

    def __init__(self, emulator, image, pixel_size_angstrom, dose_per_pixel):
        self.emulator, self.image, self.pixel = emulator, image, pixel_size_angstrom
        self.sites = cuboctahedral_sites(ATOMS, LATTICE_ANGSTROM)
        self.zone = along_zone_axis(np.eye(3), (1, 1, 0))
        middle = 0.5 * (np.array(image.shape[::-1]) - 1) * pixel_size_angstrom
        self.middle = np.array([*middle, 0.0])
        # The error of counting, from an image without its noise, and about that of the emulator.
        expected = gaussian_filter(image, 3.0)
        self.sigma = np.sqrt(expected / dose_per_pixel + (0.1 * expected.std()) ** 2)
        self.images = 0

    def emulated(self, unknowns):
        """Image (y, x) for tilts towards x and y and a turn in degrees, and a shift in Å."""
        towards_x, towards_y, turn_deg, right, down = unknowns
        tilt = tilted(np.hypot(towards_x, towards_y), np.degrees(np.arctan2(towards_y, towards_x)))
        turn = tilt @ about_z(turn_deg) @ self.zone
        places = self.sites @ turn.T + self.middle + [right, down, 0]
        self.images += 1
        return self.emulator.image_of(np.full(ATOMS, PLATINUM), places, self.image.shape)

    def residual(self, unknowns):
        """Difference in standard errors, (pixels,), the gain of the image being free."""
        emulated, image = self.emulated(unknowns) / self.sigma, self.image / self.sigma
        gain = np.vdot(emulated, image) / np.vdot(emulated, emulated)
        return (gain * emulated - image).ravel()

    def refined(self, start):
        """Least squares from a start."""
        return least_squares(
            self.residual, start, jac=self.slopes, x_scale=STEPS, xtol=1e-5, ftol=1e-6, max_nfev=25
        )

    def slopes(self, unknowns):
        """Derivative (pixels, unknown) by central differences."""
        columns = []
        for k, step in enumerate(STEPS):
            forth, back = (np.array(unknowns, dtype=float) for _ in range(2))
            forth[k] += step / 2
            back[k] -= step / 2
            columns.append((self.residual(forth) - self.residual(back)) / step)
        return np.stack(columns, axis=1)


def starts(nominal, turn_deg):
    """Tilts everywhere within a circle: its middle, and rings."""
    yield np.array([*nominal, turn_deg, 0.0, 0.0])
    for ring in range(1, RINGS + 1):
        for spoke in range(SPOKES):
            angle = 2 * np.pi * (spoke + 0.5 * (ring % 2)) / SPOKES
            radius = LARGEST_OFF_DEG * ring / RINGS
            off = radius * np.array([np.cos(angle), np.sin(angle)])
            yield np.array([*(nominal + off), turn_deg, 0.0, 0.0])


def turn_in_plane(search, nominal):
    """Rough turn in degrees of the particle: the best of all, half a turn being the same."""
    angles = np.arange(0, 180, 2.0)
    errors = [np.square(search.residual([*nominal, angle, 0, 0])).mean() for angle in angles]
    return float(angles[int(np.argmin(errors))])


def main():
    """Search, compare with the truth and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dose", type=float, default=5000.0, help="electrons per Å²")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--emulator", type=Path, default=FOLDER / "pt561.emulator")
    parser.add_argument("--refined", type=int, default=REFINED, help="starts that are refined")
    parser.add_argument("--picture", type=Path, help="write image, fit and difference as PNG")
    options = parser.parse_args()
    stored = np.load(FOLDER / "pt561_tilted.npz")
    pixel = float(stored["pixel_size_angstrom"])
    dose = options.dose * pixel**2
    clean = np.maximum(stored["multislice"].astype(np.float64), 0)
    image = np.random.default_rng(options.seed).poisson(clean * dose) / dose
    search = Search(crewe.load_emulator(options.emulator), image, pixel, dose)

    began = time.perf_counter()
    nominal = stored["nominal_deg"]
    turn = turn_in_plane(search, nominal)
    rough = sorted(starts(nominal, turn), key=lambda start: np.square(search.residual(start)).sum())
    found = min(
        (search.refined(start) for start in rough[: options.refined]),
        key=lambda result: result.cost,
    )
    seconds = time.perf_counter() - began

    errors = np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))
    truth = stored["tilt_deg"]
    print(f"{search.images} emulated images in {seconds:.1f} s")
    for name, value, error, true in zip("xy", found.x, errors, truth, strict=False):
        print(f"tilt towards {name}  {value:6.2f} ± {error:.2f}°   true {true:6.2f}°")
    off = np.hypot(*(found.x[:2] - truth))
    turned, true = found.x[2] % 180, float(stored["turn_deg"])
    print(f"off by {off:.2f}°; turned by {turned:.1f}°, true {true:.1f}°")
    if options.picture:
        draw(options.picture, image, search.emulated(found.x), clean)


def draw(path, image, fitted, clean):
    """Write the noisy image, the fit and the fit's difference from the clean image."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(11, 4), layout="constrained")
    top = clean.max()
    for panel, values, name in zip(
        panels, (image, fitted, fitted - clean), ("measured", "emulated fit", "fit − noise-free"),
        strict=True,
    ):  # fmt: skip
        limits = (0, top) if name != "fit − noise-free" else (-top / 4, top / 4)
        colours = "gray" if limits[0] == 0 else "RdBu_r"
        drawn = panel.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1])
        panel.set_title(name)
        panel.set_axis_off()
        figure.colorbar(drawn, ax=panel, shrink=0.8, label="fraction of the beam")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
