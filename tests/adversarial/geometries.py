"""Geometries: thirty ways in which the images of one series contradict each other or themselves."""

from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from dicom_bombs import encoded
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from cardioseg.phantom import Phantom, cine, instance, localizer

CINE = Phantom(slices=6, phases=8, rows=16, columns=16, spacing_mm=(14.0, 8.0, 8.0))
Images = list[list[Dataset]]  # [slice][phase]
Change = Callable[[Images], Any]


def changed(change: Change) -> list[bytes]:
    """The files of a sound short-axis cine after a change; what it leaves alone is encoded only once."""
    sound = _sound()
    slices = [[_copy(one) for one, _ in row] for row in sound]
    change(slices)
    known = {str(one.SOPInstanceUID): (one, content) for row in sound for one, content in row}
    return [_encoded(one, *known.get(str(one.SOPInstanceUID), (None, b""))) for row in slices for one in row]


def _copy(one: Dataset) -> Dataset:
    """A data set whose elements may be set; what is in them is shared, which costs a tenth of a deep copy."""
    other = Dataset({tag: copy(element) for tag, element in one.items()})
    other.file_meta = one.file_meta
    return other


@cache
def _sound() -> list[list[tuple[Dataset, bytes]]]:
    voxels = cine(CINE).voxels
    images = [
        [instance(CINE, index, phase, CINE.instance_number(index, phase), voxels[phase, index]) for phase in range(8)]
        for index in range(6)
    ]
    return [[(one, encoded(one)) for one in row] for row in images]


def _encoded(one: Dataset, sound: Dataset | None, content: bytes) -> bytes:
    raw = any(isinstance(element, RawDataElement) for element in one.values())
    return content if sound is not None and not raw and one == sound else encoded(one)


def _set(index: int, **tags: Any) -> Change:
    """Give every image of a slice these tags."""
    return lambda slices: [setattr(one, key, value) for one in slices[index] for key, value in tags.items()]


def _set_one(**tags: Any) -> Change:
    """Give one image these tags."""
    return lambda slices: [setattr(slices[2][3], key, value) for key, value in tags.items()]


def _literal(keyword: str, text: str) -> Change:
    """Give every image of a slice a decimal string that is none."""

    def change(slices: Images) -> None:
        for one in slices[2]:
            tag, value = Tag(keyword), text.encode()
            one[keyword] = RawDataElement(tag, "DS", len(value), value, 0, False, True)

    return change


def _move(index: int, mm: float, axis: int) -> Change:
    """Move a slice along the normal (0), down (1) or across (2)."""

    def change(slices: Images) -> None:
        for one in slices[index]:
            moved = np.asarray(one.ImagePositionPatient, float) + mm * np.asarray(CINE.grid.directions[axis])
            one.ImagePositionPatient = [f"{value:.6f}" for value in moved]

    return change


def _turn(index: int, degrees: float) -> Change:
    """Tilt a slice about its row axis."""

    def change(slices: Images) -> None:
        normal, down, across = map(np.asarray, CINE.grid.directions)
        angle = np.radians(degrees)
        tilted = np.cos(angle) * down + np.sin(angle) * normal
        for one in slices[index]:
            one.ImageOrientationPatient = [f"{value:.9f}" for value in (*across, *tilted)]

    return change


def _signs(index: int, across: int, down: int) -> Change:
    """Turn a slice's axes round."""

    def change(slices: Images) -> None:
        for one in slices[index]:
            cosines = np.asarray(one.ImageOrientationPatient, float) * [*[across] * 3, *[down] * 3]
            one.ImageOrientationPatient = [f"{value:.9f}" for value in cosines]

    return change


def _drop(*places: tuple[int, int | None]) -> Change:
    def change(slices: Images) -> None:
        for index, phase in sorted(places, key=str, reverse=True):
            if phase is None:
                slices[index].clear()
            else:
                slices[index].pop(phase)

    return change


def _without_times(slices: Images) -> None:
    for one in (image for row in slices for image in row):
        one.TriggerTime, one.InstanceNumber, one.AcquisitionTime = 0, 1, "120000"


