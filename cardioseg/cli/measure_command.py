"""`measure`: numbers, flags and a report from masks that somebody edited."""

from pathlib import Path
from typing import Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.case_tables import (
    KeptED,
    KeptES,
    OutFolder,
    PatientTable,
    Phases,
    ReferenceValues,
    Unmet,
    chosen,
    chosen_by_case,
    finish,
    patients_of,
    say_copies,
    say_outcome,
)
from cardioseg.cli.console import AsJson, Quiet
from cardioseg.cli.conventions import CONVENTION

Numbers = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="NAME",
        help=f"Numbering of the labels in masks that `predict` did not write: {CONVENTION}. Default: as in a "
        "dataset.json beside the masks, otherwise acdc.",
    ),
]


def measure(
    masks: Annotated[
        Path,
        typer.Argument(
            metavar="MASKS",
            help="A results folder written by `predict`, or a folder of masks.",
        ),
    ],
    out: OutFolder,
    labels: Numbers = None,
    ed: KeptED = None,
    es: KeptES = None,
    phases: Phases = None,
    patients: PatientTable = None,
    reference_values: ReferenceValues = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Measure masks, for example after you edited them by hand.

    It writes measures, flags and a report, but no masks. The output folder must not be the one that `predict` wrote.
    """
    from cardioseg.cases.chosen_phases import Choices
    from cardioseg.correction.remeasurement import MeasureSettings, find_edited, measure_all
    from cardioseg.files import sole_writer
    from cardioseg.image.labels import convention_of
    from cardioseg.results.folder import ResultsFolder
    from cardioseg.results.outcome import Tally

    choices = Choices(chosen(ed, es), chosen_by_case(phases))
    settings = MeasureSettings(choices, patients_of(patients, reference_values), convention_of(labels))
    results, tally, unmet = ResultsFolder(out), Tally(), Unmet(settings)
    with sole_writer(out), console.progress(quiet or as_json) as bars:
        mask_folder = find_edited(masks, out)
        everything = bars.add_task("cases", total=len(mask_folder.paths))
        for outcome in measure_all(mask_folder, out, settings):
            tally.count(outcome)
            unmet.meet(outcome.case_id)
            bars.advance(everything)
            say_outcome(outcome, quiet)
    say_copies(results, quiet)
    unmet.say(quiet)
    return finish(results, tally, quiet, as_json)
