"""DICOM references: the images that a SEG names as its source.

highdicom takes the images of one series, or one multi-frame object with all its frames. A cine can also be one series
per slice, or multi-frame objects with other phases too. Here every reference is set to the image that was read.
"""

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from cardioseg.ingest.dicom.source_image import Original


def correct_references(segmentation: Any, originals: Sequence[Original]) -> None:  # noqa: ANN401 - highdicom is untyped
    """Correct the references of a SEG, in place; it was built from the views of `originals`."""
    by_position = {tuple(original.view.ImagePositionPatient): original for original in originals}
    for frame in segmentation.PerFrameFunctionalGroupsSequence:
        original = by_position[tuple(frame.PlanePositionSequence[0].ImagePositionPatient)]
        _set_source(frame.DerivationImageSequence[0].SourceImageSequence[0], [original])
    images: dict[str, list[Original]] = defaultdict(list)
    for original in originals:
        images[original.view.SOPInstanceUID].append(original)
    references = dict(zip((o.view.SOPInstanceUID for o in originals), segmentation.SourceImageSequence, strict=True))
    segmentation.ReferencedSeriesSequence = _by_series(segmentation.ReferencedSeriesSequence[0], images, references)
    for uid, reference in references.items():
        _set_source(reference, images[uid])
    segmentation.SourceImageSequence = list(references.values())


def _by_series(series: Any, images: dict[str, list[Original]], references: dict[str, Any]) -> list[Any]:  # noqa: ANN401
    instances: dict[str, list[Any]] = defaultdict(list)
    for uid, (first, *_) in images.items():
        instance = deepcopy(references[uid])
        instance.ReferencedSOPClassUID = first.class_uid
        instances[first.series_uid].append(instance)
    items = []
    for uid, members in instances.items():
        item = deepcopy(series)
        item.SeriesInstanceUID, item.ReferencedInstanceSequence = uid, members
        items.append(item)
    return items


def _set_source(reference: Any, originals: Sequence[Original]) -> None:  # noqa: ANN401
    """Set the class of a referenced image and, for a multi-frame object, its frames."""
    reference.ReferencedSOPClassUID = originals[0].class_uid
    frames = [original.frame for original in originals if original.frame is not None]
    if frames:
        reference.ReferencedFrameNumber = frames
