"""One tree as people have it: patients from three scanners, scouts, copies and junk; the right cases come out of it."""

import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_phantoms import OBLONG as SMALL

from cardioseg.cases.case import Case
from cardioseg.cases.case_search import find_cases
from cardioseg.ingest.finding.survey import Kind, survey
from cardioseg.phantom import Encoding, Vendor, cine, write_dicom

SCANS = {
    11: (Vendor.CLASSIC, Encoding.EXPLICIT),
    12: (Vendor.SERIES_A_SLICE, Encoding.JPEG_SV1),
    13: (Vendor.ENHANCED, Encoding.JPEG_2000),
}


def write_tree(folder: Path) -> Path:
    """Three phantoms by three vendors with their scouts, one with a copy, one short of a slice, and junk."""
    for seed, (vendor, encoding) in SCANS.items():
        write_dicom(replace(SMALL, seed=seed), folder / "clinic", vendor, encoding)
    damaged = write_dicom(replace(SMALL, seed=14), folder / "clinic" / "more", Vendor.SERIES_A_SLICE)
    shutil.rmtree(damaged / "series_12")
    shutil.copytree(folder / "clinic" / "PHANTOM-0011", folder / "zz old" / "PHANTOM-0011")
    (folder / "clinic" / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"\2\0" * 40)
    (folder / "report.pdf").write_bytes(b"%PDF-1.7")
    (folder / "clinic" / "Thumbs.db").write_bytes(np.random.default_rng(0).bytes(2000))
    (folder / "empty").touch()
    (folder / "clinic" / "PHANTOM-0011" / "study" / "cut.dcm").write_bytes(
        next((folder / "clinic" / "PHANTOM-0011" / "study" / "sax_cine").iterdir()).read_bytes()[:-100]
    )
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="module")
def cases(tree: Path) -> dict[str, Case]:
    return {case.case_id: case for case in find_cases([tree]).cases}


def test_every_file_has_its_verdict(tree: Path) -> None:
    found = survey(tree)
    assert Counter(series.kind for series in found.series) == {Kind.SHORT_AXIS_CINE: 4, Kind.LOCALIZER: 4}
    seen = Counter(item.why.split(" of ")[0] for item in found.unused)
    assert seen.pop("a copy") == 6 * 8 + 3
    assert seen.pop("not a DICOM file") == 2
    assert seen.pop("a PDF document: give the DICOM or NIfTI files that it was made from") == 1
    assert seen.pop("its pixel data is missing or truncated") == 1
    [index] = seen.elements()
    assert index.startswith("a DICOMDIR, which lists files but holds no images: ")


def test_exactly_the_right_cases_come_out(cases: dict[str, Case]) -> None:
    assert sorted(cases) == [
        "clinic_PHANTOM-0011", "clinic_PHANTOM-0012", "clinic_PHANTOM-0013", "clinic_more",
    ]  # fmt: skip
    assert {name: case.missing for name, case in cases.items() if case.missing} == {"clinic_more": (3,)}
    assert [flag.kind for flag in cases["clinic_more"].flags] == ["missing slice"]
    assert {name: len(case.files) for name, case in cases.items()} == {
        "clinic_PHANTOM-0011": 48, "clinic_PHANTOM-0012": 48, "clinic_PHANTOM-0013": 1, "clinic_more": 40,
    }  # fmt: skip
    for seed in SCANS:
        case = cases[f"clinic_PHANTOM-00{seed}"]
        assert (case.flags, case.missing) == ((), ())
        np.testing.assert_array_equal(case.read().voxels, cine(replace(SMALL, seed=seed)).voxels)
    black = cases["clinic_more"].read().voxels
    assert [index for index in range(6) if not black[:, index].any()] == [3]


def test_the_fingerprint_of_a_case_is_that_of_its_files(cases: dict[str, Case]) -> None:
    case = cases["clinic_PHANTOM-0013"]
    before = case.fingerprint()
    os.utime(case.files[0], ns=(0, 0))
    assert case.fingerprint() != before


@pytest.mark.slow
def test_with_real_studies_in_it(shared_data: Path, tmp_path: Path) -> None:
    root = write_tree(tmp_path / "scans")
    for study in sorted((shared_data / "sunnybrook" / "SCD_IMAGES_01").iterdir()):
        shutil.copytree(study, root / "sunnybrook" / study.name)
    for contours in sorted((shared_data / "sunnybrook" / "SCD_ManualContours").iterdir())[:1]:
        shutil.copytree(contours, root / "sunnybrook" / contours.name)
    findings = find_cases([root])
    assert sorted(case.case_id for case in findings.cases) == [
        *(f"clinic_{name}" for name in ("PHANTOM-0011", "PHANTOM-0012", "PHANTOM-0013", "more")),
        *(f"sunnybrook_SCD0000{number}01" for number in (1, 2, 3)),
    ]  # fmt: skip
    assert [item.why for item in findings.others] == ["localizer: 3 orientations"] * 4
