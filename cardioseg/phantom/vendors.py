"""Vendors: three forms in which scanners export the same short-axis cine."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np

from cardioseg.phantom.classic_dicom import instance, instance_of_own_series, localizer
from cardioseg.phantom.compression import Encoding
from cardioseg.phantom.enhanced_dicom import enhanced_instance
from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.rendering import cine
from cardioseg.phantom.study import write_instance


class Vendor(StrEnum):
    """How a scanner exports a cine."""

    CLASSIC = "classic"  # one series, one file per slice and phase
    SERIES_A_SLICE = "series-a-slice"  # one series per slice
    ENHANCED = "enhanced"  # one multi-frame file


def write_dicom(
    phantom: Phantom, folder: Path, vendor: Vendor = Vendor.CLASSIC, encoding: Encoding = Encoding.EXPLICIT
) -> Path:
    """Write `folder`/<patient>/study with a short-axis cine, its files named in random order, and a localizer.

    Returns:
        The folder of the short-axis cine.

    Raises:
        ResourceError: the file system refuses.
    """
    study = folder / phantom.patient_id / "study"
    for number, dataset in enumerate(localizer(phantom), start=1):
        write_instance(study / "localizer" / f"IM-{number:04d}.dcm", dataset, encoding)
    series = study / "sax_cine"
    if vendor is Vendor.ENHANCED:
        write_instance(series / "IM-0001.dcm", enhanced_instance(phantom, cine(phantom).voxels), encoding)
    elif vendor is Vendor.SERIES_A_SLICE:
        _write_series_a_slice(phantom, series, encoding)
    else:
        write_series(phantom, series, _shuffled_names(phantom), encoding)
    return series


def write_series(
    phantom: Phantom,
    folder: Path,
    names: Mapping[tuple[int, int], str],
    encoding: Encoding = Encoding.EXPLICIT,
) -> None:
    """Write the short-axis images of `names`, (slice, phase) -> file name, into `folder`."""
    voxels = cine(phantom).voxels
    for (index, phase), name in names.items():
        number = phantom.instance_number(index, phase)
        write_instance(folder / name, instance(phantom, index, phase, number, voxels[phase, index]), encoding)


def _write_series_a_slice(phantom: Phantom, folder: Path, encoding: Encoding) -> None:
    voxels = cine(phantom).voxels
    for (index, phase), name in _shuffled_names(phantom).items():
        dataset = instance_of_own_series(phantom, index, phase, voxels[phase, index])
        write_instance(folder / f"series_{dataset.SeriesNumber:02d}" / name, dataset, encoding)


def _shuffled_names(phantom: Phantom) -> dict[tuple[int, int], str]:
    places = [(index, phase) for index in range(phantom.slices) for phase in range(phantom.phases)]
    order = np.random.default_rng([phantom.seed, 4]).permutation(len(places))
    names = [f"IM-{number + 1:04d}.dcm" for number in order.tolist()]
    return dict(zip(places, names, strict=True))
