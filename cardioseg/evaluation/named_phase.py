"""Named phase: the phase of a 4D prediction that the name of a reference says.

In a plain folder of masks, `p1_phase07` is phase 7 of the prediction `p1`, counted from 0. `p1_ed` does not say its
phase: end-diastole of the prediction can be another phase than the reader's, so it is not used. In ACDC,
`patient001_frame12` is the twelfth phase of the cine `patient001_4d`, counted from 1. `patient001` is that cine under
another name, or what `Info.cfg` names: ED and ES.
"""

import re
from dataclasses import replace
from pathlib import Path

from cardioseg.image.ed_es_pair import MOMENTS
from cardioseg.image.volume_files import REFERENCE, stem
from cardioseg.ingest.labels.ed_es_names import subject_and_moment
from cardioseg.ingest.labels.subject import LabelledVolume

_PHASE = re.compile(r"phase_?(?P<number>\d+)")
_FRAME = re.compile(r"frame_?(?P<number>0*[1-9]\d*)")
_PAIR = {moment.lower(): phase for phase, moment in enumerate(MOMENTS)}


def cine_names(reference: LabelledVolume) -> tuple[str, ...]:
    """How predictions of all phases of an ACDC patient may be named; none if the reference is no frame of ACDC."""
    subject, moment = subject_and_moment(reference.case_ids[0])
    return (f"{subject}_4d", subject) if reference.has_scan and _FRAME.fullmatch(moment) else ()


def with_named_phase(reference: LabelledVolume, prediction: str | None) -> LabelledVolume:
    """The reference with the phase that its name says; unchanged if it has one or the prediction is named likewise.

    Args:
        reference: a reference volume.
        prediction: the name of the prediction; None if there is none.
    """
    if reference.phase is not None or not is_one_phase_of(reference, prediction):
        return reference
    moment = subject_and_moment(reference.case_ids[0])[1]
    if frame := _FRAME.fullmatch(moment) if reference.has_scan else None:
        return replace(reference, phase=int(frame["number"]) - 1)
    match = _PHASE.fullmatch(moment)
    return replace(reference, phase=int(match["number"])) if match else reference


def of_two_phases(reference: LabelledVolume, prediction: str) -> LabelledVolume:
    """The reference with its phase in a prediction that has two phases: of ACDC, these are ED and ES."""
    is_pair = prediction in cine_names(reference)[1:] and reference.name in _PAIR
    return replace(reference, phase=_PAIR[reference.name]) if is_pair else reference


def is_one_phase_of(reference: LabelledVolume, prediction: str | None) -> bool:
    """Whether a reference is named after a prediction and one of its phases, such as `p1_ed` of `p1`."""
    return prediction in (cine_names(reference) if reference.has_scan else reference.case_ids[1:])


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
