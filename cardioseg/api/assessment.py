"""Assessment: `evaluate` as a function."""

from pathlib import Path

from cardioseg.api.arguments import AnyPath, executor_of, path_of
from cardioseg.api.raised_errors import in_words_of_python
from cardioseg.dataset.run_folder import RunFolder
from cardioseg.errors import UsageError
from cardioseg.evaluation.comparison import evaluate as compare
from cardioseg.evaluation.evaluation_page import write_evaluation
from cardioseg.evaluation.result import Evaluation, write
from cardioseg.files import sole_writer, unique_names
from cardioseg.image.labels import convention_of
from cardioseg.ingest.labels.structures import meaning_of


@in_words_of_python()
def evaluate(
    predicted: AnyPath,
    reference: AnyPath,
    out: AnyPath | None = None,
    *,
    labels: str | None = None,
    structures: AnyPath | None = None,
    predicted_labels: str | None = None,
    workers: int = 1,
) -> Evaluation:
    """Compare predicted masks with reference labels, as the command `cardioseg evaluate` does.

    Args:
        predicted: a folder that `predict` wrote, with its edits, or a folder of NIfTI masks, or one such file.
        reference: a prepared dataset, labelled data in a layout that `ingest` reads, or a folder of NIfTI masks.
        out: a folder for `evaluation.html`, `.json` and `.csv`; None writes nothing.
        labels: what the numbers in the reference masks mean: `acdc` (1 RV, 2 myocardium, 3 LV), `mnms` or `ukbb` (1 LV,
            2 myocardium, 3 RV); None: what the data say, else `acdc`.
        predicted_labels: the same of the predicted masks.
        structures: a table (TOML) of the names of contours, segments and labels in the reference; None: the built-in
            table.
        workers: processes that share the subjects; 1 works in this process.

    Returns:
        The scores and what they come to. Cases that could not be compared are in its `problems`; cases that look as if
        labels were swapped or an axis flipped are in its `mistakes`.

    Raises:
        NoInputError: a path does not exist, or nothing could be compared.
        UnusableError: the record of the run or the prepared dataset is damaged.
        UsageError: there is no such convention, or the labels have a meaning of their own.
        ResourceError: disk, memory or permission is missing.

    Example:
        >>> evaluation = cardioseg.evaluate("results", "labelled")
        >>> {one.label.key: one.per_volume["dice"].mean for one in evaluation.summary if one.group == "all"}
    """
    masks = path_of(predicted)
    if RunFolder(masks).is_run:
        raise UsageError(f"{masks} is a run of `train`", "`cardioseg evaluate` on the command line compares its folds")
    meaning = meaning_of(labels, None if structures is None else path_of(structures))
    evaluation = compare(masks, path_of(reference), convention_of(predicted_labels), meaning, executor_of(workers))
    if out is not None:
        _write(evaluation, masks, path_of(out))
    return evaluation


def _write(evaluation: Evaluation, masks: Path, out: Path) -> None:
    (name,) = unique_names([masks.resolve().name])
    with sole_writer(out):
        write(evaluation, out)
        write_evaluation(evaluation, name, out)
