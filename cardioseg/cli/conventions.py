"""Conventions: the options that say what labels mean."""

from pathlib import Path
from typing import Annotated

import typer

CONVENTION = "acdc (1 RV, 2 myocardium, 3 LV); mnms and ukbb (both 1 LV, 2 myocardium, 3 RV)"

Structures = Annotated[
    Path | None,
    typer.Option(
        "--structures",
        metavar="FILE",
        help="Table (TOML) of the names of contours, segments and labels: lists of names after lv_cavity, "
        "lv_epicardium, lv_myocardium, rv_cavity and other. It is read before the built-in table.",
    ),
]
