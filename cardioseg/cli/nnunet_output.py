"""nnU-Net output: `ingest --format nnunet` writes a prepared dataset as nnU-Net takes it."""

from collections.abc import Sequence
from pathlib import Path

from cardioseg.cli import console
from cardioseg.errors import ExitCode, NoInputError


def write_nnunet(
    sources: Sequence[Path], out: Path, name: str, folds: int, seed: int, *, quiet: bool, as_json: bool
) -> int:
    """Write one prepared dataset; the exit code.

    Raises:
        NoInputError: the source is not one prepared dataset.
        CardiosegError: as `write_raw`.
    """
    from cardioseg.dataset.store import is_dataset, open_dataset
    from cardioseg.export.nnunet_raw import SPLITS, numbers_of, write_raw
    from cardioseg.files import sole_writer

    if len(sources) != 1 or not is_dataset(sources[0]):
        hint = "first run `cardioseg ingest SOURCES... -o DATASET`, then give DATASET here"
        raise NoInputError("--format nnunet takes one prepared dataset", hint)
    dataset, written = open_dataset(sources[0]), []
    with sole_writer(out), console.progress(quiet or as_json) as bars:
        task = bars.add_task("subjects", total=len(dataset.subject_ids))
        for subject in write_raw(dataset, out, name or dataset.name, folds, seed):
            written.append(subject)
            bars.advance(task)
    skipped = [item for subject in written for item in subject.skipped]
    counts = {
        "cases": sum(len(subject.cases) for subject in written),
        "subjects": sum(bool(subject.cases) for subject in written),
        "ignored_slices": sum(subject.ignored_slices for subject in written),
    }
    if as_json:
        labels = {label.title: number for label, number in numbers_of(dataset).items()}
        console.print_json(counts | {"labels": labels, "folds": folds, "seed": seed, "skipped": len(skipped)})
    else:
        ignored = f"; {counts['ignored_slices']} slices have the ignore label where no expert drew a structure"
        listed = f"{counts['cases']} cases of {counts['subjects']} subjects in {out}"
        console.say(listed + ignored * bool(counts["ignored_slices"]), quiet)
        console.say(
            f"nnU-Net finds datasets by names such as nnUNet_raw/Dataset027_ACDC. After nnUNetv2_plan_and_preprocess, "
            f"copy {out / SPLITS} into its folder in nnUNet_preprocessed",
            quiet,
        )
    console.print_skipped(skipped, "skipped")
    return ExitCode.SOME_FAILED if skipped else ExitCode.OK
