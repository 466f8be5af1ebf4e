"""`predict` and `info`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardioseg.cli import console
from cardioseg.cli.case_tables import (
    ED,
    ES,
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
)
from cardioseg.cli.console import AsJson, Device, Force, Quiet, Threads
from cardioseg.cli.executor_options import Scheduler, Workers, executor_of
from cardioseg.cli.help_text import module_names
from cardioseg.cli.predict_progress import watched
from cardioseg.errors import UsageError
from cardioseg.wording import counted

if TYPE_CHECKING:
    from cardioseg.results.folder import ResultsFolder
    from cardioseg.results.outcome import Tally

ModelName = Annotated[
    str, typer.Option("--model", "-m", metavar="MODEL", help="Name of a built-in model, or a model folder.")
]
DEFAULT = "sax"
ED_ES, ALL_PHASES = "ed-es", "all"


def predict(
    scans: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCANS...",
            help="Folders, zip files or single files (DICOM, NIfTI, MetaImage or NRRD). Subfolders, and zip files in "
            "folders, are searched. If you give a DICOMDIR, its folder is read. If you give an Info.cfg of ACDC, the "
            "two images that this file names (ED and ES) are read as one case.",
        ),
    ],
    out: OutFolder,
    model: ModelName = DEFAULT,
    device: Device = "auto",
    threads: Threads = 0,
    overwrite: Force = False,
    discard_edits: Annotated[
        bool,
        typer.Option(
            "--discard-edits",
            help="Predict edited cases again. Their edits are lost. --overwrite is not needed for this.",
        ),
    ] = False,
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAMES",
            help="Formats to write, separated by commas. Known: "
            f"{', '.join(module_names('results.formats', '_format'))}. nifti is always written. dicom-sr and "
            "dicom-seg-phases also write dicom-seg. docs/formats.md describes every format.",
        ),
    ] = "nifti",
    seg_phases: Annotated[
        str,
        typer.Option(
            "--seg-phases",
            metavar="NAME",
            help=f"Which phases get a DICOM SEG file. {ED_ES}: ED and ES, if --format contains dicom-seg "
            f"or dicom-sr; otherwise none. {ALL_PHASES}: all phases; this is the same as dicom-seg-phases in --format.",
        ),
    ] = ED_ES,
    ed: ED = None,
    es: ES = None,
    phases: Phases = None,
    patients: PatientTable = None,
    reference_values: ReferenceValues = False,
    use_patient_tags: Annotated[
        bool,
        typer.Option(
            "--use-patient-tags",
            help="Read sex and age from DICOM for --reference-values. The results then contain sex and age.",
        ),
    ] = False,
    names: Annotated[
        str,
        typer.Option(
            "--names",
            metavar="NAME",
            help="How cases are named. own: after their folders or files. hash: use names that reveal nothing; "
            "the list of names is kept beside the output folder (results.names.json for -o results). FILE.csv: use the "
            "names in this table (columns source, case_id; source is the path of a folder or file, relative to SCANS).",
        ),
    ] = "own",
    paths: Annotated[
        bool,
        typer.Option(
            "--paths/--no-paths",
            help="Store the paths of the scans in the results. Use --no-paths for results that you share.",
        ),
    ] = True,
    workers: Workers = 1,
    cluster: Scheduler = "",
    part: Annotated[
        str,
        typer.Option(
            "--part",
            metavar="K/N",
            help="Predict only part K of N. Parts are counted from 1: for N = 4, start 1/4, 2/4, 3/4 and 4/4. When "
            "all parts are done, run `gather`.",
        ),
    ] = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Segment short-axis cines: masks, volumes and a report."""
    from cardioseg.cases.case_search import Search, parse_part
    from cardioseg.cases.chosen_phases import Choices
    from cardioseg.cases.named_cases import read_naming
    from cardioseg.cases.out_folder import require_apart
    from cardioseg.files import sole_writer
    from cardioseg.inference.session import find_model, open_model
    from cardioseg.prediction.cohort_prediction import predict_all
    from cardioseg.prediction.predict_settings import Settings
    from cardioseg.results.folder import ResultsFolder

    choices = Choices(chosen(ed, es), chosen_by_case(phases))
    wanted, own = _wanted(formats, seg_phases), parse_part(part) if part else None
    require_apart(scans, out)
    naming = read_naming(names, scans)
    scans = [scan.absolute() for scan in scans] if cluster or not paths else scans
    out = out.absolute() if cluster else out
    results, tables = ResultsFolder(out), own.folder(out) if own else None
    told = patients_of(patients, reference_values, use_patient_tags)
    told.require_use()
    settings = Settings(overwrite, discard_edits, wanted, choices, paths, told)
    unmet = Unmet(settings)
    with ExitStack() as held:
        held.enter_context(sole_writer(out, is_part=own is not None))
        if tables:
            held.enter_context(sole_writer(tables.path))
        executor = held.enter_context(executor_of(workers, cluster))
        opened = open_model(find_model(model), device, executor.threads(threads))
        watch = held.enter_context(watched(Search(scans, out, own), quiet, as_json))
        findings = naming(watch, out)
        how: dict[str, Any] = {"executor": executor, "tables": tables, "named": findings.note}
        for outcome in predict_all(findings, opened, out, settings, watch.report, **how):
            watch.count(outcome)
            unmet.meet(outcome.case_id)
    unmet.say(quiet or own is not None)
    for remark in findings.remarks():
        console.say(f"--names: {remark}", quiet or own is not None)
    say_copies(results, quiet or own is not None)
    _say_others(results, watch.tally, quiet or own is not None)
    return finish(results, watch.tally, quiet, as_json, tables)


def _wanted(formats: str, seg_phases: str) -> frozenset[str]:
    """The names of the formats to write."""
    from cardioseg.results.formats import dicom_seg_phases_format, parse_formats

    if seg_phases not in (ED_ES, ALL_PHASES):
        raise UsageError(f"--seg-phases {seg_phases!r} is unknown", f"the choices are {ED_ES} and {ALL_PHASES}")
    return parse_formats(f"{formats},{dicom_seg_phases_format.NAME}" if seg_phases == ALL_PHASES else formats)


def _say_others(results: "ResultsFolder", tally: "Tally", quiet: bool) -> None:
    """How many cases are from earlier runs."""
    from cardioseg.results.run_tables import read_status

    if quiet:
        return
    earlier_cases = sum(1 for _ in read_status(results)) - tally.done - tally.failed
    listed = f"{counted(earlier_cases, 'case')} of earlier runs"
    console.say(f"{results.path} also holds {listed}; the tables and the report list all cases", earlier_cases < 1)
