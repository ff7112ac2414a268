"""The parts of a plan that say what the fitted columns are asked: counts, lattice, strain, volume.

Whatever decides the numbers stands in the plan itself: a cell as sites and heights, a library as
values. So a plan needs no other file than the image, wherever it is carried out.
"""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from crewe.workflows.plan_part import PlanPart

ANALYSES = ("count", "lattice", "strain", "volume")
"""Parts of a plan that add to a result without changing what it holds already."""


class UnitCell(PlanPart):
    """A projected unit cell: what stands where, seen along the beam."""

    a: PositiveFloat
    """Length of the first edge in Å."""
    b: PositiveFloat
    """Length of the second edge in Å."""
    angle_deg: float = Field(default=90.0, gt=0, lt=180)
    """Angle between the edges in degrees."""
    sites: tuple[tuple[str, float, float], ...] = Field(min_length=1)
    """Name and fractional coordinates along a and b of every site."""
    repeat_angstrom: PositiveFloat | None = None
    """Period along the beam in Å, where it is known."""
    atoms: tuple[tuple[tuple[str, float], ...], ...] | None = None
    """Element and height, in periods, of every atom of each site, in the order of the sites."""
    climb: tuple[float, float] = (0.0, 0.0)
    """What a step along a, and along b, adds to these heights, in periods."""

    @model_validator(mode="after")
    def _sites_have_atoms(self) -> Self:
        if self.atoms is not None and len(self.atoms) != len(self.sites):
            raise ValueError(
                f"atoms are given for {len(self.atoms)} sites of {len(self.sites)}: "
                "list the atoms of every site, in the order of the sites, or leave them out"
            )
        return self

    @property
    def has_heights(self) -> bool:
        """Whether the third dimension is known."""
        return self.repeat_angstrom is not None and self.atoms is not None


class ScatteringLibrary(PlanPart):
    """Scattering cross-sections of columns of one atom more each, from a simulation."""

    scs: tuple[PositiveFloat, ...] = Field(min_length=1)
    """Cross-section of `first_count`, `first_count` + 1, … atoms."""
    first_count: PositiveInt = 1
    """Atoms of the first value."""
    unit: str = "Å²"
    """Unit of the values; Å² for images that are fractions of the beam."""
    name: str = "library"
    """What to call it in the report."""


class CountOptions(PlanPart):
    """How atoms are counted in each column."""

    by: Literal["auto", "curve", "hybrid", "mixture", "library"] = "auto"
    """'curve' fits a smooth thickness curve, 'hybrid' does so with a library of free scale,
    'mixture' takes one mean per thickness, 'library' compares with its values as they are;
    'auto' is hybrid where there is a library and curve elsewhere."""
    library: ScatteringLibrary | None = None
    """Simulated cross-sections."""
    single_atom_scs: PositiveFloat | None = None
    """Cross-section of one atom, as far as it is known, in the unit of the table."""
    scale_std: float | None = Field(default=None, ge=0)
    """Relative standard error of that scale, or of the library's; nothing takes 0.1."""
    least_count: PositiveInt | None = None
    """Atoms in the thinnest columns, where that is known; it fixes the counts of all others."""
    most_count: PositiveInt = 60
    """Most atoms in a column."""
    components: PositiveInt | None = None
    """Components of a mixture; nothing chooses by the criterion."""
    criterion: Literal["icl", "bic", "aic"] = "icl"
    """What chooses the number of components of a mixture."""
    offset: int = 0
    """Atoms to add to the component number of a mixture."""
    rule: Literal["nearest", "bayes"] = "bayes"
    """How cross-sections are compared with a library as it is."""
    width: Literal["common", "dose", "measured"] = "common"
    """Scatter of cross-sections of one thickness: common to all, growing with the electrons, or
    at least the standard error of each."""
    dose_e_per_angstrom2: PositiveFloat | None = None
    """Electrons per Å², for width 'dose'; nothing takes that of the image, where it is known."""
    types: tuple[NonNegativeInt | str, ...] | None = None
    """Types or names of the columns to count; nothing counts all."""
    least_probability: float = Field(default=0.5, ge=0, lt=1)
    """A column whose likeliest count is less probable than this is left without a count."""
    keep_undecided: bool = False
    """Give columns their likeliest count even where the data as a whole decide nothing."""

    @property
    def way(self) -> Literal["curve", "hybrid", "mixture", "library"]:
        """The way of counting, chosen by what is given where the plan leaves it open."""
        if self.by == "auto":
            return "curve" if self.library is None else "hybrid"
        return self.by

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for wrong, said in _complaints(self):
            if wrong:
                raise ValueError(said)
        return self


