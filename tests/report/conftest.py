"""The sources that the tests of DICOM SEG draw on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from segmentations import HEART, stack_of

from cardioseg.ingest.cine.stack import Stack
from cardioseg.phantom import write_dicom

Change = Callable[[Dataset, int], None]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("source")
    write_dicom(HEART, folder)
    return stack_of(folder)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Change], list[Path]]:
    """changed(change): the phantom's files, each changed by `change(dataset, ordinal)`."""

    def write(change: Change) -> list[Path]:
        paths = sorted(write_dicom(HEART, tmp_path / "changed").iterdir())
        for ordinal, path in enumerate(paths):
            dataset = dcmread(path)
            change(dataset, ordinal)
            dataset.save_as(path)
        return paths

    return write
