"""Labelled layouts: the phantom as folders of labelled data."""

from collections.abc import Iterable
from pathlib import Path

from cardioseg.files import write_csv
from cardioseg.image.nifti import write_cine
from cardioseg.phantom.expert_contours import write_contours
from cardioseg.phantom.phantom_settings import Phantom
from cardioseg.phantom.rendering import cine, reference
from cardioseg.phantom.vendors import write_series

_COLUMNS = ("PatientID", "OriginalID", "Gender", "Age", "Pathology")


def write_nifti(phantom: Phantom, folder: Path) -> tuple[Path, Path]:
    """Write the cine as <case>.nii.gz and its labels as <case>_gt.nii.gz, both 4D.

    Returns:
        The two paths.

    Raises:
        ResourceError: the file system refuses.
    """
    image, mask = (folder / f"{phantom.patient_id}{end}.nii.gz" for end in ("", "_gt"))
    write_cine(image, cine(phantom))
    write_cine(mask, reference(phantom))
    return image, mask


def write_sunnybrook(phantoms: Iterable[Phantom], folder: Path) -> None:
    """Write the tree of the Sunnybrook Cardiac Data: images, contours and the table that maps their ids.

    Raises:
        ValueError: two phantoms have the same seed and so the same ids.
        ResourceError: the file system refuses.
    """
    cohort = list(phantoms)
    if len({phantom.seed for phantom in cohort}) < len(cohort):
        raise ValueError("phantoms of one cohort need different seeds")
    for phantom in cohort:
        write_series(phantom, folder / "SCD_IMAGES_01" / phantom.sunnybrook_ids[0] / "CINESAX", _file_names(phantom))
        write_contours(phantom, folder / "SCD_ManualContours")
    rows = [dict(zip(_COLUMNS, (*phantom.sunnybrook_ids, "", "", "Phantom"), strict=True)) for phantom in cohort]
    write_csv(folder / "scd_patientdata.csv", _COLUMNS, rows)


def _file_names(phantom: Phantom) -> dict[tuple[int, int], str]:
    return {
        (index, phase): f"IM-0003-{phantom.instance_number(index, phase):04d}.dcm"
        for index in range(phantom.slices)
        for phase in range(phantom.phases)
    }