def _complaints(count: CountOptions) -> list[tuple[bool, str]]:
    """Contradictions between options of counting, each with what to do."""
    mixture = count.components is not None or count.criterion != "icl" or count.offset != 0
    scale = count.single_atom_scs is not None
    return [
        (
            count.way in ("hybrid", "library") and count.library is None,
            f"counting by {count.by} needs a library: give --library FILE, or count by curve",
        ),
        (
            count.way in ("curve", "mixture") and count.library is not None,
            f"counting by {count.by} takes no library: leave it out, or count by hybrid or library",
        ),
        (
            scale and count.way != "curve",
            "the cross-section of one atom is for counting by curve; leave out --scale",
        ),
        (
            count.scale_std is not None and count.way != "hybrid" and not scale,
            "a standard error of the scale needs a scale: give --library or --scale as well",
        ),
        (
            mixture and count.way != "mixture",
            "components, criterion and offset are for counting by mixture: add --by mixture",
        ),
        (
            count.width == "measured" and count.way in ("mixture", "library"),
            "width 'measured' is for counting by curve or hybrid; take 'common' or 'dose'",
        ),
        (
            count.dose_e_per_angstrom2 is not None and count.width != "dose",
            "a dose is of use with width 'dose': add --width dose",
        ),
        (
            (count.least_count or 1) > count.most_count,
            f"least_count {count.least_count} is above most_count {count.most_count}",
        ),
    ]


class LatticeOptions(PlanPart):
    """Which crystals are laid over the columns."""

    cells: tuple[UnitCell, ...] = Field(min_length=1)
    """Unit cells, one for each phase."""
    most_lattices: PositiveInt = 1
    """Crystals, phases and twins together, that are looked for."""


class StrainOptions(PlanPart):
    """What is measured against the lattice."""

    reference: Literal["mean", "cell"] = "mean"
    """Strain is zero in the mean lattice of the image, or in the given cell."""
    radius: PositiveFloat = 1.1
    """Reach of the neighbours of a column, in multiples of the longer edge."""
    sites: Literal["same", "all"] = "same"
    """Neighbours are the columns of the same site, or all: then polarisation looks like strain."""
    shifts: tuple[tuple[str, str], ...] = ()
    """Site whose shift is measured, and the site around it: polarisation."""
    tilts: tuple[tuple[str, str], ...] = ()
    """Centre and corners of octahedra whose tilt is measured."""
    burgers: tuple[tuple[float, float, PositiveFloat], ...] = ()
    """Circuits x, y, radius in Å around which the Burgers vector is summed."""


class VolumeOptions(PlanPart):
    """How counts become a model in three dimensions."""

    place: Literal["fitted", "lattice"] = "fitted"
    """Columns stand where they were fitted, or at the place that the lattice has for them."""
    flat: Literal["centre", "bottom", "top"] = "centre"
    """What of the columns lies on one plane: their middles, or the ends towards a support."""


def check_analyses(
    count: CountOptions | None,
    lattice: LatticeOptions | None,
    strain: StrainOptions | None,
    volume: VolumeOptions | None,
) -> None:
    """Raise ValueError where an analysis lacks what it rests on."""
    if strain is not None and lattice is None:
        raise ValueError("strain needs a unit cell: give --cell FILE")
    if volume is None:
        return
    if count is None or lattice is None:
        raise ValueError(
            "a model in three dimensions needs counts and a unit cell: count the atoms, and give "
            "--cell FILE"
        )
    if not all(cell.has_heights for cell in lattice.cells):
        raise ValueError(
            "the unit cell does not say at which heights atoms stand: give a CIF file with --cell "
            "and the zone axis with --zone"
        )
