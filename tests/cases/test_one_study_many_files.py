"""One study, exported in the ways that users have: the same volumes and ejection fractions."""

import csv
import zipfile
from dataclasses import replace
from pathlib import Path

import nrrd
import numpy as np
import pytest
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cases.case_search import find_cases
from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.image.volume import Cine
from cardioseg.phantom import Vendor, write_dicom

STUDY = replace(SMALL, seed=3)
FIGURES = ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent", "lv_mass_g", "rv_edv_ml", "rv_esv_ml", "rv_ef_percent")


def zipped(folder: Path, archive: Path) -> Path:
    """The files of a folder in a zip file."""
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*.dcm")):
            file.write(path, str(path.relative_to(folder)))
    return archive


def sequence(cine: Cine, path: Path) -> Path:
    """The cine as 3D Slicer saves a sequence of volumes: the list of phases first, in RAS."""
    steps = np.multiply(cine.grid.directions, np.array(cine.grid.spacing_mm)[:, None])[::-1]
    to_ras = np.array([-1, -1, 1])
    header = {
        "space": "right-anterior-superior",
        "kinds": ["list", "domain", "domain", "domain"],
        "space directions": [[np.nan] * 3, *(steps * to_ras).tolist()],
        "space origin": (np.array(cine.grid.origin_mm) * to_ras).tolist(),
    }
    path.parent.mkdir(parents=True)
    nrrd.write(str(path), np.moveaxis(cine.voxels, (1, 2, 3), (3, 2, 1)), header)
    return path


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The study in each way."""
    root = tmp_path_factory.mktemp("study")
    classic = write_dicom(STUDY, root / "classic")
    (case,) = find_cases([classic]).cases
    write_cine(root / "nifti" / "cine.nii.gz", case.read())
    return {
        "classic": classic,
        "a series a slice": write_dicom(STUDY, root / "series", Vendor.SERIES_A_SLICE),
        "enhanced": write_dicom(STUDY, root / "enhanced", Vendor.ENHANCED),
        "zip": zipped(classic, root / "zip" / "export.zip"),
        "NRRD sequence": sequence(case.read(), root / "nrrd" / "cine.seq.nrrd"),
        "NIfTI": root / "nifti" / "cine.nii.gz",
    }


def figures(scan: Path, out: Path, model: str) -> list[float]:
    """What `predict` makes of an export."""
    assert run(["predict", str(scan), "-o", str(out), "-m", model, "-q"]) == 0
    with (out / "measures.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    return [float(row[name]) for name in FIGURES]


def assert_equal(exports: dict[str, Path], out: Path, model: str) -> None:
    expected = figures(exports["classic"], out / "classic", model)
    assert expected[0] > 20
    for number, (way, scan) in enumerate(exports.items()):
        assert figures(scan, out / str(number), model) == pytest.approx(expected, rel=1e-3), way


def test_every_export_gives_the_same_numbers(exports: dict[str, Path], tmp_path: Path) -> None:
    assert_equal(exports, tmp_path, str(write_threshold_model(tmp_path / "model")))


@pytest.mark.slow
def test_with_the_built_in_model_too(exports: dict[str, Path], tmp_path: Path) -> None:
    assert_equal(exports, tmp_path, "sax")
