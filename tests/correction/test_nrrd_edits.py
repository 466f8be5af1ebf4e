"""Edits of a film's mask that are saved as NRRD: as SimpleITK and as 3D Slicer save them, in any type of number."""

import gzip
import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from small_phantoms import SIX_SLICES
from thresholds import write_threshold_model

from cardioseg.cases.case_search import find_cases
from cardioseg.correction.remeasurement import find_edited, measure_all
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.image.nrrd_encoding import encode_sequence
from cardioseg.image.volume import Cine
from cardioseg.inference.session import open_model
from cardioseg.phantom import cine
from cardioseg.prediction.cohort_prediction import predict_all
from cardioseg.prediction.predict_settings import Settings
from cardioseg.results.outcome import Outcome

SMALL = replace(SIX_SLICES, phases=5)
Fields = dict[str, str]


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film, predicted."""
    folder = tmp_path_factory.mktemp("film")
    write_cine(folder / "scans" / "a.nii.gz", cine(SMALL))
    model = open_model(write_threshold_model(folder / "model"))
    list(predict_all(find_cases([folder / "scans"]), model, folder / "results"))
    return folder / "results"


@pytest.fixture
def case(predicted: Path) -> Path:
    return without_edits(predicted)


def without_edits(predicted: Path) -> Path:
    """The film's folder, without what an earlier test laid beside the mask."""
    folder = predicted / "a"
    for path in folder.glob("*.nrrd"):
        path.unlink()
    return folder


def measure(path: Path) -> Outcome:
    """What becomes of the case once an edit of its mask lies at `path`."""
    time = path.stat().st_mtime - 5
    os.utime(path.with_name("mask.nii.gz"), (time, time))
    out = path.parents[1].with_name("measured")
    [outcome] = measure_all(find_edited(path.parents[1], out), out)
    return outcome


def measured_mask(case: Path) -> np.ndarray:
    from cardioseg.results.edits import latest_mask

    return latest_mask(case / "mask.nii.gz").mask.voxels


def erased(case: Path) -> sitk.Image:
    """The mask, read with SimpleITK, with two slices of every other phase erased."""
    image = sitk.ReadImage(str(case / "mask.nii.gz"))
    voxels = sitk.GetArrayFromImage(image)
    voxels[::2, -2:] = 0
    return same_place(voxels, image)


def same_place(voxels: np.ndarray, image: sitk.Image) -> sitk.Image:
    result = sitk.GetImageFromArray(voxels, isVector=False)
    result.CopyInformation(image)
    return result


@pytest.fixture(scope="module")
def numbers_of_erased(predicted: Path) -> str:
    """The table of `measure` for that edit, as SimpleITK writes it."""
    path = without_edits(predicted) / "Segmentation.nrrd"
    sitk.WriteImage(erased(path.parent), str(path))
    measure(path)
    return (predicted.with_name("measured") / "measures.csv").read_text()


def write_sequence(path: Path, image: sitk.Image, axis: int, **fields: str) -> Path:
    """As 3D Slicer writes the phases of a film: along an axis without a direction, the first (0) or the last (3)."""
    voxels = sitk.GetArrayFromImage(image)
    steps = np.reshape(image.GetDirection(), (4, 4))[:3, :3].T * np.array(image.GetSpacing()[:3])[:, None]
    directions = [f"({','.join(map(repr, step))})" for step in steps.tolist()]
    sizes, kinds = list(voxels.shape[:0:-1]), ["domain"] * 3
    for parts, part in ((directions, "none"), (sizes, voxels.shape[0]), (kinds, "list")):
        parts.insert(axis, part)  # type: ignore[attr-defined]
    head = {
        "type": "unsigned char", "dimension": "4", "space": "left-posterior-superior",
        "sizes": " ".join(map(str, sizes)), "space directions": " ".join(directions), "kinds": " ".join(kinds),
        "encoding": "gzip", "space origin": f"({','.join(map(repr, image.GetOrigin()[:3]))})",
    } | fields  # fmt: skip
    text = "\n".join(["NRRD0005", *(f"{name}: {value}" for name, value in head.items()), "", ""])
    path.write_bytes(text.encode() + gzip.compress((voxels if axis == 3 else np.moveaxis(voxels, 0, -1)).tobytes()))
    return path


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_a_film_that_simpleitk_wrote(case: Path, kind: str, is_packed: bool) -> None:
    image, path = erased(case), case / "Segmentation.nrrd"
    sitk.WriteImage(same_place(sitk.GetArrayFromImage(image).astype(kind), image), str(path), is_packed)
    outcome = measure(path)
    assert "edited; from Segmentation.nrrd" in outcome.reason
    np.testing.assert_array_equal(measured_mask(case), sitk.GetArrayFromImage(image))


