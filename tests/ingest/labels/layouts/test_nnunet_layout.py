"""nnU-Net's raw datasets in other formats than NIfTI, and labels that are regions of several numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from only_subject import subject
from read_subjects import read_layout

from cardioseg.errors import NoInputError
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Cine, Grid
from cardioseg.ingest.labels.nnunet_dataset_json import convention_of_card
from cardioseg.ingest.labels.subject import Subject

MASK = np.random.default_rng(0).integers(0, 4, (3, 9, 8)).astype(np.uint8)
SCAN = np.arange(MASK.size, dtype=np.int16).reshape(MASK.shape)


def raw_dataset(root: Path, ending: str) -> Path:
    for name, voxels in (("imagesTr/p1_ed_0000", SCAN), ("labelsTr/p1_ed", MASK)):
        (root / name).parent.mkdir()
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((1.25, 1.5, 8.0))
        sitk.WriteImage(image, str(root / f"{name}{ending}"))
    card = {"labels": {"background": 0, "RV": 1, "MYO": 2, "LV": 3}, "file_ending": ending, "numTraining": 1}
    (root / "dataset.json").write_text(json.dumps(card))
    return root


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha", ".nii"])
def test_every_format_of_one_file_a_volume(ending: str, tmp_path: Path) -> None:
    (volume,) = subject(raw_dataset(tmp_path, ending)).volumes
    assert np.array_equal(volume.mask, MASK)
    assert np.array_equal(volume.image, SCAN)
    assert (volume.spacing_mm, volume.sources[0]) == ((8.0, 1.5, 1.25), f"imagesTr/p1_ed_0000{ending}")


def test_a_mask_with_its_axes_in_another_direction_is_aligned(tmp_path: Path) -> None:
    path = raw_dataset(tmp_path, ".mha") / "labelsTr" / "p1_ed.mha"
    sitk.WriteImage(sitk.Flip(sitk.ReadImage(str(path)), (True, False, False)), str(path))
    assert not np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), MASK)
    assert np.array_equal(subject(tmp_path).volumes[0].mask, MASK)


def test_ed_and_es_are_not_taken_from_two_cines(tmp_path: Path) -> None:
    raw_dataset(tmp_path, ".nii.gz")
    for name in ("p2_phase1", "p2_phase2"):
        for folder, voxels in (("imagesTr", SCAN), ("labelsTr", MASK)):
            file = tmp_path / folder / (f"{name}_0000.nii.gz" if folder == "imagesTr" else f"{name}.nii.gz")
            write_cine(file, Cine(np.stack([voxels, voxels]), Grid(MASK.shape, (8.0, 1.5, 1.25))))
    _, two = read_layout(tmp_path)
    assert isinstance(two, Subject)
    assert [volume.name for volume in two.volumes] == ["phase00", "phase01"] * 2
    assert two.unknown_moments.startswith("its 4 volumes are of 2 scans")


def test_an_image_that_is_absent_is_named(tmp_path: Path) -> None:
    raw_dataset(tmp_path, ".mha")
    (tmp_path / "imagesTr" / "p1_ed_0000.mha").rename(tmp_path / "imagesTr" / "p2_ed_0000.mha")
    without_mask, without_image = read_layout(tmp_path)
    assert [type(item).__name__ for item in (without_mask, without_image)] == ["Skipped", "Skipped"]
    assert "it has no mask in labelsTr" in str(without_mask)
    assert "p1_ed_0000: no image of this name" in str(without_image)


REGIONS: dict[str, dict[str, object]] = {
    "the outline of the wall": {"LV epi": [2, 3], "RV": 1, "LV": 3},
    "the whole heart": {"heart": [1, 2, 3], "RV": 1, "Myo": 2, "LV": 3},
}


@pytest.mark.parametrize("labels", REGIONS.values(), ids=list(REGIONS))
def test_regions_of_numbers_that_are_known(labels: dict[str, object]) -> None:
    convention = convention_of_card(Path("dataset.json"), {"labels": {"background": 0, **labels}})
    assert convention == {0: Label.BACKGROUND, 1: Label.RV_CAVITY, 2: Label.LV_MYOCARDIUM, 3: Label.LV_CAVITY}


@pytest.mark.parametrize(
    "labels",
    [{"left ventricle": [2, 3], "endo": 3}, {"LV epi": [1, 2, 3], "RV": 1, "LV": 3}, {"LV epi": [2, 3]}, {"RV": ["1"]}],
)
def test_regions_that_leave_a_number_open(labels: dict[str, object]) -> None:
    with pytest.raises(NoInputError, match="a region of several numbers"):
        convention_of_card(Path("dataset.json"), {"labels": {"background": 0, **labels}})
