"""An anonymiser gave each image a study or series id of its own: the images are grouped by folder and series number."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from small_phantoms import OBLONG

from cardioseg.image.volume import Voxels
from cardioseg.ingest.cine.series import Kind, Series
from cardioseg.ingest.finding.survey import survey
from cardioseg.phantom import Phantom, Vendor, cine, write_dicom

STUDY, SERIES = "StudyInstanceUID", "SeriesInstanceUID"
WEAKER = replace(OBLONG, seed=2, lv_ef_percent=30.0)


def images(folder: Path, phantom: Phantom = OBLONG, vendor: Vendor = Vendor.CLASSIC) -> list[Dataset]:
    return [dcmread(path) for path in sorted(write_dicom(phantom, folder, vendor).rglob("*.dcm"))]


def written(folder: Path, datasets: Iterable[Dataset], *keywords: str) -> Path:
    """The images with ids of their own, in one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, dataset in enumerate(datasets, start=len(list(folder.iterdir()))):
        for keyword in keywords:
            setattr(dataset, keyword, generate_uid(entropy_srcs=[keyword, str(folder), str(number)]))
        dataset.save_as(folder / f"{number:04d}.dcm")
    return folder


def voxels(series: Series) -> Voxels:
    assert series.stack is not None
    return series.stack.read().voxels


@pytest.mark.parametrize("keywords", [(STUDY, SERIES), (SERIES,), (STUDY,)])
def test_one_series(tmp_path: Path, keywords: tuple[str, ...]) -> None:
    scans = written(tmp_path / "sax", images(tmp_path / "raw"), *keywords)
    (series,) = survey(scans).series
    assert series.kind is Kind.SHORT_AXIS_CINE
    np.testing.assert_array_equal(voxels(series), cine(OBLONG).voxels)


def test_two_series_of_one_folder_have_their_numbers(tmp_path: Path) -> None:
    """The same planes at rest and under stress."""
    rest, stress = images(tmp_path / "rest"), images(tmp_path / "stress", WEAKER)
    for number, datasets in enumerate((rest, stress), start=5):
        for dataset in datasets:
            dataset.SeriesNumber = number
    scans = written(tmp_path / "all", [*rest, *stress], STUDY, SERIES)
    first, second = survey(scans).cines
    np.testing.assert_array_equal(voxels(first), cine(OBLONG).voxels)
    np.testing.assert_array_equal(voxels(second), cine(WEAKER).voxels)


def test_a_series_a_slice_is_joined(tmp_path: Path) -> None:
    """Its slices have numbers of their own, too."""
    slices = [image for image in images(tmp_path / "raw", vendor=Vendor.SERIES_A_SLICE) if image.SeriesNumber != 1]
    scans = written(tmp_path / "sax", slices, STUDY, SERIES)
    (series,) = survey(scans).cines
    np.testing.assert_array_equal(voxels(series), cine(OBLONG).voxels)


def test_folders_stay_apart(tmp_path: Path) -> None:
    for name, phantom in (("a", OBLONG), ("b", WEAKER)):
        written(tmp_path / "scans" / name, images(tmp_path / "raw" / name, phantom), STUDY, SERIES)
    first, second = survey(tmp_path / "scans").cines
    np.testing.assert_array_equal(voxels(first), cine(OBLONG).voxels)
    np.testing.assert_array_equal(voxels(second), cine(WEAKER).voxels)


def test_enhanced_files_are_series_by_themselves(tmp_path: Path) -> None:
    """Of two patients in one folder."""
    both = [*images(tmp_path / "a", OBLONG, Vendor.ENHANCED), *images(tmp_path / "b", WEAKER, Vendor.ENHANCED)]
    assert len(survey(written(tmp_path / "all", both, STUDY, SERIES)).cines) == 2


def test_a_few_single_images_are_not_one_series(tmp_path: Path) -> None:
    single = written(tmp_path / "few", images(tmp_path / "raw")[:6], STUDY, SERIES)
    assert [series.kind for series in survey(single).series] == [Kind.SINGLE_IMAGE] * 6
