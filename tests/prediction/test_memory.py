"""Too little memory: the batch is halved before a case is given up, and another case is not the worse for it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_phantoms

from cardioseg.cases.case_search import find_cases
from cardioseg.errors import ResourceError
from cardioseg.image.nifti import write_cine
from cardioseg.inference.session import Model, open_model
from cardioseg.phantom import Phantom, cine
from cardioseg.prediction.cohort_prediction import predict_all

SMALL = replace(small_phantoms.SMALL, phases=2)
LARGE = Phantom(slices=5, phases=2, rows=192, columns=192, spacing_mm=(16.0, 2.0, 2.0))
REFUSED = "[ONNXRuntimeError] : 1 : FAIL : AllocateRawInternal Failed to allocate memory for requested buffer of size 9"


class Cramped:
    """A session of ONNX Runtime on a machine with memory for so many pixels a batch."""

    def __init__(self, session: Any, pixels: int, refusal: str = REFUSED) -> None:
        self.session, self.pixels, self.refusal = session, pixels, refusal
        self.sizes: list[int] = []

    def run(self, outputs: list[str] | None, feeds: dict[str, Any]) -> Any:
        self.sizes.append(len(feeds["image"]))
        if feeds["image"].size > self.pixels:
            raise RuntimeError(self.refusal)
        return self.session.run(outputs, feeds)


@pytest.fixture
def cramped(model_folder: Path) -> Callable[..., Model]:
    def build(*limits: Any) -> Model:
        model = open_model(model_folder, "cpu", 1)
        return replace(model, session=Cramped(model.session, *limits))

    return build


def test_batches_are_halved_and_the_result_is_the_same(cramped: Callable[..., Model]) -> None:
    images = np.random.default_rng(0).random((7, 1, 32, 32), np.float32)
    model = cramped(2 * 32 * 32)
    logits, votes = model.votes(images)
    assert model.session.sizes == [7, 4, 2, 2, 3, 2, 1]
    expected, _ = cramped(10**9).votes(images)
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    assert (logits.argmax(1) == expected.argmax(1)).all()
    assert votes.shape == (7, 0, 32, 32)
    np.testing.assert_allclose(model.logits(images), expected, atol=1e-6)


def test_no_memory_for_one_image(cramped: Callable[..., Model]) -> None:
    with pytest.raises(MemoryError):
        cramped(10).logits(np.zeros((5, 1, 32, 32), np.float32))


def test_another_failure_is_not_taken_for_it(cramped: Callable[..., Model]) -> None:
    with pytest.raises(RuntimeError, match="Invalid rank"):
        cramped(10, "Invalid rank for input").logits(np.zeros((5, 1, 32, 32), np.float32))


def test_only_the_case_that_is_too_large_fails(cramped: Callable[..., Model], tmp_path: Path) -> None:
    for name, phantom in (("a-large", LARGE), ("b-small", SMALL)):
        write_cine(tmp_path / "scans" / f"{name}.nii.gz", cine(phantom))
    outcomes = list(predict_all(find_cases([tmp_path / "scans"]), cramped(150 * 150), tmp_path / "out"))
    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert "out of memory" in outcomes[0].reason
    assert not (tmp_path / "out" / "a-large" / "case.json").exists()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["cases"]["failed"] == 1


def test_a_model_that_the_memory_cannot_hold(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError(REFUSED)

    monkeypatch.setattr("onnxruntime.InferenceSession", refuse)
    with pytest.raises(ResourceError, match="out of memory while"):
        open_model(model_folder, "cpu")


PROGRAM = """
import resource, sys
import cardioseg.prediction.cohort_prediction, onnxruntime, SimpleITK, skimage.measure, PIL.Image, jinja2
from cardioseg.cli.app import run
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(float(sys.argv[1]) * 2**20), -1))
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.slow
def test_less_and_less_memory(model_folder: Path, tmp_path: Path) -> None:
    """From plenty to nothing: the same mask, or one line that says what is missing."""
    write_cine(tmp_path / "scans" / "heart.nii.gz", cine(LARGE))
    masks, codes = set(), []
    for step, limit_mb in enumerate(np.geomspace(1000, 4, 20)):
        out = tmp_path / str(step)
        arguments = ["predict", tmp_path / "scans", "-o", out, "-m", model_folder, "--threads", "1", "-q"]
        command = [sys.executable, "-c", PROGRAM, str(limit_mb), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        codes.append(done.returncode)
        assert "Traceback" not in done.stderr
        assert done.returncode == 0 or "memory" in done.stderr
        assert not list(out.rglob("*.partial.*"))
        masks |= {path.read_bytes() for path in out.rglob("mask.nii.gz")} if not done.returncode else set()
    assert set(codes) <= {0, 4, 6}
    assert codes[0] == 0
    assert codes[-1] != 0
    assert len(masks) == 1
