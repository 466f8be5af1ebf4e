"""No file, however broken or hostile, crashes or hangs a reader, exhausts memory, or harms the good ones beside it."""

import json
import os
import stat
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import dicom_bombs
import geometries
import nifti_bombs
import numpy as np
import pytest
from campaign import HANG_S, dicom_originals, mutants
from malformed import is_silent
from small_phantoms import TINY as GOOD

from cardioseg.ingest.cine.series import by_orientation, judge
from cardioseg.ingest.cine.split_series import join_split_series
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.finding.survey import Survey, survey
from cardioseg.phantom import write_dicom

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
LIMIT_MB, BOMB_MB, BOMB_S = 512, 100, 5


def python(script: str, *arguments: object) -> Any:
    """Run a script of this folder in a process of its own; the JSON that it prints."""
    command = [sys.executable, HERE / script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("kind", "count", "share"),
    [
        ("dicom", 2000, 10),
        ("nifti", 500, 10),
        ("nifti-2", 500, 10),
        ("metaimage", 500, 10),
        ("nrrd", 500, 10),
        ("seg-nrrd", 500, 10),
        ("dicom-seg", 500, 10),
        ("rtstruct", 2000, 10),
        ("cvi42", 2000, 50),  # XML seldom survives
    ],
)
def test_mutants_are_read_or_refused(kind: str, count: int, share: int) -> None:
    seed = "0" if os.environ.get("CI") else str(np.random.default_rng().integers(10**6))
    found = python("campaign.py", kind, count, "--seed", seed)  # a hang ends it with a traceback
    assert found["escaped"] == {}, f"seed {seed}"
    assert found["read"] + found["refused"] == count
    assert min(found["read"], found["refused"]) > count / share
    assert found["peak_rss_mb"] <= LIMIT_MB


def test_bombs_are_refused_at_little_cost(tmp_path: Path) -> None:
    paths = []
    for make in (*dicom_bombs.BOMBS, *nifti_bombs.BOMBS):
        content = make()
        suffix = ".dcm" if make in dicom_bombs.BOMBS else ".nii.gz" if content.startswith(b"\x1f\x8b") else ".nii"
        paths.append(tmp_path / f"{make.__name__}{suffix}")
        paths[-1].write_bytes(content)
    dicom_bombs.sparse_dicom(tmp_path / "sparse.dcm")
    for cost in python("fall.py", *paths, tmp_path / "sparse.dcm"):
        assert cost["reason"], cost
        assert "oserror" not in cost["reason"].removesuffix("(OSError)"), cost
        assert cost["extra_mb"] <= BOMB_MB, cost
        assert cost["cpu_s"] <= BOMB_S, cost


@pytest.mark.skipif(not CORPUS.is_dir(), reason="nothing has crashed a reader yet")
def test_what_once_crashed_does_no_more() -> None:
    paths = sorted(CORPUS.iterdir())
    for cost in python("fall.py", *paths):
        assert cost["extra_mb"] <= BOMB_MB, cost
        assert cost["cpu_s"] <= HANG_S, cost


def places(seen: Survey) -> Counter[Path]:
    """How often each file is accounted for: in a series, or by a reason."""
    return Counter([path for series in seen.series for path in series.files] + [Path(one.where) for one in seen.unused])


def test_every_file_is_reported_once_and_the_good_ones_stay(tmp_path: Path) -> None:
    write_dicom(GOOD, tmp_path)
    clean = survey(tmp_path)
    for index, (content, suffix) in enumerate(mutants(dicom_originals(tmp_path.parent / "originals"), 80, seed=5)):
        (tmp_path / "PHANTOM-0001" / f"{index}{suffix}").write_bytes(content)
    seen = survey(tmp_path)
    assert places(seen) == Counter(path for path in tmp_path.rglob("*") if path.is_file())
    assert all(one.why and "\n" not in one.why for one in seen.unused)
    (before,), (after,) = clean.cines, seen.cines
    assert after == before
    assert before.stack is not None
    assert after.stack is not None
    np.testing.assert_array_equal(after.stack.read().voxels, before.stack.read().voxels)


def geometry(folder: Path, change: geometries.Change) -> Survey:
    for number, content in enumerate(geometries.changed(change)):
        (folder / f"{number:03d}.dcm").write_bytes(content)
    return survey(folder)


def test_sound_geometry_is_accepted(tmp_path: Path) -> None:
    assert is_silent(geometry(tmp_path, lambda _: None))


@pytest.mark.parametrize("name", geometries.CONTRADICTIONS)
def test_contradictory_geometry_is_never_silent(tmp_path: Path, name: str) -> None:
    seen = geometry(tmp_path, geometries.CONTRADICTIONS[name])
    assert not is_silent(seen)
    assert len(seen.cines) == 1
    for path in tmp_path.iterdir():
        assert places(seen)[path] == 1


def test_what_is_no_regular_file_is_named(tmp_path: Path) -> None:
    write_dicom(GOOD, tmp_path)
    clean = survey(tmp_path)
    odd = tmp_path / "PHANTOM-0001"
    (odd / "loop").symlink_to(tmp_path)
    (odd / "itself").symlink_to(odd / "itself")
    (odd / "password").symlink_to("/etc/passwd")
    os.mkfifo(odd / "pipe")
    (odd / os.fsdecode(b"caf\xe9\n\x1b[31m \xe2\x80\xae")).write_bytes(b"")
    seen = survey(tmp_path)
    assert seen.series == clean.series
    assert sorted(one.why for one in seen.unused) == ["a symbolic link, not followed"] * 3 + [
        "not a DICOM file",
        "not a regular file",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    write_dicom(GOOD, tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir()
    (tmp_path / "secret.dcm").write_bytes(b"x")
    (tmp_path / "secret.dcm").chmod(0)
    closed.chmod(0)
    try:
        seen = survey(tmp_path)
    finally:
        closed.chmod(stat.S_IRWXU)
    assert {one.why for one in seen.unused} == {"cannot be read: permission denied", "folder cannot be read"}
    assert len(seen.cines) == 1


def test_a_series_of_as_many_orientations_as_images(tmp_path: Path) -> None:
    """Comparing each with each in Python would take minutes."""
    rng = np.random.default_rng(0)
    headers = []
    for number in range(2000):
        across, down, _ = np.linalg.qr(rng.normal(size=(3, 3)))[0].tolist()
        header = SliceHeader(tmp_path / str(number), "1", "2", True, (6, 7), (1.0, 1.0), (0, 0, 0), (*across, *down))
        headers.append(header)
    start_s = time.process_time()
    assert len(by_orientation(headers)) == 2000
    assert time.process_time() - start_s < 2


def test_slices_that_make_no_stack_are_not_split_for_ever(tmp_path: Path) -> None:
    places_mm = np.random.default_rng(0).uniform(1, 9, 100).cumsum().tolist()
    parts = [
        judge([
            SliceHeader(tmp_path / f"{number}-{phase}", "1", str(number), True, (6, 7), (1.0, 1.0), (0, 0, place_mm),
                        (1, 0, 0, 0, 1, 0), trigger_ms=30.0 * phase)
            for phase in range(8)
        ])
        for number, place_mm in enumerate(places_mm)
    ]  # fmt: skip
    start_s = time.process_time()
    (joined,) = join_split_series(parts)
    assert joined.stack is None
    assert time.process_time() - start_s < 2
