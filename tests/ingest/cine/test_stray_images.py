"""Single images that share a film's series and are not of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from cardioseg.ingest.cine.stack import stack
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.finding.survey import Kind, judge, survey

Plane = Callable[..., SliceHeader]
FILM = {"image_type": ("ORIGINAL", "M")}
OTHER_SIZE = "its rows or columns differ from those of the others"


@pytest.fixture
def film(plane: Plane) -> list[SliceHeader]:
    return [
        plane(index, phase, **FILM, instance_number=10 * index + phase) for index in range(6) for phase in range(10)
    ]


STRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "another size": ({"shape": (3, 4), "trigger_ms": None}, OTHER_SIZE),
    "another size, with a time": ({"shape": (3, 4), "trigger_ms": 40.0}, OTHER_SIZE),
    "another spacing": ({"pixel_mm": (3.0, 2.5)}, "its pixel spacing differs from that of the others"),
    "another modality": ({"is_mr": False}, "it is of another modality than the others"),
    "aside": ({"position_mm": (18.0, 26.0, 30.0)}, "it is shifted sideways from the other images of its plane"),
    "another plane": (
        {"orientation": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)},
        "it lies in another plane than the others",
    ),
    "no time": ({"trigger_ms": None}, "it has no time, unlike the others"),
    "another kind": ({"image_type": ("DERIVED", "M")}, "it is a different kind of image from the others"),
}


@pytest.mark.parametrize(("change", "why"), STRAYS.values(), ids=STRAYS)
def test_one_odd_image_is_left_out_and_named(
    plane: Plane, film: list[SliceHeader], change: dict[str, Any], why: str
) -> None:
    stray = plane(0, 0, **FILM | {"path": Path("a stray.dcm"), "instance_number": 999} | change)
    judged = judge([*film, stray])
    assert judged.kind is Kind.SHORT_AXIS_CINE
    assert judged.stack, judged.reason
    assert judged.stack.headers == stack(film).headers
    assert [(one.where, one.why) for one in judged.strays] == [("a stray.dcm", why)]
    (flag,) = judged.stack.flags
    assert (flag.kind, flag.place) == ("stray image", "")
    assert flag.reason.startswith(f"1 image of the series is left out: {why}")
    assert "a stray" not in flag.reason
    assert judged.shape == (6, 7)
    assert judged.files == judge(film).files


@pytest.mark.parametrize("index", [2.5, 9.3])
def test_an_image_alone_on_its_plane(plane: Plane, film: list[SliceHeader], index: float) -> None:
    judged = judge([*film, plane(index, 0, **FILM, path=Path("stray"))])
    assert judged.stack, judged.reason
    assert judged.stack.headers == stack(film).headers
    assert [one.why for one in judged.strays] == ["its plane has hardly any other images"]


def test_an_odd_image_on_every_plane(plane: Plane, film: list[SliceHeader]) -> None:
    maps = [plane(index, 0, shape=(3, 4), path=Path(f"map{index}")) for index in range(6)]
    judged = judge([*maps, *film])
    assert judged.stack, judged.reason
    assert judged.stack.headers == stack(film).headers
    assert judged.stack.flags[0].reason.startswith("6 images of the series are left out: its rows")


def test_a_film_of_another_size_is_no_stray(plane: Plane, film: list[SliceHeader]) -> None:
    other = [replace(header, shape=(3, 4)) if index >= 50 else header for index, header in enumerate(film)]
    judged = judge(other)
    assert (judged.stack, judged.strays, judged.reason) == (None, (), "its slices differ in rows or columns")


def test_few_images_are_no_film_to_differ_from(plane: Plane) -> None:
    judged = judge([plane(index, 0, shape=(3, 4) if index == 2 else (6, 7)) for index in range(6)])
    assert (judged.stack, judged.strays) == (None, ())


def test_a_file_is_named_and_the_cine_is_whole(
    tmp_path: Path, write_cine: Callable[..., Path], write_slice: Callable[..., Path]
) -> None:
    folder = write_cine(tmp_path / "scan")
    whole = survey(folder).cines[0].stack
    capture = write_slice(folder / "0000 result.dcm", np.zeros((2, 2), np.int16), InstanceNumber=999, TriggerTime=None)
    found = survey(folder)
    (series,) = found.cines
    assert whole
    assert series.stack, series.reason
    np.testing.assert_array_equal(series.stack.read().voxels, whole.read().voxels)
    assert [(one.where, one.why) for one in found.unused] == [(str(capture), OTHER_SIZE)]


def test_a_reformat_in_the_series_is_named_and_is_no_series_of_its_own(
    tmp_path: Path, write_cine: Callable[..., Path], write_slice: Callable[..., Path]
) -> None:
    folder = write_cine(tmp_path / "scan")
    reformat = write_slice(folder / "0000.dcm", ImageOrientationPatient=[1, 0, 0, 0, 1, 0], InstanceNumber=999)
    found = survey(folder)
    assert [series.kind for series in found.series] == [Kind.SHORT_AXIS_CINE]
    assert [one.where for one in found.unused] == [str(reformat)]


def test_a_stray_in_one_of_the_series_that_are_one_cine(tmp_path: Path, write_cine: Callable[..., Path]) -> None:
    """Each slice is its own series; one holds a result of another size, whose file comes first."""
    folder = write_cine(tmp_path / "scan")
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID = f"1.2.{(int(dataset.InstanceNumber) - 1) // 8 + 1}"
        dataset.save_as(path)
    dataset.Rows = dataset.Columns = 2
    dataset.PixelData, dataset.SOPInstanceUID, dataset.InstanceNumber = b"\0" * 8, "1.2.3.4", 999
    dataset.save_as(folder / "0000.dcm")
    (series,) = survey(folder).cines
    assert series.stack, series.reason
    assert [flag.kind for flag in series.stack.flags] == ["stray image"]
    assert (series.slices, series.phases) == (5, 8)


def without_time(film: list[SliceHeader], phase: int) -> list[SliceHeader]:
    return [replace(header, trigger_ms=None) if place % 10 == phase else header for place, header in enumerate(film)]


@pytest.mark.parametrize("phase", [0, 4])
def test_a_phase_without_a_time_on_every_slice_is_this_phase(film: list[SliceHeader], phase: int) -> None:
    judged = judge(without_time(film, phase))
    assert judged.stack, judged.reason
    assert (judged.strays, judged.stack.flags) == ((), ())
    assert judged.stack.headers == stack(film).headers
    assert judged.stack.times_ms == stack(film).times_ms


def test_images_without_a_time_that_may_be_no_phase_are_left_out(film: list[SliceHeader]) -> None:
    def strays(headers: list[SliceHeader]) -> int:
        return len(judge(headers).strays)

    assert strays(without_time(film, 9)) == 6  # the last: it may belong to the next beat
    later = [replace(header, trigger_ms=(header.trigger_ms or 0) - 40) for header in film]
    assert strays(without_time(later, 0)) == 6  # the others begin at the R wave
    unnumbered = [replace(header, instance_number=None) for header in film]
    assert strays(without_time(unnumbered, 0)) == 6
    assert strays(without_time(film, 0)[:50] + film[50:]) == 5  # not on every slice
    scattered = [replace(header, trigger_ms=None) if place % 9 == 0 else header for place, header in enumerate(film)]
    assert strays(scattered) == 7


PHASE = ("ORIGINAL", "PRIMARY", "VELOCITY", "NONE", "PHASE")


def of_type(headers: list[SliceHeader], image_type: tuple[str, ...]) -> list[SliceHeader]:
    return [replace(header, image_type=image_type, path=Path(image_type[-1], header.path)) for header in headers]


@pytest.mark.parametrize(
    ("magnitude", "phase"),
    [(("ORIGINAL", "PRIMARY", "CARDIAC", "NONE", "MAGNITUDE"), PHASE), (("ORIGINAL", "M"), ("ORIGINAL", "P"))],
)
def test_magnitude_images_are_used_and_phase_images_are_left_out(
    film: list[SliceHeader], magnitude: tuple[str, ...], phase: tuple[str, ...]
) -> None:
    magnitudes = of_type(film, magnitude)
    judged = judge([*magnitudes, *of_type(film, phase)])
    assert judged.kind is Kind.SHORT_AXIS_CINE
    assert judged.stack, judged.reason
    assert judged.stack.headers == stack(magnitudes).headers
    (flag,) = judged.stack.flags
    assert flag.reason.startswith("60 images of the series are left out: it is a phase, real or imaginary image")


def test_phase_images_are_left_out_only_if_magnitude_images_show_all_slices(film: list[SliceHeader]) -> None:
    magnitudes, phases = of_type(film, ("ORIGINAL", "MAGNITUDE")), of_type(film, PHASE)
    assert not judge([*magnitudes[:50], *phases]).strays
    assert not judge([*of_type(film, ("ORIGINAL", "MIXED")), *phases]).strays
    assert not judge(phases).strays
