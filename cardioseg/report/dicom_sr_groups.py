"""DICOM SR groups: the measures of a case as groups of a structured report.

A volume, which one mask at one phase gives, stands in a group of TID 1411, which refers to the segment of the DICOM
SEG. All else is derived from several masks, as an ejection fraction is, and stands in groups of TID 1501: one for each
ventricle, one for the heart and the scan, one for each AHA segment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cardioseg import __version__
from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.quantities import FOR_READERS
from cardioseg.measure.quantity import Quantity
from cardioseg.measure.reference_values import ReferenceValue
from cardioseg.measure.segments import NAMES
from cardioseg.measure.wall_measures import SegmentMeasures
from cardioseg.report.dicom_codes import (
    COMMENT,
    HEART,
    SEGMENTS,
    STRUCTURES,
    VENTRICLES,
    Code,
    concept,
)
from cardioseg.report.dicom_object import MANUFACTURER, Author, derived_uid
from cardioseg.report.dicom_sr_numbers import measurement, segment_measurements
from cardioseg.report.measure_columns import in_words
from cardioseg.report.plain_letters import ascii_text

_RESEARCH = "For research use; not a medical device."
_METHOD = (
    "Volume: sum of slice areas times slice step; areas of a missing slice are interpolated from neighbouring slices, "
    "and its mask is empty; papillary muscles belong to the cavity. Mass: at end-diastole, 1.05 g/mL. "
    "Strain: geometric, from the masks, not from tracked tissue; circumferential but for the radial one; peak values."
)
_PHASE_OF_MASK: Mapping[str, str] = {
    "lv_edv_ml": "lv_ed_phase",
    "lv_esv_ml": "lv_es_phase",
    "lv_mass_g": "lv_ed_phase",
    "rv_edv_ml": "rv_ed_phase",
    "rv_esv_ml": "rv_es_phase",
}
"""The measures that one mask gives, with the measure that says at which phase."""

Known = Mapping[Quantity, float]
Reference = tuple[str, str, Sequence[int]]  # class, UID and frames of an image; no frames of a single-frame one


@dataclass(frozen=True)
class Findings:
    """What an SR says of one case.

    Attributes:
        measures: of the case.
        segments: by AHA number.
        flags: why a person must look at the case.
        labels: the labels that the model segments.
        author: the model.
        references: what healthy people have, by key of the quantity.
    """

    measures: Measures
    segments: Mapping[int, SegmentMeasures]
    flags: Sequence[Flag]
    labels: Sequence[Label]
    author: Author
    references: Mapping[str, ReferenceValue] = field(default_factory=dict)

    @property
    def known(self) -> Known:
        """The known measures that have a unit; those without count phases, slices and segments."""
        values = ((quantity, self.measures[quantity.key]) for quantity in FOR_READERS if quantity.unit)
        return {quantity: value for quantity, value in values if value is not None}

    def as_values(self) -> tuple[object, ...]:
        """What is said, as values whose `repr` is the same for the same report."""
        return self.measures.as_row(), dict(self.segments), tuple(self.flags), sorted(self.labels), self.references


@dataclass(frozen=True)
class Sources:
    """What an SR refers to.

    Attributes:
        digest: of the report; the groups' UIDs are derived from it.
        images: class, UID and, of a multi-frame object, frames of the images that were measured, by ventricle.
        masks: the DICOM SEG of each phase that has one, as highdicom reads it.
    """

    digest: str
    images: Mapping[str, Sequence[Reference]]
    masks: Mapping[int, Any]


def groups(findings: Findings, sources: Sources) -> Iterator[Any]:
    """The groups of measurements."""
    of_masks = {
        quantity: value
        for quantity, value in findings.known.items()
        if quantity.key in _PHASE_OF_MASK and findings.measures[_PHASE_OF_MASK[quantity.key]] in sources.masks
    }
    for quantity, value in of_masks.items():
        mask = sources.masks[int(findings.measures[_PHASE_OF_MASK[quantity.key]] or 0)]
        yield _group_of_mask(quantity, value, mask, findings, sources.digest)
    others = {quantity: value for quantity, value in findings.known.items() if quantity not in of_masks}
    measured = partial(measurement, references=findings.references)
    for side, site in VENTRICLES.items():
        if values := [measured(*item) for item in others.items() if item[0].side == side]:
            group = _Group(side, site, values, [_phases(side, findings.measures)], sources.images.get(side, ()))
            yield _group(group, findings.author, sources.digest)
    values = [measured(*item) for item in others.items() if not item[0].side]
    comments = [f"{_RESEARCH} {findings.author.statement}", _METHOD, *map(_flag_text, findings.flags)]
    heart = _Group("Heart", HEART, values, comments, sources.images.get("", ()))
    yield _group(heart, findings.author, sources.digest)
    for number, segment in findings.segments.items():
        comments = [segment.reason] if segment.reason else []
        group = _Group(
            f"Segment {number}: {NAMES[number]}", SEGMENTS[number], list(segment_measurements(segment)), comments
        )
        yield _group(group, findings.author, sources.digest)


def _group_of_mask(quantity: Quantity, value: float, mask: Any, findings: Findings, digest: str) -> Any:  # noqa: ANN401
    """The group of a measure that one segment of a DICOM SEG gives."""
    from highdicom.sr import FindingSite, VolumetricROIMeasurementsAndQualitativeEvaluations  # noqa: PLC0415 - slow

    label = quantity.structure or Label.BACKGROUND
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(quantity.caption, digest),
        referenced_segment=_segment(mask, sorted(findings.labels).index(label) + 1),
        algorithm_id=_algorithm(findings.author),
        finding_sites=[FindingSite(concept(STRUCTURES[label]))],
        measurements=[measurement(quantity, value, findings.references)],
    )


def _segment(mask: Any, number: int) -> Any:  # noqa: ANN401
    """A segment of a SEG with its source images: highdicom's own way forgets frames of a multi-frame source."""
    from highdicom.sr import ReferencedSegment, SourceImageForSegmentation  # noqa: PLC0415

    images = mask.SourceImageSequence
    references = [
        (image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID, _frames(image.get("ReferencedFrameNumber")))
        for image in images
    ]
    sources = [SourceImageForSegmentation(*image, frames or None) for *image, frames in references]
    return ReferencedSegment(mask.SOPClassUID, mask.SOPInstanceUID, number, source_images=sources)


