"""Enhanced DICOM: the phantom as one Enhanced MR Image object, one frame per slice and phase (DICOM PS3.3 A.36.2)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage

from cardioseg.phantom.functional_groups import dimensions, frame_groups, item, shared_groups
from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.study import DAY, TIME, object_of, uid_of

_OBJECT: Mapping[str, Any] = {
    "SeriesNumber": 3, "SeriesDescription": "cine short axis", "ImageType": ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"],
    "ContentQualification": "RESEARCH", "ResonantNucleus": "1H", "KSpaceFiltering": "NONE",
    "MagneticFieldStrength": 1.5,
    "ApplicableSafetyStandardAgency": "IEC", "PixelPresentation": "MONOCHROME", "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE", "ComplexImageComponent": "MAGNITUDE", "AcquisitionContrast": "UNKNOWN",
    "AcquisitionNumber": 1, "AcquisitionDateTime": DAY + TIME, "AcquisitionDuration": 120.0,
    "BurnedInAnnotation": "NO", "LossyImageCompression": "00", "PresentationLUTShape": "IDENTITY",
    "PulseSequenceName": "cine", "MRAcquisitionType": "2D", "EchoPulseSequence": "GRADIENT",
    "MultiPlanarExcitation": "NO", "PhaseContrast": "NO", "TimeOfFlightContrast": "NO",
    "SteadyStatePulseSequence": "FREE_PRECESSION", "EchoPlanarPulseSequence": "NO",
    "SaturationRecovery": "NO", "SpectrallySelectedSuppression": "NONE", "OversamplingPhase": "NONE",
    "GeometryOfKSpaceTraversal": "RECTILINEAR", "SegmentedKSpaceTraversal": "PARTIAL",
    "RectilinearPhaseEncodeReordering": "LINEAR", "NumberOfKSpaceTrajectories": 1,
    "CardiacSynchronizationTechnique": "RETROSPECTIVE", "CardiacSignalSource": "ECG",
    "CardiacBeatRejectionTechnique": "NONE", "LowRRValue": 1, "HighRRValue": 10000, "IntervalsAcquired": 10,
    "IntervalsRejected": 0, "AcquisitionContextSequence": Sequence(), "DimensionOrganizationType": "3D_TEMPORAL",
}  # fmt: skip


def enhanced_instance(phantom: Phantom, voxels: NDArray[np.int16]) -> Dataset:
    """The whole cine as one object, ready to be written; frames go phase by phase from the base to the apex.

    Args:
        phantom: gives geometry, timing and ids.
        voxels: (phase, slice, row, column), such as `cine(phantom).voxels`.
    """
    places = [(index, phase) for index in reversed(range(phantom.slices)) for phase in range(phantom.phases)]
    pixels = np.stack([voxels[phase, index] for index, phase in places])
    dataset = object_of(phantom, EnhancedMRImageStorage, "short axis, enhanced", 1, pixels)
    for name, value in _OBJECT.items():
        setattr(dataset, name, value)
    dataset.NumberOfFrames = len(places)
    dataset.CardiacRRIntervalSpecified = phantom.rr_interval_ms
    organization = uid_of(phantom, "dimensions")
    dataset.DimensionOrganizationSequence = [item({"DimensionOrganizationUID": organization})]
    dataset.DimensionIndexSequence = dimensions(organization)
    dataset.SharedFunctionalGroupsSequence = [shared_groups(phantom)]
    dataset.PerFrameFunctionalGroupsSequence = [frame_groups(phantom, index, phase) for index, phase in places]
    return dataset
