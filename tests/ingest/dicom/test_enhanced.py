"""Enhanced multi-frame objects: each frame is an image with its own place, time and scale."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, EnhancedMRImageStorage

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.stack import stack
from cardioseg.ingest.dicom.reader import read_all_pixels, read_headers, read_pixels
from cardioseg.ingest.finding.survey import Kind, survey
from cardioseg.phantom import Phantom, cine, enhanced_instance, write_instance

SMALL = Phantom(slices=5, phases=8, rows=16, columns=20, spacing_mm=(16.0, 9.0, 8.0))
Change = Callable[[Dataset], Any]


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """written(change): the phantom as an enhanced object, changed before it is written."""

    def write(change: Change = lambda _: None) -> Path:
        dataset = enhanced_instance(SMALL, cine(SMALL).voxels)
        change(dataset)
        write_instance(tmp_path / "scan", dataset)
        return tmp_path / "scan"

    return write


def per_frame(dataset: Dataset, group: str, **tags: Any) -> None:
    """Set tags, given as functions of the frame's index, in a group of every frame."""
    for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        if group not in frame:
            setattr(frame, group, [Dataset()])
        for name, value in tags.items():
            setattr(frame[group][0], name, value(index))


def test_each_frame_says_where_and_when(written: Callable[..., Path]) -> None:
    headers = read_headers(written())
    assert [header.frame for header in headers] == list(range(40))
    assert [header.instance_number for header in headers] == list(range(1, 41))
    first, tenth = headers[0], headers[9]
    assert first.is_mr
    assert (first.shape, first.pixel_mm) == ((16, 20), (9, 8))
    assert first.position_mm == pytest.approx(SMALL.grid.position_mm((4, 0, 0)))
    assert tenth.position_mm == pytest.approx(SMALL.grid.position_mm((3, 0, 0)))
    assert (tenth.trigger_ms, tenth.temporal_position) == (SMALL.times_ms[1], 2)
    assert ((tenth.acquisition_s or 0) % 86400, tenth.acquisition_number) == (12 * 3600 + 12, 2)
    assert (tenth.nominal_interval_ms, tenth.echo_ms) == (920, 1.6)
    assert (tenth.flip_degrees, tenth.sequence) == (45, ("GRADIENT", "cine"))
    assert first.image_type == ("ORIGINAL", "PRIMARY", "CARDIAC", "NONE", "MAGNITUDE")
    assert (first.height_m, first.weight_kg, first.heart_rate_bpm) == (1.75, 70, None)


def test_frames_are_read_one_by_one_and_together(written: Callable[..., Path]) -> None:
    headers = read_headers(written())
    voxels = cine(SMALL).voxels
    np.testing.assert_array_equal(read_pixels(headers[9]), voxels[1, 3])
    some = read_all_pixels([headers[30], headers[2], headers[30]])
    assert list(some) == [headers[30], headers[2]]
    np.testing.assert_array_equal(some[headers[2]], voxels[2, 4])
    np.testing.assert_array_equal(some[headers[30]], voxels[6, 1])


def test_each_frame_has_its_own_scale(written: Callable[..., Path]) -> None:
    def scale(dataset: Dataset) -> None:
        del dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
        per_frame(
            dataset,
            "PixelValueTransformationSequence",
            RescaleSlope=lambda index: str(1 + index),
            RescaleIntercept=lambda _: "-5",
        )

    headers, voxels = read_headers(written(scale)), cine(SMALL).voxels
    np.testing.assert_array_equal(read_pixels(headers[0]), voxels[0, 4] - 5.0)
    np.testing.assert_array_equal(read_pixels(headers[9]), voxels[1, 3] * 10.0 - 5)


@pytest.mark.parametrize(
    "clock",
    [
        {"CardiacSynchronizationSequence": {"ActualCardiacTriggerDelayTime": lambda index: 40.0 * (index % 8)}},
        {"FrameContentSequence": {"TemporalPositionIndex": lambda index: 1 + index % 8}},
        {"TemporalPositionSequence": {"TemporalPositionTimeOffset": lambda index: 0.04 * (index % 8)}},
        {"CardiacSynchronizationSequence": {"NominalPercentageOfCardiacPhase": lambda index: 12.5 * (index % 8)}},
        {},  # the order of the frames
    ],
)
def test_phases_are_ordered_by_what_there_is(written: Callable[..., Path], clock: dict[str, Any]) -> None:
    def only(dataset: Dataset) -> None:
        for frame in dataset.PerFrameFunctionalGroupsSequence:
            del frame.CardiacSynchronizationSequence
            del frame.FrameContentSequence[0].TemporalPositionIndex
        for group, tags in clock.items():
            per_frame(dataset, group, **tags)

    arranged = stack(read_headers(written(only)))
    np.testing.assert_array_equal(arranged.read().voxels, cine(SMALL).voxels)


