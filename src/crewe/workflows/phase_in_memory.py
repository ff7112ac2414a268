"""Phase images as values, for notebooks and scripts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from crewe.errors import PlanError
from crewe.sources import ArraySource, Source
from crewe.sources.array_file import calibrated_source
from crewe.workflows.phase import make_images
from crewe.workflows.phase_plan import PhasePlan, phase_plan

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crewe.workflows.observer import Observer


def phase_images(
    data: str | os.PathLike[str] | xr.DataArray | ArrayLike,
    methods: str | Sequence[str] = "ricom",
    *,
    observer: Observer | None = None,
    **settings: Any,
) -> dict[str, xr.DataArray]:
    """Make phase images and virtual detectors of 4D-STEM data in one pass.

    `data` is a file, a calibrated array (y, x, ky, kx), or any array (rows, columns, ky, kx) or
    (frame, ky, kx), also one of dask, zarr or h5py, of which no more than a part is held. `methods`
    are those of `crewe phase`, `settings` the fields of `crewe.workflows.PhasePlan`, such as
    `scan=(256, 256)`, `step_angstrom`, `beam_energy_kev`, `semi_angle_mrad`, `kernel`. Returns
    images (y, x) by name, NaN where nothing was measured; attrs["units"] holds their unit. Raises
    CreweError for what cannot be used.
    """
    in_file = isinstance(data, str | os.PathLike)
    names = (methods,) if isinstance(methods, str) else tuple(methods)
    step = settings.get("step_angstrom")
    if isinstance(step, float | int):
        settings["step_angstrom"] = (step, step)
    path = Path(data) if isinstance(data, str | os.PathLike) else Path("array")
    plan = phase_plan({**settings, "data": path, "methods": names})
    return make_images(plan, observer, None if in_file else _of_array(data)).images


def _of_array(data: Any) -> Callable[[PhasePlan], Source]:
    def opened(plan: PhasePlan) -> Source:
        if plan.dataset is not None or plan.source or plan.acceptance_us is not None:
            raise PlanError("dataset, source and acceptance_us belong to files, not arrays")
        if isinstance(data, xr.DataArray):
            return calibrated_source(
                data, plan.scan_record, beam_energy_kev=plan.beam_energy_kev, partial=plan.partial
            )
        array = data if hasattr(data, "shape") else np.asarray(data)
        return ArraySource(array, plan.scan_record, partial=plan.partial)

    return opened
