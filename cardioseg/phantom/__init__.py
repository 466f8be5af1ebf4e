"""Phantom: a beating short-axis heart whose volumes are known, as images, labels, DICOM, contours and NIfTI."""

from cardioseg.phantom.classic_dicom import instance, localizer
from cardioseg.phantom.compression import Encoding
from cardioseg.phantom.enhanced_dicom import enhanced_instance
from cardioseg.phantom.expert_contours import write_contours
from cardioseg.phantom.labelled_layouts import write_nifti, write_sunnybrook
from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.rendering import cine, reference
from cardioseg.phantom.study import write_instance
from cardioseg.phantom.truth import Truth, truth
from cardioseg.phantom.vendors import Vendor, write_dicom
from cardioseg.phantom.wall_change import WallChange
from cardioseg.phantom.wall_truth import SegmentTruth, segment_truth

__all__ = [
    "Encoding",
    "Phantom",
    "SegmentTruth",
    "Truth",
    "Vendor",
    "WallChange",
    "cine",
    "enhanced_instance",
    "instance",
    "localizer",
    "reference",
    "segment_truth",
    "truth",
    "write_contours",
    "write_dicom",
    "write_instance",
    "write_nifti",
    "write_sunnybrook",
]
