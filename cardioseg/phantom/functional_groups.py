"""Functional groups: the attributes of each frame of an enhanced object, and those of all frames together."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.study import DAY, TIME, decimal


def item(values: Mapping[str, Any]) -> Dataset:
    """A data set of these values."""
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, value)
    return dataset


_SHARED: Mapping[str, Mapping[str, Any]] = {
    "PixelValueTransformationSequence": {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US"},
    "FrameVOILUTSequence": {"WindowCenter": "300", "WindowWidth": "600"},
    "MRImageFrameTypeSequence": {
        "FrameType": ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"], "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME", "VolumeBasedCalculationTechnique": "NONE",
        "ComplexImageComponent": "MAGNITUDE", "AcquisitionContrast": "UNKNOWN",
    },
    "MRTimingAndRelatedParametersSequence": {
        "RepetitionTime": "3.8", "FlipAngle": "45", "EchoTrainLength": "1", "RFEchoTrainLength": 0,
        "GradientEchoTrainLength": 1, "GradientOutputType": "DB_DT", "GradientOutput": 50.0,
        "SpecificAbsorptionRateSequence": [
            item({"SpecificAbsorptionRateDefinition": "IEC_WHOLE_BODY", "SpecificAbsorptionRateValue": 1.0})
        ],
        "OperatingModeSequence": [
            item({"OperatingModeType": "GRADIENT", "OperatingMode": "IEC_NORMAL"}),
        ],
    },
    "MRFOVGeometrySequence": {
        "InPlanePhaseEncodingDirection": "ROW", "MRAcquisitionFrequencyEncodingSteps": 192,
        "MRAcquisitionPhaseEncodingStepsInPlane": 160, "PercentSampling": "100", "PercentPhaseFieldOfView": "100",
    },
    "MREchoSequence": {"EffectiveEchoTime": 1.6},
    "MRModifierSequence": {
        "InversionRecovery": "NO", "FlowCompensation": "NONE", "Spoiling": "NONE", "T2Preparation": "NO",
        "SpectrallySelectedExcitation": "NONE", "SpatialPresaturation": "NONE", "PartialFourier": "NO",
        "ParallelAcquisition": "NO",
    },
    "MRImagingModifierSequence": {
        "MagnetizationTransfer": "NONE", "BloodSignalNulling": "NO", "Tagging": "NONE", "TransmitterFrequency": 63.87,
        "PixelBandwidth": "930",
    },
    "MRReceiveCoilSequence": {
        "ReceiveCoilName": "body", "ReceiveCoilManufacturerName": "", "ReceiveCoilType": "BODY",
        "QuadratureReceiveCoil": "NO",
    },
    "MRTransmitCoilSequence": {
        "TransmitCoilName": "body", "TransmitCoilManufacturerName": "", "TransmitCoilType": "BODY",
    },
    "MRAveragesSequence": {"NumberOfAverages": "1"},
}  # fmt: skip
_BREATH_HOLD_S = 12
_DIMENSIONS = ("InStackPositionNumber", "TemporalPositionIndex")


def shared_groups(phantom: Phantom) -> Dataset:
    """The groups of all frames together: the sequence, the pixels' size and the planes' orientation."""
    groups = _groups(_SHARED)
    grid = phantom.grid
    _, down, across = grid.directions
    step_mm = decimal(grid.spacing_mm[0])
    measures = {"SliceThickness": step_mm, "SpacingBetweenSlices": step_mm, "PixelSpacing": list(grid.pixel_mm)}
    orientation = [decimal(cosine) for cosine in (*across, *down)]
    heart = item({"CodeValue": "80891009", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Heart"})
    anatomy: Mapping[str, Any] = {"FrameLaterality": "U", "AnatomicRegionSequence": [heart]}
    placed: Mapping[str, Mapping[str, Any]] = {
        "PixelMeasuresSequence": measures,
        "PlaneOrientationSequence": {"ImageOrientationPatient": orientation},
        "FrameAnatomySequence": anatomy,
    }
    groups.update(_groups(placed))
    return groups


def frame_groups(phantom: Phantom, slice_index: int, phase: int) -> Dataset:
    """A frame's own place and time; stack positions count from the base."""
    position = phantom.slices - slice_index
    held = datetime.strptime(DAY + TIME, "%Y%m%d%H%M%S") + timedelta(seconds=_BREATH_HOLD_S * (position - 1))  # noqa: DTZ007
    content = {
        "FrameAcquisitionNumber": position, "FrameAcquisitionDateTime": f"{held:%Y%m%d%H%M%S}",
        "FrameReferenceDateTime": f"{held:%Y%m%d%H%M%S}", "FrameAcquisitionDuration": 1000.0 * _BREATH_HOLD_S,
        "StackID": "1", "InStackPositionNumber": position, "TemporalPositionIndex": phase + 1,
        "DimensionIndexValues": [position, phase + 1],
    }  # fmt: skip
    beat = {
        "NominalPercentageOfCardiacPhase": 100.0 * phase / phantom.phases,
        "NominalCardiacTriggerDelayTime": phantom.times_ms[phase],
        "RRIntervalTimeNominal": phantom.rr_interval_ms,
    }
    place = [decimal(mm) for mm in phantom.grid.position_mm((slice_index, 0, 0)).tolist()]
    return _groups({
        "FrameContentSequence": content,
        "PlanePositionSequence": {"ImagePositionPatient": place},
        "CardiacSynchronizationSequence": beat,
    })  # fmt: skip


def dimensions(uid: str) -> list[Dataset]:
    """The dimensions of the frames' indices."""
    return [
        item({
            "DimensionOrganizationUID": uid,
            "DimensionIndexPointer": Tag(name),
            "FunctionalGroupPointer": Tag("FrameContentSequence"),
        })
        for name in _DIMENSIONS
    ]  # fmt: skip


def _groups(values: Mapping[str, Mapping[str, Any]]) -> Dataset:
    return item({name: [item(group)] for name, group in values.items()})
