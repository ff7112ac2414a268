"""A specimen drawn at random: matter, orientation, wedge, shape, defects and support.

Lobato et al. 2024, npj Comput. Mater. 10, 10 (doi:10.1038/s41524-023-01188-0), "Specimen
generation"; `specimen_parts` holds every range and probability.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from crewe.errors import SpecimenError
from crewe.specimens.cloud import AtomCloud, Box, checked_box
from crewe.specimens.layer import Facts, draw_defects, draw_layer, draw_wedge
from crewe.specimens.shapes import convex_polyhedron, polygon_rod, straight_edge
from crewe.specimens.specimen_parts import RandomShape, RandomSpecimen
from crewe.specimens.support import draw_support, with_support

EMPTY_TRIES = 20


def random_specimen(
    part: RandomSpecimen, box: Box, rng: Generator, pixel_size_angstrom: float
) -> tuple[AtomCloud, Facts]:
    """Draw a specimen that covers a box of x, y, z Å, and say what it is.

    The box of the cloud is as wide as the one given and as high as specimen and support together;
    atoms that lie outside of it in x or y are never made, save displaced ones. A specimen whose
    cuts leave no atom is nothing but its support (`specimen_atoms` 0); without a support it is
    drawn again. The pixel size sets the distance of individual points. The facts have the same
    keys for every specimen; those of the support begin with `support_`, `space_group` is 0 and
    `zone_axis` none for what is no crystal, and `mistilt_deg` is NaN for a random orientation.
    Raises SpecimenError for an impossible box, or if twenty specimens in a row come out empty.
    """
    box = checked_box(box)
    if not pixel_size_angstrom > 0:
        raise SpecimenError(f"the pixel size must be positive, not {pixel_size_angstrom} Å")
    for _ in range(EMPTY_TRIES):
        cloud, facts = _specimen(part, box, rng, pixel_size_angstrom)
        specimen_atoms = len(cloud)
        support, below, support_facts = draw_support(part, box, rng, pixel_size_angstrom)
        whole = cloud if support is None else with_support(cloud, support, below)
        if len(whole):
            counts = {"specimen_atoms": specimen_atoms, "atoms": len(whole)}
            return whole, facts | support_facts | counts
    raise SpecimenError(
        f"{EMPTY_TRIES} specimens in a row held no atom in a box of {box} Å: "
        "use a larger box, a larger shape.radius or a support"
    )


def _specimen(
    part: RandomSpecimen, box: Box, rng: Generator, pixel_size_angstrom: float
) -> tuple[AtomCloud, Facts]:
    kind = part.draw("kind", rng)
    cloud, facts = draw_layer(part, kind, box, rng, pixel_size_angstrom)
    thickness = {"thickness_angstrom": cloud.box[2]}
    cloud, wedge_facts = draw_wedge(part.wedge, cloud, rng)
    cloud, shape_facts = draw_shape(part.shape, cloud, rng, max(box))
    cloud, defect_facts = draw_defects(part.defects, cloud, rng)
    return cloud, facts | thickness | wedge_facts | shape_facts | defect_facts


def draw_shape(
    part: RandomShape, cloud: AtomCloud, rng: Generator, longest: float
) -> tuple[AtomCloud, Facts]:
    """Cut a cloud to a shape, or the shape out of it, or do neither, as a part says.

    `longest` is the side of the box in Å that radii refer to; the shape's centre lies anywhere
    in the cloud's box.
    """
    if not part.chance("probability", rng):
        return cloud, {"shape": "none", "shape_kept": "none", "shape_radius_angstrom": 0.0}
    kind = part.draw("kind", rng)
    centre = rng.random(3) * np.array(cloud.box)
    radius = part.draw("radius", rng) * longest
    if kind == "rod":
        region = polygon_rod(radius, part.draw("rod_vertices", rng), centre, rng)
    elif kind == "polyhedron":
        region = convex_polyhedron(radius, part.draw("polyhedron_vertices", rng), centre, rng)
    else:
        region, radius = straight_edge(centre, rng.uniform(0, 360)), 0.0
    keep = part.chance("keep_probability", rng)
    facts: Facts = {
        "shape": kind,
        "shape_kept": "inside" if keep else "outside",
        "shape_radius_angstrom": radius,
    }
    return region.cut(cloud, keep), facts
