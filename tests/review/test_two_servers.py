"""Two servers on one folder: the tables have what both saved, whenever one saves while the other writes the tables."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corrections import PORT, TOKEN, ask, correction, told

from cardioseg.errors import ResourceError
from cardioseg.image.nifti import read_cine
from cardioseg.results.folder import ResultsFolder
from cardioseg.review import saved_review
from cardioseg.review.request_guard import Application
from cardioseg.review.review_app import create_app
from cardioseg.review.reviewed_results import ReviewedResults


def server(folder: Path) -> Application:
    return create_app(ReviewedResults(ResultsFolder(folder)), PORT, TOKEN)


def save(app: Application, folder: Path, case: str) -> None:
    """Delete the middle slice of a case and save it, without the tables."""
    version = told(ask(app, f"/api/cases/{case}"))["version"]
    before = read_cine(folder / case / "mask.nii.gz").voxels
    now = before.copy()
    now[:, 2] = 0
    told(ask(app, f"/api/cases/{case}/review", correction(version, before, now, decision="corrected")))


def wrapped(monkeypatch: pytest.MonkeyPatch, name: str, during: Callable[[], None]) -> None:
    """Once, let `during` happen after that step of the first server."""
    step, calls = getattr(saved_review, name), []

    def both(*arguments: Any) -> None:
        step(*arguments)
        calls.append(name)
        if len(calls) == 1:
            during()

    monkeypatch.setattr(saved_review, name, both)


def require_both(folder: Path) -> None:
    with (folder / "measures.csv").open(newline="") as file:
        rows = {row["case_id"]: row for row in csv.DictReader(file)}
    for case in ("dicom", "notched"):
        mask, phase = read_cine(folder / case / "mask.nii.gz"), int(rows[case]["lv_ed_phase"])
        edv_ml = np.count_nonzero(mask.voxels[phase] == 3) * np.prod(mask.grid.spacing_mm) / 1000
        assert (rows[case]["review"], float(rows[case]["lv_edv_ml"])) == ("corrected", pytest.approx(edv_ml, abs=0.01))
    assert not list(folder.glob(".review*"))


def test_a_case_is_saved_while_the_other_server_writes_the_tables(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    first, second, said = server(folder), server(folder), []

    def during() -> None:
        save(second, folder, "notched")
        said.append(told(ask(second, "/api/tables", {}))["later"])

    save(first, folder, "dicom")
    wrapped(monkeypatch, "write_summary", during)
    assert told(ask(first, "/api/tables", {})) == {"later": ""}
    assert [text.partition(",")[2] for text in said] == [" because another run is writing into this folder"]
    require_both(folder)


def test_the_tables_are_begun_while_the_other_server_writes_a_case(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    first, second = server(folder), server(folder)
    save(first, folder, "dicom")
    wrapped(monkeypatch, "tables_are_due", lambda: told(ask(first, "/api/tables", {})))
    save(second, folder, "notched")
    assert told(ask(second, "/api/tables", {})) == {"later": ""}
    require_both(folder)


def test_tables_that_were_cut_are_written_at_the_next_start(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    app = server(folder)
    save(app, folder, "dicom")
    save(app, folder, "notched")

    def refused() -> None:
        raise ResourceError("the disk is full")

    wrapped(monkeypatch, "write_summary", refused)
    assert ask(app, "/api/tables", {})[0] != 200
    server(folder)
    require_both(folder)