def test_a_film_that_simpleitk_wrote_as_vectors(case: Path) -> None:
    image, path = erased(case), case / "mask.seg.nrrd"
    vectors = sitk.GetImageFromArray(np.moveaxis(sitk.GetArrayFromImage(image), 0, -1), isVector=True)
    vectors.CopyInformation(image[..., 0])
    sitk.WriteImage(vectors, str(path))
    assert "edited; from mask.seg.nrrd" in measure(path).reason
    np.testing.assert_array_equal(measured_mask(case), sitk.GetArrayFromImage(image))


@pytest.mark.parametrize("axis", [0, 3])
def test_a_sequence_that_slicer_wrote(case: Path, axis: int) -> None:
    image = erased(case)
    path = write_sequence(case / "Segmentation.seq.nrrd", image, axis)
    assert "edited; from Segmentation.seq.nrrd" in measure(path).reason
    np.testing.assert_array_equal(measured_mask(case), sitk.GetArrayFromImage(image))


def turned(image: sitk.Image, order: list[int], flips: list[bool]) -> sitk.Image:
    """The same voxels at the same places, each phase with its axes in another order and direction."""
    phases = [image[..., phase] for phase in range(image.GetSize()[3])]
    return sitk.JoinSeries([sitk.Flip(sitk.PermuteAxes(phase, order), flips) for phase in phases])


LAYOUTS = [([0, 1, 2], [*flips]) for flips in product([False, True], repeat=3)]
LAYOUTS += [([1, 0, 2], [False] * 3), ([2, 0, 1], [True, False, True]), ([1, 2, 0], [False, True, True])]


@pytest.mark.parametrize(("order", "flips"), LAYOUTS)
def test_axes_in_another_order_or_direction_are_the_same_edit(
    case: Path, numbers_of_erased: str, order: list[int], flips: list[bool]
) -> None:
    image = erased(case)
    path = case / "Segmentation.nrrd"
    sitk.WriteImage(turned(image, order, flips), str(path))
    assert "edited; from Segmentation.nrrd" in measure(path).reason
    assert (case.parents[1] / "measured" / "measures.csv").read_text() == numbers_of_erased
    np.testing.assert_array_equal(measured_mask(case), sitk.GetArrayFromImage(image))
    path.unlink()
    for axis in (0, 3):
        write_sequence(case / "Segmentation.seq.nrrd", turned(image, order, flips), axis)
        np.testing.assert_array_equal(measured_mask(case), sitk.GetArrayFromImage(image))


def test_phases_along_an_axis_of_time_in_any_place_and_direction(case: Path) -> None:
    """As ITK writes a film whose axes were permuted, or whose phases were flipped."""
    image = erased(case)
    voxels = sitk.GetArrayFromImage(image)
    for axis, step in ((0, 40), (3, 40), (3, -40)):
        phases = same_place(voxels[:: np.sign(step)], image)
        path = write_sequence(case / "Segmentation.nrrd", phases, axis, **in_time(image, axis, step))
        assert "edited; from Segmentation.nrrd" in measure(path).reason
        np.testing.assert_array_equal(measured_mask(case), voxels)


def in_time(image: sitk.Image, axis: int, step: int) -> Fields:
    """The fields of a space of four dimensions, time the last, which one of the axes is along."""
    space = np.reshape(image.GetDirection(), (4, 4))[:3, :3].T * np.array(image.GetSpacing()[:3])[:, None]
    directions = [f"({','.join(map(repr, [*row, 0.0]))})" for row in space.tolist()]
    directions.insert(axis, f"(0,0,0,{step})")
    origin = f"({','.join(map(repr, [*image.GetOrigin()[:3], 0.0]))})"
    return {
        "space": "left-posterior-superior-time", "space directions": " ".join(directions), "space origin": origin,
        "kinds": "domain domain domain domain",
    }  # fmt: skip


def test_labels_that_a_program_cast_to_double(case: Path) -> None:
    """A volume: SimpleITK casts no images of four dimensions."""
    path = case / "Segmentation.nrrd"
    sitk.WriteImage(sitk.Cast(erased(case)[..., 0], sitk.sitkFloat64), str(path), True)
    assert (
        "Segmentation.nrrd in the same folder is not used: it has 1 phase, the mask 5 (if it holds"
        in measure(path).reason
    )


