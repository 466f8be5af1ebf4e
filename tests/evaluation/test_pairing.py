"""Pairing: which prediction meets which reference, and every reason why it may not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardioseg.evaluation.pairing import Pair, find_pairs
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume, Voxels
from cardioseg.ingest.labels.subject import LabelledVolume, Subject
from cardioseg.results.mask_files import find_masks
from cardioseg.skipped import Skipped

GRID = Grid((3, 6, 5), (8.0, 1.5, 1.25), (-10.0, 20.0, 30.0))


def labels(seed: int, *leading: int) -> Voxels:
    return np.random.default_rng(seed).integers(0, 4, (*leading, *GRID.shape)).astype(np.uint8)


def reference(name: str, *case_ids: str, phase: int | None = None, grid: Grid | None = GRID) -> LabelledVolume:
    mask = labels(0)
    annotated = np.ones((len(mask), len(Label)), np.bool_)
    return LabelledVolume(name, labels(9), mask, annotated, GRID.spacing_mm, case_ids, phase, ("", "", ""), grid)


def pairs(folder: Path, *volumes: LabelledVolume) -> list[Pair | Skipped]:
    return list(find_pairs(Subject("s1", volumes), find_masks(folder)))


def reason(folder: Path, *volumes: LabelledVolume) -> str:
    outcomes = pairs(folder, *volumes)
    assert all(isinstance(outcome, Skipped) for outcome in outcomes)
    [why] = {outcome.why for outcome in outcomes if isinstance(outcome, Skipped)}
    return why


def test_a_volume_is_known_by_any_of_its_names(tmp_path: Path) -> None:
    write_volume(tmp_path / "SCD0000101" / "mask.nii.gz", Volume(labels(1), GRID))
    [found] = pairs(tmp_path, reference("ed", "SC-HF-I-01", "SCD0000101"))
    assert isinstance(found, Pair)
    assert (found.subject_id, found.case_id) == ("s1", "SCD0000101")
    np.testing.assert_array_equal(found.predicted, labels(1))


def test_names_meet_in_the_form_that_predict_gives_them(tmp_path: Path) -> None:
    write_volume(tmp_path / "my_case" / "mask.nii.gz", Volume(labels(1), GRID))
    assert isinstance(pairs(tmp_path, reference("", "my case"))[0], Pair)


def test_the_phase_selects_from_a_cine(tmp_path: Path) -> None:
    cine = labels(2, 4)
    write_cine(tmp_path / "c" / "mask.nii.gz", Cine(cine, GRID))
    found = pairs(tmp_path, reference("ed", "c", phase=3), reference("es", "c", phase=1))
    for outcome, phase in zip(found, (3, 1), strict=True):
        assert isinstance(outcome, Pair)
        np.testing.assert_array_equal(outcome.predicted, cine[phase])


def test_without_a_prediction(tmp_path: Path) -> None:
    assert pairs(tmp_path, reference("ed", "c")) == [Skipped("c ed", "no prediction")]


def test_one_phase_cannot_be_several_references(tmp_path: Path) -> None:
    write_volume(tmp_path / "c.nii.gz", Volume(labels(1), GRID))
    several = reference("ed", "c", phase=3), reference("es", "c", phase=1)
    assert "it belongs to is unknown" in reason(tmp_path, *several)
    assert len(set(pairs(tmp_path, *several))) == 1


def test_one_phase_can_be_the_only_reference(tmp_path: Path) -> None:
    write_volume(tmp_path / "c.nii.gz", Volume(labels(1), GRID))
    assert isinstance(pairs(tmp_path, reference("ed", "c", phase=3))[0], Pair)


def test_a_cine_needs_a_phase_that_it_has(tmp_path: Path) -> None:
    write_cine(tmp_path / "c.nii.gz", Cine(labels(2, 4), GRID))
    assert "does not say to which of them" in reason(tmp_path, reference("ed", "c"))
    assert "has the phases 0 to 3; the reference is phase 4" in reason(tmp_path, reference("ed", "c", phase=4))


def test_another_shape(tmp_path: Path) -> None:
    smaller = Grid((3, 6, 4), GRID.spacing_mm)
    write_volume(tmp_path / "c.nii.gz", Volume(np.zeros(smaller.shape, np.uint8), smaller))
    assert "(3, 6, 4)" in reason(tmp_path, reference("ed", "c"))


@pytest.mark.parametrize(
    ("elsewhere", "difference"),
    [
        (replace(GRID, origin_mm=(-10.0, 20.0, 30.5)), "but its first voxel lies 0.50 mm away: resample"),
        (replace(GRID, spacing_mm=(8.0, 1.5, 1.3)), "is 8.00 x 1.50 x 1.30 mm, not 8.00 x 1.50 x 1.25 mm: resample"),
        (
            replace(GRID, directions=((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))),
            "but its axes are turned by up to 180.0 degrees: resample",
        ),
    ],
)
def test_another_place(tmp_path: Path, elsewhere: Grid, difference: str) -> None:
    write_volume(tmp_path / "c.nii.gz", Volume(labels(1), elsewhere))
    assert difference in reason(tmp_path, reference("ed", "c"))
    assert isinstance(pairs(tmp_path, reference("ed", "c", grid=None))[0], Pair)


def test_rounding_is_no_other_place(tmp_path: Path) -> None:
    nearly = replace(GRID, origin_mm=(-10.02, 20.0, 30.0))
    write_volume(tmp_path / "c.nii.gz", Volume(labels(1), nearly))
    assert isinstance(pairs(tmp_path, reference("ed", "c"))[0], Pair)


def test_a_damaged_mask_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "c.nii.gz").write_bytes(b"no image")
    [outcome] = set(pairs(tmp_path, reference("ed", "c"), reference("es", "c")))
    assert outcome == Skipped("c.nii.gz", "the prediction cannot be used: not a readable NIfTI file")
