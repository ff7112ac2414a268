"""Options that ask fitted columns more: of `crewe count`, `strain`, `volume` and `quantify`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def _option(group: str, *names: str, text: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=group, **more)


Results = Annotated[
    list[Path],
    typer.Argument(metavar="RESULT", help="Folders that crewe quantify wrote."),
]

COUNTING = "Counting atoms: a library, or the cross-section of one atom, makes it surer"
CountAtoms = Annotated[
    bool, _option(COUNTING, "--count-atoms", text="Count the atoms in each column.")
]
Library = Annotated[
    Path | None,
    _option(
        COUNTING,
        text="Simulated cross-sections of 1, 2, … atoms (txt, csv or mat); their scale is free.",
    ),
]
Scale = Annotated[
    float | None,
    _option(COUNTING, text="Cross-section of one atom, as far as known, in the table's unit."),
]
ScaleStd = Annotated[
    float | None,
    _option(COUNTING, text="Relative error of --scale or of the library's scale. Default: 0.1."),
]
By = Annotated[
    Literal["curve", "hybrid", "mixture", "library"] | None,
    _option(
        COUNTING,
        text="curve: smooth thickness curve. hybrid: that of a library, its scale free. mixture: "
        "one mean per thickness, by ICL. library: its values as they are. Default: hybrid with a "
        "library, else curve.",
    ),
]
Components = Annotated[
    int | None, _option(COUNTING, text="Components of a mixture. Default: by --criterion.")
]
Criterion = Annotated[
    Literal["icl", "bic", "aic"] | None,
    _option(COUNTING, text="What chooses the components of a mixture. Default: icl."),
]
Offset = Annotated[
    int | None, _option(COUNTING, text="Atoms to add to the component number. Default: 0.")
]
Rule = Annotated[
    Literal["nearest", "bayes"] | None,
    _option(COUNTING, text="How a library is compared with --by library. Default: bayes."),
]
LeastCount = Annotated[
    int | None, _option(COUNTING, text="Atoms in the thinnest columns, where that is known.")
]
MostCount = Annotated[int | None, _option(COUNTING, text="Most atoms in a column. Default: 60.")]
CountWidth = Annotated[
    Literal["common", "dose", "measured"] | None,
    _option(
        COUNTING,
        "--width",
        text="Scatter of columns alike: common, growing with the dose, or at least the standard "
        "error of each. Default: common.",
    ),
]
Dose = Annotated[
    float | None,
    _option(COUNTING, text="Electrons per Å², for --width dose. Default: the image's, if known."),
]
Types = Annotated[
    list[str] | None,
    _option(COUNTING, "--type", text="Type or site name of the columns to count; repeatable."),
]
LeastProbability = Annotated[
    float | None,
    _option(COUNTING, text="Columns less sure than this get no count. Default: 0.5."),
]

KeepUndecided = Annotated[
    bool,
    _option(COUNTING, "--keep-undecided", text="Keep counts even where the data decide nothing."),
]

LATTICE = "Lattice"
Cells = Annotated[
    list[Path] | None,
    _option(
        LATTICE,
        "--cell",
        text="Crystal (CIF, or XYZ with a cell) or projected cell (text); one for each phase.",
    ),
]
Zones = Annotated[
    list[str] | None,
    _option(
        LATTICE,
        "--zone",
        text="Zone axis u,v,w of a crystal, as 1,1,0; one for all or one for each. Default: 0,0,1.",
    ),
]
Sites = Annotated[
    str | None,
    _option(LATTICE, text="Sites of the cell that the image shows, as Sr,Ti. Default: all."),
]
Lattices = Annotated[
    int | None,
    _option(LATTICE, text="Crystals to look for: phases, twins, grains. Default: one per cell."),
]

STRAIN = "Strain"
Shift = Annotated[
    list[str] | None,
    _option(
        STRAIN,
        "--shift",
        text="Shift of a site against another one around it, as Ti:Ba; repeatable.",
    ),
]

REGION = "Part of the image"
Region = Annotated[
    str | None,
    _option(
        REGION,
        text="Polygon 'x,y x,y x,y …' in Å, or a file with one corner a line; only columns in it "
        "are asked.",
    ),
]
RemoveBackground = Annotated[
    bool,
    _option(REGION, "--remove-background", text="Subtract a slowly varying background first."),
]
WeakColumns = Annotated[
    bool,
    _option(REGION, "--weak-columns", text="Look for weak columns that the others outshine."),
]

VOLUME = "Model in three dimensions"
Volume = Annotated[
    bool, _option(VOLUME, "--volume", text="Build a model of the counted atoms; needs --cell.")
]
Place = Annotated[
    Literal["fitted", "lattice"] | None,
    _option(VOLUME, text="Columns stand where fitted, or on the lattice. Default: fitted."),
]
Flat = Annotated[
    Literal["centre", "bottom", "top"] | None,
    _option(VOLUME, text="What of the columns lies on one plane. Default: centre."),
]
