"""Build the model in three dimensions that a plan asks for."""

from typing import TYPE_CHECKING

from crewe.errors import NoColumnsError

if TYPE_CHECKING:
    import pandas as pd

    from crewe.atoms.counting.results import AtomCounts
    from crewe.atoms.lattice.results import IndexedColumns
    from crewe.atoms.volume.results import VolumeModel
    from crewe.workflows.plan_analyses import VolumeOptions


def build(
    options: "VolumeOptions",
    columns: "pd.DataFrame",
    counts: "AtomCounts",
    indexed: "IndexedColumns",
) -> "VolumeModel":
    """Stack the counted atoms of each column; the atoms' `column` is the index of the table.

    Raises NoColumnsError where no column has a count.
    """
    from crewe.atoms.volume import build_volume

    if columns["count"].isna().all():
        raise NoColumnsError(
            f"no column has a count, so there is no model in three dimensions: "
            f"{counts.summary['verdict']}"
        )
    model = build_volume(columns, indexed.lattices, flat=options.flat, place=options.place)
    model.atoms.arrays["column"] = columns.index.to_numpy()[model.atoms.arrays["column"]]
    return model
