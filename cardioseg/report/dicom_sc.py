"""DICOM SC: pictures of one case as secondary captures, which every viewer shows beside the scan.

The pictures hold the case's name, which a user chose: they are marked as having annotations burned in.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cardioseg import __version__
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.source_image import Original
from cardioseg.report.dicom_object import (
    FIRST_SERIES,
    MANUFACTURER,
    Author,
    content_digest,
    derived_uid,
    write_object,
)

_SERIES = FIRST_SERIES + 4


def write_captures(pictures: Mapping[Path, Image.Image], author: Author, headers: Sequence[SliceHeader | None]) -> None:
    """Write pictures as one series in the study of their source.

    Args:
        pictures: what to write, by the path of its file.
        author: the model.
        headers: the source images; None for a slice that was not acquired.

    Raises:
        ResourceError: the file system refuses a write.
        UnusableError: no secondary capture can belong to the source, which lacks what it needs.
    """
    for number, (path, picture) in enumerate(pictures.items(), start=1):
        write_object(path, "DICOM secondary capture", headers, partial(_capture, picture, number, author))


def _capture(picture: Image.Image, number: int, author: Author, originals: Sequence[Original]) -> Any:  # noqa: ANN401
    from highdicom.sc import SCImage  # noqa: PLC0415 - slow to import

    pixels = np.asarray(picture.convert("RGB"))
    view = originals[0].view
    digest = content_digest(originals, author, ("SC", number, pixels.shape), pixels.tobytes())
    capture = SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),  # highdicom requires one; a picture of several slices has none
        study_instance_uid=view.StudyInstanceUID,
        series_instance_uid=derived_uid(content_digest(originals, author, "SC"), "series"),
        series_number=_SERIES,
        series_description=author.series_description("pictures"),
        sop_instance_uid=derived_uid(digest, "instance"),
        instance_number=number,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=author.model_name,
        software_versions=__version__,
    )
    capture.PatientOrientation = None
    capture.ConversionType = "WSD"  # made on a workstation
    capture.BodyPartExamined = "HEART"
    capture.BurnedInAnnotation = "YES"
    return capture
