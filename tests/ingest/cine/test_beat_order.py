"""What orders the heart beat in enhanced objects: converted attributes, and the first clock that varies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import LegacyConvertedEnhancedMRImageStorage

from cardioseg.ingest.cine.stack import Stack
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.finding.survey import survey
from cardioseg.phantom import Phantom, cine, enhanced_instance, write_instance

SMALL = Phantom(slices=6, phases=10, rows=32, columns=32, spacing_mm=(15.0, 8.0, 8.0))
VOXELS = cine(SMALL).voxels
Change = Callable[[Dataset, int], Any]


def item(**tags: Any) -> Dataset:
    dataset = Dataset()
    for name, value in tags.items():
        setattr(dataset, name, value)
    return dataset


def phase_of(groups: Dataset) -> int:
    """0-based; read before a test changes anything."""
    return int(groups.FrameContentSequence[0].DimensionIndexValues[1]) - 1


def shuffled(change: Change, leave_out: int | None = None) -> Dataset:
    """The phantom as one object whose frames come in a random order, each changed; one may be left out."""
    dataset = enhanced_instance(SMALL, VOXELS)
    frames = list(dataset.PerFrameFunctionalGroupsSequence)
    pixels = np.frombuffer(dataset.PixelData, "<i2").reshape(len(frames), SMALL.rows, SMALL.columns)
    order = [place for place in np.random.default_rng(0).permutation(len(frames)).tolist() if place != leave_out]
    for groups in frames:
        change(groups, phase_of(groups))
    dataset.PerFrameFunctionalGroupsSequence = [frames[place] for place in order]
    dataset.NumberOfFrames, dataset.PixelData = len(order), pixels[order].tobytes()
    return dataset


def without_times(groups: Dataset) -> None:
    del groups.CardiacSynchronizationSequence
    for keyword in ("TemporalPositionIndex", "FrameAcquisitionDateTime", "DimensionIndexValues"):
        delattr(groups.FrameContentSequence[0], keyword)


def as_converted(dataset: Dataset) -> Dataset:
    """What an archive's converter adds, shared by all images."""
    dataset.SOPClassUID = LegacyConvertedEnhancedMRImageStorage
    shared = item(HeartRate=65, NominalInterval=920)
    dataset.SharedFunctionalGroupsSequence[0].UnassignedSharedConvertedAttributesSequence = [shared]
    return dataset


def converted(groups: Dataset, phase: int) -> None:
    without_times(groups)
    own = item(TriggerTime=92 * phase, InstanceNumber=100 - phase)
    groups.UnassignedPerFrameConvertedAttributesSequence = [own]


def arranged(folder: Path, dataset: Dataset) -> Stack:
    write_instance(folder / "scan.dcm", dataset)
    (series,) = survey(folder).cines
    assert series.stack, series.reason
    return series.stack


def test_converted_attributes_order_the_beat(tmp_path: Path) -> None:
    stack = arranged(tmp_path, as_converted(shuffled(converted)))
    np.testing.assert_array_equal(stack.read().voxels, VOXELS)
    assert stack.times_ms == pytest.approx([92 * phase for phase in range(10)])
    assert (stack.heart_rate_bpm, stack.flags) == (65, ())
    assert {header.instance_number for header in read_headers(tmp_path / "scan.dcm")} == set(range(91, 101))


def test_a_missing_converted_image_is_filled(tmp_path: Path) -> None:
    stack = arranged(tmp_path, as_converted(shuffled(converted, leave_out=34)))
    assert [(flag.kind, flag.phase) for flag in stack.flags] == [("missing phase", 4)]
    voxels = stack.read().voxels
    assert (voxels == VOXELS).all(axis=(2, 3)).sum() == VOXELS.shape[0] * VOXELS.shape[1] - 1


def test_a_rate_that_only_the_interval_tells(tmp_path: Path) -> None:
    dataset = as_converted(shuffled(converted))
    del dataset.SharedFunctionalGroupsSequence[0].UnassignedSharedConvertedAttributesSequence[0].HeartRate
    assert arranged(tmp_path, dataset).heart_rate_bpm == pytest.approx(60000 / 920)


