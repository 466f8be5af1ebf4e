"""The example of docs/api.md, run once with the built-in model, and a folder of small scans."""

from pathlib import Path

import numpy as np
import pytest
from api_example import PAGE, SMALL, Example
from numpy.typing import NDArray
from thresholds import write_threshold_model

import cardioseg
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import cine, reference, write_dicom


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    text = PAGE.PAGE.read_text(encoding="utf-8")
    blocks = PAGE.BLOCK.findall(text)
    folder = tmp_path_factory.mktemp("example")
    return Example(text, [shown for _, shown in blocks], PAGE.run([code for code, _ in blocks], folder), folder)


@pytest.fixture(scope="session")
def thresholds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a network."""
    return write_threshold_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def voxels() -> NDArray[np.int16]:
    """Two phases of the small heart; tests that change them copy them."""
    return np.asarray(cine(SMALL).voxels[:2])


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM study, a NIfTI cine and a damaged NIfTI."""
    folder = tmp_path_factory.mktemp("small") / "scans"
    write_dicom(SMALL, folder)
    write_cine(folder / "beating.nii.gz", cine(SMALL))
    (folder / "damaged.nii.gz").write_bytes(b"\x1f\x8b nonsense")
    write_cine(folder.with_name("references") / "beating_gt.nii.gz", reference(SMALL))
    return folder


@pytest.fixture(scope="session")
def results(scans: Path, thresholds: Path, tmp_path_factory: pytest.TempPathFactory) -> cardioseg.Results:
    """What `predict` makes of them; tests that change its folder copy it."""
    return cardioseg.predict(scans, tmp_path_factory.mktemp("api") / "out", model=thresholds)
