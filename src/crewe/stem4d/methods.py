"""Methods by name, put together so that one pass over the data serves them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from crewe.errors import CalibrationError, CreweError, PlanError
from crewe.physics.optics import Optics
from crewe.sources import Known, Scan
from crewe.stem4d.com import CentreOfMass, Normalise
from crewe.stem4d.detectors import RADII, Annulus, usual_detectors
from crewe.stem4d.field import ElectricField, FieldDivergence
from crewe.stem4d.icom import Boundary, IntegratedCentreOfMass
from crewe.stem4d.moments import Moments
from crewe.stem4d.reducer import ImageMaker, Reducer, Repeats
from crewe.stem4d.reduction import Reduction
from crewe.stem4d.ricom import Ricom
from crewe.stem4d.ricom_kernel import Band
from crewe.stem4d.ssb import SingleSideband, Transfer
from crewe.stem4d.total import TotalIntensity
from crewe.stem4d.virtual import VirtualDetectors

if TYPE_CHECKING:
    import xarray as xr

VIRTUAL = (*RADII, "segments")
SPARE_PX = 2.0
"""How far the disk may be moved, in pixels, after SSB has begun to keep it."""
METHODS = ("total", *VIRTUAL, "com", "field", "divergence", "icom", "ricom", "ssb")


@dataclass(frozen=True)
class MethodSettings:
    """What the methods need to know, all of which can change while data arrive.

    `centre` (ky, kx) and `radius_px` are those of the bright-field disk in detector pixels;
    `reference` is the centre of mass in vacuum, None the mean. `detectors` replaces the usual radii
    by name and adds detectors of other names: an Annulus in pixels or a mask (ky, kx). SSB bins the
    disk to at most `ssb_across` pixels and refuses to keep more than `ssb_memory_gib`.
    """

    scan: Scan
    centre: tuple[float, float]
    radius_px: float
    known: Known = field(default_factory=Known)
    reference: tuple[float, float] | None = None
    normalise: Normalise = "pattern"
    kernel_size: int = 61
    band: Band | None = None
    boundary: Boundary = "periodic"
    detectors: Mapping[str, Annulus | NDArray[Any]] = field(default_factory=dict)
    ssb_transfer: Transfer = "flat"
    ssb_across: int | None = None
    ssb_memory_gib: float = 4.0

    def virtual_detectors(self, methods: Sequence[str]) -> dict[str, Annulus | NDArray[Any]]:
        """Return the detectors of the methods, and those of names of their own."""
        usual = [name for name in methods if name in VIRTUAL and name not in self.detectors]
        return {**usual_detectors(usual, self.radius_px), **self.detectors}

    def sampling_inverse_angstrom(self) -> tuple[float, float] | None:
        """Size of a detector pixel: from the disk and the semi-angle, else what the data say."""
        angle, energy = self.known.convergence_semi_angle_mrad, self.known.beam_energy_kev
        if angle and energy:
            size = Optics(energy, angle).cutoff / self.radius_px
            return size, size
        return self.known.detector_sampling_inverse_angstrom


class Methods:
    """Chosen methods, their shared reducers and the parameters that can change on the way.

    `reduction` takes the batches and gives the images. Raises PlanError for unknown methods and
    CalibrationError where one needs a calibration that is missing.
    """

    def __init__(
        self,
        names: Sequence[str],
        settings: MethodSettings,
        detector_shape: tuple[int, int],
        repeats: Repeats = "newest",
    ) -> None:
        self.names = _checked(names, settings)
        self.settings = settings
        self.moments = Moments(settings.scan.shape, detector_shape, repeats)
        self.com = CentreOfMass(self.moments, scan=settings.scan)
        self.ricom: Ricom | None = None
        self.virtual: VirtualDetectors | None = None
        self.ssb: SingleSideband | None = None
        self.makers: dict[str, ImageMaker] = {}
        reducers: list[Reducer] = [self.moments]
        detectors = settings.virtual_detectors(self.names)
        if detectors:
            self.virtual = VirtualDetectors(
                settings.scan, detector_shape, detectors, settings.centre, repeats
            )
            reducers.append(self.virtual)
            self.makers["virtual"] = self.virtual
        if "ssb" in self.names:
            self.ssb = _single_sideband(settings, detector_shape, repeats)
            reducers.append(self.ssb)
        for name in self.names:
            if name not in VIRTUAL:
                self.makers[name] = self._maker(name)
        self.reduction = Reduction(reducers, list(self.makers.values()))
        self.change()

    def change(self, **settings: Any) -> None:
        """Apply other settings (fields of MethodSettings): all of them, or none when it raises."""
        wanted = replace(self.settings, **settings)
        with self.reduction.lock:
            try:
                self._apply(wanted)
            except CreweError:
                self._apply(self.settings)
                raise
            self.settings = wanted

    def _apply(self, wanted: MethodSettings) -> None:
        if self.virtual:
            self._choose_detectors(wanted)
        if self.ricom:
            self.ricom.size, self.ricom.band = wanted.kernel_size, wanted.band
        self.com.scan, self.com.reference = wanted.scan, wanted.reference
        self.com.normalise = wanted.normalise
        self.com.sampling_inverse_angstrom = wanted.sampling_inverse_angstrom()
        for maker in self.makers.values():
            if isinstance(maker, TotalIntensity | SingleSideband | VirtualDetectors):
                maker.scan = wanted.scan
            if isinstance(maker, IntegratedCentreOfMass):
                maker.boundary = wanted.boundary
            if isinstance(maker, ElectricField | FieldDivergence):
                maker.beam_energy_kev = wanted.known.beam_energy_kev
        if self.ssb:
            self.ssb.centre, self.ssb.radius_px = wanted.centre, wanted.radius_px
            self.ssb.transfer = wanted.ssb_transfer

    def images(self, *, slow: bool = True) -> dict[str, xr.DataArray]:
        """Return all images by name; without `slow` those that every update can afford."""
        with self.reduction.lock:
            chosen = {name: maker for name, maker in self.makers.items() if slow or name != "ssb"}
            return {key: image for one in chosen.values() for key, image in one.images().items()}

    def _choose_detectors(self, wanted: MethodSettings) -> None:
        assert self.virtual is not None
        detectors = wanted.virtual_detectors(self.names)
        now = self.virtual
        # Images of other radii begin anew, so nothing is chosen that is in use already.
        same = detectors.keys() == now.detectors.keys() and all(
            detector is now.detectors[name] or _equal(detector, now.detectors[name])
            for name, detector in detectors.items()
        )
        if not (same and wanted.centre == now.centre):
            now.choose(detectors, wanted.centre)

    def _maker(self, name: str) -> ImageMaker:
        energy = self.settings.known.beam_energy_kev
        makers: dict[str, Callable[[], ImageMaker]] = {
            "total": lambda: TotalIntensity(self.moments, self.settings.scan),
            "com": lambda: self.com,
            "field": lambda: ElectricField(self.com, energy),
            "divergence": lambda: FieldDivergence(self.com, energy),
            "icom": lambda: IntegratedCentreOfMass(self.com, self.settings.boundary),
        }
        if name == "ricom":
            self.ricom = Ricom(self.com, self.settings.kernel_size, self.settings.band)
            return self.ricom
        if name == "ssb":
            assert self.ssb is not None
            return self.ssb
        return makers[name]()


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, Annulus) and isinstance(other, Annulus) and one == other


def _checked(names: Sequence[str], settings: MethodSettings) -> tuple[str, ...]:
    unknown = [name for name in names if name not in METHODS and name not in settings.detectors]
    if unknown:
        raise PlanError(f"no method {unknown[0]!r}: there are {', '.join(METHODS)}")
    if not names and not settings.detectors:
        raise PlanError(f"no method given: name one or more of {', '.join(METHODS)}")
    # Detectors of names of their own are made whether or not they are named as methods.
    return tuple(dict.fromkeys(name for name in names if name in METHODS))


def _single_sideband(
    settings: MethodSettings, detector_shape: tuple[int, int], repeats: Repeats
) -> SingleSideband:
    angle = settings.known.convergence_semi_angle_mrad
    energy = settings.known.beam_energy_kev
    if not angle or not energy or settings.scan.step_angstrom is None:
        raise CalibrationError(
            "ssb needs beam energy, convergence semi-angle and scan step: "
            "give --beam-energy, --semi-angle and --step"
        )
    optics = Optics(energy, angle)
    return SingleSideband(
        settings.scan,
        detector_shape,
        optics,
        settings.centre,
        settings.radius_px,
        across=settings.ssb_across,
        repeats=repeats,
        transfer=settings.ssb_transfer,
        spare_px=SPARE_PX,
        memory_gib=settings.ssb_memory_gib,
    )
