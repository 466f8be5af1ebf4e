"""The application of `review` without a network: what it answers to whom, and what it keeps in memory."""

import json
import shutil
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from corrections import PORT, TOKEN, ask

from cardioseg.errors import NoInputError, ResourceError, UnusableError
from cardioseg.image.nifti import read_cine
from cardioseg.image.volume import Cine, Grid
from cardioseg.results.folder import ResultsFolder
from cardioseg.review import reviewed_results
from cardioseg.review.case_document import case_document
from cardioseg.review.page_server import serve
from cardioseg.review.request_guard import Application
from cardioseg.review.review_app import create_app
from cardioseg.review.reviewed_results import ReviewedResults


@pytest.fixture(scope="module")
def app(results: Path) -> Application:
    return create_app(ReviewedResults(ResultsFolder(results)), PORT, TOKEN)


def test_a_case_from_its_description_to_its_pixels(app: Application, results: Path) -> None:
    status, content = ask(app, "/api/cases")
    assert status == 200
    listed = {case["case_id"]: case["can_be_opened"] for case in json.loads(content)["cases"]}
    assert listed == {"broken": False, "dicom": True, "notched": True, "still": True}
    for name, phases in (("dicom", 8), ("still", 1)):
        document = json.loads(ask(app, f"/api/cases/{name}")[1])
        assert document["phases"] == phases
        assert ask(app, f"/api/cases/{name}/images")[0] == 200
        _, content = ask(app, f"/api/cases/{name}/masks/0?version={document['version']}")
        mask = read_cine(results / name / "mask.nii.gz").voxels[0]
        np.testing.assert_array_equal(np.frombuffer(content, np.uint8), mask.ravel())
        assert len(ask(app, f"/api/cases/{name}/images/0")[1]) == 2 * mask.size
        assert ask(app, f"/api/cases/{name}/masks/{phases}")[0] == 404
        assert ask(app, f"/api/cases/{name}/masks/0?version=old")[0] == 409


def test_whom_it_refuses(app: Application) -> None:
    assert ask(app, "/api/cases", token="")[0] == 401
    assert ask(app, "/api/cases", host="localhost:1")[0] == 403
    assert ask(app, "/api/cases", origin="http://elsewhere")[0] == 403
    assert ask(app, "/api/cases", cookie="x" * 20_000)[0] == 431
    assert ask(app, "/", token="")[0] == 200
    assert ask(app, "/page/main.js", token="")[0] == 200
    assert ask(app, "/page/none.js")[0] == 404
    assert ask(app, "/api/cases/nobody")[0] == 404
    assert ask(app, "/api/cases", method="PUT")[0] == 405


def test_few_cases_stay_in_memory(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reviewed = ReviewedResults(ResultsFolder(results))
    first = reviewed.case("dicom")
    assert reviewed.case("dicom") is first
    monkeypatch.setattr(reviewed_results, "_MEMORY_BYTES", first.size_bytes)
    reviewed.case("notched")
    assert reviewed.case("dicom") is not first


def test_an_edited_mask_is_shown_with_its_images(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "results")
    shutil.copy(results / "dicom" / "mask.nii.gz", tmp_path / "results" / "notched" / "mask.nii.gz")
    case = ReviewedResults(ResultsFolder(tmp_path / "results")).case("notched")
    assert case.remarks[0].startswith("the mask was edited")
    assert case.images().window[0] < case.images().window[1]
    assert case.size_bytes > case.mask.voxels.nbytes  # the scan is one file, which is kept


def test_a_scan_that_cannot_be_read_says_so_with_each_request(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "results")
    case = ReviewedResults(ResultsFolder(tmp_path / "results")).case("dicom")
    assert case.images()
    broken = replace(case, scan=Future())
    broken.scan.set_exception(UnusableError("damaged or truncated"))
    for _ in range(2):
        with pytest.raises(UnusableError, match="damaged or truncated"):
            broken.image(0)


def test_folders_without_results_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NoInputError):
            ReviewedResults(ResultsFolder(path))


def test_what_cannot_be_opened_says_why(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    shutil.copytree(results, out)
    (out / "dicom" / "mask.nii.gz").unlink()
    (out / "still" / "measures.json").unlink()
    (out / "notched" / "other.png").symlink_to(results)
    reviewed = ReviewedResults(ResultsFolder(out))
    for name, why in (
        ("dicom", "`cardioseg measure` wrote its numbers, and its mask lies elsewhere"),
        ("still", "no measures beside its mask"),
        ("notched", "a link in it leads out of the results folder"),
    ):
        with pytest.raises(UnusableError, match=why):
            reviewed.case(name)
    (out / "measures.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(UnusableError, match="the tables of the results cannot be read"):
        reviewed.document()


def test_without_its_scan_a_case_has_no_images(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "results")
    record = tmp_path / "results" / "still" / "case.json"
    record.write_text(record.read_text().replace("still.nii.gz", "moved.nii.gz"))
    case = ReviewedResults(ResultsFolder(tmp_path / "results")).case("still")
    for _ in range(2):
        with pytest.raises(UnusableError, match="there are no images: the scan is no longer where it was"):
            case.image(0)
    assert any(case.labels(0))


def test_a_geometry_that_says_nothing_gives_no_letters(results: Path) -> None:
    case = ReviewedResults(ResultsFolder(results)).case("still")
    plain = replace(case, mask=Cine(case.mask.voxels, Grid(case.mask.grid.shape, (16.0, 6.0, 6.0))))
    assert case_document(case)["letters"]["right"] == "LP"
    assert case_document(plain)["letters"] == {}


def test_it_is_served_until_it_is_interrupted(results: Path) -> None:
    answers = []

    def announce(address: str) -> None:
        port, _, secret = address.removeprefix("http://127.0.0.1:").partition("/#")
        request = Request(f"http://127.0.0.1:{port}/api/cases", headers={"Authorization": f"Bearer {secret}"})
        with urlopen(request) as answer:  # noqa: S310 - its own address
            answers.append(len(json.load(answer)["cases"]))
        with pytest.raises(ResourceError, match="address already in use"):
            serve(ResultsFolder(results), int(port), announce, is_read_only=False)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve(ResultsFolder(results), 0, announce, is_read_only=False)
    assert answers == [4]
