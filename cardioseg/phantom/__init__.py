"""Phantom: a beating short-axis heart whose volumes are known, as images, labels, DICOM, contours and NIfTI."""

from cardioseg.phantom.contours import write_contours
from cardioseg.phantom.dicom import instance, localizer
from cardioseg.phantom.encoding import Encoding
from cardioseg.phantom.enhanced import enhanced_instance
from cardioseg.phantom.image import cine, reference
from cardioseg.phantom.layouts import write_nifti, write_sunnybrook
from cardioseg.phantom.settings import Phantom
from cardioseg.phantom.study import write_instance
from cardioseg.phantom.truth import Truth, truth
from cardioseg.phantom.vendors import Vendor, write_dicom

__all__ = [
    "Encoding",
    "Phantom",
    "Truth",
    "Vendor",
    "cine",
    "enhanced_instance",
    "instance",
    "localizer",
    "reference",
    "truth",
    "write_contours",
    "write_dicom",
    "write_instance",
    "write_nifti",
    "write_sunnybrook",
]
