"""Real-time integrated centre of mass (riCOM): a phase image that grows with the scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.stem4d.calibrated import scan_image
from crewe.stem4d.com import CentreOfMass, ShiftSettings, dose_scale
from crewe.stem4d.ricom_kernel import LARGEST_KERNEL, Band, check_size, checked_band
from crewe.stem4d.ricom_line import Images
from crewe.stem4d.ricom_plan import RicomPlan

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
# A kernel of the size 2N − 1 reaches all of a scan; small scans may still use a usual one.
ALWAYS_ALLOWED_SIZE = 301


@dataclass(frozen=True)
class _Kernel:
    size: int
    band: Band | None


@dataclass
class _State:
    """Images made so far, of which moments, and with what."""

    kernel: _Kernel
    key: tuple[Any, ...]
    plan: RicomPlan
    version: int
    done: Images


class Ricom:
    """Integrates shifts with a kernel of `size` × `size` probe positions, as they come.

    I(r_p) = Σ K(r_p − r)·COM(r) over the kernel (eq. 4 of Yu et al. 2022, 3.4 in the thesis); what
    lies beyond the edge of the scan, is not measured or has no counts adds nothing, and nothing
    wraps from one line to the next. Positions contribute as soon as they are measured, also those
    of an unfinished line. `size`, `band` and all settings of `com` (reference, rotation, …) can be
    set at any time and from any thread; the next image is then made anew from the moments. A phase
    in rad where scan step and detector are calibrated. Raises PlanError for impossible kernels.
    Source: doi:10.1017/S1431927622000617.
    """

    def __init__(self, com: CentreOfMass, size: int = 61, band: Band | None = None) -> None:
        self.com = com
        self._kernel = self._checked(_Kernel(size, band))
        self._changing, self._updating = Lock(), Lock()
        self._state: _State | None = None

    @property
    def size(self) -> int:
        """Side of the kernel in probe positions, odd."""
        return self._kernel.size

    @size.setter
    def size(self, size: int) -> None:
        with self._changing:
            self._kernel = self._checked(replace(self._kernel, size=size))

    @property
    def band(self) -> Band | None:
        """Frequencies that the filter in the kernel passes; None: no filter."""
        return self._kernel.band

    @band.setter
    def band(self, band: Band | None) -> None:
        with self._changing:
            self._kernel = self._checked(replace(self._kernel, band=band))

    def update(self) -> None:
        """Integrate what was measured since the last time; images() does it by itself."""
        with self._updating:
            self._update(self.com.settings)

    def images(self) -> dict[str, xr.DataArray]:
        """Return "ricom" (y, x), a phase in rad or in the units of shift × step; NaN: unmeasured.

        Measured positions without counts have a value too, made of the positions around them.
        """
        settings, moments = self.com.settings, self.com.moments
        with self._updating:
            state = self._update(settings)
            done, kernel = state.done, state.kernel
            offset = self.com.offset(settings, done.vectors, done.weights)
            along_y, along_x = done.weight_images
            image = done.image - (offset[0] * along_y + offset[1] * along_x)
        factor, units = settings.integral
        image *= factor / dose_scale(settings, moments.counts, moments.measured)
        image[~moments.measured] = np.nan
        shown = scan_image(image, settings.scan, "ricom", units)
        shown.attrs["kernel_size"] = kernel.size
        if kernel.band is not None:
            shown.attrs["band_cycles_per_step"] = list(kernel.band)
        return {"ricom": shown}

    def _update(self, settings: ShiftSettings) -> _State:
        kernel, moments, state = self._kernel, self.com.moments, self._state
        key = (kernel, settings.step, settings.normalise, settings.to_scan_axes.tobytes())
        version = moments.version
        if state is not None and state.key == key:
            rows = np.flatnonzero(moments.rows_changed_since(state.version))
            if state.plan.lines_are_quicker(len(rows)):
                vectors, weights, _ = self.com.vectors(settings, rows)
                state.plan.take_lines(state.done, rows, vectors, weights)
                state.version = version
                return state
        vectors, weights, _ = self.com.vectors(settings)
        if state is not None and state.key[:2] == key[:2]:
            plan, before = state.plan, state.done
        else:
            plan, before = self._plan(kernel, settings), None
        done = plan.integrate(vectors, weights, before)
        self._state = _State(kernel, key, plan, version, done)
        return self._state

    def _plan(self, kernel: _Kernel, settings: ShiftSettings) -> RicomPlan:
        return RicomPlan.of(kernel.size, settings.step, kernel.band, settings.scan.shape)

    def _checked(self, kernel: _Kernel) -> _Kernel:
        check_size(kernel.size)
        largest = max(2 * max(self.com.moments.scan_shape) - 1, ALWAYS_ALLOWED_SIZE)
        if kernel.size > min(largest, LARGEST_KERNEL):
            raise PlanError(
                f"a kernel of {kernel.size} on a scan of {self.com.moments.scan_shape}: "
                f"{min(largest, LARGEST_KERNEL)} is the most of use"
            )
        return replace(kernel, band=checked_band(kernel.band))
