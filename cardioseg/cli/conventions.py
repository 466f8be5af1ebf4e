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
        help="TOML file that says what the names of contours, segments and labels mean. Its keys are lv_cavity, "
        "lv_epicardium, lv_myocardium, rv_cavity and 'other'; the value of each key lists the names that your "
        "data use for this structure. Structures listed under 'other' are left out without a message.",
    ),
]
