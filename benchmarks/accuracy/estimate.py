"""What one method says about one image, and how it travels through files."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """Columns that a method found and fitted, and what that cost."""

    x: np.ndarray
    """Å from the centre of pixel (0, 0)."""
    y: np.ndarray
    """Å from the centre of pixel (0, 0)."""
    scs: np.ndarray
    """Å², for an image that is a fraction of the beam."""
    x_std: np.ndarray
    """Reported standard error, Å; NaN where the method reports none."""
    y_std: np.ndarray
    """Reported standard error, Å."""
    scs_std: np.ndarray
    """Reported standard error, Å²."""
    find_cpu: float
    """CPU seconds of finding, all threads together."""
    find_wall: float
    """Seconds of finding on the clock."""
    fit_cpu: float
    """CPU seconds of fitting."""
    fit_wall: float
    """Seconds of fitting on the clock."""

    def save(self, path: Path) -> None:
        """Write to an npz file, whole or not at all."""
        temporary = path.with_name(f"partial-{path.name}")
        np.savez_compressed(temporary, **{f.name: getattr(self, f.name) for f in fields(self)})
        temporary.rename(path)

    @classmethod
    def load(cls, path: Path) -> "Estimate":
        """Read what `save` or a peer's script wrote."""
        with np.load(path) as stored:
            arrays = {f.name: stored[f.name] for f in fields(cls)}
        return cls(**{k: v if v.ndim else float(v) for k, v in arrays.items()})
