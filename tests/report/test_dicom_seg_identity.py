"""DICOM SEG: whose heart it is, as the source has it, valid or not, and nowhere else."""

import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from segmentations import ED, drawing, stack_of

from cardioseg.report.dicom_seg import write_segmentation

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom warns where a test reads back what a real source had

Change = Callable[[Dataset, int], None]
Changed = Callable[[Change], list[Path]]


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What reaches the root logger. (pytest's own handler listens below it, too.)"""
    records: list[logging.LogRecord] = []
    handler, root = logging.Handler(), logging.getLogger()
    handler.emit = records.append  # type: ignore[method-assign]
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield records
    root.setLevel(level)
    root.removeHandler(handler)


INVALID = {
    "PatientName": "SCD0000101", "PatientID": "", "PatientBirthDate": "00000000", "PatientSex": "W",
    "StudyDate": "20120000", "StudyTime": "noon", "StudyInstanceUID": "1.2.3.0456", "AccessionNumber": "x" * 30,
    "FrameOfReferenceUID": "1.2.007",
}  # fmt: skip


def test_identity_travels_to_the_letter_and_nowhere_else(
    changed: Changed, tmp_path: Path, logged: list[logging.LogRecord], capfd: Any
) -> None:
    def spoil(dataset: Dataset, ordinal: int) -> None:
        for keyword, value in INVALID.items():
            setattr(dataset, keyword, value)
        dataset.SpecificCharacterSet, dataset.ReferringPhysicianName = "ISO_IR 100", "Müller^Zoë"
        dataset.FrameOfReferenceUID += str(ordinal)  # as Sunnybrook's anonymiser does
        del dataset.StudyID

    source = stack_of(changed(spoil)[0].parent)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        write_segmentation(tmp_path / "seg.dcm", drawing(), source.headers[ED])
    assert not caught
    assert not logged
    assert capfd.readouterr() == ("", "")
    segmentation, image = dcmread(tmp_path / "seg.dcm"), dcmread(source.headers[ED][0].path)
    for keyword in (*INVALID, "SpecificCharacterSet", "ReferringPhysicianName"):
        assert segmentation[keyword].value == image[keyword].value, keyword
    assert segmentation.StudyID == ""
