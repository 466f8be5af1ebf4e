"""Scans that are replaced between the search and the end of their case: nothing mixes two scans."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from small_phantoms import TINY, TWO_PHASES

import cardioseg
from cardioseg.cases.case_search import find_cases
from cardioseg.errors import UnusableError
from cardioseg.image.nifti import write_cine
from cardioseg.inference.session import open_model
from cardioseg.phantom import Phantom, cine, write_dicom
from cardioseg.prediction.case_prediction import predict_case

CHANGED = "has changed since it was found"


def _dicom(heart: Phantom, folder: Path) -> None:
    write_dicom(heart, folder.with_name(f"study of {folder.name}"))
    next(folder.with_name(f"study of {folder.name}").rglob("sax_cine")).rename(folder)


WRITERS: dict[str, Callable[[Phantom, Path], None]] = {
    "dicom": lambda heart, folder: _dicom(replace(heart, phases=8), folder),
    "nifti": lambda heart, folder: write_cine(folder / "cine.nii", cine(heart)),
}


@pytest.fixture(scope="module", params=WRITERS)
def two_scans(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scans with the same names of files, the second with pixels of another size."""
    folder, heart = tmp_path_factory.mktemp("two"), TINY if request.param == "dicom" else TWO_PHASES
    for name, phantom in {"scans": heart, "others": replace(heart, seed=9, spacing_mm=(16.0, 6.0, 6.0))}.items():
        WRITERS[request.param](phantom, folder / name)
    return folder


@pytest.fixture
def replaced(two_scans: Path, tmp_path: Path) -> tuple[Path, Callable[[], None]]:
    """A scan, and what puts the other one in its place."""
    for name in ("scans", "others"):
        shutil.copytree(two_scans / name, tmp_path / name)

    def put() -> None:
        (tmp_path / "scans").rename(tmp_path / "earlier")
        (tmp_path / "others").rename(tmp_path / "scans")

    return tmp_path / "scans", put


def test_a_scan_that_was_replaced_after_it_was_found_fails_in_words(
    replaced: tuple[Path, Callable[[], None]], model_folder: Path, tmp_path: Path
) -> None:
    scans, put = replaced
    model, out = open_model(model_folder), tmp_path / "out"
    (case,) = find_cases([scans]).cases
    (scan,) = cardioseg.find_scans(scans)
    put()
    failed = predict_case(case, model, out)
    assert failed.status == "failed"
    assert CHANGED in failed.reason
    assert "run again" in failed.reason
    with pytest.raises(UnusableError, match=CHANGED):
        scan.read()
    (again,) = find_cases([scans]).cases
    assert predict_case(again, model, out).status == "done"
    assert cardioseg.find_scans(scans)[0].read().spacing_mm[1:] == pytest.approx((6.0, 6.0))


def test_a_scan_that_was_replaced_while_it_was_segmented_is_not_recorded(
    replaced: tuple[Path, Callable[[], None]], model_folder: Path, tmp_path: Path
) -> None:
    scans, put = replaced
    model, out = open_model(model_folder), tmp_path / "out"
    (case,) = find_cases([scans]).cases
    todo = [put]
    failed = predict_case(case, model, out, report=lambda *_: todo.pop()() if todo else None)
    assert CHANGED in failed.reason
    assert not list(out.rglob("case.json"))