def _extra_phases(slices: Images) -> None:
    for number, one in enumerate(slices[1][:4]):
        extra = deepcopy(one)
        extra.SOPInstanceUID, extra.TriggerTime = f"1.2.3.{number}", float(one.TriggerTime) + 31
        slices[1].append(extra)


def _interleave(slices: Images) -> None:
    for index, row in enumerate(deepcopy(slices[:5])):
        for number, one in enumerate(row):
            position = np.asarray(one.ImagePositionPatient, float) + 4.0 * np.asarray(CINE.grid.directions[0])
            one.ImagePositionPatient = [f"{value:.6f}" for value in position]
            one.SOPInstanceUID = f"1.2.3.{index}.{number}"
        slices.append(row)


def _localizer_inside(slices: Images) -> None:
    scouts = localizer(CINE)
    for one in scouts:
        one.SeriesInstanceUID = slices[0][0].SeriesInstanceUID
    slices.append(scouts)


def _second_kind(slices: Images) -> None:
    for number, one in enumerate(deepcopy(slices[2])):
        one.ImageType, one.SOPInstanceUID = ["ORIGINAL", "PRIMARY", "P"], f"1.2.3.{number}"
        slices[2].append(one)


def _two_steps(slices: Images) -> None:
    for (_, row), shift_mm in zip(pairwise(slices), (0, 0, 0, 5, 10), strict=True):
        for one in row:
            position = np.asarray(one.ImagePositionPatient, float) + shift_mm * np.asarray(CINE.grid.directions[0])
            one.ImagePositionPatient = [f"{value:.6f}" for value in position]


CONTRADICTIONS: Mapping[str, Change] = {
    "a slice is missing": _drop((2, None)),
    "a phase of a slice is missing": _drop((2, 3)),
    "half of a slice's phases are missing": _drop(*((2, phase) for phase in (1, 3, 5, 7))),
    "a slice has more phases": _extra_phases,
    "two slices at one place": _move(3, -14.0, 0),
    "a slice is displaced along the normal": _move(3, 4.0, 0),
    "a slice is shifted sideways": _move(3, 20.0, 2),
    "a slice is tilted": _turn(3, 5.0),
    "the steps differ between halves": _two_steps,
    "two stacks interleaved": _interleave,
    "a localizer inside the series": _localizer_inside,
    "rows run the other way on a slice": _signs(3, -1, 1),
    "columns run the other way on a slice": _signs(3, 1, -1),
    "a slice is turned by half": _signs(3, -1, -1),
    "another pixel spacing on a slice": _set(2, PixelSpacing=[6.0, 6.0]),
    "pixel spacing transposed on a slice": _set(2, PixelSpacing=[8.0, 4.0]),
    "other rows on a slice": _set(2, Rows=8, Columns=32),
    "spacing of zero": _set(2, PixelSpacing=[0, 0]),
    "negative spacing": _set(2, PixelSpacing=[-8.0, 8.0]),
    "spacing that is no number": _literal("PixelSpacing", "nan\\nan "),
    "infinite spacing": _literal("PixelSpacing", "1e400\\1e400 "),
    "spacing with a comma and a point": _literal("PixelSpacing", "8,0.0\\8 "),
    "cosines of another length": _set(2, ImageOrientationPatient=[2, 0, 0, 0, 2, 0]),
    "parallel cosines": _set(2, ImageOrientationPatient=[1, 0, 0, 1, 0, 0]),
    "position of two numbers": _set(2, ImagePositionPatient=[1, 2]),
    "position beyond the scanner": _set(2, ImagePositionPatient=[1e9, 0, 0]),
    "position that is no number": _literal("ImagePositionPatient", "nan\\0\\0"),
    "one image without a position": _set_one(ImagePositionPatient=None),
    "one image of another slice's phase": _set_one(TriggerTime=0),
    "nothing tells phases apart": _without_times,
    "two kinds of image at one place": _second_kind,
}
