"""Names of ED and ES: which volumes belong to one subject, by their file names, and which of them are ED and ES."""

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from cardioseg.image.labels import Label
from cardioseg.ingest.labels.subject import LabelledVolume

_MOMENT = re.compile(r"(?P<subject>.+?)_(?P<name>ed|es|(?:frame|phase)_?\d+)", re.IGNORECASE)


def subject_and_moment(case: str) -> tuple[str, str]:
    """The subject and the moment in a file name: `patient001_frame01` is `frame01` of `patient001`."""
    match = _MOMENT.fullmatch(case)
    return (match["subject"], match["name"].lower()) if match else (case, "")


def with_moments(volumes: list[LabelledVolume]) -> Iterable[LabelledVolume]:
    """The volumes with the largest and smallest LV cavity (or the structures together) renamed to `ed` and `es`."""
    if len(volumes) < 2 or {"ed", "es"} & {volume.name for volume in volumes}:
        return volumes
    has_cavity = all((volume.mask == Label.LV_CAVITY).any() for volume in volumes)
    sizes = [np.count_nonzero(v.mask == Label.LV_CAVITY if has_cavity else v.mask) for v in volumes]
    smallest = len(sizes) - 1 - int(np.argmin(sizes[::-1]))  # differs from the largest even if all sizes are equal
    moments = {int(np.argmax(sizes)): "ed", smallest: "es"}
    return [replace(volume, name=moments.get(index, volume.name)) for index, volume in enumerate(volumes)]