def constant_index(groups: Dataset, phase: int) -> None:
    del groups.CardiacSynchronizationSequence[0].NominalCardiacTriggerDelayTime
    groups.FrameContentSequence[0].TemporalPositionIndex = 1


def constant_index_and_no_percentage(groups: Dataset, phase: int) -> None:
    constant_index(groups, phase)
    del groups.CardiacSynchronizationSequence[0].NominalPercentageOfCardiacPhase


def measured_delays(groups: Dataset, phase: int) -> None:
    groups.CardiacSynchronizationSequence[0].NominalCardiacTriggerDelayTime = 0.0
    groups.CardiacSynchronizationSequence[0].ActualCardiacTriggerDelayTime = 92.0 * phase


def offsets(groups: Dataset, phase: int) -> None:
    constant_index_and_no_percentage(groups, phase)
    del groups.FrameContentSequence[0].DimensionIndexValues
    groups.TemporalPositionSequence = [item(TemporalPositionTimeOffset=0.092 * phase)]


@pytest.mark.parametrize("change", [constant_index, constant_index_and_no_percentage, measured_delays, offsets])
def test_a_time_that_does_not_vary_orders_nothing(tmp_path: Path, change: Change) -> None:
    stack = arranged(tmp_path, shuffled(change))
    np.testing.assert_array_equal(stack.read().voxels, VOXELS)
    assert stack.flags == ()
    assert stack.times_ms == (pytest.approx([92 * phase for phase in range(10)]) if change is measured_delays else ())


@pytest.mark.parametrize("time", ["NominalCardiacTriggerDelayTime", "FrameAcquisitionDateTime"])
def test_the_dimensions_that_count_times_are_found_by_what_they_point_at(tmp_path: Path, time: str) -> None:
    def change(groups: Dataset, phase: int) -> None:
        constant_index_and_no_percentage(groups, phase)
        content = groups.FrameContentSequence[0]
        content.DimensionIndexValues = [1, phase + 1, content.InStackPositionNumber]

    dataset = shuffled(change)
    pointers = ("StackID", time, "InStackPositionNumber")
    dataset.DimensionIndexSequence = [item(DimensionIndexPointer=Tag(word)) for word in pointers]
    np.testing.assert_array_equal(arranged(tmp_path, dataset).read().voxels, VOXELS)


def test_phases_that_only_numbers_order_are_flagged(tmp_path: Path) -> None:
    def numbered(groups: Dataset, phase: int) -> None:
        without_times(groups)
        groups.UnassignedPerFrameConvertedAttributesSequence = [item(InstanceNumber=10 + phase)]

    stack = arranged(tmp_path / "converted", shuffled(numbered))
    np.testing.assert_array_equal(stack.read().voxels, VOXELS)
    assert [(flag.kind, flag.place) for flag in stack.flags] == [("phases ordered by number", "")]
    frames = arranged(tmp_path / "frames", shuffled(lambda groups, _: without_times(groups)))
    assert [flag.kind for flag in frames.flags] == ["phases ordered by number"]


@pytest.mark.parametrize("leave_out", [30, 34, 39])
def test_numbers_in_a_row_say_which_image_is_missing(tmp_path: Path, leave_out: int) -> None:
    """Frame 30 is the first phase of its slice, 39 the last."""

    def numbered(groups: Dataset, phase: int) -> None:
        position = groups.FrameContentSequence[0].InStackPositionNumber
        without_times(groups)
        groups.UnassignedPerFrameConvertedAttributesSequence = [item(InstanceNumber=10 * position + phase)]

    stack = arranged(tmp_path, shuffled(numbered, leave_out))
    assert [(flag.kind, flag.phase) for flag in stack.flags] == [
        ("missing phase", leave_out - 30), ("phases ordered by number", None)
    ]  # fmt: skip
    assert (stack.read().voxels == VOXELS).all(axis=(2, 3)).sum() == VOXELS.shape[0] * VOXELS.shape[1] - 1
