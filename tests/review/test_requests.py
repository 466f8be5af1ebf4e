"""Requests to a running `cardioseg review`: the page gets what it needs, everybody else nothing."""

import json
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from served_results import PLAIN, Served, served
from small_phantoms import SMALL

from cardioseg.cli.app import run
from cardioseg.image.nifti import read_cine, write_cine
from cardioseg.phantom import cine

PATHS = ["/api/cases", "/api/cases/dicom", "/api/cases/dicom/images", "/api/cases/dicom/masks/0"]


def told(review: Served, path: str) -> tuple[int, dict[str, str]]:
    """The status of a refusal, and its message and hint."""
    answer = review.ask(path)
    return answer.status, json.loads(answer.content)


def raw(review: Served, request: bytes) -> bytes:
    """The answer to bytes that no client would send."""
    with socket.create_connection(("127.0.0.1", review.port), timeout=30) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize("name", ["dicom", "notched"])
def test_pixels_are_those_of_the_files(review: Served, results: Path, name: str) -> None:
    document = json.loads(review.ask(f"/api/cases/{name}").content)
    view = json.loads(review.ask(f"/api/cases/{name}/images").content)
    assert [document[size] for size in ("phases", "slices", "rows", "columns")] == [8, 5, 48, 40]
    shape, phase = (5, 48, 40), 3
    mask = np.frombuffer(review.ask(f"/api/cases/{name}/masks/{phase}").content, np.uint8).reshape(shape)
    np.testing.assert_array_equal(mask, read_cine(results / name / "mask.nii.gz").voxels[phase])
    numbers = np.frombuffer(review.ask(f"/api/cases/{name}/images/{phase}").content, "<u2").reshape(shape)
    expected = cine(SMALL) if name == "dicom" else read_cine(results.parent / "scans" / "notched.nii.gz")
    np.testing.assert_allclose(view["lowest"] + view["step"] * numbers, expected.voxels[phase], atol=0.51)
    low, high = view["window"]
    assert expected.voxels.min() <= low < high <= expected.voxels.max()


def test_a_case_is_described(review: Served) -> None:
    document = json.loads(review.ask("/api/cases/dicom").content)
    assert document["is_base_first"] is False
    assert document["letters"] == {"top": "H", "bottom": "F", "left": "RA", "right": "LP"}
    assert [label["title"] for label in document["labels"]] == ["RV cavity", "LV myocardium", "LV cavity"]
    top, bottom, left, right = document["heart"]
    assert 0 <= top < bottom <= 48
    assert 0 <= left < right <= 40
    assert all(len(curve) == 8 for curve in document["curves_ml"].values())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"token": ""}, 401),
        ({"token": "x" * 32}, 401),
        ({"host": "attacker.example"}, 403),
        ({"host": "127.0.0.1:1"}, 403),
        ({"origin": "https://attacker.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"method": "POST"}, 405),
        ({"method": "DELETE"}, 405),
        ({"method": "NONSENSE"}, 405),
    ],
)
def test_strangers_get_nothing(review: Served, path: str, headers: dict[str, str], status: int) -> None:
    answer = review.ask(path, **headers)
    assert answer.status == status
    said = answer.content
    assert len(said) < 200
    assert b"phases" not in said


def test_the_page_itself_is_closed_to_other_hosts(review: Served) -> None:
    assert review.ask("/", host="attacker.example").status == 403
    answer = review.ask("/", token="")
    assert answer.status == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert b"<main" in answer.content


def test_head_has_no_body(review: Served) -> None:
    answer = review.ask("/api/cases", "HEAD")
    assert (answer.status, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../review_app.py", "/page/../review_app.py", "/page/..%2Freview_app.py", "/page/%2e%2e/__init__.py", "/page/",
        "/page/__pycache__", "/api/cases/..", "/api/cases/..%2Fscans", "/api/cases/%2e%2e", "/api/cases/.",
        "/api/cases/%00", "/api/cases//etc", "/api/cases/dicom/images/8", "/api/cases/dicom/images/-1",
        "/api/cases/dicom/masks/99999999999999999999", "/api/cases/broken", "/api/cases/dicom/case.json", "/nothing",
    ],
)  # fmt: skip
def test_there_is_nothing_beside_the_cases(review: Served, path: str) -> None:
    assert review.ask(path).status == 404


