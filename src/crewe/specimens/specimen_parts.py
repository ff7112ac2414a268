"""What a random specimen is drawn from: every range and probability, with the paper's as default.

Lobato et al. 2024, npj Comput. Mater. 10, 10 (doi:10.1038/s41524-023-01188-0), "Specimen
generation". What the paper leaves open is said to be ours.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crewe.recipes import Distribution, RecipePart
from crewe.recipes.ranges import Count, Length, Level, Share, Vertices, one_of, within
from crewe.specimens.crystals import RandomCrystal
from crewe.specimens.orientation import MAIN_ZONE_AXES

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class RandomOrientation(RecipePart):
    """How a crystal is turned."""

    zone_axis_probability: Probability = 0.75
    """Probability of a zone axis, else any orientation; 0.75."""
    zone_axes: Annotated[tuple[tuple[int, int, int], ...], Field(min_length=1)] = MAIN_ZONE_AXES
    """Zone axes, all equally likely; "the first eight main zone axes", which ours names."""
    mistilt_deg: Distribution = {"normal": [0.0, 5.0]}
    """Angle off the zone axis; normal with standard deviation 5°."""


class RandomAmorphous(RecipePart):
    """What amorphous matter is drawn from."""

    element: Annotated[Count, within(1, 103)] = {"integers": [1, 103]}
    """Atomic number of its one element; [1, 103]."""
    density_g_cm3: Length = [2.0, 7.0]
    """Density, or the highest that the distance allows; [2.0, 7.0] g/cm³."""
    minimum_distance_angstrom: Length = [0.95, 1.6]
    """Distance that no two atoms fall below; [0.95, 1.6] Å."""
    block_atoms: Annotated[int, Field(ge=100)] = 4000
    """Atoms of the block that is laid down in layers, see `amorphous`; ours, for speed."""


class RandomPoints(RecipePart):
    """What individual points are drawn from."""

    count: Count = {"integers": [1, 1000]}
    """How many; "a given range of positive integers", which is ours."""
    element: Annotated[Count, within(1, 103)] = {"integers": [1, 103]}
    """Atomic number of all of them; ours."""
    minimum_distance_px: Level = [1.0, 20.0]
    """Distance that no two fall below; [1, 20] pixels."""


class RandomWedge(RecipePart):
    """What a wedge is drawn from."""

    probability: Probability = 0.75
    """Probability of a wedge; 0.75."""
    surface: Annotated[Distribution, one_of("top", "bottom", "both")] = {
        "choice": ["top", "bottom", "both"]
    }
    """Which surface slopes; 0.33 each."""
    angle_deg: Annotated[Distribution, within(0, 89)] = [5.0, 45.0]
    """Slope of the surface; [5°, 45°]."""
    start: Distribution = [0.0, 1.0]
    """Where along the specimen the slope begins, in parts of its extent; ours."""


class RandomShape(RecipePart):
    """What the shape of a specimen is drawn from."""

    probability: Probability = 0.5
    """Probability of a shape; 0.5."""
    kind: Annotated[Distribution, one_of("rod", "polyhedron", "edge")] = {
        "choice": ["rod", "polyhedron", "edge"]
    }
    """Polygon rod, convex polyhedron or straight edge; 0.33 each."""
    keep_probability: Probability = 0.5
    """Probability that the atoms inside stay, else those outside do; 0.5."""
    radius: Length = [0.01, 0.5]
    """Radius of rod and polyhedron in parts of the box's longest side; [0.01, 0.5]."""
    rod_vertices: Vertices = {"integers": [3, 15]}
    """Vertices of the rod's cross-section; [3, 15]."""
    polyhedron_vertices: Annotated[Count, within(4, 1000)] = {"integers": [4, 20]}
    """Vertices of the polyhedron; [4, 20]."""


class RandomDefects(RecipePart):
    """What defects are drawn from."""

    probability: Probability = 0.8
    """Probability of defects; 0.8."""
    share: Share = [0.0, 0.25]
    """Share of the atoms that is selected; up to 0.25."""
    displace_probability: Probability = 0.5
    """Probability that the selected atoms are displaced, else they are missing; 0.5."""
    step_radii: Annotated[float, Field(ge=0.0)] = 1.0
    """Standard deviation of the displacement along each axis in atomic radii; 1."""


class RandomSupport(RecipePart):
    """What the support layer is drawn from; its crystals and amorphous matter as the specimen's."""

    probability: Probability = 0.95
    """Probability of a support; 0.95."""
    kind: Annotated[Distribution, one_of("crystalline", "amorphous")] = {
        "choice": ["crystalline", "amorphous"]
    }
    """0.5 each."""
    thickness_nm: Length = [1.0, 30.0]
    """Thickness; [1, 30] nm."""
    below_probability: Probability = 0.5
    """Probability that the beam meets the specimen first; ours."""


class RandomSpecimen(RecipePart):
    """What a random specimen is drawn from."""

    kind: Annotated[Distribution, one_of("crystalline", "amorphous", "points")] = {
        "choice": ["crystalline", "amorphous", "points"]
    }
    """Specimen type; the paper gives no weights, so equal ones."""
    crystal: RandomCrystal = RandomCrystal()
    """Crystals of specimen and support."""
    orientation: RandomOrientation = RandomOrientation()
    """Orientations of specimen and support."""
    amorphous: RandomAmorphous = RandomAmorphous()
    """Amorphous matter of specimen and support."""
    points: RandomPoints = RandomPoints()
    """Individual points."""
    wedge: RandomWedge = RandomWedge()
    """Wedges of specimen and support."""
    shape: RandomShape = RandomShape()
    """Shapes of the specimen; the support has none."""
    defects: RandomDefects = RandomDefects()
    """Defects of specimen and support."""
    support: RandomSupport = RandomSupport()
    """The support."""
    maximum_atoms: Annotated[int, Field(ge=1000)] = 1_500_000
    """Atoms at most; specimen and support are made thinner where either would hold more than
    half of it. Ours, for memory and time."""