def test_magnitude_and_phase_in_one_object_are_told_apart(written: Callable[..., Path]) -> None:
    def both(dataset: Dataset) -> None:
        frames = dataset.PerFrameFunctionalGroupsSequence
        kind = dataset.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence
        del dataset.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence
        for index, frame in enumerate(frames):
            frame.MRImageFrameTypeSequence = [deepcopy(kind[0])]
            frame.MRImageFrameTypeSequence[0].ComplexImageComponent = ("MAGNITUDE", "PHASE")[index % 2]
            frame.CardiacSynchronizationSequence[0].NominalCardiacTriggerDelayTime = 40.0 * (index % 8 // 2)

    with pytest.raises(UnusableError, match="as different kinds of image"):
        stack(read_headers(written(both)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: delattr(d, "PerFrameFunctionalGroupsSequence"), "an enhanced multi-frame object that does not say"),
        (lambda d: d.PerFrameFunctionalGroupsSequence.pop(), "a multi-frame object of 40 frames that describes 39"),
        (lambda d: delattr(d, "SharedFunctionalGroupsSequence"), "its pixel spacing is missing"),
        (lambda d: setattr(d, "PixelData", d.PixelData[:-640]), "its pixel data is missing or truncated"),
        (lambda d: delattr(d, "Rows"), "without an image plane in space"),
        (lambda d: per_frame(d, "PlanePositionSequence", ImagePositionPatient=lambda _: []), "its position is missing"),
    ],
)
def test_unusable_objects_say_why(written: Callable[..., Path], change: Change, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        read_headers(written(change))


def test_a_single_frame_and_another_modality(written: Callable[..., Path]) -> None:
    def single(dataset: Dataset) -> None:
        dataset.NumberOfFrames = 1
        dataset.PixelData = dataset.PixelData[:640]
        dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:1]

    (only,) = read_headers(written(single))
    assert only.frame == 0
    np.testing.assert_array_equal(read_pixels(only), cine(SMALL).voxels[0, 4])

    def tomography(dataset: Dataset) -> None:
        dataset.SOPClassUID, dataset.Modality = EnhancedCTImageStorage, "CT"

    assert not any(header.is_mr for header in read_headers(written(tomography)))
    assert CTImageStorage != EnhancedMRImageStorage


def test_stray_groups_in_a_classic_image(tmp_path: Path, write_slice: Callable[..., Path]) -> None:
    (header,) = read_headers(write_slice(tmp_path / "a", PerFrameFunctionalGroupsSequence=[Dataset()]))
    assert header.frame is None


def test_copies_of_an_object_are_dropped_once(written: Callable[..., Path]) -> None:
    path = written()
    path.with_name("scan copy").write_bytes(path.read_bytes())
    found = survey(path.parent)
    assert [series.kind for series in found.series] == [Kind.SHORT_AXIS_CINE]
    assert [(Path(one.where).name, one.why) for one in found.unused] == [("scan copy", f"a copy of {path}")]


@pytest.mark.parametrize("suffix", ["", "_RLE", "_big_endian", "_jpeg_2k_lossless", "_jpeg_ls_lossless"])
def test_a_real_object_in_five_syntaxes(shared_data: Path, tmp_path: Path, suffix: str) -> None:
    """It has lost its functional groups; with places given back to its frames, every syntax holds the same pixels."""
    source = shared_data / "enhanced_mr" / f"emri_small{suffix}.dcm"
    with pytest.raises(UnusableError, match="an enhanced multi-frame object that does not say where its frames lie"):
        read_headers(source)
    dataset = pydicom.dcmread(source)
    groups = enhanced_instance(SMALL, cine(SMALL).voxels)
    dataset.SharedFunctionalGroupsSequence = groups.SharedFunctionalGroupsSequence
    dataset.PerFrameFunctionalGroupsSequence = groups.PerFrameFunctionalGroupsSequence[:10]
    dataset.save_as(tmp_path / "scan")
    headers = read_headers(tmp_path / "scan")
    plain = pydicom.dcmread(shared_data / "enhanced_mr" / "emri_small.dcm")
    stored = np.frombuffer(plain.PixelData, "<u2").reshape(10, 64, 64)
    np.testing.assert_array_equal(np.stack(list(read_all_pixels(headers).values())), stored)
