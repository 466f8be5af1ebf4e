"""Measurement: `measure` as a function."""

from collections.abc import Mapping

from cardioseg.api.arguments import AnyPath, Phase, choices_of, path_of, patients_of, require_met
from cardioseg.api.opened_results import Results, open_results
from cardioseg.api.raised_errors import in_words_of_python
from cardioseg.correction.remeasurement import MeasureSettings, find_edited, measure_all
from cardioseg.files import sole_writer
from cardioseg.image.labels import convention_of


@in_words_of_python()
def measure_masks(
    masks: AnyPath,
    out: AnyPath,
    *,
    labels: str | None = None,
    ed: Phase = None,
    es: Phase = None,
    phases: Mapping[str, tuple[Phase, Phase]] | None = None,
    patients: Mapping[str, Mapping[str, object]] | None = None,
    reference_values: bool = False,
) -> Results:
    """Measure masks, as the command `cardioseg measure` does: what `predict` wrote, with its edits, or masks of others.

    ED and ES stay at the phases that `predict` used, or that a person chose in `review`, unless they are chosen here. A
    case that fails raises nothing; `Results.failed` lists it with its reason.

    Args:
        masks: a folder that `predict` wrote, a folder of NIfTI masks, or one such file.
        out: the folder of results, another one than `masks`; it is made if it is not there.
        labels: what the numbers mean in masks that `predict` did not write: `acdc` (1 RV, 2 myocardium, 3 LV), `mnms`
            or `ukbb` (1 LV, 2 myocardium, 3 RV); None: what a `dataset.json` beside them says, else `acdc`.
        ed: 0-based phase of end-diastole for all cases.
        es: 0-based phase of end-systole for all cases.
        phases: the same for single cases, by their names: `{"patient1": (19, 7)}`. They come before `ed` and `es`.
        patients: what you know of the patients, by the names of their cases, as for `predict`.
        reference_values: compare with healthy people of the same sex: z-scores, and limits in the report.

    Returns:
        All that lies in `out`. It holds measures, and no masks: these stay where they are.

    Raises:
        NoInputError: there are no masks, or a `dataset.json` beside them does not say what their numbers mean.
        UsageError: `out` is the folder of the masks, `labels` is no convention or the masks are from `predict`, a phase
            is none, `patients` holds an impossible value, or `phases` or `patients` names a case that is not there.
        UnusableError: the record of the run beside the masks is damaged.
        ResourceError: disk or permission is missing, or another run writes into `out`.

    Example:
        >>> cardioseg.measure_masks("results", "measured").measures
    """
    folder, choices, told = path_of(out), choices_of(ed, es, phases), patients_of(patients, reference_values)
    settings = MeasureSettings(choices, told, convention_of(labels))
    with sole_writer(folder):
        names = [outcome.case_id for outcome in measure_all(find_edited(path_of(masks), folder), folder, settings)]
    require_met("phases", choices.by_case, names)
    require_met("patients", told.by_case, names)
    return open_results(folder)