def test_malformed_and_oversized_requests_end_there(review: Served) -> None:
    assert raw(review, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{review.port}\r\nX: ".encode()
    assert raw(review, head + b"x" * 20_000 + b"\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 431")
    with suppress(ConnectionResetError):  # it does not read to the end
        assert raw(review, head + b"x" * 200_000).startswith(b"HTTP/1.1 400")
    both = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{review.port}\r\nHost: attacker.example\r\n\r\n".encode()
    assert not raw(review, both).startswith(b"HTTP/1.1 200")
    assert raw(review, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403")  # no host
    strange = f"GET /api/cases HTTP/1.1\r\nHost: 127.0.0.1:{review.port}\r\nAuthorization: Bearer \xff\r\n"
    assert raw(review, f"{strange}Connection: close\r\n\r\n".encode("latin-1")).startswith(b"HTTP/1.1 401")
    assert review.ask("/api/cases").status == 200


def test_a_hundred_requests_at_once(review: Served) -> None:
    paths = [f"/api/cases/{name}/images/{phase}" for name in ("dicom", "notched") for phase in range(8)] * 7
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda path: review.ask(path).content, paths))
    assert len({(path, answer) for path, answer in zip(paths, answers, strict=True)}) == 16
    assert all(len(answer) == 5 * 48 * 40 * 2 for answer in answers)


def test_links_out_of_the_folder_are_not_followed(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    shutil.copytree(results, out)
    shutil.move(out / "dicom", tmp_path / "elsewhere")
    (out / "dicom").symlink_to(tmp_path / "elsewhere")
    (out / "still" / "mask.nii.gz").rename(tmp_path / "mask.nii.gz")
    (out / "still" / "mask.nii.gz").symlink_to(tmp_path / "mask.nii.gz")
    with served(out) as review:
        for name in ("dicom", "still"):
            status, said = told(review, f"/api/cases/{name}")
            assert status == 409
            assert said["message"] == f"{name} is not opened: a link in it leads out of the results folder"
        assert review.ask("/api/cases/notched").status == 200


def test_a_case_that_is_replaced_is_never_mixed(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    shutil.copytree(results, out)
    with served(out) as review:
        version = json.loads(review.ask("/api/cases/notched").content)["version"]
        path = f"/api/cases/notched/masks/0?version={version}"
        assert review.ask(path).status == 200
        (out / "notched" / "case.json").unlink()  # as `predict` does before it writes
        status, said = told(review, path)
        assert (status, said["message"]) == (404, "there is no such case")
        assert "predict" in said["hint"]
        shutil.copy(results / "notched" / "case.json", out / "notched")
        mask = read_cine(out / "notched" / "mask.nii.gz")
        write_cine(out / "notched" / "mask.nii.gz", replace(mask, voxels=np.zeros_like(mask.voxels)))
        status, said = told(review, path)
        assert (status, said["message"]) == (409, "notched was changed meanwhile")
        document = json.loads(review.ask("/api/cases/notched").content)
        assert document["remarks"] == [
            "the mask was edited after it was measured: `cardioseg measure` gives its numbers"
        ]
        assert not any(review.ask(f"/api/cases/notched/masks/0?version={document['version']}").content)
        assert review.ask("/api/cases/notched/images").status == 200
        (out / "status.csv").unlink()
        status, said = told(review, "/api/cases")
        assert (status, said["message"]) == (409, "the tables of the results cannot be read")


def test_damage_is_told_in_words(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    shutil.copytree(results, out)
    (out / "dicom" / "mask.nii.gz").write_bytes(b"no mask")
    (out / "notched" / "measures.json").write_text("{}")
    (out / "still" / "measures.json").unlink()
    with served(out) as review:
        for name in ("dicom", "notched", "still"):
            status, said = told(review, f"/api/cases/{name}")
            assert status == 409
            assert said["message"].startswith(name), said
            assert str(tmp_path) not in said["message"]


def test_a_scan_that_has_moved_leaves_the_mask(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results.parent / "scans" / "dicom", tmp_path / "scans")
    model, out = results.parent / "model", tmp_path / "results"
    assert run(["predict", str(tmp_path / "scans"), "-o", str(out), "-m", str(model), *PLAIN]) == 0
    shutil.move(tmp_path / "scans", tmp_path / "moved")
    [name] = [path.parent.name for path in out.glob("*/case.json")]
    with served(out) as review:
        assert review.ask(f"/api/cases/{name}/masks/0").status == 200
        status, said = told(review, f"/api/cases/{name}/images")
        assert (status, said["message"]) == (
            409, "there are no images: the scan is no longer where it was, or its files were changed",
        )  # fmt: skip
        assert told(review, f"/api/cases/{name}/images/0")[0] == 409


def test_results_without_paths_have_no_images(results: Path, tmp_path: Path) -> None:
    scan, model = results.parent / "scans" / "still.nii.gz", results.parent / "model"
    assert run(["predict", str(scan), "-o", str(tmp_path / "out"), "-m", str(model), *PLAIN, "--no-paths"]) == 0
    with served(tmp_path / "out") as review:
        status, said = told(review, "/api/cases/still/images")
        assert (status, said["message"]) == (409, "there are no images: the results do not say where the scan lies")


def test_results_of_measure_say_where_the_masks_are(results: Path, tmp_path: Path) -> None:
    assert run(["measure", str(results), "-o", str(tmp_path / "measured"), "-q"]) == 0
    with served(tmp_path / "measured") as review:
        status, said = told(review, "/api/cases/dicom")
        assert status == 409
        assert said["message"].startswith("dicom has no mask here: `cardioseg measure` wrote its numbers")
