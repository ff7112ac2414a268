"""The typed request for a quantification: everything that decides its numbers.

A plan is a value: equal plans on equal files give equal tables. `plan_file.py`
reads and writes it as YAML; `provenance.py` says with what it was carried out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, model_validator

from crewe.workflows.plan_analyses import (
    CountOptions,
    LatticeOptions,
    StrainOptions,
    UnitCell,
    VolumeOptions,
    check_analyses,
)
from crewe.workflows.plan_image_parts import BackgroundRemoval, RegionOptions, WeakColumnOptions
from crewe.workflows.plan_part import PlanPart


class IntensityScale(PlanPart):
    """How image values become a fraction of the beam and counts become electrons."""

    vacuum: float | None = None
    """Image value with no electron on the detector; in image units."""
    detector: float | None = None
    """Image value with the whole beam on the detector; in image units."""
    detector_map: Path | None = None
    """Detector sensitivity map, from which the two values above are taken."""
    beam_current_pa: PositiveFloat | None = None
    """Beam current in pA; with `dwell_time_us` it gives the dose after detector normalisation."""
    dwell_time_us: PositiveFloat | None = None
    """Dwell time per pixel in µs."""
    electrons_per_unit: PositiveFloat | None = None
    """Electrons in a pixel of value 1 (after detector normalisation, if there is one)."""
    counts: bool = False
    """True when the image is already in electrons per pixel."""

    @property
    def gives_dose(self) -> bool:
        """Whether the number of electrons in a pixel is known."""
        return self.counts or bool(self.electrons_per_unit or self.beam_current_pa)

    @property
    def normalises(self) -> bool:
        """Whether the image is to be expressed as a fraction of the incident beam."""
        return self.detector is not None or self.detector_map is not None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.vacuum is None) != (self.detector is None):
            raise ValueError("vacuum and detector go together: give both values or neither")
        if self.vacuum is not None and self.vacuum == self.detector:
            raise ValueError("vacuum and detector are equal: they must be two different values")
        if self.detector_map is not None and self.detector is not None:
            raise ValueError("give either vacuum and detector or detector_map, not both")
        if (self.beam_current_pa is None) != (self.dwell_time_us is None):
            raise ValueError("beam_current_pa and dwell_time_us go together: give both or neither")
        if self.beam_current_pa is not None and not self.normalises:
            raise ValueError(
                "a beam current and a dwell time give electrons only after detector "
                "normalisation: give vacuum and detector, or detector_map, as well"
            )
        doses = (self.counts, self.electrons_per_unit is not None, self.beam_current_pa is not None)
        if sum(doses) > 1:
            raise ValueError(
                "the dose is given more than once: choose one of counts, electrons_per_unit, "
                "or beam_current_pa with dwell_time_us"
            )
        if self.counts and self.normalises:
            raise ValueError(
                "an image in counts is on its scale already: leave out vacuum, detector "
                "and detector_map"
            )
        return self


class FindOptions(PlanPart):
    """How columns are looked for; the defaults suit every image we know."""

    by: str = "image"
    """'image' reads the image itself, 'network' asks the shipped gaussian-mask, anything else is
    the name of a shipped network that marks columns, or the path of an ONNX file."""
    spacing: PositiveFloat | None = None
    """Smallest distance between columns, in Å (in pixels when sampling is 'pixel')."""
    sensitivity: PositiveFloat = 1.0
    """Above 1 finds fainter columns, below 1 only brighter ones."""

    @property
    def network(self) -> str | None:
        """Name or path of the network to ask; None for the image itself."""
        named = {"image": None, "network": "gaussian-mask"}
        return named.get(self.by, self.by)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.network is not None and (self.spacing is not None or self.sensitivity != 1):
            raise ValueError(
                "spacing and sensitivity are for columns found by 'image': leave them out where "
                "a network finds the columns"
            )
        return self


class FitOptions(PlanPart):
    """The model of the image: background plus overlapping peaks."""

    peak: Literal["gaussian", "lorentzian"] = "gaussian"
    """Shape of a column."""
    width: Literal["auto", "common", "type", "column"] = "auto"
    """Which columns share one width: all, those of a type, or none."""
    background: Literal["auto", "constant", "plane", "local"] = "auto"
    """Shape of the background."""
    noise: Literal["auto", "uniform", "counts"] = "auto"
    """Least squares, or Poisson maximum likelihood on known counts."""


class Provenance(PlanPart):
    """With what a plan was carried out."""

    versions: dict[str, str]
    """Version of crewe and of each library that makes the numbers."""
    image_sha256: str
    """SHA-256 of the image file."""
    detector_map_sha256: str | None = None
    """SHA-256 of the detector map file, where one was given."""
    networks: dict[str, str] | None = None
    """SHA-256 of each network that was used, by what it did: 'restore', 'find'."""
    analysed_with: dict[str, str] | None = None
    """Versions that made the analyses, where they were added later with other ones."""


class QuantifyPlan(PlanPart):
    """From one image file to a table of atomic columns."""

    image: Path
    """The image file."""
    signal: NonNegativeInt | str | None = None
    """Which signal of a file that holds several; `crewe info` lists them."""
    frame: NonNegativeInt | Literal["mean"] | None = None
    """Which frame of a stack, counted from 0, or 'mean'."""
    sampling: PositiveFloat | Literal["pixel"] | None = None
    """Pixel size in Å; 'pixel' works in pixels; nothing takes the file's own."""
    intensity: IntensityScale = Field(default_factory=IntensityScale)
    """Intensity calibration."""
    remove_background: BackgroundRemoval | None = None
    """Background to subtract before columns are found and fitted."""
    restore: str | None = None
    """Network that restores the image before columns are found and fitted: the name of a shipped
    one, such as hrstem, or the path of an ONNX file."""
    find: FindOptions = Field(default_factory=FindOptions)
    """Detection of columns."""
    unit_cell: UnitCell | None = None
    """Unit cell that sets the types of columns; nothing tells them apart by brightness."""
    fit: FitOptions = Field(default_factory=FitOptions)
    """The fitted model."""
    weak_columns: WeakColumnOptions | None = None
    """Search for weak columns that the others outshine."""
    region: RegionOptions | None = None
    """Columns that are asked what follows; nothing asks all."""
    count: CountOptions | None = None
    """Number of atoms in each column."""
    lattice: LatticeOptions | None = None
    """Place of each column in a lattice."""
    strain: StrainOptions | None = None
    """Strain, shifts and tilts against the lattice."""
    volume: VolumeOptions | None = None
    """Model in three dimensions."""
    seed: int = 0
    """Seed of every method that draws random numbers: correction of widths, counting."""
    output: Path | None = None
    """Folder to write; nothing keeps the result in memory."""
    provenance: Provenance | None = None
    """Filled in when the plan has been carried out."""

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.fit.noise == "counts" and not self.intensity.gives_dose:
            raise ValueError(
                "noise 'counts' needs the number of electrons: give --counts, "
                "--electrons-per-unit, or --beam-current and --dwell-time with the detector"
            )
        if (self.unit_cell or self.lattice) is not None and self.sampling == "pixel":
            raise ValueError(
                "a unit cell needs lengths in Å: give the pixel size instead of --sampling pixel"
            )
        if self.remove_background is not None and self.restore is not None:
            raise ValueError("choose either restore or remove_background, not both")
        if self.weak_columns is not None and (self.restore or self.find.network) is not None:
            raise ValueError(
                "weak columns are weighed on the measured image, with columns found in it: leave "
                "out restore and find, or weak_columns"
            )
        if self.remove_background is not None and self.fit.noise == "counts":
            raise ValueError(
                "an image less its background counts no electrons: leave out noise 'counts'"
            )
        check_analyses(self.count, self.lattice, self.strain, self.volume)
        return self

    def with_absolute_paths(self) -> "QuantifyPlan":
        """Return the plan for a process that works in another folder, as on a cluster."""
        scale = self.intensity
        if scale.detector_map is not None:
            scale = scale.model_copy(update={"detector_map": scale.detector_map.absolute()})
        output = None if self.output is None else self.output.absolute()
        places = {"image": self.image.absolute(), "intensity": scale, "output": output}
        return self.model_copy(update=places)._with_networks(lambda path: str(path.absolute()))

    @property
    def networks(self) -> dict[str, str]:
        """Names or paths of the networks that the plan needs, by what they do."""
        asked = {"restore": self.restore, "find": self.find.network}
        return {role: name for role, name in asked.items() if name is not None}

    def _with_networks(self, change: Callable[[Path], str]) -> "QuantifyPlan":
        """Change the paths of networks; the names of shipped ones stay."""

        def changed(name: str) -> str:
            return change(Path(name)) if is_network_file(name) else name

        find = self.find.model_copy(update={"by": changed(self.find.by)})
        restore = None if self.restore is None else changed(self.restore)
        return self.model_copy(update={"find": find, "restore": restore})

    def settings(self) -> "QuantifyPlan":
        """Return what decides the numbers: the plan without file places and provenance."""
        scale = self.intensity
        if scale.detector_map is not None:
            scale = scale.model_copy(update={"detector_map": Path(scale.detector_map.name)})
        return self.model_copy(
            update={
                "image": Path(self.image.name),
                "intensity": scale,
                "output": None,
                "provenance": None,
            }
        )._with_networks(lambda path: path.name)


def is_network_file(name: str) -> bool:
    """Whether a network is named by its file."""
    return Path(name).suffix == ".onnx"