@pytest.mark.parametrize("axis", [0, 3])
def test_another_number_of_phases_is_said(case: Path, axis: int) -> None:
    path = write_sequence(case / "Segmentation.nrrd", erased(case)[..., :3], axis)
    reason = measure(path).reason
    assert "Segmentation.nrrd in the same folder is not used: it has 3 phases, the mask 5" in reason
    assert "save the edit as mask.nii.gz, all phases in one image" in reason
    sitk.WriteImage(erased(case)[..., :4], str(path))
    assert "it has 4 phases, the mask 5" in measure(path).reason


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"type": "block"}, "its voxels are of the type block (save it as short)"),
        ({"type": "long double"}, "its voxels are of the type long double (save it as short)"),
        ({"sizes": "5 40 48 6 2"}, "5 dimensions, expected 3 or 4"),
        ({"sizes": "40 48"}, "2 dimensions, expected 3 or 4"),
        ({"sizes": "90000 90000 90000 5"}, "too large"),
        ({"sizes": "4000 4000 5 1", "type": "double"}, "too large"),
        ({"sizes": "400 400 5 1", "type": "double"}, "damaged or truncated"),
        ({"sizes": "40 48 -6 5"}, "not a readable NRRD file"),
        ({"space": "scanner-xyz"}, "it does not say where in the patient it lies (save it with the space LPS or RAS)"),
        ({"space directions": "none none (0,1,0) (0,0,1)"}, "not a readable NRRD file"),
        ({"space directions": "(1,0,0,1) (0,1,0,0) (0,0,1,0) (0,0,0,1)"}, "not a readable NRRD file"),
        ({"space origin": "(3,3,3)"}, "it does not lie on the grid of the mask"),
    ],
)
def test_what_cannot_be_read_is_said_for_what_it_is(case: Path, fields: Fields, why: str) -> None:
    outcome = measure(write_sequence(case / "Segmentation.nrrd", erased(case), 3, **fields))
    assert f"Segmentation.nrrd in the same folder is not used: {why}" in outcome.reason
    assert outcome.status == "done"
    np.testing.assert_array_equal(measured_mask(case), read_cine(case / "mask.nii.gz").voxels)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_in_the_header_and_in_the_voxels(case: Path, ending: str) -> None:
    """The voxels may hold, by chance, the bytes of a line's end: here the time at which they were packed."""
    image = erased(case)
    path = write_sequence(case / "Segmentation.nrrd", image, 3)
    head = path.read_bytes().partition(b"\n\n")[0].replace(b"\n", ending.encode())
    packed = gzip.compress(sitk.GetArrayFromImage(image).tobytes(), mtime=0x0A0D)
    assert b"\r\n" in packed
    path.write_bytes(head + 2 * ending.encode() + packed)
    assert "edited; from Segmentation.nrrd" in measure(path).reason
    np.testing.assert_array_equal(measured_mask(case), sitk.GetArrayFromImage(image))


def test_a_sequence_in_a_space_with_time(case: Path) -> None:
    for space in ("left-posterior-superior-time", "LPST"):
        path = write_sequence(case / "Segmentation.nrrd", erased(case), 3, space=space)
        assert "edited; from Segmentation.nrrd" in measure(path).reason


def test_an_edit_of_the_sequence_that_predict_wrote_counts(tmp_path: Path) -> None:
    """What `--format seg-nrrd` wrote is no edit; what 3D Slicer saves in its place is one."""
    write_cine(tmp_path / "scans" / "a.nii.gz", cine(SMALL))
    model = open_model(write_threshold_model(tmp_path / "model"))
    found, settings = find_cases([tmp_path / "scans"]), Settings(formats=("nifti", "seg-nrrd"))
    list(predict_all(found, model, tmp_path / "results", settings))
    case = tmp_path / "results" / "a"
    assert measure(case / "mask.seq.nrrd").reason.count("seq.nrrd") == 0
    written = read_cine(case / "mask.nii.gz")
    edited = written.voxels.copy()
    edited[::2, -2:] = 0
    (case / "mask.seq.nrrd").write_bytes(encode_sequence(Cine(edited, written.grid), "time", "ms", {}))
    assert "edited; from mask.seq.nrrd" in measure(case / "mask.seq.nrrd").reason
    assert np.array_equal(measured_mask(case), edited)
    (outcome,) = predict_all(found, model, tmp_path / "results", settings)
    assert "mask was edited and is kept, in mask.seq.nrrd" in outcome.reason
