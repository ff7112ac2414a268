"""PSNR and SSIM of restored images, as they are and after the best affine match to the ideal."""

from dataclasses import dataclass

import numpy as np

from crewe.networks.validation import psnr, ssim

QUANTITIES = ("psnr", "psnr_matched", "ssim", "ssim_matched")


@dataclass(frozen=True)
class Scores:
    """Figures of one method on one set, NaN for images that it has not restored."""

    psnr: np.ndarray
    psnr_matched: np.ndarray
    ssim: np.ndarray
    ssim_matched: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which images it has restored."""
        return np.isfinite(self.psnr)


def scores(restored: list[np.ndarray | None], ideals: np.ndarray) -> Scores:
    """Measure restored images against ideals (n, y, x)."""
    rows = [
        (np.nan,) * 4 if image is None else _figures(np.asarray(image, float), ideal)
        for image, ideal in zip(restored, ideals, strict=True)
    ]
    return Scores(*np.array(rows).T)


def matched(image: np.ndarray, ideal: np.ndarray) -> np.ndarray:
    """Return a · image + b with the a and b of least squared distance to the ideal."""
    image, ideal = np.asarray(image, float), np.asarray(ideal, float)
    apart = image - image.mean()
    variance = np.mean(apart**2)
    factor = np.mean(apart * (ideal - ideal.mean())) / variance if variance > 0 else 0.0
    return factor * apart + ideal.mean()


def difference(one: Scores, other: Scores, quantity: str = "psnr") -> tuple[float, float]:
    """Return mean and standard error of one less the other, over images that both restored."""
    apart = getattr(one, quantity) - getattr(other, quantity)
    apart = apart[np.isfinite(apart)]
    return float(apart.mean()), standard_error(apart)


def standard_error(values: np.ndarray) -> float:
    """Return the standard error of a mean, NaN for fewer than two values."""
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")


def _figures(image: np.ndarray, ideal: np.ndarray) -> tuple[float, ...]:
    ideal = np.asarray(ideal, float)
    match = matched(image, ideal)
    return psnr(image, ideal), psnr(match, ideal), ssim(image, ideal), ssim(match, ideal)
