"""Names of ED and ES: which volumes belong to one subject, by their file names, and which of them are ED and ES."""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from pathlib import Path

import numpy as np

from cardioseg.image.labels import Label
from cardioseg.image.volume_files import stem
from cardioseg.ingest.labels.subject import LabelledVolume
from cardioseg.text_table import whole_number

_MOMENT = re.compile(r"(?P<subject>.+?)_(?P<name>ed|es|(?:frame|phase)_?\d+)", re.IGNORECASE)
_FILE = re.compile(r"((?P<scan>.+)[\W_])?(?P<moment>ed|es)", re.IGNORECASE)
_WORDS = {"enddiastole": "ed", "diastole": "ed", "endsystole": "es", "systole": "es"}
_CAVITIES = (Label.LV_CAVITY, Label.RV_CAVITY)


def subject_and_moment(case: str) -> tuple[str, str]:
    """The subject and the moment in a file name: `patient001_frame01` is `frame01` of `patient001`."""
    match = _MOMENT.fullmatch(case)
    return (match["subject"], match["name"].lower()) if match else (case, "")


def stated_moment(phase: str) -> str:
    """What a person wrote for a phase, in small letters; `ed` and `es` for words such as `End-Diastole`, `systole`.

    Numbers lose their decimals: `3.0` is `3`.
    """
    if (number := whole_number(phase)) is not None:
        return str(number)
    word = re.sub(r"[\s_-]+", "", phase.lower())
    return _WORDS.get(word, phase.lower())


def with_moments(volumes: list[LabelledVolume]) -> Iterable[LabelledVolume]:
    """The volumes of a subject; the largest and the smallest are renamed to `ed` and `es`.

    The size is that of the LV cavity or, if that is not drawn on every volume, of the RV cavity. The myocardium says
    nothing: it keeps its volume over the beat. Nothing is renamed if no cavity is drawn on every volume, if the volumes
    are phases of several cines, or if their names already say ED or ES.
    """
    if len(volumes) < 2 or has_moments(volumes) or len(cines_of(volumes)) > 1:
        return volumes
    sizes = next((sizes for cavity in _CAVITIES if all(sizes := _sizes(volumes, cavity))), None)
    if sizes is None:
        return volumes
    smallest = len(sizes) - 1 - int(np.argmin(sizes[::-1]))  # differs from the largest even if all sizes are equal
    moments = {int(np.argmax(sizes)): "ed", smallest: "es"}
    return [replace(volume, name=moments.get(index, volume.name)) for index, volume in enumerate(volumes)]


def with_stated_moments(volumes: list[LabelledVolume], phases: Sequence[str]) -> list[LabelledVolume]:
    """The volumes of a subject in a table, with ED and ES as the table says them.

    If the table says neither, two 3D images may be named so (`p1_ED` and `p1_ES`). By size, ED and ES are found only
    among the phases of one cine: those of a 4D image, or 3D images on one grid with numbers of their own.

    Args:
        volumes: named after their phases in the table, where it gives any.
        phases: the phases that the table gives for them, each once.
    """
    are_numbered = all(map(str.isdecimal, phases)) and len(phases) == len(volumes) and _share_grid(volumes)
    if are_numbered or all(volume.phase is not None for volume in volumes):
        return [*with_moments(volumes)]
    files = [_FILE.fullmatch(stem(Path(volume.sources[0]))) for volume in volumes]
    moments = [file["moment"].lower() if file else "" for file in files]
    scans = {
        (file["scan"], Path(volume.sources[0]).parent) for file, volume in zip(files, volumes, strict=True) if file
    }
    if has_moments(volumes) or sorted(moments) != ["ed", "es"] or len(scans) > 1:
        return volumes
    return [replace(volume, name=moment) for volume, moment in zip(volumes, moments, strict=True)]


def _share_grid(volumes: Sequence[LabelledVolume]) -> bool:
    grid = volumes[0].grid_or_nominal()
    return all(volume.grid_or_nominal().matches(grid) for volume in volumes)


def has_moments(volumes: Iterable[LabelledVolume]) -> bool:
    """Whether one of the volumes is called ED or ES."""
    return not {"ed", "es"}.isdisjoint(volume.name for volume in volumes)


def cines_of(volumes: Iterable[LabelledVolume]) -> Set[tuple[str, ...]]:
    """The cines that volumes are phases of: phases of one cine have the same case ids; () stands for all 3D images."""
    return {volume.case_ids if volume.phase is not None else () for volume in volumes}


def unknown_moments(volumes: Sequence[LabelledVolume], remedy: str = "") -> str:
    """Why none of several volumes is called ED or ES; "" if one is, or if there is only one volume.

    Args:
        volumes: of a subject.
        remedy: how the user can state the phase of a 3D image.
    """
    if len(volumes) < 2 or has_moments(volumes):
        return ""
    if (cines := len(cines_of(volumes))) > 1:
        return f"its {len(volumes)} volumes are of {cines} scans: none is called ED or ES, so there is no EF"
    if any(volume.phase is None for volume in volumes):
        return f"nothing says which of its {len(volumes)} volumes are ED and ES, so there is no EF: {remedy}"
    return f"none of its {len(volumes)} phases is called ED or ES, so there is no EF: no cavity is drawn on all of them"


def _sizes(volumes: Iterable[LabelledVolume], cavity: Label) -> list[int]:
    return [int(np.count_nonzero(volume.mask == cavity)) for volume in volumes]
