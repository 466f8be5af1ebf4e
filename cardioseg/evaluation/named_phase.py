"""Named phase: the phase of a 4D prediction that the name of a reference mask says.

In a plain folder of masks, `p1_phase07` is phase 7 of the prediction `p1`, counted from 0. `p1_ed` does not say its
phase: end-diastole of the prediction can be another phase than the reader's, so it is not used.
"""

import re
from dataclasses import replace
from pathlib import Path

from cardioseg.image.volume_files import REFERENCE, stem
from cardioseg.ingest.labels.ed_es_names import subject_and_moment
from cardioseg.ingest.labels.subject import LabelledVolume

_PHASE = re.compile(r"phase_?(?P<number>\d+)")


def with_named_phase(reference: LabelledVolume, prediction: str | None) -> LabelledVolume:
    """The reference with the phase that its name says; unchanged if it has one or the prediction is named likewise.

    Args:
        reference: a reference volume.
        prediction: the name of the prediction; None if there is none.
    """
    if reference.phase is not None or not is_one_phase_of(reference, prediction):
        return reference
    match = _PHASE.fullmatch(subject_and_moment(reference.case_ids[0])[1])
    return replace(reference, phase=int(match["number"])) if match else reference


def is_one_phase_of(reference: LabelledVolume, prediction: str | None) -> bool:
    """Whether a mask in a plain folder is named after a prediction and one of its phases, such as `p1_ed` of `p1`."""
    return not reference.has_scan and prediction in reference.case_ids[1:]


def unknown_phase(reference: LabelledVolume, prediction: str, phases: int) -> str:
    """The message that the phase of a reference is unknown; for a mask in a plain folder, also how to name it."""
    if reference.has_scan:
        return f"the prediction has {phases} phases; the reference does not say to which of them it belongs"
    file = Path(reference.sources[0])
    name = f"{prediction}_phaseNN{REFERENCE}{file.name.removeprefix(stem(file))}"
    return (
        f"the prediction {prediction} has {phases} phases, and nothing says which of them the reference is: "
        f"name the file of the reference {name}, where NN is the phase, counted from 0"
    )


def only_phase(reference: LabelledVolume, prediction: str) -> str:
    """The message that a prediction has one phase, and that it may be another one than the reference."""
    return (
        f"the prediction {prediction} has one phase, and its name does not say which: "
        f"if it is the phase of the reference, name it {reference.case_ids[0]}"
    )
