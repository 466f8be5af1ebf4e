"""Measurement: `measure` as a function."""

from collections.abc import Mapping

from cardioseg.api.arguments import AnyPath, Phase, choices_of, path_of, require_met
from cardioseg.api.opened_results import Results, open_results
from cardioseg.api.raised_errors import in_words_of_python
from cardioseg.files import sole_writer
from cardioseg.inference.remeasurement import find_edited, measure_all


@in_words_of_python()
def measure_masks(
    masks: AnyPath,
    out: AnyPath,
    *,
    ed: Phase = None,
    es: Phase = None,
    phases: Mapping[str, tuple[Phase, Phase]] | None = None,
) -> Results:
    """Measure masks, as the command `cardioseg measure` does: what `predict` wrote, with its edits, or masks of others.

    ED and ES stay at the phases at which a mask was predicted, unless they are chosen here. A case that fails raises
    nothing; `Results.failed` lists it with its reason.

    Args:
        masks: a folder that `predict` wrote, a folder of NIfTI masks with `Label` numbers, or one such file.
        out: the folder of results, another one than `masks`; it is made if it is not there.
        ed: 0-based phase of end-diastole for all cases.
        es: 0-based phase of end-systole for all cases.
        phases: the same for single cases, by their names: `{"patient1": (19, 7)}`. They come before `ed` and `es`.

    Returns:
        All that lies in `out`. It holds measures, and no masks: these stay where they are.

    Raises:
        NoInputError: there are no masks.
        UsageError: `out` is the folder of the masks, a phase is none, or `phases` names a case that is not there.
        UnusableError: the record of the run beside the masks is damaged.
        ResourceError: disk or permission is missing, or another run writes into `out`.

    Example:
        >>> cardioseg.measure_masks("results", "measured").measures
    """
    folder, choices = path_of(out), choices_of(ed, es, phases)
    with sole_writer(folder):
        names = [outcome.case_id for outcome in measure_all(find_edited(path_of(masks), folder), folder, choices)]
    require_met(choices, names)
    return open_results(folder)
