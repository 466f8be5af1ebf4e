"""`inspect` and `ingest`: what is there, and what becomes of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Quiet
from cardioseg.cli.conventions import CONVENTION, Structures
from cardioseg.cli.executor_options import executor_of
from cardioseg.cli.help_text import module_names, one_of
from cardioseg.cli.labelled_sources import find_labelled_data, find_reviewed_results, refuse_options
from cardioseg.cli.nnunet_output import write_nnunet
from cardioseg.errors import ExitCode, NoInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardioseg.dataset.manifest import SubjectRecord
    from cardioseg.dataset.preparation import Prepared
    from cardioseg.dataset.store import Dataset

PREPARED, NNUNET = "prepared", "nnunet"
_PREPARED_BEFORE = "they belong to the run of `ingest` that prepared the dataset"
_MEANING_IS_KNOWN = "leave them out: the meaning of the labels in results is known"
_COLUMNS = ("subject", "volumes", "labelled slices", "labels", "spacing mm", "found")


def inspect(
    scans: Annotated[
        Path,
        typer.Argument(metavar="SCANS", help="A folder, zip or file. Subfolders and zips in a folder are searched."),
    ],
    as_json: AsJson = False,
) -> int:
    """Show how DICOM series and image files are classified, and why."""
    from dataclasses import asdict

    from cardioseg.ingest.finding.inspection import inspect_scans

    inspection = inspect_scans(scans)
    if not inspection.rows:
        console.print_skipped(inspection.unused, "not used")
        what_is_there = f"none of its {len(inspection.unused)} files can be used" if inspection.unused else "no files"
        raise NoInputError(f"no DICOM series in {scans}: {what_is_there}", inspection.hint)
    columns = ("folder", "files", "slices", "phases", "rows x columns", "spacing mm", "kind", "why")
    if as_json:
        names = [name.replace(" ", "_") for name in columns]
        series = [dict(zip(names, row, strict=True)) for row in inspection.rows]
        console.print_json({"series": series, "unused": [asdict(item) for item in inspection.unused]})
    else:
        console.print_table(
            str(scans), columns, inspection.rows, "Slices and phases count from 0.", text=("folder", "kind", "why")
        )
    console.print_skipped(inspection.unused, "not used")
    return ExitCode.OK


def ingest(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCES...",
            help="Folders of labelled data: images with masks or contours. With --reviewed: results of `predict`.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Output folder for the dataset.")],
    output_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"Format of the output. {PREPARED}: a prepared dataset. {NNUNET}: a raw dataset for nnU-Net; its "
            "folds are those of `train` with the same --folds and --seed. With nnunet, SOURCES "
            "must be one prepared dataset.",
        ),
    ] = PREPARED,
    layout: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"Layout of the folders: {one_of(module_names('ingest.labels.layouts'))}. auto: the layout is "
            "recognised.",
        ),
    ] = "auto",
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Numbering of the labels in the masks: {CONVENTION}. Default: the numbering of the layout.",
        ),
    ] = None,
    structures: Structures = None,
    reviewed: Annotated[
        bool,
        typer.Option(
            "--reviewed",
            help="Use the masks that a person accepted or corrected in `review`. Each case becomes a subject with the "
            "phases ED and ES, and all further phases in which the person changed the mask. Cases that were excluded "
            "or not reviewed are left out.",
        ),
    ] = False,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the dataset. Default: the names of the source folders.")
    ] = "",
    folds: Annotated[int, typer.Option(metavar="N", min=2, help=f"Number of folds, for --format {NNUNET}.")] = 3,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help=f"Random seed for folds, for --format {NNUNET}.")] = 0,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Number of processes.")] = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Turn labelled scans into a prepared dataset for `train`."""
    from cardioseg.dataset.preparation import Prepared, write_dataset
    from cardioseg.dataset.store import open_dataset
    from cardioseg.files import sole_writer
    from cardioseg.ingest.labels.subject import Source

    if output_format not in (PREPARED, NNUNET):
        raise UsageError(f"--format {output_format!r} is unknown", f"the choices are {PREPARED} and {NNUNET}")
    if output_format == NNUNET:
        if reviewed:
            hint = f"first prepare a dataset with --reviewed; then convert this dataset with --format {NNUNET}"
            raise UsageError(f"--reviewed has no effect with --format {NNUNET}", hint)
        refuse_options(layout, labels, structures, f"--format {NNUNET}", _PREPARED_BEFORE)
        return write_nnunet(sources, out, name, folds, seed, quiet=quiet, as_json=as_json)
    if reviewed:
        refuse_options(layout, labels, structures, "--reviewed", _MEANING_IS_KNOWN)
        labelled = find_reviewed_results(sources)
    else:
        labelled = find_labelled_data(sources, layout, labels, structures)
    called = name or "+".join(source.resolve().name for source in sources)
    prepared: list[Prepared] = []
    with sole_writer(out), executor_of(workers) as executor, console.progress(quiet or as_json) as bars:
        task = bars.add_task("subjects", total=sum(isinstance(source, Source) for source in labelled.found))
        for result in write_dataset(out, called, labelled.layout, labelled.found, executor, remark=labelled.remark):
            prepared += [result] if isinstance(result, Prepared) else []
            bars.advance(task)
    if not quiet:
        _say_unknown_moments(prepared)
    return _print(open_dataset(out), prepared, quiet=quiet, as_json=as_json)


