"""nnU-Net's file names: `_0000` is no part of a case's name, further channels are said to be channels."""

import json
from pathlib import Path

import pytest

from cardioseg.cases.case_search import find_cases
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Volume
from cardioseg.phantom import Phantom, cine, reference
from cardioseg.results.mask_files import case_id, find_masks

SMALL = Phantom(slices=5, phases=1, rows=24, columns=24, spacing_mm=(16.0, 9.0, 9.0), ed_phase=0)


def write(*paths: Path) -> None:
    for path in paths:
        write_volume(path, Volume(cine(SMALL).voxels[0], SMALL.grid))


def names(folder: Path) -> list[str]:
    return sorted(case.case_id for case in find_cases([folder]).cases)


def test_the_first_channel_is_the_case(tmp_path: Path) -> None:
    images = tmp_path / "Dataset027_ACDC" / "imagesTr"
    write(images / "patient001_frame01_0000.nii.gz", images / "patient002_frame12_0000.nii.gz")
    assert names(images) == ["patient001_frame01", "patient002_frame12"]
    assert names(images / "patient001_frame01_0000.nii.gz") == ["patient001_frame01"]
    labels = images.parent / "labelsTr" / "patient001_frame01.nii.gz"
    write(labels)
    assert set(find_masks(labels.parent).paths) <= set(names(images))


def test_further_channels_are_named_as_such(tmp_path: Path) -> None:
    images = tmp_path / "imagesTs"
    write(images / "a_0000.nii.gz", images / "a_0001.nii.gz", images / "b_0000.nii.gz")
    found = find_cases([images])
    assert [case.case_id for case in found.cases] == ["a", "b"]
    [other] = found.unused
    assert Path(other.where).name == "a_0001.nii.gz"
    assert other.why.startswith("channel 1 of a, of which only channel 0 is segmented: cardioseg reads one channel")
    assert names(images / "a_0001.nii.gz") == ["a_0001"]


@pytest.mark.parametrize("has_dataset", [False, True])
def test_phases_that_are_numbered_alike_are_no_channels(tmp_path: Path, has_dataset: bool) -> None:
    """A film saved phase by phase has more files than any case has channels."""
    write(*(tmp_path / "x" / "film" / f"heart_{phase:04d}.nii.gz" for phase in range(8)))
    if has_dataset:
        (tmp_path / "x" / "dataset.json").write_text(json.dumps({}))
    expected = ["heart"] if has_dataset else [f"heart_{phase:04d}" for phase in range(8)]
    assert names(tmp_path / "x" / "film") == expected


def test_other_names_stay(tmp_path: Path) -> None:
    assert case_id(Path("labels/p1_0000.nii.gz")) == "p1"
    for name in ("p1_00000", "p10000", "p1_0001", "p1_000"):
        assert case_id(tmp_path / f"{name}.nii.gz") == name
    write(tmp_path / "s" / "odd[1]_0000.nii")
    assert names(tmp_path / "s") == ["odd_1"]


@pytest.mark.parametrize(
    ("scans", "masks"),
    [
        (("imagesTr/p1_0000", "imagesTr/p2_0000", "imagesTs/p3_0000"), ("labelsTr/p1", "labelsTr/p2", "labelsTs/p3")),
        (("images/p1", "images/p2"), ("masks/p1", "masks/p2")),
        (("img/train/p1", "img/val/p2"), ("Ground Truth/train/p1", "Ground Truth/val/p2")),
        (("p1", "p2"), ("segmentations/p1", "segmentations/p2")),
    ],
)
def test_masks_in_folders_beside_the_scans_rename_none(
    tmp_path: Path, scans: tuple[str, ...], masks: tuple[str, ...]
) -> None:
    root = tmp_path / "labels" / "Dataset027"  # what is above the tree says nothing
    write(*(root / f"{name}.nii.gz" for name in scans))
    for name in masks:
        write_volume(root / f"{name}.nii.gz", Volume(reference(SMALL).voxels[0], SMALL.grid))
    found = find_cases([root])
    assert sorted(case.case_id for case in found.cases) == ["p1", "p2", "p3"][: len(scans)]
    assert {item.where for item in found.unused} == {str(root / f"{name}.nii.gz") for name in masks}
    assert all(item.why.startswith("label or probability map") for item in found.unused)
    folders = sorted({root / name.split("/")[0] for name in (*scans, *masks)} - {root / "p1", root / "p2"})
    if len(folders) > 1:
        assert sorted(case.case_id for case in find_cases(folders).cases) == ["p1", "p2", "p3"][: len(scans)]


def test_scans_in_a_folder_that_is_called_as_of_masks_have_names_too(tmp_path: Path) -> None:
    write(tmp_path / "labels" / "p1.nii.gz", tmp_path / "labels" / "p2.nii.gz")
    assert names(tmp_path) == names(tmp_path / "labels") == ["p1", "p2"]
    write(tmp_path / "images" / "p1.nii.gz")
    assert names(tmp_path) == ["labels_p1", "p1", "p2"]
    write(tmp_path / "more" / "p1.nii.gz")
    assert names(tmp_path) == ["images_p1", "labels_p1", "more_p1", "p2"]
