"""DICOM SR numbers: measures as TID 300 of DICOM PS3.16 has them, with name, unit and normal range."""

from collections.abc import Iterator, Mapping
from typing import Any

from cardioseg.measure.quantity import Quantity
from cardioseg.measure.reference_values import STUDY, ReferenceValue
from cardioseg.measure.wall_measures import SegmentMeasures
from cardioseg.report.dicom_codes import (
    CYCLE_POINT,
    END_DIASTOLE,
    END_SYSTOLE,
    NORMAL_HIGH,
    NORMAL_LOW,
    THICKENING,
    WALL_THICKNESS,
    Code,
    concept,
    name_of,
    unit_of,
)

_DIGITS = 2  # as in `measures.csv`


def segment_measurements(segment: SegmentMeasures) -> Iterator[Any]:
    """Thickness at end-diastole and at end-systole, and thickening, as far as they are known."""
    for value, moment in ((segment.ed_mm, END_DIASTOLE), (segment.es_mm, END_SYSTOLE)):
        if value is not None:
            yield _number(WALL_THICKNESS, value, "mm", moment)
    if segment.thickening_percent is not None:
        yield _number(THICKENING, segment.thickening_percent, "%")


def measurement(quantity: Quantity, value: float, references: Mapping[str, ReferenceValue]) -> Any:  # noqa: ANN401
    """A measure with the limits of healthy people, where they are known."""
    from highdicom.sr import Measurement, MeasurementProperties  # noqa: PLC0415

    unit, reference = unit_of(quantity.unit), references.get(quantity.key)
    properties = MeasurementProperties(normal_range_properties=_limits(reference, unit)) if reference else None
    return Measurement(concept(name_of(quantity)), round(value, _DIGITS), unit, properties=properties)


def _limits(reference: ReferenceValue, unit: Any) -> Any:  # noqa: ANN401
    from highdicom.sr import NormalRangeProperties, NumContentItem, RelationshipTypeValues  # noqa: PLC0415

    kind = RelationshipTypeValues.HAS_PROPERTIES
    ends = (NORMAL_LOW, reference.limits.low), (NORMAL_HIGH, reference.limits.high)
    values = [
        NumContentItem(concept(name), round(limit, _DIGITS), unit, relationship_type=kind) for name, limit in ends
    ]
    described = f"95 % of {STUDY.subjects} of the same sex, {STUDY.ages} years; {STUDY.convention}"
    return NormalRangeProperties(values, described, STUDY.citation)


def _number(name: Code, value: float, unit: str, moment: Code | None = None) -> Any:  # noqa: ANN401
    """A number with its unit, at a point of the cardiac cycle where that is not part of its name."""
    from highdicom.sr import CodeContentItem, Measurement, RelationshipTypeValues  # noqa: PLC0415

    item = Measurement(concept(name), round(value, _DIGITS), unit_of(unit))
    if moment:
        kind = RelationshipTypeValues.HAS_CONCEPT_MOD
        item[0].ContentSequence = [CodeContentItem(concept(CYCLE_POINT), concept(moment), kind)]
    return item