def _frames(numbers: Any) -> list[int]:  # noqa: ANN401 - one number, several or none
    if numbers is None:
        return []
    return [int(numbers)] if isinstance(numbers, int) else [int(number) for number in numbers]


@dataclass(frozen=True)
class _Group:
    """What is measured at one site of the heart, with remarks in words and the images that it is from."""

    name: str
    site: Code
    values: Sequence[Any]
    comments: Sequence[str] = ()
    images: Sequence[Reference] = ()


def _group(group: _Group, author: Author, digest: str) -> Any:  # noqa: ANN401
    from highdicom.sr import (  # noqa: PLC0415
        FindingSite,
        MeasurementsAndQualitativeEvaluations,
        RelationshipTypeValues,
        SourceImageForMeasurementGroup,
        TextContentItem,
    )

    item = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(group.name, digest),
        algorithm_id=_algorithm(author),
        finding_sites=[FindingSite(concept(group.site))],
        measurements=group.values or None,
        source_images=[SourceImageForMeasurementGroup(*image, frames or None) for *image, frames in group.images],
    )
    for comment in group.comments:
        text = TextContentItem(concept(COMMENT), ascii_text(comment), relationship_type=RelationshipTypeValues.CONTAINS)
        item[0].ContentSequence.append(text)
    return item


def _tracking(name: str, digest: str) -> Any:  # noqa: ANN401
    from highdicom.sr import TrackingIdentifier  # noqa: PLC0415

    return TrackingIdentifier(derived_uid(digest, name), name)


def _algorithm(author: Author) -> Any:  # noqa: ANN401
    from highdicom.sr import AlgorithmIdentification  # noqa: PLC0415

    version = f"cardioseg {__version__}, model {author.sha256[:16]}"
    return AlgorithmIdentification(author.model_name, version, manufacturer=MANUFACTURER)


def _phases(side: str, measures: Measures) -> str:
    """At which phases a ventricle was measured; the two may differ."""
    ed, es = (measures[f"{side.lower()}_{moment}_phase"] for moment in ("ed", "es"))
    told = (
        f"{name} is phase {phase:g}" for name, phase in (("end-diastole", ed), ("end-systole", es)) if phase is not None
    )
    return f"{side}: {', '.join(told) or 'end-diastole and end-systole are unknown'}; phases are counted from 0"


def _flag_text(flag: Flag) -> str:
    place = f" ({flag.place})" if flag.place else ""
    return f"Check {flag.kind}{place}: {in_words(flag.reason)}"
