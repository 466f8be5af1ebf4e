"""DICOM SR: the measures of one case as a structured report beside the scan, which a PACS files and searches.

Template: TID 1500 "Measurement Report" of DICOM PS3.16, which viewers and research tools read and
highdicom builds. TID 3900, for cardiovascular CT and MR, has neither.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

from cardioseg import __version__
from cardioseg.ingest.dicom.slice_header import SliceHeader
from cardioseg.ingest.dicom.source_image import Original
from cardioseg.report.dicom_codes import DEVICE, MR_OF_THE_HEART, TITLE, concept
from cardioseg.report.dicom_object import (
    FIRST_SERIES,
    MANUFACTURER,
    Author,
    content_digest,
    derived_uid,
    write_object,
)
from cardioseg.report.dicom_sr_groups import Findings, Reference, Sources, groups

_SERIES = FIRST_SERIES + 3
_OF_THE_PATIENT = ("PatientSize", "PatientWeight")  # of the source; a user may have said that they are others


def write_structured_report(
    path: Path,
    findings: Findings,
    masks: Mapping[int, Path],
    headers: Mapping[str, Sequence[SliceHeader | None]],
) -> None:
    """Write an SR into the study of its source.

    Args:
        path: where to write.
        findings: what to write.
        masks: the DICOM SEG of each phase that has one.
        headers: the source images that were measured, by ventricle; None for a slice that was not acquired.

    Raises:
        ResourceError: the file system refuses the write.
        UnusableError: no SR can refer to the source, which lacks what an SR needs.
    """
    everything = [header for of_side in headers.values() for header in of_side if header]
    sides = [side for side, of_side in headers.items() for header in of_side if header]
    write_object(path, "DICOM SR", everything, lambda originals: _document(findings, masks, originals, sides))


def _document(
    findings: Findings, paths: Mapping[int, Path], originals: Sequence[Original], sides: Sequence[str]
) -> Any:  # noqa: ANN401 - highdicom is untyped
    """The report; `sides` says of which ventricle each of `originals` is."""
    from highdicom.seg import segread  # noqa: PLC0415 - slow to import
    from highdicom.sr import ComprehensiveSR, MeasurementReport  # noqa: PLC0415

    masks = {phase: segread(path) for phase, path in paths.items()}
    uids = {phase: str(mask.SOPInstanceUID) for phase, mask in masks.items()}
    author = findings.author
    digest = content_digest(originals, author, ("SR", findings.as_values(), uids))
    images = {
        side: _references([original for original, of in zip(originals, sides, strict=True) if of == side])
        for side in dict.fromkeys(sides)
    }
    sources = Sources(digest, images, masks)
    content = MeasurementReport(
        observation_context=_observer(author),
        procedure_reported=concept(MR_OF_THE_HEART),
        imaging_measurements=list(groups(findings, sources)),
        title=concept(TITLE),
    )
    report = ComprehensiveSR(
        evidence=[*_evidence(originals), *masks.values()],
        content=content[0],
        series_instance_uid=derived_uid(digest, "series"),
        series_number=_SERIES,
        series_description=author.series_description("measures"),
        sop_instance_uid=derived_uid(digest, "instance"),
        instance_number=1,
        **author.equipment,
        is_complete=True,
    )
    for keyword in _OF_THE_PATIENT:
        if keyword in report:
            delattr(report, keyword)
    return report


def _evidence(originals: Sequence[Original]) -> Iterator[Any]:
    """The headers of the source images, a multi-frame object once, each with its own class and series."""
    for original in {original.view.SOPInstanceUID: original for original in originals}.values():
        header = copy(original.view)
        header.SOPClassUID, header.SeriesInstanceUID = original.class_uid, original.series_uid
        yield header


def _references(originals: Sequence[Original]) -> tuple[Reference, ...]:
    frames: dict[tuple[str, str], list[int]] = {}
    for original in originals:
        frames.setdefault((original.class_uid, original.view.SOPInstanceUID), []).append(original.frame or 0)
    return tuple((*image, [number for number in numbers if number]) for image, numbers in frames.items())


def _observer(author: Author) -> Any:  # noqa: ANN401
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext  # noqa: PLC0415

    device = DeviceObserverIdentifyingAttributes(
        uid=derived_uid(author.sha256, "observer"),
        name=author.model_name,
        manufacturer_name=MANUFACTURER,
        model_name=f"cardioseg {__version__}",
        serial_number=author.sha256,
    )
    context = ObserverContext(observer_type=concept(DEVICE), observer_identifying_attributes=device)
    return ObservationContext(observer_device_context=context)
