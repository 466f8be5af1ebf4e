"""`inspect` and `ingest`: what is there, and what becomes of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardioseg.cli import console
from cardioseg.cli.console import AsJson, Quiet
from cardioseg.errors import ExitCode, NoInputError

if TYPE_CHECKING:
    from cardioseg.ingest.subject import Subject

_COLUMNS = ("subject ", "volumes", "labelled slices", "labels ", "spacing mm", "found ")


def inspect(
    scans: Annotated[Path, typer.Argument(help="A folder (any tree) or a file.")], as_json: AsJson = False
) -> int:
    """Say what each DICOM series below SCANS is."""
    from dataclasses import asdict

    from cardioseg.ingest.discover import survey

    found = survey(scans)
    if not found.series:
        console.print_skipped(found.unused, "not used")
        seen = f"{len(found.unused)} files, none of use" if found.unused else "no files"
        raise NoInputError(f"no DICOM series in {scans}: {seen}", "NIfTI files need no inspection; predict takes them")
    rows = [
        (
            str(series.folder),
            len(series.files),
            series.slices,
            series.phases,
            "x".join(map(str, series.shape)) if series.shape else None,
            " x ".join(f"{mm:.2f}" for mm in series.spacing_mm) if series.spacing_mm else None,
            str(series.kind),
            series.reason,
        )
        for series in found.series
    ]
    columns = ("folder ", "files", "slices", "phases", "rows x columns", "spacing mm", "kind ", "why ")
    if as_json:
        names = [name.strip().replace(" ", "_") for name in columns]
        series = [dict(zip(names, row, strict=True)) for row in rows]
        console.print_json({"series": series, "unused": [asdict(item) for item in found.unused]})
    else:
        console.print_table(str(scans), columns, rows, "Slices and phases count from 0.")
    console.print_skipped(found.unused, "not used")
    return ExitCode.OK


def ingest(
    sources: Annotated[list[Path], typer.Argument(help="Folders of labelled data.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The prepared dataset to write.")],
    layout: Annotated[str, typer.Option(help="sunnybrook, acdc, mnms, pairs; or auto.")] = "auto",
    name: Annotated[str, typer.Option(help="The dataset's name; by default its sources'.")] = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Turn labelled scans into a prepared dataset."""
    from collections import Counter
    from itertools import chain

    from cardioseg.dataset.store import open_dataset, write_dataset
    from cardioseg.files import sole_writer
    from cardioseg.ingest import layouts
    from cardioseg.ingest.subject import Skipped, Subject

    items = chain.from_iterable(layouts.read(source, layout) for source in sources)
    called = name or "+".join(source.resolve().name for source in sources)
    subjects: list[tuple[str, int, int, str, str | None, str]] = []
    skipped: list[Skipped] = []
    counts: Counter[str] = Counter()
    with sole_writer(out), console.progress(quiet or as_json) as bars:
        task = bars.add_task("subjects", total=None)
        for item in write_dataset(out, called, layout, items):
            skipped += [item] if isinstance(item, Skipped) else item.skipped
            if isinstance(item, Subject):
                subjects.append(_row(item))
                counts.update(dict(item.counts))
            bars.advance(task)
    if as_json:
        console.print_json(open_dataset(out).manifest)
    elif not quiet:
        found = "".join(f", {count} {what}" for what, count in counts.items())
        caption = f"{len(subjects)} subjects, {sum(row[2] for row in subjects)} labelled slices{found} in {out}"
        console.print_table(called, _COLUMNS, subjects, caption)
    console.print_skipped(skipped, "skipped")
    return ExitCode.SOME_FAILED if skipped else ExitCode.OK


def _row(subject: "Subject") -> tuple[str, int, int, str, str | None, str]:
    labelled = sum(int(volume.annotated.any(axis=1).sum()) for volume in subject.volumes)
    labels = {label.title for volume in subject.volumes for label in volume.labels}
    spacings = {" x ".join(f"{mm:.2f}" for mm in volume.spacing_mm) for volume in subject.volumes if volume.spacing_mm}
    found = ", ".join(f"{count} {what}" for what, count in subject.counts)
    return (
        subject.subject_id,
        len(subject.volumes),
        labelled,
        ", ".join(sorted(labels)),
        "; ".join(sorted(spacings)) or None,
        found,
    )
