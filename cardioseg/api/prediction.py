"""Prediction: `predict` as a function."""

from collections.abc import Iterable, Mapping

from cardioseg.api.arguments import (
    AnyPath,
    Phase,
    choices_of,
    executor_of,
    path_of,
    paths_of,
    patients_of,
    require_met,
    threads_of,
)
from cardioseg.api.loaded_model import LoadedModel
from cardioseg.api.opened_results import Results, open_results
from cardioseg.api.raised_errors import in_words_of_python
from cardioseg.cases.case_search import Search
from cardioseg.cases.out_folder import require_apart
from cardioseg.files import sole_writer
from cardioseg.inference.session import Model, find_model, open_model
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.formats import parse_formats


@in_words_of_python()
def predict(
    scans: AnyPath | Iterable[AnyPath],
    out: AnyPath,
    *,
    model: AnyPath | LoadedModel = "sax",
    device: str = "auto",
    threads: int = 0,
    workers: int = 1,
    formats: str | Iterable[str] = ("nifti",),
    ed: Phase = None,
    es: Phase = None,
    phases: Mapping[str, tuple[Phase, Phase]] | None = None,
    patients: Mapping[str, Mapping[str, object]] | None = None,
    reference_values: bool = False,
    use_patient_tags: bool = False,
    overwrite: bool = False,
    discard_edits: bool = False,
) -> Results:
    """Segment the short-axis scans in `scans`, as the command `cardioseg predict` does: masks, measures, a report.

    A case that fails raises nothing; `Results.failed` lists it with its reason. A second run does only what is not done
    yet, and keeps masks that somebody edited.

    Args:
        scans: a file, folder or zip, or several: DICOM in any tree, NIfTI, MetaImage or NRRD in 3D or 4D.
        out: the folder of results; it is made if it is not there.
        model: the name of a built-in model, the folder of your own, or one that `load_model` opened.
        device: `auto`, `cpu`, `cuda` or `cuda:N`; `auto` leaves a model that is open where it is.
        threads: of the CPU, for all workers together; 0 for as many as this process may use.
        workers: processes that share the cases; 1 works in this process.
        formats: `nifti` (always written), `dicom-seg`, `dicom-seg-phases`, `dicom-sr`, `dicom-sc`, `rtstruct` and
            `seg-nrrd`.
        ed: 0-based phase of end-diastole for all cases; None: as in an earlier run, else by each ventricle's volume.
        es: 0-based phase of end-systole for all cases; None: as in an earlier run, else by each ventricle's volume.
        phases: the same for single cases, by their names: `{"patient1": (19, 7)}`. They come before `ed` and `es`.
        patients: what you know of the patients, by the names of their cases: `{"patient1": {"sex": "F", "age": 61,
            "height_cm": 168, "weight_kg": 64}}`; each may be left out. These values are used instead
            of those in the scans.
        reference_values: compare with healthy people of the same sex: z-scores, and limits in the report.
        use_patient_tags: read sex and age from DICOM for that; the results then contain them.
        overwrite: predict again what is done. Edited masks are kept.
        discard_edits: predict again what was edited. The edits are lost.

    Returns:
        All that lies in `out`, cases of earlier runs too.

    Raises:
        UsageError: there is no such model, device or format; `threads`, `workers` or a phase is impossible; this
            process may start no others; `patients` holds an impossible value; `phases` or `patients` names
            a case that is not there; a folder or a zip of scans is `out` or lies in it.
        NoInputError: a path does not exist, or there is no short-axis scan at or below it.
        RefusedError: the model is damaged.
        ResourceError: disk, memory, permission or device is missing, or another run writes into `out`.

    Example:
        >>> results = cardioseg.predict("scans", "results", workers=4)
        >>> [(case.name, case.reason) for case in results.failed]
    """
    sources, folder = paths_of(scans), path_of(out)
    choices, executor = choices_of(ed, es, phases), executor_of(workers)
    require_apart(sources, folder)
    wanted = parse_formats(formats if isinstance(formats, str) else ",".join(formats))
    told = patients_of(patients, reference_values, use_patient_tags)
    told.require_use()
    settings = Settings(overwrite, discard_edits, wanted, choices, patients=told)
    opened = _opened(model, device, executor.threads(threads_of(threads)))
    with sole_writer(folder):
        search = Search(sources, folder)
        names = [outcome.case_id for outcome in predict_all(search, opened, folder, settings, executor=executor)]
    require_met("phases", choices.by_case, names)
    require_met("patients", told.by_case, names)
    return open_results(folder)


def _opened(model: AnyPath | LoadedModel, device: str, threads: int) -> Model:
    if isinstance(model, LoadedModel):
        return open_model(model.folder, model.device if device == "auto" else device, threads)
    return open_model(find_model(str(path_of(model))), device, threads)