def _say_unknown_moments(prepared: "Sequence[Prepared]") -> None:
    """Say which subjects have several volumes of which none is called ED or ES, and why."""
    from cardioseg.skipped import Skipped

    unknown = [Skipped(item.record.subject_id, item.unknown_moments) for item in prepared if item.unknown_moments]
    console.print_skipped(sorted(unknown, key=lambda remark: remark.where), "remark")


def _print(dataset: "Dataset", prepared: "Sequence[Prepared]", *, quiet: bool, as_json: bool) -> int:
    """Print what was written and what was left out; the exit code."""
    from collections import Counter

    manifest = dataset.manifest
    if as_json:
        console.print_json(manifest.document())
    elif not quiet:
        counts = {item.record.subject_id: item.counts for item in prepared}
        rows = [_row(record, counts[record.subject_id]) for record in manifest.subjects]
        total: Counter[str] = sum((Counter(dict(own)) for own in counts.values()), Counter())
        counts_of_all = {"subjects": len(rows), "labelled slices": sum(row[2] for row in rows)} | dict(total)
        caption = f"{_listed(counts_of_all.items())} in {dataset.folder}"
        console.print_table(dataset.name, _COLUMNS, rows, caption, text=("subject", "labels", "found"))
    console.print_skipped(manifest.patient_remarks, "patients")
    times = Counter(item.why for item in manifest.skipped)
    skipped = sorted(manifest.skipped, key=lambda item: times[item.why])
    console.print_skipped(skipped, "skipped")
    return ExitCode.SOME_FAILED if skipped else ExitCode.OK


def _row(record: "SubjectRecord", counts: "Sequence[tuple[str, int]]") -> tuple[str, int, int, str, str | None, str]:
    """A subject as the manifest describes it, and what its layout counted."""
    volumes = record.volumes
    labels = {label.title for volume in volumes for label in volume.labels}
    spacings = {" x ".join(f"{mm:.2f}" for mm in volume.spacing_mm) for volume in volumes if volume.spacing_mm}
    labelled = sum(volume.annotated_slices for volume in volumes)
    spacing = "; ".join(sorted(spacings)) or None
    return record.subject_id, len(volumes), labelled, ", ".join(sorted(labels)), spacing, _listed(counts)


def _listed(counts: "Iterable[tuple[str, int]]") -> str:
    """`1 subject, 2 labelled slices`."""
    return ", ".join(f"{count} {what.removesuffix('s') if count == 1 else what}" for what, count in counts)
